"""The rooms of the package import only those below them, and no modules import each other in a circle.

`tests/environments.py` does not list this file: imports are the same everywhere, and import-linter is in the main
environment alone, where this fails without it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

#: In a process of its own: import-linter sets up logging, and thereby silences the existing loggers.
PROGRAM = """
import sys
from importlinter import cli
sys.exit(cli.lint_imports(config_filename="pyproject.toml", no_cache=True))
"""


def test_imports_only_go_down() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"Move what is imported down:\n{done.stdout}{done.stderr}"
