"""The receptive field of an output pixel through the layers of a model.

A model's graph is walked backward from the opened layer, layer by layer, with every row and column that is read;
where branches meet, with those of either. The arithmetic of one layer is in `convlens.maths.receptive_field`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from convlens.maths.receptive_field import NOTHING, Indices, ReceptiveField, of_reach
from convlens.models.model_graph import Calls, Demand, leaves
from convlens.models.reading_rules import ReceptiveFieldUnknown, Shape, spatial_axes, whole

if TYPE_CHECKING:
    import keras

    from convlens.models.find_layers import FoundCall


class Graph:
    """The calls that a model is made of, for an image of one size, as far as Keras's graph has them.

    Parameters
    ----------
    model
        Functional or Sequential.
    shapes
        Of the model's inputs, without the batch.
    image
        Position of the image among them.
    data_format
        Where its channels are.
    found
        All calls of convolution layers that running the model showed.

    Raises
    ------
    ReceptiveFieldUnknown
        For a model that cannot be followed.
    """

    def __init__(
        self, model: keras.Model, shapes: Sequence[Shape], image: int, data_format: str, found: Sequence[FoundCall]
    ) -> None:
        self._top, self._image = Calls(model, shapes), image
        self._axes = spatial_axes(data_format, len(shapes[image]) - 1)
        self._found = found

    def field(self, found: FoundCall, row: int, col: int) -> ReceptiveField:
        """Return the receptive field, in what the model is fed, of a pixel of one of a convolution layer's maps.

        Parameters
        ----------
        found
            The call of the layer.
        row, col
            The pixel, whose value before the layer's own activation function is meant.

        Raises
        ------
        ReceptiveFieldUnknown
            With the reason, in a sentence.
        """
        axes = _axes(found)
        (calls, position), *around = reversed(self._way_to(found))
        node = calls.nodes[position]
        self._check_size(calls.shape(node.input_tensors[0]), found)
        box = list(whole(calls.shape(node.outputs[0])))
        for axis, at in zip(axes, (row, col)[-len(axes) :], strict=True):
            box[axis] = np.array([at])
        inputs = calls.asked({id(node.outputs[0]): Demand(tuple(box), tuple(box))}, position + 1, linear=node)
        for calls, position in around:
            tensors = calls.nodes[position].input_tensors
            asked = {id(t): one for t, one in zip(tensors, inputs, strict=True) if one is not None}
            inputs = calls.asked(asked, position)
        demand = inputs[self._image]
        if demand is None:
            return ReceptiveField(note=NOTHING)
        shape = self._top.shape(self._top.inputs[self._image])
        return _of_vector(demand, *shape) if len(shape) == 1 else _field(demand, self._axes)

    def _way_to(self, found: FoundCall) -> list[tuple[Calls, int]]:
        ways = [way for layer, way in leaves(self._top, ()) if layer is found.layer]
        uses = sum(one.layer is found.layer for one in self._found)
        if len(ways) != uses:
            raise ReceptiveFieldUnknown(
                f"{found.layer.name!r} is called by another layer's own code, which cannot be followed."
            )
        return ways[found.use - 1]

    def _check_size(self, shape: Shape, found: FoundCall) -> None:
        axes = _axes(found)
        told, fed = tuple(shape[axis] for axis in axes), found.input_shape[:2][-len(axes) :]
        if told != fed:
            raise ReceptiveFieldUnknown(
                f"its layers were called with other sizes than its graph states: {found.path!r} was fed {fed}, not "
                f"{told}."
            )


def _axes(found: FoundCall) -> tuple[int, ...]:
    return spatial_axes(found.layer.data_format, found.rank)


def _of_vector(demand: Demand, count: int) -> ReceptiveField:
    """Return the receptive field in a latent vector, of which there is no place to tell, but how much it is."""
    read = np.zeros(0, np.intp) if demand.read is None else demand.read[0]
    if len(read) == 0:
        return ReceptiveField(note=NOTHING)
    if len(read) == count:
        return ReceptiveField(note=f"The pixel depends on all {count} numbers of the vector.")
    return ReceptiveField(
        note=f"The pixel depends on {len(read)} of the {count} numbers of the vector, from {read[0]} to {read[-1]}."
    )


def _field(demand: Demand, axes: tuple[int, ...]) -> ReceptiveField:
    def both(box: Sequence[Indices]) -> tuple[Indices, Indices]:
        *rows, cols = (box[axis] for axis in axes)
        return (rows[0] if rows else np.zeros(1, np.intp), cols)  # a signal has one row

    return of_reach(*both(demand.reach), None if demand.read is None else both(demand.read))
