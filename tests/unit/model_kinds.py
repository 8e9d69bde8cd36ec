"""Models made in each of Keras's ways, and what their convolution layers compute when Keras itself calls them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from tests.unit.keras_sweep import Array, maps

layers = keras.layers
IMAGE = np.random.default_rng(0).uniform(0, 255, (16, 18, 3)).astype(np.float32)


class Block(keras.layers.Layer):  # type: ignore[misc,unused-ignore]
    """A block that is not a model."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conv = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv")

    def build(self, shape: Any) -> None:
        self.conv.build(shape)

    def call(self, x: Any) -> Any:
        return self.conv(x)


class Subclassed(keras.Model):  # type: ignore[misc,unused-ignore]
    """A model whose layers Keras knows only as attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = layers.Rescaling(1 / 255)
        self.block = Block(name="block")
        self.last = layers.Conv2D(6, 3, strides=2, name="last")
        self.drop = layers.Dropout(0.5)
        self.head = layers.Dense(5, activation="softmax")

    def call(self, x: Any, training: bool = False) -> Any:
        x = self.drop(self.last(self.block(self.scale(x))), training=training)
        return self.head(keras.ops.mean(x, axis=(1, 2)))


def subclassed() -> Any:
    model = Subclassed()
    model(IMAGE[np.newaxis])
    return model


def sequential() -> Any:
    return keras.Sequential(
        [
            keras.Input((16, 18, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, activation="relu", name="first"),
            layers.BatchNormalization(),
            layers.SeparableConv2D(6, 3, padding="same", depth_multiplier=2, activation="relu", name="separable"),
            layers.DepthwiseConv2D(3, name="depthwise"),
            layers.Conv2DTranspose(3, 2, strides=2, use_bias=False, name="transpose"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(5, activation="softmax"),
        ]
    )


def functional() -> Any:
    """Nested and shared: "block/conv" and "shared" are each called twice."""
    block = keras.Sequential(
        [keras.Input((None, None, 4)), layers.Conv2D(4, 3, padding="same", groups=2, name="conv")], name="block"
    )
    shared = layers.Conv2D(4, 1, activation="relu", name="shared")
    image = keras.Input((16, 18, 3))
    x = layers.Conv2D(4, 3, name="stem")(layers.Rescaling(1 / 255)(image))
    x = block(shared(block(shared(x))))
    return keras.Model(image, layers.Dense(5, activation="softmax")(layers.GlobalMaxPooling2D()(x)))


MODELS: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "sequential": (sequential, ["first", "separable", "depthwise", "transpose"]),
    "functional": (functional, ["stem", "shared", "block/conv", "shared (use 2)", "block/conv (use 2)"]),
    "subclassed": (subclassed, ["block/conv", "last"]),
}


def outputs(model: Any, x: Array) -> list[tuple[Any, Array]]:
    """Every convolution layer that the model calls, in order, with its output ``(filters, rows, cols)``."""
    calls: list[tuple[Any, Array]] = []
    classes = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D, layers.Conv2DTranspose)
    with pytest.MonkeyPatch.context() as patched:
        for layer_class in classes:
            patched.setattr(layer_class, "call", _noting(layer_class.call, calls))
        model(x, training=False)
    return calls


def _noting(call: Callable[..., Any], calls: list[tuple[Any, Array]]) -> Callable[..., Any]:
    def noting(self: Any, x: Any) -> Any:
        output = call(self, x)
        calls.append((self, maps(output)))
        return output

    return noting


def predicted(lens: ConvLens) -> tuple[Array, Array]:
    before, after = lens.predictions
    assert before is not None and after is not None
    return before, after
