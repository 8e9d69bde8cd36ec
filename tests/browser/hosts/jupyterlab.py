"""JupyterLab: opening a notebook, running its cells, reaching its Python."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from playwright.sync_api import BrowserContext, Page

from tests.browser.python import Python
from tests.browser.server import JupyterServer

READY = """() => {
  const panel = window.jupyterapp?.shell.currentWidget;
  return Boolean(panel?.sessionContext?.isReady && panel.context.isReady
    && panel.sessionContext.session?.kernel?.connectionStatus === "connected");
}"""


SCROLLER = "window.jupyterapp.shell.currentWidget.node.querySelector('.jp-WindowedPanel-outer')"


@dataclass
class Notebook:
    """A notebook that is open in the browser, with its Python."""

    #: JavaScript that says how far the notebook is scrolled down.
    SCROLLED: ClassVar[str] = f"() => {SCROLLER}.scrollTop"

    page: Page
    python: Python
    python_id: str

    def command(self, name: str, arguments: dict[str, Any] | None = None) -> None:
        """Execute one of JupyterLab's commands and wait for what it promises."""
        call = "async ([name, args]) => { await window.jupyterapp.commands.execute(name, args); }"
        self.page.evaluate(call, [name, arguments or {}])

    def run_all(self) -> None:
        """Run every cell, as the Run menu does, wait for the last, and fail on an error in any."""
        self.command("notebook:run-all-cells")
        errors = [output for output in self.outputs() if output["output_type"] == "error"]
        assert not errors, "\n".join(line for error in errors for line in error["traceback"])

    def run_cell(self, index: int) -> None:
        """Run one cell and wait for it."""
        self.page.evaluate("i => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = i; }", index)
        self.command("notebook:run-cell")

    def show_lens(self) -> None:
        """Scroll to the first cell with a widget: JupyterLab before 4.5 hides the cells that are out of sight."""
        self.page.evaluate("""async () => {
          const { content } = window.jupyterapp.shell.currentWidget;
          const isWidget = ({ data }) => data && "application/vnd.jupyter.widget-view+json" in data;
          const index = content.model.toJSON().cells.findIndex(({ outputs }) => outputs?.some(isWidget));
          content.activeCellIndex = index;
          await content.scrollToItem(index, "start");
        }""")

    def cells(self) -> list[str]:
        """Return the sources of the notebook's cells as the notebook's own model has them."""
        read = "() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells.map(cell => cell.source)"
        sources: list[str] = self.page.evaluate(read)
        return sources

    def write_cell(self, index: int, source: str) -> None:
        """Put another source into a cell."""
        write = """([index, source]) => {
          window.jupyterapp.shell.currentWidget.content.model.cells.get(index).sharedModel.setSource(source);
        }"""
        self.page.evaluate(write, [index, source])

    def outputs(self) -> list[Any]:
        """Return all outputs of all code cells."""
        read = "() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells.flatMap(c => c.outputs ?? [])"
        found: list[Any] = self.page.evaluate(read)
        return found

    def wait_for_output(self, picture: str) -> None:
        """Wait until some output of the notebook holds this picture."""
        held = """picture => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells
          .some(cell => cell.outputs?.some(output => output.data?.["image/png"]?.trim() === picture))"""
        self.page.wait_for_function(held, arg=picture)

    def save(self) -> None:
        """Save the notebook with its outputs."""
        self.command("docmanager:save")

    def reload(self) -> None:
        """Load the page again, as a person does with F5, and wait for the notebook."""
        self.page.reload()
        self.page.wait_for_function(READY)

    def scrolled(self) -> float:
        """Return how far the notebook is scrolled down, in CSS pixels."""
        return float(self.page.evaluate(self.SCROLLED))

    def scroll_to(self, top: float) -> None:
        """Scroll the notebook."""
        self.page.evaluate(f"top => {{ {SCROLLER}.scrollTop = top; }}", top)

    def copy(self, text: str) -> None:
        """Put text on the clipboard."""
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)

    def set_theme(self, dark: bool) -> None:
        """Switch JupyterLab's theme and wait until the page has it."""
        self.command("apputils:change-theme", {"theme": f"JupyterLab {'Dark' if dark else 'Light'}"})
        self.page.wait_for_selector(f"body[data-jp-theme-light={'false' if dark else 'true'}]", state="attached")


class JupyterLab:
    """Opens notebooks of one server in one browser context."""

    def __init__(self, server: JupyterServer, context: BrowserContext) -> None:
        self._server = server
        self._context = context
        self._open: dict[str, tuple[Notebook, bool]] = {}

    @classmethod
    @contextmanager
    def of(cls, server: JupyterServer, context: BrowserContext) -> Iterator[JupyterLab]:
        """Use a server and a browser profile until the block ends."""
        host = cls(server, context)
        try:
            yield host
        finally:
            host.close()

    def open(self, cells: list[str], python: str | None = None) -> Notebook:
        """Write a notebook of these cells and open it on its own, with a running Python process or with a fresh one."""
        path = self._server.write_notebook(f"{uuid.uuid4().hex}.ipynb", cells)
        if python is not None:
            self._server.attach(path, python)
        return self._visit(f"doc/tree/{path}", keep_python=python is not None)

    def open_file(self, file: Path) -> Notebook:
        """Copy a notebook to the server and open it among JupyterLab's panels."""
        shutil.copy(file, self._server.root / file.name)
        return self._visit(f"lab/tree/{file.name}", keep_python=False)

    def leave(self, notebook: Notebook) -> None:
        """Close a notebook's page, and stop its Python if it was started here."""
        keep_python = self._open.pop(notebook.python_id)[1]
        notebook.page.close()
        if keep_python:
            # JupyterLab asks for the state of every widget in Python before it shows the next one.
            notebook.python.run("import ipywidgets; ipywidgets.Widget.close_all()")
        notebook.python.close()
        if not keep_python:
            self._server.stop_python(notebook.python_id)

    def close(self) -> None:
        """Leave every notebook, and forget the settings that were changed."""
        for notebook, _ in list(self._open.values()):
            self.leave(notebook)
        self._server.write_settings()

    def _visit(self, address: str, *, keep_python: bool) -> Notebook:
        page = self._context.new_page()
        page.goto(f"{self._server.url}/{address}?token={self._server.token}&reset")
        page.wait_for_function(READY)
        python_id = page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.id")
        notebook = Notebook(page, Python(self._server.connection_file(python_id)), python_id)
        self._open[python_id] = (notebook, keep_python)
        return notebook
