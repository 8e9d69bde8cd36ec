"""A model that the lens cannot take is refused with a way out that works when it is followed."""

from __future__ import annotations

import re
from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from tests.unit.keras_sweep import close, maps

layers = keras.layers
RNG = np.random.default_rng(0)
IMAGE = RNG.random((8, 8, 3), dtype=np.float32)


def refusal(image: Any, **given: Any) -> str:
    with pytest.raises((TypeError, ValueError)) as raised:
        ConvLens(image, **given)
    return str(raised.value)


def follow(line: str, **names: Any) -> Any:
    """Run the statements that a message shows, and return the value of the last."""
    *statements, last = line.split("; ")
    scope = {"keras": keras, "ConvLens": ConvLens, "np": np, **names}
    exec("\n".join(statements), scope)
    return eval(last, scope)


def test_a_model_of_words_opens_with_what_its_first_convolution_is_fed() -> None:
    model = keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            layers.Embedding(9, 4),
            layers.Reshape((6, 4, 1)),
            layers.Conv2D(2, 3, name="read"),
        ]
    )
    x = RNG.integers(0, 9, (1, 6))
    text = refusal(x, model=model)
    assert "(None, 6)" in text
    line = text[text.index("features = ") :].rstrip(".")
    lens = follow(line, model=model, x=x)
    close(lens.activations, maps(model(x)), 1e-5)


def test_an_input_by_name_alone_is_the_image() -> None:
    class Named(keras.Model):  # type: ignore[misc,name-defined,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.conv = layers.Conv2D(2, 3, name="conv")

        def call(self, inputs: Any) -> Any:
            return self.conv(inputs["img"])

    model = Named()
    model({"img": IMAGE[np.newaxis]})
    close(ConvLens(IMAGE, model=model).activations, maps(model.conv(IMAGE[np.newaxis])), 1e-5)


@pytest.mark.parametrize("keyword", ["model", "layer"])
def test_a_layer_made_of_others_becomes_a_model(keyword: str) -> None:
    class Encoder(keras.layers.Layer):  # type: ignore[misc,unused-ignore]
        def __init__(self) -> None:
            super().__init__(name="encoder")
            self.conv = layers.Conv2D(2, 3, name="conv")

        def build(self, shape: Any) -> None:
            self.conv.build(shape)

        def call(self, x: Any) -> Any:
            return self.conv(x)

    layer = Encoder()
    layer(IMAGE[np.newaxis])
    text = refusal(IMAGE, **{keyword: layer})
    line = text[text.index("i = keras.Input") :].rstrip(".").replace("(rows, cols, channels)", "(8, 8, 3)")
    lens = follow(line, layer=layer, image=IMAGE)
    close(lens.activations, maps(layer.conv(IMAGE[np.newaxis])), 1e-5)


def test_a_layer_given_as_a_model_is_sent_to_layer() -> None:
    assert "layer=" in refusal(IMAGE, model=layers.Conv2D(1, 3))


def test_lora_on_the_first_layer_leaves_the_others_open_and_names_them() -> None:
    model = keras.Sequential([keras.Input(IMAGE.shape), layers.Conv2D(2, 3, name="a"), layers.Conv2D(2, 3, name="b")])
    model.layers[0].enable_lora(1)
    text = refusal(IMAGE, model=model)
    assert "'a' has LoRA enabled" in text and re.search(r"layer=.*'b'", text)
    close(ConvLens(IMAGE, model=model, layer="b").activations, maps(model(IMAGE[np.newaxis])), 1e-5)


def test_clips_and_volumes_are_said_to_be_out_of_scope_with_what_opens() -> None:
    clips = keras.Sequential([keras.Input((4, 8, 8, 3)), layers.TimeDistributed(layers.Conv2D(2, 3, name="conv"))])
    x = RNG.random((1, 4, 8, 8, 3), dtype=np.float32)
    text = refusal(IMAGE, model=clips)
    assert "(None, 4, 8, 8, 3)" in text and "out of scope" in text
    line = re.search(r"ConvLens\(x\[0, t\].*\)", text)
    assert line
    lens = follow(line.group(), model=clips, x=x, t=2)
    close(lens.activations, np.moveaxis(np.array(keras.ops.convert_to_numpy(clips(x)))[0, 2], -1, 0), 1e-5)
    for layer in (layers.Conv3D(1, 2, name="deep"), layers.ConvLSTM2D(1, 2, name="deep")):
        model = keras.Sequential([keras.Input((4, 8, 8, 3)), layer])
        text = refusal(IMAGE, model=model)
        assert f"'deep' ({type(layer).__name__})" in text and "out of scope" in text


def test_a_model_without_any_convolution_says_so_whatever_the_image() -> None:
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(2)])
    assert "has no convolution layer" in refusal(np.zeros((8, 8, 7)), model=model)
