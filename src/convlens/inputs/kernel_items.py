"""What was given as kernels, taken as a list, and how many channels it reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.inputs.kernel_errors import described
from convlens.inputs.kernel_layouts import depth_of, stack_depth
from convlens.maths.arrays import as_array


def as_sequence(kernels: Any) -> Any:
    """Return a list of what a generator, a ``map`` or any other iterable yields, once; arrays and lists as they are."""
    if hasattr(kernels, "shape") or isinstance(kernels, (list, tuple, str, bytes, Mapping)):
        return kernels
    return list(kernels) if isinstance(kernels, Iterable) else kernels


def listed(kernels: Any, shape: str) -> Any:
    """Return what holds several kernels as `as_sequence` does, or raise a TypeError that names a kernel's shape."""
    if isinstance(kernels, Mapping):
        raise TypeError(
            "kernels is a mapping; expected a list of arrays: list(kernels.values()), with names=list(kernels)."
        )
    several = isinstance(kernels, Iterable) or hasattr(kernels, "shape")  # a Keras variable cannot be iterated over
    if kernels is None or isinstance(kernels, (str, bytes)) or not several:
        raise TypeError(f"kernels is {described(kernels)}; expected a list of arrays of shape {shape}.")
    return as_sequence(kernels)


def kernel_depth(kernels: Any, image_channels: int | None = None) -> int | None:
    """Return how many channels `kernels` read: 1 for ``(kh, kw)``, n for ``(kh, kw, n)``.

    Parameters
    ----------
    kernels
        As :func:`read_kernels` takes them, but no iterator.
    image_channels
        Channels of the image, which decide where several depths are possible. None is not known yet.

    Returns
    -------
    int or None
        None where it cannot be determined; :func:`read_kernels` then says what is wrong.

    Raises
    ------
    ValueError
        If the image's channels leave several meanings; with the expression for each.
    """
    try:
        items = items_of(kernels)
        whole = whole_weight(kernels, items)
        shape = as_array(items[0], "kernels[0]").shape if whole is None else whole.shape
    except (TypeError, ValueError, IndexError):
        return None
    if whole is not None:
        return _depth_of_whole(shape, image_channels)
    is_array = hasattr(kernels, "shape")
    if len(shape) == 2:
        # (n, kh, 3) may as well be one kernel for a colour image.
        one = is_array and shape[1] == 3 and image_channels != 1
        return None if one else 1
    if len(shape) != 3:
        return None
    if is_array:
        stack = (len(items), *shape)
        return stack_depth(stack) if image_channels is None else depth_of(stack, image_channels)
    return _depth_of_one(shape, len(items), image_channels)


def list_depth(kernels: Any) -> int:
    """Return the depth of a list of kernels that are known to have their channels last, 1 where it is unknown."""
    try:
        shape = np.shape(items_of(kernels)[0])
    except (TypeError, ValueError, IndexError):
        return 1
    if len(getattr(kernels, "shape", ())) == 4:
        return kernel_depth(kernels) or 1
    return int(shape[2]) if len(shape) == 3 else 1


def items_of(kernels: Any) -> Sequence[Any]:
    """Return the kernels of a list, of any other iterable, or along the first axis of an array."""
    if isinstance(kernels, (list, tuple)):
        return kernels
    if isinstance(kernels, np.ndarray) and kernels.dtype == object and kernels.ndim == 1:
        return list(kernels)
    if hasattr(kernels, "shape"):  # one conversion of a whole stack, not one per kernel
        array = as_array(kernels, "kernels")
        return list(array) if array.ndim else [array]
    return list(kernels)


def weights_of(kernels: Any, items: Sequence[Any]) -> list[NDArray[Any]]:
    """Return one to three arrays of a list, which may be all of a layer's weights; else an empty list."""
    if hasattr(kernels, "shape") or not 1 <= len(items) <= 3:
        return []
    try:
        return [as_array(item, "kernels") for item in items]
    except (TypeError, ValueError):
        return []


def whole_weight(kernels: Any, items: Sequence[Any]) -> NDArray[Any] | None:
    """Return the kernel variable, of four axes, if `items` are a layer's list of weights."""
    arrays = weights_of(kernels, items)
    if [array.ndim for array in arrays] in ([4], [4, 1]):
        return arrays[0]
    separable = [array.ndim for array in arrays[:2]] == [4, 4] and arrays[1].shape[:2] == (1, 1)
    fits = separable and arrays[1].shape[2] == arrays[0].shape[2] * arrays[0].shape[3]
    return arrays[0] if fits and [array.ndim for array in arrays[2:]] in ([], [1]) else None


def _depth_of_whole(shape: tuple[int, ...], image_channels: int | None) -> int | None:
    # PyTorch's list, which read_kernels refuses by its name, has the channels in the second place.
    torch = shape[1] in (1, 3) and shape[1] != shape[2] and shape[0] != shape[1]
    if image_channels is None:
        return None if torch else int(shape[2])
    return image_channels if torch and shape[1] == image_channels else int(shape[2])


def _depth_of_one(shape: tuple[int, ...], count: int, image_channels: int | None) -> int | None:
    """Return the depth of the kernels of a list; for those in another order, one with which they are refused."""
    first, second, last = shape
    if first == count and second in (1, 3) and last not in (1, 3):
        return second  # Keras's array as a list: (kw, channels, filters) each
    if first in (1, 3) and last not in (1, 3):
        return first  # PyTorch's (channels, kh, kw)
    if 1 in (first, second) and last != 1 and (first == 1 or first == count):
        # Either of them, or kernels of one row or column for a colour image.
        return None if image_channels is None else 1 if image_channels == 1 else last
    return last
