"""The table of hosts and checks: which test shows what, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping

from tests.browser.checks import CHECKS
from tests.browser.hosts.host import Host
from tests.browser.hosts.jupyter import JupyterLab, Notebook7
from tests.browser.hosts.nbconvert import NbConvert
from tests.browser.hosts.saved_page import SavedPage
from tests.browser.notebooks import ROOT

HOSTS: tuple[type[Host], ...] = (JupyterLab, Notebook7, NbConvert, SavedPage)

DOCUMENT = ROOT / "docs" / "hosts.md"
BEGIN, END = "<!-- table of hosts: begin -->\n", "<!-- table of hosts: end -->\n"


def applies(host: type[Host], check: str) -> bool:
    """Tell whether a check has a meaning in a host."""
    return check not in host.not_applicable


def table(outcomes: Mapping[tuple[str, str], str] | None = None) -> str:
    """Return the table as Markdown.

    Parameters
    ----------
    outcomes
        By host and check, what to write beside the test's name. Without it each cell is the name alone.
    """
    reasons = sorted({reason for host in HOSTS for reason in host.not_applicable.values()})

    def cell(host: type[Host], check: str) -> str:
        if not applies(host, check):
            return f"– ({1 + reasons.index(host.not_applicable[check])})"
        name = f"`{host.name}-{check}`"
        return name if outcomes is None else f"{outcomes.get((host.name, check), 'not run')} {name}"

    lines = [
        "| | " + " | ".join(host.title for host in HOSTS) + " |",
        "|---" * (1 + len(HOSTS)) + "|",
        *(f"| {check} | " + " | ".join(cell(host, check) for host in HOSTS) + " |" for check in CHECKS),
        "",
        *(f"({number}) {reason}" for number, reason in enumerate(reasons, 1)),
    ]
    return "\n".join(lines) + "\n"


def in_document() -> str:
    """Return the table that docs/hosts.md has."""
    return DOCUMENT.read_text("utf-8").split(BEGIN)[1].split(END)[0]


def write() -> None:
    """Bring the table in docs/hosts.md up to date."""
    text = DOCUMENT.read_text("utf-8")
    DOCUMENT.write_text(text.replace(in_document(), table()), "utf-8")
