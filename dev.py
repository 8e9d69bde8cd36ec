"""The project's own commands, from a bare machine: ``python3 dev.py lab`` and ``python3 dev.py test``.

Needs Python 3.10 or newer and Node.js 20 or newer with npm. Everything else goes into ``.venv`` and ``node_modules``
beside this file, from the lock files; nothing is registered outside.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
PYTHON_LOCK = ROOT / "requirements.lock"
NODE_LOCK = ROOT / "package-lock.json"
HOST_BUNDLES = ROOT / "tests/browser/hosts/bundles.json"
TUTORIAL = ROOT / "examples" / "tutorial.ipynb"

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


class SetupError(Exception):
    """Something that the user has to mend; its text says how."""


def say(text: str) -> None:
    """Print a heading at once, also where the output is a file or a pipe."""
    print(f"\n== {text}", flush=True)


def run(*command: str | Path, **environment: str) -> None:
    """Run a command in the project's folder with its output going straight through; raise if it fails."""
    subprocess.run([str(part) for part in command], cwd=ROOT, check=True, env=os.environ | environment)


# -- setting up ------------------------------------------------------------------------------------------------------


def npm() -> str:
    """Return the path of npm, after a look at Node's version."""
    node, found = shutil.which("node"), shutil.which("npm")
    if node is None or found is None:
        raise SetupError("Node.js 20 or newer with npm is needed on PATH; it builds the browser's side.")
    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < 20:
        raise SetupError(f"Node.js 20 or newer is needed; {node} is {version}.")
    return found


def stamped(stamp: Path, *inputs: bytes) -> Callable[[], None] | None:
    """Return what records that `stamp`'s folder was made from `inputs`, or None where that is already recorded."""
    digest = hashlib.sha256(b"\0".join(inputs)).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return None
    return lambda: void(stamp.write_text(digest))


def void(_: object) -> None:
    """Turn an expression into a statement."""


def install_node_packages() -> None:
    """Install what package-lock.json names, unless that is what is there."""
    if record := stamped(ROOT / "node_modules/.locked", NODE_LOCK.read_bytes()):
        say("Node packages")
        run(npm(), "ci")
        record()


def build() -> None:
    """Build the front-end bundle into the package."""
    install_node_packages()
    say("Front-end bundle")
    run(npm(), "run", "build")


def install_python_packages() -> None:
    """Make ``.venv`` from the lock file, with the project itself installed for editing."""
    inputs = (PYTHON_LOCK.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), sys.version.encode())
    record = stamped(VENV / ".locked", *inputs)
    if record is None:
        return
    say("Python packages (a minute or more, TensorFlow is large)")
    run(sys.executable, "-m", "venv", "--clear", VENV)
    pip = (PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "-qq")
    run(*pip, "--require-hashes", "-r", PYTHON_LOCK)
    run(*pip, "--no-deps", "--no-build-isolation", "--editable", ROOT)
    record()


def set_up() -> None:
    """Bring the environments and the bundle up to date."""
    if sys.version_info < (3, 10):  # noqa: UP036 (this file runs before anything has checked)
        raise SetupError(f"Python 3.10 or newer is needed; this is {platform.python_version()}.")
    build()
    install_python_packages()


def install_host_bundles() -> None:
    """Unpack the front ends of hosts that the browser tests load, as published, without the packages they came from."""
    folder = ROOT / "node_modules/.hosts"
    record = stamped(folder / ".locked", HOST_BUNDLES.read_bytes())
    if record is None:
        return
    say("Front ends of hosts")
    shutil.rmtree(folder, ignore_errors=True)
    for name, bundle in json.loads(HOST_BUNDLES.read_text()).items():
        with tempfile.TemporaryDirectory() as packed:
            run(npm(), "pack", "--silent", f"{name}@{bundle['version']}", "--pack-destination", packed)
            (archive,) = Path(packed).iterdir()
            digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
            if bundle["integrity"] != f"sha512-{digest}":
                raise SetupError(f"{name} {bundle['version']} is not what {HOST_BUNDLES.name} says: sha512-{digest}.")
            with tarfile.open(archive) as contents:
                contents.extractall(packed, filter="data")
            shutil.move(Path(packed, "package"), folder / name)
    record()


def find_chromium() -> str | None:
    """Return the path of an installed Chromium or Chrome, or None."""
    for name in CHROMIUM_NAMES:
        if found := shutil.which(name):
            return found
    return str(CHROMIUM_MAC) if CHROMIUM_MAC.exists() else None


def ensure_chromium() -> None:
    """Install Debian's Chromium where there is no browser and that may be done; say what to install elsewhere."""
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


# -- commands --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Group:
    """One runner of the test command."""

    name: str
    command: tuple[str | Path, ...]
    needs_browser: bool = False
    #: Run only when it is asked for by name.
    on_request: bool = False


def groups() -> list[Group]:
    """Return every group of checks, quickest first."""
    pytest = (PYTHON, "-m", "pytest")
    packaging = ("tests/test_wheel.py", "tests/test_readme.py")
    hosts = "tests/browser/test_hosts.py"
    return [
        Group("lint", (PYTHON, "-m", "ruff", "check", ".")),
        Group("format", (PYTHON, "-m", "ruff", "format", "--check", ".")),
        Group("types", (PYTHON, "-m", "mypy")),
        Group("front-end-check", (npm(), "run", "check")),
        Group("front-end", (npm(), "test")),
        Group("python", (*pytest, "-m", "not browser", *(f"--ignore={path}" for path in packaging))),
        Group("browser", (*pytest, "-m", "browser", f"--ignore={hosts}"), needs_browser=True),
        Group("packaging", (*pytest, *packaging)),
        Group("hosts", (*pytest, hosts), needs_browser=True, on_request=True),
    ]


def test(only: Sequence[str]) -> int:
    """Run the groups, all but those on request unless told otherwise, and list how each ended."""
    chosen = [group for group in groups() if group.name in only or not (only or group.on_request)]
    set_up()
    if any(group.needs_browser for group in chosen):
        ensure_chromium()
    if any(group.name == "hosts" for group in chosen):
        install_host_bundles()
    return run_groups(chosen)


def run_groups(chosen: Sequence[Group]) -> int:
    """Run each group to its end, whatever became of those before it; return the exit status."""
    results: list[tuple[str, int, float]] = []
    for group in chosen:
        say(group.name)
        start = time.monotonic()
        status = subprocess.run([str(part) for part in group.command], cwd=ROOT, check=False).returncode
        if status == 1 and group.needs_browser:
            # A browser on a busy machine misses a deadline now and then; what fails again is broken.
            say(f"{group.name}: once more, what failed")
            again = (*group.command, "--last-failed", "--last-failed-no-failures", "none")
            status = subprocess.run([str(part) for part in again], cwd=ROOT, check=False).returncode
        results.append((group.name, status, time.monotonic() - start))
    left_out = [group.name for group in groups() if group not in chosen]
    say(f"{len(results)} groups were run" + (f"; not asked for: {', '.join(left_out)}" if left_out else ""))
    for name, status, seconds in results:
        print(f"{'passed' if status == 0 else 'FAILED'}  {name:<16} {seconds:6.1f} s")
    sys.stdout.flush()
    return 1 if any(status for _, status, _ in results) else 0


def lint() -> int:
    """Mend what formatters and linters can mend, then run the checks that need no test."""
    set_up()
    run(PYTHON, "-m", "ruff", "format", ".")
    subprocess.run([str(PYTHON), "-m", "ruff", "check", "--fix", "--quiet", "."], cwd=ROOT, check=False)
    subprocess.run([npm(), "run", "fix"], cwd=ROOT, check=False)
    return run_groups([group for group in groups() if group.name in ("lint", "format", "types", "front-end-check")])


def lab(options: Sequence[str]) -> int:
    """Open JupyterLab on the tutorial; on a machine without a screen its address is what is printed."""
    set_up()
    screen = os.name == "nt" or sys.platform == "darwin" or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
    command = [str(PYTHON), "-m", "jupyterlab", "--ip=127.0.0.1", f"--ServerApp.root_dir={TUTORIAL.parent}"]
    # The address that is printed is the default one, not that of a file given as an argument.
    command += [f"--LabApp.default_url=/lab/tree/{TUTORIAL.name}"]
    command += [] if screen else ["--no-browser"]
    command += ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    say("JupyterLab (Ctrl+C stops it)")
    try:
        return subprocess.run([*command, *options], cwd=ROOT, check=False).returncode
    except KeyboardInterrupt:
        return 0


def lock() -> None:
    """Resolve the dependencies anew within pyproject.toml and package.json and write both lock files."""
    set_up()
    say("Python lock")
    run(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv")
    run(
        *(PYTHON, "-m", "uv", "pip", "compile", "pyproject.toml", "--group", "dev", "--quiet", "--upgrade"),
        *("--universal", "--python-version", "3.10", "--generate-hashes"),
        *("--no-header", "--no-emit-index-url", "--no-emit-find-links", "--output-file", PYTHON_LOCK.name),
    )
    say("Node lock")
    run(npm(), "install", "--package-lock-only")
    tree = json.loads(NODE_LOCK.read_text())
    tree["packages"] = tidy_node_lock(tree["packages"])
    NODE_LOCK.write_text(json.dumps(tree, indent=2) + "\n")


def tidy_node_lock(packages: dict[str, Any]) -> dict[str, Any]:
    """Leave out every address, and name each platform's build of a package even where the registry lacks it.

    A registry mirror may hold the builds of its own platforms only. ``npm ci`` refuses a lock file that does not name
    them all, and does not fetch those of other platforms.
    """
    packages = {path: dict(entry) for path, entry in packages.items()}
    for path, entry in list(packages.items()):
        entry.pop("resolved", None)
        entry.pop("funding", None)
        for name, version in entry.get("optionalDependencies", {}).items():
            platform_build = re.search(r"-(android|darwin|freebsd|linux|win32)-([a-z0-9]+)(?:-(musl|gnu))?$", name)
            if path and platform_build and f"node_modules/{name}" not in packages:
                system, cpu, libc = platform_build.groups()
                packages[f"node_modules/{name}"] = {
                    "version": version,
                    "cpu": [cpu],
                    **({"dev": True} if entry.get("dev") else {}),
                    **({"libc": ["glibc" if libc == "gnu" else libc]} if libc else {}),
                    "optional": True,
                    "os": [system],
                }
    return dict(sorted(packages.items()))


def main() -> int:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="dev.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser("lab", help="set everything up and open JupyterLab on the tutorial; more options go to it")
    tests = commands.add_parser("test", help="set everything up and run every test")
    tests.add_argument("--only", action="append", default=[], metavar="GROUP", help="run this group; may be repeated")
    commands.add_parser("lint", help="format, mend, and check both languages")
    commands.add_parser("build", help="build the front-end bundle")
    commands.add_parser("lock", help="write the lock files anew")
    commands.add_parser("bench", help="measure in a real JupyterLab and write docs/benchmarks.md")
    commands.add_parser("screenshots", help="make the documentation's pictures anew")
    arguments, rest = parser.parse_known_args()
    if rest and arguments.command != "lab":
        parser.error(f"unknown options: {' '.join(rest)}")
    if arguments.command == "test":
        names = [group.name for group in groups()]
        if unknown := set(arguments.only) - set(names):
            parser.error(f"no group {', '.join(sorted(unknown))}; there are {', '.join(names)}")
        return test(arguments.only)
    if arguments.command == "lint":
        return lint()
    if arguments.command == "lab":
        return lab(rest)
    if arguments.command == "build":
        build()
    elif arguments.command == "lock":
        lock()
    else:
        set_up()
        ensure_chromium()
        script = {"bench": "benchmarks", "screenshots": "docs.screenshots"}[arguments.command]
        run(PYTHON, "-m", script, PYTHONPATH=str(ROOT))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SetupError as problem:
        sys.exit(f"dev.py: {problem}")
    except subprocess.CalledProcessError as problem:
        sys.exit(f"dev.py: {' '.join(problem.cmd)} failed with status {problem.returncode}")
