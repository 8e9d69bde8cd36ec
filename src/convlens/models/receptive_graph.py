"""The receptive field of an output pixel: the part of the image that it may depend on, through the layers of a model.

The arithmetic of one layer is that of A. Araujo, W. Norris and J. Sim, "Computing Receptive Fields of Convolutional
Neural Networks", Distill 2019, doi:10.23915/distill.00021: output pixels a to b of a convolution read the input pixels
a * stride - pad to b * stride - pad + dilation * (k - 1). A model's graph is gone through backward from the opened
layer, layer by layer, with every row and column that is read; where branches meet, with those of either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from convlens._model_graph import Calls, Demand, clipped, leaves
from convlens._reach import Shape, Untold, spatial_axes, whole
from convlens.geometry import Geometry, Pair

if TYPE_CHECKING:
    import keras

    from convlens._model_layers import Found

__all__ = ["Graph", "ReceptiveField", "Untold", "of_layer"]

NOTHING = "The pixel depends on no pixel of the image."


@dataclass(frozen=True)
class ReceptiveField:
    """The part of the image that one output pixel may depend on.

    Parameters
    ----------
    rows, cols
        First and last row and column, counted in the image. Below 0, or past its last row or column, they lie in the
        padding of one of the layers. None where they cannot be told.
    inside
        The rows and the columns of the image among them that are read, in order, with gaps where a stride or dilation
        leaves some out: a change of any other pixel leaves the output pixel as it is. None where there are none.
    note
        A sentence: why they cannot be told, or what they rely on. Empty where there is nothing to say.
    """

    rows: Pair | None = None
    cols: Pair | None = None
    inside: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    note: str = ""

    def __str__(self) -> str:
        """Say it in words."""
        if self.rows is None or self.cols is None:
            return self.note
        (top, bottom), (left, right) = self.rows, self.cols
        return f"depends on rows {top} to {bottom}, cols {left} to {right} of the image. {self.note}".rstrip()


def of_layer(geometry: Geometry, row: int, col: int) -> ReceptiveField:
    """Return the receptive field, in the layer's own input, of pixel (`row`, `col`) of a map."""
    reach = (geometry.reach(np.array([row]), 0), geometry.reach(np.array([col]), 1))
    return _field(Demand(clipped(reach, geometry.input_shape[:2]), reach), (0, 1))


class Graph:
    """The calls that a model is made of, for an image of one size, as far as Keras's graph of them tells.

    Parameters
    ----------
    model
        Functional or Sequential.
    shape
        Of what the model is fed, without the batch.
    data_format
        Where its channels are.
    found
        All calls of convolution layers that running the model showed.

    Raises
    ------
    Untold
        For a model that cannot be followed.
    """

    def __init__(self, model: keras.Model, shape: Shape, data_format: str, found: Sequence[Found]) -> None:
        self._top = Calls(model, [shape])
        self._axes = spatial_axes(data_format)
        self._found = found

    def field(self, found: Found, row: int, col: int) -> ReceptiveField:
        """Return the receptive field, in what the model is fed, of a pixel of one of a convolution layer's maps.

        Parameters
        ----------
        found
            The call of the layer.
        row, col
            The pixel, whose value before the layer's own activation function is meant.

        Raises
        ------
        Untold
            With the reason, in a sentence.
        """
        axes = spatial_axes(found.layer.data_format)
        (calls, position), *around = reversed(self._way_to(found))
        node = calls.nodes[position]
        self._check_size(calls.shape(node.input_tensors[0]), found)
        box = list(whole(calls.shape(node.outputs[0])))
        box[axes[0]], box[axes[1]] = np.array([row]), np.array([col])
        inputs = calls.asked({id(node.outputs[0]): Demand(tuple(box), tuple(box))}, position + 1, linear=node)
        for calls, position in around:
            tensors = calls.nodes[position].input_tensors
            asked = {id(t): one for t, one in zip(tensors, inputs, strict=True) if one is not None}
            inputs = calls.asked(asked, position)
        (demand,) = inputs
        if demand is None:
            return ReceptiveField(note=NOTHING)
        return _field(demand, self._axes)

    def _way_to(self, found: Found) -> list[tuple[Calls, int]]:
        ways = [way for layer, way in leaves(self._top, ()) if layer is found.layer]
        uses = sum(one.layer is found.layer for one in self._found)
        if len(ways) != uses:
            raise Untold(f"{found.layer.name!r} is called by code of another layer's own, which cannot be followed.")
        return ways[found.use - 1]

    def _check_size(self, shape: Shape, found: Found) -> None:
        rows, cols = spatial_axes(found.layer.data_format)
        if (shape[rows], shape[cols]) != found.input_shape[:2]:
            raise Untold(
                f"its layers were called with other sizes than its graph tells: {found.path!r} was fed "
                f"{found.input_shape[:2]}, and not {(shape[rows], shape[cols])}."
            )


def _field(demand: Demand, axes: Pair) -> ReceptiveField:
    rows, cols = (demand.reach[axis] for axis in axes)
    if not (len(rows) and len(cols)):
        return ReceptiveField(note=NOTHING)
    ends = [(int(span[0]), int(span[-1])) for span in (rows, cols)]
    if demand.read is None:
        return ReceptiveField(ends[0], ends[1], note=NOTHING)
    read = [tuple(demand.read[axis].tolist()) for axis in axes]
    return ReceptiveField(ends[0], ends[1], (read[0], read[1]))
