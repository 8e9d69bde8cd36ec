"""The layer's arithmetic as NumPy source."""

from __future__ import annotations

from convlens.codegen.activations import numpy_activation
from convlens.codegen.program import Program
from convlens.geometry import Geometry


def add_numpy(code: Program, geometry: Geometry) -> None:
    """Add what makes ``activations`` of ``image``, ``kernels`` and ``bias`` by NumPy, in float64."""
    activation = numpy_activation(geometry.activation, geometry.activation_params)
    if "math." in activation:
        code.imports.add("import math")
    if geometry.kernel_channels == 1:
        code.blocks[-1].append("kernels = kernels[..., np.newaxis]  # one input channel")
    code.add(*(_transpose_sum(geometry) if geometry.kind == "transpose" else _correlation(code, geometry)))
    lines = []
    if geometry.kind == "separable":
        lines.append('x = np.einsum("dyx,df->fyx", x, pointwise_kernels)')
    if geometry.use_bias:
        lines.append("x = x + bias[:, np.newaxis, np.newaxis]")
    lines += ['pre_activations = x.astype("float32")', f'activations = ({activation}).astype("float32")']
    code.add("# (filters, rows, cols)", *lines)


def _correlation(code: Program, geometry: Geometry) -> list[str]:
    code.imports.add("from numpy.lib.stride_tricks import sliding_window_view")
    top, bottom, left, right = geometry.pads
    (row_step, col_step), (row_gap, col_gap) = geometry.strides, geometry.dilation_rate
    lines = ['x = image.astype("float64")']
    if any(geometry.pads):
        lines.append(f"x = np.pad(x, (({top}, {bottom}), ({left}, {right}), (0, 0)))")
    lines += [
        "# Every place of the kernel, then every step of the stride, then every tap: rows, cols, channels, kh, kw.",
        f"windows = sliding_window_view(x, {geometry.extent}, axis=(0, 1))",
    ]
    if geometry.strides != (1, 1) or geometry.dilation_rate != (1, 1):
        lines.append(f"windows = windows[::{row_step}, ::{col_step}, :, ::{row_gap}, ::{col_gap}]")
    if geometry.kernel_channels == geometry.input_shape[2]:
        return [*lines, 'x = np.einsum("yxcij,fijc->fyx", windows, kernels)']
    depth = geometry.kernel_channels
    count = (
        geometry.input_shape[2] * geometry.depth_multiplier if depth == 1 and geometry.groups == 1 else geometry.filters
    )
    return [
        *lines,
        "# The input channel that the first plane of each kernel reads.",
        f"first = {[geometry.first_channel(index) for index in range(count)]}",
        "x = np.stack([",
        f'    np.einsum("yxcij,ijc->yx", windows[:, :, c : c + {depth}], kernel) for c, kernel in zip(first, kernels)',
        "])",
    ]


def _transpose_sum(geometry: Geometry) -> list[str]:
    """Write a transposed convolution: each input pixel adds one scaled kernel to the output."""
    (rows, cols, _), (out_rows, out_cols) = geometry.input_shape, geometry.output_shape
    (row_step, col_step), (row_gap, col_gap) = geometry.strides, geometry.dilation_rate
    full = ((rows - 1) * row_step + geometry.extent[0], (cols - 1) * col_step + geometry.extent[1])
    cut = [
        max(f - o, 0) // 2 if geometry.padding == "same" else 0 for f, o in zip(full, (out_rows, out_cols), strict=True)
    ]
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
