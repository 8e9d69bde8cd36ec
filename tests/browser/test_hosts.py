"""Every check in every host; their table is docs/hosts.md."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.checks import CHECKS
from tests.browser.host_table import HOSTS, applies, in_document, table
from tests.browser.hosts.host import Host

PAIRS = [pytest.param(host, name, id=f"{host.name}-{name}") for host in HOSTS for name in CHECKS if applies(host, name)]


@pytest.fixture(scope="module")
def host(
    request: pytest.FixtureRequest, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Host]:
    kind: type[Host] = request.param
    with kind.open(browser, tmp_path_factory.mktemp(kind.name)) as shown:
        yield shown


@pytest.mark.parametrize(("host", "name"), PAIRS, indirect=["host"])
def test_host(host: Host, name: str) -> None:
    CHECKS[name](host)


@pytest.mark.parametrize("kind", HOSTS, ids=lambda kind: kind.name)
def test_what_has_no_meaning_in_a_host_is_declared_with_a_reason(kind: type[Host]) -> None:
    assert set(kind.not_applicable) <= set(CHECKS)
    assert all(reason.strip() for reason in kind.not_applicable.values())


def test_the_table_in_the_documentation_is_of_these_hosts_and_checks() -> None:
    assert in_document() == table()
