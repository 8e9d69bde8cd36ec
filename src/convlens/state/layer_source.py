"""What the lens needs from the place that its layer comes from; each such place has a file beside this one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from convlens.inputs.images import Image, read_image
from convlens.inputs.kernels import read_names
from convlens.inputs.signals import read_signal
from convlens.maths.arrays import shortened
from convlens.maths.geometry import Geometry
from convlens.state.filters import Array, FilterList
from convlens.state.map_cache import LensClosed
from convlens.state.separable_filters import SeparableFilters

if TYPE_CHECKING:
    from convlens.layers.conv_layer import ConvLayer
    from convlens.maths.receptive_field import ReceptiveField
    from convlens.models.conv_model import FoundCall, Predictions
    from convlens.models.outputs import OutputForm


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
