"""Conv2D: each filter has one kernel over all input channels of its group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from convlens.layers.kinds.interface import LayerKind, filters_on_an_axis
from convlens.layers.reordered import filters_last
from convlens.maths.kind import CONVOLUTION, Channels


class Conv2DKind(LayerKind):
    """Keras's Conv2D."""

    arithmetic = CONVOLUTION
    class_name = "Conv2D"
    kernel_axes = "input channels, filters"
    stacking = "np.stack(kernels, axis=-1)"

    def channels(self, layer: Any, input_channels: int) -> Channels:
        return Channels(input_channels, int(layer.filters), groups=int(layer.groups))

    def arguments(self, channels: Channels) -> dict[str, Any]:
        groups = {"groups": channels.groups} if channels.groups > 1 else {}
        return {"filters": channels.filters, **groups}

    def input_channels(self, weight_shape: Sequence[int], layer: Any) -> int:
        return int(weight_shape[2]) * int(layer.groups)

    def to_weight(self, kernels: Sequence[np.ndarray], multiplier: int) -> np.ndarray:
        return filters_last(kernels)

    def mend_kernel(self, given: tuple[int, ...], shape: tuple[int, ...]) -> str:
        rows, cols, channels, filters = shape
        stack = "np.stack(kernels, axis=-1)"
        return filters_on_an_axis(given, shape, (rows, cols, channels), filters, stack, f"{stack}[:, :, np.newaxis, :]")


KIND = Conv2DKind()
