"""Conv2DTranspose: each input pixel adds its value times the kernel to the output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from convlens.layers.kinds.interface import LayerKind, filters_on_an_axis
from convlens.maths.kind import Axis, Channels, Kind, Positions

if TYPE_CHECKING:
    from convlens.maths.geometry import Geometry


class Transposed(Kind):
    """The gradient of the convolution that has this one's output as input (tf.nn.conv2d_transpose).

    Input i reaches output i * stride + tap * dilation - cut.
    """

    name = "transpose"
    previewable = False
    slides = False
    filters_axis = 2

    def output_size(self, axis: Axis) -> int:
        """Rows or columns of a map (keras.src.backend.common.backend_utils.compute_conv_transpose_output_length)."""
        if axis.output_padding is not None:
            pad = axis.extent // 2 if axis.padding == "same" else 0
            return (axis.size - 1) * axis.stride + axis.extent - 2 * pad + axis.output_padding
        if axis.padding == "same":
            return axis.size * axis.stride
        return axis.size * axis.stride + max(axis.extent - axis.stride, 0)

    def pads(self, axis: Axis) -> tuple[int, int]:
        """Nothing is added to the input."""
        return (0, 0)

    def cut(self, axis: Axis) -> int:
        """Return what "same" padding cuts off before the output: what that convolution would have added."""
        if axis.padding != "same":
            return 0
        return max(0, (axis.size - 1) * axis.stride + axis.extent - self.output_size(axis)) // 2

    def window(self, axis: Axis, position: int) -> list[int]:
        """Input position that spreads to an output position by each tap; -1 for taps that fall between the strides."""
        cut = self.cut(axis)
        reached = [position + cut - tap * axis.dilation for tap in range(axis.kernel)]
        return [at // axis.stride if at % axis.stride == 0 else -1 for at in reached]

    def reach(self, axis: Axis, at: Positions) -> Positions:
        """Input positions that spread to any of these output positions; there may be none."""
        met = at[:, np.newaxis] + self.cut(axis) - np.arange(axis.kernel) * axis.dilation
        return np.unique(met[met % axis.stride == 0] // axis.stride)

    def align(self, axis: Axis) -> tuple[float, float]:
        """Return where the first output lies: its maps have `stride` pixels for each of the input's."""
        return ((self.cut(axis) - (axis.extent - 1) / 2) / axis.stride, 1 / axis.stride)

    def weight_shape(self, kernel_size: tuple[int, int], channels: Channels) -> tuple[int, ...]:
        """Shape of the kernel variable, in Keras's order."""
        return (*kernel_size, channels.filters, channels.input)


class TransposeKind(LayerKind):
    """Keras's Conv2DTranspose."""

    arithmetic: ClassVar[Transposed] = Transposed()
    class_name = "Conv2DTranspose"
    kernel_axes = "filters, input channels"
    stacking = "np.stack(kernels, axis=-2)"

    def input_channels(self, weight_shape: Sequence[int], layer: Any) -> int:
        return int(weight_shape[3])

    def to_weight(self, kernels: Sequence[np.ndarray], multiplier: int) -> np.ndarray:
        return np.stack(kernels, axis=2)

    def sibling(self, geometry: Geometry) -> tuple[int, dict[str, Any]]:
        return geometry.kernel_channels, {"output_padding": geometry.output_padding}

    def mend_kernel(self, given: tuple[int, ...], shape: tuple[int, ...]) -> str:
        rows, cols, filters, channels = shape
        flat = "np.stack(kernels, axis=-1)[..., np.newaxis]"
        return filters_on_an_axis(given, shape, (rows, cols, channels), filters, "np.stack(kernels, axis=2)", flat)

    def numpy_lines(self, geometry: Geometry) -> list[str]:
        (rows, cols, _), (out_rows, out_cols) = geometry.input_shape, geometry.output_shape
        (row_step, col_step), (row_gap, col_gap) = geometry.strides, geometry.dilation_rate
        full = ((rows - 1) * row_step + geometry.extent[0], (cols - 1) * col_step + geometry.extent[1])
        cut = [self.arithmetic.cut(axis) for axis in geometry.axes]
        room = (max(full[0], out_rows + cut[0]), max(full[1], out_cols + cut[1]))
        return [
            "# Each input pixel adds its value times the kernel to the output; tap by tap, for all pixels at once.",
            f"x = np.zeros(({geometry.filters}, {room[0]}, {room[1]}))",
            f"for r, c in np.ndindex{geometry.kernel_size}:",
            f"    rows = slice(r * {row_gap}, r * {row_gap} + {(rows - 1) * row_step + 1}, {row_step})",
            f"    cols = slice(c * {col_gap}, c * {col_gap} + {(cols - 1) * col_step + 1}, {col_step})",
            '    x[:, rows, cols] += np.einsum("yxc,fc->fyx", image.astype("float64"), kernels[:, r, c])',
            f"x = x[:, {cut[0]} : {cut[0] + out_rows}, {cut[1]} : {cut[1] + out_cols}]",
        ]


KIND = TransposeKind()
