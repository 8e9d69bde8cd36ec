"""Anything a user may call a latent vector → a picture of one row, or an error that says how to mend it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from convlens.inputs.image_containers import refuse_container
from convlens.inputs.image_values import scaled
from convlens.inputs.images import Image, read_image
from convlens.inputs.pictures import Draft
from convlens.inputs.signals import given_shape
from convlens.maths.arrays import as_array, frozen

#: What a lens on such a model starts from where no vector is given: these numbers are `starting_vector`'s.
NOTE = (
    "No vector was given: these are {numbers} numbers from the standard normal distribution, "
    "np.random.default_rng(0).standard_normal({numbers}). Give the model a vector with lens.image = ..."
)


def is_row(value: Any) -> bool:
    """Whether a value is an array, or a list, of numbers that is longer than 1 along one axis at most."""
    shape = given_shape(value)
    return shape is not None and sum(size > 1 for size in shape) < 2


def read_vector(value: Any, numbers: int | None) -> Image:
    """Read what is given to a model that takes so many numbers in one row.

    Parameters
    ----------
    value
        ``(numbers,)``, with any number of axes of length 1: a latent vector, whose values go in as they are. An array
        that is longer along several axes is a picture, whose pixels go in one row after another.
    numbers
        How many numbers the model takes; None for as many as there are.

    Returns
    -------
    Image
        A copy: ``(1, numbers, 1)`` of a vector, ``(rows, cols, channels)`` of a picture.

    Raises
    ------
    ValueError, TypeError
        For anything else, with the mend.
    """
    if value is None:
        raise TypeError(f"The vector is None; expected {_expected(numbers)}.")
    if isinstance(value, (str, os.PathLike, bytes, bytearray)) or hasattr(value, "getbands"):
        raise TypeError(
            f"The model takes {_expected(numbers)}, but a picture was given, and the model does not say of what size. "
            "Give the pixels as an array of the size that the model was trained on, such as "
            "np.asarray(PIL.Image.open(path))."
        )
    refuse_container(value, (1,))
    array = as_array(value, "The vector")
    if array.size == 0 or numbers not in (None, array.size):
        raise ValueError(
            f"An array of shape {array.shape} was given; the model takes {_expected(numbers)}."
            f"{_mend(array.shape, numbers)}"
        )
    if not is_row(array):
        shape = array.shape[1:] if array.ndim > 2 and array.shape[0] == 1 else array.shape
        channels = 1 if len(shape) == 2 else shape[-1]
        return read_image(array, channels=channels, scale=False)
    draft = Draft(array.reshape(1, -1, 1), 1.0, integers=False)
    values, _ = scaled(draft, False)
    return Image(values=frozen(values), notes=tuple(draft.notes), signal=True, latent=True)


def of_pixels(vector: Image, size: Sequence[int | None]) -> Image:
    """Return a vector with the sentence that its numbers are a picture's of this size, as the model has it."""
    shape = ", ".join(map(str, size if size[2] != 1 else size[:2]))
    note = (
        f"The model's first layer makes a picture of these numbers: lens.image = lens.image.reshape({shape}) shows "
        "them as one."
    )
    return replace(vector, notes=(*vector.notes, note))


def starting_vector(numbers: int) -> Image:
    """Return the vector that a lens starts from where none is given: random, but the same each time."""
    vector = read_vector(np.random.default_rng(0).standard_normal(numbers), numbers)
    return Image(vector.values, notes=(NOTE.format(numbers=numbers),), signal=True, latent=True)


def _expected(numbers: int | None) -> str:
    return "a vector of numbers" if numbers is None else f"a vector of {numbers} numbers, ({numbers},)"


def _mend(shape: tuple[int, ...], numbers: int | None) -> str:
    if numbers is None:
        return " It is empty."
    if len(shape) > 1 and int(np.prod(shape[1:])) == numbers:
        return f" This is a batch of {shape[0]}: give one of them, z[0]."
    return f" Random ones, for a start: np.random.default_rng(0).standard_normal({numbers})."
