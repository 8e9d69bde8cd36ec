"""A Keras convolution layer seen as geometry, kernels and a pure call; the only place that knows layer classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.layers import recognise_activation
from convlens.layers.kinds import kind_of, kind_of_geometry
from convlens.layers.layer_kinds import geometry_of, input_channels, is_own_class, unwrap, variable
from convlens.layers.recognise_activation import describe
from convlens.layers.remake_layer import remade
from convlens.layers.run_layer import Runner
from convlens.layers.stateless_call import to_numpy
from convlens.layers.weights import pack, read, read_only, stored, unpack
from convlens.maths.activations import PREVIEWABLE
from convlens.maths.geometry import Geometry, Pair
from convlens.maths.settings_bounds import check_bounds

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
        """Make a Conv2D, or a Conv1D, as `geometry` describes it.

        Parameters
        ----------
        activation
            A callable to use in the place of the one that `geometry` names.
        """
        if activation is None:
            activation = recognise_activation.make(geometry.activation, geometry.activation_params)
        kind = kind_of_geometry(geometry)
        layer: Any = kind.keras_class(
            geometry.filters,
            kind.setting(geometry.kernel_size),
            strides=kind.setting(geometry.strides),
            padding=geometry.padding,
            dilation_rate=kind.setting(geometry.dilation_rate),
            groups=geometry.groups,
            use_bias=geometry.use_bias,
            activation=activation,
            data_format="channels_last",
            dtype="float32",
            kernel_initializer="zeros",
            name=geometry.name,
        )
        check_output(geometry)
        layer.build(kind.batch_shape(*geometry.input_shape, channels_first=False))
        return cls(layer, layer, replace(geometry_of(layer, geometry.input_shape, geometry.path), builtin=True))

    @classmethod
    def of(cls, layer: Any, input_shape: tuple[int, int, int] | None, path: str = "") -> ConvLayer:
        """Read a layer of the user's.

        Parameters
        ----------
        layer
            A convolution layer, or a wrapper (``TimeDistributed``, ``SpectralNormalization``) around one. One that is
            not built has no kernels to read, but may be used `with_filters`.
        input_shape
            ``(rows, cols, channels)`` of what it will be fed, whatever its data format; ``(1, steps, channels)`` for a
            layer over one axis, which is fed a signal as a picture of one row. None while that is not known.
        path
            Where it is in its model.

        Raises
        ------
        TypeError
            When it is not a convolution over images or signals.
        ValueError
            When the input's channels do not fit its kernels.
        """
        inner = unwrap(layer)
        channels = input_channels(inner)
        if input_shape is None:
            input_shape = (0, 0, channels or 0)
        elif channels is not None and input_shape[2] != channels:
            kind = kind_of(inner)
            assert kind is not None
            shape = tuple(input_shape) if kind.rank == 2 else tuple(input_shape[1:])
            raise ValueError(
                f"Layer {inner.name!r} was built for an input of {_count(channels, 'channel')}, but is given "
                f"{_count(input_shape[2], 'channel')} (shape {shape}). Give it {_an(kind.thing)} of {channels}, or "
                f"make the layer again and build it with layer.build((None, {kind.sizes}, {input_shape[2]}))."
            )
        return cls(inner, inner, geometry_of(inner, input_shape, path))

    def with_filters(self, filters: int, kernel_size: Pair, **settings: Any) -> ConvLayer:
        """Compute with this layer's configuration, but another number or size of kernels, or with other settings.

        Parameters
        ----------
        filters
            Number of kernels.
        kernel_size
            ``(rows, cols)``.
        **settings
            Keras's arguments that change: pairs ``(rows, cols)`` for ``strides`` and ``dilation_rate``.

        Returns
        -------
        ConvLayer
            Its `layer` is still the user's, which is left alone; fed with the same input, if there is one.
        """
        geometry = self.geometry
        same = (filters, kernel_size) == (geometry.kernel_count, geometry.kernel_size)
        if self._whole.built and same and not settings:
            return self
        changes: dict[str, Any] = {}
        if kind_of_geometry(geometry).count_is_free:
            changes["filters"] = filters
        elif filters != geometry.kernel_count:
            raise ValueError(
                f"Layer {self.layer.name!r} ({geometry.class_name}) has {_count(geometry.kernel_count, 'kernel')}, "
                f"tied to its input channels, but {filters} were given. Give {geometry.kernel_count}."
            )
        geometry = replace(geometry, kernel_size=kernel_size, **changes)
        kind = kind_of_geometry(geometry)
        pairs = {name: kind.setting(settings[name]) for name in ("strides", "dilation_rate") if name in settings}
        whole = remade(self.layer, kernel_size=kind.setting(kernel_size), **changes, **settings | pairs)
        if settings:
            geometry = geometry_of(whole, geometry.input_shape, geometry.path)
        first = geometry.data_format == "channels_first"
        whole.build(kind.batch_shape(None, None, geometry.input_shape[2], channels_first=first))
        other = ConvLayer(self.layer, whole, geometry)
        if self._runner is not None:
            args, kwargs = self._runner.more
            other.feed(self._runner.x, *args, **kwargs)
        return other

    def feed(self, x: Any, *args: Any, **kwargs: Any) -> None:
        """Set the layer's input.

        Parameters
        ----------
        x
            ``(rows, cols, channels)``, or a batch of one such picture in the layer's own data format.
        args, kwargs
            What else the layer is called with, where its class is the user's own.

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
        geometry = replace(self.geometry, input_shape=(rows, cols, channels), returned=None, note="")
        if self.geometry.input_shape[2] not in (0, geometry.input_shape[2]):
            raise ValueError(
                f"Layer {self.layer.name!r} reads {_count(self.geometry.input_shape[2], 'channel')}, but was fed "
                f"{_count(geometry.input_shape[2], 'channel')} (shape {geometry.input_shape})."
            )
        if kind_of_geometry(geometry).rank == 1 and rows != 1:
            raise ValueError(
                f"Layer {self.layer.name!r} ({geometry.class_name}) convolves along one axis, but was fed {rows} rows. "
                "Give it a signal as a picture of one row, (1, steps, channels)."
            )
        check_output(geometry)
        self.geometry = geometry
        self._runner = Runner(self._whole, geometry, keras.ops.convert_to_tensor(x), (args, kwargs))

    @property
    def settled(self) -> bool:
        """Whether the settings tell what the layer returns: Keras's own class, with a common activation.

        Not where there is an output padding: TensorFlow refuses those that no convolution has as its input.
        """
        activation = describe(self._whole.activation)
        known = activation.known and activation.name in PREVIEWABLE
        return known and is_own_class(self._whole) and self.geometry.output_padding is None

    def try_once(self) -> None:
        """Run a layer whose settings do not tell what it returns, and have `geometry` follow what it does return.

        Raises
        ------
        ValueError
            When it cannot compute its input, with the reason, or returns no map for each filter.
        """
        if self.settled or not self._whole.built:
            return
        found = self._fed.look()
        returned = None if found.size == self.geometry.output_shape else found.size
        self.geometry = replace(self.geometry, returned=returned, note=found.note)

    @property
    def input(self) -> Array:
        """What the layer is fed, ``(rows, cols, channels)``, read-only."""
        x = to_numpy(self._fed.x)[0]
        return read_only(np.moveaxis(x, 0, -1) if self.geometry.data_format == "channels_first" else x)

    @property
    def independent(self) -> bool:
        """Whether each map is certain to depend on its own kernel and bias alone, once the layer is fed.

        In a separable layer that is its column of the pointwise kernel, besides the depthwise kernels that all filters
        share. False for an activation across filters (softmax), and for code that is not Keras's own.
        """
        return self._fed.splits

    @property
    def activation(self) -> Callable[[Array], Array] | None:
        """The activation function on arrays of pre-activations of any shape; None where only the layer can tell."""
        return self._fed.activation

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
        return read(self._whole, self.geometry)

    def read_pointwise(self) -> Array | None:
        """Return a separable layer's pointwise kernel, ``(depthwise channels, filters)``; None for other kinds."""
        if not self.geometry.kind.pointwise:
            return None
        self._must_be_built()
        kernel = stored(variable(self._whole, "pointwise_kernel"))
        return read_only(kernel.reshape(kernel.shape[-2:]))

    def weights(
        self,
        kernels: Sequence[np.ndarray],
        bias: np.ndarray,
        pointwise: np.ndarray | None = None,
        *,
        whole: Any = None,
    ) -> list[Any]:
        """Return kernels and bias as Keras's ``get_weights()`` would: its list, order, shapes and types.

        Weights that a subclass has beyond those keep the layer's own values. `whole` is a tensor of all kernels, where
        there is one already.
        """
        self._must_be_built()
        return pack(self._whole, self.geometry, kernels, bias, pointwise, whole=whole)

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
            raise RuntimeError(f"Layer {self.layer.name!r} has no input yet: call feed() first.")
        self._must_be_built()
        return self._runner

    def _must_be_built(self) -> None:
        if not self._whole.built:
            sizes = kind_of_geometry(self.geometry).sizes
            raise ValueError(
                f"Layer {self._whole.name!r} is not built, so it has no weights yet. Build it with "
                f"layer.build((None, {sizes}, channels)), or give kernels=[...] as well."
            )


def check_output(geometry: Geometry) -> None:
    """Refuse settings that cannot be computed.

    TensorFlow may return memory that was never written where a kernel is larger than its input.
    """
    check_bounds(geometry)
    if min(geometry.output_shape) >= 1:
        return
    spans, size = geometry.extent, geometry.kernel_size
    given: tuple[int, ...] = geometry.input_shape[:2]
    spanning = f" that spans {spans} with its dilation" if max(geometry.dilation_rate) > 1 else ""
    larger = "larger image"
    if geometry.rank == 1:
        spanning = spanning and f" that spans {spans[1]} steps with its dilation"
        given, larger = given[1:], "longer signal"
    raise ValueError(
        f"Layer {geometry.name!r} has a kernel of {size[2 - geometry.rank :]}{spanning}, which does not fit into an "
        f"input of {given}. Give a {larger}, a smaller kernel, or padding='same'."
    )


def _an(thing: str) -> str:
    return f"an {thing}" if thing[0] in "aeiou" else f"a {thing}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
