"""The front ends of hosts that are published as npm packages; `dev.py` unpacks them as published."""

from __future__ import annotations

from pathlib import Path

from tests.browser.notebooks import ROOT

PACKAGES = ROOT / "node_modules" / ".hosts"


def package_file(package: str, path: str) -> Path:
    """Return a file of a package in bundles.json."""
    file = PACKAGES / package / path
    assert file.is_file(), f"{file} is missing; `python3 dev.py test` fetches it"
    return file
