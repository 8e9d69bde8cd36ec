"""Where a layer's map lies over the image: what the pixels of the one are in those of the other.

`placeOutput` in js/paint/viewport.ts mirrors this arithmetic for the overlay in the browser.
"""

from __future__ import annotations

from typing import NamedTuple

from convlens.maths.geometry import Geometry, Pair
from convlens.maths.receptive_field import ReceptiveField


class Alignment(NamedTuple):
    """A map over an image, in pixels of the image; the centre of the image's first pixel is at (0, 0).

    Parameters
    ----------
    origin
        ``(row, col)`` of the centre of the map's first pixel.
    step
        Rows and columns from one pixel of the map to the next.
    """

    origin: tuple[float, float]
    step: tuple[float, float]

    def edges(self, shape: Pair) -> tuple[float, float, float, float]:
        """Return the left, right, bottom and top edge of a map of this shape, as Matplotlib's ``extent`` takes them."""
        (row, col), (down, across) = self.origin, self.step
        top, left = row - down / 2, col - across / 2
        return (left, left + shape[1] * across, top + shape[0] * down, top)


def of_layer(geometry: Geometry) -> Alignment:
    """Return how a layer's maps lie over its own input.

    A map's pixel is put at the centre of the window that the kernel reads for it, at
    ``pixel * stride - pad + (extent - 1) / 2`` with the extent of the dilated kernel (A. Araujo, W. Norris and J. Sim,
    "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019). A transposed convolution's maps have
    `stride` pixels for each of the input's, around which its kernel spreads.
    """
    origin, step = [], []
    for axis in geometry.axes:
        first, distance = geometry.kind.align(axis)
        origin.append(first)
        step.append(distance)
    return Alignment((origin[0], origin[1]), (step[0], step[1]))


def of_fields(first: ReceptiveField, last: ReceptiveField, shape: Pair) -> Alignment:
    """Return how maps lie over the image through all layers before, from two receptive fields.

    Parameters
    ----------
    first, last
        Of the map's first and last pixel. Their centres are where these pixels are put.
    shape
        ``(rows, cols)`` of the map.

    Raises
    ------
    ValueError
        When a receptive field is not known, with its reason.
    """
    origin, step = [], []
    for axis, ends in enumerate(((first.rows, last.rows), (first.cols, last.cols))):
        begin, end = ends
        if begin is None or end is None:
            raise ValueError(f"The map cannot be laid over the image: {first.note or last.note}")
        centres = [sum(span) / 2 for span in (begin, end)]
        count = shape[axis]
        apart = (centres[1] - centres[0]) / (count - 1) if count > 1 else 0.0
        if apart <= 0:  # every pixel reads the same rows, of which each stands for its share
            apart = (begin[1] - begin[0] + 1) / count
            centres[0] = begin[0] - 0.5 + apart / 2
        origin.append(centres[0])
        step.append(apart)
    return Alignment((origin[0], origin[1]), (step[0], step[1]))
