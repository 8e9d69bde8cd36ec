"""Commands run side by side: as many at once as keep the cores busy, the output of each printed whole when it ends."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tools.shell import ROOT, say

#: Jobs that each keep a core busy; with more of them than this at once, memory and not the cores is the limit. One more
#: job runs beside them where one of all these waits for most of its time.
SLOTS = min(4, max(2, os.cpu_count() or 2))

#: How long a job that was told to stop may take to stop the processes that it started.
SECONDS_TO_STOP = 15


@dataclass(frozen=True)
class Job:
    """A command, the variables that it gets on top of those of this process, and what has to be done before it."""

    name: str
    command: tuple[str | Path, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    #: Jobs that must have passed.
    needs: tuple[str, ...] = ()
    #: Jobs that must have ended, passed or not.
    after: tuple[str, ...] = ()
    #: Seconds after which it is stopped, and has failed.
    limit: float | None = None
    #: Whether it waits for most of its time, such as for a browser, and leaves about half a core to others.
    waits: bool = False


@dataclass(frozen=True)
class Result:
    """How a job ended."""

    name: str
    passed: bool
    seconds: float
    #: Why it was not run; empty if it was.
    not_run: str = ""


@dataclass
class Running:
    """A job's process, and the file that its output goes to."""

    job: Job
    process: subprocess.Popen[bytes]
    output: IO[bytes]
    start: float

    def stop(self, number: int) -> None:
        """Send a signal to the process and to those that it started."""
        if os.name == "nt":
            self.process.terminate()
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def end(self, deadline: float) -> None:
        """Wait until a deadline for a process that was told to stop, and kill what is left then."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0, deadline - time.monotonic()))
        self.stop(signal.SIGTERM if os.name == "nt" else signal.SIGKILL)

    def text(self) -> str:
        """Return what it has printed so far, and close the file."""
        with self.output:
            self.output.seek(0)
            return self.output.read().decode(errors="replace").strip()


def run_jobs(jobs: Sequence[Job], slots: int = SLOTS) -> list[Result]:
    """Run every job to its end, in this order where they do not have to wait for others.

    Parameters
    ----------
    jobs
        What to run; a job comes after those that it waits for.
    slots
        How many may run at once that do not wait. One more may where one of them waits.

    Returns
    -------
    list of Result
        One for each job, in the order of `jobs`.

    Raises
    ------
    ValueError
        If two jobs have one name, or one waits for a job that does not come before it.
    KeyboardInterrupt
        After Ctrl+C or SIGTERM, when every job that was running has been stopped.
    """
    check_order(jobs)
    waiting, running, results = list(jobs), dict[str, Running](), dict[str, Result]()
    ended: queue.Queue[str] = queue.Queue()
    with interruptible() as interrupts:
        try:
            while waiting or running:
                # A job that does not wait may be held back while a later one that waits still finds room.
                for job in startable(waiting, results):
                    if failed := [name for name in job.needs if not results[name].passed]:
                        results[job.name] = Result(job.name, False, 0, f"{', '.join(failed)} failed")
                        say(f"{job.name}: not run, because {results[job.name].not_run}")
                        break
                    if has_room(job, [one.job for one in running.values()], slots):
                        with interrupts.held():  # a job that has just started is stopped like the others
                            running[job.name] = begin(job, ended)
                        break
                else:
                    name = ended.get()
                    results[name] = conclude(running.pop(name))
                    continue
                waiting.remove(job)
        except BaseException:
            with interrupts.held():
                stop_all(list(running.values()))
            raise
    return [results[job.name] for job in jobs]


def check_order(jobs: Sequence[Job]) -> None:
    """Raise ValueError unless each job comes after those that it waits for, each with a name of its own."""
    before: set[str] = set()
    for job in jobs:
        if job.name in before:
            raise ValueError(f"two jobs are called {job.name!r}")
        if unknown := {*job.needs, *job.after} - before:
            raise ValueError(f"{job.name!r} waits for {sorted(unknown)}, which do not stand before it")
        before.add(job.name)


def startable(waiting: Sequence[Job], results: Mapping[str, Result]) -> list[Job]:
    """Return the jobs that no longer wait for anything."""
    return [job for job in waiting if {*job.needs, *job.after} <= set(results)]


def has_room(job: Job, running: Sequence[Job], slots: int) -> bool:
    """Return whether a job may run beside these."""
    waits = [one.waits for one in (job, *running)]
    return len(waits) <= slots + any(waits) and waits.count(False) <= slots


def begin(job: Job, ended: queue.Queue[str]) -> Running:
    """Start a job, whose name is put into `ended` when its process has ended."""
    say(f"{job.name}: started")
    output = tempfile.TemporaryFile()  # noqa: SIM115 (closed when its text was printed)
    try:
        process = subprocess.Popen(
            [str(part) for part in job.command],
            cwd=ROOT,
            env={**os.environ, **job.variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl+C is for this process, which then stops the job and everything that the job started.
            start_new_session=True,
        )
    except BaseException:
        output.close()
        raise

    running = Running(job, process, output, time.monotonic())

    def wait() -> None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(job.limit)
        if process.returncode is None:
            say(f"{job.name}: takes more than {job.limit:.0f} s and is stopped")
            running.stop(signal.SIGINT)
            running.end(time.monotonic() + SECONDS_TO_STOP)
            process.wait()
        ended.put(job.name)

    threading.Thread(target=wait, daemon=True).start()
    return running


def conclude(done: Running) -> Result:
    """Print all that a job printed, and how it ended."""
    result = Result(done.job.name, done.process.returncode == 0, time.monotonic() - done.start)
    how = "passed" if result.passed else f"FAILED with status {done.process.returncode}"
    say(f"{result.name}: {how} after {result.seconds:.1f} s")
    if text := done.text():
        print(text, flush=True)
    return result


def stop_all(running: Sequence[Running]) -> None:
    """Stop jobs as Ctrl+C does, so that they stop what they started; kill what is left after a while."""
    for one in running:
        one.stop(signal.SIGINT)
    deadline = time.monotonic() + SECONDS_TO_STOP
    for one in running:
        one.end(deadline)
        say(f"{one.job.name}: stopped")
        print(one.text(), flush=True)


class Interrupts:
    """What Ctrl+C and SIGTERM do: raise KeyboardInterrupt, at the end of what must not be left half done."""

    def __init__(self) -> None:
        self._held = False
        self._came = False

    def handle(self, *_: object) -> None:
        """Handle a signal."""
        if not self._held:
            raise KeyboardInterrupt
        self._came = True

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let signals wait for the end of the block."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._came:
            self._came = False
            raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[Interrupts]:
    """Handle Ctrl+C and SIGTERM, where this is the main thread.

    A command in the background of a shell script ignores Ctrl+C, and so would every job, unless there is a handler.
    """
    interrupts = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    before = {number: signal.signal(number, interrupts.handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
