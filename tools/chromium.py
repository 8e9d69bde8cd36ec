"""The browser of the browser tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tools.shell import SetupError, run, say

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def find_chromium() -> str | None:
    """Return the path of an installed Chromium or Chrome, or None."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    return str(MAC) if MAC.exists() else None


def ensure_chromium() -> None:
    """Install Debian's Chromium if there is no browser and this is possible; otherwise say what to install."""
    if find_chromium():
        return
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise SetupError(
            "The browser tests need Chromium or Chrome: install one, on Debian with `sudo apt-get install chromium`."
        )
    say("Chromium")
    run(apt, "update", "-q", DEBIAN_FRONTEND="noninteractive")
    run(
        *(apt, "install", "-y", "-q", "--no-install-recommends", "chromium", "fonts-dejavu-core"),
        DEBIAN_FRONTEND="noninteractive",
    )
    if not find_chromium():
        raise SetupError("Debian's chromium package was installed, but there is no `chromium` on PATH.")
