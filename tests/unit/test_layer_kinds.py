"""Which layers open, what is said about those that do not, and whose activation a layer has."""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
import pytest

from convlens.layers.conv_layer import ConvLayer, input_channels
from convlens.layers.kinds import all_kinds
from convlens.maths.activations import PREVIEWABLE
from convlens.maths.geometry import Geometry
from tests.unit.keras_sweep import CLASSES, SIGNAL_CLASSES, close, maps


def test_the_sweeps_cover_every_kind_that_has_a_file() -> None:
    assert {kind.arithmetic.name: kind.keras_class for kind in all_kinds()} == CLASSES | SIGNAL_CLASSES


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (lambda: keras.layers.Dense(3), "kernel_size=1"),
        (lambda: keras.layers.Conv3D(3, 2), "volumes"),
        (lambda: keras.layers.ConvLSTM2D(3, 2), "gates"),
        (lambda: keras.layers.MaxPooling2D(), "not a convolution"),
        (lambda: keras.layers.TimeDistributed(keras.layers.Dense(3)), "Dense"),
        (lambda: keras.Sequential(), "model=model"),
        (lambda: np.zeros((3, 3)), "not a Keras layer"),
    ],
)
def test_layers_that_cannot_be_shown_are_refused_with_the_reason(layer: Any, why: str) -> None:
    with pytest.raises(TypeError, match=why):
        ConvLayer.of(layer(), (8, 8, 1))


def test_a_layer_with_lora_is_refused_with_the_way_out() -> None:
    layer = keras.layers.Conv2D(4, 3)
    layer.build((None, 8, 8, 2))
    layer.enable_lora(2)
    with pytest.raises(TypeError, match=r"LoRA.*layer\.kernel"):
        ConvLayer.of(layer, (8, 8, 2))


def test_a_wrapped_layer_is_opened() -> None:
    inner = keras.layers.Conv2D(4, 3)
    wrapped = keras.layers.SpectralNormalization(inner)
    wrapped.build((None, 8, 8, 2))
    conv = ConvLayer.of(wrapped, (8, 8, 2))
    assert conv.layer is inner and conv.geometry.filters == 4 and input_channels(wrapped) == 2


def test_channels_that_do_not_fit_are_named() -> None:
    layer = keras.layers.Conv2D(4, 3)
    layer.build((None, 8, 8, 3))
    with pytest.raises(ValueError, match="3 channels, but is given 1 channel"):
        ConvLayer.of(layer, (8, 8, 1))
    with pytest.raises(ValueError, match="reads 3 channels, but was fed 2 channels"):
        ConvLayer.of(layer, None).feed(np.zeros((8, 8, 2), np.float32))


def test_an_input_smaller_than_the_kernel_is_refused_before_keras_sees_it() -> None:
    layer = keras.layers.Conv2D(1, 3, dilation_rate=4, use_bias=False)
    layer.build((None, None, None, 1))
    with pytest.raises(ValueError, match=r"spans \(9, 9\).*\(8, 20\)"):
        ConvLayer.of(layer, (8, 20, 1)).feed(np.zeros((8, 20, 1), np.float32))
    with pytest.raises(ValueError, match="does not fit"):
        ConvLayer.built_in(Geometry((3, 3, 1), 1, (4, 4)))


@pytest.mark.parametrize(
    ("activation", "name", "params", "previewable"),
    [
        (None, "linear", {}, True),
        ("swish", "silu", {}, True),
        (keras.activations.relu, "relu", {}, True),
        (
            functools.partial(keras.activations.leaky_relu, negative_slope=0.4),
            "leaky_relu",
            {"negative_slope": 0.4},
            True,
        ),
        (keras.layers.LeakyReLU(negative_slope=0.1), "leaky_relu", {"negative_slope": 0.1}, True),
        (keras.layers.ReLU(max_value=6, threshold=1), "relu", {"max_value": 6.0, "threshold": 1.0}, True),
        (keras.layers.ELU(alpha=0.5), "elu", {"alpha": 0.5}, True),
        (keras.layers.Activation("tanh"), "tanh", {}, True),
        ("softmax", "softmax", {}, False),
        (keras.layers.PReLU(name="mine"), "mine", {}, False),
    ],
)
def test_geometry_names_kerass_activations_and_their_constants(
    activation: Any, name: str, params: dict[str, float], previewable: bool
) -> None:
    geometry = ConvLayer.of(keras.layers.Conv2D(1, 1, activation=activation), (4, 4, 1)).geometry
    assert (geometry.activation, geometry.activation_params, geometry.previewable) == (name, params, previewable)


@pytest.mark.parametrize("name", sorted(PREVIEWABLE))
def test_every_activation_that_the_browser_draws_is_recognised_as_kerass(name: str) -> None:
    geometry = ConvLayer.built_in(Geometry((4, 4, 1), 1, (1, 1), activation=name)).geometry
    assert geometry.previewable and geometry.builtin


def test_a_users_function_called_relu_is_not_taken_for_kerass() -> None:
    def relu(x: Any) -> Any:
        return keras.ops.maximum(x, 0.0) - 5.0

    conv = ConvLayer.built_in(Geometry((4, 4, 1), 2, (1, 1)), activation=relu)
    assert conv.geometry.activation == "relu" and not conv.geometry.previewable
    conv.feed(np.ones((4, 4, 1), np.float32))
    assert conv.run(list(np.ones((2, 1, 1, 1), np.float32)), np.zeros(2), [0])[1].max() == -4


def test_a_subclass_is_computed_by_its_own_code() -> None:
    @keras.saving.register_keras_serializable("tests")
    class Doubled(keras.layers.Conv2D):  # type: ignore[misc,unused-ignore]
        def call(self, inputs: Any) -> Any:
            return 2 * super().call(inputs)

    layer = Doubled(3, 2, activation="relu")
    x = np.random.default_rng(0).random((6, 6, 1), dtype=np.float32)
    layer.build((None, *x.shape))
    conv = ConvLayer.of(layer, x.shape)
    conv.feed(x)
    assert not conv.geometry.previewable
    expected = maps(layer(x[np.newaxis]))
    close(conv.run(*conv.read(), [1])[1], expected[[1]])
    kernels, bias = conv.read()
    close(conv.with_filters(2, (2, 2)).run(kernels[:2], bias[:2], [0, 1])[1], expected[:2])
