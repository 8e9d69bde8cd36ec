"""The layer that the lens makes itself: a Conv2D, or for a signal a Conv1D, of the settings that the lens was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convlens.inputs.images import Image
from convlens.maths.activations import PREVIEWABLE
from convlens.maths.geometry import Geometry
from convlens.maths.kind import CONVOLUTION
from convlens.state.filters import FilterList
from convlens.state.layer_settings import Settings
from convlens.state.layer_source import LayerSource, Plan

if TYPE_CHECKING:
    from convlens.layers.conv_layer import ConvLayer


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
