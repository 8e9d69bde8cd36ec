"""Voila: a notebook served as a page, with a Python process for each visit."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import nbformat
from playwright.sync_api import Browser, Page

from tests.browser.guards import Guard
from tests.browser.hosts.host import NOTHING_SAVED, Host
from tests.browser.notebooks import BELOW, SMALL
from tests.browser.python import Python
from tests.browser.server import free_port, isolated_environment, wait_until_running

PYTHON_ID = "() => JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId"


class Voila(Host):
    name = "voila"
    title = "Voila"
    not_applicable: ClassVar[dict[str, str]] = {
        "python-restarted": "a page keeps the Python process that it was made with; loading it again makes another",
        "picture-kept": NOTHING_SAVED,
    }
    #: Voila's pages fetch an icon font for themselves; it is refused here.
    refused: ClassVar[str] = "fortawesome"
    own_errors = (
        r"net::ERR_FAILED .*fortawesome",
        # It loads the extensions of other applications, which do not fit, and may not stop its Python.
        r"RUNTIME-012",
        r"403 .*/voila/api/shutdown/",
    )

    def __init__(self, url: str, folder: Path, page: Page, guard: Guard) -> None:
        self._url = url
        self._folder = folder
        self._python: Python | None = None
        self._dark = False
        page.goto(f"{url}?theme=light")
        super().__init__(page, self._connect(page), guard)

    @classmethod
    @contextmanager
    def open(cls, browser: Browser, folder: Path) -> Iterator[Voila]:
        folder.mkdir()
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in (SMALL, "lens", BELOW)])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, folder / "lens.ipynb")
        with serve(folder / "lens.ipynb", folder) as url:
            page, guard = cls.visit(browser)
            page.context.route(re.compile(cls.refused), lambda route: route.abort())
            guard.answers = lambda address: bool(re.search(cls.refused, address))
            host = cls(url, folder, page, guard)
            yield host
            page.context.close()
            host.disconnect()

    def set_theme(self, dark: bool) -> None:
        """Visit the page in this theme, unless it already has it: a visit starts another Python process."""
        if dark == self._dark:
            return
        self._dark = dark
        self.page.goto(f"{self._url}?theme={'dark' if dark else 'light'}")
        self.python = self._connect(self.page)

    def scroll(self, away: bool) -> None:
        self.scroll_into_view(away)

    def disconnect(self) -> None:
        """Close the sockets."""
        if self._python:
            self._python.close()

    def _connect(self, page: Page) -> Python:
        self.disconnect()
        page.locator(".convlens").nth(1).wait_for()
        (file,) = self._folder.glob(f"voila_*/kernel-{page.evaluate(PYTHON_ID)}.json")
        self._python = Python(file)
        return self._python


@contextmanager
def serve(notebook: Path, folder: Path) -> Iterator[str]:
    """Run Voila until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "voila", str(notebook), "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"]
    command.append(f"--Voila.connection_dir_root={folder}")
    with subprocess.Popen(
        command, env=isolated_environment(folder), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        drain = wait_until_running(process)
        try:
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()
            drain.join()
