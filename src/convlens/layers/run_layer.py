"""Computing activation maps: all filters of a layer, or only those that changed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens._activations import describe
from convlens._calls import call_layer, compiled, to_numpy, unchanged, without_gradients
from convlens._layer_kinds import is_own_class, policy_of, remade, variable
from convlens._layer_weights import pack, stored, to_weight

if TYPE_CHECKING:
    import keras

    from convlens.geometry import Geometry

Array = npt.NDArray[np.float32]


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
    """

    def __init__(self, layer: keras.layers.Layer, geometry: Geometry, x: Any) -> None:
        self.x = x
        self._layer = layer
        self._geometry = geometry
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
            if self._geometry.kind == "separable":
                return self._run_some_separable(kernels, bias, indices, pointwise)
            return self._run_some(kernels, bias, indices)
        weights = pack(self._layer, self._geometry, kernels, bias, pointwise)
        first = self._geometry.data_format == "channels_first"
        maps = [to_numpy(t)[0] if first else np.moveaxis(to_numpy(t)[0], -1, 0) for t in self._run_whole(weights)]
        return maps[0][list(indices)], maps[1][list(indices)]

    def _run_some(self, kernels: Sequence[np.ndarray], bias: np.ndarray, indices: Sequence[int]) -> tuple[Array, Array]:
        geometry = self._geometry
        by_channel: dict[int, list[int]] = {}
        for position, index in enumerate(indices):
            by_channel.setdefault(geometry.first_channel(index), []).append(position)
        parts = []
        for first, positions in by_channel.items():
            chosen = [indices[p] for p in positions]
            weight = to_weight(geometry.kind, [kernels[i] for i in chosen], depth_multiplier=len(chosen))
            x = self._channels(first, geometry.kernel_channels)
            parts.append(self._sibling(len(chosen))(x, weight, np.asarray(bias)[chosen]))
        if len(parts) == 1:
            return parts[0]
        back = np.argsort([p for positions in by_channel.values() for p in positions])
        return np.concatenate([pre for pre, _ in parts])[back], np.concatenate([act for _, act in parts])[back]

    def _run_some_separable(
        self, kernels: Sequence[np.ndarray], bias: np.ndarray, indices: Sequence[int], pointwise: np.ndarray | None
    ) -> tuple[Array, Array]:
        """Compute filters of a separable layer, each of which weighs the depthwise kernels in its own way."""
        geometry, chosen = self._geometry, list(indices)
        if pointwise is None:
            pointwise = stored(variable(self._layer, "pointwise_kernel"))[0, 0]
        depthwise = to_weight(geometry.kind, kernels, geometry.depth_multiplier)
        columns = np.asarray(pointwise)[np.newaxis, np.newaxis, :, chosen]
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
            # Keras has TensorFlow compile a grouped convolution, anew at every call that is not traced itself.
            if self._traced is None:
                self._traced = compiled(lambda x, weights: call_layer(self._layer, weights, x))
            pre, act = self._traced(self.x, list(weights))
            return pre, act
        if not (tensorflow and self._geometry.data_format == "channels_first"):
            return call_layer(self._layer, weights, self.x)
        # TensorFlow has no channels_first convolutions on a CPU; the weights are the same in either format.
        if self._twin is None:
            self._twin = remade(self._layer, data_format="channels_last", activation=None)
            self._twin.build((None, *self._geometry.input_shape))
        pre, _ = call_layer(self._twin, weights, self._channels_last())
        pre = keras.ops.transpose(pre, (0, 3, 1, 2))
        return pre, self._layer.activation(pre)


@dataclass(frozen=True)
class Sibling:
    """A small layer of Keras's own class that computes some filters of another layer, on the channels that they read.

    Always ``channels_last``, because TensorFlow's CPU kernels know nothing else.

    Parameters
    ----------
    layer_class
        Conv2D, DepthwiseConv2D, SeparableConv2D or Conv2DTranspose.
    input_shape
        ``(rows, cols, channels)``.
    filters
        Number of output channels.
    arguments
        Further arguments of the class.
    activation
        An elementwise callable.
    """

    layer_class: type
    input_shape: tuple[int, int, int]
    filters: int
    arguments: tuple[tuple[str, Any], ...]
    activation: Callable[[Any], Any]

    @classmethod
    def of(cls, layer: keras.layers.Layer, geometry: Geometry, filters: int) -> Sibling:
        """Describe the sibling that computes that many filters of one group, or of one channel of a depthwise layer."""
        arguments = {
            "kernel_size": geometry.kernel_size,
            "strides": geometry.strides,
            "padding": geometry.padding,
            "dilation_rate": geometry.dilation_rate,
            "use_bias": geometry.use_bias,
            "dtype": policy_of(layer),
        }
        if geometry.kind == "transpose":
            arguments["output_padding"] = geometry.output_padding
        shape = geometry.input_shape
        if geometry.kind == "separable":
            arguments["depth_multiplier"] = geometry.depth_multiplier
        else:
            shape = (*shape[:2], geometry.kernel_channels)
        return cls(type(layer), shape, filters, tuple(arguments.items()), layer.activation)

    def __call__(self, x: Any, *weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return ``(pre_activations, activations)``, each ``(filters, rows, cols)``.

        Parameters
        ----------
        x
            ``(1, rows, cols, channels)``.
        weights
            Kernels in the shapes of the Keras variables, and a bias ``(filters,)``, ignored by a layer without one.
        """
        pre, act = self._call(x, [np.asarray(weight, np.float32) for weight in weights])
        maps = _filters_first(to_numpy(pre))
        return maps, maps if act is pre else _filters_first(to_numpy(act))

    @property
    def one_by_one(self) -> bool:
        """Whether one number is weighed by one other: traced, oneDNN aborts where TensorFlow fuses it with the bias."""
        import keras

        channels = self.input_shape[2] * dict(self.arguments).get("depth_multiplier", 1)
        return self.layer_class is keras.layers.SeparableConv2D and channels == self.filters == 1

    @functools.cached_property
    def _call(self) -> Callable[..., tuple[Any, Any]]:
        return _prepared(self)

    def make_layer(self) -> keras.layers.Layer:
        """Make the layer, linear and built, drawing no random numbers and taking no automatic name."""
        import keras

        layers = keras.layers
        number = "depth_multiplier" if self.layer_class is layers.DepthwiseConv2D else "filters"
        initializers = {
            layers.DepthwiseConv2D: ["depthwise_initializer"],
            layers.SeparableConv2D: ["depthwise_initializer", "pointwise_initializer"],
        }
        layer = self.layer_class(
            **dict(self.arguments),
            **{number: self.filters},
            **dict.fromkeys(initializers.get(self.layer_class, ["kernel_initializer"]), "zeros"),
            data_format="channels_last",
            name="convlens",
        )
        layer.build((1, *self.input_shape))
        return layer


def _filters_first(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(array[0], -1, 0))


# Shared by all lenses, so that adding a kernel or opening the same geometry again does not trace it anew.
@functools.lru_cache(maxsize=64)
def _prepared(sibling: Sibling) -> Callable[..., tuple[Any, Any]]:
    import keras

    layer = sibling.make_layer()
    linear = sibling.activation is keras.activations.linear
    users = [sibling.activation] if isinstance(sibling.activation, keras.layers.Layer) else []

    def run(x: Any, weights: Sequence[Any]) -> tuple[Any, ...]:
        with unchanged(users), keras.StatelessScope(list(zip(layer.weights, weights, strict=False))):
            pre = layer(x)
            return (pre,) if linear else (pre, sibling.activation(pre))

    # Tracing costs as much as ten to fifty calls. One filter is what an edit computes, again and again.
    quick = compiled(run) if sibling.filters == 1 and not sibling.one_by_one else run

    def call(x: Any, weights: Sequence[Any]) -> tuple[Any, Any]:
        with without_gradients():
            maps = quick(x, weights)
        return maps[0], maps[-1]

    return call
