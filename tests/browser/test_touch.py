"""Fingers: a tap selects, a slider changes, two fingers magnify, one moves what is magnified, menus open."""

from __future__ import annotations

from collections.abc import Iterator

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


def test_a_cell_is_edited_with_a_slider_and_by_typing(touched: tuple[Notebook, LensView, Fingers]) -> None:
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
    assert notebook.python.value("lens.kernels[0][1, 1]") > 0
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


def test_the_menus_open_and_act_by_taps_and_a_finger_on_a_cell_scrolls_the_page(
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
