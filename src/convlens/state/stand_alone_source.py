"""A layer of the user's that is in no model: other settings and other filters of it are tried on a copy."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from convlens.inputs.images import Image
from convlens.inputs.kernels import read_names
from convlens.maths.geometry import Geometry
from convlens.state.filters import FilterList
from convlens.state.layer_settings import Settings
from convlens.state.layer_source import LayerSource, Plan, filters_of
from convlens.state.written import Written

if TYPE_CHECKING:
    from convlens.layers.conv_layer import ConvLayer
    from convlens.models.weight_snapshot import WeightSnapshot


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
