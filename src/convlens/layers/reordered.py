"""Copying large kernels between Keras's order and one array per filter, at the speed of a plain copy.

Keras keeps a filter's weights spread over the whole variable. Gathering one filter after another touches all of its
memory once per filter: 2.9 s for 7×7×512×4096, where the code here takes 0.9 s. A plain copy takes 0.1 s: so large a
stack is not reordered at all, and each filter is a view of it, which takes a millisecond to gather when it is needed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

#: Channels, and filters, that are copied together: what fits into the processor's cache.
CHANNELS = 64
FILTERS = 256
#: Fewer numbers than these are copied by NumPy directly.
LARGE = 1 << 16
#: As many numbers, 16 MB, stay in Keras's order.
HUGE = 1 << 22


def filter_by_filter(stack: np.ndarray, *, owned: bool = False) -> Array:
    """Return a copy of ``(kernels, kh, kw, channels)``, read-only: filter by filter in memory, or huge and as it was.

    Parameters
    ----------
    stack
        Any order in memory.
    owned
        Whether nobody else has it, so that it need not be copied.
    """
    last = np.moveaxis(stack, 0, -1)
    if stack.size >= HUGE and last.flags.c_contiguous:
        whole = last if owned and last.dtype == np.float32 else np.array(last, np.float32)
        whole.flags.writeable = False
        return np.moveaxis(whole, -1, 0)
    if stack.size < LARGE:
        copy = np.array(stack, np.float32, order="C")
    else:
        copy = np.empty(stack.shape, np.float32)
        for row, col in np.ndindex(stack.shape[1:3]):
            for first in range(0, stack.shape[3], CHANNELS):
                part = slice(first, first + CHANNELS)
                copy[:, row, col, part] = stack[:, row, col, part]
    copy.flags.writeable = False
    return copy


def filters_last(kernels: Sequence[np.ndarray]) -> np.ndarray:
    """Return ``(kh, kw, channels)`` kernels as one ``(kh, kw, channels, filters)``."""
    count, shape = len(kernels), kernels[0].shape
    if count * kernels[0].size < LARGE:
        return np.stack(kernels, axis=3)
    if found := in_keras_order(kernels):
        whole, others = found
        stacked = whole.copy()
        for index in others:
            stacked[..., index] = kernels[index]
        return stacked
    stacked = np.empty((*shape, count), np.result_type(*{kernel.dtype for kernel in kernels}))
    for start in range(0, count, FILTERS):
        block = np.stack(kernels[start : start + FILTERS])
        for row, col in np.ndindex(shape[:2]):
            for first in range(0, shape[2], FILTERS):
                part = slice(first, first + FILTERS)
                stacked[row, col, part, start : start + FILTERS] = block[:, row, col, part].T
    return stacked


def in_keras_order(kernels: Sequence[np.ndarray]) -> tuple[np.ndarray, list[int]] | None:
    """Return the array ``(kh, kw, channels, filters)`` that most kernels are views of, and the indices of the others.

    None where `filter_by_filter` left no such array, or most kernels are no longer at their place in it.
    """
    count, shape = len(kernels), kernels[0].shape
    size = count * kernels[0].size
    owner = next((one.base for one in kernels if one.base is not None), None)
    if size < HUGE or not isinstance(owner, np.ndarray) or owner.size != size or not owner.flags.c_contiguous:
        return None
    whole = owner.reshape(*shape, count)
    start, step = whole.ctypes.data, whole.itemsize
    others = [
        index
        for index, one in enumerate(kernels)
        if one.base is not owner or one.ctypes.data != start + index * step or one.strides != whole.strides[:3]
    ]
    return (whole, others) if len(others) <= count // 4 else None
