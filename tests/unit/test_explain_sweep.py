"""What the lens explains of a pixel adds up to what a Keras layer of its own returns there."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from convlens import ConvLens
from tests.sweep_size import sweep
from tests.unit.keras_sweep import Array, Sum, close, from_keras, layers, numpy, other_weights, same_sums

#: Layers of each kind, and pixels explained in each: 1,008 pairs at full size.
LAYERS = {
    kind: sweep(number) for kind, number in (("conv", 66), ("depthwise", 34), ("transpose", 34), ("separable", 34))
}
PIXELS = 6


def explained(lens: ConvLens, pre: Array, act: Array, rng: np.random.Generator) -> list[Sum]:
    """Take some pixels of a lens apart, border and corners more than their share, to be compared with Keras's maps."""
    sums: list[Sum] = []
    filters, rows, cols = pre.shape
    for _ in range(PIXELS):
        i = int(rng.integers(filters))
        row, col = (int(rng.choice([0, n - 1, rng.integers(n), rng.integers(n)])) for n in (rows, cols))
        one = lens.explain(i, row, col)
        taken_apart = one.products.sum(dtype=np.float64) + one.bias
        magnitude = float(np.abs(one.products).sum(dtype=np.float64)) + abs(one.bias)
        sums.append(Sum(taken_apart, float(pre[i, row, col]), one.products.size, magnitude))
        assert one.agrees
        np.testing.assert_array_equal(one.products, one.patch * one.kernel)
        np.testing.assert_array_equal(one.patch[~one.inside], 0)
        close(one.pre_activation, pre[i, row, col])
        close(one.activation, act[i, row, col])
    return sums


@pytest.mark.parametrize("kind", list(LAYERS))
def test_the_explained_sum_is_keras_value_for_a_layer_of_any_geometry(kind: str) -> None:
    rng = np.random.default_rng(21)
    sums: list[Sum] = []
    for number, (layer, x) in enumerate(layers(kind, LAYERS[kind], seed=17)):
        weights = other_weights(layer, seed=number)
        lens = ConvLens(x, layer=layer)
        lens.set_weights(weights)
        sums += explained(lens, *from_keras(layer, weights, x), rng)
        lens.close()
    same_sums(sums)


@pytest.mark.parametrize("kind", list(LAYERS))
def test_the_explained_sum_is_keras_value_for_a_layer_inside_a_model(kind: str) -> None:
    rng = np.random.default_rng(5)
    sums: list[Sum] = []
    for number, (layer, x) in enumerate(layers(kind, sweep(6, least=2), seed=31)):
        before = keras.layers.Conv2D(x.shape[2], 3, padding="same", activation="relu")
        model = keras.Sequential([keras.Input((*x.shape[:2], 2)), before, layer])
        image = rng.standard_normal((*x.shape[:2], 2)).astype(np.float32)
        weights = other_weights(layer, seed=number)
        lens = ConvLens(image, model=model, layer=layer.name)
        lens.set_weights(weights)
        fed = numpy(before(image[np.newaxis]))[0]
        sums += explained(lens, *from_keras(layer, weights, fed), rng)
        lens.close()
    same_sums(sums)
