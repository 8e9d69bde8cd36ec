"""How a kind of convolution reads its input: the arithmetic in which the kinds of layers differ."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.intp]


class Axis(NamedTuple):
    """Rows or columns: how many the input has, and how the layer steps over them."""

    size: int
    kernel: int
    stride: int = 1
    dilation: int = 1
    padding: str = "valid"
    output_padding: int | None = None

    @property
    def extent(self) -> int:
        """Rows or columns that the dilated kernel spans."""
        return self.dilation * (self.kernel - 1) + 1


class Channels(NamedTuple):
    """The input's channels and the layer's filters.

    Parameters
    ----------
    input
        Channels of the input.
    filters
        Output channels.
    groups
        Groups that the input channels are split into.
    multiplier
        Kernels per input channel, where each kernel reads one.
    """

    input: int
    filters: int
    groups: int = 1
    multiplier: int = 1


class Kind:
    """A convolution in which each filter has one kernel, over all input channels of its group.

    Other kinds are subclasses that override what they do differently (`convlens.layers.kinds`).
    """

    #: Its name in js/maths/kinds.ts.
    name: ClassVar[str] = "conv"
    #: Axes that it convolves along: 2 for a picture; 1 for a signal, which is held as a picture of one row.
    rank: ClassVar[int] = 2
    #: Whether a map that an edit of one tap changes is linear in it with coefficients that the browser has.
    previewable: ClassVar[bool] = True
    #: Whether a second kernel, of 1 × 1, weighs what the first ones make.
    pointwise: ClassVar[bool] = False
    #: Whether the kernel must lie within the padded input.
    slides: ClassVar[bool] = True
    #: Axis of the kernel variable that counts the filters; None where its last two axes count kernels a channel.
    filters_axis: ClassVar[int | None] = 3

    def output_size(self, axis: Axis) -> int:
        """Rows or columns of a map: ``floor((n - extent) / stride) + 1``, but ``ceil(n / stride)`` where padded."""
        if axis.padding in ("same", "causal"):
            return -(-axis.size // axis.stride)
        return (axis.size - axis.extent) // axis.stride + 1

    def pads(self, axis: Axis) -> tuple[int, int]:
        """Zeros that padding adds before and after; the odd one goes after, as in TensorFlow.

        Causal padding, of layers over one axis, adds all before, so that no output reads a later input.
        """
        if axis.padding == "causal":
            return (axis.extent - 1, 0)
        if axis.padding != "same":
            return (0, 0)
        total = max(0, (self.output_size(axis) - 1) * axis.stride + axis.extent - axis.size)
        return (total // 2, total - total // 2)

    def window(self, axis: Axis, position: int) -> list[int]:
        """Input position that each tap reads for one output position; those outside the input lie in the padding."""
        start = position * axis.stride - self.pads(axis)[0]
        return [start + tap * axis.dilation for tap in range(axis.kernel)]

    def reach(self, axis: Axis, at: Positions) -> Positions:
        """Input positions that any of these output positions reads, in order."""
        taps = np.arange(axis.kernel) * axis.dilation
        return np.unique(at[:, np.newaxis] * axis.stride - self.pads(axis)[0] + taps)

    def align(self, axis: Axis) -> tuple[float, float]:
        """Return where the centre of the first output's window lies in the input, and how far the next is."""
        return ((axis.extent - 1) / 2 - self.pads(axis)[0], float(axis.stride))

    def kernel_count(self, channels: Channels) -> int:
        """Return the number of kernels."""
        return channels.filters

    def kernel_channels(self, channels: Channels) -> int:
        """Depth of one kernel."""
        return channels.input // channels.groups

    def filter_channels(self, channels: Channels) -> int:
        """Input channels that one filter reads, through all its kernels."""
        return self.kernel_channels(channels)

    def first_channel(self, channels: Channels, index: int) -> int:
        """Input channel that the first plane of kernel `index` reads."""
        per_group = max(1, channels.filters // channels.groups)
        return (index // per_group) * self.kernel_channels(channels)

    def filter_start(self, channels: Channels, index: int) -> int:
        """First input channel that filter `index` reads, through all its kernels."""
        return self.first_channel(channels, index)

    def weight_shape(self, kernel_size: tuple[int, int], channels: Channels) -> tuple[int, ...]:
        """Shape of the kernel variable, in Keras's order."""
        return (*kernel_size, self.kernel_channels(channels), channels.filters)

    def to_kernels(self, weight: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Take a kernel variable apart: ``(kernels, kh, kw, kernel_channels)``, in the order of the output channels."""
        if self.filters_axis is not None:
            return np.moveaxis(weight, self.filters_axis, 0)
        kh, kw, channels, multiplier = weight.shape
        return np.moveaxis(weight.reshape(kh, kw, channels * multiplier, 1), 2, 0)


#: The kind of Conv2D.
CONVOLUTION = Kind()
