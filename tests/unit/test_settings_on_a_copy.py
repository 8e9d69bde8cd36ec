"""Other settings of a user's layer are tried on a copy: Keras computes the copy's maps, the layer stays as it is."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from tests.unit.keras_sweep import close
from tests.unit.test_requests import Browser

IMAGE = np.random.default_rng(0).random((9, 8)).astype(np.float32)
KERNELS = list(np.random.default_rng(1).standard_normal((3, 4, 4)).astype(np.float32))


@pytest.fixture
def layer() -> Any:
    """A layer of one filter, as a notebook has it that applies its filters one at a time."""
    layer = keras.layers.Conv2D(1, (4, 4), activation="relu")
    layer.build((None, None, None, 1))
    return layer


@pytest.fixture
def browser(layer: Any) -> Browser:
    lens = ConvLens(IMAGE, KERNELS, layer=layer)
    _ = lens.activations
    return Browser(lens)


def maps_of(settings: dict[str, Any], activation: str = "relu") -> np.ndarray:
    """What Keras makes of `IMAGE` with a layer of three filters and these settings."""
    layer = keras.layers.Conv2D(3, (4, 4), **{"activation": activation, **settings})
    layer.build((None, 9, 8, 1))
    layer.set_weights([np.stack(KERNELS, -1)[:, :, np.newaxis], np.zeros(3)])
    return np.moveaxis(keras.ops.convert_to_numpy(layer(IMAGE[np.newaxis, :, :, np.newaxis]))[0], -1, 0)


@pytest.mark.parametrize(
    "settings",
    [{"padding": "same"}, {"strides": (2, 1)}, {"dilation_rate": (1, 2)}, {"activation": "tanh", "padding": "same"}],
    ids=str,
)
def test_the_maps_are_those_of_a_layer_with_these_settings_and_the_users_layer_keeps_its_own(
    browser: Browser, layer: Any, settings: dict[str, Any]
) -> None:
    config, weights = layer.get_config(), layer.get_weights()
    assert browser.ask("configure", settings=settings)["ok"]
    close(browser.lens.activations, maps_of(settings))
    assert layer.get_config() == config
    for now, before in zip(layer.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(now, before)
    assert browser.lens.layer is layer


def test_the_browser_is_told_the_users_own_layer_beside_the_copy(browser: Browser) -> None:
    own: Any = browser.lens._state["own"]
    assert (own["filters"], own["weight_shape"], own["padding"]) == (1, [4, 4, 1, 1], "valid")
    browser.ask("configure", settings={"padding": "same"})
    state: Any = browser.lens._state
    assert (state["own"]["padding"], state["geometry"]["padding"]) == ("valid", "same")


def test_a_layer_that_the_lens_computes_with_has_no_copy_beside_it_until_settings_are_tried() -> None:
    layer = keras.layers.Conv2D(3, (4, 4), activation="relu")
    browser = Browser(ConvLens(IMAGE, KERNELS, layer=layer))
    _ = browser.lens.activations
    states: list[Any] = [browser.lens._state]
    for strides in ([2, 2], [1, 1]):
        browser.ask("configure", settings={"strides": strides})
        states.append(browser.lens._state)
    assert [state["own"] and state["own"]["strides"] for state in states] == [None, [1, 1], None]
    assert browser.lens._session.history.counts == {"undo": 2, "redo": 0}
    assert ConvLens(IMAGE, KERNELS)._state["own"] is None


def test_undo_and_reset_go_back_to_the_layers_own_settings(browser: Browser) -> None:
    browser.ask("configure", settings={"padding": "same"})
    browser.ask("configure", settings={"strides": [2, 2]})
    browser.lens.undo()
    close(browser.lens.activations, maps_of({"padding": "same"}))
    browser.lens.reset()
    close(browser.lens.activations, maps_of({}))


def test_what_is_edited_on_a_copy_is_applied_to_the_layer_and_put_back() -> None:
    layer = keras.layers.Conv2D(2, (4, 4), activation="relu")
    layer.build((None, None, None, 1))
    before = layer.get_weights()
    browser = Browser(ConvLens(IMAGE, layer=layer))
    _ = browser.lens.activations
    browser.ask("configure", settings={"padding": "same"})
    browser.lens.set_kernel(0, KERNELS[0])
    browser.lens.apply()
    np.testing.assert_array_equal(layer.get_weights()[0][:, :, 0, 0], KERNELS[0])
    np.testing.assert_array_equal(layer.get_weights()[0][:, :, 0, 1], before[0][:, :, 0, 1])
    assert layer.padding == "valid"
    # Back on the layer's own settings, what the lens wrote is not taken for a change from outside.
    browser.ask("configure", settings={"padding": "valid"})
    assert not browser.lens._problem
    browser.lens.restore()
    np.testing.assert_array_equal(layer.get_weights()[0], before[0])


def test_a_layer_that_is_trained_meanwhile_is_followed_with_the_tried_settings() -> None:
    layer = keras.layers.Conv2D(3, (4, 4), activation="relu")
    layer.build((None, None, None, 1))
    browser = Browser(ConvLens(IMAGE, layer=layer))
    _ = browser.lens.activations
    browser.ask("configure", settings={"padding": "same"})
    layer.set_weights([np.stack(KERNELS, -1)[:, :, np.newaxis], np.zeros(3)])
    close(browser.lens.activations, maps_of({"padding": "same"}))


def test_a_layers_own_function_is_left_and_taken_back_whatever_it_is_called() -> None:
    def doubled(x: Any) -> Any:
        return 2 * x

    layer = keras.layers.Conv2D(3, (4, 4), activation=doubled)
    browser = Browser(ConvLens(IMAGE, KERNELS, layer=layer))
    own = browser.lens.activations.copy()
    assert browser.ask("configure", settings={"activation": "relu"})["ok"]
    close(browser.lens.activations, maps_of({}))
    assert browser.ask("configure", settings={"activation": "doubled"})["ok"]
    np.testing.assert_array_equal(browser.lens.activations, own)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"use_bias": False}, "part of its weights"),
        ({"strides": 0}, "positive whole number"),
        ({"strides": 2, "dilation_rate": 2}, "only one of them"),
        ({"dilation_rate": 9}, "larger than the image"),
        ({"units": 3}, "no setting units"),
    ],
    ids=str,
)
def test_what_cannot_be_tried_is_refused_and_changes_nothing(
    browser: Browser, settings: dict[str, Any], why: str
) -> None:
    before = browser.lens.activations.copy()
    answer = browser.ask("configure", settings=settings)
    assert not answer["ok"] and why in answer["error"]["text"]
    np.testing.assert_array_equal(browser.lens.activations, before)


def test_a_layer_inside_a_model_is_not_copied() -> None:
    model = keras.Sequential([keras.Input((9, 8, 1)), keras.layers.Conv2D(2, 3)])
    browser = Browser(ConvLens(IMAGE, model=model))
    answer = browser.ask("configure", settings={"padding": "same"})
    assert not answer["ok"] and "part of your model" in answer["error"]["text"]
