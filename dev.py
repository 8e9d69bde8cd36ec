"""The project's own commands, starting from a bare machine: ``python3 dev.py lab`` and ``python3 dev.py test``.

Needs Python 3.10 or newer and Node.js 20 or newer with npm. Everything else goes into ``.venv`` (and, for the tests,
into others like it) and ``node_modules`` beside this file, from the lock files; nothing is installed elsewhere.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Sequence

from tools import shell
from tools.chromium import ensure_chromium
from tools.documentation import SITE, build_site
from tools.environments import MAIN
from tools.front_end import build, install_benchmark_bundles, install_host_bundles, npm
from tools.groups import Group, groups, on_request, quick_groups, run_groups, static_checks
from tools.locks import lock_node, lock_python
from tools.shell import ROOT, SetupError, say

TUTORIAL = ROOT / "examples" / "tutorial.ipynb"


def set_up() -> None:
    """Bring the main environment and the bundle up to date."""
    if sys.version_info < (3, 10):  # noqa: UP036 (this file runs before anything has checked)
        raise SetupError(f"Python 3.10 or newer is needed; this is {platform.python_version()}.")
    build()
    MAIN.install()


def run(chosen: Sequence[Group], of: Sequence[Group] = ()) -> int:
    """Set up what these groups need, run them side by side, and list how each ended."""
    set_up()
    if any(group.needs_browser for group in chosen):
        ensure_chromium()
        install_host_bundles()
    return run_groups(chosen, of)


def check() -> int:
    """Run the checks that are quick: all but the slow tests and those that need a browser or another environment."""
    return run(quick_groups())


def test(only: Sequence[str]) -> int:
    """Run the groups: all but those on request, unless told otherwise."""
    every = groups()
    asked_for = [group for group in [*every, *on_request()] if group.name in only]
    return run(asked_for if only else every, every)


def hosts() -> int:
    """Run the checks in every host; where all passed, write their table into docs/hosts.md."""
    status = run([group for group in groups() if group.fills_table])
    if status == 0:
        shell.run(MAIN.python, "-m", "tests.browser.host_table", "--write")
    return status


def lint() -> int:
    """Fix what formatters and linters can fix, then run the checks that need no test."""
    set_up()
    shell.run(MAIN.python, "-m", "ruff", "format", ".")
    subprocess.run([str(MAIN.python), "-m", "ruff", "check", "--fix", "--quiet", "."], cwd=ROOT, check=False)
    subprocess.run([npm(), "run", "fix"], cwd=ROOT, check=False)
    return run_groups(static_checks())


def docs() -> int:
    """Build the documentation's pages; a warning is a failure."""
    set_up()
    say("Documentation")
    status = build_site(python=MAIN.python)
    if status == 0:
        print(f"The pages begin at {SITE / 'index.html'}")
    return status


def lab(options: Sequence[str]) -> int:
    """Open JupyterLab on the tutorial; on a machine without a screen its address is what is printed."""
    set_up()
    screen = os.name == "nt" or sys.platform == "darwin" or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
    command = [str(MAIN.python), "-m", "jupyterlab", "--ip=127.0.0.1", f"--ServerApp.root_dir={TUTORIAL.parent}"]
    # The address that is printed is the default one, not that of a file given as an argument.
    command += [f"--LabApp.default_url=/lab/tree/{TUTORIAL.name}"]
    command += [] if screen else ["--no-browser"]
    command += ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    say("JupyterLab (Ctrl+C stops it)")
    try:
        return subprocess.run([*command, *options], cwd=ROOT, check=False).returncode
    except KeyboardInterrupt:
        return 0


def bench(only: Sequence[str]) -> int:
    """Measure everything, or these rows; the exit status is 0 if each could be measured, whatever the results."""
    set_up()
    ensure_chromium()
    install_benchmark_bundles()
    say("Benchmark")
    command = [str(MAIN.python), "-m", "benchmarks", *(f"--only={row}" for row in only)]
    # With the modules that Python compiles kept, as where a user works.
    own = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}
    return subprocess.run(command, cwd=ROOT, env=os.environ | own, check=False).returncode


def main() -> int:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="dev.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser("lab", help="set everything up and open JupyterLab on the tutorial; more options go to it")
    commands.add_parser("check", help="format, lint, types, front-end tests and the quick Python tests")
    tests = commands.add_parser("test", help="set everything up and run every test")
    tests.add_argument("--only", action="append", default=[], metavar="GROUP", help="run this group; may be repeated")
    commands.add_parser("lint", help="format, mend, and check both languages")
    commands.add_parser("build", help="build the front-end bundle")
    commands.add_parser("hosts", help="run the checks in every host and write their table into docs/hosts.md")
    commands.add_parser("docs", help="build the documentation's pages into build/docs")
    locks = commands.add_parser("lock", help="add to the lock files what is asked for and not there, and nothing else")
    locks.add_argument("--upgrade", action="store_true", help="take the newest version of everything")
    benchmark = commands.add_parser("bench", help="measure in a real JupyterLab and write docs/benchmarks.md")
    benchmark.add_argument("--only", action="append", default=[], metavar="ROW", help="such as P5; may be repeated")
    pictures = commands.add_parser("screenshots", help="make the pictures of the documentation and of the states anew")
    kinds = ["docs", "walkthrough", "states"]
    pictures.add_argument("--only", action="append", default=[], choices=kinds, help="make these alone")
    arguments, rest = parser.parse_known_args()
    if rest and arguments.command != "lab":
        parser.error(f"unknown options: {' '.join(rest)}")
    if arguments.command == "test":
        names = [group.name for group in [*groups(), *on_request()]]
        if unknown := set(arguments.only) - set(names):
            parser.error(f"no group {', '.join(sorted(unknown))}; there are {', '.join(names)}")
        return test(arguments.only)
    if arguments.command == "check":
        return check()
    if arguments.command == "hosts":
        return hosts()
    if arguments.command == "lint":
        return lint()
    if arguments.command == "docs":
        return docs()
    if arguments.command == "lab":
        return lab(rest)
    if arguments.command == "bench":
        return bench(arguments.only)
    if arguments.command == "build":
        build()
    elif arguments.command == "lock":
        set_up()
        lock_python(arguments.upgrade)
        lock_node(arguments.upgrade)
    else:
        set_up()
        ensure_chromium()
        only = [f"--only={kind}" for kind in arguments.only]
        shell.run(MAIN.python, "-m", "docs.screenshots", *only, PYTHONPATH=str(ROOT))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SetupError as problem:
        sys.exit(f"dev.py: {problem}")
    except KeyboardInterrupt:
        sys.exit(130)
    except subprocess.CalledProcessError as problem:
        sys.exit(f"dev.py: {' '.join(map(str, problem.cmd))} failed with status {problem.returncode}")
