"""SeparableConv2D: depthwise kernels that all filters share, and a pointwise kernel of 1 × 1 that weighs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from convlens.layers.kinds.depthwise import Depthwise, by_channel
from convlens.layers.kinds.interface import LayerKind
from convlens.maths.kind import Channels

if TYPE_CHECKING:
    from convlens.maths.geometry import Geometry


class Separable(Depthwise):
    """A depthwise convolution, then a weighted sum of its channels for each filter."""

    name = "separable"
    previewable = False
    pointwise = True

    def kernel_count(self, channels: Channels) -> int:
        """Return the number of depthwise kernels."""
        return channels.input * channels.multiplier

    def filter_channels(self, channels: Channels) -> int:
        """Every filter reads all channels, though each of its depthwise kernels reads one."""
        return channels.input

    def filter_start(self, channels: Channels, index: int) -> int:
        """Every filter reads all channels."""
        return 0


class SeparableKind(LayerKind):
    """Keras's SeparableConv2D."""

    arithmetic = Separable()
    class_name = "SeparableConv2D"
    kernel_name = "depthwise_kernel"
    count_is_free = False
    initializers = ("depthwise_initializer", "pointwise_initializer")
    kernel_axes = "input channels, kernels per channel"

    def channels(self, layer: Any, input_channels: int) -> Channels:
        return Channels(input_channels, int(layer.filters), multiplier=int(layer.depth_multiplier))

    def arguments(self, channels: Channels) -> dict[str, Any]:
        return {"filters": channels.filters, "depth_multiplier": channels.multiplier}

    def to_weight(self, kernels: Sequence[np.ndarray], multiplier: int) -> np.ndarray:
        return by_channel(kernels, multiplier)

    def weight_names(self, use_bias: bool) -> list[str]:
        return ["depthwise_kernel", "pointwise_kernel", *(["bias"] if use_bias else [])]

    def sibling(self, geometry: Geometry) -> tuple[int, dict[str, Any]]:
        return geometry.input_shape[2], {"depth_multiplier": geometry.depth_multiplier}

    def may_be_traced(self, channels: Channels) -> bool:
        # oneDNN aborts where TensorFlow fuses a product of one number by one weight with the bias.
        return channels.input * channels.multiplier > 1 or channels.filters > 1

    def why_list_is_fixed(self) -> str:
        return (
            "of a separable layer cannot be changed here: each has a column of the pointwise kernel. "
            "To switch a filter off, set its pointwise kernel and its bias to 0."
        )


KIND = SeparableKind()
