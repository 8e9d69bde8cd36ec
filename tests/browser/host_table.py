"""The table of hosts and checks: which test shows what, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping

from tests.browser.checks import CHECKS
from tests.browser.hosts.host import Host
from tests.browser.hosts.jupyter import JupyterLab, Notebook7
from tests.browser.hosts.marimo import Marimo
from tests.browser.hosts.nbconvert import NbConvert
from tests.browser.hosts.saved_page import SavedPage
from tests.browser.hosts.voila import Voila
from tests.browser.hosts.vscode import VSCode, VSCodeStrict
from tests.browser.notebooks import ROOT

HOSTS: tuple[type[Host], ...] = (JupyterLab, Notebook7, VSCode, VSCodeStrict, Marimo, Voila, NbConvert, SavedPage)

DOCUMENT = ROOT / "docs" / "hosts.md"
BEGIN, END = "<!-- table of hosts: begin -->\n", "<!-- table of hosts: end -->\n"


def applies(host: type[Host], check: str) -> bool:
    """Tell whether a check has a meaning in a host."""
    return check not in host.not_applicable


def name_of(host: type[Host], check: str) -> str:
    """Return what pytest calls the check in the host, which is what its cell says."""
    return f"{host.name}-{check}"


def table(outcomes: Mapping[str, str] | None = None) -> str:
    """Return the table as Markdown.

    Parameters
    ----------
    outcomes
        How the tests ended, by name. Without it each cell is the test's name.
    """
    reasons = sorted({reason for host in HOSTS for reason in host.not_applicable.values()})

    def cell(host: type[Host], check: str) -> str:
        if not applies(host, check):
            return f"– ({1 + reasons.index(host.not_applicable[check])})"
        name = name_of(host, check)
        return f"`{name}`" if outcomes is None else outcomes.get(name, "not run")

    lines = [
        "| | " + " | ".join(host.title for host in HOSTS) + " |",
        "|---" * (1 + len(HOSTS)) + "|",
        *(f"| {check} | " + " | ".join(cell(host, check) for host in HOSTS) + " |" for check in CHECKS),
        "",
        *(f"{number}. {reason[0].upper()}{reason[1:]}." for number, reason in enumerate(reasons, 1)),
    ]
    return "\n".join(lines) + "\n"


def in_document() -> str:
    """Return the table that docs/hosts.md has."""
    return DOCUMENT.read_text("utf-8").split(BEGIN)[1].split(END)[0]


def write() -> None:
    """Bring the table in docs/hosts.md up to date."""
    before, rest = DOCUMENT.read_text("utf-8").split(BEGIN)
    DOCUMENT.write_text(before + BEGIN + table() + END + rest.split(END)[1], "utf-8")


def conclude(outcomes: Mapping[str, str]) -> str:
    """Return the table of a test run, and keep it in docs/hosts.md if all of it was run and nothing failed."""
    every = [name_of(host, check) for host in HOSTS for check in CHECKS if applies(host, check)]
    if all(outcomes.get(name) == "passed" for name in every):
        write()
    return table(outcomes)
