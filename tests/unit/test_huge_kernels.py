"""A layer whose kernels are so large that they stay in Keras's order, and a prediction writes only what changed."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from convlens.layers import reordered
from tests.unit.keras_sweep import close

layers = keras.layers
IMAGE = np.random.default_rng(1).random((9, 9, 3)).astype(np.float32)


@pytest.fixture(autouse=True)
def small_is_huge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reordered, "HUGE", 1)
    monkeypatch.setattr(reordered, "LARGE", 1)


def model() -> Any:
    keras.utils.set_random_seed(0)
    made = [layers.Conv2D(8, 3, name="first", activation="relu"), layers.Conv2D(12, 3, name="second", use_bias=False)]
    return keras.Sequential([keras.Input(IMAGE.shape), *made, layers.GlobalAveragePooling2D()])


def test_kernels_are_views_of_one_array_and_come_back_in_keras_order_with_their_edits() -> None:
    whole = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    kernels = list(reordered.filter_by_filter(np.moveaxis(whole, -1, 0)))
    whole[:] = 0  # the lens has a copy
    expected = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    np.testing.assert_array_equal(np.stack(kernels, axis=-1), expected)
    assert all(one.base is kernels[0].base and not one.flags.writeable for one in kernels)
    kernels[3] = np.full((2, 3, 4), 7, np.float32)
    found = reordered.in_keras_order(kernels)
    assert found is not None and found[1] == [3]
    expected[..., 3] = 7
    packed = reordered.filters_last(kernels)
    np.testing.assert_array_equal(packed, expected)
    packed[:] = 0
    assert kernels[0].any(), "what is packed is the caller's own"
    # In another order, as after a card was moved, they are put together one by one.
    assert reordered.in_keras_order(kernels[::-1]) is None
    np.testing.assert_array_equal(reordered.filters_last(kernels[::-1]), expected[..., ::-1])


@pytest.mark.parametrize("path", ["first", "second"])
def test_predictions_maps_and_weights_are_kerass_through_edits_undo_and_training(path: str) -> None:
    network, other = model(), model()
    lens = ConvLens(IMAGE, model=network, layer=path)
    layer, copied = network.get_layer(path), other.get_layer(path)

    def check() -> None:
        copied.set_weights(lens.get_weights())
        close(lens.predictions.after, other.predict(IMAGE[np.newaxis], verbose=0)[0])
        close(lens.predictions.before, network.predict(IMAGE[np.newaxis], verbose=0)[0])
        for kernel, own in zip(lens.kernels, np.moveaxis(copied.get_weights()[0], -1, 0), strict=True):
            np.testing.assert_array_equal(kernel, own)

    original = layer.get_weights()
    for given, own in zip(lens.get_weights(), original, strict=True):
        np.testing.assert_array_equal(given, own)
    check()
    for index in (0, 5, 5, -1):
        lens.set_kernel(index, np.asarray(lens.kernels[index]) * 2 + 1)
        check()
    lens.undo()
    check()
    for now, own in zip(layer.get_weights(), original, strict=True):
        np.testing.assert_array_equal(now, own)
    lens.layer_path = "second" if path == "first" else "first"
    lens.set_kernel(1, np.asarray(lens.kernels[1]) + 1)
    lens.layer_path = path
    lens.set_kernel(2, np.asarray(lens.kernels[2]) + 1)
    check()
    # Training changes what the layer has, and no array that the lens holds.
    held = [np.array(one) for one in lens.kernels]
    kept = lens.kernels[3]
    layer.set_weights([one + 1 for one in layer.get_weights()])
    np.testing.assert_array_equal(kept, held[3])
    check()
    lens.apply()
    for given, own in zip(lens.get_weights(), layer.get_weights(), strict=True):
        np.testing.assert_array_equal(given, own)
    lens.restore()
    for now, own in zip(layer.get_weights(), original, strict=True):
        np.testing.assert_array_equal(now, own + 1)
