"""Where the lens's layer comes from: made here, or given by the user; `model_source` has those inside a model."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from convlens.inputs.images import Image, read_image
from convlens.inputs.kernels import read_names
from convlens.inputs.signals import read_signal
from convlens.maths.activations import PREVIEWABLE
from convlens.maths.arrays import shortened
from convlens.maths.geometry import Geometry
from convlens.maths.kind import CONVOLUTION
from convlens.state.filters import Array, FilterList
from convlens.state.layer_settings import Settings
from convlens.state.map_cache import LensClosed
from convlens.state.separable_filters import SeparableFilters
from convlens.state.written import Written

if TYPE_CHECKING:
    from convlens.layers.conv_layer import ConvLayer
    from convlens.maths.receptive_field import ReceptiveField
    from convlens.models.conv_model import FoundCall, Predictions
    from convlens.models.outputs import OutputForm
    from convlens.models.weight_snapshot import WeightSnapshot


class Plan(NamedTuple):
    """How a layer will read an image.

    Parameters
    ----------
    geometry
        The layer's settings, for the input it is fed.
    make_layer
        Imports Keras where that has not happened, and returns the layer, fed with its input.
    feeds_image
        Whether the image itself is the layer's input, and not what a model made of it.
    """

    geometry: Geometry
    make_layer: Callable[[], ConvLayer]
    feeds_image: bool = True


class LayerSource(ABC):
    """What the lens needs from the place its layer comes from. Other settings make another source."""

    #: Whether the layer is the lens's own, so that its settings may be changed.
    builtin = False
    #: Paths of the convolution layers that can be opened, and the one that is.
    layers: tuple[str, ...] = ()
    path = ""

    @abstractmethod
    def plan(self, image: Image, filters: FilterList) -> Plan:
        """Return how the layer will read an image with these filters."""

    #: Whether the layer, or the model, takes a signal.
    takes_signal = False

    def read_image(self, value: Any, channels: int | None) -> Image:
        """Read what a user calls an image, or a signal, with the channels that the layer takes."""
        if self.takes_signal:
            return read_signal(value, channels=channels)
        return read_image(value, channels=channels, scale=True)

    def configured(self, settings: dict[str, Any]) -> LayerSource:
        """Return the source with other layer settings."""
        raise ValueError(
            f"{', '.join(settings)} cannot be changed here: the layer is part of your model, whose other layers take "
            "its maps as they are. Give the lens the layer alone, layer=, to try other settings on a copy of it."
        )

    def own_beside(self, image: Image, geometry: Geometry) -> Geometry | None:
        """Return the user's layer as it is, where `geometry` is that of a copy of it that differs; else None."""
        return None

    def found(self, image: Image) -> Sequence[FoundCall]:
        """Return the calls of convolution layers that the model makes for an image."""
        return ()

    def receptive_field(self, image: Image, geometry: Geometry, row: int, col: int) -> ReceptiveField:
        """Return the part of the image that pixel (`row`, `col`) of the layer's maps may depend on."""
        from convlens.maths.receptive_field import of_layer

        return of_layer(geometry, row, col)

    def own_filters(self, image: Image, names: Any = None) -> FilterList:
        """Make filters with the weights that the layer itself has, under these names."""
        raise TypeError("The built-in layer has no weights of its own.")

    def trained_filters(self, image: Image) -> FilterList:
        """Make filters with the weights that the user's layer has at this moment of its training."""
        raise TypeError("The built-in layer has no weights of its own.")

    def require_bias(self) -> None:  # noqa: B027 - most layers have one
        """Raise where the layer has no bias to set."""

    def require_own_list(self, what: str) -> None:  # noqa: B027 - outside a model the list is free
        """Raise where filters cannot be added, removed or moved."""

    def opened(self, path: str) -> LayerSource:
        """Return the source that looks at another layer of the model."""
        raise ValueError(
            f"layer_path={shortened(path)} was set, but this lens has no model to look for a layer in. Give it model=."
        )

    @property
    def outputs(self) -> dict[str, OutputForm]:
        """The model's outputs by name, in their order; empty without a model."""
        return {}

    def as_picture(self, values: Array) -> Array | None:
        """Return an output of the model as ``(rows, cols, channels)``; None where it is not a picture."""
        return None

    def predict(self, filters: FilterList, output: str | int | None = None) -> Predictions:
        """Return one of the model's outputs with its own and with these weights."""
        from convlens.models.conv_model import Predictions

        return Predictions(None, None)

    def forget_input(self) -> None:  # noqa: B027 - outside a model the input is the image
        """Release what was computed for the image; it is computed again when it is needed."""

    def outdated(self, thorough: bool) -> bool:
        """Whether the user's layer or model has other weights than the lens read.

        Parameters
        ----------
        thorough
            Whether to look at every weight, rather than at those of the layer and a sample of the others.
        """
        return False

    def refreshed(self, image: Image) -> LayerSource:
        """Return the source for the weights that the user's layer or model has now.

        Parameters
        ----------
        image
            What it is fed.
        """
        raise TypeError("The built-in layer belongs to the lens and cannot be trained.")

    @property
    def base(self) -> FilterList | None:
        """The filters that the user's layer had when it was last read or written; None where there are none."""
        return None

    @property
    def layer(self) -> Any:
        """The user's layer; a ``TypeError`` where there is none."""
        raise TypeError(
            "This lens made its layer itself, so there is none to train. Make the lens with model= or layer=, and the "
            "callback with that lens."
        )

    def apply(self, conv: ConvLayer, filters: FilterList) -> None:
        """Write what was edited into the layer."""
        conv.write(filters.kernels, filters.bias, filters.pointwise)

    def restore(self) -> None:  # noqa: B027 - a layer made by the lens has nothing to go back to
        """Put back what `apply` replaced in the user's layers; a ``ValueError`` where that has changed since."""


class BuiltIn(LayerSource):
    """A Conv2D, or for a signal a Conv1D, that the lens makes itself."""

    builtin = True

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.takes_signal = settings.rank == 1

    def configured(self, settings: dict[str, Any]) -> LayerSource:
        """Return a built-in layer with some settings replaced."""
        changed = self.settings.changed(**settings)
        return self if changed == self.settings else BuiltIn(changed)

    def require_bias(self) -> None:
        """Raise where the bias is switched off."""
        if not self.settings.use_bias:
            raise ValueError("The layer has use_bias=False, so there is no bias to set. Switch the bias on first.")

    def plan(self, image: Image, filters: FilterList) -> Plan:
        """See `LayerSource.plan`."""
        settings = self.settings
        kh, kw, _ = filters.kernel_shape
        rows, cols, channels = image.values.shape
        kind, class_name, name = CONVOLUTION, "Conv2D", "conv2d"
        if settings.rank == 1:
            from convlens.layers.kinds import conv1d

            kind, class_name, name = conv1d.KIND.arithmetic, conv1d.KIND.class_name, "conv1d"
        geometry = Geometry(
            kind=kind,
            class_name=class_name,
            name=name,
            input_shape=(rows, cols, channels),
            filters=len(filters),
            kernel_size=(kh, kw),
            strides=settings.strides,
            padding=settings.padding,
            dilation_rate=settings.dilation_rate,
            use_bias=settings.use_bias,
            activation=settings.activation_name,
        )
        activation = None if isinstance(settings.activation, str) else settings.activation
        if activation is not None or settings.activation not in PREVIEWABLE:
            # Only Keras can tell whether a callable is one of its own; whoever has one has imported Keras already.
            from convlens.layers.conv_layer import ConvLayer

            trial = ConvLayer.built_in(geometry, activation=activation)
            if not trial.settled:
                trial.feed(image.values)
                trial.try_once()
            geometry = trial.geometry
            if geometry.note:
                raise ValueError(
                    f"activation={settings.activation_name!r} cannot be used here: {geometry.note} Give a function "
                    "that returns one value for each that it is given."
                )

        def make() -> ConvLayer:
            from convlens.layers.conv_layer import ConvLayer

            layer = ConvLayer.built_in(geometry, activation=activation)
            layer.feed(image.values)
            return layer

        return Plan(geometry, make)


@dataclass
class _Read:
    """What was read of the user's layer, or written into it: the filters, and how to tell whether they still hold."""

    snapshot: WeightSnapshot | None = None
    base: FilterList | None = None


class StandAlone(LayerSource):
    """A convolution layer of the user's, fed with the image itself.

    The lens may hold another number of filters, or another kernel size, than the layer has, and other settings may be
    tried; Keras then computes with a copy, built from the layer's own configuration.

    Parameters
    ----------
    inputs
        What the layer's ``call`` takes besides the image, by name, as it takes it.
    """

    def __init__(self, layer: Any, inputs: Any = None, written: Written | None = None) -> None:
        from convlens.layers.arguments import read_arguments
        from convlens.layers.conv_layer import ConvLayer
        from convlens.models.weight_snapshot import WeightSnapshot, consistent

        # Inside a wrapper, the convolution itself.
        conv = ConvLayer.of(layer, None)
        self.takes_signal = conv.geometry.rank == 1
        self._layer = layer = conv.layer
        self.arguments = read_arguments(layer, inputs)
        self._written = Written() if written is None else written
        #: The settings that are tried on a copy; None where they are the layer's own.
        self._tried: Settings | None = None
        #: Copies of this source with other settings have the same.
        self._read = _Read()
        if layer.built:
            self._read = _Read(
                *consistent(
                    lambda: WeightSnapshot(layer.weights, layer.weights), lambda: filters_of(ConvLayer.of(layer, None))
                )
            )

    @property
    def layer(self) -> Any:
        """See `LayerSource.layer`."""
        return self._layer

    @property
    def base(self) -> FilterList | None:
        """See `LayerSource.base`."""
        return self._read.base

    def configured(self, settings: dict[str, Any]) -> LayerSource:
        """Return the source with a copy of the layer that has other settings; the layer itself stays as it is."""
        own = self._own_settings()
        if "use_bias" in settings:
            raise ValueError(
                "use_bias cannot be changed on a copy of your layer: whether there is a bias is part of its weights. "
                "Make a layer with the one you want."
            )
        given = dict(settings)
        # Its own activation function is restored whatever its name is.
        taken_back = given.get("activation") == own.activation
        if taken_back:
            del given["activation"]
        tried = (self._tried or own).changed(**given)
        if taken_back:
            tried = replace(tried, activation=own.activation)
        wanted = None if tried == own else tried
        if wanted == self._tried:
            return self
        other = copy.copy(self)
        other._tried = wanted
        return other

    def _own_settings(self) -> Settings:
        from convlens.layers.conv_layer import ConvLayer

        return Settings.of(ConvLayer.of(self.layer, None).geometry)

    def own_beside(self, image: Image, geometry: Geometry) -> Geometry | None:
        """See `LayerSource.own_beside`."""
        from convlens.layers.conv_layer import ConvLayer

        own = ConvLayer.of(self.layer, image.shape).geometry
        same = (own.filters, own.kernel_size) == (geometry.filters, geometry.kernel_size) and self._tried is None
        return None if same else own

    def outdated(self, thorough: bool) -> bool:
        """See `LayerSource.outdated`."""
        return self._read.snapshot is not None and not self._read.snapshot.holds(self.layer.weights)

    def refreshed(self, image: Image) -> LayerSource:
        """See `LayerSource.refreshed`."""
        source = StandAlone(self.layer, self.arguments, self._written)
        source._tried = self._tried
        if self.base is not None and source.base is not None:
            source._read.base = self.base.with_weights(source.base)
        return source

    def plan(self, image: Image, filters: FilterList) -> Plan:
        """See `LayerSource.plan`."""
        from convlens.layers.conv_layer import ConvLayer

        kh, kw, _ = filters.kernel_shape
        # Of another number or size, or not built, the layer serves as a configuration.
        tried = {} if self._tried is None else self._tried.beside(self._own_settings())
        conv = ConvLayer.of(self.layer, image.shape).with_filters(len(filters.kernels), (kh, kw), **tried)
        if not conv.settled:
            conv.feed(image.values, **self.arguments)
            conv.try_once()

        def make() -> ConvLayer:
            if conv.settled:
                conv.feed(image.values)
            return conv

        return Plan(conv.geometry, make)

    def own_filters(self, image: Image, names: Any = None) -> FilterList:
        """See `LayerSource.own_filters`."""
        from convlens.layers.conv_layer import ConvLayer

        if self.base is None:
            return filters_of(ConvLayer.of(self.layer, image.shape), names)
        return self.base.with_names(read_names(names, len(self.base)))

    def trained_filters(self, image: Image) -> FilterList:
        """See `LayerSource.trained_filters`."""
        from convlens.layers.conv_layer import ConvLayer

        return filters_of(ConvLayer.of(self.layer, image.shape))

    def require_bias(self) -> None:
        """Raise where the layer has no bias."""
        if not self.layer.use_bias:
            raise ValueError(
                f"Layer {self.layer.name!r} has use_bias=False, so there is no bias to set. "
                "Make the layer with use_bias=True."
            )

    def require_own_list(self, what: str) -> None:
        """Raise where the layer ties its filters to something else than the list."""
        from convlens.layers.layer_kinds import kind_of

        kind = kind_of(self.layer)
        if kind is not None and (why := kind.why_list_is_fixed()):
            raise ValueError(f"The {what} {why}")

    def apply(self, conv: ConvLayer, filters: FilterList) -> None:
        """See `LayerSource.apply`."""
        base = self.base
        if base is None or len(base) != len(filters) or base.kernel_shape != filters.kernel_shape:
            return conv.write(filters.kernels, filters.bias, filters.pointwise)  # raises with the reason if it cannot
        packed = (conv.weights(one.kernels, one.bias, one.pointwise) for one in (base, filters))
        self._written.write(self.layer, *packed)
        self._take_over(filters)

    def restore(self) -> None:
        """See `LayerSource.restore`."""
        from convlens.layers.conv_layer import ConvLayer

        if self._written and self.base is not None:
            self._written.restore()
            self._take_over(self.base.with_weights(filters_of(ConvLayer.of(self.layer, None))))

    def _take_over(self, filters: FilterList) -> None:
        """Note that the lens itself gave the layer these weights."""
        assert self._read.snapshot is not None
        self._read.base = filters
        self._read.snapshot.accept(self.layer.weights)


class Closed(LayerSource):
    """The source of a closed lens."""

    def plan(self, image: Image, filters: FilterList) -> Plan:
        """Raise."""
        raise LensClosed()


def filters_of(conv: ConvLayer, names: Any = None) -> FilterList:
    """Make filters with the weights that a layer has."""
    kernels, bias = conv.read()
    titles = read_names(names, len(bias))
    pointwise = conv.read_pointwise()
    if pointwise is None:
        return FilterList.make(kernels, bias, titles)
    return SeparableFilters.separable(kernels, pointwise, conv.geometry.depth_multiplier, bias, titles)
