"""Which function a layer's activation is, under the name that Keras and the browser share."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from convlens.maths.activations import ELEMENTWISE


class Activation(NamedTuple):
    """What an activation callable is.

    Parameters
    ----------
    name
        Keras's name of the function, else the callable's own.
    params
        Its constants where they differ from the function's defaults, under Keras's argument names.
    known
        Whether it is Keras's own function, and so does what `name` says; a user's function called "relu" is not.
    elementwise
        Whether each value is known to be treated by itself.
    """

    name: str
    params: dict[str, float]
    known: bool
    elementwise: bool


def describe(activation: Any) -> Activation:
    """Recognise a Keras function, a ``functools.partial`` of one, or an activation layer."""
    import keras

    if activation is None:
        return Activation("linear", {}, True, True)
    name = _names().get(activation) if inspect.isfunction(activation) else None
    if name is not None:
        return Activation(name, {}, True, name in ELEMENTWISE)
    if isinstance(activation, functools.partial) and not activation.args:
        return _with_constants(activation, activation.func, activation.keywords)
    if type(activation) is keras.layers.Activation:
        return describe(activation.activation)
    if type(activation) is keras.layers.LeakyReLU:
        return _with_constants(activation, keras.activations.leaky_relu, {"negative_slope": activation.negative_slope})
    if type(activation) is keras.layers.ELU:
        return _with_constants(activation, keras.activations.elu, {"alpha": activation.alpha})
    if type(activation) is keras.layers.ReLU:
        constants = {key: getattr(activation, key) for key in ("negative_slope", "max_value", "threshold")}
        return _with_constants(activation, keras.activations.relu, constants)
    return Activation(_own_name(activation), {}, False, False)


def make(name: str, params: Mapping[str, float]) -> Callable[[Any], Any]:
    """Return Keras's function of that name, with constants other than its defaults where there are any."""
    import keras

    function: Callable[[Any], Any] = keras.activations.get(name)
    return functools.partial(function, **params) if params else function


def _with_constants(activation: Any, function: Any, constants: Mapping[str, Any]) -> Activation:
    base = describe(function) if inspect.isfunction(function) else None
    if base is None or not base.known or not all(_is_constant(value) for value in constants.values()):
        return Activation(_own_name(activation), {}, False, False)
    defaults = {key: p.default for key, p in inspect.signature(function).parameters.items()}
    params = {k: float(v) for k, v in constants.items() if v is not None and v != defaults.get(k)}
    return Activation(base.name, params, True, base.elementwise)


def _is_constant(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float))


@functools.cache
def _names() -> dict[Any, str]:
    import keras

    functions = [function for _, function in inspect.getmembers(keras.activations, inspect.isfunction)]
    # The function's own name rather than an alias: silu, not swish.
    return {f: f.__name__ for f in functions if f.__name__ not in ("get", "serialize", "deserialize")}


def _own_name(activation: Any) -> str:
    if isinstance(activation, functools.partial):
        return _own_name(activation.func)
    return str(getattr(activation, "__name__", None) or getattr(activation, "name", None) or type(activation).__name__)
