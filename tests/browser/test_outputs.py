"""What a notebook keeps of a lens for places that show no widgets: a picture and a line, as of the last change."""

from __future__ import annotations

import base64
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter, LatexExporter
from playwright.sync_api import Browser, expect

from tests.browser.expected import picture
from tests.browser.hosts.jupyterlab import Notebook
from tests.browser.hosts.vscode import VSCode
from tests.browser.lens import LensView
from tests.browser.server import JupyterServer

WIDGET = "application/vnd.jupyter.widget-view+json"


def saved(notebook: Notebook, server: JupyterServer) -> nbformat.NotebookNode:
    """Save the notebook and return what is in its file."""
    notebook.save()
    path = notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.path")
    file: nbformat.NotebookNode = nbformat.read(server.root / path, as_version=4)
    return file


def test_a_saved_notebook_holds_the_picture_of_the_last_edit(
    small: tuple[Notebook, LensView], server: JupyterServer
) -> None:
    notebook, view = small
    view.write(0, 0, 0, "3")
    view.drag(1, 2, 2, up=30)
    view.root.get_by_role("combobox", name="colours").select_option("viridis")
    view.settle()
    notebook.wait_for_output(picture(notebook.python))
    file = saved(notebook, server)
    (output,) = [one for one in file["cells"][0]["outputs"] if one["output_type"] != "stream"]
    assert set(output["data"]) == {WIDGET, "image/png", "text/plain"}
    line = "ConvLens: Conv2D, 4 filters of 4 × 4 on 76 × 64 × 1 → maps of 73 × 61 (relu)"
    assert output["data"]["text/plain"] == line
    assert "widgets" not in file["metadata"]
    assert len(output["data"]["image/png"]) < 200_000


def test_nbconvert_shows_that_picture_in_html_and_in_latex(
    small: tuple[Notebook, LensView], server: JupyterServer
) -> None:
    notebook, view = small
    view.write(2, 1, 1, "7")
    view.settle()
    drawn = picture(notebook.python)
    notebook.wait_for_output(drawn)
    file = saved(notebook, server)
    page, _ = HTMLExporter(embed_images=True).from_notebook_node(file)
    assert f"data:image/png;base64,{drawn}" in page.replace("\n", "")
    assert WIDGET not in page
    _, parts = LatexExporter().from_notebook_node(file)
    assert base64.b64decode(drawn) in parts["outputs"].values()


def test_keeping_the_picture_leaves_the_live_lens_alone(small: tuple[Notebook, LensView]) -> None:
    notebook, view = small
    view.root.evaluate("root => { root.mark = 'the same'; }")
    view.cell(3, 1, 2).click()
    notebook.page.keyboard.type("5")
    notebook.page.keyboard.press("Enter")
    view.settle()
    focus = "() => document.activeElement.closest('[data-at]')?.dataset.at"
    at = notebook.page.evaluate(focus)
    assert at
    before = notebook.scrolled()
    notebook.wait_for_output(picture(notebook.python))
    assert notebook.page.evaluate(focus) == at
    assert notebook.scrolled() == before
    assert view.root.evaluate("root => root.mark") == "the same"
    assert notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.model.dirty")


def test_a_notebook_from_elsewhere_shows_the_picture_until_it_is_run(
    small: tuple[Notebook, LensView], server: JupyterServer
) -> None:
    notebook, _ = small
    drawn = picture(notebook.python)
    notebook.wait_for_output(drawn)
    file = saved(notebook, server)
    # A notebook that this server has not signed is not trusted to show widgets.
    file.metadata["from"] = "elsewhere"
    nbformat.write(file, server.root / "elsewhere.ipynb")
    page = notebook.page.context.new_page()
    page.goto(f"{server.url}/doc/tree/elsewhere.ipynb?token={server.token}&reset")
    shown = page.locator(".jp-OutputArea-output img")
    expect(shown).to_be_visible()
    assert shown.get_attribute("src") == f"data:image/png;base64,{drawn}"
    page.close()


def test_vscode_shows_the_picture_of_the_last_edit_when_a_notebook_is_opened_again(
    browser: Browser, tmp_path: Path
) -> None:
    with VSCode.open(browser, tmp_path / "vscode") as host:
        view = host.view().settle()
        view.root.evaluate("root => { root.mark = 'the same'; }")
        view.write(0, 0, 0, "3")
        view.settle()
        drawn = picture(host.python)
        host.wait_for_output(drawn)
        assert view.root.evaluate("root => root.mark") == "the same"
        outputs = host.page.evaluate("() => window.saved()")
        host.page.reload()
        host.page.wait_for_function("() => window.ready")
        host.page.evaluate("outputs => window.openFile(outputs)", outputs)
        shown = host.page.locator("img").first
        expect(shown).to_be_visible()
        assert shown.get_attribute("src") == f"data:image/png;base64,{drawn}"
        expect(host.page.locator(".convlens")).to_have_count(0)
