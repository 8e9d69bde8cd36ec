"""A small layer of Keras's own class that computes some filters of another, and what was traced of it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from convlens.layers.kinds import LayerKind, kind_of_geometry
from convlens.layers.remake_layer import policy_of
from convlens.layers.stateless_call import compiled, to_numpy, unchanged, without_gradients
from convlens.maths.kind import Channels

if TYPE_CHECKING:
    import keras

    from convlens.maths.geometry import Geometry


@dataclass(frozen=True)
class Sibling:
    """A small layer of Keras's own class that computes some filters of another layer, on the channels that they read.

    Always ``channels_last``, because TensorFlow's CPU kernels support nothing else.

    Parameters
    ----------
    kind
        Of which Keras's own class is made.
    input_shape
        ``(rows, cols, channels)``.
    filters
        Number of output channels.
    arguments
        Further arguments of the class.
    activation
        An elementwise callable.
    """

    kind: LayerKind
    input_shape: tuple[int, int, int]
    filters: int
    arguments: tuple[tuple[str, Any], ...]
    activation: Callable[[Any], Any]

    @classmethod
    def of(cls, layer: keras.layers.Layer, geometry: Geometry, filters: int) -> Sibling:
        """Describe the sibling that computes that many filters of one group, or of one channel of a depthwise layer."""
        kind = kind_of_geometry(geometry)
        arguments: dict[str, Any] = {
            "kernel_size": kind.setting(geometry.kernel_size),
            "strides": kind.setting(geometry.strides),
            "padding": geometry.padding,
            "dilation_rate": kind.setting(geometry.dilation_rate),
            "use_bias": geometry.use_bias,
            "dtype": policy_of(layer),
        }
        channels, more = kind.sibling(geometry)
        shape = (*geometry.input_shape[:2], channels)
        return cls(kind, shape, filters, tuple((arguments | more).items()), layer.activation)

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
    def may_be_traced(self) -> bool:
        """Whether the back end can trace it."""
        multiplier = int(dict(self.arguments).get("depth_multiplier", 1))
        return self.kind.may_be_traced(Channels(self.input_shape[2], self.filters, multiplier=multiplier))

    @functools.cached_property
    def _call(self) -> Callable[..., tuple[Any, Any]]:
        return _prepared(self)

    def make_layer(self) -> keras.layers.Layer:
        """Make the layer, linear and built, drawing no random numbers and taking no automatic name."""
        layer_class: Any = self.kind.keras_class
        layer = layer_class(
            **dict(self.arguments),
            **{self.kind.count_argument: self.filters},
            **dict.fromkeys(self.kind.initializers, "zeros"),
            data_format="channels_last",
            name="convlens",
        )
        layer.build(self.kind.batch_shape(*self.input_shape, channels_first=False))
        return layer


def _filters_first(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(array[0], -1, 0))


# Shared by all lenses, so that adding a kernel or opening the same geometry again does not trace it anew.
@functools.lru_cache(maxsize=64)
def _prepared(sibling: Sibling) -> Callable[..., tuple[Any, Any]]:
    import keras

    kind, layer = sibling.kind, sibling.make_layer()
    linear = sibling.activation is keras.activations.linear
    users = [sibling.activation] if isinstance(sibling.activation, keras.layers.Layer) else []

    def run(x: Any, weights: Sequence[Any]) -> tuple[Any, ...]:
        with unchanged(users), keras.StatelessScope(list(zip(layer.weights, weights, strict=False))):
            pre = layer(kind.to_layer(x, channels_first=False))
            results = (pre,) if linear else (pre, sibling.activation(pre))
            return tuple(kind.from_layer(result, channels_first=False) for result in results)

    # Tracing costs as much as ten to fifty calls. One filter is what an edit computes, again and again.
    quick = compiled(run) if sibling.filters == 1 and sibling.may_be_traced else run

    def call(x: Any, weights: Sequence[Any]) -> tuple[Any, Any]:
        with without_gradients():
            maps = quick(x, weights)
        return maps[0], maps[-1]

    return call
