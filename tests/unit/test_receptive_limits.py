"""Where a receptive field cannot be determined, and what it is in the image that a lens shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from convlens.maths.receptive_field import ReceptiveField
from convlens.models.conv_model import ConvModel
from tests.unit.keras_sweep import Array
from tests.unit.receptive_fields import told

layers = keras.layers


# -- what cannot be told -----------------------------------------------------------------------------------------------


class Own(keras.layers.Layer):  # type: ignore[misc,unused-ignore]
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conv = layers.Conv2D(2, 3, name="last")

    def build(self, shape: Any) -> None:
        self.conv.build(shape)

    def call(self, x: Any) -> Any:
        return self.conv(x)

    def compute_output_shape(self, shape: Any) -> Any:
        return self.conv.compute_output_shape(shape)


class Cropped(keras.layers.MaxPooling2D):  # type: ignore[misc,unused-ignore]
    pass


class Whole(keras.Model):  # type: ignore[misc,unused-ignore]
    def __init__(self) -> None:
        super().__init__()
        self.conv = layers.Conv2D(2, 3, name="last")

    def call(self, x: Any) -> Any:
        return self.conv(x)


def after(*steps: Any) -> Any:
    return keras.Sequential([keras.Input((12, 12, 2)), *steps, layers.Conv2D(1, 1, name="last")])


def between(function: Callable[[Any], Any]) -> Any:
    inputs = keras.Input((12, 12, 2))
    return keras.Model(inputs, layers.Conv2D(1, 1, name="last")(function(inputs)))


def subclassed() -> Any:
    model = Whole()
    model(np.zeros((1, 12, 12, 2), np.float32))
    return model


UNTOLD: dict[str, tuple[Callable[[], Any], str]] = {
    "a Lambda": (lambda: after(layers.Lambda(lambda x: keras.ops.flip(x, 1), name="turn")), "turn"),
    "a class of the user's": (lambda: after(Cropped(name="mine")), "mine"),
    "a function of the user's": (
        lambda: after(layers.Conv2D(2, 3, activation=lambda x: x - keras.ops.mean(x), name="odd")),
        "odd",
    ),
    "other interpolation": (lambda: after(layers.UpSampling2D(2, interpolation="bicubic", name="up")), "bicubic"),
    "an operation of a layer's name": (lambda: between(lambda x: x + keras.ops.average(x, axis=1)), "verage"),
    "pixels that are moved": (lambda: after(layers.Permute((2, 1, 3), name="swap")), "swap"),
    "a layer within a layer": (lambda: keras.Sequential([keras.Input((12, 12, 2)), Own(name="own")]), "'last'"),
    "a subclassed model": (subclassed, "Whole"),
}


@pytest.mark.parametrize("case", list(UNTOLD))
def test_what_runs_code_of_its_own_is_not_told_and_says_why(case: str) -> None:
    make, named = UNTOLD[case]
    seen = ConvModel(make(), np.zeros((1, 12, 12, 2), np.float32))
    (path,) = [path for path in seen.layers if path.endswith("last")]
    field = seen.receptive_field(path, 0, 0)
    assert field.rows is None and field.cols is None and field.inside is None
    assert "not known" in field.note and named in field.note


def test_a_functional_model_that_only_trains_in_its_own_way_is_told() -> None:
    class Trained(keras.Model):  # type: ignore[misc,unused-ignore]
        def train_step(self, data: Any) -> Any:
            return {}

    inputs = keras.Input((12, 12, 2))
    model = Trained(inputs, layers.Conv2D(1, 3, name="last")(inputs))
    assert told(model, "last", 1, 2) == ReceptiveField((1, 3), (2, 4), ((1, 2, 3), (2, 3, 4)))


# -- in the image that a lens shows ------------------------------------------------------------------------------------


def strided() -> Any:
    return keras.Sequential(
        [keras.Input((12, 14, 1)), layers.Conv2D(2, 3, strides=2, name="first"), layers.Conv2D(1, 2, name="last")]
    )


def in_image(image: Array, **given: Any) -> ReceptiveField:
    field = ConvLens(image, model=strided(), layer="last", **given).explain(0, 1, 2).receptive_field
    assert field == ConvLens(image, model=strided(), layer="last", **given).explain(0, -3, -3).receptive_field
    return field


FIELD = ReceptiveField((2, 6), (4, 8), (tuple(range(2, 7)), tuple(range(4, 9))))


def test_a_lens_tells_it_in_the_image_as_it_shows_it_resized_for_the_model() -> None:
    assert in_image(np.zeros((12, 14), np.float32)) == FIELD
    assert in_image(np.zeros((40, 50), np.float32)) == FIELD


def test_with_a_preprocess_that_keeps_the_size_it_says_what_it_relies_on() -> None:
    field = in_image(np.zeros((12, 14), np.float32), preprocess=lambda x: x / 2)
    assert (field.rows, field.cols, field.inside) == (FIELD.rows, FIELD.cols, FIELD.inside)
    assert "preprocess= leaves every pixel in its place" in field.note


def test_with_a_preprocess_that_makes_another_size_it_is_not_told_in_the_image() -> None:
    field = in_image(np.zeros((20, 20), np.float32), preprocess=lambda x: x[:12, 3:17])
    assert field.rows is None and field.cols is None and field.inside is None
    assert "rows 2 to 6, cols 4 to 8 of the 12 × 14 pixels that preprocess= makes of the image" in field.note


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_outside_a_model_it_is_the_layers_own_window(padding: str) -> None:
    layer = layers.Conv2D(1, (3, 2), padding=padding, dilation_rate=2)
    layer.build((None, 9, 9, 1))
    one = ConvLens(np.zeros((9, 9), np.float32), layer=layer).explain(0, 0, 4)
    rows, cols = (entries.tolist() for entries in one.window)
    assert one.receptive_field.rows == (rows[0], rows[-1]) and one.receptive_field.cols == (cols[0], cols[-1])
    assert one.receptive_field.inside == (tuple(row for row in rows if row >= 0), tuple(cols))
    assert f"depends on rows {rows[0]} to {rows[-1]}" in repr(one)
