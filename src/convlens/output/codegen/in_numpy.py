"""The layer's arithmetic as NumPy source."""

from __future__ import annotations

from convlens.layers.kinds import kind_of_geometry
from convlens.maths.geometry import Geometry
from convlens.output.codegen.activations import numpy_activation
from convlens.output.codegen.program import Program


def add_numpy(code: Program, geometry: Geometry) -> None:
    """Add what makes ``activations`` of ``image``, ``kernels`` and ``bias`` by NumPy, in float64."""
    activation = numpy_activation(geometry.activation, geometry.activation_params)
    if "math." in activation:
        code.imports.add("import math")
    if geometry.kernel_channels == 1:
        code.blocks[-1].append("kernels = kernels[..., np.newaxis]  # one input channel")
    if geometry.rank == 1:
        code.blocks[-1].append("kernels = kernels[:, np.newaxis]  # of one row, as the signal is a picture of one row")
    code.start_body()
    if geometry.rank == 1:
        code.add("image = image[np.newaxis]")
    code.add(*(kind_of_geometry(geometry).numpy_lines(geometry) or _correlation(code, geometry)))
    lines = []
    if geometry.kind.pointwise:
        lines.append('x = np.einsum("dyx,df->fyx", x, pointwise_kernels)')
    if geometry.use_bias:
        lines.append("x = x + bias[:, np.newaxis, np.newaxis]")
    if geometry.rank == 1:
        lines.append("x = x[:, 0]")
    lines += ['pre_activations = x.astype("float32")', f'activations = ({activation}).astype("float32")']
    code.add("# (filters, steps)" if geometry.rank == 1 else "# (filters, rows, cols)", *lines)


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
    return [
        *lines,
        "# The input channel that the first plane of each kernel reads.",
        f"first = {[geometry.first_channel(index) for index in range(geometry.kernel_count)]}",
        "x = np.stack([",
        f'    np.einsum("yxcij,ijc->yx", windows[:, :, c : c + {depth}], kernel) for c, kernel in zip(first, kernels)',
        "])",
    ]
