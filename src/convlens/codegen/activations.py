"""Keras's activation functions as source code: a call of Keras's own, or the same arithmetic in NumPy."""

from __future__ import annotations

from collections.abc import Mapping

from convlens.codegen.program import quoted

#: Formulas of keras.activations (keras.io/api/layers/activations) on an array ``x``, written so that they neither
#: overflow nor lose small values. Where Keras has constants, their names are here and their defaults in `_DEFAULTS`.
_FORMULAS = {
    "linear": "x",
    "leaky_relu": "np.where(x < 0, {negative_slope} * x, x)",
    "relu6": "np.clip(x, 0, 6)",
    "elu": "np.where(x > 0, x, {alpha} * np.expm1(np.minimum(x, 0)))",
    "celu": "np.maximum(x, 0) + {alpha} * np.expm1(np.minimum(x, 0) / {alpha})",
    "selu": "1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0)))",
    "gelu": "x * np.vectorize(math.erfc)(-x / math.sqrt(2)) / 2",
    "silu": "x * np.exp(-np.logaddexp(0, -x))",
    "sigmoid": "np.exp(-np.logaddexp(0, -x))",
    "log_sigmoid": "-np.logaddexp(0, -x)",
    "hard_sigmoid": "np.clip(x / 6 + 0.5, 0, 1)",
    "hard_silu": "x * np.clip(x / 6 + 0.5, 0, 1)",
    "hard_tanh": "np.clip(x, -1, 1)",
    "hard_shrink": "np.where(np.abs(x) > {threshold}, x, 0)",
    "soft_shrink": "np.sign(x) * np.maximum(np.abs(x) - {threshold}, 0)",
    "tanh": "np.tanh(x)",
    "tanh_shrink": "x - np.tanh(x)",
    "softplus": "np.logaddexp(0, x)",
    "softsign": "x / (1 + np.abs(x))",
    "exponential": "np.exp(x)",
    "mish": "x * np.tanh(np.logaddexp(0, x))",
    "sparse_plus": "np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x))",
    "sparse_sigmoid": "np.clip((x + 1) / 2, 0, 1)",
    "squareplus": "(x + np.sqrt(x**2 + {b})) / 2",
    "threshold": "np.where(x > {threshold}, x, {default_value})",
    # Along the first axis: one value a filter at each pixel.
    "softmax": "np.exp(x - x.max(axis=0)) / np.exp(x - x.max(axis=0)).sum(axis=0)",
    "log_softmax": "x - x.max(axis=0) - np.log(np.exp(x - x.max(axis=0)).sum(axis=0))",
}
_DEFAULTS = {
    "leaky_relu": {"negative_slope": 0.2},
    "elu": {"alpha": 1.0},
    "celu": {"alpha": 1.0},
    "hard_shrink": {"threshold": 0.5},
    "soft_shrink": {"threshold": 0.5},
    "squareplus": {"b": 4.0},
}
_ALIASES = {"swish": "silu", "hard_swish": "hard_silu"}


def keras_activation(name: str, params: Mapping[str, float]) -> str:
    """Return what to write behind ``activation=``."""
    if not params:
        return quoted(name)
    constants = ", ".join(f"{key}={value!r}" for key, value in params.items())
    return f"lambda x: keras.activations.{name}(x, {constants})"


def numpy_activation(name: str, params: Mapping[str, float]) -> str:
    """Return an expression in ``x``, an array with the filters first.

    Raises
    ------
    ValueError
        If the function has no NumPy formula here.
    """
    name = _ALIASES.get(name, name)
    if name == "relu":
        return _relu(**params)
    if name == "gelu" and params.get("approximate"):
        return "x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2"
    if name not in _FORMULAS:
        raise ValueError(
            f"The activation {name!r} cannot be written in NumPy here; to_code('keras') leaves it to Keras. "
            f"Those that can are relu, {', '.join(_FORMULAS)}."
        )
    constants = {key: repr(value) for key, value in {**_DEFAULTS.get(name, {}), **params}.items()}
    return _FORMULAS[name].format(**constants)


def _relu(negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> str:
    if not threshold and not negative_slope:
        return "np.maximum(x, 0)" if max_value is None else f"np.clip(x, 0, {max_value!r})"
    above = "x" if max_value is None else f"np.minimum(x, {max_value!r})"
    return f"np.where(x >= {threshold!r}, {above}, {negative_slope!r} * (x - {threshold!r}))"
