"""nbconvert's HTML of a notebook that was run with its widget state saved, opened from disk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import anywidget
import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Page, Route

from tests.browser.guards import Guard
from tests.browser.hosts.host import NEEDS_PYTHON, NO_PYTHON, Host
from tests.browser.hosts.packages import package_file
from tests.browser.hosts.saved_page import Here
from tests.browser.notebooks import BELOW, SMALL
from tests.deadlines import SECONDS

ANYWIDGET = Path(anywidget.__file__).parent / "nbextension" / "index.js"


class NbConvert(Host):
    name = "nbconvert"
    title = "nbconvert's HTML"
    has_python = False
    not_applicable: ClassVar[dict[str, str]] = dict.fromkeys(NEEDS_PYTHON, NO_PYTHON)
    #: What nbconvert's pages fetch for themselves, with and without widgets. It is refused here.
    refused: ClassVar[str] = "mathjax"
    own_errors = (
        r"net::ERR_FAILED .*mathjax",
        # html-manager looks for a widget's package beside the page before it asks elsewhere.
        r"net::ERR_FILE_NOT_FOUND .*/anywidget\.js",
    )

    def __init__(self, files: dict[str, Path], page: Page, guard: Guard) -> None:
        super().__init__(page, Here(), guard)
        self._files = files

    @classmethod
    @contextmanager
    def open(cls, browser: Browser, folder: Path) -> Iterator[NbConvert]:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in (SMALL, "lens", BELOW)])
        NotebookClient(notebook, kernel_name="python3", store_widget_state=True, timeout=SECONDS).execute()
        folder.mkdir()
        files = {theme: folder / f"{theme}.html" for theme in ("light", "dark")}
        for theme, file in files.items():
            file.write_text(HTMLExporter(theme=theme).from_notebook_node(notebook)[0], "utf-8")
        page, guard = cls.visit(browser)
        page.context.route(re.compile("^https?:"), lambda route: answer(route))
        guard.answers = lambda address: known(address) is not None or bool(re.search(cls.refused, address))
        page.goto(files["light"].as_uri())
        yield cls(files, page, guard)
        page.context.close()

    def set_theme(self, dark: bool) -> None:
        """Open the page that was exported with this theme; nothing switches it afterwards."""
        self.page.goto(self._files["dark" if dark else "light"].as_uri())
        self.view().wait()


def known(address: str) -> Path | None:
    """Return the file that a CDN would send for an address, from the package itself."""
    if re.search(r"/require(js)?[/.].*require(\.min)?\.js$", address):
        return package_file("requirejs", "require.js")
    if found := re.search(r"@jupyter-widgets/html-manager@[^/]*/(dist/.*)$", address):
        return package_file("@jupyter-widgets/html-manager", found[1])
    if re.search(r"/anywidget@[^/]*/dist/index(\.js)?$", address):
        return ANYWIDGET
    return None


def answer(route: Route) -> None:
    """Answer in place of a CDN, or refuse."""
    file = known(route.request.url)
    if file is None:
        route.abort()
    else:
        route.fulfill(path=file, headers={"Access-Control-Allow-Origin": "*", "Content-Type": "text/javascript"})
