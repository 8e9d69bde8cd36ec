"""Through random chains of layers, a receptive field is what Keras reads, in either data format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest

from convlens.models.conv_model import ConvModel
from tests.sweep_size import sweep
from tests.unit.keras_sweep import COMPILES_EVERY_SHAPE
from tests.unit.receptive_fields import POSITIVE, check, told

pytestmark = pytest.mark.slow

layers = keras.layers
#: TensorFlow's convolutions read channels_first on a GPU only.
DATA_FORMATS = ["channels_last"] + ["channels_first"] * (keras.backend.backend() != "tensorflow")
MODELS = 4 if COMPILES_EVERY_SHAPE else sweep(40, least=8)


def settings(rng: np.random.Generator) -> dict[str, Any]:
    stretched = str(rng.choice(["strides", "dilation_rate"]))
    # Keras's depthwise layers stride by as many rows as columns.
    return {"padding": str(rng.choice(["valid", "same"])), stretched: int(rng.integers(1, 4))}


def sides(rng: np.random.Generator) -> Any:
    return tuple(tuple(int(n) for n in rng.integers(0, 3, 2)) for _ in range(2))


def size(rng: np.random.Generator) -> Any:
    return tuple(int(n) for n in rng.integers(1, 5, 2))


def pooled(rng: np.random.Generator) -> dict[str, Any]:
    return {"pool_size": size(rng), "strides": size(rng), "padding": str(rng.choice(["valid", "same"]))}


#: One kind of layer each; all sums of these have positive weights.
STEPS: dict[str, Callable[[np.random.Generator], Any]] = {
    "conv": lambda rng: layers.Conv2D(2, size(rng), kernel_initializer=POSITIVE, **settings(rng)),
    "depthwise": lambda rng: layers.DepthwiseConv2D(size(rng), depthwise_initializer=POSITIVE, **settings(rng)),
    "separable": lambda rng: layers.SeparableConv2D(
        2, size(rng), depthwise_initializer=POSITIVE, pointwise_initializer=POSITIVE, **settings(rng)
    ),
    "transpose": lambda rng: layers.Conv2DTranspose(
        2, size(rng), strides=size(rng), kernel_initializer=POSITIVE, padding=str(rng.choice(["valid", "same"]))
    ),
    "max": lambda rng: layers.MaxPooling2D(**pooled(rng)),
    "average": lambda rng: layers.AveragePooling2D(**pooled(rng)),
    "pad": lambda rng: layers.ZeroPadding2D(sides(rng)),
    "crop": lambda rng: layers.Cropping2D(sides(rng)),
    "nearest": lambda rng: layers.UpSampling2D(size(rng)),
    "bilinear": lambda rng: layers.UpSampling2D(size(rng), interpolation="bilinear"),
    "pointwise": lambda rng: layers.Activation(str(rng.choice(["relu", "linear", "softplus"]))),
    "norm": lambda rng: layers.BatchNormalization(),
    "drop": lambda rng: layers.Dropout(0.5),
    "dense": lambda rng: layers.Dense(2, kernel_initializer=POSITIVE),
}


def chains(seed: int, number: int, data_format: str) -> Iterator[Any]:
    """Yield models of one path, of random layers; the last one is a convolution called "last"."""
    rng = np.random.default_rng(seed)
    first = data_format == "channels_first"
    keras.backend.set_image_data_format(data_format)
    while number:
        rows, cols = (int(n) for n in rng.integers(9, 24, 2))
        try:
            chosen = [str(name) for name in rng.choice(list(STEPS), int(rng.integers(1, 6)))]
            steps = [STEPS[name](rng) for name in chosen if not (first and name == "dense")]
            x = inputs = keras.Input((2, rows, cols) if first else (rows, cols, 2))
            for step in [
                *steps,
                layers.Conv2D(1, size(rng), kernel_initializer=POSITIVE, name="last", **settings(rng)),
            ]:
                x = step(x)
                if min(x.shape[1:]) < 1 or max(x.shape[1:]) > 60:
                    raise ValueError("too small or too large")
        except ValueError:  # a window larger than its input
            continue
        number -= 1
        yield keras.Model(inputs, x)


@pytest.fixture(autouse=True)
def own_data_format() -> Iterator[None]:
    yield
    keras.backend.set_image_data_format("channels_last")


@pytest.mark.parametrize("data_format", DATA_FORMATS)
def test_through_a_chain_of_layers_it_is_just_what_keras_reads(data_format: str) -> None:
    rng = np.random.default_rng(3)
    padded = 0
    for model in chains(8, MODELS, data_format):
        shape = model.input_shape[1:]
        rows, cols = shape[1:] if data_format == "channels_first" else shape[:2]
        image = rng.random((rows, cols, 2), dtype=np.float32) + 1
        seen = ConvModel(model, image[np.newaxis])
        height, width, _ = seen.find("last").output_shape
        for pixel in [(0, 0), (height - 1, width - 1), (int(rng.integers(height)), int(rng.integers(width)))]:
            field = seen.receptive_field("last", *pixel)
            check(model, image, pixel, field, data_format, corners=True)
            padded += field.rows is not None and field.rows[0] < 0
    assert padded > MODELS / 10


def test_the_data_format_changes_where_the_channels_are_and_nothing_else() -> None:
    both = [list(chains(5, 30, data_format)) for data_format in ("channels_last", "channels_first")]
    for last, first in zip(*both, strict=True):
        pixel = (last.output_shape[1] // 2, last.output_shape[2] // 2)
        assert told(last, "last", *pixel) == told(first, "last", *pixel)
