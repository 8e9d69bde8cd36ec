"""The table of hosts and checks that the test command ends with."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.browser import host_table
from tests.browser.checks import CHECKS
from tests.browser.host_table import COLUMNS, GOOD, Outcomes, conclude, name_of, of_run, record
from tools import groups
from tools.environments import MAIN, Environment
from tools.groups import HOST_OUTCOMES, Group, run_groups

GROUPS = ["hosts", "colab-jupyterlab", "lowest-jupyterlab"]


def green() -> dict[str, dict[str, str]]:
    """Every test that the table names, passed."""
    passed: dict[str, dict[str, str]] = {group: {} for group in GROUPS}
    for column in COLUMNS:
        cells = [name_of(column.host, check) for check in CHECKS if host_table.applies(column.host, check)]
        passed[column.group] |= dict.fromkeys(cells, "passed")
    return passed


def recorded(folder: Path, outcomes: Outcomes) -> Path:
    for group, tests in outcomes.items():
        (folder / f"{group}.json").write_text(json.dumps(tests), "utf-8")
    return folder


def cells(text: str) -> dict[str, list[str]]:
    """Return the cells of a printed table by check."""
    rows = [re.split(r"\s{2,}", line) for line in text.splitlines()]
    return {row[0]: row[1:] for row in rows if row[0] in CHECKS}


def test_the_groups_of_a_run_that_show_the_lens_in_hosts_are_those_of_the_table() -> None:
    assert {group.name for group in groups.groups() if group.fills_table} == {column.group for column in COLUMNS}


def test_every_cell_says_how_its_test_ended_in_its_group() -> None:
    outcomes = green()
    outcomes["colab-jupyterlab"]["jupyterlab-narrow"] = "failed"
    outcomes["hosts"]["voila-shows"] = "error"
    told = cells(of_run(outcomes))
    assert list(told) == list(CHECKS)
    for check, line in told.items():
        for column, said in zip(COLUMNS, line, strict=True):
            place = (column.group, column.host.name, check)
            if not host_table.applies(column.host, check):
                assert said.startswith("–")
            elif place == ("colab-jupyterlab", "jupyterlab", "narrow"):
                assert said == "FAILED"
            elif place == ("hosts", "voila", "shows"):
                assert said == "ERROR"
            else:
                assert said == "passed"


def test_what_was_not_run_is_said_to_be_so_and_is_not_green(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = green()
    del outcomes["lowest-jupyterlab"]
    del outcomes["hosts"]["marimo-narrow"]
    assert conclude(recorded(tmp_path, outcomes), GROUPS) == 1
    said = capsys.readouterr().out
    assert all(line[-1] == "not run" for line in cells(said).values())
    assert "marimo-narrow: not run" in said and "lowest-jupyterlab-shows: not run" in said
    assert conclude(tmp_path, ["colab-jupyterlab"]) == 0
    assert "Not asked for: hosts, lowest-jupyterlab." in capsys.readouterr().out


def test_a_check_that_failed_at_first_is_told_from_one_that_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(HOST_OUTCOMES, raising=False)
    assert not record(green()["hosts"]), "no test command runs"
    monkeypatch.setenv(HOST_OUTCOMES, str(tmp_path / "hosts.json"))
    outcomes = green()["hosts"] | {"voila-shows": "failed", "voila-narrow": "failed"}
    assert record(outcomes)
    assert record({"voila-shows": "passed", "voila-narrow": "failed"})
    told = host_table.read(tmp_path)
    assert told["hosts"] == green()["hosts"] | {"voila-shows": "2nd try", "voila-narrow": "failed"}
    assert "2nd try: it passed when" in of_run(told)
    assert host_table.missing(told, ["hosts"]) == ["voila-narrow: failed"]


@pytest.mark.parametrize(
    ("change", "kept"),
    [({}, True), ({"jupyterlab-shows": "2nd try"}, True), ({"jupyterlab-shows": "failed"}, False)],
)
def test_the_document_is_brought_up_to_date_by_a_run_that_is_green_and_no_other(
    change: Mapping[str, str], kept: bool, tmp_path: Path
) -> None:
    document = tmp_path / "hosts.md"
    document.write_text(f"before\n{host_table.BEGIN}old\n{host_table.END}after\n", "utf-8")
    outcomes = green()
    outcomes["lowest-jupyterlab"] |= change
    assert conclude(recorded(tmp_path, outcomes), ["hosts"], document) == 0, "a part of the table"
    assert "old" in document.read_text("utf-8")
    assert conclude(tmp_path, GROUPS, document) == (0 if kept else 1)
    between = host_table.table() if kept else "old\n"
    assert document.read_text("utf-8") == f"before\n{host_table.BEGIN}{between}{host_table.END}after\n"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Environment:
    """The environment that these tests run in, in the place of the main one."""
    environment = replace(MAIN, folder=Path(sys.executable).parent.parent)
    monkeypatch.setattr(groups, "MAIN", environment)
    return environment


def filling(name: str, environment: Environment, tests: Mapping[str, str], status: int = 0) -> Group:
    """Return a group that records how some checks ended."""
    code = (
        f"import os; open(os.environ[{HOST_OUTCOMES!r}], 'w').write({json.dumps(tests)!r}); raise SystemExit({status})"
    )
    return Group(name, (sys.executable, "-c", code), environment, fills_table=True)


def test_the_table_of_this_run_is_printed_before_the_closing_list(
    here: Environment, capfd: pytest.CaptureFixture[str]
) -> None:
    chosen = [
        filling("hosts", here, green()["hosts"]),
        Group("between", (sys.executable, "-c", "print('between')"), here),
        filling("colab-jupyterlab", here, green()["colab-jupyterlab"]),
    ]
    assert run_groups(chosen) == 0
    said = capfd.readouterr().out
    table, closing = said.index("pixels-right"), said.index("passed  table of hosts")
    assert said.index("between") < table < said.index("3 groups were run") < closing
    assert all(set(line[:-1]) <= {*GOOD} or "–" in "".join(line) for line in cells(said).values())
    assert all(line[-1] == "not run" for line in cells(said).values())
    # Another run knows nothing of this one.
    assert run_groups(chosen[2:]) == 0
    assert all(line[0] == "not run" and line[-2] == "passed" for line in cells(capfd.readouterr().out).values())


def test_a_group_that_passed_without_its_checks_leaves_the_run_failed(
    here: Environment, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_groups([filling("colab-jupyterlab", here, {})]) == 1
    said = capfd.readouterr().out
    assert "passed  colab-jupyterlab" in said and "FAILED  table of hosts" in said
