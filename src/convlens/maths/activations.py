"""Keras's activation functions, one row each: everything that Python's side knows of them by name.

A function that is new in Keras needs one row here, and one in js/maths/activations.ts where the browser draws it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class ActivationFunction:
    """One of Keras's activation functions.

    Parameters
    ----------
    numpy
        A NumPy expression in ``x``, an array with the filters first, as keras.io/api/layers/activations defines the
        function; written so that it neither overflows nor loses small values. ``{name}`` stands for a constant. A
        function of the constants where they change the expression itself.
    constants
        Keras's argument names with their defaults, as far as `numpy` names them.
    elementwise
        Whether each value is treated by itself, so that filters can be computed one at a time. Otherwise the values
        along the last axis are taken together, as a softmax does.
    previewed
        Whether the browser draws it by itself, without waiting for Keras.
    """

    numpy: str | Callable[..., str]
    constants: Mapping[str, float] = field(default_factory=dict)
    elementwise: bool = True
    previewed: bool = False

    def expression(self, constants: Mapping[str, Any]) -> str:
        """Return the NumPy expression with these constants, and the defaults of the others."""
        if callable(self.numpy):
            return self.numpy(**constants)
        return self.numpy.format(**{name: repr(value) for name, value in {**self.constants, **constants}.items()})


def _relu(negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> str:
    if not threshold and not negative_slope:
        return "np.maximum(x, 0)" if max_value is None else f"np.clip(x, 0, {max_value!r})"
    above = "x" if max_value is None else f"np.minimum(x, {max_value!r})"
    return f"np.where(x >= {threshold!r}, {above}, {negative_slope!r} * (x - {threshold!r}))"


def _gelu(approximate: float = False) -> str:
    if approximate:
        return "x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2"
    return "x * np.vectorize(math.erfc)(-x / math.sqrt(2)) / 2"


_SILU = ActivationFunction("x * np.exp(-np.logaddexp(0, -x))", previewed=True)
_HARD_SILU = ActivationFunction("x * np.clip(x / 6 + 0.5, 0, 1)", previewed=True)

#: By the name that Keras gives them.
ACTIVATIONS: Mapping[str, ActivationFunction] = MappingProxyType(
    {
        "relu": ActivationFunction(_relu, previewed=True),
        "linear": ActivationFunction("x", previewed=True),
        "leaky_relu": ActivationFunction(
            "np.where(x < 0, {negative_slope} * x, x)", {"negative_slope": 0.2}, previewed=True
        ),
        "relu6": ActivationFunction("np.clip(x, 0, 6)", previewed=True),
        "elu": ActivationFunction(
            "np.where(x > 0, x, {alpha} * np.expm1(np.minimum(x, 0)))", {"alpha": 1.0}, previewed=True
        ),
        "celu": ActivationFunction("np.maximum(x, 0) + {alpha} * np.expm1(np.minimum(x, 0) / {alpha})", {"alpha": 1.0}),
        "selu": ActivationFunction(
            "1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0)))", previewed=True
        ),
        "gelu": ActivationFunction(_gelu, previewed=True),
        "silu": _SILU,
        "swish": _SILU,
        "sigmoid": ActivationFunction("np.exp(-np.logaddexp(0, -x))", previewed=True),
        "log_sigmoid": ActivationFunction("-np.logaddexp(0, -x)"),
        "hard_sigmoid": ActivationFunction("np.clip(x / 6 + 0.5, 0, 1)", previewed=True),
        "hard_silu": _HARD_SILU,
        "hard_swish": _HARD_SILU,
        "hard_tanh": ActivationFunction("np.clip(x, -1, 1)"),
        "hard_shrink": ActivationFunction("np.where(np.abs(x) > {threshold}, x, 0)", {"threshold": 0.5}),
        "soft_shrink": ActivationFunction("np.sign(x) * np.maximum(np.abs(x) - {threshold}, 0)", {"threshold": 0.5}),
        "tanh": ActivationFunction("np.tanh(x)", previewed=True),
        "tanh_shrink": ActivationFunction("x - np.tanh(x)"),
        "softplus": ActivationFunction("np.logaddexp(0, x)", previewed=True),
        "softsign": ActivationFunction("x / (1 + np.abs(x))", previewed=True),
        "exponential": ActivationFunction("np.exp(x)", previewed=True),
        "mish": ActivationFunction("x * np.tanh(np.logaddexp(0, x))", previewed=True),
        "sparse_plus": ActivationFunction("np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x))"),
        "sparse_sigmoid": ActivationFunction("np.clip((x + 1) / 2, 0, 1)"),
        "squareplus": ActivationFunction("(x + np.sqrt(x**2 + {b})) / 2", {"b": 4.0}),
        "threshold": ActivationFunction("np.where(x > {threshold}, x, {default_value})"),
        # Along the first axis: over the filters, at each pixel.
        "softmax": ActivationFunction(
            "np.exp(x - x.max(axis=0)) / np.exp(x - x.max(axis=0)).sum(axis=0)", elementwise=False
        ),
        "log_softmax": ActivationFunction(
            "x - x.max(axis=0) - np.log(np.exp(x - x.max(axis=0)).sum(axis=0))", elementwise=False
        ),
    }
)


def operation_class(name: str) -> str:
    """Return the name of the class of Keras's operation of that name: ``LeakyRelu`` of ``leaky_relu``."""
    return "".join(part.capitalize() for part in name.split("_"))


#: Functions that treat each value by itself. Those that mix values (softmax, sparsemax, glu) are not among them.
ELEMENTWISE = frozenset(name for name, function in ACTIVATIONS.items() if function.elementwise)
#: Functions that the browser draws at once.
PREVIEWABLE = frozenset(name for name, function in ACTIVATIONS.items() if function.previewed)
