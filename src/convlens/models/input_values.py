"""The values of a model's inputs besides the image: read, and taken apart into arrays and what they stand in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from convlens.maths.arrays import as_array
from convlens.models import input_errors as errors
from convlens.models.input_slots import Slot


def read_value(model_name: str, slot: Slot, value: Any, *, known: bool) -> Any:
    """Return the value of one of a model's inputs as a batch of one.

    Parameters
    ----------
    model_name
        For errors.
    slot
        Which input it is. One of a shape is an array. An argument of its own is whatever the call is given: arrays and
        lists, tuples and dictionaries of such; numbers and names stay as they are, since its code may look at them.
    known
        Whether the slot's shape is what the model asks for.

    Raises
    ------
    TypeError, ValueError
        For what is no number, and for another shape.
    """
    what = f"Input {slot.name!r}"
    if slot.shape is None:
        return _argument(value, what)
    array = _numbers(value, what)
    rank = len(slot.shape)
    batch = array[np.newaxis] if array.ndim == rank - 1 else array
    fits = batch.ndim == rank and all(
        want in (None, have) for want, have in zip(slot.shape[1:], batch.shape[1:], strict=True)
    )
    if batch.ndim != rank or (known and not fits) or batch.shape[0] != 1:
        raise ValueError(errors.misshapen(model_name, slot, array.shape, fits=fits))
    return batch.copy()


def arrays_in(value: Any) -> list[np.ndarray]:
    """Return the arrays in the value of an input, in order."""
    found: list[np.ndarray] = []
    mapped(value, found.append)
    return found


def mapped(value: Any, change: Callable[[np.ndarray], Any]) -> Any:
    """Return a value with something else for each of the arrays in it."""
    if isinstance(value, np.ndarray):
        return change(value)
    if isinstance(value, Mapping):
        return {key: mapped(one, change) for key, one in value.items()}
    return type(value)(mapped(one, change) for one in value) if isinstance(value, (list, tuple)) else value


def _argument(value: Any, what: str) -> Any:
    """Return the value of an argument of its own, arrays as batches of one."""
    if isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, Mapping):
        return {key: _argument(one, f"{what}[{key!r}]") for key, one in value.items()}
    if isinstance(value, (list, tuple)) and any(isinstance(one, Mapping) or getattr(one, "shape", ()) for one in value):
        return type(value)([_argument(one, f"{what}[{i}]") for i, one in enumerate(value)])
    array = _numbers(value, what)
    return array if array.ndim == 0 or array.shape[0] == 1 else array[np.newaxis]


def _numbers(value: Any, what: str) -> np.ndarray:
    array = as_array(value, what)
    return array.astype(np.float32) if array.dtype == np.float64 else array
