"""Keras-hub's models of images, with random weights: their convolutions open, are edited and predict as in a twin.

Nothing is downloaded: each model is built by hand, from its class and small settings.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from tests.unit.keras_sweep import Array, maps, numpy, snapshot

pytestmark = pytest.mark.keras_hub

SIZE = 64
SHAPE = (SIZE, SIZE, 3)
PHOTOGRAPH = np.random.default_rng(0).integers(0, 256, SHAPE).astype(np.uint8)
LAYERS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)


def hub() -> Any:
    return importlib.import_module("keras_hub").models


def resnet(**options: Any) -> Any:
    """Bottlenecks as of ResNet-D: two convolutions before the first stage, and pooled shortcuts."""
    settings = {
        "input_conv_filters": [8, 12],
        "input_conv_kernel_sizes": [3, 3],
        "stackwise_num_filters": [64, 16, 24],
        "stackwise_num_blocks": [1, 2, 1],
        "stackwise_num_strides": [1, 2, 2],
        "block_type": "bottleneck_block_vd",
    }
    return hub().ResNetBackbone(image_shape=SHAPE, **(settings | options))


def efficientnet() -> Any:
    """A fused block, and two whose convolutions are depthwise, with squeeze and excitation."""
    return hub().EfficientNetBackbone(
        stackwise_kernel_sizes=[3, 3, 5],
        stackwise_num_repeats=[1, 2, 1],
        stackwise_input_filters=[16, 8, 16],
        stackwise_output_filters=[8, 16, 24],
        stackwise_expansion_ratios=[1, 4, 2],
        stackwise_squeeze_and_excite_ratios=[0, 0.25, 0.25],
        stackwise_strides=[1, 2, 2],
        stackwise_block_types=["fused", "unfused", "unfused"],
        width_coefficient=1.0,
        depth_coefficient=1.0,
        num_features=32,
        input_shape=SHAPE,
    )


def mit() -> Any:
    """Transformer blocks, with convolutions that embed patches, shorten the keys and mix neighbours."""
    return hub().MiTBackbone(
        image_shape=SHAPE,
        num_layers=2,
        hidden_dims=[8, 16],
        layerwise_depths=[1, 2],
        layerwise_num_heads=[1, 2],
        layerwise_sr_ratios=[4, 2],
        layerwise_patch_sizes=[7, 3],
        layerwise_strides=[4, 2],
        max_drop_path_rate=0.1,
    )


def deeplab() -> Any:
    """Segments by dilated convolutions and a branch from an early stage."""
    encoder = resnet(input_conv_filters=[64], input_conv_kernel_sizes=[7], block_type="basic_block")
    backbone = hub().DeepLabV3Backbone(
        image_encoder=encoder,
        image_shape=SHAPE,
        low_level_feature_key="P2",
        spatial_pyramid_pooling_key="P4",
        upsampling_size=4,
        dilation_rates=[2, 3, 4],
        projection_filters=8,
    )
    return hub().DeepLabV3ImageSegmenter(backbone=backbone, num_classes=3, preprocessor=None)


def hgnet() -> Any:
    """The newest of PaddlePaddle's networks, one of its stages with grouped convolutions; returns several maps."""
    return hub().HGNetV2Backbone(
        depths=[1, 1],
        embedding_size=8,
        hidden_sizes=[16, 32],
        stem_channels=[3, 8, 16],
        hidden_act="relu",
        use_learnable_affine_block=True,
        stackwise_stage_filters=[(16, 8, 16, 1, 2, 3), (16, 12, 32, 1, 2, 5)],
        apply_downsample=[False, True],
        use_lightweight_conv_block=[False, True],
        image_shape=SHAPE,
    )


def segformer() -> Any:
    """Segments by MiT, its levels fused by a convolution."""
    backbone = hub().SegFormerBackbone(image_encoder=mit(), projection_filters=16)
    return hub().SegFormerImageSegmenter(backbone=backbone, num_classes=3, preprocessor=None)


MODELS: dict[str, Callable[[], Any]] = {
    "ResNet": resnet,
    "EfficientNet": efficientnet,
    "MiT": mit,
    "DeepLabV3": deeplab,
    "HGNetV2": hgnet,
    "SegFormer": segformer,
}


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    keras.backend.clear_session()


@pytest.mark.parametrize("name", list(MODELS))
def test_a_models_convolutions_open_and_their_edits_and_predictions_are_those_of_a_twin(name: str) -> None:
    keras.utils.set_random_seed(1)
    model, twin = MODELS[name](), MODELS[name]()
    random = np.random.default_rng(2)
    # Biases, and the statistics and scales of normalisations, are 0 and 1 in a fresh model, which would hide their use.
    weights = [w + random.uniform(0, 0.3, w.shape) if w.ndim == 1 else w for w in model.get_weights()]
    model.set_weights(weights)
    twin.set_weights(weights)
    x = PHOTOGRAPH[np.newaxis].astype(np.float32)
    calls, outputs = recorded(twin, x)
    before, bytes_before = snapshot(model), as_bytes(model)

    lens = ConvLens(PHOTOGRAPH, model=model, output=len(outputs) - 1)
    assert len(lens.layers) == len(set(lens.layers)) == len(calls)
    chosen = numbers(calls)
    assert name in ("ResNet", "DeepLabV3") or len(chosen) > 3, "no depthwise or grouped convolution"
    for number in chosen:
        layer, inputs, activations = calls[number]
        lens.layer_path = lens.layers[number]
        assert type(lens.layer) is type(layer) and lens.layer is not layer
        close(lens.activations, activations)

        one = len(lens.kernels) // 2
        lens.set_kernel(one, 3 * lens.kernels[one] + 0.1)
        own = layer.get_weights()
        layer.set_weights([edited(own[0], layer, one), *own[1:]])
        expected = maps(layer(inputs))
        assert np.abs(expected[one] - activations[one]).max() > 0
        close(lens.activations, expected)
        was, now = lens.predictions
        close(was, outputs[-1])
        close(now, flat(twin(x, training=False))[-1])
        layer.set_weights(own)
    assert snapshot(model) == before and as_bytes(model) == bytes_before


def edited(kernel: Array, layer: Any, one: int) -> Array:
    """Return a layer's kernel with that of filter `one` times 3 and 0.1 more."""
    factor, more = np.ones(kernel.shape, np.float32), np.zeros(kernel.shape, np.float32)
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        place = (..., *divmod(one, layer.depth_multiplier))
    else:
        place = (..., one)
    factor[place], more[place] = 3, 0.1
    return kernel * factor + more


def numbers(calls: list[tuple[Any, Any, Array]]) -> list[int]:
    """Return the first, the middle and the last convolution, and those whose filters do not read all channels."""
    partial = [
        number
        for number, (layer, _, _) in enumerate(calls)
        if isinstance(layer, keras.layers.DepthwiseConv2D) or layer.groups > 1
    ]
    some = {0, len(calls) // 2, len(calls) - 1, *partial[:1], *partial[-1:]}
    return sorted(some)


def as_bytes(model: Any) -> list[bytes]:
    return [np.asarray(weight).tobytes() for weight in model.get_weights()]


def flat(output: Any) -> list[Array]:
    return [numpy(tensor)[0] for tensor in keras.tree.flatten(output)]


def close(ours: Any, expected: Any) -> None:
    """Equal to float32 rounding, by the measure of the greatest value."""
    most = float(np.abs(expected).max())
    assert most > 0
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-4 * most)


def recorded(model: Any, x: Array) -> tuple[list[tuple[Any, Any, Array]], list[Array]]:
    """Run a model; return each call of a convolution layer with its input and maps, and the model's outputs."""
    calls: list[tuple[Any, Any, Array]] = []

    def recording(call: Callable[..., Any]) -> Callable[..., Any]:
        def record(self: Any, inputs: Any) -> Any:
            output = call(self, inputs)
            calls.append((self, inputs, maps(output)))
            return output

        return record

    with pytest.MonkeyPatch.context() as patched:
        for layer_class in LAYERS:
            patched.setattr(layer_class, "call", recording(layer_class.call))
        return calls, flat(model(x, training=False))
