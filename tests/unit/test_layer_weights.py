"""Weights cross to Keras and back as it keeps them, and what does not fit is refused with the mend."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from convlens.layers.conv_layer import ConvLayer
from tests.unit.keras_sweep import CLASSES, layers


@pytest.mark.parametrize("kind", list(CLASSES))
def test_weights_come_back_as_keras_keeps_them(kind: str) -> None:
    for layer, x in layers(kind, 15, seed=6):
        conv = ConvLayer.of(layer, x.shape)
        kernels, bias = conv.read()
        assert len(kernels) == conv.geometry.kernel_count
        assert all(k.shape == conv.geometry.kernel_shape and not k.flags.writeable for k in kernels)
        assert bias.shape == (conv.geometry.filters,) and bias.dtype == np.float32
        assert layer.get_weights()[0].shape == conv.geometry.weight_shape
        for ours, own in zip(conv.weights(kernels, bias), layer.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, own)
            assert ours.dtype == own.dtype


def test_write_sets_all_weights_or_none() -> None:
    layer = keras.layers.Conv2D(3, (2, 2))
    layer.build((None, 5, 5, 1))
    conv = ConvLayer.of(layer, (5, 5, 1))
    kernels = [np.full((2, 2, 1), i, np.float32) for i in range(3)]
    before = layer.get_weights()
    with pytest.raises(ValueError, match=r"bias as \(3,\).*\(2,\)"):
        conv.write(kernels, np.zeros(2))
    for now, then in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    conv.write(kernels, np.array([7, 8, 9], np.float32))
    np.testing.assert_array_equal(layer.get_weights()[0][1, 1, 0], [0, 1, 2])
    np.testing.assert_array_equal(layer.get_weights()[1], [7, 8, 9])


@pytest.mark.parametrize(
    ("filters", "channels", "given", "mend"),
    [
        (1, 1, [np.zeros((4, 4)), np.zeros(1)], r"np\.reshape\(kernel, \(4, 4, 1, 1\)\)"),
        (4, 1, [np.zeros((4, 4, 4)), np.zeros(4)], r"np\.stack\(kernels, axis=-1\)\[:, :, np\.newaxis, :\]"),
        (4, 3, [np.zeros((4, 4, 4, 3)), np.zeros(4)], r"np\.stack\(kernels, axis=-1\).*reshape would scramble"),
        (4, 1, [np.zeros((4, 4, 4, 1)), np.zeros(4)], r"np\.stack\(kernels, axis=-1\).*reshape would scramble"),
        (4, 3, [np.zeros((4, 4, 3)), np.zeros(4)], r"one kernel of 4.*np\.stack\(kernels, axis=-1\)"),
        (4, 3, [np.zeros((3, 4, 4, 4)), np.zeros(4)], r"np\.transpose.*reshape would scramble"),
        (2, 1, [np.zeros((3, 3, 1, 2)), np.zeros(2)], r"kernel has the shape \(4, 4, 1, 2\): rows, columns"),
        (2, 1, [np.zeros((4, 4, 1, 2))], r"np\.zeros\(2\)"),
        (2, 1, np.zeros((4, 4, 1, 2)), r"Pass the list \[kernel, bias\]"),
        (1, 1, [np.zeros((4, 4, 1, 1)), np.zeros((1, 1))], r"np\.reshape\(bias, \(1,\)\)"),
        (2, 1, [np.zeros((4, 4, 1, 2)), np.zeros(3)], r"each of the 2 filters"),
    ],
)
def test_weights_that_do_not_fit_are_refused_in_kerass_words_with_the_mend(
    filters: int, channels: int, given: Any, mend: str
) -> None:
    layer = keras.layers.Conv2D(filters, (4, 4), name="conv")
    layer.build((None, 9, 9, channels))
    conv = ConvLayer.of(layer, (9, 9, channels))
    with pytest.raises(ValueError) as kerass:
        layer.set_weights(given)
    with pytest.raises(ValueError, match=mend) as ours:
        conv.from_weights(given)
    assert str(ours.value).startswith(str(kerass.value))


def test_the_stack_that_the_mend_names_is_the_one_that_works() -> None:
    kernels = list(np.random.default_rng(0).standard_normal((5, 4, 4, 3)).astype(np.float32))
    layer = keras.layers.Conv2D(5, (4, 4), use_bias=False)
    layer.build((None, 9, 9, 3))
    conv = ConvLayer.of(layer, (9, 9, 3))
    read, bias = conv.from_weights([np.stack(kernels, axis=-1)])
    np.testing.assert_array_equal(read, kernels)
    np.testing.assert_array_equal(bias, np.zeros(5))
