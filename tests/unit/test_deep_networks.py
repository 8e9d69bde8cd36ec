"""Every convolution of well-known networks opens, and an edit of it does what it does in a clone of the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from convlens.models.conv_model import ConvModel
from tests.sweep_size import sweep
from tests.unit.keras_sweep import COMPILES_EVERY_SHAPE, Array, maps, numpy, snapshot

layers = keras.layers

#: The smallest inputs that these networks take, and how often they call a convolution layer.
NETWORKS = {
    "MobileNetV3Small": (32, 43 + 11),
    "ResNet50": (32, 53),
    "EfficientNetV2B0": (32, 75 + 16),
    "VGG16": (32, 13),
    "InceptionV3": (75, 94),
    "DenseNet121": (32, 120),
    "Xception": (71, 6 + 34),
    "ConvNeXtTiny": (32, 22),
}


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    keras.backend.clear_session()


@pytest.mark.slow
@pytest.mark.parametrize("name", list(NETWORKS)[: sweep(len(NETWORKS))])
def test_every_convolution_opens_and_its_edits_and_predictions_are_those_of_a_clone(name: str) -> None:
    keras.utils.set_random_seed(1)
    size, count = NETWORKS[name]
    settings = {"weights": None, "input_shape": (size, size, 3), "classes": 7, "classifier_activation": None}
    model = getattr(keras.applications, name)(**settings)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    photograph = np.random.default_rng(0).integers(0, 256, (size, size, 3)).astype(np.uint8)
    x = photograph[np.newaxis].astype(np.float32)
    calls, output = hooked(clone, x)
    before = snapshot(model)

    shown: list[bool] = []
    opened = ConvModel(model, x)
    assert len(opened.layers) == len(set(opened.layers)) == len(calls) == count
    for conv, (layer, inputs, activations) in zip(opened.open_all(opened.layers), calls, strict=True):
        assert conv.layer.name == layer.name and conv.layer is not layer
        close(conv.input, numpy(inputs)[0])
        kernels, bias = conv.read()
        pointwise = conv.read_pointwise()
        close(conv.run(kernels, bias, range(len(bias)))[1], activations)

        edited = list(kernels)
        edited[len(edited) // 2] = 3 * kernels[len(edited) // 2] + 0.1
        few = range(len(bias)) if COMPILES_EVERY_SHAPE or pointwise is not None else [len(edited) // 2]
        other = bias.copy()
        if layer.use_bias:
            other[len(bias) // 2] += 0.5
        if pointwise is not None:
            pointwise = pointwise * 1.5
        own = layer.get_weights()
        layer.set_weights(conv.weights(edited, other, pointwise))
        expected = maps(layer(inputs))
        layer.set_weights(own)
        close(conv.run(edited, other, few, pointwise)[1], expected[few])
        shown.append(bool((expected != activations).any()))

    # A filter whose maps are zeros may stay so; the edits of nearly all layers must be ones that show.
    assert np.mean(shown) > 0.9

    lens = ConvLens(photograph, model=model)
    for number in (0, count // 2, count - 1):
        layer, _, activations = calls[number]
        lens.layer_path = lens.layers[number]
        close(lens.activations, activations)
        lens.kernels = [1.5 * kernel for kernel in lens.kernels]
        was, now = lens.predictions
        own = layer.get_weights()
        layer.set_weights(lens.get_weights())
        close(was, output)
        close(now, numpy(clone(x, training=False))[0])
        layer.set_weights(own)
    assert snapshot(model) == before


def close(ours: Any, expected: Any) -> None:
    """Equal to float32 rounding, by the measure of the greatest value."""
    expected = np.asarray(expected)
    most = float(np.abs(expected).max())
    assert most > 0
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-4 * most)


def hooked(model: Any, x: Array) -> tuple[list[tuple[Any, Any, Array]], Array]:
    """Run a model; return each call of a convolution layer with its input and maps, and the model's output."""
    calls: list[tuple[Any, Any, Array]] = []
    with pytest.MonkeyPatch.context() as patched:
        for layer_class in (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D):
            patched.setattr(layer_class, "call", _hook(layer_class.call, calls))
        output = numpy(model(x, training=False))[0]
    return calls, output


def _hook(call: Callable[..., Any], calls: list[tuple[Any, Any, Array]]) -> Callable[..., Any]:
    def hooked(self: Any, inputs: Any) -> Any:
        output = call(self, inputs)
        calls.append((self, inputs, maps(output)))
        return output

    return hooked
