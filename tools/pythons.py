"""Which Python an environment is made with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.shell import SetupError


@dataclass(frozen=True)
class Python:
    """An interpreter that is known to run."""

    path: str
    #: As in ``sys.version``.
    about: str

    @property
    def version(self) -> str:
        """Three numbers, as in 3.13.0."""
        return self.about.split()[0]


RUNNING = Python(sys.executable, sys.version)


def find_python(wanted: Sequence[tuple[int, int]]) -> Python:
    """Return an interpreter of one of these versions; the running one where none is named.

    Parameters
    ----------
    wanted
        The best first. Each is looked for on PATH and among pyenv's versions.
    """
    if not wanted:
        return RUNNING
    for version in wanted:
        for path in places(version):
            if found := look_at(path):
                return found
    versions = ", ".join(map(text, wanted))
    raise SetupError(f"A Python with venv of one of {versions} is needed on PATH; this is {RUNNING.version}.")


def text(version: tuple[int, int]) -> str:
    """Return a version as people write it."""
    return ".".join(map(str, version))


def places(wanted: tuple[int, int]) -> Iterator[str]:
    """Name the files in which an interpreter of that version would be."""
    if sys.version_info[:2] == wanted:
        yield sys.executable
    if on_path := shutil.which(f"python{text(wanted)}"):
        yield on_path
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from map(str, sorted(pyenv.glob(f"versions/{text(wanted)}.*/bin/python"), reverse=True))


def look_at(path: str) -> Python | None:
    """Return the interpreter if it runs and can make environments; pyenv's stand-ins, for example, may not run."""
    code = "import ensurepip, ssl, sys, venv; print(sys.version)"
    done = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
    return Python(path, done.stdout) if done.returncode == 0 else None
