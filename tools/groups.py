"""The groups of checks: what each runs, in which environment, and which of them a command runs."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.environments import BACKEND, LIBRARIES, WIDGETS, files
from tools.environments import BACKENDS, COLAB, KERAS_HUB, LOWEST, MAIN, Environment
from tools.front_end import npm
from tools.scheduler import Job, Result, run_jobs
from tools.shell import say

PACKAGING = ("tests/test_wheel.py", "tests/test_readme.py")
EXAMPLES = "tests/test_examples.py"
OF_KERAS_HUB = "tests/test_keras_hub.py"
HOSTS = "tests/browser/test_hosts.py"
JUPYTERLAB = "tests/browser/test_jupyterlab.py"
DOCUMENTATION = "tests/browser/test_documentation.py"
SOAK = "tests/browser/test_soak.py"

#: Variable that names the file in which a group records how its checks in hosts ended.
HOST_OUTCOMES = "CONVLENS_HOST_OUTCOMES"

#: Variable that says how large the sweeps are (tests/sweep_size.py).
SWEEPS = "CONVLENS_SWEEPS"

#: Variable that says how many minutes the soak takes.
SOAK_MINUTES = "CONVLENS_SOAK_MINUTES"

#: Groups run side by side, so that one process with a thread of each kind keeps a core busy. Those with a browser leave
#: half of theirs: page, server and Python wait for each other.
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1"}

#: Compiled modules are kept where the machine asks for none, as images of containers do: a hundred interpreters import
#: Keras, which takes each of them three times as long without.
KEEP_COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}

TABLE = "table-of-hosts"

#: Seconds that a group may take: what hangs is stopped, and reports where, while the other groups go on.
LIMIT = 60 * 60.0


@dataclass(frozen=True)
class Group:
    """Checks that one command runs."""

    name: str
    command: tuple[str | Path, ...]
    environment: Environment = MAIN
    variables: Mapping[str, str] = field(default_factory=dict)
    needs_browser: bool = False
    #: Whether it fills columns of the table of hosts.
    fills_table: bool = False
    #: Further environments that its tests look into.
    beside: tuple[Environment, ...] = ()
    #: Seconds that it may take.
    limit: float | None = LIMIT

    @property
    def made(self) -> list[Environment]:
        """The environments that have to be made for it, besides the main one."""
        return [place for place in (self.environment, *self.beside) if place != MAIN]

    def job(self, records: Path) -> Job:
        """Return what the scheduler runs.

        Parameters
        ----------
        records
            The folder in which the group records how its checks in hosts ended, if it has any.
        """
        record = {HOST_OUTCOMES: str(records / f"{self.name}.json")} if self.fills_table else {}
        needs = tuple(map(set_up_of, self.made))
        variables = ONE_THREAD | KEEP_COMPILED | dict(self.variables) | record
        return Job(self.name, self.command, variables, needs, limit=self.limit, waits=self.needs_browser)


def pytest(environment: Environment, *arguments: str) -> tuple[str | Path, ...]:
    """Return the command of a group of Python tests; the cache of pytest is for one run at a time."""
    return (environment.python, "-m", "pytest", "-p", "no:cacheprovider", "--durations=10", *arguments)


def elsewhere(name: str, environment: Environment, *markers: str, backend: str = "tensorflow") -> Group:
    """Return the group of the tests whose results may differ between an environment and the main one."""
    command = pytest(environment, "-m", " or ".join(markers), *files(*markers))
    return Group(name, command, environment, {"KERAS_BACKEND": backend, SWEEPS: "tenth"})


def in_jupyterlab(name: str, environment: Environment) -> Group:
    """Return the group of what is checked in JupyterLab in an environment other than the main one."""
    command = pytest(environment, HOSTS, JUPYTERLAB, "-k", "jupyterlab")
    return Group(name, command, environment, needs_browser=True, fills_table=True)


def groups() -> list[Group]:
    """Return the groups of the test command: those that end soon, then the others with the longest first.

    With the longest first, the cores are busy to the end.
    """
    own = tuple(f"--ignore={path}" for path in (*PACKAGING, EXAMPLES, OF_KERAS_HUB))
    return [
        *static_checks(),
        Group("front-end", (npm(), "test")),
        Group(
            "browser",
            pytest(MAIN, "-m", "browser", f"--ignore={HOSTS}", f"--ignore={DOCUMENTATION}", f"--ignore={SOAK}"),
            needs_browser=True,
        ),
        Group("python", pytest(MAIN, "-m", "not browser", *own)),
        Group("hosts", pytest(MAIN, HOSTS), needs_browser=True, fills_table=True),
        elsewhere("jax", BACKENDS, BACKEND, backend="jax"),
        Group("examples", pytest(MAIN, EXAMPLES)),
        elsewhere("lowest", LOWEST, BACKEND, WIDGETS, LIBRARIES),
        elsewhere("colab", COLAB, WIDGETS, LIBRARIES),
        Group("documentation", pytest(MAIN, DOCUMENTATION), needs_browser=True),
        Group("packaging", pytest(MAIN, *PACKAGING), beside=(LOWEST, COLAB)),
        in_jupyterlab("lowest-jupyterlab", LOWEST),
        in_jupyterlab("colab-jupyterlab", COLAB),
        elsewhere("torch", BACKENDS, BACKEND, backend="torch"),
        Group("keras-hub", pytest(KERAS_HUB, OF_KERAS_HUB), KERAS_HUB),
    ]


def on_request() -> list[Group]:
    """Return the groups that are run only if they are named."""
    minutes = os.environ.get(SOAK_MINUTES, "20")
    return [Group("soak", pytest(MAIN, SOAK, "-s"), variables={SOAK_MINUTES: minutes}, needs_browser=True, limit=None)]


def static_checks() -> list[Group]:
    """Return the checks that run nothing of the package."""
    return [
        Group("lint", (MAIN.python, "-m", "ruff", "check", ".")),
        Group("format", (MAIN.python, "-m", "ruff", "format", "--check", ".")),
        Group("front-end-check", (npm(), "run", "check")),
        Group("types", (MAIN.python, "-m", "mypy")),
    ]


def quick_groups() -> list[Group]:
    """Return the groups of the check command: the Python tests that are not marked slow, with sweeps of a tenth.

    The Python tests are the last to end, and take both cores then.
    """
    core = pytest(MAIN, "-m", "not browser and not slow and not keras_hub", "-n", "2", "--dist", "loadfile")
    return [
        *static_checks(),
        Group("front-end", (npm(), "test")),
        Group("python-core", core, variables={SWEEPS: "tenth"}),
    ]


def set_up_of(environment: Environment) -> str:
    """Return the name of the job that makes an environment."""
    return f"set-up-{environment.name}"


def jobs(chosen: Sequence[Group], records: Path) -> list[Job]:
    """Return the groups as jobs, each environment made before the first group that needs it.

    Parameters
    ----------
    chosen
        The groups, in the order in which they start.
    records
        The folder in which groups record how their checks in hosts ended.
    """
    listed: list[Job] = []
    for group in chosen:
        for place in group.made:
            name = set_up_of(place)
            if name not in [job.name for job in listed]:
                listed.append(Job(name, (sys.executable, "-m", "tools.environments", place.name)))
        listed.append(group.job(records))
    if filling := tuple(group.name for group in chosen if group.fills_table):
        show: tuple[str | Path, ...] = (MAIN.python, "-m", "tests.browser.host_table", records, *filling)
        listed.append(Job(TABLE, show, after=filling))
    return listed


def run_groups(chosen: Sequence[Group], of: Sequence[Group] | None = None) -> int:
    """Run groups side by side, whatever becomes of one; list at the end how each ended and return the exit status.

    Parameters
    ----------
    chosen
        What to run.
    of
        All groups that the command has; those that were not chosen are named.
    """
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="convlens-hosts-") as folder:
        results = run_jobs(jobs(chosen, Path(folder)))
    left_out = [group.name for group in of or () if group not in chosen]
    asked_for = [group.name for group in on_request() if group not in chosen] if of else []
    say(
        f"{len(chosen)} groups were run"
        + (f"; not asked for: {', '.join(left_out)}" if left_out else "")
        + (f"; on request: {', '.join(asked_for)}" if asked_for else "")
    )
    return tell(results, time.monotonic() - start)


def tell(results: Sequence[Result], seconds: float) -> int:
    """Print how each job ended and the total time; the exit status is 0 if there were jobs and all passed."""
    for result in results:
        how = "passed" if result.passed else "FAILED"
        print(f"{how}  {result.name:<18} {result.seconds:7.1f} s" + (f"  ({result.not_run})" if result.not_run else ""))
    print(f"{'':6}  {'side by side':<18} {seconds:7.1f} s", flush=True)
    return 0 if results and all(result.passed for result in results) else 1
