"""Small movements of the image between the steps of an ascent, which prevent patterns that depend on exact places.

After Olah et al. 2017, doi:10.23915/distill.00007: jitter, scaling by up to a tenth and rotation by up to ten degrees.
A picture of one row, which a signal is here, is not turned.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

_SCALES = (0.9, 1.1)
_DEGREES = 10.0
#: 8 pixels of 224.
_JITTER = 1 / 28


class Sampling(NamedTuple):
    """Where each pixel of a moved image is read in the one before, bilinear.

    Parameters
    ----------
    indices
        ``(4, rows * cols)``: the four pixels around the place, counted through the rows.
    shares
        ``(4, rows * cols)``: what each of them contributes.
    """

    indices: npt.NDArray[np.int32]
    shares: npt.NDArray[np.float32]


def no_movement(rows: int, cols: int) -> Sampling:
    """Return the sampling that leaves an image as it is."""
    return _sampling(rows, cols, 0.0, 1.0, (0.0, 0.0))


def random_movement(rows: int, cols: int, random: np.random.Generator) -> Sampling:
    """Return a rotation, a scaling and a shift; past the edges the image's nearest pixel is repeated."""
    if rows == 1:
        most = max(1.0, _JITTER * cols)
        return _sampling(rows, cols, 0.0, random.uniform(*_SCALES), (0.0, random.uniform(-most, most)))
    most = max(1.0, _JITTER * min(rows, cols))
    return _sampling(
        rows,
        cols,
        np.deg2rad(random.uniform(-_DEGREES, _DEGREES)),
        random.uniform(*_SCALES),
        (random.uniform(-most, most), random.uniform(-most, most)),
    )


def moved(images: Any, indices: Any, shares: Any) -> Any:
    """Return images ``(count, rows, cols, channels)`` read as a `Sampling` says; of tensors."""
    import keras

    ops = keras.ops
    count, rows, cols, channels = images.shape
    flat = ops.reshape(images, (count, rows * cols, channels))
    parts = [ops.take(flat, indices[i], axis=1) * shares[i][:, None] for i in range(4)]
    return ops.reshape(parts[0] + parts[1] + parts[2] + parts[3], images.shape)


def _sampling(rows: int, cols: int, angle: float, scale: float, shift: tuple[float, float]) -> Sampling:
    row, col = np.meshgrid(np.arange(rows), np.arange(cols), indexing="ij")
    down, right = row - (rows - 1) / 2, col - (cols - 1) / 2
    cosine, sine = np.cos(angle) / scale, np.sin(angle) / scale
    y = np.clip(cosine * down - sine * right + (rows - 1) / 2 + shift[0], 0, rows - 1).ravel()
    x = np.clip(sine * down + cosine * right + (cols - 1) / 2 + shift[1], 0, cols - 1).ravel()
    top, left = np.floor(y).astype(np.int32), np.floor(x).astype(np.int32)
    bottom, rightmost = np.minimum(top + 1, rows - 1), np.minimum(left + 1, cols - 1)
    v, u = y - top, x - left
    indices = np.stack([top * cols + left, top * cols + rightmost, bottom * cols + left, bottom * cols + rightmost])
    shares = np.stack([(1 - v) * (1 - u), (1 - v) * u, v * (1 - u), v * u])
    return Sampling(indices.astype(np.int32), shares.astype(np.float32))
