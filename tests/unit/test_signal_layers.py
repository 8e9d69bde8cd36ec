"""Layers over one axis, as pictures of one row, compute what Keras computes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest

from convlens.layers.conv_layer import ConvLayer
from tests.unit.keras_sweep import ACTIVATIONS, SIGNAL_CLASSES, Array, close, numpy, short, snapshot


def signal_layers(kind: str, number: int, seed: int) -> Iterator[tuple[Any, Array]]:
    """Yield built layers with random settings and weights, each with a signal ``(steps, channels)``."""
    rng = np.random.default_rng(seed)
    while number:
        kernel_size, stretch, channels = int(rng.integers(1, 6)), int(rng.integers(1, 4)), int(rng.choice([1, 2, 4]))
        causal = ["causal"] if kind == "conv1d" else []
        settings: dict[str, Any] = {
            "kernel_size": kernel_size,
            "padding": str(rng.choice(["valid", "same", *causal])),
            "use_bias": bool(rng.integers(2)),
            "activation": ACTIVATIONS[rng.integers(len(ACTIVATIONS))](),
            str(rng.choice(["strides", "dilation_rate"])): stretch,
        }
        if kind == "conv1d":
            settings["groups"] = int(rng.choice([1, channels]))
            settings["filters"] = settings["groups"] * int(rng.integers(1, 4))
        elif kind == "transpose1d":
            settings["filters"] = int(rng.integers(1, 5))
        else:
            settings["depth_multiplier"] = int(rng.integers(1, 4))
            if kind == "separable1d":
                settings["filters"] = int(rng.integers(1, 5))
        steps = int(rng.integers(16, 40))
        layer = SIGNAL_CLASSES[kind](**settings)
        layer.build((None, steps, channels))
        layer.set_weights([rng.standard_normal(w.shape).astype(np.float32) for w in layer.get_weights()])
        number -= 1
        yield layer, rng.standard_normal((steps, channels)).astype(np.float32)


def opened(layer: Any, signal: Array) -> ConvLayer:
    conv = ConvLayer.of(layer, (1, *signal.shape))
    conv.feed(signal[np.newaxis])
    return conv


def from_keras(layer: Any, weights: list[Array], signal: Array) -> tuple[Array, Array]:
    """Pre-activations and activations, ``(filters, 1, steps)``, of a linear layer of the same settings."""
    names = ("filters", "kernel_size", "strides", "padding", "dilation_rate", "groups", "use_bias", "depth_multiplier")
    linear = type(layer)(**{name: getattr(layer, name) for name in names if hasattr(layer, name)})
    linear.build((None, *signal.shape))
    linear.set_weights(weights)
    pre = linear(signal[np.newaxis])
    before, after = numpy(pre)[0].T, numpy(layer.activation(pre))[0].T
    return before[:, np.newaxis], after[:, np.newaxis]


@pytest.mark.parametrize("kind", list(SIGNAL_CLASSES))
def test_maps_with_edited_weights_equal_those_of_a_layer_that_has_them(kind: str) -> None:
    rng = np.random.default_rng(7)
    for layer, signal in signal_layers(kind, short(16), seed=1):
        conv = opened(layer, signal)
        weights = [rng.standard_normal(w.shape).astype(np.float32) for w in layer.get_weights()]
        kernels, bias = conv.from_weights(weights)
        pointwise = weights[1][0] if kind == "separable1d" else None
        pre, act = from_keras(layer, weights, signal)
        for indices in (list(range(conv.geometry.filters)), [conv.geometry.filters - 1]):
            ours = conv.run(kernels, bias, indices, pointwise)
            assert ours[0].shape == (len(indices), *conv.geometry.output_shape) and conv.geometry.output_shape[0] == 1
            close(ours[0], pre[indices])
            close(ours[1], act[indices])


@pytest.mark.parametrize("kind", list(SIGNAL_CLASSES))
def test_weights_come_back_as_keras_keeps_them(kind: str) -> None:
    for layer, signal in signal_layers(kind, 6, seed=2):
        before = snapshot(layer)
        conv = opened(layer, signal)
        kernels, bias = conv.read()
        assert len(kernels) == conv.geometry.kernel_count
        assert all(kernel.shape == conv.geometry.kernel_shape for kernel in kernels)
        assert layer.get_weights()[0].shape == conv.geometry.weight_shape
        for ours, own in zip(conv.weights(kernels, bias, conv.read_pointwise()), layer.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, own)
        conv.run(kernels, bias, [0])
        assert snapshot(layer) == before


@pytest.mark.parametrize("kind", ["conv1d", "transpose1d"])
def test_another_number_and_length_of_kernels_runs_through_the_configuration(kind: str) -> None:
    signal = np.random.default_rng(3).standard_normal((20, 2)).astype(np.float32)
    layer = SIGNAL_CLASSES[kind](2, 3, strides=2, activation="relu")
    layer.build((None, *signal.shape))
    kernels = np.random.default_rng(4).standard_normal((5, 1, 4, 2)).astype(np.float32)
    conv = opened(layer, signal).with_filters(5, (1, 4))
    other = SIGNAL_CLASSES[kind](5, 4, strides=2, activation="relu")
    other.build((None, *signal.shape))
    weight = np.moveaxis(kernels[:, 0], 0, 2 if kind == "conv1d" else 1)
    other.set_weights([weight, np.zeros(5)])
    close(conv.run(list(kernels), np.zeros(5), range(5))[1][:, 0], numpy(other(signal[np.newaxis]))[0].T)


def test_causal_padding_reads_nothing_that_comes_later() -> None:
    layer = keras.layers.Conv1D(1, 3, dilation_rate=2, padding="causal")
    layer.build((None, 12, 1))
    signal = np.random.default_rng(5).standard_normal((12, 1)).astype(np.float32)
    geometry = opened(layer, signal).geometry
    assert geometry.output_shape == (1, 12) and geometry.pads == (0, 0, 4, 0)
    changed = signal.copy()
    changed[7] += 1
    differ = np.nonzero(numpy(layer(signal[np.newaxis])) != numpy(layer(changed[np.newaxis])))[1]
    # The positions whose window has step 7 are those that change of Keras's own output.
    assert [at for at in range(12) if 7 in geometry.window(0, at)[1]] == list(differ) == [7, 9, 11]


def test_a_signal_is_a_picture_of_one_row() -> None:
    layer = keras.layers.Conv1D(1, 3)
    layer.build((None, 12, 1))
    with pytest.raises(ValueError, match=r"along one axis, but was fed 2 rows.*\(1, steps, channels\)"):
        ConvLayer.of(layer, None).feed(np.zeros((2, 12, 1), np.float32))
