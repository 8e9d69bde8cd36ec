"""Computing activation maps: all filters of a layer, or only those that changed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.layers.error_text import what_is_wrong
from convlens.layers.keras_internals import has_own_build, layers_within
from convlens.layers.kinds import kind_of_geometry
from convlens.layers.layer_kinds import is_own_class, variable
from convlens.layers.recognise_activation import describe
from convlens.layers.remake_layer import remade
from convlens.layers.returned_maps import ReturnedMaps, find_maps
from convlens.layers.sibling_layer import Sibling
from convlens.layers.stateless_call import call_layer, compiled, to_numpy, unchanged, without_gradients
from convlens.layers.weights import pack, stored

if TYPE_CHECKING:
    import keras

    from convlens.maths.geometry import Geometry

Array = npt.NDArray[np.float32]
#: Positional and named arguments of a call.
Arguments = tuple[tuple[Any, ...], Mapping[str, Any]]
NO_MORE: Arguments = ((), {})


class Runner:
    """A layer together with one input, which it is called on with one set of weights after another.

    Parameters
    ----------
    layer
        A built layer that computes all filters.
    geometry
        Its settings, for this input.
    x
        Tensor, a batch of one in the layer's data format.
    more
        What else a layer of the user's own class is called with.
    """

    def __init__(self, layer: keras.layers.Layer, geometry: Geometry, x: Any, more: Arguments = NO_MORE) -> None:
        self.x = x
        self.more = more
        self._layer = layer
        self._geometry = geometry
        self._kind = kind_of_geometry(geometry)
        self._slices: dict[int, Any] = {}
        self._siblings: dict[int, Sibling] = {}
        self._twin: keras.layers.Layer | None = None
        self._traced: Callable[..., tuple[Any, Any]] | None = None
        #: Whether filters may be computed without the others: that is certain for Keras's own code only.
        self.splits = is_own_class(layer) and bool(layer.autocast) and describe(layer.activation).elementwise

    def run(
        self, kernels: Sequence[np.ndarray], bias: np.ndarray, indices: Sequence[int], pointwise: np.ndarray | None
    ) -> tuple[Array, Array]:
        """See `ConvLayer.run`."""
        few = len(indices) == 1 or 2 * len(indices) <= self._geometry.filters
        if few and self.splits:
            if self._geometry.kind.pointwise:
                return self._run_some_separable(kernels, bias, indices, pointwise)
            return self._run_some(kernels, bias, indices)
        weights = pack(self._layer, self._geometry, kernels, bias, pointwise)
        found = find_maps(*self._run_whole(weights), self._geometry)
        first = self._geometry.data_format == "channels_first"
        maps = [
            to_numpy(t)[0] if first else np.moveaxis(to_numpy(t)[0], -1, 0)
            for t in (found.pre_activation, found.activation)
        ]
        return maps[0][list(indices)], maps[1][list(indices)]

    @property
    def activation(self) -> Callable[[Array], Array] | None:
        """The layer's activation function on arrays, where any part of a map gets the very numbers of the whole.

        None for others, and where the layer computes in another type than maps are kept in.
        """
        if not self.splits or self._layer.compute_dtype != "float32":
            return None
        return functools.partial(_activated, self._layer)

    def look(self) -> ReturnedMaps:
        """Run the layer once with the weights that it has, to see what it returns.

        Raises
        ------
        ValueError
            When a part of it is not built, when it cannot compute this input, or returns no map for each filter.
        """
        layer, name = self._layer, f"Layer {self._geometry.name!r} ({self._geometry.class_name})"
        unbuilt = [part for part in layers_within(layer) if not part.built and has_own_build(part)]
        if unbuilt:
            raise ValueError(
                f"{name} contains {unbuilt[0].name!r} ({type(unbuilt[0]).__name__}), which is not built yet, and "
                "looking at the layer must not build it. Call the layer once on an image first: "
                "layer(np.zeros((1, rows, cols, channels)))."
            )
        try:
            result = self._run_whole([variable.value for variable in layer.weights])
        except Exception as error:
            geometry = self._geometry
            own = [v for v in layer.weights if v.name not in self._kind.weight_names(use_bias=True)]
            of_one_size = ", ".join(f"{v.path} {tuple(v.shape)}" for v in own)
            because = f" Weights of its own do not change with the input or the filters: {of_one_size}." if own else ""
            raise ValueError(
                f"{name} cannot compute {geometry.filters} filters of {geometry.kernel_size} on an input of "
                f"{geometry.input_shape}, as a trial showed: {what_is_wrong(error)}{because}"
            ) from error
        return find_maps(*result, self._geometry)

    def _run_some(self, kernels: Sequence[np.ndarray], bias: np.ndarray, indices: Sequence[int]) -> tuple[Array, Array]:
        geometry = self._geometry
        by_channel: dict[int, list[int]] = {}
        for position, index in enumerate(indices):
            by_channel.setdefault(geometry.first_channel(index), []).append(position)
        parts = []
        for first, positions in by_channel.items():
            chosen = [indices[p] for p in positions]
            weight = self._kind.to_weight([kernels[i] for i in chosen], len(chosen))
            x = self._channels(first, geometry.kernel_channels)
            parts.append(self._sibling(len(chosen))(x, weight, np.asarray(bias)[chosen]))
        if len(parts) == 1:
            return parts[0]
        back = np.argsort([p for positions in by_channel.values() for p in positions])
        return np.concatenate([pre for pre, _ in parts])[back], np.concatenate([act for _, act in parts])[back]

    def _run_some_separable(
        self, kernels: Sequence[np.ndarray], bias: np.ndarray, indices: Sequence[int], pointwise: np.ndarray | None
    ) -> tuple[Array, Array]:
        """Compute filters of a separable layer, each with its own pointwise weights for the depthwise maps."""
        geometry, chosen = self._geometry, list(indices)
        if pointwise is None:
            own = stored(variable(self._layer, "pointwise_kernel"))
            pointwise = own.reshape(own.shape[-2:])
        depthwise = self._kind.to_weight(kernels, geometry.depth_multiplier)
        columns = self._kind.to_pointwise(np.asarray(pointwise)[:, chosen])
        x = self._channels(0, geometry.input_shape[2])
        return self._sibling(len(chosen))(x, depthwise, columns, np.asarray(bias)[chosen])

    def _sibling(self, filters: int) -> Sibling:
        if filters not in self._siblings:
            self._siblings[filters] = Sibling.of(self._layer, self._geometry, filters)
        return self._siblings[filters]

    def _channels(self, first: int, depth: int) -> Any:
        """Input channels that a filter reads, `depth` from `first` on, channels last; cut out once for each group."""
        if first not in self._slices:
            x = self._channels_last()
            self._slices[first] = x if depth == x.shape[-1] else x[..., first : first + depth]
        return self._slices[first]

    def _channels_last(self) -> Any:
        import keras

        first = self._geometry.data_format == "channels_first"
        return keras.ops.transpose(self.x, (0, 2, 3, 1)) if first else self.x

    def _run_whole(self, weights: Sequence[np.ndarray]) -> tuple[Any, Any]:
        import keras

        tensorflow = keras.backend.backend() == "tensorflow" and is_own_class(self._layer)
        if tensorflow and self._geometry.groups > 1 and self._geometry.data_format == "channels_last":
            # Keras has TensorFlow compile a grouped convolution, again at every call that is not itself traced.
            if self._traced is None:
                self._traced = compiled(lambda x, weights: self._call(self._layer, weights, x))
            pre, act = self._traced(self.x, list(weights))
            return pre, act
        if not (tensorflow and self._geometry.data_format == "channels_first"):
            args, kwargs = self.more
            return self._call(self._layer, weights, self.x, *args, **kwargs)
        # TensorFlow has no channels_first convolutions on a CPU; the weights are the same in either format.
        if self._twin is None:
            self._twin = remade(self._layer, data_format="channels_last", activation=None)
            self._twin.build(self._kind.batch_shape(*self._geometry.input_shape, channels_first=False))
        pre, _ = self._call(self._twin, weights[: len(self._twin.weights)], self._channels_last())
        pre = keras.ops.transpose(pre, (0, 3, 1, 2))
        with unchanged(layers_within(self._layer)):
            act = self._layer.activation(self._kind.to_layer(pre, channels_first=True))
        return pre, self._kind.from_layer(act, channels_first=True)

    def _call(
        self, layer: keras.layers.Layer, weights: Sequence[Any], x: Any, *args: Any, **kwargs: Any
    ) -> tuple[Any, Any]:
        """Call a layer on a batch of pictures, and return pictures, where it convolves along one axis as well."""
        import keras

        first = layer.data_format == "channels_first"
        results = call_layer(layer, weights, self._kind.to_layer(x, channels_first=first), *args, **kwargs)
        pre, act = keras.tree.map_structure(lambda t: self._kind.from_layer(t, channels_first=first), results)
        return pre, act


def _activated(layer: keras.layers.Layer, values: Array) -> Array:
    with unchanged(layers_within(layer)), without_gradients():
        return to_numpy(layer.activation(values))


def first_of_batch(arguments: Any, batch: int) -> Any:
    """Take what belongs to the first of a batch from tensors in nested arguments; others stay as they are."""
    import keras

    def first(value: Any) -> Any:
        shape = getattr(value, "shape", None)
        return value[:1] if shape and batch > 1 and shape[0] == batch else value

    return keras.tree.map_structure(first, arguments)
