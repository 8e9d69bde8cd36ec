"""What a model says about a pixel's receptive field, and whether Keras reads just that."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from convlens.maths.receptive_field import ReceptiveField
from convlens.models.conv_model import FoundCall
from convlens.models.receptive_graph import Graph
from tests.unit.keras_sweep import Array, numpy

#: Weights that cannot cancel one another.
POSITIVE = keras.initializers.RandomUniform(0.5, 1.0)
#: Far above the pixels of the images, so that it shows through a maximum and in a sum of thousands. As many times in a
#: channel as its place, so that it shows where channels are compared with one another.
LOUD = 1e5


def answer(model: Any, image: Array, pixel: tuple[int, int], data_format: str) -> Any:
    """What the model itself makes of an image, (rows, cols, channels), at one pixel of its output."""
    first = data_format == "channels_first"
    out = numpy(model(np.moveaxis(image, -1, 0)[np.newaxis] if first else image[np.newaxis], training=False))[0]
    return (out[:, pixel[0], pixel[1]] if first else out[pixel[0], pixel[1]]).copy()


def loud(image: Array, rows: slice, cols: slice) -> Array:
    changed = image.copy()
    changed[rows, cols] += LOUD * np.arange(1, image.shape[-1] + 1, dtype=np.float32)
    return changed


def ends(field: ReceptiveField) -> tuple[int, int, int, int]:
    """First and last row, first and last column of the image that are read."""
    assert field.inside is not None
    rows, cols = field.inside
    return rows[0], rows[-1], cols[0], cols[-1]


def check(
    model: Any, image: Array, pixel: tuple[int, int], field: ReceptiveField, data_format: str, corners: bool
) -> None:
    """Compare a field with what changes of the image do to the pixel."""
    before = answer(model, image, pixel, data_format)
    outside = np.random.default_rng(1).random(image.shape, dtype=np.float32) + 1
    if field.inside is None:
        np.testing.assert_array_equal(answer(model, outside, pixel, data_format), before)
        return
    top, bottom, left, right = ends(field)
    assert 0 <= top <= bottom < image.shape[0] and 0 <= left <= right < image.shape[1]
    read = np.ix_(*field.inside)
    outside[read] = image[read]
    np.testing.assert_array_equal(answer(model, outside, pixel, data_format), before)
    rows, cols = slice(top, bottom + 1), slice(left, right + 1)
    first, last = slice(top, top + 1), slice(bottom, bottom + 1)
    near, far = slice(left, left + 1), slice(right, right + 1)
    places = [(r, c) for r in (first, last) for c in (near, far)] if corners else []
    for place in [*places, (first, cols), (last, cols), (rows, near), (rows, far)]:
        assert (answer(model, loud(image, *place), pixel, data_format) != before).any(), (place, field)


def told(model: Any, name: str, row: int, col: int) -> ReceptiveField:
    """The field of a layer's first call, of a model that need not run."""
    layer = model.get_layer(name)
    last = layer.data_format == "channels_last"
    rows, cols, channels = layer.input.shape[1:] if last else np.roll(layer.input.shape[1:], -1).tolist()
    found = FoundCall(name, layer, "Conv2D", (rows, cols, channels), (1, 1, 1), use=1, batch=1)
    return Graph(model, [tuple(model.input_shape[1:])], 0, layer.data_format, [found]).field(found, row, col)
