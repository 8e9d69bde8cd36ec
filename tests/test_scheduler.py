"""Jobs side by side: as many at once as there are slots, output in one piece, and nothing left running."""

from __future__ import annotations

import itertools
import os
import select
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.deadlines import SECONDS
from tools.scheduler import Interrupts, Job, has_room, run_jobs
from tools.shell import ROOT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="named pipes")


def job(name: str, code: str = "", needs: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> Job:
    return Job(name, (sys.executable, "-c", textwrap.dedent(code)), needs=needs, after=after)


@pytest.fixture
def meeting(tmp_path: Path) -> tuple[str, str]:
    """Two lines of code, each of which ends only when the other one runs: the two ends of a pipe."""
    os.mkfifo(tmp_path / "pipe")
    return f"open({str(tmp_path / 'pipe')!r}, 'r')", f"open({str(tmp_path / 'pipe')!r}, 'w')"


def test_two_jobs_run_at_once(meeting: tuple[str, str]) -> None:
    results = run_jobs([job("one", meeting[0]), job("two", meeting[1])], slots=2)
    assert [(result.name, result.passed) for result in results] == [("one", True), ("two", True)]


def test_no_more_run_at_once_than_there_are_slots(capfd: pytest.CaptureFixture[str]) -> None:
    run_jobs([job(str(number)) for number in range(6)], slots=2)
    lines = [line for line in capfd.readouterr().out.splitlines() if line.startswith("==")]
    assert len(lines) == 12
    running = list(itertools.accumulate(1 if line.endswith("started") else -1 for line in lines))
    assert max(running) == 2 and running[-1] == 0


def test_one_more_runs_beside_them_where_one_of_all_waits_most_of_its_time(tmp_path: Path) -> None:
    first, second = (str(tmp_path / name) for name in ("first", "second"))
    for pipe in (first, second):
        os.mkfifo(pipe)
    # The two that compute end only while the third runs, which stands behind another that has to stand back.
    opened = f"open({first!r}, 'w'); open({second!r}, 'w')"
    third = Job("third", (sys.executable, "-c", opened), waits=True)
    two = [job("one", f"open({first!r})"), job("two", f"open({second!r})")]
    assert all(result.passed for result in run_jobs([*two, job("behind"), third], slots=2))


@pytest.mark.parametrize(
    ("asks", "running", "room"),
    [
        ("computes", ["computes"], True),
        ("computes", ["computes", "computes"], False),
        ("waits", ["computes", "computes"], True),
        ("computes", ["computes", "waits"], True),
        ("computes", ["computes", "computes", "waits"], False),
        ("waits", ["computes", "computes", "waits"], False),
        ("waits", ["waits", "waits"], True),
        ("waits", ["waits", "waits", "waits"], False),
    ],
)
def test_two_cores_have_room_for_two_that_compute_and_three_of_which_one_waits(
    asks: str, running: list[str], room: bool
) -> None:
    of = {"computes": job("computes"), "waits": Job("waits", (), waits=True)}
    assert has_room(of[asks], [of[one] for one in running], slots=2) is room


def test_the_output_of_a_job_is_printed_in_one_piece(
    capfd: pytest.CaptureFixture[str], meeting: tuple[str, str]
) -> None:
    # Each prints before and after both are running, on both channels.
    code = "import sys; print({0!r} * 3, flush=True); {1}; print({0!r} * 4, file=sys.stderr)"
    run_jobs([job("one", code.format("1", meeting[0])), job("two", code.format("2", meeting[1]))], slots=2)
    printed = capfd.readouterr().out
    assert "111\n1111\n" in printed and "222\n2222\n" in printed
    assert printed.index("== one: started") < printed.index("== one: passed") < printed.index("111")


def test_a_job_that_fails_is_told_and_stops_only_those_that_need_it(capfd: pytest.CaptureFixture[str]) -> None:
    jobs = [
        job("broken", "raise SystemExit(3)"),
        job("needs it", "", needs=("broken",)),
        job("needs that", "", needs=("needs it",)),
        job("after it", "", after=("broken", "needs it")),
        job("alone"),
    ]
    results = run_jobs(jobs, slots=1)
    assert [result.passed for result in results] == [False, False, False, True, True]
    assert [result.not_run for result in results] == ["", "broken failed", "needs it failed", "", ""]
    assert "broken: FAILED with status 3" in capfd.readouterr().out


def test_a_job_starts_when_those_it_waits_for_have_ended_and_others_go_first(
    capfd: pytest.CaptureFixture[str],
) -> None:
    jobs = [job("first"), job("second", needs=("first",)), job("third", after=("second",)), job("free")]
    assert all(result.passed for result in run_jobs(jobs, slots=2))
    printed = capfd.readouterr().out
    assert printed.index("first: passed") < printed.index("second: started")
    assert printed.index("second: passed") < printed.index("third: started")
    assert printed.index("free: started") < printed.index("second: started")


def test_a_job_gets_its_variables_and_nothing_to_read() -> None:
    code = "import os, sys; assert os.environ['SIZE'] == 'tenth' and 'PATH' in os.environ and not sys.stdin.read()"
    (result,) = run_jobs([Job("one", (sys.executable, "-c", code), {"SIZE": "tenth"})])
    assert result.passed


def test_a_job_that_hangs_is_stopped_and_has_failed(capfd: pytest.CaptureFixture[str]) -> None:
    hanging = Job("hanging", (sys.executable, "-c", "import signal\nwhile True: signal.pause()"), limit=1)
    results = run_jobs([hanging, job("other"), job("needs it", needs=("hanging",))], slots=1)
    assert [result.passed for result in results] == [False, True, False]
    printed = capfd.readouterr().out
    assert "hanging: takes more than 1 s and is stopped" in printed and "hanging: FAILED" in printed


@pytest.mark.parametrize(
    ("jobs", "message"),
    [
        ([job("one"), job("one")], "two jobs are called 'one'"),
        ([job("one", needs=("two",)), job("two")], r"'one' waits for \['two'\]"),
        ([job("one", after=("one",))], r"'one' waits for \['one'\]"),
    ],
)
def test_jobs_that_could_never_start_are_refused(jobs: list[Job], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run_jobs(jobs)


@pytest.mark.parametrize("ignored", [False, True], ids=["in front", "in the background of a script"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_stop_every_job_and_what_it_started(
    number: signal.Signals, ignored: bool, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # Each job holds the pipe open, as does a process that it started and that does not heed Ctrl+C.
    code = f"""
        import signal, subprocess, sys
        # Written at once: two prints may mix their words and the ends of their lines.
        stubborn = (
            "import os, signal; signal.signal(signal.SIGINT, signal.SIG_IGN); os.write(1, b'here;'); signal.pause()"
        )
        with open({str(pipe)!r}, "w") as held:
            subprocess.Popen([sys.executable, "-c", stubborn], stdout=held)
            signal.pause()
    """
    program = f"""
        import sys
        from tools.scheduler import Job, run_jobs
        command = (sys.executable, "-c", {textwrap.dedent(code)!r})
        run_jobs([Job("one", command), Job("two", command), Job("never", command)], slots=2)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    if ignored:
        command = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *command]
    with (
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
        pipe.open() as started,
    ):
        both = started.read(len("here;here;"))
        process.send_signal(number)  # before anything is asserted: nothing else would end the process
        printed, errors = process.communicate(timeout=SECONDS)
        ready, _, _ = select.select([started], [], [], SECONDS)
        assert ready and started.read() == "", "somebody still holds the pipe"
    assert both == "here;here;"
    assert b"one: stopped" in printed and b"two: stopped" in printed and b"never: started" not in printed
    assert process.returncode != 0 and b"KeyboardInterrupt" in errors


def test_a_signal_that_comes_while_a_job_is_being_started_waits_until_it_can_be_stopped() -> None:
    interrupts = Interrupts()
    done = []
    with pytest.raises(KeyboardInterrupt), interrupts.held():
        interrupts.handle()
        done.append("started")
    assert done == ["started"]
    with interrupts.held():
        done.append("nothing came")
    with pytest.raises(KeyboardInterrupt):
        interrupts.handle()
