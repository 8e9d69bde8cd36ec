from __future__ import annotations

from typing import Any

import keras
import matplotlib.figure
import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.typing import NDArray

from convlens.tutorial import apply_filter

RNG = np.random.default_rng(11)
IMAGE = RNG.random((20, 30), dtype=np.float32)
STEP = np.array([[-1, -1, 1, 1]] * 4)
FILTERS = [STEP, -STEP, STEP.T, -STEP.T]


def by_the_tutorial(image: NDArray[np.float32], kernel: NDArray[Any]) -> NDArray[np.float32]:
    """The tutorial's own four lines."""
    model = keras.Sequential([keras.Input((*image.shape, 1)), keras.layers.Conv2D(1, kernel.shape, activation="relu")])
    model.layers[0].set_weights([np.reshape(kernel, (*kernel.shape, 1, 1)), np.array([0])])
    output = model(np.reshape(image, (1, *image.shape, 1)))
    return np.asarray(np.squeeze(keras.ops.convert_to_numpy(output)), np.float32)


def test_each_filter_of_the_list_gives_the_tutorials_own_map() -> None:
    for k in range(4):  # the tutorial's function would read a variable called i here
        ax = matplotlib.figure.Figure().add_subplot()
        values = apply_filter(IMAGE, k, FILTERS, ax)
        np.testing.assert_allclose(values, by_the_tutorial(IMAGE, FILTERS[k]), rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(ax.images[0].get_array(), values)
        assert ax.images[0].get_cmap().name == "gray"


def test_without_axes_it_draws_on_the_current_ones() -> None:
    figure, ax = plt.subplots()
    try:
        apply_filter(IMAGE, 2, FILTERS)
        assert len(ax.images) == 1
    finally:
        plt.close(figure)


@pytest.mark.parametrize(("filters", "size"), [(1, (4, 4)), (4, (4, 4)), (3, (2, 5))])
def test_a_layer_lends_its_settings_and_stays_as_it_was(filters: int, size: tuple[int, int]) -> None:
    layer = keras.layers.Conv2D(filters, size, strides=2, padding="same", activation="tanh", bias_initializer="ones")
    layer.build((None, 20, 30, 1))
    before = [np.array(w) for w in layer.get_weights()]
    values = apply_filter(IMAGE, 1, FILTERS, matplotlib.figure.Figure().add_subplot(), layer)
    expected = keras.ops.tanh(
        keras.ops.conv(IMAGE[None, :, :, None], -STEP[:, :, None, None].astype("float32"), strides=2, padding="same")
    )
    np.testing.assert_allclose(values, keras.ops.convert_to_numpy(expected)[0, :, :, 0], rtol=1e-5, atol=1e-6)
    for weight, old in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)
    assert (layer.filters, layer.kernel_size) == (filters, size)


def test_an_unbuilt_layer_stays_unbuilt() -> None:
    layer = keras.layers.Conv2D(1, (4, 4), activation="relu")
    values = apply_filter(IMAGE, 0, FILTERS, matplotlib.figure.Figure().add_subplot(), layer)
    np.testing.assert_allclose(values, by_the_tutorial(IMAGE, STEP), rtol=1e-5, atol=1e-6)
    assert not layer.built


def test_image_and_filters_are_left_alone_and_may_be_bytes_and_lists() -> None:
    image = RNG.integers(0, 256, (20, 30), dtype=np.uint8)
    before = image.copy()
    values = apply_filter(image, 0, [STEP.tolist()], matplotlib.figure.Figure().add_subplot())
    np.testing.assert_allclose(values, by_the_tutorial((image / 255).astype(np.float32), STEP), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(image, before)


def test_a_filter_that_is_not_there_or_does_not_fit_is_refused() -> None:
    with pytest.raises(IndexError, match="no filter 4: filter_list has 4"):
        apply_filter(IMAGE, 4, FILTERS)
    with pytest.raises(ValueError, match="larger than the image of 3 × 3"):
        apply_filter(IMAGE[:3, :3], 0, FILTERS)
    with pytest.raises(TypeError, match=r"filter_list\[0\] holds text"):
        apply_filter(IMAGE, 0, [[["a"]]])
