"""The documentation's pages, built by Sphinx without a network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.shell import ROOT

SOURCE = ROOT / "docs"
SITE = ROOT / "build" / "docs"


def build_site(target: Path = SITE, python: Path | str = sys.executable) -> int:
    """Build every page; a warning is a failure. Return the exit status.

    Parameters
    ----------
    target
        The folder of the site.
    python
        The interpreter that has Sphinx and Keras.
    """
    command = [str(python), "-m", "sphinx", "-W", "--keep-going", "--quiet", "--builder", "html", "--fresh-env"]
    # TensorFlow's start-up log says nothing about the pages.
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "MPLBACKEND": "agg"}
    return subprocess.run(
        [*command, str(SOURCE), str(target)], cwd=ROOT, env=os.environ | quiet, check=False
    ).returncode
