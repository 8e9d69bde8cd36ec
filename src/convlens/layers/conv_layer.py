"""A Keras convolution layer seen as geometry, kernels and a pure call; the only place that knows layer classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens import _activations
from convlens._calls import to_numpy
from convlens._layer_kinds import geometry_of, input_channels, remade, unwrap, variable
from convlens._layer_weights import pack, read_only, stored, unpack
from convlens._runs import Runner
from convlens.geometry import Geometry, Pair

if TYPE_CHECKING:
    import keras

__all__ = ["ConvLayer", "input_channels"]

Array = npt.NDArray[np.float32]


class ConvLayer:
    """A Keras convolution layer seen as geometry, kernels and a pure call.

    Make one with `built_in` or `of`. Only `write` ever changes the user's layer.

    Attributes
    ----------
    layer : keras.layers.Layer
        The user's own layer (the inner one of a wrapper), or the one made here.
    geometry : Geometry
        Its settings, for the input that it is fed.
    """

    def __init__(self, layer: keras.layers.Layer, whole: keras.layers.Layer, geometry: Geometry) -> None:
        self.layer = layer
        self.geometry = geometry
        # The layer that computes all filters: the user's own, or one of its configuration with another number of them.
        self._whole = whole
        self._runner: Runner | None = None

    @classmethod
    def built_in(cls, geometry: Geometry, activation: Any = None) -> ConvLayer:
        """Make a Conv2D as `geometry` describes it.

        Parameters
        ----------
        activation
            A callable to use in the place of the one that `geometry` names.
        """
        import keras

        if activation is None:
            activation = _activations.make(geometry.activation, geometry.activation_params)
        layer = keras.layers.Conv2D(
            geometry.filters,
            geometry.kernel_size,
            strides=geometry.strides,
            padding=geometry.padding,
            dilation_rate=geometry.dilation_rate,
            groups=geometry.groups,
            use_bias=geometry.use_bias,
            activation=activation,
            data_format="channels_last",
            dtype="float32",
            kernel_initializer="zeros",
            name=geometry.name,
        )
        check_output(geometry)
        layer.build((None, *geometry.input_shape))
        return cls(layer, layer, replace(geometry_of(layer, geometry.input_shape, geometry.path), builtin=True))

    @classmethod
    def of(cls, layer: Any, input_shape: tuple[int, int, int] | None, path: str = "") -> ConvLayer:
        """Look at a layer of the user's.

        Parameters
        ----------
        layer
            A convolution layer, or a wrapper (``TimeDistributed``, ``SpectralNormalization``) around one. One that is
            not built has no kernels to read, but may be used `with_filters`.
        input_shape
            ``(rows, cols, channels)`` of what it will be fed, whatever its data format; None while that is not known.
        path
            Where it is in its model.

        Raises
        ------
        TypeError
            When it is not a convolution over images.
        ValueError
            When the input's channels do not fit its kernels.
        """
        inner = unwrap(layer)
        channels = input_channels(inner)
        if input_shape is None:
            input_shape = (0, 0, channels or 0)
        elif channels is not None and input_shape[2] != channels:
            raise ValueError(
                f"Layer {inner.name!r} was built for an input of {_count(channels, 'channel')}, but is given "
                f"{_count(input_shape[2], 'channel')} (shape {tuple(input_shape)}). Give it an image of {channels}, or "
                f"make the layer again and build it with layer.build((None, rows, cols, {input_shape[2]}))."
            )
        return cls(inner, inner, geometry_of(inner, input_shape, path))

    def with_filters(self, filters: int, kernel_size: Pair) -> ConvLayer:
        """Compute with this layer's configuration, but another number or size of kernels.

        Parameters
        ----------
        filters
            Number of kernels.
        kernel_size
            ``(rows, cols)``.

        Returns
        -------
        ConvLayer
            Its `layer` is still the user's, which is left alone; fed with the same input, if there is one.
        """
        geometry = self.geometry
        if self._whole.built and (filters, kernel_size) == (geometry.kernel_count, geometry.kernel_size):
            return self
        changes: dict[str, Any] = {}
        if geometry.kind in ("conv", "transpose"):
            changes["filters"] = filters
        elif filters != geometry.kernel_count:
            raise ValueError(
                f"Layer {self.layer.name!r} ({geometry.class_name}) has {_count(geometry.kernel_count, 'kernel')}, "
                f"tied to its input channels, but {filters} were given. Give {geometry.kernel_count}."
            )
        geometry = replace(geometry, kernel_size=kernel_size, **changes)
        whole = remade(self.layer, kernel_size=kernel_size, **changes)
        channels = geometry.input_shape[2]
        first = geometry.data_format == "channels_first"
        whole.build((None, channels, None, None) if first else (None, None, None, channels))
        other = ConvLayer(self.layer, whole, geometry)
        if self._runner is not None:
            other.feed(self._runner.x)
        return other

    def feed(self, x: Any) -> None:
        """Set the layer's input.

        Parameters
        ----------
        x
            ``(rows, cols, channels)``, or a batch of one in the layer's own data format.

        Raises
        ------
        ValueError
            When its channels do not fit the layer, or the kernel does not fit into it.
        """
        import keras

        first = self.geometry.data_format == "channels_first"
        if len(x.shape) == 3:
            x = np.asarray(x, dtype=np.float32)
            x = (np.moveaxis(x, -1, 0) if first else x)[np.newaxis]
        shape = tuple(int(n) for n in x.shape[1:])
        rows, cols, channels = (*shape[1:], shape[0]) if first else shape
        geometry = replace(self.geometry, input_shape=(rows, cols, channels))
        if self.geometry.input_shape[2] not in (0, geometry.input_shape[2]):
            raise ValueError(
                f"Layer {self.layer.name!r} reads {_count(self.geometry.input_shape[2], 'channel')}, but was fed "
                f"{_count(geometry.input_shape[2], 'channel')} (shape {geometry.input_shape})."
            )
        check_output(geometry)
        self.geometry = geometry
        self._runner = Runner(self._whole, geometry, keras.ops.convert_to_tensor(x))

    @property
    def input(self) -> Array:
        """What the layer is fed, ``(rows, cols, channels)``, read-only."""
        x = to_numpy(self._fed.x)[0]
        return read_only(np.moveaxis(x, 0, -1) if self.geometry.data_format == "channels_first" else x)

    @property
    def independent(self) -> bool:
        """Whether each map is certain to depend on its own kernel and bias alone, once the layer is fed.

        In a separable layer that is its column of the pointwise kernel, next to the depthwise kernels that all filters
        share. False for an activation across filters (softmax), and for code that is not Keras's own.
        """
        return self._fed.splits

    def read(self) -> tuple[tuple[Array, ...], Array]:
        """Return the layer's own kernels and bias.

        Returns
        -------
        kernels
            ``(kh, kw, kernel_channels)`` each, read-only, in the order of the output channels. For a separable layer
            those of its depthwise part; `read_pointwise` has the others.
        bias
            ``(filters,)``; zeros for a layer without one.
        """
        self._must_be_built()
        return self.from_weights([stored(v) for v in self._whole.weights])

    def read_pointwise(self) -> Array | None:
        """Return a separable layer's pointwise kernel, ``(depthwise channels, filters)``; None for other kinds."""
        if self.geometry.kind != "separable":
            return None
        self._must_be_built()
        return read_only(stored(variable(self._whole, "pointwise_kernel"))[0, 0])

    def weights(
        self, kernels: Sequence[np.ndarray], bias: np.ndarray, pointwise: np.ndarray | None = None
    ) -> list[np.ndarray]:
        """Return kernels and bias as Keras's ``get_weights()`` would: its list, order, shapes and types.

        Weights that a subclass has beyond those keep the layer's own values.
        """
        self._must_be_built()
        return pack(self._whole, self.geometry, kernels, bias, pointwise)

    def from_weights(self, weights: Sequence[npt.ArrayLike]) -> tuple[tuple[Array, ...], Array]:
        """Return the kernels and bias that a list for Keras's ``set_weights`` holds.

        Raises
        ------
        ValueError
            In Keras's own words, with the mend, when number or shapes do not fit.
        """
        self._must_be_built()
        return unpack(self._whole, self.geometry, weights)

    def run(
        self,
        kernels: Sequence[np.ndarray],
        bias: np.ndarray,
        indices: Sequence[int],
        pointwise: np.ndarray | None = None,
    ) -> tuple[Array, Array]:
        """Have Keras compute some activation maps with these weights, changing nothing.

        Parameters
        ----------
        kernels
            All of them, ``(kh, kw, kernel_channels)`` each.
        bias
            ``(filters,)``.
        indices
            The filters to compute. One costs one filter, whatever the layer's size, wherever that is certain to give
            the same numbers: in Keras's own classes with an activation that treats each value by itself.
        pointwise
            ``(depthwise channels, filters)``, for a separable layer; its own one when left out.

        Returns
        -------
        pre_activations, activations
            ``(len(indices), rows, cols)`` each.
        """
        return self._fed.run(kernels, bias, indices, pointwise)

    def write(self, kernels: Sequence[np.ndarray], bias: np.ndarray, pointwise: np.ndarray | None = None) -> None:
        """Set the weights of the user's own layer: all of them, or none when anything is wrong."""
        geometry = self.geometry
        if self._whole is not self.layer:
            own = geometry_of(self.layer, geometry.input_shape, geometry.path)
            built = "" if self.layer.built else " and is not built"
            raise ValueError(
                f"The lens has {_count(len(kernels), 'kernel')} of {geometry.kernel_size}, but layer "
                f"{self.layer.name!r} has {_count(own.kernel_count, 'kernel')} of {own.kernel_size}{built}. "
                f"Make the lens with as many kernels of that size, or make a {geometry.class_name} with "
                f"filters={len(kernels)}, kernel_size={geometry.kernel_size}, build it, and call its "
                "set_weights(lens.get_weights())."
            )
        new = self.weights(kernels, bias, pointwise)
        before = [stored(v) for v in self.layer.weights]
        try:
            self.layer.set_weights(new)
        except BaseException:
            self.layer.set_weights(before)
            raise

    @property
    def _fed(self) -> Runner:
        if self._runner is None:
            raise RuntimeError(f"Layer {self.layer.name!r} has no input yet: feed() it.")
        self._must_be_built()
        return self._runner

    def _must_be_built(self) -> None:
        if not self._whole.built:
            raise ValueError(
                f"Layer {self._whole.name!r} is not built, so it has no weights yet. Build it with "
                "layer.build((None, rows, cols, channels)), or give kernels=[...] as well."
            )


def check_output(geometry: Geometry) -> None:
    """TensorFlow may return memory that was never written where a kernel is larger than its input."""
    if min(geometry.output_shape) >= 1:
        return
    spans = f" that spans {geometry.extent} with its dilation" if max(geometry.dilation_rate) > 1 else ""
    raise ValueError(
        f"Layer {geometry.name!r} has a kernel of {geometry.kernel_size}{spans}, which does not fit into an input of "
        f"{geometry.input_shape[:2]}. Give a larger image, a smaller kernel, or padding='same'."
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
