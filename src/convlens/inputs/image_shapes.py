"""Which shapes are a picture, and for any other the expression that makes one of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: A last axis as long as this, or as long as the one before it, is a picture's columns rather than its channels.
_MANY_CHANNELS = 16


def is_picture(shape: tuple[int, ...], known: tuple[int, ...]) -> bool:
    """Return whether an array of this shape is one picture of `known` numbers of channels."""
    if 0 in shape:
        return False
    return (
        len(shape) == 2
        or (len(shape) == 3 and (shape[-1] in known or shape[0] == 1))
        or (len(shape) == 4 and shape[0] == 1 and shape[-1] in known)
    )


def rows_cols_channels(array: NDArray[Any], known: tuple[int, ...]) -> NDArray[Any]:
    """Return a view ``(rows, cols, channels)`` of an array whose shape :func:`check_shape` has let through."""
    if array.ndim == 2:
        return array[:, :, None]
    if array.ndim == 3:
        return array if array.shape[-1] in known else np.moveaxis(array, 0, -1)
    return np.squeeze(array, axis=0)


def check_shape(shape: tuple[int, ...], known: tuple[int, ...], array: str = "image", given: str = "image") -> None:
    """Raise `ValueError` for a shape that is not a picture, with expressions that make one.

    Parameters
    ----------
    shape
        The array's shape.
    known
        Numbers of channels that a picture may have.
    array, given
        Expressions of the array, and of what the user gave: a nested list has no methods.
    """
    if is_picture(shape, known):
        return
    if 0 in shape:
        raise ValueError(f"The image has shape {shape}: it is empty. Expected at least one row and one column.")
    kinds = " | ".join(str(n) for n in sorted(set(known)))
    raise ValueError(
        f"The image has shape {shape}; expected (rows, cols) or (rows, cols, {kinds}), with or without a leading 1."
        + _hint(shape, known, array, given)
    )


def _hint(shape: tuple[int, ...], known: tuple[int, ...], array: str, given: str) -> str:
    if len(shape) == 0:
        return " A single number is not a picture."
    if len(shape) == 1:
        return f"{_of_a_row(shape[0], array)} For a signal, give ndim=1, or kernels of one axis, such as [[-1, 1]]."
    if len(shape) == 3:
        return _of_three_axes(shape, known, array, given)
    if len(shape) == 4 and shape[0] > 1:
        return _of_a_batch(shape, known, given)
    if len(shape) == 4 and _channels_first(shape[1:], known):
        return f" If the {shape[1]} comes first as channels, put it last: np.moveaxis({given}, 1, -1)."
    if len(shape) == 4 and (shape[2] == shape[3] or shape[3] > _MANY_CHANNELS):
        return f" This is a batch of {shape[1]} images: give one of them, {given}[0][0]."
    if len(shape) == 4:
        return f" {shape[-1]} channels are not a picture: choose some, e.g. {array}[..., :1] or {array}[..., :3]."
    frame = [0]
    while len(shape) - len(frame) > 3:
        frame.append(0)
    return f" Take one frame of it: {array}[{', '.join(map(str, frame))}]."


def _of_a_row(length: int, array: str) -> str:
    side = math.isqrt(length)
    if side * side == length and side > 1:
        return f" A square picture of {length} pixels is {array}.reshape({side}, {side})."
    side = math.isqrt(length - 1)
    if side * side == length - 1 and side > 4:
        return (
            f" If a label comes before the {length - 1} pixels of a square picture: "
            f"{array}[1:].reshape({side}, {side})."
        )
    return f" Reshape it to rows and columns: {array}.reshape(rows, cols)."


def _of_three_axes(shape: tuple[int, ...], known: tuple[int, ...], array: str, given: str) -> str:
    n, rows, cols = shape
    if _channels_first(shape, known):
        return (
            f" If the {n} comes first as channels, put it last: np.moveaxis({given}, 0, -1). If these are {n} grey "
            f"pictures, give one of them: {given}[0]."
        )
    channels_last = f"{array}[..., :1] or {array}[..., :3]"
    if n == rows != cols:
        return f" {cols} channels are not a picture: choose some, e.g. {channels_last}."
    if rows == cols or cols > _MANY_CHANNELS:
        return f" This is a batch of {n} images: give one of them, {given}[0]."
    return (
        f" {cols} channels are not a picture: choose some, e.g. {channels_last}. If it is a batch of {n} images, "
        f"give one of them, {given}[0]."
    )


def _of_a_batch(shape: tuple[int, ...], known: tuple[int, ...], given: str) -> str:
    one = f"{given}[0]"
    if not is_picture(shape[1:], known) and _channels_first(shape[1:], known):
        return f" This is a batch of {shape[0]} images, channels first: give one of them, np.moveaxis({one}, 0, -1)."
    if not is_picture(shape[1:], known):
        one += "[..., :1]" if shape[1] == shape[2] or shape[-1] <= _MANY_CHANNELS else "[0]"
    return f" This is a batch of {shape[0]} images: give one of them, {one}."


def _channels_first(shape: tuple[int, ...], known: tuple[int, ...]) -> bool:
    return shape[0] in known and shape[0] < min(shape[1:])
