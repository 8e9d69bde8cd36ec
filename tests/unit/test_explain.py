"""An explanation's numbers are those that Keras multiplied and added."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from convlens.layers.conv_layer import ConvLayer
from convlens.layers.kinds import kind_by_name
from convlens.maths.explanation import Explanation, explain, separable_kernel
from convlens.maths.geometry import Geometry
from tests.unit.keras_sweep import Sum, layers, same_sums

#: Pixels explained for each of these kinds; together with the layers below, over a thousand.
LAYERS = {"conv": 90, "depthwise": 40, "transpose": 60, "separable": 40}


@pytest.mark.parametrize("kind", list(LAYERS))
def test_the_explained_sum_is_kerass_pre_activation(kind: str) -> None:
    rng = np.random.default_rng(0)
    sums: list[Sum] = []
    for layer, x in layers(kind, LAYERS[kind], seed=11):
        conv = ConvLayer.of(layer, x.shape)
        conv.feed(x)
        geometry = conv.geometry
        kernels, bias = conv.read()
        pre, act = conv.run(kernels, bias, range(geometry.filters))
        for _ in range(6):
            i, row, col = (int(rng.integers(n)) for n in (geometry.filters, *geometry.output_shape))
            pointwise = conv.read_pointwise()
            kernel = kernels[i] if pointwise is None else separable_kernel(layer.get_weights()[0], pointwise, i)
            one = explain(geometry, conv.input, kernel, bias[i], i, row, col, pre[i], act[i])
            assert one.agrees, one
            magnitude = float(np.abs(one.products).sum(dtype=np.float64)) + abs(one.bias)
            sums.append(Sum(one.total, float(pre[i, row, col]), one.products.size, magnitude))
            assert (one.pre_activation, one.activation) == (pre[i, row, col], act[i, row, col])
    same_sums(sums)


def by_hand(row: int, col: int, **changes: object) -> Explanation:
    """A 3×3 image of 1 to 9 under a 2×2 kernel of 1, 10, 100, 1000."""
    settings = {"activation": "relu", "padding": "valid", **changes}
    conv = ConvLayer.built_in(Geometry((3, 3, 1), 1, (2, 2), **settings))  # type: ignore[arg-type]
    x = np.arange(1, 10, dtype=np.float32).reshape(3, 3, 1)
    conv.feed(x)
    kernel = np.array([[1, 10], [100, 1000]], np.float32)[..., np.newaxis]
    pre, act = conv.run([kernel], np.array([-7000], np.float32), [0])
    return explain(conv.geometry, x, kernel, -7000, 0, row, col, pre[0], act[0])


def test_a_case_worked_out_by_hand() -> None:
    one = by_hand(0, 1)
    np.testing.assert_array_equal(one.patch[..., 0], [[2, 3], [5, 6]])
    np.testing.assert_array_equal(one.products[..., 0], [[2, 30], [500, 6000]])
    assert (one.total, one.pre_activation, one.activation) == (-468, -468, 0)
    assert one.window.rows.tolist() == [0, 1] and one.window.cols.tolist() == [1, 2]
    assert one.inside.all() and one.agrees


def test_taps_in_the_padding_are_marked_and_read_zero() -> None:
    one = by_hand(2, 2, padding="same")
    np.testing.assert_array_equal(one.patch[..., 0], [[9, 0], [0, 0]])
    np.testing.assert_array_equal(one.inside, [[True, False], [False, False]])
    assert one.window.rows.tolist() == [2, 3] and one.window.cols.tolist() == [2, 3]
    assert one.total == 9 - 7000 == one.pre_activation


def test_an_infinite_border_does_not_reach_into_the_padding() -> None:
    conv = ConvLayer.built_in(Geometry((2, 2, 1), 1, (3, 3), padding="same", activation="linear"))
    x = np.full((2, 2, 1), np.inf, np.float32)
    conv.feed(x)
    kernel = np.ones((3, 3, 1), np.float32)
    pre, act = conv.run([kernel], np.zeros(1), [0])
    one = explain(conv.geometry, x, kernel, 0.0, 0, 0, 0, pre[0], act[0])
    assert np.isposinf(one.total) and not np.isnan(one.products).any() and one.agrees


def test_a_transposed_layer_reads_the_pixels_that_spread_to_this_one() -> None:
    geometry = Geometry((3, 3, 1), 1, (3, 3), strides=(2, 2), kind=kind_by_name("transpose").arithmetic)
    rows, cols = geometry.window(4, 3)
    # Output 4 is input 2 times tap 0 and input 1 times tap 2; output 3 is input 1 times tap 1.
    assert rows == [2, -1, 1] and cols == [-1, 1, -1]


def test_negative_pixels_count_from_the_end() -> None:
    assert by_hand(-1, -1).pixel == (1, 1)
    np.testing.assert_array_equal(by_hand(-1, -2).patch, by_hand(1, 0).patch)


@pytest.mark.parametrize(("row", "col", "name"), [(2, 0, "row=2"), (0, -3, "col=-3")])
def test_a_pixel_outside_the_map_is_refused_with_the_range(row: int, col: int, name: str) -> None:
    with pytest.raises(IndexError, match=f"{name}.*2 rows and 2 columns.*0 to 1, or -2 to -1"):
        by_hand(row, col)


def test_a_pixel_that_is_no_whole_number_is_refused() -> None:
    with pytest.raises(TypeError, match=r"col=0\.5"):
        by_hand(0, 0.5)  # type: ignore[arg-type]


def test_a_layer_that_computes_something_else_is_flagged() -> None:
    class Brighter(keras.layers.Conv2D):  # type: ignore[misc,unused-ignore]
        def call(self, inputs: Any) -> Any:
            return super().call(3 * inputs)

    for layer, agrees in ((keras.layers.Conv2D(1, 2), True), (Brighter(1, 2), False)):
        x = np.ones((4, 4, 1), np.float32)
        layer.build((None, *x.shape))
        conv = ConvLayer.of(layer, x.shape)
        conv.feed(x)
        kernels, bias = conv.read()
        pre, act = conv.run(kernels, bias, [0])
        one = explain(conv.geometry, x, kernels[0], bias[0], 0, 1, 1, pre[0], act[0])
        assert one.agrees is agrees and ("≠" in repr(one)) is not agrees


def test_arrays_are_read_only() -> None:
    one = by_hand(0, 0)
    for array in (one.patch, one.kernel, one.products, one.inside, *one.window):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
