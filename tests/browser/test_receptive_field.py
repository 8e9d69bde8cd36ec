"""A pixel pinned in a layer deep in a model has its receptive field outlined in the image, in JupyterLab."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.expected import assert_grey
from tests.browser.hosts.jupyterlab import Notebook
from tests.browser.lens import LensView

MODEL = """
import keras, numpy as np
from convlens import ConvLens
keras.utils.set_random_seed(0)
def model_with(*between):
    inputs = keras.Input((24, 20, 3))
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(inputs)
    for layer in (keras.layers.MaxPooling2D(2), *between, keras.layers.Conv2D(2, 3, padding="same", name="deep")):
        x = layer(x)
    return keras.Model(inputs, x)
rows, cols = np.mgrid[:24, :20]
img = np.stack([10 * rows, 12 * cols, 120 + 5 * rows - 5 * cols], -1).astype("uint8")
"""

Show = Callable[..., LensView]

#: First row, first column, rows and columns.
Block = tuple[int, int, int, int]


def cell(between: str = "") -> str:
    """Code of a lens on a layer that comes after these layers."""
    return f"{MODEL}model = model_with({between})\nlens = ConvLens(img, model=model, layer='deep')\nlens"


def pin(view: LensView, shape: Sequence[int], row: int, col: int) -> Locator:
    """Click on a pixel of the first map; return the figure of the input image."""
    view.page.mouse.click(*view.point(view.map(0), shape, row, col))
    return view.root.locator("figure.cl-image")


def outlined(figure: Locator, selector: str) -> Block:
    """The pixels of the image, 24 rows of 20, that lie within an outline drawn over it."""
    path: Any = figure.locator(f".cl-mark-pin{selector} .cl-line").get_attribute("d")
    frame = figure.locator(".cl-frame").bounding_box()
    assert frame is not None
    scale = min(frame["width"] / 20, frame["height"] / 24)
    number = r"(-?[\d.]+(?:e-?\d+)?)"
    found = re.match(rf"M{number} {number}h{number}v{number}h", path)
    assert found is not None, path
    x, y, width, height = (float(text) for text in found.groups())
    left, top = (frame["width"] - 20 * scale) / 2, (frame["height"] - 24 * scale) / 2
    block = [(y - top) / scale, (x - left) / scale, height / scale, width / scale]
    assert block == pytest.approx([round(n) for n in block], abs=0.02)
    row, col, rows, cols = (round(n) for n in block)
    return row, col, rows, cols


def test_the_outline_is_where_arithmetic_puts_it_and_dashed_in_the_padding(show: Show) -> None:
    view = show(cell())
    figure = pin(view, (6, 5), 0, 4)
    # Rows -1 to 1 and columns 3 to 5 of the pooled map are rows -2 to 3 and columns 6 to 11 of the first map, whose
    # row r reads rows 2 r to 2 r + 2 of the image: "same" adds one row, below. The image has columns up to 19.
    expect(figure.locator("output")).to_have_text("rows −4 to 8, cols 12 to 24")
    expect(figure.get_by_role("application")).to_have_accessible_name(
        re.compile("The pinned pixel depends on rows −4 to 8, cols 12 to 24$")
    )
    expect(view.root.get_by_role("tabpanel")).to_contain_text(
        "rows −4 to 8, cols 12 to 24 of the image: 13 × 13 pixels"
    )
    assert outlined(figure, "[data-dashed]") == (-4, 12, 13, 13)
    assert outlined(figure, ":not([data-dashed])") == (0, 12, 9, 8)
    # In the middle nothing is padding.
    pin(view, (6, 5), 2, 2)
    expect(figure.locator("output")).to_have_text("rows 4 to 16, cols 4 to 16")
    expect(figure.locator("[data-dashed]")).to_have_count(0)
    assert outlined(figure, "") == (4, 4, 13, 13)
    view.page.keyboard.press("Escape")
    expect(figure.locator(".cl-mark-pin")).to_have_count(0)
    expect(figure.get_by_role("application")).not_to_have_accessible_name(re.compile("depends"))


def test_a_field_that_cannot_be_told_says_why(show: Show) -> None:
    view = show(cell("keras.layers.Lambda(lambda x: x[:, ::-1], name='upside_down')"))
    figure = pin(view, (6, 5), 0, 4)
    why = re.compile("not known.*'upside_down' \\(Lambda\\)")
    expect(figure.locator(".cl-notes")).to_contain_text(why)
    expect(view.root.get_by_role("tabpanel")).to_contain_text(why)
    expect(figure.locator(".cl-mark-pin")).to_have_count(0)


def test_the_channel_that_is_pressed_is_the_one_that_is_drawn_and_so_it_is_the_second_time(
    shared: Notebook, show: Show
) -> None:
    view = show(cell())
    pin(view, (6, 5), 2, 2)
    fed = shared.python.value(
        "np.asarray(keras.Model(model.inputs, model.get_layer('deep').input)(lens.image[None]))[0]"
    )
    figure = view.root.locator("figure.cl-layerinput")
    for channel in (1, 3, 1):
        view.root.locator(".cl-channel").nth(channel).click()
        expect(figure).to_contain_text(f"channel {channel} of 4")
        expect(figure.locator(".cl-legend-range")).to_be_visible()
        view.settle()
        assert_grey(view.layer_input_pixels((6, 5)), fed[:, :, channel])
