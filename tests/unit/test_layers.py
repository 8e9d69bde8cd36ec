"""A Keras layer seen through ConvLayer computes what Keras computes, and stays what it was."""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import pytest

from convlens.geometry import PREVIEWABLE, Geometry
from convlens.layers import ConvLayer, input_channels
from tests.unit.keras_sweep import Array, close, from_keras, layers, maps, numpy, other_weights, snapshot

KINDS = ["conv", "depthwise", "transpose", "separable"]


def opened(layer: Any, x: Array) -> ConvLayer:
    conv = ConvLayer.of(layer, x.shape)
    conv.feed(x)
    return conv


def pointwise_of(layer: Any, weights: Sequence[Array]) -> Array | None:
    return weights[1][0, 0] if isinstance(layer, keras.layers.SeparableConv2D) else None


@pytest.mark.parametrize("kind", KINDS)
def test_all_maps_with_edited_weights_equal_those_of_a_layer_that_has_them(kind: str) -> None:
    for number, (layer, x) in enumerate(layers(kind, 25, seed=1, data_formats=("channels_last", "channels_first"))):
        weights = other_weights(layer, number)
        conv = opened(layer, x)
        kernels, bias = conv.from_weights(weights)
        indices = list(range(conv.geometry.filters))
        pre, act = conv.run(kernels, bias, indices, pointwise_of(layer, weights))
        expected = from_keras(layer, weights, x)
        assert pre.shape == act.shape == (conv.geometry.filters, *conv.geometry.output_shape)
        close(pre, expected[0])
        close(act, expected[1])


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_filters_equal_the_same_filters_of_the_whole_layer(kind: str) -> None:
    rng = np.random.default_rng(5)
    for number, (layer, x) in enumerate(layers(kind, 25, seed=2, data_formats=("channels_last", "channels_first"))):
        weights = other_weights(layer, number)
        conv = opened(layer, x)
        kernels, bias = conv.from_weights(weights)
        filters = conv.geometry.filters
        expected = from_keras(layer, weights, x)
        for size in {1, max(1, filters // 2)}:
            indices = [int(i) for i in rng.permutation(filters)[:size]]
            pre, act = conv.run(kernels, bias, indices, pointwise_of(layer, weights))
            close(pre, expected[0][indices])
            close(act, expected[1][indices])


@pytest.mark.parametrize("kind", KINDS)
def test_geometry_gives_the_output_shape_that_keras_returns(kind: str) -> None:
    for layer, x in layers(kind, 40, seed=3):
        geometry = ConvLayer.of(layer, x.shape).geometry
        assert (1, *geometry.output_shape, geometry.filters) == tuple(layer(x[np.newaxis]).shape)


def test_padding_is_where_geometry_says() -> None:
    for layer, x in layers("conv", 40, seed=4):
        geometry = ConvLayer.of(layer, x.shape).geometry
        top, bottom, left, right = geometry.pads
        padded = np.pad(x, ((top, bottom), (left, right), (0, 0)))
        config = {**layer.get_config(), "padding": "valid"} if geometry.activation == "relu" else None
        if config is None:
            continue
        valid = keras.layers.Conv2D.from_config(config)
        valid.build((None, *padded.shape))
        valid.set_weights(layer.get_weights())
        close(numpy(valid(padded[np.newaxis])), numpy(layer(x[np.newaxis])))


@pytest.mark.parametrize("strides", [2, 3])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_a_transposed_layer_with_output_padding_has_the_shape_that_keras_returns(strides: int, padding: str) -> None:
    for size in (2, 3, 5):
        for extra in range(strides):
            if padding == "same" and size % 2 + extra == 0:
                continue  # no convolution with this stride has that output as its input: TensorFlow refuses
            layer = keras.layers.Conv2DTranspose(2, size, strides=strides, padding=padding, output_padding=extra)
            x = np.ones((5, 7, 2), np.float32)
            layer.build((None, *x.shape))
            conv = opened(layer, x)
            expected = layer(x[np.newaxis])
            assert (1, *conv.geometry.output_shape, 2) == tuple(expected.shape)
            close(conv.run(*conv.read(), [1])[1], maps(expected)[[1]])


@pytest.mark.parametrize("kind", KINDS)
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


def test_kernel_i_is_the_one_that_makes_map_i() -> None:
    x = np.arange(25, dtype=np.float32).reshape(5, 5, 1)
    conv = ConvLayer.built_in(Geometry((5, 5, 1), 2, (2, 2), activation="linear"))
    conv.feed(x)
    picks = np.zeros((2, 2, 2, 1), np.float32)
    picks[0, 0, 0] = picks[1, 1, 1] = 1
    pre, _ = conv.run(list(picks), np.array([0, 100], np.float32), [0, 1])
    np.testing.assert_array_equal(pre[0], x[:4, :4, 0])
    np.testing.assert_array_equal(pre[1], x[1:, 1:, 0] + 100)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
def test_a_layer_of_low_precision_computes_in_it_and_answers_in_float32(policy: str) -> None:
    layer = keras.layers.Conv2D(3, 3, activation="relu", dtype=policy)
    x = np.random.default_rng(0).random((9, 8, 2), dtype=np.float32)
    layer.build((None, *x.shape))
    conv = opened(layer, x)
    assert not conv.geometry.previewable
    for indices in ([0, 1, 2], [1]):
        pre, act = conv.run(*conv.read(), indices)
        assert pre.dtype == act.dtype == np.float32
        close(act, maps(layer(x[np.newaxis]))[indices], relative=1e-2)
    assert [w.dtype for w in conv.weights(*conv.read())] == [w.dtype for w in layer.get_weights()]


def test_nothing_of_the_layer_or_of_keras_changes() -> None:
    for kind in KINDS:
        for layer, x in layers(kind, 8, seed=7):
            before = snapshot(layer)
            conv = opened(layer, x)
            kernels, bias = conv.read()
            conv.run(kernels, bias, range(conv.geometry.filters))
            conv.run(kernels, bias, [0])
            conv.with_filters(conv.geometry.kernel_count, (2, 2))
            with pytest.raises(ValueError, match="not compatible"):
                conv.from_weights([np.zeros((9, 9))] * len(layer.get_weights()))
            assert snapshot(layer) == before


def test_no_automatic_name_and_no_random_number_is_used_up() -> None:
    def number_of(name: str) -> int:
        return int(name.rsplit("_", 1)[1])

    layer = keras.layers.Conv2D(4, 3, name="mine")
    x = np.ones((8, 8, 2), np.float32)
    layer.build((None, *x.shape))
    keras.layers.Conv2D(1, 1)
    first = keras.layers.Conv2D(1, 1).name
    keras.utils.set_random_seed(3)
    expected = [numpy(keras.random.normal((3,))) for _ in range(2)]
    keras.utils.set_random_seed(3)
    drawn = [numpy(keras.random.normal((3,)))]
    conv = opened(layer, x)
    conv.run(*conv.read(), [2])
    more = conv.with_filters(7, (2, 2))
    more.run(list(np.ones((7, 2, 2, 2), np.float32)), np.zeros(7), [1])
    built_in = ConvLayer.built_in(Geometry((8, 8, 2), 3, (3, 3)))
    built_in.feed(x)
    built_in.run(list(np.ones((3, 3, 3, 2), np.float32)), np.zeros(3), [1])
    drawn.append(numpy(keras.random.normal((3,))))
    np.testing.assert_array_equal(drawn, expected)
    assert number_of(keras.layers.Conv2D(1, 1).name) == number_of(first) + 1


def test_many_threads_may_run_one_layer() -> None:
    layer = keras.layers.Conv2D(2, 3, activation=lambda x: keras.ops.square(x))
    x = np.random.default_rng(0).random((12, 12, 1), dtype=np.float32)
    layer.build((None, *x.shape))
    conv = opened(layer, x)
    kernels, bias = conv.read()
    expected = [[scale * scale * m for m in maps(layer(x[np.newaxis]))] for scale in range(1, 5)]
    results: dict[int, Any] = {}

    def work(scale: int) -> None:
        results[scale] = [conv.run([k * scale for k in kernels], bias, [0, 1])[1] for _ in range(10)]

    threads = [threading.Thread(target=work, args=(scale,)) for scale in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for scale in range(1, 5):
        for act in results[scale]:
            close(act, np.stack(expected[scale - 1]))


def test_more_kernels_than_the_layer_has_filters_run_through_its_configuration() -> None:
    layer = keras.layers.Conv2D(1, (4, 4), activation="relu", strides=2)
    x = np.random.default_rng(0).random((20, 30, 1), dtype=np.float32)
    layer.build((None, *x.shape))
    before = snapshot(layer)
    conv = opened(layer, x).with_filters(4, (4, 4))
    kernels = np.random.default_rng(1).standard_normal((4, 4, 4, 1)).astype(np.float32)
    _, act = conv.run(list(kernels), np.zeros(4), range(4))
    assert conv.layer is layer and snapshot(layer) == before
    with pytest.raises(ValueError, match=r"4 kernels of \(4, 4\).*1 kernel of \(4, 4\).*filters=4"):
        conv.write(list(kernels), np.zeros(4))
    assert snapshot(layer) == before
    for kernel, expected in zip(kernels, act, strict=True):
        # The tutorial's own lines.
        layer.set_weights([np.reshape(kernel, (4, 4, 1, 1)), np.array([0.0])])
        close(expected, maps(layer(x[np.newaxis]))[0])


def test_a_layer_that_is_not_built_runs_with_kernels_and_stays_unbuilt() -> None:
    layer = keras.layers.Conv2D(2, (3, 3), activation="relu")
    x = np.random.default_rng(0).random((9, 9, 3), dtype=np.float32)
    conv = ConvLayer.of(layer, x.shape)
    with pytest.raises(ValueError, match=r"not built.*layer\.build"):
        conv.read()
    with_kernels = conv.with_filters(2, (3, 3))
    with_kernels.feed(x)
    kernels = np.random.default_rng(1).standard_normal((2, 3, 3, 3)).astype(np.float32)
    _, act = with_kernels.run(list(kernels), np.zeros(2), [0, 1])
    assert not layer.built
    with pytest.raises(ValueError, match="is not built"):
        with_kernels.write(list(kernels), np.zeros(2))
    layer.build((None, *x.shape))
    layer.set_weights(with_kernels.weights(list(kernels), np.zeros(2)))
    close(act, maps(layer(x[np.newaxis])))


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


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (lambda: keras.layers.Dense(3), "kernel_size=1"),
        (lambda: keras.layers.Conv1D(3, 2), "one axis"),
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
    conv = opened(layer, x)
    assert not conv.geometry.previewable
    expected = maps(layer(x[np.newaxis]))
    close(conv.run(*conv.read(), [1])[1], expected[[1]])
    kernels, bias = conv.read()
    close(conv.with_filters(2, (2, 2)).run(kernels[:2], bias[:2], [0, 1])[1], expected[:2])


def test_the_input_is_read_back_as_it_was_fed() -> None:
    x = np.random.default_rng(0).random((6, 7, 2), dtype=np.float32)
    for data_format in ("channels_last", "channels_first"):
        layer = keras.layers.Conv2D(1, 1, data_format=data_format)
        np.testing.assert_array_equal(opened(layer, x).input if layer.built else _fed(layer, x), x)


def _fed(layer: Any, x: Array) -> Array:
    conv = ConvLayer.of(layer, x.shape).with_filters(1, (1, 1))
    conv.feed(x)
    return conv.input
