"""The names of JupyterLab and ipywidgets that js/connection/jupyter-internals.ts relies on, asked of the real packages.

Each test fails with what the lens loses when a new version removes the name.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.hosts.jupyterlab import JupyterLab, Notebook
from tests.browser.lens import LensView
from tests.browser.memory import page_size
from tests.browser.notebooks import SMALL
from tests.browser.running import watched
from tests.browser.server import JupyterServer
from tests.deadlines import SECONDS

#: A widget that is not a lens: it leaves its model and its element on the page.
PROBE = """
import anywidget, traitlets
class Probe(anywidget.AnyWidget):
    table = traitlets.Dict({"value": 1}).tag(sync=True)
    _esm = '''export default { render({ model, el }) {
      const events = [];
      for (const name of ["comm:close", "comm_live_update"]) model.on(name, () => events.push(name));
      window.probe = { model, el, events };
    } }'''
probe = Probe()
probe
"""


@pytest.fixture(scope="module")
def notebook(server: JupyterServer, browser: Browser, warm_python: str) -> Iterator[Notebook]:
    with watched(browser) as context, JupyterLab.of(server, context) as lab:
        opened = lab.open([PROBE, SMALL], python=warm_python)
        opened.run_all()
        opened.page.wait_for_function("() => window.probe?.el.isConnected")
        yield opened


def test_a_widgets_manager_has_the_connection_to_python(notebook: Notebook) -> None:
    found = notebook.page.evaluate("""async () => {
      const { kernel } = window.probe.model.widget_manager;
      const heard = [];
      for (const name of ["statusChanged", "connectionStatusChanged"]) {
        const slot = () => {};
        kernel[name].connect(slot);
        kernel[name].disconnect(slot);
        heard.push(name);
      }
      const { content } = await kernel.requestCommInfo({ target_name: "jupyter.widget" });
      return { heard, status: typeof kernel.status, up: kernel.connectionStatus, ok: content.status,
        comms: Object.keys(content.comms) };
    }""")
    lost = "a lost connection to Python is not noticed: widget_manager.kernel is another"
    assert found["heard"] == ["statusChanged", "connectionStatusChanged"], lost
    assert (found["status"], found["up"], found["ok"]) == ("string", "connected", "ok"), lost
    assert notebook.python.value("probe.model_id") in found["comms"], "a restart of Python is not recognised"


def test_an_output_is_exchanged_without_drawing_its_widget_anew(notebook: Notebook) -> None:
    found = notebook.page.evaluate("""async () => {
      const { model, el } = window.probe;
      const notebook = model.widget_manager.context.model;
      const cells = [...notebook.cells].map(({ sharedModel }) => sharedModel);
      const [cell] = cells.filter((cell) => typeof cell.getOutputs === "function");
      const [output] = cell.getOutputs();
      notebook.dirty = false;
      const data = { ...output.data, "text/plain": "exchanged" };
      cell.updateOutputs(0, 1, [{ ...output, data }], "silent-change");
      notebook.dirty = true;
      for (let n = 0; n < 5; n++) await new Promise(requestAnimationFrame);
      return { text: String(cell.getOutputs()[0].data["text/plain"]), dirty: notebook.dirty, drawn: el.isConnected };
    }""")
    assert found["text"] == "exchanged", "a saved notebook keeps an old picture: outputs are changed otherwise now"
    assert found["dirty"] is True, "JupyterLab does not ask to save a notebook whose picture changed"
    assert found["drawn"], "a widget is drawn anew, under the hand that edits, when its picture is kept"


def test_what_is_saved_is_the_very_object_that_a_trait_holds(notebook: Notebook) -> None:
    saved = notebook.page.evaluate(
        """async (id) => {
      const { model } = window.probe;
      model.get("table").value = 7;
      const { state } = await model.widget_manager.get_state();
      return state[id].state.table.value;
    }""",
        notebook.python.value("probe.model_id"),
    )
    assert saved == 7, "a saved page shows the filters as they were when the lens was displayed"


def test_a_view_without_python_has_a_class_of_its_own() -> None:
    bundles = Path(sys.prefix, "share/jupyter/labextensions/@jupyter-widgets/jupyterlab-manager/static").glob("*.js")
    found = any("jupyter-widgets-disconnected" in bundle.read_text(encoding="utf-8") for bundle in bundles)
    assert found, "a saved page says that Python is busy: ipywidgets marks its views otherwise now"


def test_a_closed_lens_leaves_the_pages_memory(notebook: Notebook) -> None:
    # Not by the mouse: an editor of JupyterLab's keeps the element in which text was selected last, one for the page.
    notebook.python.run("lens.kernels = [-kernel for kernel in lens.kernels]")
    LensView(notebook.page).settle()
    notebook.page.evaluate(
        """async (id) => {
      window.kept = new WeakRef(await window.probe.model.widget_manager.get_model(id));
    }""",
        notebook.python.value("lens.model_id"),
    )
    notebook.python.run("lens.close()")
    notebook.page.wait_for_function("() => !document.querySelector('.convlens')")
    deadline = time.monotonic() + SECONDS
    while notebook.page.evaluate("() => Boolean(window.kept.deref())"):
        assert time.monotonic() < deadline, "a page keeps the pictures and kernels of every lens that it ever showed"
        page_size(notebook.page)  # collects what is unneeded


def test_a_closed_comm_is_announced(notebook: Notebook) -> None:
    notebook.python.run("probe.close()")
    notebook.page.wait_for_function("() => window.probe.events.includes('comm:close')")
