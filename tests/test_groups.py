"""The groups of the test command: what runs where, and how they are reported at the end."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.environments import BACKEND, DEPENDS, MAIN_ONLY, MARKERS, files, markers_of
from tools import groups
from tools.environments import BACKENDS, COLAB, ENVIRONMENTS, LOWEST, MAIN, Environment, locked
from tools.groups import Group, jobs, quick_groups, run_groups
from tools.pythons import find_python
from tools.shell import ROOT, SetupError


def program(name: str, code: str, environment: Environment = MAIN) -> Group:
    return Group(name, (sys.executable, "-c", code), environment)


def said(capfd: pytest.CaptureFixture[str]) -> list[list[str]]:
    """Return the first words of each line of the closing list."""
    lines = capfd.readouterr().out.splitlines()
    return [line.split()[:2] for line in lines if line.startswith(("passed", "FAILED"))]


def test_what_failed_is_said_and_the_other_groups_are_run(capfd: pytest.CaptureFixture[str]) -> None:
    chosen = [program("one", "raise SystemExit(3)"), program("two", "print('here')")]
    assert run_groups(chosen) == 1
    assert said(capfd) == [["FAILED", "one"], ["passed", "two"]]
    assert run_groups(chosen[1:]) == 0


def test_a_group_in_which_no_test_is_collected_has_failed(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "test_nothing.py").write_text("def test_one(): pass\n")
    command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", "/dev/null", "-k", "two", tmp_path)
    assert run_groups([Group("empty", command)]) == 1
    assert said(capfd) == [["FAILED", "empty"]]


def test_a_run_of_no_group_has_failed() -> None:
    assert run_groups([]) == 1


def test_an_environment_is_made_once_and_before_the_groups_that_need_it(tmp_path: Path) -> None:
    chosen = [program("one", ""), program("two", "", COLAB), program("three", "", COLAB), program("four", "", LOWEST)]
    listed = jobs(chosen, tmp_path)
    assert [job.name for job in listed] == ["one", "set-up-colab", "two", "three", "set-up-lowest", "four"]
    assert [job.needs for job in listed] == [(), (), ("set-up-colab",), ("set-up-colab",), (), ("set-up-lowest",)]


def test_a_group_whose_environment_cannot_be_made_has_failed(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    unknown = Environment("unknown", tmp_path / "folder", tmp_path / "unknown.lock")
    assert run_groups([program("one", "", unknown), program("two", "", unknown), program("three", "")]) == 1
    assert said(capfd) == [["FAILED", "set-up-unknown"], ["FAILED", "one"], ["FAILED", "two"], ["passed", "three"]]


def test_groups_that_were_not_asked_for_are_named(capfd: pytest.CaptureFixture[str]) -> None:
    every = [program("one", ""), program("two", ""), program("three", "")]
    assert run_groups(every[1:2], every) == 0
    assert "1 groups were run; not asked for: one, three; on request: soak" in capfd.readouterr().out


def test_the_soak_is_run_on_request_only_and_named_as_such(capfd: pytest.CaptureFixture[str]) -> None:
    (soak,) = groups.on_request()
    assert soak.name == "soak" and soak.name not in [group.name for group in groups.groups()]
    (browser,) = (group for group in groups.groups() if group.name == "browser")
    assert f"--ignore={groups.SOAK}" in browser.command and groups.SOAK in soak.command
    every = [program("one", "")]
    assert run_groups(every, every) == 0
    assert "1 groups were run; on request: soak" in capfd.readouterr().out


def test_on_each_back_end_the_tests_run_that_depend_on_it() -> None:
    suites = {group.name: group for group in groups.groups() if BACKEND in " ".join(map(str, group.command)).split()}
    assert {name: (group.environment, group.variables["KERAS_BACKEND"]) for name, group in suites.items()} == {
        "lowest": (LOWEST, "tensorflow"),
        "jax": (BACKENDS, "jax"),
        "torch": (BACKENDS, "torch"),
    }
    for group in suites.values():
        assert set(files(BACKEND)) <= set(group.command)


def test_every_environment_is_used_and_each_of_its_groups_runs_its_python() -> None:
    used = groups.groups()
    assert {group.environment.name for group in used} == {place.name for place in ENVIRONMENTS}
    for group in used:
        if group.environment is not MAIN:
            assert group.command[0] == group.environment.python


def test_what_a_group_imports_is_compiled_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "imported.py").write_text("")
    assert run_groups([program("one", "import imported")]) == 0
    assert [file.suffix for file in (tmp_path / "__pycache__").iterdir()] == [".pyc"]


def test_groups_with_a_browser_leave_room_for_another(tmp_path: Path) -> None:
    every = groups.groups()
    waiting = {job.name for job in jobs(every, tmp_path) if job.waits}
    assert waiting == {group.name for group in every if group.needs_browser} >= {"browser", "hosts", "documentation"}


def test_what_depends_on_an_environment_is_a_file_of_tests_and_a_known_marker() -> None:
    assert [file for file in DEPENDS if not (ROOT / file).is_file()] == []
    assert {marker for own in DEPENDS.values() for marker in own} == set(MARKERS)
    for test in MAIN_ONLY:
        file, name = test.split("::")
        assert file in DEPENDS and f"def {name}(" in (ROOT / file).read_text()
        assert markers_of(f"{test}[one]") == () != markers_of(f"{file}::test_of_another_name[one]")


def test_every_check_that_is_quick_is_also_in_the_test_command_at_full_size() -> None:
    full = {group.name: group for group in groups.groups()}
    quick = {group.name: group for group in quick_groups()}
    assert set(quick) - set(full) == {"python-core"}
    assert groups.SWEEPS in quick["python-core"].variables
    assert [
        name for name, group in full.items() if group.environment is MAIN and groups.SWEEPS in group.variables
    ] == []


def test_the_running_python_is_found_and_a_missing_one_is_named_with_what_may_stand_in() -> None:
    assert find_python([sys.version_info[:2]]).version == sys.version.split()[0]
    with pytest.raises(SetupError, match=r"one of 2\.0, 1\.5"):
        find_python([(2, 0), (1, 5)])


def test_the_entry_of_one_package_is_taken_out_of_a_lock_file_whole() -> None:
    lock = "uvicorn==9 \\\n    --hash=sha256:a\nuv==1.2 \\\n    --hash=sha256:b \\\n    --hash=sha256:c\n    # via x\n"
    assert locked("uv", lock) == "uv==1.2 \\\n    --hash=sha256:b \\\n    --hash=sha256:c\n"
    with pytest.raises(SetupError, match="names no pip"):
        locked("pip", lock)
