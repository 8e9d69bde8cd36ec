"""Where maps lie over the image, against what Keras computes of images whose values are their own coordinates."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from convlens.maths.alignment import Alignment, of_fields, of_layer
from convlens.maths.receptive_field import ReceptiveField
from convlens.state.exports import alignment

ROWS, COLS = 24, 21
#: Every pixel holds its own row, or column.
RAMPS = np.asarray(np.mgrid[:ROWS, :COLS], np.float32)


def averaging(layer: Any) -> Any:
    """Give a layer kernels that average what they read, so that of a ramp they return the window's centre."""
    kernel = layer.get_weights()[0]
    layer.set_weights([np.full_like(kernel, 1 / np.prod(kernel.shape[:2])), *layer.get_weights()[1:]])
    return layer


def agrees(found: Alignment, axis: int, values: np.ndarray, border: int) -> None:
    """Away from the border, where padding counts as 0, a map holds the coordinates at which it is said to lie."""
    where = found.origin[axis] + found.step[axis] * np.arange(values.shape[axis])
    inner = values[border:-border, border:-border]
    expected = np.broadcast_to(where[:, None] if axis == 0 else where[None, :], values.shape)
    np.testing.assert_allclose(inner, expected[border:-border, border:-border], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "settings",
    [
        {"kernel_size": (3, 4)},
        {"kernel_size": (4, 5), "padding": "same"},
        {"kernel_size": 3, "strides": (2, 3), "padding": "same"},
        {"kernel_size": (2, 5), "strides": 2},
        {"kernel_size": 3, "dilation_rate": (2, 3), "padding": "same"},
    ],
)
@pytest.mark.parametrize("axis", [0, 1])
def test_a_convolutions_map_lies_where_its_windows_have_their_centres(settings: dict[str, Any], axis: int) -> None:
    layer = keras.layers.Conv2D(1, **settings)
    layer.build((None, ROWS, COLS, 1))
    lens = ConvLens(RAMPS[axis], layer=averaging(layer))
    agrees(of_layer(lens._session.geometry), axis, lens.activations[0], 3)


@pytest.mark.parametrize(
    ("size", "stride", "padding"), [(3, 1, "same"), (3, 2, "valid"), (4, 2, "same"), (5, 3, "same")]
)
def test_a_transposed_convolutions_map_lies_where_a_pixel_spreads_around_it(
    size: int, stride: int, padding: str
) -> None:
    layer = keras.layers.Conv2DTranspose(1, size, strides=stride, padding=padding)
    layer.build((None, ROWS, COLS, 1))
    image = np.zeros((ROWS, COLS), np.float32)
    image[10, 8] = 1
    lens = ConvLens(image, layer=averaging(layer))
    at = np.argwhere(lens.activations[0] > 0).mean(axis=0)
    found = of_layer(lens._session.geometry)
    np.testing.assert_allclose(np.array(found.origin) + np.array(found.step) * at, (10, 8), atol=1e-6)


@pytest.mark.parametrize("axis", [0, 1])
def test_inside_a_model_the_layers_before_count(axis: int) -> None:
    model = keras.Sequential(
        [
            keras.Input((ROWS, COLS, 1)),
            keras.layers.Conv2D(1, 3, padding="same", name="first"),
            keras.layers.AveragePooling2D(2),
            keras.layers.Conv2D(1, (3, 2), name="second"),
        ]
    )
    averaging(model.get_layer("first"))
    averaging(model.get_layer("second"))
    lens = ConvLens(RAMPS[axis], model=model, layer="second")
    agrees(alignment(lens._session), axis, lens.activations[0], 1)


def test_edges_are_those_of_the_outermost_pixels() -> None:
    assert Alignment((1.0, 2.0), (2.0, 3.0)).edges((4, 5)) == (0.5, 15.5, 8.0, 0.0)


def test_where_the_receptive_field_is_not_known_the_reason_is_given() -> None:
    with pytest.raises(ValueError, match="a layer of its own"):
        of_fields(ReceptiveField(note="a layer of its own"), ReceptiveField(), (2, 2))


def test_pixels_that_all_read_the_same_share_it() -> None:
    field = ReceptiveField((0, 9), (0, 4))
    assert of_fields(field, field, (1, 5)) == Alignment((4.5, 0.0), (10.0, 1.0))


def test_the_figure_lays_the_map_over_the_image() -> None:
    lens = ConvLens(RAMPS[0], [np.ones((3, 3))], strides=2, overlay=0.25)
    for figure, opacity in ((lens.plot(), 0.25), (lens.plot(overlay=0.5), 0.5)):
        image, over = next(ax for ax in figure.axes if len(ax.images) == 2).images
        np.testing.assert_allclose(np.asarray(image.get_array()), RAMPS[0] / (ROWS - 1), rtol=1e-6)
        np.testing.assert_array_equal(np.asarray(over.get_array()), lens.activations[0])
        assert over.get_alpha() == opacity
        # Kernels of 3 × 3 read rows 0 to 2 first: pixel 0 is at row 1, two rows high.
        assert tuple(over.get_extent()) == (0, 20, 22, 0)
    assert not any(len(ax.images) == 2 for ax in lens.plot(overlay=0).axes)
