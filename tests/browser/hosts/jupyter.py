"""JupyterLab and Jupyter Notebook 7, which are two shells around the same notebook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from playwright.sync_api import Browser

from tests.browser.hosts.host import Host
from tests.browser.hosts.jupyterlab import READY, Notebook
from tests.browser.notebooks import BELOW, SMALL
from tests.browser.python import Python
from tests.browser.server import serve


class JupyterHost(Host):
    """A notebook that was opened and run in an application of Jupyter's server."""

    application: ClassVar[str]
    address: ClassVar[str]
    #: The element that scrolls.
    scroller: ClassVar[str]

    def __init__(self, notebook: Notebook, *rest: Any) -> None:
        super().__init__(*rest)
        self.notebook = notebook

    @classmethod
    @contextmanager
    def open(cls, browser: Browser, folder: Path) -> Iterator[JupyterHost]:
        with serve(folder, cls.application) as server:
            server.write_notebook("lens.ipynb", [SMALL, "lens", BELOW])
            page, guard = cls.visit(browser)
            page.goto(f"{server.url}/{cls.address}/lens.ipynb?token={server.token}")
            page.wait_for_function(READY)
            read_id = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.id"
            python_id = page.evaluate(read_id)
            python = Python(server.connection_file(python_id))
            notebook = Notebook(page, python, python_id)
            notebook.run_all()
            yield cls(notebook, page, python, guard)
            page.context.close()
            python.close()
            server.stop_python(python_id)

    def set_theme(self, dark: bool) -> None:
        self.notebook.set_theme(dark)

    def scroll(self, away: bool) -> None:
        move = "(box, away) => { box.scrollTop = away ? box.scrollHeight : 0; }"
        self.page.locator(self.scroller).first.evaluate(move, away)

    def restart(self) -> None:
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
        # A person runs the next cell when the notebook shows that Python is idle again, not while it is connected anew.
        self.page.wait_for_function(
            """() => {
              const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
              return kernel.connectionStatus === "connected" && kernel.status === "idle";
            }"""
        )

    def wait_for_output(self, picture: str) -> None:
        self.notebook.wait_for_output(picture)

    def run_again(self) -> None:
        self.notebook.run_all()


class JupyterLab(JupyterHost):
    name = "jupyterlab"
    title = "JupyterLab 4"
    application = "jupyterlab"
    address = "doc/tree"
    scroller = ".jp-WindowedPanel-outer"


class Notebook7(JupyterHost):
    name = "notebook7"
    title = "Notebook 7"
    #: Of settings that JupyterLab has and Notebook has not.
    own_errors = (r"(?s)reading 'schema'.*/notebook_core\.",)
    application = "notebook"
    address = "notebooks"
    scroller = ".jp-WindowedPanel-outer"
