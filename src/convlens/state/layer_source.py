"""Where the lens's layer comes from: made here, or given by the user; `model_source` has those inside a model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from convlens.engine import LensClosed
from convlens.filters import FilterList
from convlens.geometry import Geometry
from convlens.images import Image, read_image
from convlens.kernels import read_names
from convlens.separable import SeparableFilters
from convlens.settings import Settings

if TYPE_CHECKING:
    from convlens.layers import ConvLayer
    from convlens.models import Found, Predictions
    from convlens.receptive import ReceptiveField


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


class Source(ABC):
    """What the lens needs of the place its layer comes from. Other settings make another source."""

    #: Whether the layer is the lens's own, so that its settings may be changed.
    builtin = False
    #: Paths of the convolution layers that can be opened, and the one that is.
    layers: tuple[str, ...] = ()
    path = ""

    @abstractmethod
    def plan(self, image: Image, filters: FilterList) -> Plan:
        """Say how the layer will read an image with these filters."""

    def read_image(self, value: Any, channels: int | None) -> Image:
        """Read what a user calls an image, with the channels that the layer takes."""
        return read_image(value, channels=channels, scale=True)

    def configured(self, settings: dict[str, Any]) -> Source:
        """Return the source with other layer settings."""
        raise ValueError(
            f"{', '.join(settings)} cannot be changed here: the layer is yours, and its settings are part of it. "
            "Make a layer with the settings you want, or give the lens kernels without a layer."
        )

    def found(self, image: Image) -> Sequence[Found]:
        """Return the calls of convolution layers that the model makes for an image."""
        return ()

    def receptive_field(self, image: Image, geometry: Geometry, row: int, col: int) -> ReceptiveField:
        """Return the part of the image that pixel (`row`, `col`) of the layer's maps may depend on."""
        from convlens.receptive import of_layer

        return of_layer(geometry, row, col)

    def own_filters(self, image: Image, names: Any = None) -> FilterList:
        """Make filters with the weights that the layer itself has, under these names."""
        raise TypeError("The built-in layer has no weights of its own.")

    def require_bias(self) -> None:  # noqa: B027 - most layers have one
        """Raise where the layer has no bias to set."""

    def require_own_list(self, what: str) -> None:  # noqa: B027 - outside a model the list is free
        """Raise where filters cannot be added, removed or moved."""

    def opened(self, path: str) -> Source:
        """Return the source that looks at another layer of the model."""
        raise ValueError(
            f"layer_path={path!r} was set, but this lens has no model to look for a layer in. Give it model=."
        )

    def predict(self, filters: FilterList) -> Predictions:
        """Return the model's output with its own and with these weights."""
        from convlens.models import Predictions

        return Predictions(None, None)

    def again(self, image: Image, anew: bool) -> Source:
        """Return the source for a layer whose weights were changed from outside, by training.

        Parameters
        ----------
        image
            What it is fed.
        anew
            Whether to look at the model anew as a whole, and to `restore` what the weights are now.
        """
        raise TypeError("The built-in layer belongs to the lens and cannot be trained.")

    @property
    def layer(self) -> Any:
        """The user's layer; a ``TypeError`` where there is none."""
        raise TypeError(
            "This lens made its layer itself, so there is none to train. Make the lens with model= or layer=, and the "
            "callback with that lens."
        )

    def applied(self) -> None:  # noqa: B027 - a layer made by the lens has nothing to go back to
        """Note that the lens wrote into the user's layer."""

    def restore(self) -> None:  # noqa: B027 - a layer made by the lens has nothing to go back to
        """Put back the weights that the user's layer had when the lens was made."""


class BuiltIn(Source):
    """A Conv2D that the lens makes itself."""

    builtin = True

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def configured(self, settings: dict[str, Any]) -> Source:
        """Return a built-in layer with some settings exchanged."""
        changed = self.settings.changed(**settings)
        return self if changed == self.settings else BuiltIn(changed)

    def require_bias(self) -> None:
        """Raise where the bias is switched off."""
        if not self.settings.use_bias:
            raise ValueError("The layer has use_bias=False, so there is no bias to set. Switch the bias on first.")

    def plan(self, image: Image, filters: FilterList) -> Plan:
        """See `Source.plan`."""
        settings = self.settings
        kh, kw, _ = filters.kernel_shape
        rows, cols, channels = image.values.shape
        geometry = Geometry(
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
        if activation is not None:
            # Only Keras can tell whether a callable is one of its own; whoever has one has imported Keras already.
            from convlens.layers import ConvLayer

            geometry = ConvLayer.built_in(geometry, activation=activation).geometry

        def make() -> ConvLayer:
            from convlens.layers import ConvLayer

            layer = ConvLayer.built_in(geometry, activation=activation)
            layer.feed(image.values)
            return layer

        return Plan(geometry, make)


class StandAlone(Source):
    """A convolution layer of the user's, fed with the image itself.

    The lens may hold another number of filters, or another kernel size, than the layer has; Keras then computes with a
    layer built from the layer's own configuration.
    """

    def __init__(self, layer: Any) -> None:
        from convlens.layers import ConvLayer

        # Inside a wrapper, the convolution itself.
        self._layer = layer = ConvLayer.of(layer, None).layer
        self._before = weights_of(layer)

    @property
    def layer(self) -> Any:
        """See `Source.layer`."""
        return self._layer

    def again(self, image: Image, anew: bool) -> Source:
        """See `Source.again`."""
        return StandAlone(self.layer) if anew else self

    def plan(self, image: Image, filters: FilterList) -> Plan:
        """See `Source.plan`."""
        from convlens.layers import ConvLayer

        kh, kw, _ = filters.kernel_shape
        # Of another number or size, or not built, the layer serves as a configuration.
        conv = ConvLayer.of(self.layer, image.shape).with_filters(len(filters.kernels), (kh, kw))

        def make() -> ConvLayer:
            conv.feed(image.values)
            return conv

        return Plan(conv.geometry, make)

    def own_filters(self, image: Image, names: Any = None) -> FilterList:
        """See `Source.own_filters`."""
        from convlens.layers import ConvLayer

        return filters_of(ConvLayer.of(self.layer, image.shape), names)

    def require_bias(self) -> None:
        """Raise where the layer has no bias."""
        if not self.layer.use_bias:
            raise ValueError(
                f"Layer {self.layer.name!r} has use_bias=False, so there is no bias to set. "
                "Make the layer with use_bias=True."
            )

    def require_own_list(self, what: str) -> None:
        """Raise where the layer ties its filters to something else than the list."""
        from convlens._layer_kinds import kind_of

        kind = kind_of(self.layer)
        if kind == "separable":
            raise ValueError(
                f"The {what} of a separable layer cannot be changed here: each has a column of the pointwise kernel. "
                "To switch a filter off, set its pointwise kernel and its bias to 0."
            )

    def restore(self) -> None:
        """Put back the weights that the layer had when the lens was made."""
        if self._before:
            self.layer.set_weights(self._before)


class Closed(Source):
    """What remains of a source when the lens was closed."""

    def plan(self, image: Image, filters: FilterList) -> Plan:
        """Raise."""
        raise LensClosed()


def weights_of(layer: Any) -> list[np.ndarray]:
    """Return copies of a layer's weights, as ``get_weights()`` gives them on every back end."""
    from convlens._layer_weights import stored

    return [stored(variable) for variable in layer.weights]


def filters_of(conv: ConvLayer, names: Any = None) -> FilterList:
    """Make filters with the weights that a layer has."""
    kernels, bias = conv.read()
    titles = read_names(names, len(bias))
    pointwise = conv.read_pointwise()
    if pointwise is None:
        return FilterList.make(kernels, bias, titles)
    return SeparableFilters.separable(kernels, pointwise, conv.geometry.depth_multiplier, bias, titles)
