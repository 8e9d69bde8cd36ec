"""What the pixels of a layer's map read of the image, for many pixels at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.maths.receptive_field import ReceptiveField

Indices = npt.NDArray[Any]
#: First and last row, first and last column.
Box = tuple[int, int, int, int]
Ends = npt.NDArray[np.int32]


class Windows:
    """The windows of one layer.

    A walk through the model's graph takes milliseconds, so that few pixels are looked up: along the diagonal from both
    corners until windows end within the image, and where those between move by the same step for every pixel, as those
    of convolutions and poolings do, they are computed from it. A map whose rows and columns cannot be told apart this
    way is looked up pixel by pixel.

    Parameters
    ----------
    field
        From a row and a column of the map to its receptive field.
    shape
        Rows and columns of the map.
    image
        Rows and columns of what the model is fed: the window of a pixel whose receptive field is not known.
    """

    def __init__(
        self, field: Callable[[int, int], ReceptiveField], shape: tuple[int, int], image: tuple[int, int]
    ) -> None:
        self._field, self._shape = field, shape
        self._whole: Box = (0, image[0] - 1, 0, image[1] - 1)
        self._looked_up: dict[tuple[int, int], tuple[Box, bool]] = {}
        self._axes = self._along_axes()

    def of(self, rows: Indices, cols: Indices) -> npt.NDArray[np.int32]:
        """Return ``(pixels, 4)``: first and last row, first and last column, for pixels of the map."""
        if self._axes is not None:
            return np.concatenate([self._axes[0][rows], self._axes[1][cols]], axis=1)
        pixels = zip(rows.tolist(), cols.tolist(), strict=True)
        return np.array([self._at(row, col)[0] for row, col in pixels], np.int32).reshape(-1, 4)

    def _at(self, row: int, col: int) -> tuple[Box, bool]:
        """Return a pixel's window, and whether its receptive field lies in the image altogether."""
        if (row, col) not in self._looked_up:
            field = self._field(row, col)
            rows, cols = field.inside or ((), ())
            box = (rows[0], rows[-1], cols[0], cols[-1]) if rows and cols else self._whole
            if len(self._looked_up) == _MOST:
                self._looked_up.clear()
            self._looked_up[row, col] = box, (*(field.rows or ()), *(field.cols or ())) == box
        return self._looked_up[row, col]

    def _along_axes(self) -> tuple[Ends, Ends] | None:
        """Return the ends of every row's window and of every column's; None where they depend on one another."""
        (rows, cols), whole = self._shape, self._whole
        if self._at(0, 0)[0] == self._at(rows - 1, cols - 1)[0] == whole:
            axes = np.array([whole[:2]] * rows, np.int32), np.array([whole[2:]] * cols, np.int32)
        else:
            axes = (
                self._line(lambda i: (i, i * cols // rows), rows, slice(0, 2)),
                self._line(lambda i: (i * rows // cols, i), cols, slice(2, 4)),
            )
        bottom, right = rows - 1, cols - 1
        apart = ((0, right), (bottom, 0), (bottom // 2, right), (bottom, right // 2), (bottom // 2, right // 3))
        same = all(self._at(row, col)[0] == (*axes[0][row].tolist(), *axes[1][col].tolist()) for row, col in apart)
        return axes if same else None

    def _line(self, pixel: Callable[[int], tuple[int, int]], count: int, axis: slice) -> Ends:
        """Return the ends of the windows of pixels in a line, ``(count, 2)``; `axis` says which of the four."""
        boxes, known = np.zeros((count, 2), np.int32), np.zeros(count, np.bool_)

        def look(i: int) -> bool:
            box, inside = self._at(*pixel(i))
            boxes[i], known[i] = box[axis], True
            return inside

        first = next((i for i in range(count) if look(i)), count)
        last = next((i for i in range(count - 1, first, -1) if look(i)), first)
        if last - first > 3:
            for i in (first + 1, (first + last) // 2, last - 1):
                look(i)
            steps = np.arange(last - first + 1, dtype=np.int32)[:, np.newaxis]
            moved = boxes[first] + steps * (boxes[first + 1] - boxes[first])
            between = slice(first, last + 1)
            if (moved == boxes[between])[known[between]].all():
                boxes[between], known[between] = moved, True
        for i in np.flatnonzero(~known).tolist():
            look(i)
        return boxes


#: Windows that are kept of a layer that is looked up pixel by pixel; more are looked up again.
_MOST = 20_000


def scaled(windows: npt.NDArray[np.int32], of: tuple[int, int], to: tuple[int, int]) -> npt.NDArray[np.int32]:
    """Return windows of what `preprocess` made as those of the image itself, assuming that it only scales."""
    if of == to:
        return windows
    found = np.empty_like(windows)
    for axis, (have, n) in enumerate(zip(of, to, strict=True)):
        first, last = windows[:, 2 * axis].astype(np.int64), windows[:, 2 * axis + 1].astype(np.int64)
        found[:, 2 * axis] = first * n // have
        found[:, 2 * axis + 1] = np.minimum(n - 1, -(-(last + 1) * n // have) - 1)
    return found
