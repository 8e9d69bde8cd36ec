"""Running and announcing commands, and remembering what was made from what."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class SetupError(Exception):
    """Something that the user has to fix; its text says how."""


def say(text: str) -> None:
    """Print a heading at once, also where the output is a file or a pipe."""
    print(f"\n== {text}", flush=True)


def run(*command: str | Path, **environment: str) -> None:
    """Run a command in the project's folder with its output going straight through; raise if it fails."""
    subprocess.run([str(part) for part in command], cwd=ROOT, check=True, env=os.environ | environment)


def stamped(stamp: Path, *inputs: bytes) -> Callable[[], None] | None:
    """Return what records that `stamp`'s folder was made from `inputs`, or None where that is already recorded."""
    digest = hashlib.sha256(b"\0".join(inputs)).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return None
    return lambda: void(stamp.write_text(digest))


def void(_: object) -> None:
    """Turn an expression into a statement."""
