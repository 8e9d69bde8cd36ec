"""Filters one after another: the layer is fed with one of its own maps, and goes back to the picture."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from convlens import ConvLens, presets
from tests.unit.keras_sweep import close
from tests.unit.test_requests import Browser

IMAGE = np.random.default_rng(0).random((12, 11)).astype(np.float32)
BLUR, SHARPEN = presets["gaussian_3"], presets["sharpen"]


def lens_of() -> ConvLens:
    return ConvLens(IMAGE, [BLUR, SHARPEN], names=["blur", "sharpen"], activation="linear")


def through(image: np.ndarray, *kernels: np.ndarray) -> np.ndarray:
    """Keras's map of kernels one after another, each a layer of its own."""
    x = image[np.newaxis, :, :, np.newaxis]
    for kernel in kernels:
        layer = keras.layers.Conv2D(1, kernel.shape, use_bias=False)
        layer.build(x.shape)
        layer.set_weights([kernel[:, :, np.newaxis, np.newaxis]])
        x = keras.ops.convert_to_numpy(layer(x))
    return np.asarray(x[0, :, :, 0])


def test_a_map_that_is_used_as_the_input_gives_the_maps_of_two_layers_in_a_row() -> None:
    lens = lens_of()
    lens.use_map(0)
    close(lens.image[..., 0], through(IMAGE, BLUR))
    close(lens.activations[1], through(IMAGE, BLUR, SHARPEN))
    lens.use_map(-1)
    close(lens.activations[0], through(IMAGE, BLUR, SHARPEN, BLUR))


def test_one_goes_back_step_by_step_or_at_once_and_edits_stay() -> None:
    lens = lens_of()
    lens.use_map(0)
    blurred = lens.image
    lens.use_map(1)
    lens.set_kernel(0, SHARPEN)
    lens.leave_map()
    np.testing.assert_array_equal(lens.image, blurred)
    lens.use_map(1)
    lens.leave_map(5)
    np.testing.assert_array_equal(lens.image[..., 0], IMAGE)
    close(lens.activations[0], through(IMAGE, SHARPEN))
    lens.leave_map()
    np.testing.assert_array_equal(lens.image[..., 0], IMAGE)


def test_the_browser_is_told_what_the_input_went_through_and_asks_for_both_ways() -> None:
    browser = Browser(lens_of())
    _ = browser.lens.activations
    assert browser.ask("use_map", uid=browser.uid(0))["ok"]
    assert browser.ask("use_map", uid=browser.uid(1))["ok"]
    assert browser.lens._image["through"] == ["blur", "sharpen"]
    assert browser.ask("leave_map", steps=1)["ok"]
    assert browser.lens._image["through"] == ["blur"]
    browser.lens.image = IMAGE
    assert browser.lens._image["through"] == []


def test_a_layer_for_colour_is_fed_a_map_in_every_channel() -> None:
    colour = np.random.default_rng(1).random((9, 8, 3)).astype(np.float32)
    lens = ConvLens(colour, [np.ones((2, 2, 3)) / 12], activation="linear")
    expected = lens.activations[0].copy()
    lens.use_map(0)
    np.testing.assert_array_equal(lens.image, np.repeat(expected[:, :, np.newaxis], 3, axis=2))


def test_a_signal_goes_through_as_a_signal() -> None:
    signal = np.arange(12, dtype=np.float32) ** 2
    lens = ConvLens(signal, [np.array([-1.0, 1.0])], activation="linear")
    lens.use_map(0)
    np.testing.assert_array_equal(lens.image, np.diff(signal))
    np.testing.assert_array_equal(lens.activations[0], np.diff(signal, 2))


def test_maps_that_cannot_be_used_are_refused_and_the_input_stays() -> None:
    lens = lens_of()
    with pytest.raises(IndexError):
        lens.use_map(2)
    with pytest.raises(ValueError, match="whole number"):
        lens.leave_map(-1)
    small = ConvLens(IMAGE[:4, :4], [np.ones((3, 3))])
    with pytest.raises(ValueError, match="larger than the image"):
        small.use_map(0)
    np.testing.assert_array_equal(small.image[..., 0], IMAGE[:4, :4])
    model = keras.Sequential([keras.Input((12, 11, 1)), keras.layers.Conv2D(1, 3)])
    with pytest.raises(ValueError, match="next layer of the model"):
        ConvLens(IMAGE, model=model).use_map(0)
