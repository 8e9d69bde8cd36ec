"""Random convolution layers, what Keras computes with them, and snapshots that show whether anything was changed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import numpy.typing as npt

from tests.sweep_size import FULL

Array = npt.NDArray[np.float32]

CLASSES = {
    "conv": keras.layers.Conv2D,
    "depthwise": keras.layers.DepthwiseConv2D,
    "separable": keras.layers.SeparableConv2D,
    "transpose": keras.layers.Conv2DTranspose,
}
#: Over one axis.
SIGNAL_CLASSES = {
    "conv1d": keras.layers.Conv1D,
    "depthwise1d": keras.layers.DepthwiseConv1D,
    "separable1d": keras.layers.SeparableConv1D,
    "transpose1d": keras.layers.Conv1DTranspose,
}
#: JAX compiles every shape anew, which takes a second each: sweeps are shorter there.
COMPILES_EVERY_SHAPE = keras.backend.backend() == "jax"
#: Whether sweeps over layers are short: there, and wherever sweeps have a tenth of their size.
SHORT = COMPILES_EVERY_SHAPE or not FULL

ACTIVATIONS: list[Callable[[], Any]] = [
    lambda: None,
    lambda: "relu",
    lambda: "gelu",
    lambda: "log_softmax",
    lambda: keras.activations.tanh,
    lambda: lambda x: keras.ops.square(x),
    lambda: keras.layers.LeakyReLU(negative_slope=0.1),
    lambda: keras.layers.ReLU(max_value=1.0, threshold=0.1),
]


def short(number: int) -> int:
    """Return how many layers a sweep goes through that has `number` at full size: never fewer than three of them."""
    return min(number, 3 + number // 10) if SHORT else number


def layers(
    kind: str, number: int, seed: int, data_formats: tuple[str, ...] = ("channels_last",)
) -> Iterator[tuple[Any, Array]]:
    """Yield built layers with random settings and weights, each with an input ``(rows, cols, channels)``."""
    rng = np.random.default_rng(seed)
    number = short(number)
    while number:
        kernel_size = tuple(int(n) for n in rng.integers(1, 6, 2))
        settings: dict[str, Any] = {
            "kernel_size": kernel_size,
            "padding": str(rng.choice(["valid", "same"])),
            "use_bias": bool(rng.integers(2)),
            "activation": ACTIVATIONS[rng.integers(len(ACTIVATIONS))](),
            "data_format": str(rng.choice(data_formats)),
        }
        stretch = int(rng.integers(1, 4))
        settings[str(rng.choice(["strides", "dilation_rate"]))] = stretch
        channels = int(rng.choice([1, 3, 4]))
        if kind == "conv":
            settings["groups"] = int(rng.choice([1, channels])) if channels < 4 else int(rng.choice([1, 2]))
            settings["filters"] = settings["groups"] * int(rng.integers(1, 4))
        elif kind == "transpose":
            settings["filters"] = int(rng.integers(1, 5))
        else:
            settings["depth_multiplier"] = int(rng.integers(1, 4))
            if kind == "separable":
                settings["filters"] = int(rng.integers(1, 5))
        rows, cols = (int(n) for n in rng.integers(3, 24, 2))
        if min(rows, cols) <= stretch * (max(kernel_size) - 1) and kind != "transpose":
            continue
        layer = CLASSES[kind](**settings)
        x = rng.standard_normal((rows, cols, channels)).astype(np.float32)
        layer.build((None, *(x.transpose(2, 0, 1) if settings["data_format"] == "channels_first" else x).shape))
        layer.set_weights([rng.standard_normal(w.shape).astype(np.float32) for w in layer.get_weights()])
        number -= 1
        yield layer, x


def other_weights(layer: Any, seed: int) -> list[Array]:
    """Random arrays of the shapes that the layer's weights have."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(w.shape).astype(np.float32) for w in layer.get_weights()]


def from_keras(layer: Any, weights: list[Array], x: Array) -> tuple[Array, Array]:
    """Pre-activations and activations, ``(filters, rows, cols)``, of a fresh layer of the same settings.

    Always computed channels last, which every back end can on a CPU.
    """
    names = ("filters", "kernel_size", "strides", "padding", "dilation_rate", "groups", "use_bias", "depth_multiplier")
    settings = {name: getattr(layer, name) for name in names if hasattr(layer, name)}
    fresh = type(layer)(**settings, activation=None, data_format="channels_last", dtype=layer.dtype_policy)
    fresh.build((None, *x.shape))
    fresh.set_weights(weights)
    pre = fresh(x[np.newaxis])
    if layer.data_format == "channels_first":
        # An activation such as log_softmax acts along the last axis, whichever that is.
        activated = layer.activation(keras.ops.transpose(pre, (0, 3, 1, 2)))
        return maps(pre), numpy(activated)[0]
    return maps(pre), maps(layer.activation(pre))


def numpy(tensor: Any) -> Array:
    tensor = keras.ops.cast(tensor, "float32")
    return np.asarray(tensor.detach().numpy() if keras.backend.backend() == "torch" else tensor)


def maps(tensor: Any) -> Array:
    return np.moveaxis(numpy(tensor)[0], -1, 0)


def close(ours: Any, expected: Any, relative: float = 1e-5) -> None:
    """Equal to float32 rounding of the sums behind them."""
    np.testing.assert_allclose(ours, expected, rtol=relative, atol=relative * max(1.0, float(np.abs(expected).max())))


class Sum(NamedTuple):
    """A sum that was taken apart, what Keras says it is, and what was added up: how many terms of which magnitude."""

    found: float
    keras: float
    terms: int
    magnitude: float


def same_sums(sums: Sequence[Sum]) -> None:
    """Equal to 1e-5 of the value itself, except for one in fifty whose terms nearly cancel.

    Of such a sum float32 leaves no more digits: those are held to the error bound of a float32 dot product,
    n u / (1 - n u) times the sum of the magnitudes with u = 2**-24 (N. J. Higham, Accuracy and Stability of Numerical
    Algorithms, section 3.1), for n terms, the rounding of each product and of the bias.
    """
    cancelled = [one for one in sums if abs(one.found - one.keras) > 1e-5 * abs(one.keras)]
    assert len(cancelled) <= max(1, len(sums) / 50), cancelled
    for one in cancelled:
        roundings = (one.terms + 2) * 2.0**-24
        assert abs(one.found - one.keras) <= roundings / (1 - roundings) * one.magnitude, one


def reseed(seed: int) -> None:
    """Restart Keras's random numbers; older Keras releases a generator in use only with its session."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)


def snapshot(layer: Any) -> dict[str, Any]:
    """Everything that can be seen of a layer or model and all that it contains, and of the random number generators."""
    if keras.backend.backend() == "torch":
        import torch

        torch_state = bytes(torch.get_rng_state().numpy())
    else:
        torch_state = b""
    state: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": [str(part) for part in np.random.get_state()],
        "torch": torch_state,
    }
    for number, part in enumerate(layer._flatten_layers()):
        for name, value in vars(part).items():
            plain = isinstance(value, (bool, int, float, str, type(None)))
            listed = isinstance(value, (list, set, tuple))
            state[f"{number}.{name}"] = value if plain else [id(v) for v in value] if listed else id(value)
        # Among a layer's variables, unlike its weights, are the states of its random number generators.
        state[f"{number}.variables"] = [numpy(variable).tobytes() for variable in part.variables]
        state[f"{number}.trainable"] = [v.path for v in part.trainable_variables]
    return state
