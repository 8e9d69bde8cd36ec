"""The groups of the test command: what each runs, where, and how it ended."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tools.environments import BACKENDS, COLAB, LOWEST, MAIN, Environment
from tools.front_end import npm
from tools.shell import ROOT, SetupError, say

PACKAGING = ("tests/test_wheel.py", "tests/test_readme.py")
HOSTS = "tests/browser/test_hosts.py"

#: Variable that names the file in which a group records how its checks in hosts ended.
HOST_OUTCOMES = "CONVLENS_HOST_OUTCOMES"

#: Two processes, each with one of two cores: TensorFlow's own threads gain less than a second process does.
TWO_PROCESSES = ("-n", "2", "--dist", "loadfile")
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Group:
    """One runner of the test command."""

    name: str
    command: tuple[str | Path, ...]
    environment: Environment = MAIN
    variables: Mapping[str, str] = field(default_factory=dict)
    needs_browser: bool = False
    #: Whether it fills columns of the table of hosts.
    fills_table: bool = False

    def run(self, folder: Path) -> int:
        """Run it to its end and return its exit status.

        Parameters
        ----------
        folder
            Where it records how its checks in hosts ended, if it has any.
        """
        record = {HOST_OUTCOMES: str(folder / f"{self.name}.json")} if self.fills_table else {}
        status = self._run(record, *self.command)
        if status == 1 and self.needs_browser:
            # A browser on a busy machine misses a deadline now and then; what fails again is broken.
            say(f"{self.name}: once more, what failed")
            status = self._run(record, *self.command, "--last-failed", "--last-failed-no-failures", "none")
        return status

    def _run(self, record: Mapping[str, str], *command: str | Path) -> int:
        environment = {**os.environ, **self.variables, **record}
        return subprocess.run([str(part) for part in command], cwd=ROOT, env=environment, check=False).returncode


def suite(name: str, environment: Environment, backend: str = "tensorflow") -> Group:
    """Return the group of all tests that need Keras and no browser."""
    command = (environment.python, "-m", "pytest", "-m", "not browser", *TWO_PROCESSES)
    without = tuple(f"--ignore={path}" for path in PACKAGING)
    return Group(name, (*command, *without), environment, {"KERAS_BACKEND": backend} | ONE_THREAD)


def in_jupyterlab(name: str, environment: Environment) -> Group:
    """Return the group of what is checked in JupyterLab in an environment other than the main one."""
    command = (environment.python, "-m", "pytest", HOSTS, "tests/browser/test_jupyterlab.py", "-k", "jupyterlab")
    return Group(name, command, environment, needs_browser=True, fills_table=True)


def groups() -> list[Group]:
    """Return every group of checks, quickest first, and those of other environments after those of the main one."""
    pytest = (MAIN.python, "-m", "pytest")
    return [
        Group("lint", (MAIN.python, "-m", "ruff", "check", ".")),
        Group("format", (MAIN.python, "-m", "ruff", "format", "--check", ".")),
        Group("types", (MAIN.python, "-m", "mypy")),
        Group("front-end-check", (npm(), "run", "check")),
        Group("front-end", (npm(), "test")),
        suite("python", MAIN),
        Group("browser", (*pytest, "-m", "browser", f"--ignore={HOSTS}"), needs_browser=True),
        Group("hosts", (*pytest, HOSTS), needs_browser=True, fills_table=True),
        Group("packaging", (*pytest, *PACKAGING)),
        suite("colab", COLAB),
        in_jupyterlab("colab-jupyterlab", COLAB),
        suite("lowest", LOWEST),
        in_jupyterlab("lowest-jupyterlab", LOWEST),
        suite("jax", BACKENDS, "jax"),
        suite("torch", BACKENDS, "torch"),
    ]


@dataclass(frozen=True)
class Result:
    """How a group, or the set-up of an environment, ended."""

    name: str
    passed: bool
    seconds: float


def timed(name: str, do: Callable[[], int | None]) -> Result:
    """Do something that returns a status, or nothing, and see whether it passed; print why a set-up did not."""
    start = time.monotonic()
    try:
        passed = not do()
    except SetupError as problem:
        print(problem, flush=True)
        passed = False
    except subprocess.CalledProcessError as problem:
        print(f"{' '.join(problem.cmd)} failed with status {problem.returncode}", flush=True)
        passed = False
    return Result(name, passed, time.monotonic() - start)


def print_table(folder: Path, filling: Sequence[str]) -> int:
    """Print how the checks ended in every host, of these groups; the exit status is 0 where all of theirs passed."""
    command = [str(MAIN.python), "-m", "tests.browser.host_table", str(folder), *filling]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def run_groups(chosen: Sequence[Group]) -> int:
    """Run each group to its end, whatever became of those before it; return the exit status."""
    results: list[Result] = []
    set_up: dict[str, Result] = {}
    with tempfile.TemporaryDirectory(prefix="convlens-hosts-") as name:
        folder = Path(name)
        for group in chosen:
            place = group.environment
            if place is not MAIN and place.name not in set_up:
                set_up[place.name] = timed(f"{place.name} set-up", place.install)
                results.append(set_up[place.name])
            say(group.name)
            if place is MAIN or set_up[place.name].passed:
                results.append(timed(group.name, partial(group.run, folder)))
            else:
                print(f"It cannot run: the environment {place.name} could not be set up.")
                results.append(Result(group.name, passed=False, seconds=0))
        if filling := [group.name for group in chosen if group.fills_table]:
            say("Hosts and checks of this run")
            results.append(timed("table of hosts", lambda: print_table(folder, filling)))
    left_out = [group.name for group in groups() if group not in chosen]
    say(f"{len(chosen)} groups were run" + (f"; not asked for: {', '.join(left_out)}" if left_out else ""))
    for result in results:
        print(f"{'passed' if result.passed else 'FAILED'}  {result.name:<18} {result.seconds:6.1f} s")
    print(f"{'':6}  {'all':<18} {sum(result.seconds for result in results):6.1f} s", flush=True)
    return 0 if all(result.passed for result in results) else 1
