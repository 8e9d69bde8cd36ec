"""A real server, a real browser, and a watched page for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser import host_table
from tests.browser.gate import Gate, closed_gate
from tests.browser.hosts.jupyterlab import JupyterLab, Notebook
from tests.browser.lens import LensView
from tests.browser.notebooks import SMALL
from tests.browser.running import chromium, watched
from tests.browser.server import JupyterServer, serve


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder, so that no test can be missed."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Report how every check ended in every host: to the test command, which prints that at its end, or here."""
    outcomes = {
        report.nodeid.split("::test_host[")[1].rstrip("]"): outcome
        for outcome in ("passed", "failed", "error")
        for report in terminalreporter.getreports(outcome)
        if "::test_host[" in report.nodeid
    }
    if outcomes and not host_table.record(outcomes):
        terminalreporter.section("hosts")
        terminalreporter.write_line(host_table.of_run({"hosts": outcomes}))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with watched(browser) as fresh:
        yield fresh


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    with serve(tmp_path_factory.mktemp("jupyter")) as running:
        yield running


@pytest.fixture(scope="session")
def warm_python(server: JupyterServer) -> Iterator[str]:
    """A Python process that has Keras imported, shared by the tests that do not need a fresh one."""
    python = server.start_python()
    yield python
    server.stop_python(python)


@pytest.fixture
def lab(server: JupyterServer, context: BrowserContext) -> Iterator[JupyterLab]:
    with JupyterLab.of(server, context) as host:
        yield host


@pytest.fixture
def apart(lab: JupyterLab, warm_python: str) -> tuple[Notebook, LensView]:
    """A settled lens on a small photograph, on a page of its own: to be loaded again, cut off, or put to sleep."""
    notebook = lab.open([SMALL], python=warm_python)
    notebook.run_all()
    return notebook, LensView(notebook.page).settle()


@pytest.fixture(scope="module")
def shared(server: JupyterServer, browser: Browser, warm_python: str) -> Iterator[Notebook]:
    """One notebook for all tests of a module: JupyterLab takes longer to load than most tests take."""
    with watched(browser) as context, JupyterLab.of(server, context) as lab:
        yield lab.open([SMALL], python=warm_python)


@pytest.fixture
def small(shared: Notebook, show: Callable[..., LensView]) -> tuple[Notebook, LensView]:
    """A settled lens on a small photograph, new for the test, in the shared notebook."""
    return shared, show()


@pytest.fixture
def show(shared: Notebook) -> Callable[..., LensView]:
    """Run some code in the shared notebook, whose lens is new each time, and wait until that is settled."""

    def run(code: str = SMALL) -> LensView:
        shared.python.run("import ipywidgets; ipywidgets.Widget.close_all()")
        shared.write_cell(0, code)
        shared.run_all()
        return LensView(shared.page).settle()

    return run


@pytest.fixture
def settings(shared: Notebook) -> Iterator[Notebook]:
    """The shared notebook, whose size and theme are restored afterwards."""
    yield shared
    shared.page.set_viewport_size({"width": 1400, "height": 1000})
    shared.set_theme(dark=False)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with closed_gate(tmp_path) as closed:
        yield closed
