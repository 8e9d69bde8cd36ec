"""How a convolution layer reads its input: shapes, padding and windows, in plain arithmetic."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Kind = Literal["conv", "depthwise", "separable", "transpose"]
Pair = tuple[int, int]

#: Activations that act on each value by itself and that the browser draws at once.
PREVIEWABLE = frozenset(
    [
        "linear",
        "relu",
        "relu6",
        "leaky_relu",
        "elu",
        "selu",
        "gelu",
        "silu",
        "swish",
        "sigmoid",
        "hard_sigmoid",
        "hard_silu",
        "hard_swish",
        "tanh",
        "softplus",
        "softsign",
        "exponential",
        "mish",
    ]
)


@dataclass(frozen=True)
class Geometry:
    """A convolution layer's settings together with the shape of what it is fed.

    Parameters
    ----------
    input_shape
        ``(rows, cols, channels)`` of the layer's input.
    filters
        Number of output channels, one activation map each.
    kernel_size, strides, dilation_rate
        ``(rows, cols)`` each.
    padding
        ``"valid"`` or ``"same"``, as Keras means them.
    groups
        Number of groups that the input channels are split into.
    depth_multiplier
        Kernels per input channel of a depthwise layer.
    exact
        Whether the layer's class and activation function are Keras's own and it computes in float32, so that these
        settings say all about it. False for a user's subclass, or a user's function that happens to be called "relu".
    """

    input_shape: tuple[int, int, int]
    filters: int
    kernel_size: Pair
    strides: Pair = (1, 1)
    dilation_rate: Pair = (1, 1)
    padding: str = "valid"
    groups: int = 1
    depth_multiplier: int = 1
    use_bias: bool = True
    activation: str = "relu"
    activation_params: dict[str, float] = field(default_factory=dict)
    kind: Kind = "conv"
    class_name: str = "Conv2D"
    name: str = "conv2d"
    path: str = ""
    builtin: bool = True
    data_format: str = "channels_last"
    output_padding: Pair | None = None
    exact: bool = True

    @property
    def kernel_count(self) -> int:
        """Number of kernels: one a filter, but in a separable layer one a depthwise channel."""
        return self.input_shape[2] * self.depth_multiplier if self.kind == "separable" else self.filters

    @property
    def kernel_channels(self) -> int:
        """Depth of one kernel: the input channels that one filter reads."""
        if self.kind == "depthwise" or self.kind == "separable":
            return 1
        return self.input_shape[2] // self.groups

    @property
    def kernel_shape(self) -> tuple[int, int, int]:
        """``(kh, kw, channels)`` of one kernel."""
        return (*self.kernel_size, self.kernel_channels)

    @property
    def extent(self) -> Pair:
        """Rows and columns that a dilated kernel spans: ``dilation * (k - 1) + 1``."""
        return (
            self.dilation_rate[0] * (self.kernel_size[0] - 1) + 1,
            self.dilation_rate[1] * (self.kernel_size[1] - 1) + 1,
        )

    @property
    def output_shape(self) -> Pair:
        """``(rows, cols)`` of one activation map.

        Keras's rules (keras.io, ``Conv2D``): ``valid`` gives
        ``floor((n - extent) / stride) + 1``, ``same`` gives ``ceil(n / stride)``.
        """
        return (self._out(0), self._out(1))

    @property
    def pads(self) -> tuple[int, int, int, int]:
        """Zeros that padding adds: top, bottom, left, right; the odd one goes after, as in TensorFlow."""
        if self.padding != "same" or self.kind == "transpose":
            return (0, 0, 0, 0)
        before_after = []
        for axis in (0, 1):
            size, step = self.input_shape[axis], self.strides[axis]
            total = max(0, (self._out(axis) - 1) * step + self.extent[axis] - size)
            before_after += [total // 2, total - total // 2]
        return (before_after[0], before_after[1], before_after[2], before_after[3])

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the layer's kernel variable, in Keras's order."""
        if self.kind in ("depthwise", "separable"):
            return (*self.kernel_size, self.input_shape[2], self.depth_multiplier)
        if self.kind == "transpose":
            return (*self.kernel_size, self.filters, self.input_shape[2])
        return (*self.kernel_size, self.kernel_channels, self.filters)

    def first_channel(self, index: int) -> int:
        """Input channel that the first plane of filter `index` reads."""
        if self.kind in ("depthwise", "separable"):
            return index // self.depth_multiplier
        per_group = max(1, self.filters // self.groups)
        return (index // per_group) * self.kernel_channels

    def window(self, row: int, col: int) -> tuple[list[int], list[int]]:
        """Input rows and columns that output pixel (`row`, `col`) reads, padding included.

        Entries below 0 or past the last row or column lie in the padding. A transposed convolution reads the input rows
        that spread to this pixel; taps that fall between its strides have the entry -1.
        """
        if self.kind == "transpose":
            return (self._spread_from(row, 0), self._spread_from(col, 1))
        top, _, left, _ = self.pads
        return (
            [row * self.strides[0] - top + r * self.dilation_rate[0] for r in range(self.kernel_size[0])],
            [col * self.strides[1] - left + c * self.dilation_rate[1] for c in range(self.kernel_size[1])],
        )

    def reach(self, at: npt.NDArray[np.intp], axis: int) -> npt.NDArray[np.intp]:
        """Input rows (`axis` 0) or columns (1) that any of these output rows or columns reads, in order.

        Those past the edges lie in the padding; of a transposed convolution there may be none.
        """
        taps = np.arange(self.kernel_size[axis]) * self.dilation_rate[axis]
        step = self.strides[axis]
        if self.kind == "transpose":
            met = at[:, np.newaxis] + self._cut(axis) - taps
            return np.unique(met[met % step == 0] // step)
        return np.unique(at[:, np.newaxis] * step - self.pads[2 * axis] + taps)

    def check_pixel(self, pixel: Any) -> Pair:
        """Return `pixel` as ``(row, col)`` of a map, or raise a ``ValueError`` that names the maps' size."""
        rows, cols = self.output_shape
        try:
            row, col = (operator.index(v) for v in pixel)
        except (TypeError, ValueError):
            raise ValueError(f"pixel={pixel!r} was given; expected (row, col), two whole numbers, or None.") from None
        if not (0 <= row < rows and 0 <= col < cols):
            raise ValueError(f"Pixel ({row}, {col}) is outside the maps, which have {rows} rows and {cols} columns.")
        return (row, col)

    @property
    def previewable(self) -> bool:
        """Whether the browser can predict a map by itself."""
        return self.exact and self.kind in ("conv", "depthwise") and self.activation in PREVIEWABLE

    def to_wire(self) -> dict[str, Any]:
        """Return the fields that js/model/types.ts calls ``Geometry``."""
        return {
            "kind": self.kind,
            "class_name": self.class_name,
            "name": self.name,
            "path": self.path,
            "builtin": self.builtin,
            "input_shape": list(self.input_shape),
            "output_shape": list(self.output_shape),
            "filters": self.filters,
            "kernel_size": list(self.kernel_size),
            # What crosses for a separable layer are the kernels that it amounts to, which read all channels.
            "kernel_channels": self.input_shape[2] if self.kind == "separable" else self.kernel_channels,
            "strides": list(self.strides),
            "dilation_rate": list(self.dilation_rate),
            "padding": self.padding,
            "pads": list(self.pads),
            "groups": self.groups,
            "use_bias": self.use_bias,
            "activation": self.activation,
            "activation_params": dict(self.activation_params),
            "data_format": self.data_format,
            "weight_shape": list(self.weight_shape),
            "previewable": self.previewable,
        }

    def _spread_from(self, position: int, axis: int) -> list[int]:
        # A transposed convolution is the gradient of the convolution that has its output as input
        # (tf.nn.conv2d_transpose): input i reaches output i * stride + tap * dilation - cut.
        step, cut = self.strides[axis], self._cut(axis)
        reached = [position + cut - tap * self.dilation_rate[axis] for tap in range(self.kernel_size[axis])]
        return [at // step if at % step == 0 else -1 for at in reached]

    def _cut(self, axis: int) -> int:
        """Return what "same" padding cuts off before a transposed output: what that convolution would have added."""
        if self.padding != "same":
            return 0
        return max(0, (self.input_shape[axis] - 1) * self.strides[axis] + self.extent[axis] - self._out(axis)) // 2

    def _out(self, axis: int) -> int:
        size, step, extent = self.input_shape[axis], self.strides[axis], self.extent[axis]
        if self.kind == "transpose":
            # keras.src.backend.common.backend_utils.compute_conv_transpose_output_length
            if self.output_padding is not None:
                pad = extent // 2 if self.padding == "same" else 0
                return (size - 1) * step + extent - 2 * pad + self.output_padding[axis]
            return size * step if self.padding == "same" else size * step + max(extent - step, 0)
        if self.padding == "same":
            return -(-size // step)
        return (size - extent) // step + 1
