"""The tutorial's lens as one file: opened from disk with no kernel and no network, edited, and printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from matplotlib.cbook import get_sample_data
from playwright.sync_api import Browser, expect

from convlens import ConvLens
from tests.browser.expected import assert_drawn
from tests.browser.lens import LensView
from tests.browser.running import watched

PREVIEWED = """root => [...root.querySelectorAll("figure[data-uid]")].every(
  (map) => map.dataset.provenance === "preview")"""


@pytest.fixture(scope="module")
def tutorial() -> ConvLens:
    lens = ConvLens(get_sample_data("grace_hopper.jpg", asfileobj=False))
    _ = lens.activations
    return lens


@pytest.fixture
def saved(tutorial: ConvLens, browser: Browser, tmp_path: Path) -> Iterator[LensView]:
    """The page, with enough device pixels for every pixel of a map."""
    tutorial.reset()
    tutorial.pixel = (120, 200)
    file = tmp_path / "lens.html"
    tutorial.save_html(file)
    assert file.stat().st_size < 500_000
    with watched(browser, width=1800, height=1400, device_scale_factor=3) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        view = LensView(page).wait()
        view.until(PREVIEWED)
        yield view


def test_the_tutorials_page_is_edited_to_the_pixels_that_keras_gives(saved: LensView, tutorial: ConvLens) -> None:
    expect(saved.root.locator(".cl-status")).to_contain_text("Keras not connected")
    saved.write(0, 0, 0, "1/3")
    saved.write(0, 3, 3, "-2.5")
    saved.drag(2, 1, 1, up=25)
    saved.until(PREVIEWED)
    tutorial.kernels = [saved.kernel(index) for index in range(4)]
    assert tutorial.kernels[0][0, 0] == np.float32(1 / 3)
    assert tutorial.kernels[2][1, 1] != -1
    for index, activation in enumerate(tutorial.activations):
        assert_drawn(saved.map_pixels(index, activation.shape), activation)


def test_on_paper_there_is_nothing_to_press_and_everything_to_read(saved: LensView) -> None:
    page = saved.page
    page.emulate_media(media="print", color_scheme="dark")
    # The width of an A4 page between its margins, at 96 pixels an inch.
    page.set_viewport_size({"width": 718, "height": 1000})
    expect(saved.root.locator("button:visible, select:visible")).to_have_count(0)
    assert saved.root.evaluate("root => getComputedStyle(root).colorScheme") == "light"
    assert saved.root.evaluate("root => root.scrollWidth <= root.clientWidth && root.clientWidth <= innerWidth")
    for index in range(4):
        expect(saved.map(index)).to_be_visible()
        expect(saved.cell(index, 3, 3)).to_be_visible()
        expect(saved.card(index).get_by_role("textbox", name="Name")).to_be_visible()
    expect(saved.root.locator("figure.cl-image")).to_be_visible()
    expect(saved.root.get_by_role("tabpanel")).to_contain_text("patch")


def test_a_printed_page_shows_every_map_also_those_that_were_out_of_sight(saved: LensView) -> None:
    page = saved.page
    page.set_viewport_size({"width": 800, "height": 300})
    document = page.pdf(format="A4")
    pages = len(re.findall(rb"/Type\s*/Page\b", document))
    assert 1 <= pages <= 3
    # Whatever is printed was painted, the last map as well, at its own resolution.
    painted = """root => [...root.querySelectorAll("figure[data-uid]")]
      .map((map) => map.querySelector("canvas"))
      .map((canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data)
      .map((pixels) => pixels.some((value) => value > 0))"""
    assert saved.root.evaluate(painted) == [True] * 4
