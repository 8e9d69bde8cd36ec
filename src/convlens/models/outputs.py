"""A model's outputs, each under a name, and the choice of one of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.layers.stateless_call import to_numpy

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class OutputForm:
    """What one of a model's outputs is, as far as its shape shows.

    Attributes
    ----------
    picture
        Rows, columns and channels of one that can be drawn as maps, see `as_picture`; else None.
    count
        How many classes a vector has, or channels a picture; None for any other output.
    """

    picture: tuple[int, ...] | None
    count: int | None


def output_names(model: keras.Model, whole: Any) -> list[str]:
    """Return the names of a model's outputs in the order of its flattened output.

    Parameters
    ----------
    whole
        What the model returned.

    Returns
    -------
    list of str
        The keys of a dictionary, a functional model's own names, or ``output_0``, ``output_1``, …
    """
    import keras

    if isinstance(whole, dict):
        paths = [(str(key), keras.tree.flatten(value)) for key, value in sorted(whole.items())]
        return [name if len(parts) == 1 else f"{name}_{i}" for name, parts in paths for i in range(len(parts))]
    count = len(keras.tree.flatten(whole))
    names = list(getattr(model, "output_names", None) or [])
    return names if len(names) == count else [f"output_{i}" for i in range(count)]


def named_outputs(model: keras.Model, whole: Any) -> dict[str, Any]:
    """Return a model's outputs by name, tensors as it returned them."""
    import keras

    return dict(zip(output_names(model, whole), keras.tree.flatten(whole), strict=True))


def check_output(names: Iterable[str], choice: Any) -> str | int | None:
    """Return a choice among outputs as it was given.

    Raises
    ------
    ValueError
        Where there is no such output; the text lists those that exist.
    """
    names = list(names)
    if choice is None:
        return None
    if isinstance(choice, str) and choice in names:
        return choice
    if isinstance(choice, (int, np.integer)) and not isinstance(choice, bool) and -len(names) <= choice < len(names):
        return int(choice)
    listed = ", ".join(f"{i}: {name!r}" for i, name in enumerate(names)) or "none"
    raise ValueError(
        f"output={choice!r} was given, but the model has these outputs: {listed}. Give a name or an index."
    )


def chosen(outputs: dict[str, Any], choice: str | int | None) -> Any:
    """Return the output of that name or index; the first where none is chosen, None where none exists."""
    if isinstance(choice, str):
        return outputs.get(choice)
    values = list(outputs.values())
    return values[choice or 0] if values else None


def without_batch(output: Any) -> Array | None:
    """Return one output for one image in its own shape, None where it has no batch axis of one."""
    shape = getattr(output, "shape", None)
    if shape is None or len(shape) < 2 or shape[0] != 1:
        return None
    values: Array = to_numpy(output)[0]
    return values


def as_picture(values: Array, *, signal: bool = False, channels_first: bool = False) -> Array | None:
    """Return an output as a picture whose channels can be drawn as maps, None where it is not one.

    Parameters
    ----------
    values
        ``(rows, cols)`` or ``(rows, cols, channels)``.
    signal
        Whether the model takes a signal: its output ``(steps, channels)`` is a picture of one row.
    channels_first
        Whether the model's convolutions have their channels first: an output of three axes then has them, too.

    Returns
    -------
    numpy.ndarray or None
        A view ``(rows, cols, channels)``; None for a vector, for more than three axes and for no values.
    """
    if not values.size or values.ndim not in (2, 3):
        return None
    if values.ndim == 3:
        return np.moveaxis(values, 0, -1) if channels_first else values
    if signal:
        return (values.T if channels_first else values)[None]
    return values[..., None]


def form_of(output: Any, *, signal: bool = False, channels_first: bool = False) -> OutputForm:
    """Return what an output is: a tensor, with its batch axis."""
    batch, *shape = getattr(output, "shape", None) or (None,)
    if batch != 1 or not shape:
        return OutputForm(None, None)
    if len(shape) == 1:
        return OutputForm(None, shape[0])
    blank = np.broadcast_to(np.float32(0), shape)
    picture = as_picture(blank, signal=signal, channels_first=channels_first)
    return OutputForm(None, None) if picture is None else OutputForm(picture.shape, picture.shape[-1])


def not_a_vector(values: Array | None, names: Iterable[str]) -> str | None:
    """Return what an output is that the widget cannot compare class by class, and where to read it; None for a vector.

    Parameters
    ----------
    values
        As `without_batch` returns them.
    names
        Of all of the model's outputs.
    """
    if values is not None and values.ndim == 1:
        return None
    names = list(names)
    listed = ", ".join(map(repr, names))
    another = f" lens.output chooses another of the model's outputs: {listed}." if len(names) > 1 else ""
    if values is None:
        return f"The model's output has no batch axis of one image, so it has no before and after.{another}"
    if not values.ndim:
        return f"The model's output is one number. lens.predictions has it before and after, in Python.{another}"
    return (
        f"The model's output is an array of {' × '.join(map(str, values.shape))}, not one vector of classes. "
        f"lens.predictions.before and lens.predictions.after have it in Python, in this shape.{another}"
    )
