"""The errors of a model with several inputs, each with the call that works."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from convlens.maths.arrays import shortened
from convlens.models.input_slots import Slot

#: The value of an open size in an array that represents the user's.
_OPEN = 32


def missing(model: str, slots: Sequence[Slot], image: int, which: Sequence[int]) -> str:
    """Return that the model needs more than the image, with the call that gives it."""
    names = ", ".join(repr(slots[i].name) for i in which)
    return (
        f"{_takes(model, slots)} The image goes to {slots[image].name!r}, and {names} "
        f"{'is' if len(which) == 1 else 'are'} missing. Give {'it' if len(which) == 1 else 'them'} beside the image, "
        f"with your own numbers: {_call(slots, image)}."
    )


def ambiguous(model: str, slots: Sequence[Slot], candidates: Sequence[int], free: Sequence[int], *, made: bool) -> str:
    """Return that several inputs may take the image, with the call that chooses the first of them."""
    names = " or ".join(repr(slots[i].name) for i in candidates)
    first = candidates[0]
    call = f"inputs={{{slots[first].name!r}: None}}" if made else _call(slots, first)
    return f"{_takes(model, slots)} The image may go to {names}. For {slots[first].name!r}: {call}."


def not_an_image(model: str, slots: Sequence[Slot], left: int, candidates: Sequence[int]) -> str:
    """Return that the input that is left for the image takes none, with a call where another does."""
    text = (
        f"{_takes(model, slots)} The image would go to {slots[left].name!r}, which takes {_shape(slots[left])}: "
        "neither a picture nor a signal."
    )
    if not candidates:
        return f"{text} Give one of its convolution layers alone: ConvLens(image, layer=...)."
    return f"{text} Leave {slots[candidates[0]].name!r} to the image: {_call(slots, candidates[0])}."


def none_left(model: str, slots: Sequence[Slot], image: int) -> str:
    """Return that inputs= has them all."""
    if len(slots) == 1:
        return (
            f"inputs= was given, but model {model!r} takes {slots[0].name!r} alone, and the image goes there. Leave "
            "inputs= out."
        )
    return (
        f"{_takes(model, slots)} inputs= has all of them, so none is left for the image. Leave that one out: "
        f"{_call(slots, image)}."
    )


def unknown(model: str, slots: Sequence[Slot], image: int, name: object, near: str | None, what: str) -> str:
    """Return that there is no such input."""
    hint = f" Did you mean {near!r}?" if near else ""
    text = f"{what} {shortened(name)}, which is not an input of the model.{hint} {_takes(model, slots)}"
    return text if what.startswith("preprocess") or len(slots) == 1 else f"{text} Give {_call(slots, image)}."


def wrong_count(model: str, slots: Sequence[Slot], image: int, count: int, what: str) -> str:
    """Return that a list is longer or shorter than the model's inputs."""
    order = ", ".join("None" if i == image else _array(slot) for i, slot in enumerate(slots))
    text = f"{what} {count} {'entry' if count == 1 else 'entries'}. {_takes(model, slots)}"
    if what.startswith("preprocess"):
        return text
    return f"{text} A list has them all in this order, and None where the image goes: inputs=[{order}]."


def no_image_made(model: str, slots: Sequence[Slot], image: int) -> str:
    """Return that what preprocess= returned has nothing for the input of the image."""
    return f"preprocess returned nothing for {slots[image].name!r}, where the image goes. {_takes(model, slots)}"


def misshapen(model: str, slot: Slot, shape: tuple[int, ...], *, fits: bool) -> str:
    """Return that a value does not have the shape that the model requires."""
    text = f"Input {slot.name!r} of model {model!r} was given as an array of shape {shape}; expected {_shape(slot)}"
    if fits:
        return f"{text}, for one image. Take one of the {shape[0]}: inputs={{{slot.name!r}: array[0]}}."
    return f"{text}, with or without a batch axis of 1: inputs={{{slot.name!r}: {_array(slot)}}}."


def _takes(model: str, slots: Sequence[Slot]) -> str:
    names = ", ".join(repr(slot.name) for slot in slots)
    shapes = ", ".join(f"{slot.name!r}: {_shape(slot)}" for slot in slots)
    if len(slots) == 1:
        return f"Model {model!r} takes one input, {shapes}."
    return f"Model {model!r} takes {len(slots)} inputs ({names}), each for one image: {shapes}."


def _shape(slot: Slot) -> str:
    if slot.shape is None:
        return "an array" if slot.required else "an array, or nothing"
    sizes = ["any" if n is None else str(n) for n in slot.shape[1:]]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"


def _call(slots: Sequence[Slot], image: int) -> str:
    return f"ConvLens(image, model=model, inputs={{{', '.join(_entries(slots, image))}}})"


def _entries(slots: Sequence[Slot], image: int) -> Iterable[str]:
    return (f"{one.name!r}: {_array(one)}" for i, one in enumerate(slots) if i != image and one.required)


def _array(slot: Slot) -> str:
    sizes = [_OPEN if n is None else n for n in (slot.shape or (1, _OPEN))[1:]]
    kind = "" if slot.dtype is None or slot.dtype.startswith(("float", "bfloat")) else f", {slot.dtype!r}"
    return f"np.zeros({tuple(sizes)}{kind})"
