"""Every convolution of well-known networks opens and computes what it computes there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from convlens.layers import ConvLayer
from convlens.models import ConvModel
from tests.unit.keras_sweep import Array, close, maps, numpy, snapshot

layers = keras.layers

#: The smallest inputs that these networks take.
SIZES = {
    "ResNet50": 32,
    "MobileNetV3Small": 32,
    "EfficientNetV2B0": 32,
    "VGG16": 32,
    "InceptionV3": 75,
    "DenseNet121": 32,
    "Xception": 71,
    "ConvNeXtTiny": 32,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", list(SIZES))
def test_every_convolution_of_a_deep_network_has_the_activations_that_it_has_there(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = getattr(keras.applications, name)(weights=None, input_shape=(SIZES[name], SIZES[name], 3), classes=7)
    x = np.random.default_rng(0).uniform(0, 255, (1, SIZES[name], SIZES[name], 3)).astype(np.float32)
    calls: list[tuple[Any, Any, Array]] = []
    with monkeypatch.context() as patched:
        for layer_class in (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D):
            patched.setattr(layer_class, "call", _hook(layer_class.call, calls))
        model(x, training=False)
    before = snapshot(model)
    conv_model = ConvModel(model, x)
    assert [conv_model.find(path).layer for path in conv_model.layers] == [layer for layer, _, _ in calls]
    for number, (path, (layer, inputs, returned)) in enumerate(zip(conv_model.layers, calls, strict=True)):
        if number % 8 == 0:
            conv = conv_model.open(path)
            np.testing.assert_array_equal(conv.input, numpy(inputs)[0])
        else:  # opening runs the model again up to here, which would take minutes for all
            conv = ConvLayer.of(layer, conv_model.find(path).input_shape, path)
            conv.feed(inputs)
        few = sorted({0, conv.geometry.filters // 2, conv.geometry.filters - 1})
        pre, act = conv.run(*conv.read(), few)
        assert act.shape == pre.shape == (len(few), *conv.geometry.output_shape)
        close(act, returned[few], relative=1e-4)
    assert snapshot(model) == before


def _hook(call: Callable[..., Any], calls: list[tuple[Any, Any, Array]]) -> Callable[..., Any]:
    def hooked(self: Any, inputs: Any) -> Any:
        output = call(self, inputs)
        calls.append((self, inputs, maps(output)))
        return output

    return hooked
