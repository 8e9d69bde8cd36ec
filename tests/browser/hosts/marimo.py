"""marimo's editor, which has an anywidget host of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Client, Connection
from pathlib import Path
from string import Template
from typing import Any, ClassVar
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser

from tests.browser.hosts.host import NOTHING_SAVED, Host
from tests.browser.notebooks import SMALL
from tests.browser.server import free_port, isolated_environment
from tests.deadlines import SECONDS

#: Two views, something below them, and access for the test to the process in which the lens lives.
NOTEBOOK = Template("""
import marimo

app = marimo.App(width="full")


@app.cell
def _():
$small
    return ConvLens, img, lens, np


@app.cell
def _(lens):
    lens
    return


@app.cell
def _():
    import marimo as mo
    mo.Html('<div style="height: 3000px">the end</div>')
    return


@app.cell
def _(img, lens, np):
    import threading
    from multiprocessing.connection import Listener

    def answer():
        names = {"img": img, "lens": lens, "np": np}
        with Listener($door) as listener, listener.accept() as connection:
            while (order := connection.recv()) is not None:
                kind, code = order
                try:
                    connection.send((True, exec(code, names) if kind == "run" else eval(code, names)))
                except Exception as error:
                    connection.send((False, repr(error)))

    threading.Thread(target=answer, daemon=True).start()
    return


if __name__ == "__main__":
    app.run()
""")

SETTINGS = """
[tool.marimo.display]
theme = "system"
[tool.marimo.runtime]
auto_instantiate = true
"""


class Door:
    """Runs code in the notebook's process."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def run(self, code: str) -> None:
        self._ask("run", code)

    def value(self, expression: str) -> Any:
        return self._ask("value", expression)

    def close(self) -> None:
        self._connection.send(None)
        self._connection.close()

    def _ask(self, kind: str, code: str) -> Any:
        self._connection.send((kind, code))
        assert self._connection.poll(SECONDS), f"no answer to {code}"
        done, result = self._connection.recv()
        assert done, result
        return result


class Marimo(Host):
    name = "marimo"
    title = "marimo"
    not_applicable: ClassVar[dict[str, str]] = {
        "python-restarted": "the host reloads the page together with Python",
        "picture-kept": NOTHING_SAVED,
    }

    @classmethod
    @contextmanager
    def open(cls, browser: Browser, folder: Path) -> Iterator[Marimo]:
        folder.mkdir()
        notebook, door = folder / "lens.py", folder / "door"
        notebook.write_text(NOTEBOOK.substitute(small=textwrap.indent(SMALL, "    "), door=repr(str(door))), "utf-8")
        (folder / "pyproject.toml").write_text(SETTINGS, "utf-8")
        with serve(notebook, folder) as url:
            page, guard = cls.visit(browser)
            page.goto(url)
            page.locator(".convlens").nth(1).wait_for()
            page.get_by_text("the end", exact=True).wait_for()
            python = Door(Client(str(door)))
            yield cls(page, python, guard)
            python.close()
            page.context.close()

    def scroll(self, away: bool) -> None:
        self.scroll_into_view(away)


@contextmanager
def serve(notebook: Path, folder: Path) -> Iterator[str]:
    """Run marimo's editor until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "marimo", "--yes", "edit", str(notebook), "--headless", "--no-token"]
    options = ["--skip-update-check", "--host", "127.0.0.1", "--port", str(port)]
    environment = isolated_environment(folder) | {"XDG_CONFIG_HOME": str(folder), "XDG_STATE_HOME": str(folder)}
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(
        [*command, *options], cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_for(f"{url}/health", process)
            yield url
        finally:
            process.terminate()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers."""
    pause = threading.Event()
    for _ in range(10 * SECONDS):
        assert process.poll() is None, "marimo's server ended"
        try:
            with urlopen(url, timeout=SECONDS):
                return
        except (URLError, ConnectionError):
            pause.wait(0.1)
    raise AssertionError(f"{url} did not answer")
