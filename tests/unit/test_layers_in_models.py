"""Every class of convolution layer, in every kind of model: opened, edited as a clone would be, and left as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from tests.unit.keras_sweep import close, maps, numpy, snapshot

layers = keras.layers
IMAGE = np.random.default_rng(0).random((8, 9, 4), dtype=np.float32)

#: Layers from four channels to four, so that each can be called twice in a row.
CLASSES: dict[str, Callable[[], Any]] = {
    "Conv2D": lambda: layers.Conv2D(4, 3, padding="same", activation="relu", name="conv"),
    "Conv2D, groups": lambda: layers.Conv2D(4, 3, padding="same", groups=2, name="conv"),
    "Conv2D, no bias": lambda: layers.Conv2D(4, 3, padding="same", use_bias=False, name="conv"),
    "Conv2D, dilated": lambda: layers.Conv2D(4, 2, padding="same", dilation_rate=2, activation="softmax", name="conv"),
    "Conv2D, bfloat16": lambda: layers.Conv2D(4, 3, padding="same", dtype="mixed_bfloat16", name="conv"),
    "DepthwiseConv2D": lambda: layers.DepthwiseConv2D(3, padding="same", activation="gelu", name="conv"),
    "SeparableConv2D": lambda: layers.SeparableConv2D(4, 3, padding="same", depth_multiplier=2, name="conv"),
    "SeparableConv2D, no bias": lambda: layers.SeparableConv2D(4, 3, padding="same", use_bias=False, name="conv"),
    "Conv2DTranspose": lambda: layers.Conv2DTranspose(4, 3, padding="same", activation="relu", name="conv"),
    "SpectralNormalization": lambda: layers.SpectralNormalization(
        layers.Conv2D(4, 3, padding="same", name="conv"), name="wrapper"
    ),
}


def ending(x: Any) -> Any:
    return layers.Dense(3, activation="softmax", dtype="float32")(layers.GlobalAveragePooling2D(dtype="float32")(x))


def functional(conv: Any) -> Any:
    image = keras.Input(IMAGE.shape)
    return keras.Model(image, ending(conv(image)))


def sequential(conv: Any) -> Any:
    return keras.Sequential([keras.Input(IMAGE.shape), conv, layers.GlobalAveragePooling2D(), layers.Dense(3)])


def nested(conv: Any) -> Any:
    image = keras.Input(IMAGE.shape)
    block = keras.Sequential([keras.Input(IMAGE.shape), conv], name="block")
    return keras.Model(image, ending(block(image)))


def shared(conv: Any) -> Any:
    image = keras.Input(IMAGE.shape)
    return keras.Model(image, ending(conv(conv(image))))


def subclassed(conv: Any) -> Any:
    class Own(keras.Model):  # type: ignore[misc,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.conv = conv
            self.head = layers.Dense(3)

        def call(self, x: Any) -> Any:
            return self.head(keras.ops.mean(self.conv(x), axis=(1, 2)))

    model = Own()
    model(IMAGE[np.newaxis])
    return model


KINDS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "functional": (functional, "{}"),
    "Sequential": (sequential, "{}"),
    "nested": (nested, "block/{}"),
    "shared": (shared, "{} (use 2)"),
    "subclassed": (subclassed, "{}"),
    "loaded": (functional, "{}"),
}


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("name", list(CLASSES))
def test_a_layer_of_any_class_in_a_model_of_any_kind_is_shown_and_edited(name: str, kind: str, tmp_path: Any) -> None:
    make, path = KINDS[kind]
    model, clone = make(CLASSES[name]()), make(CLASSES[name]())
    clone.set_weights(model.get_weights())
    if kind == "loaded":
        model.save(tmp_path / "model.keras")
        model = keras.models.load_model(tmp_path / "model.keras")
    before = snapshot(model)
    path = path.format("wrapper/conv" if name == "SpectralNormalization" else "conv")
    lens = ConvLens(IMAGE, model=model, layer=path)
    assert lens.layer_path == path and lens.layers[-1] == path
    layer, x, shown = last_call(clone)
    exact = {"relative": 3e-2 if name.endswith("bfloat16") else 1e-4}
    close(lens.activations, shown, **exact)

    rng = np.random.default_rng(1)
    weights = [rng.standard_normal(w.shape).astype(np.float32) for w in lens.get_weights()]
    lens.set_weights(weights)
    output = lens.predictions
    assert output.before is not None and output.after is not None
    close(output.before, numpy(clone(IMAGE[np.newaxis], training=False))[0], **exact)
    # A real change of a shared layer reaches the input of its second use as well, so the layer is called on its own.
    own = layer.get_weights()
    # Inside SpectralNormalization the weights that count are divided by their norm, which training brings up to date.
    layer.set_weights(weights + own[len(weights) :])
    close(lens.activations, maps(layer(x)), **exact)
    close(output.after, numpy(clone(IMAGE[np.newaxis], training=False))[0], **exact)
    lens.undo()
    close(lens.activations, shown, **exact)
    assert snapshot(model) == before


def last_call(model: Any) -> tuple[Any, Any, Any]:
    """Return the last convolution that a model calls, its input and its maps."""
    calls: list[tuple[Any, Any, Any]] = []
    with pytest.MonkeyPatch.context() as patched:
        for layer_class in (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D, layers.Conv2DTranspose):
            patched.setattr(layer_class, "call", _noting(layer_class.call, calls))
        model(IMAGE[np.newaxis], training=False)
    return calls[-1]


def _noting(call: Callable[..., Any], calls: list[tuple[Any, Any, Any]]) -> Callable[..., Any]:
    def noting(self: Any, x: Any) -> Any:
        output = call(self, x)
        calls.append((self, x, maps(output)))
        return output

    return noting


def test_channels_first_is_shown_where_keras_can_run_it_and_refused_with_kerass_reason_where_not() -> None:
    conv = layers.Conv2D(3, 3, data_format="channels_first", activation="relu", name="conv")
    model = keras.Sequential([keras.Input((4, 8, 9)), conv, layers.GlobalAveragePooling2D("channels_first")])
    try:
        expected = numpy(model(np.moveaxis(IMAGE, -1, 0)[np.newaxis]))[0]
    except Exception:  # TensorFlow on a CPU: nobody can run this model there
        expected = None
    before = snapshot(model)
    if expected is None:
        with pytest.raises(ValueError, match=r"(?s)\(1, 4, 8, 9\).*NHWC.*on a GPU only.*KERAS_BACKEND=torch"):
            ConvLens(IMAGE, model=model)
    else:
        lens = ConvLens(IMAGE, model=model)
        assert lens.activations.shape == (3, 6, 7) and [k.shape for k in lens.kernels] == [(3, 3, 4)] * 3
        close(lens.activations.mean(axis=(1, 2)), expected)
        lens.set_kernel(1, np.zeros((3, 3, 4)))
        assert not lens.activations[1].any()
        after = lens.predictions.after
        assert after is not None and after[1] == 0
        close(after[[0, 2]], expected[[0, 2]])
    assert snapshot(model) == before
    # A layer on its own is computed channels last by Keras, which every back end can.
    alone = ConvLens(IMAGE, layer=conv)
    kernel, bias = (numpy(v) for v in conv.weights)
    same = layers.Conv2D(3, 3, activation="relu")
    same.build((None, 8, 9, 4))
    same.set_weights([kernel, bias])
    close(alone.activations, maps(same(IMAGE[np.newaxis])))


def test_a_layer_with_lora_is_refused_by_name_and_its_neighbours_are_not() -> None:
    model = keras.Sequential(
        [keras.Input(IMAGE.shape), layers.Conv2D(4, 3, name="plain"), layers.Conv2D(4, 3, name="adapted")]
    )
    model.get_layer("adapted").enable_lora(2)
    before = snapshot(model)
    lens = ConvLens(IMAGE, model=model)
    assert lens.layers == ["plain", "adapted"]
    with pytest.raises(TypeError, match=r"'adapted' has LoRA enabled.*Give a layer without lora_rank"):
        lens.layer_path = "adapted"
    assert lens.layer_path == "plain"
    assert snapshot(model) == before
