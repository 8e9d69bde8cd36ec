"""An image larger than any screen shows: what is sent to the browser, and what it may request."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convlens import ConvLens
from convlens.protocol.outbox import UNTOLD_PIXELS
from convlens.protocol.records import WHOLE_PIXELS
from tests.unit.test_block_means import levels, slowly
from tests.unit.test_requests import Browser

SIZE = (600, 1000)
PICTURE = np.random.default_rng(0).integers(0, 256, SIZE).astype(np.uint8)
KERNEL = np.array([[-1, 1], [-1, 1]], np.float32)


@pytest.fixture(scope="module")
def browser() -> Browser:
    lens = ConvLens(PICTURE, [KERNEL, -KERNEL])
    _ = lens.activations  # Keras has arrived
    return Browser(lens)


def expected_levels(values: np.ndarray, shape: tuple[int, int], part: Any = ...) -> np.ndarray:
    """Return the levels of the means of a part, over the range of all values."""
    low, high = float(values.min()), float(values.max())
    return np.floor((slowly(values[part], shape) - low) / (high - low) * 256)


def test_a_map_crosses_at_the_size_that_a_browser_told_and_averaged(browser: Browser) -> None:
    untold = browser.ask("need", uids=[browser.uid(0)])["filters"][0]["map"]
    assert np.prod(untold["shape"]) <= UNTOLD_PIXELS
    assert browser.ask("screen", shape=[90, 150])["ok"]
    found = browser.tap(1, 0, 0.75)["filters"][0]["map"]
    assert found["shape"] == [90, 150] and len(found["levels"]) == 90 * 150
    own = browser.lens.activations[1]
    assert found["range"] == [own.min(), own.max()]
    assert found["counts"]["zeros"] == np.count_nonzero(own == 0)
    assert np.abs(levels(found) - expected_levels(own, (90, 150))).max() <= 1


def test_a_screen_larger_than_the_map_brings_every_pixel(browser: Browser) -> None:
    browser.ask("screen", shape=[2000, 3000])
    found = browser.ask("need", uids=[browser.uid(0)])["filters"][0]["map"]
    assert found["shape"] == list(browser.lens.activations[0].shape)


def test_a_close_up_is_a_window_reduced_to_no_more_than_its_pixels(browser: Browser) -> None:
    own = browser.lens.activations[0]
    part = (slice(100, 300), slice(50, 450))
    answer = browser.ask("close_up", uid=browser.uid(0), window=[100, 300, 50, 450], shape=[60, 1000])["close_up"]
    assert answer["map"]["shape"] == [60, 400]
    assert np.abs(levels(answer["map"]) - expected_levels(own, (60, 400), part)).max() <= 1
    assert answer["rev"] == browser.lens._session.engine.rev(browser.uid(0))


@pytest.mark.parametrize(
    ("kind", "fields", "text"),
    [
        ("screen", {"shape": [0, 5]}, "at least 1"),
        ("screen", {"shape": "large"}, "rows and columns"),
        ("close_up", {"window": [0, 601, 0, 5], "shape": [5, 5]}, "599 rows and 999 columns"),
        ("close_up", {"window": [5, 5, 0, 5], "shape": [5, 5]}, "599 rows"),
        ("close_up", {"window": [0, 5], "shape": [5, 5]}, "first row"),
        ("pixels", {"window": [0, 601, 0, 5]}, "600 rows and 1000 columns"),
        ("pixels", {"window": [0, True, 0, 5]}, "whole number"),
    ],
)
def test_a_view_that_cannot_be_is_refused(browser: Browser, kind: str, fields: dict[str, Any], text: str) -> None:
    answer = browser.ask(kind, uid=browser.uid(0), **fields)
    assert not answer["ok"] and text in answer["error"]["text"]


def test_the_image_crosses_reduced_with_its_own_range_and_its_pixels_on_request(browser: Browser) -> None:
    image = browser.lens._image
    rows, cols = image["reduced"]["shape"]
    assert image["shape"] == [*SIZE, 1] and rows * cols <= WHOLE_PIXELS < SIZE[0] * SIZE[1]
    drawn = np.frombuffer(image["data"], np.uint8).reshape(rows, cols)
    assert np.abs(drawn - slowly(PICTURE, (rows, cols))).max() <= 0.5 + 1e-3
    assert image["reduced"]["range"] == [browser.lens.image.min(), browser.lens.image.max()]
    assert browser.ask("pixels", window=[10, 30, 5, 9])["pixels"] == PICTURE[10:30, 5:9].tobytes()


def test_values_that_are_no_numbers_are_counted_in_the_whole_image() -> None:
    values = np.random.default_rng(1).normal(size=SIZE).astype(np.float32)
    values[:2, :2] = np.nan
    image = ConvLens(values, [KERNEL])._image
    assert image["reduced"]["not_finite"] == 4 and image["dtype"] == "float32"
    assert image["reduced"]["range"] == [np.nanmin(values), np.nanmax(values)]
    drawn = np.frombuffer(image["data"], np.float32).reshape(image["reduced"]["shape"])
    assert np.isnan(drawn[0, 0]) and np.isfinite(drawn[5:, 5:]).all()


def test_a_page_holds_a_reduced_image_and_the_layer_that_reads_it(browser: Browser) -> None:
    page = browser.lens._outbox.page()
    rows, cols, channels = page["_image"]["shape"]
    assert page["_image"]["reduced"] is None and rows * cols <= WHOLE_PIXELS
    assert page["_state"]["geometry"]["input_shape"] == [rows, cols, channels]
    assert page["_state"]["geometry"]["output_shape"] == [rows - 1, cols - 1]
    assert f"Reduced from 600 × 1000 to {rows} × {cols}" in page["_image"]["notes"][-1]
    assert all(one["map"] is None for one in page["_filters"]["filters"])
    assert browser.lens._state["geometry"]["input_shape"] == [*SIZE, 1]


@pytest.mark.parametrize("activation", ["relu", "gelu", "softplus", "linear"])
def test_a_large_map_that_is_kept_once_reads_as_keras_returns_it(activation: str) -> None:
    import keras

    layer = keras.layers.Conv2D(2, 2, activation=activation)
    layer.build((None, *SIZE, 1))
    layer.set_weights([np.stack([KERNEL, -KERNEL], -1)[:, :, None], np.array([0.5, -0.25], np.float32)])
    lens = ConvLens(PICTURE, layer=layer)
    x = (PICTURE / np.float32(255)).astype(np.float32)[None, ..., None]
    after = np.moveaxis(keras.ops.convert_to_numpy(layer(x))[0], -1, 0)
    linear = keras.layers.Conv2D(2, 2)
    linear.build((None, *SIZE, 1))
    linear.set_weights(layer.get_weights())
    before = np.moveaxis(keras.ops.convert_to_numpy(linear(x))[0], -1, 0)
    np.testing.assert_allclose(lens.pre_activations, before, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(lens.activations, after, rtol=1e-5, atol=1e-6)
    row, col = 411, 702
    asked = Browser(lens)
    values = asked.ask("probe", row=row, col=col, uids=[asked.uid(0), asked.uid(1)])["values"]
    np.testing.assert_allclose([one["activation"] for one in values], after[:, row, col], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose([one["pre_activation"] for one in values], before[:, row, col], rtol=1e-5, atol=1e-6)
    found = lens.explain(1, row, col)
    assert found.activation == pytest.approx(after[1, row, col], abs=1e-6)


def test_a_large_map_of_a_layer_that_computes_in_half_precision_is_the_layers_own() -> None:
    import keras

    layer = keras.layers.Conv2D(1, 2, activation="gelu", dtype="mixed_bfloat16")
    lens = ConvLens(PICTURE, layer=layer, kernels=[KERNEL])
    sibling = keras.layers.Conv2D(1, 2, activation="gelu", dtype="mixed_bfloat16")
    sibling.build((None, *SIZE, 1))
    sibling.set_weights(lens.get_weights())
    x = (PICTURE / np.float32(255)).astype(np.float32)[None, ..., None]
    expected = keras.ops.convert_to_numpy(keras.ops.cast(sibling(x), "float32"))[0, ..., 0]
    np.testing.assert_array_equal(lens.activations[0], expected)
