"""Keras's activation functions as source code: a call of Keras's own, or the same arithmetic in NumPy."""

from __future__ import annotations

from collections.abc import Mapping

from convlens.maths.activations import ACTIVATIONS
from convlens.output.codegen.program import quoted


def keras_activation(name: str, params: Mapping[str, float]) -> str:
    """Return what to write after ``activation=``."""
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
    if name not in ACTIVATIONS:
        raise ValueError(
            f"The activation {name!r} cannot be written in NumPy here; to_code('keras') leaves it to Keras. "
            f"Those that can are {', '.join(ACTIVATIONS)}."
        )
    return ACTIVATIONS[name].expression(params)
