"""Every check in every host; their table is docs/hosts.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.checks import CHECKS
from tests.browser.host_table import DOCUMENT, HOSTS, applies, in_document, name_of, table
from tests.browser.hosts.host import Host
from tests.browser.notebooks import ROOT

PAIRS = [pytest.param(kind, name, id=name_of(kind, name)) for kind in HOSTS for name in CHECKS if applies(kind, name)]


class Stage:
    """Shows one host at a time: it stays open for successive tests, and closes when they ask for another."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._browser = browser
        self._folder = folder
        self._kind: type[Host] | None = None
        self._shown: Host | BaseException | None = None
        self._open = ExitStack()

    def show(self, kind: type[Host]) -> Host:
        """Return the host, opened; if that failed, each of its tests fails."""
        if kind is not self._kind:
            self.close()
            self._kind = kind
            try:
                self._shown = self._open.enter_context(kind.open(self._browser, self._folder / kind.name))
            except Exception as error:
                self._shown = error
        if not isinstance(self._shown, Host):
            raise AssertionError(f"{kind.title} did not open") from self._shown
        return self._shown

    def close(self) -> None:
        """Close what is shown."""
        self._kind = None
        self._open.close()


@pytest.fixture(scope="module")
def stage(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    opened = Stage(browser, tmp_path_factory.mktemp("hosts"))
    yield opened
    opened.close()


@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_host(stage: Stage, kind: type[Host], name: str) -> None:
    CHECKS[name](stage.show(kind))


@pytest.mark.parametrize("kind", HOSTS, ids=lambda kind: kind.name)
def test_what_has_no_meaning_in_a_host_is_declared_with_a_reason(kind: type[Host]) -> None:
    assert set(kind.not_applicable) <= set(CHECKS)
    assert all(reason.strip() for reason in kind.not_applicable.values())


def test_the_table_in_the_documentation_is_of_these_hosts_and_checks() -> None:
    assert in_document() == table()


def test_every_test_that_the_documentation_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(test_\w+)(?:\[\w+\])?)?`", DOCUMENT.read_text("utf-8"))
    assert len(named) >= 8
    for file, name in named:
        assert f"def {name}(" in (ROOT / file).read_text("utf-8") if name else (ROOT / file).is_file()
