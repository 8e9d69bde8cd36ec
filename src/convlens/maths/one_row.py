"""Inside the package a signal is a picture of one row: its arrays as a user has them, without the axis of that row."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


def kernel_shown(kernel: Array, rank: int) -> Array:
    """Return a view of a kernel ``(kh, kw, channels)`` as a user has it.

    ``(kh, kw)``, or ``(kh, kw, in_channels)`` where it reads several channels; for a layer over signals, of `rank` 1,
    ``(k,)`` or ``(k, in_channels)``.
    """
    along = kernel if rank == 2 else kernel[0]
    return along[..., 0] if kernel.shape[2] == 1 else along[...]


def maps_shown(maps: Array, rank: int) -> Array:
    """Return maps ``(filters, rows, cols)`` as a user has them: ``(filters, steps)`` for a layer over signals."""
    return maps if rank == 2 else maps[:, 0]


def signal_shown(values: Array) -> Array:
    """Return a signal ``(1, steps, channels)`` as a user has it: ``(steps,)``, or ``(steps, channels)`` for several."""
    return values[0, :, 0] if values.shape[2] == 1 else values[0]
