"""The receptive field of an output pixel: the part of a convolution's input that it may depend on.

The arithmetic of one layer is that of A. Araujo, W. Norris and J. Sim, "Computing Receptive Fields of Convolutional
Neural Networks", Distill 2019, doi:10.23915/distill.00021: output pixels a to b of a convolution read the input pixels
a * stride - pad to b * stride - pad + dilation * (k - 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convlens.maths.geometry import Geometry, Pair

Indices = npt.NDArray[np.intp]

NOTHING = "The pixel depends on no pixel of the image."


@dataclass(frozen=True)
class ReceptiveField:
    """The part of the image that one output pixel may depend on.

    Parameters
    ----------
    rows, cols
        First and last row and column, counted in the image. Below 0, or past its last row or column, they lie in the
        padding of one of the layers. None where they are not known, and for a signal, which has `steps`.
    inside
        The rows and the columns of the image among them that are read, in order, with gaps where a stride or dilation
        leaves some out: a change of any other pixel leaves the output pixel as it is. None where there are none.
        For a signal, its steps only.
    note
        A sentence: why they are not known, or what they rely on; else empty.
    steps
        First and last step of a signal, counted as rows and columns are.
    """

    rows: Pair | None = None
    cols: Pair | None = None
    inside: tuple[tuple[int, ...], ...] | None = None
    note: str = ""
    steps: Pair | None = None

    def __str__(self) -> str:
        """Return a sentence."""
        if self.steps is not None:
            return f"depends on steps {self.steps[0]} to {self.steps[1]} of the signal. {self.note}".rstrip()
        if self.rows is None or self.cols is None:
            return self.note
        (top, bottom), (left, right) = self.rows, self.cols
        return f"depends on rows {top} to {bottom}, cols {left} to {right} of the image. {self.note}".rstrip()

    def along_steps(self) -> ReceptiveField:
        """Return the receptive field in steps, for a signal that is held as a picture of one row."""
        return ReceptiveField(inside=None if self.inside is None else self.inside[1:], note=self.note, steps=self.cols)


def of_layer(geometry: Geometry, row: int, col: int) -> ReceptiveField:
    """Return the receptive field, in the layer's own input, of pixel (`row`, `col`) of a map."""
    if not geometry.explainable:
        return ReceptiveField(note=geometry.note)
    rows, cols = (geometry.reach(np.array([at]), axis) for axis, at in enumerate((row, col)))
    inside = (_within(rows, geometry.input_shape[0]), _within(cols, geometry.input_shape[1]))
    return of_reach(rows, cols, inside if all(len(axis) for axis in inside) else None)


def of_reach(rows: Indices, cols: Indices, inside: tuple[Indices, Indices] | None) -> ReceptiveField:
    """Return the receptive field with these rows and columns.

    Parameters
    ----------
    rows, cols
        All that the windows reach, in order, those in the padding included.
    inside
        Those of them that are part of the image; None where the windows lie in the padding altogether.
    """
    if not (len(rows) and len(cols)):
        return ReceptiveField(note=NOTHING)
    ends = [(int(span[0]), int(span[-1])) for span in (rows, cols)]
    if inside is None:
        return ReceptiveField(ends[0], ends[1], note=NOTHING)
    return ReceptiveField(ends[0], ends[1], (tuple(inside[0].tolist()), tuple(inside[1].tolist())))


def _within(at: Indices, size: int) -> Indices:
    return at[(at >= 0) & (at < size)]
