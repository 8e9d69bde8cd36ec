"""What a model's call takes: an image, and with it other inputs that stay as they were given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from convlens.maths.nearest import nearest
from convlens.models import input_errors as errors
from convlens.models.find_layers import check_model, no_convolution, paths_of
from convlens.models.input_slots import Shape, Slot, candidates, slots_of, takes_any_argument
from convlens.models.input_values import arrays_in, mapped, read_value

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, eq=False)
class ModelInputs:
    """A model's inputs, with the values of all but the image.

    Parameters
    ----------
    model_name
        For errors.
    slots
        In the order in which Keras flattens them, and after these the arguments of their own.
    structure
        What the model's first argument is: the position of a slot, or lists, tuples and dictionaries of such.
    known
        Whether the shapes are those that the model requires. A subclassed model only remembers what it was called with
        first.
    image
        Position of the slot that takes the image.
    others
        Values by position, each a batch of one; see `read_value`.
    """

    model_name: str
    slots: tuple[Slot, ...]
    structure: Any
    known: bool
    image: int
    others: Mapping[int, Any]

    @property
    def shape(self) -> Shape:
        """Shape of the input that takes the image, with the batch axis."""
        shape = self.slots[self.image].shape
        return (None,) * 4 if shape is None else shape

    @property
    def several(self) -> bool:
        """Whether the model takes anything besides the image."""
        return any(i != self.image and (slot.required or i in self.others) for i, slot in enumerate(self.slots))

    def complete(self) -> ModelInputs:
        """Return these inputs; a ``ValueError`` where one is missing that the model needs."""
        if missing := self._missing():
            raise ValueError(errors.missing(self.model_name, self.slots, self.image, missing))
        return self

    def split(self, made: Any) -> tuple[Any, ModelInputs]:
        """Return the image in what preprocess= returned, and the inputs with the other values in it.

        Parameters
        ----------
        made
            An array, or what the model's call takes: a list, a tuple or a dictionary.
        """
        if not self._is_structure(made):
            return made, self.complete()
        given = {i: value for i, value in self._by_position(made, "preprocess returned").items() if value is not None}
        if (image := given.pop(self.image, None)) is None:
            raise ValueError(errors.no_image_made(self.model_name, self.slots, self.image))
        return image, self._with(given).complete()

    def tensors(self, image: Any) -> list[Any]:
        """Return the inputs with a tensor for the image, as `call` takes them.

        Parameters
        ----------
        image
            In the model's own layout, with as many images as its batch has; all are run with the same other inputs.
        """
        from keras import ops

        batch = int(image.shape[0])
        found = []
        for position in self._used():
            if position == self.image:
                found.append(image)
                continue
            for value in arrays_in(self.others[position]):
                repeated = np.repeat(value, batch, axis=0) if batch != 1 and value.ndim else value
                found.append(ops.convert_to_tensor(repeated, dtype=self.slots[position].dtype))
        return found

    def call(self, model: keras.Model, tensors: Sequence[Any]) -> Any:
        """Run a model for inference on what `tensors` returned, or on tensors of a trace in their place."""
        left = iter(tensors)
        values = {
            position: next(left) if position == self.image else mapped(self.others[position], lambda _: next(left))
            for position in self._used()
        }
        arguments = {str(self.slots[i].name): value for i, value in values.items() if self.slots[i].keyword}
        return model(_filled(self.structure, values), training=False, **arguments)

    def traced_as(self, other: ModelInputs) -> bool:
        """Whether a trace of the model's call with these inputs also serves those of `other`, for the same model."""
        return (self.image, self.but_arrays()) == (other.image, other.but_arrays())

    def but_arrays(self) -> list[Any]:
        """Return what the model is called with besides tensors: names, numbers and what arrays stand in."""
        return [(i, mapped(self.others.get(i), lambda _: None)) for i in self._used()]

    @property
    def required(self) -> list[int]:
        """Positions of the inputs that the model needs; the first where it needs none."""
        return [position for position, slot in enumerate(self.slots) if slot.required] or [0]

    def _used(self) -> list[int]:
        return [position for position in range(len(self.slots)) if position == self.image or position in self.others]

    def _missing(self) -> list[int]:
        return [i for i in range(len(self.slots)) if i not in self._used() and self.slots[i].required]

    def _is_structure(self, made: Any) -> bool:
        if isinstance(made, Mapping):
            return True
        # A list may be an image as well, where nothing else is taken.
        return isinstance(made, (list, tuple)) and self.several

    def _by_position(self, given: Any, what: str) -> dict[int, Any]:
        """Return what was given by name or in order; a ``ValueError`` for what the model lacks."""
        if not isinstance(given, Mapping):
            if len(given) != len(self.slots):
                raise ValueError(errors.wrong_count(self.model_name, self.slots, self.image, len(given), what))
            return dict(enumerate(given))
        found = {}
        names = [slot.name for slot in self.slots]
        for name, value in given.items():
            if name in names:
                position = names.index(name)
            elif isinstance(name, int) and not isinstance(name, bool) and 0 <= name < len(names):
                position = name
            else:
                near = nearest(name, map(str, names), 0.5)
                raise ValueError(errors.unknown(self.model_name, self.slots, self.image, name, near, what))
            found[position] = value
        return found

    def _with(self, given: Mapping[int, Any]) -> ModelInputs:
        read = {i: read_value(self.model_name, self.slots[i], value, known=self.known) for i, value in given.items()}
        return replace(self, others={**self.others, **read})


def read_inputs(model: keras.Model, given: Any = None, *, made: bool = False) -> ModelInputs:
    """Find which of a model's inputs takes the image, and read the values of the others.

    Parameters
    ----------
    given
        Arrays by name, or by position; or a list of all inputs in their order with None where the image goes. Each with
        or without the batch axis.
    made
        Whether preprocess= may bring what is missing.

    Raises
    ------
    TypeError, ValueError
        Naming the inputs that exist, and the call that works.
    """
    check_model(model)
    if not paths_of(model):
        raise ValueError(no_convolution(model))
    if given is not None and not isinstance(given, (Mapping, list, tuple)):
        raise TypeError(
            f"inputs is of type {type(given).__name__}; expected a dictionary of the inputs that are not the image, "
            'such as inputs={"name": array}.'
        )
    inputs = _unread(model, given)
    required = inputs.required
    if given is None and len(required) == 1:
        return inputs
    listed = inputs._by_position({} if given is None else given, "inputs= has")
    values = {position: value for position, value in listed.items() if value is not None}
    stated = [position for position, value in listed.items() if value is None]
    inputs = replace(inputs, image=_image_of(inputs, values, stated, made=made))._with(values)
    return inputs if made else inputs.complete()


def taken_apart(model: keras.Model, given: Any) -> tuple[Any, Any]:
    """Return the image in a whole call of a model, and the other inputs, as `read_inputs` takes them.

    Parameters
    ----------
    given
        All that the model is called with, by name, by position or in order. Where the image is not among it, None is
        returned for it.

    Raises
    ------
    TypeError, ValueError
        As `read_inputs`.
    """
    check_model(model)
    if not isinstance(given, (Mapping, list, tuple)) or not paths_of(model):
        return None, given
    inputs = _unread(model, given)
    listed = {i: value for i, value in inputs._by_position(given, "inputs= has").items() if value is not None}
    if any(position not in listed for position in inputs.required):
        return None, given
    may = [i for i in candidates(inputs.slots) if i in inputs.required]
    if len(may) > 1:
        raise ValueError(errors.ambiguous(model.name, inputs.slots, may, inputs.required, made=False))
    return listed.pop(inputs.image), listed


def _unread(model: keras.Model, given: Any) -> ModelInputs:
    """Return a model's inputs without values; the arguments that it takes under any name are those that are given."""
    slots, structure, known = slots_of(model)
    if isinstance(given, Mapping) and takes_any_argument(model):
        names = [str(slot.name) for slot in slots]
        new = [name for name in given if isinstance(name, str) and not (name in names or nearest(name, names, 0.5))]
        slots += tuple(Slot(name, None, keyword=True, required=False) for name in new)
    inputs = ModelInputs(model.name, slots, structure, known, 0, {})
    required = inputs.required
    return replace(inputs, image=next((i for i in candidates(slots) if i in required), required[0]))


def _image_of(inputs: ModelInputs, values: Mapping[int, Any], stated: Sequence[int], *, made: bool) -> int:
    """Return the position of the image: the one that was stated, or left out, or that alone may take one."""
    name, slots = inputs.model_name, inputs.slots
    free = [i for i in range(len(slots)) if i not in values]
    if not free:
        raise ValueError(errors.none_left(name, slots, inputs.image))
    needed = [i for i in free if slots[i].required] or free
    may = [i for i in candidates(slots) if i in needed]
    if len(stated) == 1 or len(needed) == 1:
        (image,) = stated if len(stated) == 1 else needed
        shape, others = slots[image].shape, candidates(slots)
        # A vector is the image of a model whose other inputs are no pictures either.
        least = 3 if any(len(slots[i].shape or ()) > 2 for i in others) else 2
        if shape is not None and not least <= len(shape) <= 4:
            raise ValueError(errors.not_an_image(name, slots, image, others))
        return image
    if len(may) > 1:
        raise ValueError(errors.ambiguous(name, slots, may, needed, made=made))
    if not may:
        raise ValueError(errors.not_an_image(name, slots, needed[0], candidates(slots)))
    return may[0]


def _filled(structure: Any, values: Mapping[int, Any]) -> Any:
    if isinstance(structure, int):
        return values[structure]
    if isinstance(structure, Mapping):
        return {key: _filled(one, values) for key, one in structure.items()}
    filled = [_filled(one, values) for one in structure]
    return tuple(filled) if isinstance(structure, tuple) else filled
