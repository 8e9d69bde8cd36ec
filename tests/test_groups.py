"""What the test command says of its groups at its end."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools import groups
from tools.environments import MAIN, Environment
from tools.groups import Group, run_groups
from tools.pythons import find_python
from tools.shell import SetupError


def program(name: str, code: str, environment: Environment = MAIN) -> Group:
    return Group(name, (sys.executable, "-c", code), environment)


def said(capfd: pytest.CaptureFixture[str]) -> list[list[str]]:
    """Return the words of the closing list, but for the times."""
    lines = capfd.readouterr().out.splitlines()
    return [line.split()[:-2] for line in lines if line.startswith(("passed", "FAILED"))]


def test_what_failed_is_said_and_the_groups_after_it_are_run(capfd: pytest.CaptureFixture[str]) -> None:
    chosen = [program("one", "raise SystemExit(3)"), program("two", "print('here')")]
    assert run_groups(chosen) == 1
    assert said(capfd) == [["FAILED", "one"], ["passed", "two"]]
    assert run_groups(chosen[1:]) == 0


def test_a_group_whose_environment_cannot_be_made_has_failed(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    no_lock = Environment("broken", tmp_path / "folder", tmp_path / "broken.lock", pythons=((2, 0),))
    assert run_groups([program("one", "", no_lock), program("two", "", no_lock), program("three", "")]) == 1
    assert said(capfd) == [["FAILED", "broken", "set-up"], ["FAILED", "one"], ["FAILED", "two"], ["passed", "three"]]


def test_groups_that_were_not_asked_for_are_named(capfd: pytest.CaptureFixture[str]) -> None:
    left_out = [group.name for group in groups.groups()]
    run_groups([])
    assert f"not asked for: {', '.join(left_out)}" in capfd.readouterr().out


def test_every_suite_runs_all_tests_that_need_no_browser() -> None:
    suites = {group.name: group for group in groups.groups() if "not browser" in group.command}
    assert set(suites) == {"python", "colab", "lowest", "jax", "torch"}
    assert len({group.command[1:] for group in suites.values()}) == 1
    backends = {name: group.variables["KERAS_BACKEND"] for name, group in suites.items()}
    assert {name: backend for name, backend in backends.items() if backend != "tensorflow"} == {
        "jax": "jax",
        "torch": "torch",
    }


def test_the_running_python_is_found_and_a_missing_one_is_named_with_what_may_stand_in() -> None:
    assert find_python([sys.version_info[:2]]).version == sys.version.split()[0]
    with pytest.raises(SetupError, match=r"one of 2\.0, 1\.5"):
        find_python([(2, 0), (1, 5)])
