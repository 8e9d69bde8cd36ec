"""Maximising finds an image that excites the filter more, the same one for one seed, and leaves the model as it is."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import convlens
from convlens import ConvLens
from convlens.interpretation.parameters import Parameters
from convlens.interpretation.transformations import Sampling, moved, no_movement, random_movement

pytestmark = pytest.mark.slow

layers = keras.layers


def make_model() -> Any:
    model = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            layers.Conv2D(4, 3, name="first"),
            layers.Conv2D(5, 3, activation="relu", name="second"),
            layers.GlobalAveragePooling2D(),
        ]
    )
    random = np.random.default_rng(1)
    for layer in model.layers[:2]:
        kernel, bias = layer.get_weights()
        layer.set_weights([random.normal(size=kernel.shape) * 0.3, bias])
    return model


MODEL = make_model()


def response(image: np.ndarray, layer: str = "second", model: Any = MODEL) -> np.ndarray:
    """The maps of one image, by Keras, ``(rows, cols, filters)``."""
    maps = keras.Model(model.inputs[0], model.get_layer(layer).output)(image[None])
    found: np.ndarray = np.asarray(keras.ops.convert_to_numpy(maps))[0]
    return found


def test_the_image_excites_its_filter_more_than_where_the_ascent_began() -> None:
    results = convlens.maximize(MODEL, "second", [0, 3], steps=40)
    assert isinstance(results, list)
    for one, result in zip([0, 3], results, strict=True):
        assert (result.image.shape, result.image.dtype) == ((16, 16, 3), np.dtype(np.float32))
        assert result.image.min() >= 0 and result.image.max() <= 1
        assert result.history.shape == (40,)
        np.testing.assert_allclose(result.activation, response(result.image)[..., one].mean(), rtol=1e-4)
        noise = np.random.default_rng(0).random((50, 16, 16, 3), dtype=np.float32)
        best = max(response(image)[..., one].mean() for image in noise)
        assert result.activation > max(best, result.history[0])


def test_the_greatest_mean_of_a_linear_filter_is_nearly_reached() -> None:
    # For one tap an image of only ones is the best: its mean is the tap.
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(1, 1, use_bias=False, name="tap")])
    model.set_weights([np.full((1, 1, 1, 1), 2.0)])
    result = convlens.maximize(model, "tap", 0, steps=100)
    assert isinstance(result, convlens.Maximized)
    assert 1.9 < result.activation <= 2


def test_one_pixel_can_be_maximised() -> None:
    result = convlens.maximize(MODEL, "second", 1, steps=30, pixel=(2, 9))
    np.testing.assert_allclose(result.activation, response(result.image)[2, 9, 1], rtol=1e-4)
    assert result.activation > result.history[0]


def test_the_same_seed_gives_the_same_image_and_another_another() -> None:
    one, same, other = (convlens.maximize(MODEL, "second", 2, steps=8, seed=seed).image for seed in (4, 4, 5))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.01


def test_filters_in_one_batch_are_as_good_as_alone() -> None:
    alone = convlens.maximize(MODEL, "second", 0, steps=8)
    together = convlens.maximize(MODEL, "second", [0, 1, 2], steps=8)
    # The first image begins with the same noise; sums of float32 in another order.
    np.testing.assert_allclose(together[0].image, alone.image, atol=1e-3)


def test_the_image_is_within_the_range_that_is_given() -> None:
    low, high = np.array([-10, 0, 5.0]), np.array([-5, 0.5, 100.0])
    image = convlens.maximize(MODEL, "first", 0, steps=3, value_range=(low, high)).image
    assert np.all(image >= low - 1e-4) and np.all(image <= high + 1e-4)
    rescaling = keras.Sequential([keras.Input((8, 8, 3)), layers.Rescaling(1 / 255), layers.Conv2D(1, 3, name="c")])
    assert convlens.maximize(rescaling, "c", 0, steps=1).image.max() > 10


def test_an_ascent_may_begin_with_an_image() -> None:
    start = np.random.default_rng(2).uniform(0.2, 0.8, (16, 16, 3)).astype(np.float32)
    parameters = Parameters((16, 16, 3), np.zeros(3, np.float32), np.ones(3, np.float32))
    again = keras.ops.convert_to_numpy(parameters.in_range(parameters.unit_images(parameters.of_image(start)[None])))
    np.testing.assert_allclose(np.asarray(again)[0], start, atol=1e-4)
    # Ends of the range, which a sigmoid never reaches, are softened.
    result = convlens.maximize(MODEL, "second", 0, steps=1, start=start)
    assert np.abs(result.image - start).max() < 0.2


def test_progress_is_told_and_the_ascent_can_be_stopped() -> None:
    seen: list[tuple[int, int, tuple[int, ...]]] = []

    def callback(step: Any) -> bool:
        seen.append((step.number, step.steps, step.images().shape))
        return bool(step.number < 3)

    result = convlens.maximize(MODEL, "second", 0, steps=50, callback=callback)
    assert seen == [(i, 50, (1, 16, 16, 3)) for i in (1, 2, 3)]
    assert result.history.shape == (3,)


def test_a_lens_maximises_through_its_edited_kernels() -> None:
    image = np.random.default_rng(2).random((16, 16, 3), dtype=np.float32)
    lens = ConvLens(image, model=MODEL, layer="second")
    before = lens.maximize(1, steps=10)
    assert before.activation == pytest.approx(convlens.maximize(MODEL, "second", 1, steps=10).activation, rel=1e-4)
    kernel = -lens.kernels[1]
    lens.set_kernel(1, kernel)
    after = lens.maximize(1, steps=10)
    edited = keras.models.clone_model(MODEL)
    weights = MODEL.get_weights()
    weights[2][..., 1] = kernel
    edited.set_weights(weights)
    np.testing.assert_allclose(after.activation, response(after.image, model=edited)[..., 1].mean(), rtol=1e-4)
    assert np.abs(after.image - before.image).max() > 0.1


def test_a_lens_on_a_layer_alone_maximises_too_and_on_a_preprocessed_model_in_its_range() -> None:
    lens = ConvLens(np.random.default_rng(0).random((9, 9)).astype(np.float32))
    result = lens.maximize(0, steps=20)
    assert result.image.shape == (9, 9, 1)
    assert result.activation > result.history[0]
    image = np.random.default_rng(2).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    preprocessed = ConvLens(image, model=MODEL, layer="first", preprocess=lambda x: x / 127.5 - 1)
    made = preprocessed.maximize(0, steps=20).image
    assert -1 <= made.min() < -0.1 and 0.1 < made.max() <= 1


def test_nothing_of_the_model_changes() -> None:
    weights = [np.array(w) for w in MODEL.get_weights()]
    attributes = {layer.name: set(vars(layer)) for layer in MODEL._flatten_layers()}
    convlens.maximize(MODEL, "second", 0, steps=2)
    assert {layer.name: set(vars(layer)) for layer in MODEL._flatten_layers()} == attributes
    for before, after in zip(weights, MODEL.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_movement_turns_scales_and_shifts_by_what_was_published_at_most() -> None:
    ramp = np.stack(np.meshgrid(np.arange(56.0), np.arange(56.0), indexing="ij"), axis=-1).astype(np.float32)[None]

    def read(sampling: Sampling) -> Any:
        return np.asarray(keras.ops.convert_to_numpy(moved(*map(keras.ops.convert_to_tensor, (ramp, *sampling)))))

    np.testing.assert_allclose(read(no_movement(56, 56)), ramp, atol=1e-4)
    random = np.random.default_rng(0)
    for _ in range(20):
        where = read(random_movement(56, 56, random))[0]
        # The derivative of the place that is read: a rotation times a scale.
        turn = np.stack([where[30, 28] - where[26, 28], where[28, 30] - where[28, 26]]) / 4
        scale = np.sqrt(np.linalg.det(turn))
        assert 1 / 1.1 - 1e-3 <= scale <= 1 / 0.9 + 1e-3
        assert abs(np.degrees(np.arcsin(turn[0, 1] / scale))) <= 10.01
        centre = (where[27, 27] + where[28, 28] + where[27, 28] + where[28, 27]) / 4
        assert np.abs(centre - 27.5).max() <= 2 + 1e-3  # a twenty-eighth of 56


@pytest.mark.parametrize(
    "options, error, expected",
    [
        ({"filters": 5}, IndexError, "has 5 filters, 0 to 4"),
        ({"filters": []}, ValueError, "filters is empty"),
        ({"layer": "secnd"}, ValueError, "Did you mean 'second'"),
        ({"pixel": (12, 0)}, IndexError, "12 × 12 pixels"),
        ({"steps": 0}, ValueError, "steps=0"),
        ({"start": "grey"}, ValueError, 'expected "noise"'),
        ({"value_range": (1, 0)}, ValueError, "low below high"),
    ],
    ids=str,
)
def test_what_cannot_be_maximised_is_refused(options: dict[str, Any], error: type[Exception], expected: str) -> None:
    given: dict[str, Any] = {"layer": "second", "filters": 0, "steps": 1} | options
    with pytest.raises(error, match=expected):
        convlens.maximize(MODEL, given.pop("layer"), given.pop("filters"), **given)
