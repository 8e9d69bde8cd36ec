"""The Python environments of the tests, each from its lock file.

``.venv`` has the newest of everything and is what one works in. The others show that the package also works with what
Colab has, with the lowest versions that pyproject.toml allows, and on Keras's other back ends.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.pythons import Python, find_python, text
from tools.shell import ROOT, run, say, stamped

BIN, EXECUTABLE = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")

#: Not in a lock file: which build of a version pip gets, for CPU or GPU, depends on the index, and so do its hashes.
TORCH = "torch==2.13.0"


@dataclass(frozen=True)
class Environment:
    """A folder of Python packages."""

    name: str
    folder: Path
    lock: Path
    #: Versions of Python that its packages were published for, the one that it is meant for first. Empty: any.
    pythons: tuple[tuple[int, int], ...] = ()
    #: The environment that this one adds packages to.
    base: Environment | None = None
    #: Packages that are installed after those of the lock file, without hashes.
    unlocked: tuple[str, ...] = ()

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.folder / BIN / EXECUTABLE

    def install(self) -> None:
        """Make the environment, with the project itself installed for editing, unless that is what is there."""
        made_with = find_python(self.pythons)
        record = stamped(self.folder / ".locked", *self._inputs(made_with))
        if record is None:
            return
        meant = text(self.pythons[0]) if self.pythons else made_with.version
        instead = "" if made_with.version.startswith(meant) else f" in place of {meant}, which is not to be had"
        say(f"Python packages of {self.folder.name}, on Python {made_with.version}{instead}")
        run(made_with.path, "-m", "venv", "--clear", self.folder)
        pip = (self.python, "-m", "pip", "install", "--disable-pip-version-check", "-qq")
        if self.base:
            self._build_on(self.base)
        run(*pip, "--require-hashes", "-r", self.lock)
        if self.unlocked:
            run(*pip, *self.unlocked)
        if not self.base:
            run(*pip, "--no-deps", "--no-build-isolation", "--editable", ROOT)
        record()

    def _inputs(self, made_with: Python) -> tuple[bytes, ...]:
        own = (self.lock.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), made_with.about.encode())
        return (*own, *map(str.encode, self.unlocked), *(self.base._inputs(made_with) if self.base else ()))

    def _build_on(self, base: Environment) -> None:
        """Let this environment's Python, and its pip, find the packages of another one as well."""
        (self._site_packages() / "base.pth").write_text(f"{base._site_packages()}\n{ROOT / 'src'}\n")

    def _site_packages(self) -> Path:
        ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
        asked = subprocess.run([self.python, "-c", ask], check=True, capture_output=True, text=True)
        return Path(asked.stdout.strip())


MAIN = Environment("main", ROOT / ".venv", ROOT / "requirements.lock")
COLAB = Environment(
    *("colab", ROOT / ".venv-colab", ROOT / "environments/colab.lock"), pythons=((3, 13), (3, 12), (3, 11))
)
LOWEST = Environment(
    *("lowest", ROOT / ".venv-lowest", ROOT / "environments/lowest.lock"), pythons=((3, 10), (3, 11), (3, 12))
)
BACKENDS = Environment(
    *("backends", ROOT / ".venv-backends", ROOT / "environments/backends.lock"), base=MAIN, unlocked=(TORCH,)
)
ENVIRONMENTS = (MAIN, COLAB, LOWEST, BACKENDS)
