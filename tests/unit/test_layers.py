"""A Keras layer seen through ConvLayer computes what Keras computes, and stays what it was."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import pytest

from convlens.layers.conv_layer import ConvLayer
from convlens.maths.geometry import Geometry
from tests.unit.keras_sweep import (
    CLASSES,
    Array,
    close,
    from_keras,
    layers,
    maps,
    numpy,
    other_weights,
    reseed,
    snapshot,
)

KINDS = list(CLASSES)


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
        top, bottom, left, right = ConvLayer.of(layer, x.shape).geometry.pads
        padded = np.pad(x, ((top, bottom), (left, right), (0, 0)))
        names = ("filters", "kernel_size", "strides", "dilation_rate", "groups", "use_bias")
        valid = keras.layers.Conv2D(**{name: getattr(layer, name) for name in names}, padding="valid")
        valid.build((None, *padded.shape))
        valid.set_weights(layer.get_weights())
        close(maps(valid(padded[np.newaxis])), from_keras(layer, layer.get_weights(), x)[0])


@pytest.mark.parametrize("strides", [2, 3])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_a_transposed_layer_with_output_padding_has_the_shape_that_keras_returns(strides: int, padding: str) -> None:
    for size in (2, 3, 5):
        # Keras 3.9 takes an output padding of 0 for none given.
        for extra in range(1 if keras.__version__.startswith("3.9.") else 0, strides):
            if padding == "same" and size % 2 + extra == 0:
                continue  # no convolution with this stride has that output as its input: TensorFlow refuses
            layer = keras.layers.Conv2DTranspose(2, size, strides=strides, padding=padding, output_padding=extra)
            x = np.ones((5, 7, 2), np.float32)
            layer.build((None, *x.shape))
            conv = opened(layer, x)
            expected = layer(x[np.newaxis])
            assert (1, *conv.geometry.output_shape, 2) == tuple(expected.shape)
            close(conv.run(*conv.read(), [1])[1], maps(expected)[[1]])


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


def use_every_way() -> None:
    layer = keras.layers.Conv2D(4, 3, name="mine", kernel_initializer="ones")
    x = np.ones((8, 8, 2), np.float32)
    layer.build((None, *x.shape))
    conv = opened(layer, x)
    conv.run(*conv.read(), [2])
    conv.with_filters(7, (2, 2)).run(list(np.ones((7, 2, 2, 2), np.float32)), np.zeros(7), [1])
    built_in = ConvLayer.built_in(Geometry((8, 8, 2), 3, (3, 3)))
    built_in.feed(x)
    built_in.run(list(np.ones((3, 3, 3, 2), np.float32)), np.zeros(3), [1])


def test_no_random_number_is_used_up() -> None:
    reseed(3)
    expected = [numpy(keras.random.normal((3,))) for _ in range(2)]
    reseed(3)
    first = numpy(keras.random.normal((3,)))
    use_every_way()
    np.testing.assert_array_equal([first, numpy(keras.random.normal((3,)))], expected)


def test_no_automatic_name_is_used_up() -> None:
    keras.layers.Conv2D(1, 1)
    _, before = keras.layers.Conv2D(1, 1).name.rsplit("_", 1)
    use_every_way()
    _, after = keras.layers.Conv2D(1, 1).name.rsplit("_", 1)
    assert int(after) == int(before) + 1


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


def test_the_input_is_read_back_as_it_was_fed() -> None:
    x = np.random.default_rng(0).random((6, 7, 2), dtype=np.float32)
    for data_format in ("channels_last", "channels_first"):
        layer = keras.layers.Conv2D(1, 1, data_format=data_format)
        np.testing.assert_array_equal(opened(layer, x).input if layer.built else _fed(layer, x), x)


def _fed(layer: Any, x: Array) -> Array:
    conv = ConvLayer.of(layer, x.shape).with_filters(1, (1, 1))
    conv.feed(x)
    return conv.input


def test_all_filters_of_a_grouped_layer_are_compiled_once_where_they_are_compiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layer = keras.layers.Conv2D(6, 3, groups=3, activation="relu")
    x = np.random.default_rng(0).random((9, 8, 3), dtype=np.float32)
    layer.build((None, *x.shape))
    conv = opened(layer, x)
    runs: list[Any] = []
    call = keras.layers.Conv2D.call
    for seed in range(3):
        weights = other_weights(layer, seed)
        expected = from_keras(layer, weights, x)
        kernels, bias = conv.from_weights(weights)
        with monkeypatch.context() as patched:
            patched.setattr(keras.layers.Conv2D, "call", lambda self, x: runs.append(self) or call(self, x))  # type: ignore[func-returns-value]
            pre, act = conv.run(kernels, bias, range(6))
        close(pre, expected[0])
        close(act, expected[1])
    # What Python runs at every call, TensorFlow would trace and compile at every call.
    assert len(runs) == (1 if keras.backend.backend() == "tensorflow" else 3)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_a_filter_of_a_separable_layer_has_keras_compute_no_other(
    data_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Sizes of its own in each format: what is traced once for a geometry is kept for all lenses.
    x = np.random.default_rng(0).random((13, 11 if data_format == "channels_last" else 12, 5), dtype=np.float32)
    layer = keras.layers.SeparableConv2D(6, 3, depth_multiplier=2, activation="gelu", data_format=data_format)
    layer.build((None, *(x if data_format == "channels_last" else x.transpose(2, 0, 1)).shape))
    conv = opened(layer, x)
    asked: list[int] = []
    call = keras.layers.SeparableConv2D.call

    def counted(self: Any, x: Any) -> Any:
        result = call(self, x)
        asked.append(int(result.shape[-1 if self.data_format == "channels_last" else 1]))
        return result

    monkeypatch.setattr(keras.layers.SeparableConv2D, "call", counted)
    for seed, index in enumerate([4, 0, 5]):
        weights = other_weights(layer, seed)
        kernels, bias = conv.from_weights(weights)
        pre, act = conv.run(kernels, bias, [index], pointwise_of(layer, weights))
        # PyTorch runs this code each time, the others what was traced of it.
        assert asked == [1] * (1 + seed if keras.backend.backend() == "torch" else 1)
        with monkeypatch.context() as original:
            original.setattr(keras.layers.SeparableConv2D, "call", call)
            expected = from_keras(layer, weights, x)
        close(pre, expected[0][[index]])
        close(act, expected[1][[index]])


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("activation", ["linear", "gelu"])
@pytest.mark.parametrize("kernel_size", [(1, 1), (2, 2)])
def test_a_separable_layer_of_one_channel_weighs_it_as_keras_does(
    kernel_size: tuple[int, int], activation: str, use_bias: bool
) -> None:
    x = np.random.default_rng(0).random((9, 8, 1), dtype=np.float32)
    layer = keras.layers.SeparableConv2D(3, kernel_size, activation=activation, use_bias=use_bias)
    layer.build((None, *x.shape))
    weights = other_weights(layer, 0)
    conv = opened(layer, x)
    kernels, bias = conv.from_weights(weights)
    for _ in range(2):
        pre, act = conv.run(kernels, bias, [2], pointwise_of(layer, weights))
        expected = from_keras(layer, weights, x)
        close(pre, expected[0][[2]])
        close(act, expected[1][[2]])
