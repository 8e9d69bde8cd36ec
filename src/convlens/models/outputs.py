"""A model's outputs, each under a name, and the choice of one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.layers.stateless_call import to_numpy

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[np.float32]


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


def check_output(names: list[str], choice: Any) -> str | int | None:
    """Return a choice among outputs as it was given.

    Raises
    ------
    ValueError
        Where there is no such output; the text lists those that there are.
    """
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
    """Return the output of that name or index; the first where none is chosen, None where there are none."""
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


def not_a_vector(values: Array | None, names: list[str]) -> str | None:
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
