"""The table of hosts and checks: which test shows what, and how it ended in a run of the test command."""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.browser.checks import CHECKS
from tests.browser.hosts.host import Host
from tests.browser.hosts.jupyter import JupyterLab, Notebook7
from tests.browser.hosts.marimo import Marimo
from tests.browser.hosts.nbconvert import NbConvert
from tests.browser.hosts.saved_page import SavedPage
from tests.browser.hosts.voila import Voila
from tests.browser.hosts.vscode import VSCode, VSCodeStrict
from tests.browser.notebooks import ROOT
from tools.groups import HOST_OUTCOMES

HOSTS: tuple[type[Host], ...] = (JupyterLab, Notebook7, VSCode, VSCodeStrict, Marimo, Voila, NbConvert, SavedPage)

DOCUMENT = ROOT / "docs" / "hosts.md"
BEGIN, END = "<!-- table of hosts: begin -->\n", "<!-- table of hosts: end -->\n"

#: Where the checks are written down.
CHECKS_FILE = "tests/browser/checks.py"

PASSED = "passed"

#: How the tests of each group that was run ended, by group and test.
Outcomes = Mapping[str, Mapping[str, str]]


class Column(NamedTuple):
    """A host, and the group of the test command that shows the lens there."""

    host: type[Host]
    group: str = "hosts"
    title: str = ""

    @property
    def heading(self) -> str:
        """The heading of the column."""
        return self.title or self.host.title

    @property
    def file(self) -> str:
        """Return the file that says how the host is opened, below the project's folder."""
        return self.host.__module__.replace(".", "/") + ".py"

    def cell(self, check: str) -> str:
        """Return the name of a check's test, after the environment where that is not the main one."""
        return f"{self.group.removesuffix('hosts').removesuffix(self.host.name)}{name_of(self.host, check)}"


COLUMNS = (
    *map(Column, HOSTS),
    Column(JupyterLab, "colab-jupyterlab", "JupyterLab 4, Colab's versions"),
    Column(JupyterLab, "lowest-jupyterlab", "JupyterLab 4, lowest versions"),
)


def applies(host: type[Host], check: str) -> bool:
    """Tell whether a check applies to a host."""
    return check not in host.not_applicable


def name_of(host: type[Host], check: str) -> str:
    """Return what pytest calls the check in the host."""
    return f"{host.name}-{check}"


def reasons() -> list[str]:
    """Return why some checks do not apply to some hosts, in the order of their numbers below the table."""
    return sorted({reason for host in HOSTS for reason in host.not_applicable.values()})


def footnotes() -> list[str]:
    """Return the numbered lines below the table."""
    return [f"{number}. {reason[0].upper()}{reason[1:]}." for number, reason in enumerate(reasons(), 1)]


def without_meaning(host: type[Host], check: str) -> str:
    """Return the cell of a check that does not apply to a host."""
    return f"– ({1 + reasons().index(host.not_applicable[check])})"


def table() -> str:
    """Return the table of docs/hosts.md: a tick for each check, which leads to how its host is opened."""
    files = list(dict.fromkeys(column.file for column in COLUMNS))
    labels = {file: f"t{number}" for number, file in enumerate(files)}

    def cell(column: Column, check: str) -> str:
        host = column.host
        return f"[✓][{labels[column.file]}]" if applies(host, check) else without_meaning(host, check)

    lines = [
        "| check | " + " | ".join(column.heading for column in COLUMNS) + " |",
        "|---" * (1 + len(COLUMNS)) + "|",
        *(f"| [{check}][c] | " + " | ".join(cell(column, check) for column in COLUMNS) + " |" for check in CHECKS),
        "",
        *footnotes(),
        "",
        f"[c]: ../{CHECKS_FILE}",
        *(f"[{label}]: ../{file}" for file, label in labels.items()),
    ]
    return "\n".join(lines) + "\n"


def outcome(outcomes: Outcomes, column: Column, check: str) -> str:
    """Return how a check ended in a run."""
    return outcomes.get(column.group, {}).get(name_of(column.host, check), "not run")


def of_run(outcomes: Outcomes) -> str:
    """Return the table of a run for a terminal, whose cells say how each test ended."""

    def cell(column: Column, check: str) -> str:
        if not applies(column.host, check):
            return without_meaning(column.host, check)
        ended = outcome(outcomes, column, check)
        return ended if ended in (PASSED, "not run") else ended.upper()

    width = max(len(word) for column in COLUMNS for word in column.heading.split())
    headings = [textwrap.wrap(column.heading.replace("`", ""), width) for column in COLUMNS]
    height = max(map(len, headings))
    rows = [
        *(["", *words] for words in zip(*([""] * (height - len(h)) + h for h in headings), strict=True)),
        *([check, *(cell(column, check) for column in COLUMNS)] for check in CHECKS),
    ]
    first = max(map(len, CHECKS))
    lines = ["  ".join([row[0].ljust(first), *(text.ljust(width) for text in row[1:])]).rstrip() for row in rows]
    lines.insert(height, "-" * max(map(len, lines)))
    return "\n".join([*lines, "", *footnotes()]) + "\n"


def missing(outcomes: Outcomes, groups: Sequence[str]) -> list[str]:
    """Return the cells of some groups that are not green, by name."""
    return [
        f"{column.cell(check)}: {outcome(outcomes, column, check)}"
        for column in COLUMNS
        for check in CHECKS
        if column.group in groups and applies(column.host, check) and outcome(outcomes, column, check) != PASSED
    ]


def in_document() -> str:
    """Return the table that docs/hosts.md has."""
    return DOCUMENT.read_text("utf-8").split(BEGIN)[1].split(END)[0]


def write(document: Path = DOCUMENT) -> None:
    """Update the table in a document."""
    before, rest = document.read_text("utf-8").split(BEGIN)
    document.write_text(before + BEGIN + table() + END + rest.split(END)[1], "utf-8")


# -- from the groups to the end of the test command -------------------------------------------------------------------


def record(ended: Mapping[str, str]) -> bool:
    """Keep how the checks of this group ended for the end of the test command; False where no such command runs."""
    if not (name := os.environ.get(HOST_OUTCOMES)):
        return False
    Path(name).write_text(json.dumps(dict(ended)), "utf-8")
    return True


def read(folder: Path) -> dict[str, dict[str, str]]:
    """Return what the groups of a run recorded."""
    return {file.stem: json.loads(file.read_text("utf-8")) for file in folder.glob("*.json")}


def conclude(folder: Path, groups: Sequence[str]) -> int:
    """Print the table of a run.

    Parameters
    ----------
    folder
        Where the groups recorded how their checks ended.
    groups
        The groups that were requested.

    Returns
    -------
    int
        Exit status: 0 where every check of those groups passed.
    """
    outcomes = read(folder)
    print(of_run(outcomes))
    bad = missing(outcomes, groups)
    if left_out := [group for group in sorted({column.group for column in COLUMNS}) if group not in groups]:
        print(f"Not asked for: {', '.join(left_out)}.")
    print(*(["Not passed:", *bad] if bad else ["All passed."]), sep="\n  ")
    return 1 if bad else 0


def main() -> int:
    """Print the table of a run, or write that of the document; the exit status is that of `conclude`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"bring {DOCUMENT.name} up to date, and print nothing")
    parser.add_argument("folder", type=Path, nargs="?", help="where the groups recorded how their checks ended")
    parser.add_argument("groups", nargs="*", help="the groups that were run")
    arguments = parser.parse_args()
    if arguments.write:
        write()
        return 0
    return conclude(arguments.folder, arguments.groups)


if __name__ == "__main__":
    sys.exit(main())
