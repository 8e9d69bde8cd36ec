"""The page that `save_html` writes, opened from disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from tests.browser.hosts.host import NEEDS_PYTHON, NO_PYTHON, Host
from tests.browser.notebooks import SMALL


class Here:
    """A lens in this process: what Keras makes of the kernels that a page without Python shows."""

    def __init__(self) -> None:
        self._names: dict[str, Any] = {}
        self.run(SMALL)

    def run(self, code: str) -> None:
        exec(code, self._names)

    def value(self, expression: str) -> Any:
        return eval(expression, self._names)


class SavedPage(Host):
    name = "saved-page"
    title = "`save_html`"
    has_python = False
    not_applicable = dict.fromkeys(NEEDS_PYTHON, NO_PYTHON) | {"two-views": "the page shows one view"}

    @classmethod
    @contextmanager
    def open(cls, browser: Browser, folder: Path) -> Iterator[SavedPage]:
        folder.mkdir()
        here, file = Here(), folder / "lens.html"
        here.value("lens").save_html(file)
        page, guard = cls.visit(browser)
        page.goto(file.as_uri())
        yield cls(page, here, guard)
        page.context.close()
