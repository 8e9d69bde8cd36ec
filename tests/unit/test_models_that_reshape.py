"""Models that take an image without an axis for its channels, or as its pixels in one row, as lessons on digits do."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from convlens.layers.stateless_call import to_numpy

DIGIT = np.random.default_rng(3).random((28, 28), dtype=np.float32)


def network(*first: Any) -> keras.Model:
    keras.utils.set_random_seed(4)
    return keras.Sequential(
        [
            *first,
            keras.layers.Conv2D(3, 3, activation="relu", name="conv"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


MODELS = {
    "rows and columns": lambda: network(keras.Input((28, 28)), keras.layers.Reshape((28, 28, 1))),
    "pixels in a row": lambda: network(keras.Input((784,)), keras.layers.Reshape((28, 28, 1))),
}


@pytest.mark.parametrize("name", MODELS)
def test_maps_and_predictions_are_those_of_the_model_fed_by_hand(name: str) -> None:
    model = MODELS[name]()
    fed = DIGIT[None] if len(model.input_shape) == 3 else DIGIT.reshape(1, -1)
    lens = ConvLens(DIGIT, model=model)
    inner = keras.Model(model.inputs[0], model.get_layer("conv").output)
    np.testing.assert_allclose(lens.activations, np.moveaxis(to_numpy(inner(fed))[0], -1, 0), atol=1e-5)
    np.testing.assert_allclose(lens.predictions.before, to_numpy(model(fed))[0], atol=1e-6)  # type: ignore[arg-type]
    weights = model.get_layer("conv").get_weights()
    lens.set_kernel(0, np.ones((3, 3)))
    clone = MODELS[name]()
    clone.set_weights(model.get_weights())
    clone.get_layer("conv").set_weights(lens.get_weights())
    np.testing.assert_allclose(lens.predictions.after, to_numpy(clone(fed))[0], atol=1e-6)  # type: ignore[arg-type]
    np.testing.assert_array_equal(model.get_layer("conv").get_weights()[0], weights[0])
    assert "not known" in str(lens.explain(0, 5, 5).receptive_field)


@pytest.mark.parametrize("name", MODELS)
def test_a_larger_or_a_colour_picture_is_made_what_the_model_takes(name: str) -> None:
    lens = ConvLens(np.random.default_rng(1).random((56, 60, 3), dtype=np.float32), model=MODELS[name]())
    assert lens.image.shape == (28, 28, 1)


def test_colour_pixels_in_a_row_keep_their_order() -> None:
    model = network(keras.Input((6 * 5 * 3,)), keras.layers.Reshape((6, 5, 3)))
    image = np.random.default_rng(2).random((6, 5, 3), dtype=np.float32)
    inner = keras.Model(model.inputs[0], model.get_layer("conv").output)
    expected = np.moveaxis(to_numpy(inner(image.reshape(1, -1)))[0], -1, 0)
    np.testing.assert_allclose(ConvLens(image, model=model).activations, expected, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_what_its_filters_look_for_is_found_through_the_reshaping(name: str) -> None:
    lens = ConvLens(DIGIT, model=MODELS[name]())
    assert lens.attribution(method="gradients").shape == (28, 28)
    found = lens.maximize(0, steps=2)
    assert found.image.shape[-3:-1] == (28, 28)
