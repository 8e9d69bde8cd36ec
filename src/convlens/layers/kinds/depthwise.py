"""DepthwiseConv2D: each kernel reads one input channel, and each input channel has `depth_multiplier` kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from convlens.layers.kinds.interface import LayerKind
from convlens.maths.kind import Channels, Kind


class Depthwise(Kind):
    """A convolution of each input channel by itself."""

    name = "depthwise"
    filters_axis = None

    def kernel_channels(self, channels: Channels) -> int:
        """Depth of one kernel."""
        return 1

    def first_channel(self, channels: Channels, index: int) -> int:
        """Input channel that kernel `index` reads."""
        return index // channels.multiplier

    def weight_shape(self, kernel_size: tuple[int, int], channels: Channels) -> tuple[int, ...]:
        """Shape of the kernel variable, in Keras's order."""
        return (*kernel_size, channels.input, channels.multiplier)


class DepthwiseKind(LayerKind):
    """Keras's DepthwiseConv2D."""

    arithmetic = Depthwise()
    class_name = "DepthwiseConv2D"
    count_argument = "depth_multiplier"
    count_is_free = False
    initializers = ("depthwise_initializer",)
    kernel_axes = "input channels, kernels per channel"

    def channels(self, layer: Any, input_channels: int) -> Channels:
        multiplier = int(layer.depth_multiplier)
        return Channels(input_channels, input_channels * multiplier, multiplier=multiplier)

    def arguments(self, channels: Channels) -> dict[str, Any]:
        return {"depth_multiplier": channels.multiplier}

    def to_weight(self, kernels: Sequence[np.ndarray], multiplier: int) -> np.ndarray:
        return by_channel(kernels, multiplier)


def by_channel(kernels: Sequence[np.ndarray], multiplier: int) -> np.ndarray:
    """Return the kernel variable ``(kh, kw, channels, multiplier)``: the inverse of `Kind.to_kernels`."""
    stack = np.stack(kernels)
    kh, kw = stack.shape[1:3]
    return np.moveaxis(stack[..., 0], 0, 2).reshape(kh, kw, -1, multiplier)


KIND = DepthwiseKind()
