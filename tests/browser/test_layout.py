"""What is in sight, how large it is, and that nothing on the page moves while maps, values and messages come and go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.hosts.jupyterlab import JupyterLab, Notebook
from tests.browser.lens import LensView
from tests.browser.notebooks import SMALL_MAP
from tests.browser.running import watched
from tests.browser.server import JupyterServer
from tests.checkout import ROOT

Show = Callable[..., LensView]

#: Where something lies in the part of the notebook that is on screen once the lens is scrolled to its top.
SEEN = """async (root, selector) => {
  const scroller = root.closest(".jp-WindowedPanel-outer");
  scroller.scrollTop += root.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
  for (let n = 0; n < 3; n++) await new Promise(requestAnimationFrame);
  const top = scroller.getBoundingClientRect().top;
  return [...root.querySelectorAll(selector)].map((e) => e.getBoundingClientRect())
    .map(({ top: y, bottom, width, height }) =>
      ({ width, height, whole: y >= top - 1 && bottom <= top + scroller.clientHeight + 1 }));
}"""

WATCH = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries())
      window.shifts.push([value, ...sources.map(({ node }) => node?.outerHTML?.slice(0, 90))]);
  }).observe({ type: "layout-shift" });
}"""


@pytest.fixture(scope="module")
def tutorial(server: JupyterServer, browser: Browser) -> Iterator[tuple[Notebook, LensView]]:
    """The tutorial among JupyterLab's panels, without the sidebar."""
    with watched(browser, width=1280, height=720) as context, JupyterLab.of(server, context) as lab:
        notebook = lab.open_file(ROOT / "examples" / "tutorial.ipynb")
        notebook.command("application:toggle-left-area")
        notebook.run_all()
        notebook.show_lens()
        yield notebook, LensView(notebook.page).settle()


def seen(view: LensView, selector: str) -> list[dict[str, Any]]:
    """Return the size of each element that a selector finds, and whether all of it is in sight."""
    found: list[dict[str, Any]] = view.root.evaluate(SEEN, selector)
    return found


def resized(notebook: Notebook, view: LensView, width: int, height: int) -> None:
    """Give the window another size and wait until the lens has followed."""
    view.root.evaluate("root => { root.querySelector('.cl-layout').style.setProperty('--cl-map-width', '1px'); }")
    notebook.page.set_viewport_size({"width": width, "height": height})
    view.until("root => root.querySelector('.cl-layout').style.getPropertyValue('--cl-map-width') !== '1px'")


def test_on_a_laptop_and_beside_a_sidebar_the_input_and_all_cards_are_whole_in_sight(
    tutorial: tuple[Notebook, LensView],
) -> None:
    notebook, view = tutorial
    assert [one["height"] < 48 for one in seen(view, ".cl-toolbar")] == [True]
    assert [one["whole"] for one in seen(view, ".cl-toolbar, .cl-image, .cl-card")] == [True] * 6
    for one in seen(view, ".cl-map .cl-frame"):
        assert one["width"] * one["height"] >= 42_000
    notebook.command("application:toggle-left-area")
    resized(notebook, view, 1400, 1100)
    try:
        assert [one["whole"] for one in seen(view, ".cl-image, .cl-card")] == [True] * 5
        for one in seen(view, ".cl-map .cl-frame"):
            assert one["width"] * one["height"] >= 60_000
    finally:
        notebook.command("application:toggle-left-area")
        resized(notebook, view, 1280, 720)


def test_in_focus_image_map_and_sum_are_in_sight_together_at_one_scale(tutorial: tuple[Notebook, LensView]) -> None:
    notebook, view = tutorial
    view.map(1).locator("canvas").first.dblclick(position={"x": 80, "y": 90})
    view.root.locator(".cl-focussum .cl-sum").wait_for()
    view.settle()
    assert notebook.python.value("(lens.view, lens.selected)") == ("focus", 1)
    parts = seen(view, ".cl-focus .cl-image .cl-frame, .cl-focus .cl-map .cl-frame, .cl-focussum")
    assert [one["whole"] for one in parts] == [True] * 3
    image, map_, _ = parts
    rows, cols = notebook.python.value("lens.activations.shape[1:]")
    height, width = notebook.python.value("lens.image.shape[:2]")
    np.testing.assert_allclose(image["width"] / width, map_["width"] / cols, rtol=2e-3)
    np.testing.assert_allclose(image["height"] / height, map_["height"] / rows, rtol=5e-3)
    notebook.page.keyboard.press("Escape")
    expect(view.cards()).to_have_count(4)
    view.settle()
    assert notebook.python.value("lens.view") == "grid"


def test_narrow_the_tutorial_is_short_enough_to_read(tutorial: tuple[Notebook, LensView]) -> None:
    notebook, view = tutorial
    notebook.python.run("lens.layout.width = '316px'; lens.pixel = None")
    try:
        view.until("root => root.clientWidth <= 316")
        view.until("root => root.querySelector('[data-kernel=folded]')")
        size = view.root.bounding_box()
        assert size is not None and size["height"] <= 2400
        image, *maps = seen(view, ".cl-frame")
        assert image["width"] > 0.9 * size["width"]
        assert all(one["width"] > 0.9 * size["width"] for one in maps)
        expect(view.cell(0, 0, 0)).not_to_be_visible()
        view.card(0).get_by_role("button", name="Kernel", exact=True).click()
        expect(view.cell(0, 0, 0)).to_be_visible()
    finally:
        notebook.python.run("lens.layout.width = 'auto'")


def test_nothing_moves_between_preview_keras_pinned_hovered_and_an_error(shared: Notebook, show: Show) -> None:
    view = show()
    page = shared.page
    page.evaluate(WATCH)
    shared.python.run("k = lens.kernels[0].copy(); k[0] = 0.5; lens.set_kernel(0, k)")
    view.settle()
    page.mouse.move(*view.point(view.map(1), SMALL_MAP, 20, 30))
    expect(view.map(1).locator(".cl-readout")).to_contain_text("row 20, col 30")
    page.mouse.move(2, 2)
    shared.python.run("lens.pixel = (20, 30)")
    view.root.locator(".cl-taken").wait_for()
    shared.python.run("lens.overlay = 0.5; lens.kernel_cmap = 'RdBu_r'")
    expect(view.root.locator(".cl-under")).to_have_count(4)
    shared.python.run("lens.send({'type': 'none'}); lens._problem = {'id': 7, 'title': 'Refused', 'text': 'why'}")
    expect(view.notice()).to_have_count(1)
    page.evaluate("async () => { for (let n = 0; n < 5; n++) await new Promise(requestAnimationFrame); }")
    # The panel below the cards grows when a pixel is taken apart; nothing that was on screen may move for it.
    assert page.evaluate("window.shifts") == []
