"""Accessibility: no violation that axe finds, targets that can be hit, a focus that can be seen, no motion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.hosts.jupyterlab import Notebook
from tests.browser.lens import LensView
from tests.browser.notebooks import SMALL
from tests.checkout import ROOT

Show = Callable[..., LensView]

TABS = ("This pixel", "Shapes", "Layer", "Kernel", "Export")
WIDTHS = (1400, 390)

TUTORIAL = SMALL.replace("lens = ConvLens(", "lens = ConvLens(bias=[-0.25, 0, 0, 0], image=").replace(
    "image=img, [", "image=img, kernels=["
)
COLOUR = """
import numpy as np
from convlens import ConvLens
img = np.random.default_rng(0).integers(0, 256, (40, 48, 3), dtype=np.uint8)
lens = ConvLens(img, [np.ones((3, 3, 3)) / 27, np.eye(3)[..., None] * [1, 0, -1]], padding="same")
lens
"""
MODEL = """
import keras
import numpy as np
from convlens import ConvLens
keras.utils.set_random_seed(3)
layers = keras.layers
model = keras.Sequential([
    keras.Input((32, 32, 3)),
    layers.Conv2D(12, 3, activation="relu", name="stem"),
    layers.Conv2D(40, 3, padding="same", activation="relu", name="second"),
    layers.GlobalAveragePooling2D(),
    layers.Dense(5, activation="softmax"),
])
img = np.random.default_rng(0).random((32, 32, 3)).astype(np.float32)
lens = ConvLens(img, model=model, layer="second")
lens
"""
LENSES = {"tutorial": TUTORIAL, "colour": COLOUR, "model": MODEL}

#: Elements that reach beyond the lens.
OVERFLOW = """root => [root, ...root.querySelectorAll("*")].filter(
    (e) => e.checkVisibility() && e.getBoundingClientRect().right > root.getBoundingClientRect().right + 0.5
      && !e.closest("[popover], .cl-hidden, .cl-scroll, .cl-products, .cl-planes, .cl-marks, .cl-grid")
  ).map((e) => e.outerHTML.slice(0, 120))"""

#: What can be pressed and is smaller than 24 by 24 CSS pixels. A field that is hidden is pressed by its label.
SMALL_TARGETS = """root => [...root.querySelectorAll(
    "button, input, select, textarea, summary, a[href], " +
    "[role=gridcell], [role=menuitem], [role=option], [role=application]"
  )].filter((e) => e.checkVisibility())
  .map((e) => e.closest("label") ?? e)
  .filter((e) => !e.matches("input[type=range]"))
  .map((e) => [e.getBoundingClientRect(), e.outerHTML.slice(0, 120)])
  .filter(([{ width, height }]) => width > 0 && (width < 24 || height < 24))
  .map(([{ width, height }, html]) => `${width} x ${height} ${html}`)"""

#: The element that has the focus, if it is in the lens, and whether a ring shows it.
FOCUSED = """() => {
  const e = document.activeElement;
  if (!e?.closest(".convlens")) return null;
  const ringed = (one) => one && getComputedStyle(one).outlineStyle !== "none"
    && Number.parseFloat(getComputedStyle(one).outlineWidth) >= 1.5;
  const shown = [e, e.nextElementSibling, e.closest("label")].some(ringed);
  return [`${e.tagName} ${e.className} ${e.getAttribute("aria-label") ?? e.textContent?.slice(0, 30)}`, shown];
}"""


def violations(page: Page) -> list[Any]:
    """Return what axe finds wrong with the lens and whatever it has opened."""
    if not page.evaluate("() => 'axe' in window"):
        page.add_script_tag(path=ROOT / "node_modules" / "axe-core" / "axe.min.js")
    found = page.evaluate("async () => (await axe.run('.convlens', { resultTypes: ['violations'] })).violations")
    return [(v["id"], v["help"], [n["html"][:200] for n in v["nodes"][:5]]) for v in found]


def panels(view: LensView) -> Iterator[str]:
    """Open every panel that explains, one after the other, each once it is complete."""
    for name in TABS:
        view.root.get_by_role("tab", name=name).click()
        if name == "Kernel":
            view.root.locator(".cl-response canvas").wait_for()
        if name == "This pixel":
            view.root.locator(".cl-taken").wait_for()
            view.root.locator("[data-result] svg").wait_for()
        if name == "Export":
            view.root.get_by_role("button", name="Keras code").click()
            view.root.locator("textarea").wait_for()
        yield name


def opened(view: LensView) -> Iterator[str]:
    """Open what opens over the lens, or in it, one after the other."""
    more = view.root.locator(".cl-more").first
    more.click()
    view.root.get_by_role("menu").first.wait_for()
    yield "menu"
    view.page.keyboard.press("Escape")
    more.click()
    view.root.get_by_role("menuitem", name="Presets…").first.click()
    view.root.locator(".cl-preset").first.wait_for()
    yield "presets"
    view.root.get_by_role("button", name="Close the presets").click()
    view.button("Questions, keys and gestures").click()
    yield "help"
    view.button("Questions, keys and gestures").click()
    view.root.get_by_role("tab", name="This pixel").click()
    view.root.locator("summary").last.click()
    yield "contributions"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("lens", LENSES)
def test_axe_finds_nothing_wrong_in_any_panel_wide_or_narrow(
    settings: Notebook, show: Show, lens: str, dark: bool
) -> None:
    settings.set_theme(dark)
    view = show(LENSES[lens])
    expect(view.root).to_have_attribute("data-theme", "dark" if dark else "light")
    settings.python.run("lens.pixel = (4, 5)")
    wrong = {}
    for width in WIDTHS:
        settings.page.set_viewport_size({"width": width, "height": 1000})
        view.until("(root, width) => root.clientWidth > 0 && root.clientWidth < width", width)
        for panel in panels(view):
            found = view.found_at_rest(OVERFLOW) + violations(settings.page) + view.root.evaluate(SMALL_TARGETS)
            wrong[f"{panel} at {width}"] = found
    for part in opened(view):
        wrong[part] = violations(settings.page) + view.root.evaluate(SMALL_TARGETS)
    assert {place: found for place, found in wrong.items() if found} == {}


def test_the_focus_is_seen_wherever_the_tab_key_brings_it(shared: Notebook, show: Show) -> None:
    view = show(TUTORIAL)
    shared.python.run("lens.pixel = (4, 5)")
    view.root.locator(".cl-taken").wait_for()
    view.button("Reset").focus()
    unseen, places = [], 0
    while (focused := shared.page.evaluate(FOCUSED)) is not None:
        places += 1
        if places > 1 and not focused[1]:
            unseen.append(focused[0])
        assert places < 200
        shared.page.keyboard.press("Tab")
    assert unseen == []
    # The four filters have a handle, a name, a menu, a grid, a bias, a paint button and a map each.
    assert places > 28


def test_under_reduced_motion_nothing_moves_and_the_slide_goes_by_steps(shared: Notebook, show: Show) -> None:
    shared.page.emulate_media(reduced_motion="reduce")
    try:
        view = show(TUTORIAL)
        moving = """root => [root, ...root.querySelectorAll("*")].filter((e) => {
            const { transitionDuration, animationName } = getComputedStyle(e);
            return animationName !== "none" || transitionDuration.split(",").some((t) => Number.parseFloat(t) > 0);
          }).map((e) => e.outerHTML.slice(0, 100))"""
        assert view.root.evaluate(moving) == []
        play = view.root.get_by_role("button", name="Play")
        expect(play).to_be_disabled()
        expect(play).to_have_attribute("title", "Your system asks for reduced motion: go step by step.")
        view.button("One pixel forward").click()
        expect(view.root.locator(".cl-explainhead strong")).to_contain_text("row 0, col 0")
    finally:
        shared.page.emulate_media(reduced_motion="no-preference")
