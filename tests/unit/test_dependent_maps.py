"""Where filters affect each other's maps, an edit of one brings all maps up to date."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest

from convlens import ConvLens
from tests.unit.keras_sweep import close, from_keras
from tests.unit.test_requests import Browser

RNG = np.random.default_rng(2)
IMAGE = RNG.random((8, 9, 3)).astype(np.float32)


def lens_on(layer: keras.layers.Layer) -> ConvLens:
    layer.build((None, *IMAGE.shape))
    lens = ConvLens(IMAGE, layer=layer)
    _ = lens.activations
    return lens


def as_keras_has_it(lens: ConvLens) -> None:
    pre, act = from_keras(lens.layer, lens.get_weights(), IMAGE)
    close(lens.pre_activations, pre)
    close(lens.activations, act)


def test_an_activation_across_filters_follows_the_edit_of_any_of_them() -> None:
    lens = lens_on(keras.layers.Conv2D(3, 2, activation="softmax"))
    before = lens.activations
    lens.set_kernel(1, RNG.normal(size=(2, 2, 3)))
    as_keras_has_it(lens)
    np.testing.assert_allclose(lens.activations.sum(axis=0), 1, rtol=1e-5)
    lens.undo()
    np.testing.assert_array_equal(lens.activations, before)


def test_the_browser_gets_every_map_that_changed() -> None:
    browser = Browser(lens_on(keras.layers.Conv2D(3, 2, activation="softmax")))
    answer = browser.tap(1, 0, 2.0)
    assert [f["uid"] for f in answer["filters"]] == browser.lens._state["order"]
    for record, values in zip(answer["filters"], browser.lens.activations, strict=True):
        assert record["map"]["range"] == [values.min(), values.max()]


def test_a_filter_fewer_changes_the_maps_of_the_rest() -> None:
    lens = ConvLens(IMAGE, list(RNG.normal(size=(3, 2, 2, 3))), activation="softmax")
    _ = lens.activations
    lens.remove_kernel(0)
    as_keras_has_it(lens)


def test_a_depthwise_kernel_of_a_separable_layer_is_in_every_map() -> None:
    lens = lens_on(keras.layers.SeparableConv2D(3, 2))
    lens.set_kernel(0, RNG.normal(size=(2, 2)))
    as_keras_has_it(lens)
    assert lens.explain(2, 1, 1).agrees


def test_a_pointwise_kernel_of_a_separable_layer_is_in_the_map_of_its_filter_alone() -> None:
    browser = Browser(lens_on(keras.layers.SeparableConv2D(3, 2, activation="relu")))
    lens = browser.lens
    before = lens.activations
    taps = {"part": "pointwise", "index": [0], "value": [2.0]}
    answer = browser.ask("factors", uid=browser.uid(1), edit=taps, gesture="")
    assert [f["uid"] for f in answer["filters"]] == [browser.uid(1)]
    as_keras_has_it(lens)
    for index in (0, 2):
        np.testing.assert_array_equal(lens.activations[index], before[index])
    lens.set_kernel(2, RNG.normal(size=(2, 2)))
    lens.pointwise_kernels = RNG.normal(size=(3, 3))
    as_keras_has_it(lens)
    for _ in range(2):
        lens.undo()
        as_keras_has_it(lens)
    lens.undo()
    np.testing.assert_allclose(lens.activations, before, rtol=1e-5, atol=1e-6)


def test_where_filters_are_independent_an_edit_still_brings_one_map() -> None:
    browser = Browser(lens_on(keras.layers.Conv2D(3, 2, activation="gelu")))
    assert [f["uid"] for f in browser.tap(1, 0, 2.0)["filters"]] == [browser.uid(1)]


@pytest.mark.parametrize(
    "layer",
    [
        lambda: keras.layers.Conv2D(3, 2, activation="softmax"),
        lambda: keras.layers.SeparableConv2D(3, 2, activation="tanh"),
        lambda: keras.layers.SeparableConv2D(3, 2, activation="softmax"),
    ],
)
def test_what_the_browser_knows_of_a_pixel_is_out_of_date_with_its_map(layer: Callable[[], keras.layers.Layer]) -> None:
    browser = Browser(lens_on(layer()))
    lens = browser.lens
    values = browser.ask("probe", row=1, col=1, uids=[browser.uid(2)])["values"]
    lens.set_kernel(0, np.asarray(lens.kernels[0]) + 1)
    (now,) = browser.ask("probe", row=1, col=1, uids=[browser.uid(2)])["values"]
    assert now["rev"] > values[0]["rev"]
    assert now["activation"] == lens.activations[2, 1, 1] != values[0]["activation"]
