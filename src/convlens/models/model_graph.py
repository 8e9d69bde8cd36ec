"""The graph that Keras keeps of a model: its calls, one after another, and what each asks of the tensors before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from convlens.layers.keras_internals import calls_in_order, graph_of
from convlens.models.reading_rules import Box, ReceptiveFieldUnknown, Shape, boxes_read, rule_of

if TYPE_CHECKING:
    import keras


class Demand(NamedTuple):
    """What is asked of one tensor: what is read of it, and how far the windows reach, their padding included."""

    read: Box | None
    reach: Box

    def joined(self, other: Demand | None) -> Demand:
        """Return the smallest boxes around both."""
        if other is None:
            return self
        read = _around(self.read, other.read) if self.read and other.read else self.read or other.read
        return Demand(read, _around(self.reach, other.reach))


class Calls:
    """The calls within one model, in the order in which it runs them, with the shapes of what goes between them.

    Parameters
    ----------
    model
        Functional or Sequential.
    shapes
        Of its inputs, without the batch.

    Raises
    ------
    ReceptiveFieldUnknown
        When the model runs code of its own instead.
    """

    def __init__(self, model: keras.Model, shapes: Sequence[Shape]) -> None:
        if not _is_graph(model):
            raise ReceptiveFieldUnknown(
                f"model {model.name!r} ({type(model).__name__}) runs code of its own, which cannot be followed."
            )
        graph = graph_of(model)
        self.inputs = list(graph.inputs)
        if len(self.inputs) != len(shapes):
            raise ReceptiveFieldUnknown(
                f"model {model.name!r} is called with {len(shapes)} inputs, but has {len(self.inputs)}."
            )
        self.outputs = list(graph.outputs)
        self.nodes = calls_in_order(graph)
        self._shapes = {id(tensor): tuple(shape) for tensor, shape in zip(self.inputs, shapes, strict=True)}
        self._static = all(tuple(t.shape[1:]) == tuple(s) for t, s in zip(self.inputs, shapes, strict=True))
        self._inner: dict[int, Calls] = {}

    def shape(self, tensor: Any) -> Shape:
        """Return a tensor's shape without the batch, for these inputs."""
        if id(tensor) not in self._shapes:
            if self._static and None not in tensor.shape[1:]:
                return tuple(tensor.shape[1:])
            self._find_shapes()
        if id(tensor) not in self._shapes:
            raise ReceptiveFieldUnknown(f"the size of {tensor.name!r} is not known before it is computed.")
        return self._shapes[id(tensor)]

    def inner(self, position: int) -> Calls:
        """Return the calls within the model that is called there."""
        if position not in self._inner:
            node = self.nodes[position]
            if len(node.input_tensors) > 1 and not isinstance(node.arguments.args[0], (list, tuple)):
                raise ReceptiveFieldUnknown(f"model {node.operation.name!r} takes several inputs by name.")
            self._inner[position] = Calls(node.operation, [self.shape(tensor) for tensor in node.input_tensors])
        return self._inner[position]

    def asked(self, demands: dict[int, Demand], end: int, linear: Any = None) -> list[Demand | None]:
        """Return what is asked of the model's inputs when this is asked of its tensors, by id, before call `end`.

        `linear` is the call of a layer whose activation function is left out.
        """
        demands = dict(demands)
        for position in reversed(range(end)):
            node = self.nodes[position]
            wanted = [demands.get(id(tensor)) for tensor in node.outputs]
            if all(one is None for one in wanted):
                continue
            for tensor, one in zip(node.input_tensors, self._asked_by(position, wanted, node is linear), strict=True):
                if one is not None:
                    demands[id(tensor)] = one.joined(demands.get(id(tensor)))
        return [demands.get(id(tensor)) for tensor in self.inputs]

    def _asked_by(self, position: int, wanted: Sequence[Demand | None], linear: bool) -> list[Demand | None]:
        node = self.nodes[position]
        if _is_graph(node.operation):
            inner = self.inner(position)
            asked: dict[int, Demand] = {}
            for tensor, one in zip(inner.outputs, wanted, strict=True):
                if one is not None:
                    asked[id(tensor)] = one.joined(asked.get(id(tensor)))
            return inner.asked(asked, len(inner.nodes))
        if len(wanted) > 1:
            raise ReceptiveFieldUnknown(f"{node.operation.name!r} has several outputs.")
        inputs = [self.shape(tensor) for tensor in node.input_tensors]
        output, (demand,) = self.shape(node.outputs[0]), wanted
        assert demand is not None
        op = unwrapped(node.operation)
        nothing: list[Box | None] = [None] * len(inputs)
        read = boxes_read(op, inputs, output, demand.read, linear=linear) if demand.read else nothing
        reach = boxes_read(op, inputs, output, demand.reach, linear=linear)
        return [
            None if far is None else Demand(clipped(near, shape) if near else None, far)
            for shape, near, far in zip(inputs, read, reach, strict=True)
        ]

    def _find_shapes(self) -> None:
        """Have Keras compute the shapes, where the model leaves sizes open."""
        import keras

        for position, node in enumerate(self.nodes):
            if any(id(tensor) not in self._shapes for tensor in node.input_tensors):
                continue
            if _is_graph(node.operation):
                inner = self.inner(position)
                shapes = [inner.shape(tensor) for tensor in inner.outputs]
            elif rule_of(unwrapped(node.operation)):
                known = {id(t): keras.KerasTensor((1, *self.shape(t)), t.dtype) for t in node.input_tensors}
                args, kwargs = node.arguments.fill_in(known)
                shapes = [tuple(node.operation.compute_output_spec(*args, **kwargs).shape[1:])]
            else:
                continue
            self._shapes |= {id(t): shape for t, shape in zip(node.outputs, shapes, strict=True) if None not in shape}


def unwrapped(op: Any) -> Any:
    """Return the layer that a spectral normalisation calls, which computes as it does alone; any other as it is."""
    import keras

    return op.layer if type(op) is keras.layers.SpectralNormalization else op


def leaves(calls: Calls, way: tuple[tuple[Calls, int], ...]) -> Iterator[tuple[Any, list[tuple[Calls, int]]]]:
    """Yield the layers that the model calls, in its order, and the calls that lead to each, the outermost first."""
    for position, node in enumerate(calls.nodes):
        here = (*way, (calls, position))
        if _is_graph(node.operation):
            yield from leaves(calls.inner(position), here)
        else:
            yield unwrapped(node.operation), list(here)


def _is_graph(op: Any) -> bool:
    """Whether `op` is a model that runs Keras's graph of it, rather than a ``call`` that its author wrote."""
    import keras

    if not isinstance(op, keras.Model) or "call" in vars(op):
        return False
    writer = next(one for one in type(op).__mro__ if "call" in vars(one))
    return graph_of(op) is not None and writer.__module__.partition(".")[0] == "keras"


def _around(one: Box, other: Box) -> Box:
    return tuple(np.union1d(here, there) for here, there in zip(one, other, strict=True))


def clipped(box: Box, shape: Shape) -> Box | None:
    """Return the part of a box that is not in the padding, None where there is none."""
    inside = tuple(span[(span >= 0) & (span < n)] for span, n in zip(box, shape, strict=True))
    return inside if all(map(len, inside)) else None
