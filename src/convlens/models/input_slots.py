"""Which inputs a model's call takes, and how it takes them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import keras

Shape = tuple["int | None", ...]

#: Arguments of a model's ``call`` that Keras fills in.
_OF_KERAS = ("training", "mask")


class Slot(NamedTuple):
    """One of a model's inputs.

    Parameters
    ----------
    name
        A key, an input's or an argument's name, or the position in a list where there is no name.
    shape
        With the batch axis; None where it is not known.
    dtype
        None where the model does not say.
    keyword
        Whether it is an argument of its own of the model's ``call``.
    required
        False for an argument that has a default.
    """

    name: str | int
    shape: Shape | None
    dtype: str | None = None
    keyword: bool = False
    required: bool = True


def slots_of(model: keras.Model) -> tuple[tuple[Slot, ...], Any, bool]:
    """Return a model's inputs, the structure of its first argument, and whether it requires these shapes."""
    import keras

    if tensors := getattr(model, "inputs", None):
        slots = [Slot(one.name, tuple(one.shape), keras.backend.standardize_dtype(one.dtype)) for one in tensors]
        if isinstance(model, keras.Sequential):
            return tuple(slots), 0, True
        structure = keras.tree.pack_sequence_as(model.input, list(range(len(slots))))
        if isinstance(structure, dict):
            for key, position in structure.items():
                if isinstance(position, int):
                    slots[position] = slots[position]._replace(name=key)
        return tuple(slots), structure, True
    first, *others = _arguments(model)
    found: list[Slot] = []
    built = (model.get_build_config() or {}).get("input_shape") or (None,) * 4
    structure = _placed(built, found, first.name)
    found += [one._replace(keyword=True) for one in others]
    return tuple(found), structure, False


def _placed(shapes: Any, found: list[Slot], name: str | int) -> Any:
    """Append the slots of a structure of shapes to `found`; return the structure with their positions."""
    if isinstance(shapes, Mapping):
        return {key: _placed(one, found, key) for key, one in shapes.items()}
    if shapes and all(isinstance(one, (tuple, list, Mapping)) for one in shapes):
        placed = [_placed(one, found, len(found)) for one in shapes]
        return tuple(placed) if isinstance(shapes, tuple) else placed
    # The batch with which it was first called says nothing about later ones.
    found.append(Slot(name, (None, *shapes[1:])))
    return len(found) - 1


def _arguments(model: keras.Model) -> list[Slot]:
    """Return the arguments of a model's own ``call`` that take values."""
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = [
        one
        for one in inspect.signature(model.call).parameters.values()
        if one.kind not in kinds and one.name not in _OF_KERAS
    ]
    slots = [Slot(one.name, None, required=one.default is one.empty) for one in parameters]
    return slots or [Slot("inputs", None)]


def takes_any_argument(model: keras.Model) -> bool:
    """Whether a model's own ``call`` takes arguments under any name, ``**kwargs``."""
    kinds = [one.kind for one in inspect.signature(model.call).parameters.values()]
    return not getattr(model, "inputs", None) and inspect.Parameter.VAR_KEYWORD in kinds


def of_whole_numbers(slot: Slot) -> bool:
    """Whether an input takes integers."""
    return str(slot.dtype).startswith(("int", "uint"))


def candidates(slots: Sequence[Slot]) -> list[int]:
    """Return the inputs that may take the image.

    Those of a picture's axes; without any, those of a signal's; without these, those of a vector that is not of whole
    numbers, as classes and words are.
    """
    ranks = [0 if slot.shape is None else len(slot.shape) for slot in slots]
    vectors = [i for i, rank in enumerate(ranks) if rank == 2 and not of_whole_numbers(slots[i])]
    return next(filter(None, ([i for i, n in enumerate(ranks) if n == rank] for rank in (4, 3))), vectors)
