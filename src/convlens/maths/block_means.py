"""Pictures made smaller as Matplotlib's antialiasing makes them: each pixel the mean of the values that it covers."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from convlens.maths.arrays import FloatArray

#: Above this magnitude sums of a block could leave float32.
_LARGE = 1e30


def block_starts(size: int, count: int) -> npt.NDArray[np.intp]:
    """Return where each of `count` blocks along an axis of `size` begins; their sizes differ by 1 at most."""
    return np.arange(count) * size // count


def block_means(values: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Average over blocks.

    Parameters
    ----------
    values
        ``(rows, cols)`` or ``(rows, cols, channels)`` float32.
    shape
        Rows and columns of the result, at most those of `values`.

    Returns
    -------
    numpy.ndarray
        Float32 of that shape, and the channels where there are some. A block that holds NaN, or infinities of both
        signs, is NaN; one that holds infinities of one sign is that infinity.
    """
    rows, cols = values.shape[:2]
    if (rows, cols) == shape:
        return values
    down, across = block_starts(rows, shape[0]), block_starts(cols, shape[1])
    wide = np.float32 if _magnitude(values) < _LARGE else np.float64
    with np.errstate(invalid="ignore"):
        # Row by row; `reduceat` along the first axis takes fifteen times as long.
        sums = np.empty((shape[0], *values.shape[1:]), wide)
        for into, first, last in zip(sums, down, [*down[1:], rows], strict=True):
            np.add.reduce(values[first:last], axis=0, dtype=wide, out=into)
        sums = np.add.reduceat(sums, across, axis=1, dtype=wide)
    counts = np.outer(np.diff(down, append=rows), np.diff(across, append=cols))
    means: FloatArray = (sums / counts.reshape(*shape, *[1] * (values.ndim - 2))).astype(np.float32)
    return means


def fitted(rows: int, cols: int, pixels: int) -> tuple[int, int]:
    """Return the largest rows and columns in the same proportion that have at most this many pixels together."""
    shrink = min(1.0, math.sqrt(pixels / (rows * cols)))
    # A strip keeps at least one row; what that costs is taken from its length.
    short = max(1, int(min(rows, cols) * shrink))
    long = max(1, min(int(max(rows, cols) * shrink), pixels // short))
    return (short, long) if rows <= cols else (long, short)


def _magnitude(values: FloatArray) -> float:
    """Return the largest magnitude; where it is not finite, one that requires float64, as others may be large."""
    most = float(max(values.max(), -values.min())) if values.size else 0.0
    return most if math.isfinite(most) else _LARGE
