"""Fingers: a tap selects, a slider or a drag changes, two fingers magnify, one moves what is magnified, menus open."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.guards import Guard
from tests.browser.hosts.jupyterlab import JupyterLab, Notebook
from tests.browser.lens import LensView
from tests.browser.notebooks import SMALL, SMALL_MAP, assert_in_step
from tests.browser.running import profile
from tests.browser.server import JupyterServer

Point = tuple[float, float]


class Fingers:
    """Moves fingers over a page, as Chromium's own protocol has them."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)

    def move(self, *paths: list[Point]) -> None:
        """Put down a finger at the start of each path, move all along their paths together, and lift them."""
        for step, points in enumerate(zip(*paths, strict=True)):
            touches = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
            self._send("touchMove" if step else "touchStart", touches)
        self._send("touchEnd", [])

    def _send(self, kind: str, touches: list[dict[str, float]]) -> None:
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


def line(start: Point, end: Point, steps: int = 8) -> list[Point]:
    """Points from one to another."""
    (x, y), (to_x, to_y) = start, end
    return [(x + (to_x - x) * i / steps, y + (to_y - y) * i / steps) for i in range(steps + 1)]


#: Whether all of an element is on the screen, and nothing lies over it.
IN_SIGHT = """element => {
  const { top, bottom, left, right } = element.getBoundingClientRect();
  const there = (x, y) => element.contains(document.elementFromPoint(x, y));
  return there(left + 2, top + 2) && there(right - 2, bottom - 2);
}"""

#: Sizes of the text in all fields that are shown: a phone magnifies the page for one with less than 16 pixels.
FIELDS = """root => [...root.querySelectorAll("input, select, textarea")]
  .filter((field) => field.checkVisibility() && !/range|radio|checkbox/.test(field.type))
  .map((field) => Number.parseFloat(getComputedStyle(field).fontSize))"""

#: Whether each kernel ends where its card does.
INSIDE = """root => [...root.querySelectorAll(".cl-card")].every((card) =>
  card.querySelector(".cl-planes").getBoundingClientRect().right <= card.getBoundingClientRect().right)"""


@pytest.fixture(scope="module")
def shared(server: JupyterServer, browser: Browser, warm_python: str) -> Iterator[Notebook]:
    """One notebook for all tests here, on a tablet."""
    context = profile(browser, viewport={"width": 820, "height": 1100}, has_touch=True)
    guard = Guard(context)
    with JupyterLab.of(server, context) as lab:
        yield lab.open([SMALL], python=warm_python)
    context.close()
    guard.check()


@pytest.fixture
def touched(small: tuple[Notebook, LensView]) -> tuple[Notebook, LensView, Fingers]:
    """A settled lens on a tablet."""
    notebook, view = small
    return notebook, view, Fingers(notebook.page)


def test_a_cell_is_edited_with_a_slider_by_dragging_it_and_by_typing(
    touched: tuple[Notebook, LensView, Fingers],
) -> None:
    notebook, view, fingers = touched
    view.cell(0, 1, 1).tap()
    slider = view.card(0).get_by_role("slider")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None and box["height"] >= 24
    middle = box["y"] + box["height"] / 2
    # From −2 to 2: the thumb stands at −1, a quarter of the way.
    fingers.move(line((box["x"] + box["width"] / 4, middle), (box["x"] + box["width"] * 0.8, middle)))
    view.until("root => !root.querySelector('[data-at=\"0,1,1\"]').getAttribute('aria-label').endsWith('−1')")
    assert_in_step(notebook, view)
    slid = notebook.python.value("lens.kernels[0][1, 1]")
    assert slid > 0
    # The tapped cell is dragged as with a mouse, up by 40 pixels; the page stays where it is.
    view.cell(0, 1, 1).scroll_into_view_if_needed()
    place = view.cell(0, 1, 1).bounding_box()
    assert place is not None
    start, x, y = notebook.scrolled(), place["x"] + 10, place["y"] + 10
    fingers.move(line((x, y), (x, y - 40)))
    view.settle()
    assert notebook.scrolled() == start
    assert_in_step(notebook, view)
    # The kernel's power of ten is 1: a hundred pixels are 1.
    np.testing.assert_allclose(notebook.python.value("lens.kernels[0][1, 1]"), slid + 0.4, atol=0.011)
    view.card(0).get_by_role("button", name="Type").tap()
    notebook.page.keyboard.type("1/8")
    notebook.page.keyboard.press("Enter")
    view.wait_for_number(0, 1, 1, 0.125)
    assert_in_step(notebook, view)


def test_a_tap_pins_two_fingers_magnify_and_one_moves(touched: tuple[Notebook, LensView, Fingers]) -> None:
    notebook, view, fingers = touched
    x, y = view.point(view.map(0), SMALL_MAP, 30, 25)
    notebook.page.touchscreen.tap(x, y)
    view.until("root => root.querySelector('.cl-taken')")
    assert notebook.python.value("lens.pixel") == (30, 25)
    zoom = "root => Number.parseFloat(root.querySelector('.cl-toolbar').textContent.match(/([\\d.]+)×/)[1])"
    assert view.root.evaluate(zoom) == 1
    x, y = view.point(view.map(0), SMALL_MAP, 30, 25)
    fingers.move(line((x - 15, y), (x - 60, y)), line((x + 15, y), (x + 60, y)))
    view.until(f"root => ({zoom})(root) > 1.5")
    scrolled = notebook.scrolled()
    # One colour of the canvas is not enough to see a move: all of them are.
    look = "canvas => canvas.toDataURL()"
    canvas = view.map(1).locator("canvas").first
    before = canvas.evaluate(look)
    fingers.move(line((x, y), (x + 40, y + 40)))
    view.until("(root, before) => root.querySelector('[data-card=\"1\"] canvas').toDataURL() !== before", before)
    assert notebook.scrolled() == scrolled
    # The pin stayed where it was: no finger that moved was a tap.
    assert notebook.python.value("lens.pixel") == (30, 25)


def test_the_menus_open_and_act_by_taps_and_a_finger_on_another_cell_scrolls_the_page(
    touched: tuple[Notebook, LensView, Fingers],
) -> None:
    notebook, view, fingers = touched
    view.card(0).locator(".cl-more").tap()
    item = view.card(0).get_by_role("menuitem", name="Negate")
    box = item.bounding_box()
    assert box is not None and box["height"] >= 24
    item.tap()
    view.wait_for_number(0, 0, 0, 1)
    assert_in_step(notebook, view)
    # Held across there is more of the notebook than the screen shows.
    notebook.page.set_viewport_size({"width": 820, "height": 600})
    view.settle()
    notebook.scroll_to(0)
    cell = view.cell(2, 1, 1)
    cell.scroll_into_view_if_needed()
    place = cell.bounding_box()
    assert place is not None
    start, before = notebook.scrolled(), view.kernel(2)
    x, y = place["x"] + 10, place["y"] + 10
    fingers.move(line((x, y), (x, max(20, y - 300) if start == 0 else min(580, y + 300)), steps=12))
    notebook.page.wait_for_function(f"start => ({notebook.SCROLLED})() !== start", arg=start)
    assert (view.kernel(2) == before).all()
    expect(view.notice()).to_have_count(0)


@pytest.mark.parametrize(("width", "height"), [(390, 844), (360, 640)])
def test_on_a_phone_the_slider_is_in_sight_with_its_cell_and_the_words_are_of_fingers(
    touched: tuple[Notebook, LensView, Fingers], width: int, height: int
) -> None:
    notebook, view, fingers = touched
    notebook.page.set_viewport_size({"width": 820, "height": 1100})
    notebook.python.run("lens.kernels = [np.eye(7)] * 4")
    view.until("root => root.querySelector('.cl-layout:not([data-kernel=folded]) [aria-rowcount=\"7\"]')")
    view.settle()
    # On a tablet they are wider than their maps, and stay inside their cards.
    assert view.root.evaluate(INSIDE)
    notebook.page.set_viewport_size({"width": width, "height": height})
    view.until("root => root.querySelector('[data-kernel=folded]')")
    view.settle()
    bar = view.root.locator(".cl-toolbar").bounding_box()
    assert bar is not None and bar["height"] <= 48
    view.card(0).get_by_role("button", name="Kernel", exact=True).tap()
    # At the lower edge of the screen there is no room below the cell.
    cell = view.cell(0, 6, 3)
    cell.evaluate("cell => cell.scrollIntoView({ block: 'end' })")
    cell.tap()
    slider = view.card(0).locator(".cl-kslider")
    expect(slider).to_be_visible()
    for element in (cell, slider):
        assert element.evaluate(IN_SIGHT)
    view.card(0).get_by_role("button", name="Type").tap()
    sizes = view.root.evaluate(FIELDS)
    assert len(sizes) > 3 and min(sizes) >= 16
    notebook.page.keyboard.press("Escape")
    # A finger on a map scrolls.
    at = view.map(1).locator("canvas").first
    at.scroll_into_view_if_needed()
    box = at.bounding_box()
    assert box is not None
    start, (x, y) = notebook.scrolled(), (box["x"] + 30, box["y"] + 60)
    fingers.move(line((x, y), (x, y - 50 if start == 0 else y + 50), steps=12))
    notebook.page.wait_for_function(f"start => ({notebook.SCROLLED})() !== start", arg=start)
    view.button("Questions, keys and gestures").tap()
    said = view.root.locator(".cl-help dl")
    expect(said.first).to_contain_text("two fingers")
    expect(said.first).not_to_contain_text("wheel")
    view.button("Questions, keys and gestures").tap()
