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
from tests.browser.host_table import COLUMNS, Outcomes, conclude, name_of, of_run, record
from tools import groups
from tools.environments import MAIN, Environment
from tools.groups import HOST_OUTCOMES, TABLE, Group, run_groups
from tools.shell import ROOT

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


def test_how_the_checks_of_a_group_ended_is_kept_for_the_command_that_runs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(HOST_OUTCOMES, raising=False)
    assert not record(green()["hosts"]), "no test command runs"
    monkeypatch.setenv(HOST_OUTCOMES, str(tmp_path / "hosts.json"))
    outcomes = green()["hosts"] | {"voila-shows": "failed"}
    assert record(outcomes)
    told = host_table.read(tmp_path)
    assert told == {"hosts": outcomes}
    assert host_table.missing(told, ["hosts"]) == ["voila-shows: failed"]


def test_the_documents_table_has_a_tick_that_leads_to_a_file_or_a_footnote_in_each_cell() -> None:
    text = host_table.table()
    links = dict(re.findall(r"^\[(\w+)\]: \.\./(\S+)$", text, re.MULTILINE))
    assert all((ROOT / file).is_file() for file in links.values())
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| [")]
    assert [row[0] for row in rows] == [f"[{check}][c]" for check in CHECKS]
    for check, *row in rows:
        for column, cell in zip(COLUMNS, row, strict=True):
            if host_table.applies(column.host, check[1:].split("]")[0]):
                (label,) = re.findall(r"^\[✓\]\[(\w+)\]$", cell)
                assert f"class {column.host.__name__}(" in (ROOT / links[label]).read_text("utf-8")
            else:
                assert re.fullmatch(r"– \(\d\)", cell)


def test_only_the_table_of_a_document_is_written(tmp_path: Path) -> None:
    document = tmp_path / "hosts.md"
    document.write_text(f"before\n{host_table.BEGIN}old\n{host_table.END}after\n", "utf-8")
    host_table.write(document)
    expected = f"before\n{host_table.BEGIN}{host_table.table()}{host_table.END}after\n"
    assert document.read_text("utf-8") == expected


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


@pytest.mark.slow
def test_the_table_of_this_run_is_printed_before_the_closing_list_also_when_a_group_failed(
    here: Environment, capfd: pytest.CaptureFixture[str]
) -> None:
    failed = green()["colab-jupyterlab"] | {"jupyterlab-narrow": "failed"}
    chosen = [
        filling("hosts", here, green()["hosts"]),
        Group("between", (sys.executable, "-c", "print('between')"), here),
        filling("colab-jupyterlab", here, failed, status=1),
    ]
    assert run_groups(chosen) == 1
    said = capfd.readouterr().out
    table, closing = said.index("pixels-right"), said.index("passed  hosts")
    assert said.index("colab-jupyterlab: FAILED") < table < said.index("3 groups were run") < closing
    for check, line in cells(said).items():
        *others, colab, lowest = line
        assert all(cell == "passed" or cell.startswith("–") for cell in others)
        assert (colab, lowest) == ("FAILED" if check == "narrow" else "passed", "not run")


@pytest.mark.slow
def test_a_group_that_passed_without_its_checks_leaves_the_run_failed(
    here: Environment, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_groups([filling("colab-jupyterlab", here, {})]) == 1
    said = capfd.readouterr().out
    assert "passed  colab-jupyterlab" in said and f"FAILED  {TABLE}" in said
    # A run knows nothing of those before it.
    assert {cell for line in cells(said).values() for cell in line if "–" not in cell} == {"not run"}
