"""The Python environments of the tests, each from its lock file.

``.venv`` has the newest of everything and is what you work in. The others show that the package also works with what
Colab has, with the lowest versions that pyproject.toml allows, on Keras's other back ends, and with Keras-hub's models.

``python -m tools.environments colab`` makes one of them; the main one has to be there, because uv is in it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.pythons import Python, find_python, text
from tools.shell import ROOT, SetupError, run, say, stamped

BIN, EXECUTABLE = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")

#: Not in a lock file: which build of a version pip gets, for CPU or GPU, depends on the index, and so do its hashes.
TORCH = "torch==2.13.0"


@dataclass(frozen=True)
class Environment:
    """A folder of Python packages."""

    name: str
    folder: Path
    lock: Path
    #: Versions of Python for which its packages were published, the intended one first. Empty: any.
    pythons: tuple[tuple[int, int], ...] = ()
    #: The environment that this one adds packages to.
    base: Environment | None = None
    #: Packages that pip installs after those of the lock file, without hashes.
    unlocked: tuple[str, ...] = ()

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.folder / BIN / EXECUTABLE

    def install(self) -> None:
        """Make the environment, with the project installed for editing, unless it is there as the lock file says."""
        made_with = find_python(self.pythons)
        record = stamped(self.folder / ".locked", *self._inputs(made_with))
        if record is None:
            return
        meant = text(self.pythons[0]) if self.pythons else made_with.version
        instead = "" if made_with.version.startswith(meant) else f" in place of {meant}, which was not found"
        say(f"Python packages of {self.folder.name}, on Python {made_with.version}{instead}")
        if self == MAIN:
            run(made_with.path, "-m", "venv", "--clear", self.folder)
            self._install_uv()
        else:
            uv("venv", "--clear", "--no-project", "--python", made_with.path, self.folder)
        if self.base:
            self._build_on(self.base)
        uv("pip", "sync", "--python", self.python, "--require-hashes", self.lock)
        if self.unlocked:
            # By pip, which takes from its own settings where to find them.
            run(MAIN.python, "-m", "pip", "--python", self.python, "install", "-qq", *self.unlocked)
        if not self.base:
            uv("pip", "install", "--python", self.python, "--no-deps", "--no-build-isolation", "--editable", ROOT)
        record()

    def _install_uv(self) -> None:
        """Let pip install the uv that the lock file names; uv then installs the rest."""
        with tempfile.TemporaryDirectory() as folder:
            requirement = Path(folder, "uv.txt")
            requirement.write_text(locked("uv", self.lock.read_text("utf-8")), "utf-8")
            run(self.python, "-m", "pip", "install", "-qq", "--require-hashes", "-r", requirement)

    def _inputs(self, made_with: Python) -> tuple[bytes, ...]:
        own = (self.lock.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), made_with.about.encode())
        return (*own, *map(str.encode, self.unlocked), *(self.base._inputs(made_with) if self.base else ()))

    def _build_on(self, base: Environment) -> None:
        """Let this environment's Python, and pip, find the packages of another one as well."""
        (self._site_packages() / "base.pth").write_text(f"{base._site_packages()}\n{ROOT / 'src'}\n")

    def _site_packages(self) -> Path:
        ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
        asked = subprocess.run([self.python, "-c", ask], check=True, capture_output=True, text=True)
        return Path(asked.stdout.strip())


def uv(*arguments: str | Path) -> None:
    """Run the main environment's uv; raise if it fails."""
    run(MAIN.python, "-m", "uv", "--quiet", *arguments)


def locked(package: str, lock: str) -> str:
    """Return a package's entry in the text of a lock file: its version and hashes."""
    if found := re.search(rf"^{re.escape(package)}==(?:.*\\\n)*.*\n", lock, re.MULTILINE):
        return found[0]
    raise SetupError(f"The lock file names no {package}: `python3 dev.py lock` writes it anew.")


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
KERAS_HUB = Environment("keras-hub", ROOT / ".venv-keras-hub", ROOT / "environments/keras_hub.lock", base=MAIN)
ENVIRONMENTS = (MAIN, COLAB, LOWEST, BACKENDS, KERAS_HUB)


def main(name: str) -> int:
    """Make one of the environments; the exit status is 0 where it is there."""
    (environment,) = (place for place in ENVIRONMENTS if place.name == name)
    try:
        environment.install()
    except SetupError as problem:
        print(problem)
        return 1
    except subprocess.CalledProcessError as problem:
        print(f"{' '.join(map(str, problem.cmd))} failed with status {problem.returncode}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
