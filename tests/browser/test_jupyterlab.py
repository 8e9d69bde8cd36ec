"""The lens as a guest of JupyterLab: its notebook, its shortcuts, its themes, its pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.expected import assert_grey
from tests.browser.hosts.jupyterlab import JupyterLab, Notebook
from tests.browser.lens import LensView
from tests.browser.notebooks import SMALL, assert_in_step
from tests.browser.running import watched
from tests.browser.server import JupyterServer

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "examples" / "tutorial.ipynb"


def test_the_tutorial_runs_and_draws_what_keras_computed(server: JupyterServer, browser: Browser) -> None:
    # Four device pixels for each CSS pixel: every pixel of the photograph has one of its own.
    with watched(browser, device_scale_factor=4) as context, JupyterLab.of(server, context) as lab:
        notebook = lab.open_file(TUTORIAL)
        notebook.run_all()
        notebook.show_lens()
        view = LensView(notebook.page).settle()
        assert_in_step(notebook, view)
        img = notebook.python.value("img")
        assert_grey(view.image_pixels(img.shape), img)


def test_a_page_that_is_loaded_again_shows_the_edits(apart: tuple[Notebook, LensView]) -> None:
    notebook, view = apart
    view.write(2, 0, 0, "7")
    view.settle()
    notebook.save()
    notebook.reload()
    assert_in_step(notebook, LensView(notebook.page))


def test_keys_pressed_in_the_lens_leave_the_notebooks_cells_alone(lab: JupyterLab, warm_python: str) -> None:
    cells = ["first = 1", SMALL, "last = 2"]
    notebook = lab.open(cells, python=warm_python)
    notebook.run_all()
    view = LensView(notebook.page).settle()
    keys = ("x", "d", "d", "a", "b", "Delete", "Control+z", "Shift+Enter", "m", "c", "v", "z", "0", "0", "i", "i")
    places = [
        view.cell(0, 1, 1),
        view.map(0).get_by_role("application"),
        view.root.locator(".cl-image").get_by_role("application"),
        view.button("Reset"),
        view.root.get_by_role("combobox").first,
    ]
    for place in places:
        for key in keys:
            place.focus()
            notebook.page.keyboard.press(key)
            notebook.page.keyboard.press("Escape")
        place.focus()
        notebook.page.keyboard.type("xddab")
        notebook.page.keyboard.press("Escape")
    view.write(0, 1, 1, "9")
    assert notebook.cells() == cells
    notebook.python.run("")
    assert notebook.python.value("(first, last)") == (1, 2)
    assert_in_step(notebook, view)


def test_the_page_scrolls_past_the_lens_with_the_wheel(lab: JupyterLab, warm_python: str) -> None:
    notebook = lab.open([SMALL, *["# below\n" * 20] * 8], python=warm_python)
    notebook.run_all()
    notebook.show_lens()
    view = LensView(notebook.page).settle()
    for place in (view.map(0).locator("canvas").first, view.cell(0, 1, 1), view.root.locator(".cl-image canvas").first):
        notebook.scroll_to(0)
        place.hover()
        start = notebook.scrolled()
        for _ in range(5):
            notebook.page.mouse.wheel(0, 120)
        notebook.page.wait_for_function(f"({notebook.SCROLLED})() > {start}")
    assert view.kernel(0)[1, 1] == -1


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1400, 380])
def test_the_lens_fits_its_place_and_has_no_accessibility_violation(
    apart: tuple[Notebook, LensView], dark: bool, width: int
) -> None:
    # On a page of its own: ipywidgets 7, on Colab, logs an error of its own when a view is taken off a page.
    notebook, view = apart
    notebook.set_theme(dark)
    notebook.page.set_viewport_size({"width": width, "height": 900})
    expect(view.root).to_have_attribute("data-theme", "dark" if dark else "light")
    view.until("root => root.clientWidth > 0 && root.clientWidth < innerWidth")
    view.assert_fits()
    notebook.page.add_script_tag(path=ROOT / "node_modules" / "axe-core" / "axe.min.js")
    found = notebook.page.evaluate("async () => (await axe.run('.convlens')).violations")
    assert [(v["id"], v["help"], [n["html"][:200] for n in v["nodes"]]) for v in found] == []
