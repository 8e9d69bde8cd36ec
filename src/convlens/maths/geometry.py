"""How a convolution layer reads its input: shapes, padding and windows, in plain arithmetic."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from convlens.maths.activations import PREVIEWABLE
from convlens.maths.kind import CONVOLUTION, Axis, Channels, Kind, Positions

Pair = tuple[int, int]


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
        settings describe it completely. False for a user's subclass, or a user's function that is called "relu".
    returned
        ``(rows, cols)`` of the maps where a layer with code of its own returned other sizes than its settings give.
    note
        What cannot be shown or done because of what the layer returns, in sentences.
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
    kind: Kind = CONVOLUTION
    class_name: str = "Conv2D"
    name: str = "conv2d"
    path: str = ""
    builtin: bool = True
    data_format: str = "channels_last"
    output_padding: Pair | None = None
    exact: bool = True
    returned: Pair | None = None
    note: str = ""

    @property
    def rank(self) -> int:
        """Axes that the layer convolves along: 2, or 1 for a layer over signals, whose only row is row 0."""
        return self.kind.rank

    @property
    def kernel_count(self) -> int:
        """Number of kernels: one per filter, but in a separable layer one per depthwise channel."""
        return self.kind.kernel_count(self.channels)

    @property
    def kernel_channels(self) -> int:
        """Depth of one kernel: the input channels that it reads."""
        return self.kind.kernel_channels(self.channels)

    @property
    def kernel_shape(self) -> tuple[int, int, int]:
        """``(kh, kw, channels)`` of one kernel."""
        return (*self.kernel_size, self.kernel_channels)

    @property
    def channels(self) -> Channels:
        """The input's channels, and the filters that read them."""
        return Channels(self.input_shape[2], self.filters, self.groups, self.depth_multiplier)

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """How the layer steps over rows and over columns."""
        return (self._axis(0), self._axis(1))

    @property
    def extent(self) -> Pair:
        """Rows and columns that a dilated kernel spans: ``dilation * (k - 1) + 1``."""
        rows, cols = self.axes
        return (rows.extent, cols.extent)

    @property
    def output_shape(self) -> Pair:
        """``(rows, cols)`` of one activation map.

        Keras's rules (keras.io, ``Conv2D``): ``valid`` gives
        ``floor((n - extent) / stride) + 1``, ``same`` gives ``ceil(n / stride)``.
        """
        if self.returned is not None:
            return self.returned
        rows, cols = self.axes
        return (self.kind.output_size(rows), self.kind.output_size(cols))

    @property
    def pads(self) -> tuple[int, int, int, int]:
        """Zeros that padding adds: top, bottom, left, right; the odd one goes after, as in TensorFlow."""
        rows, cols = self.axes
        return (*self.kind.pads(rows), *self.kind.pads(cols))

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the layer's kernel variable, in Keras's order."""
        return self.kind.weight_shape(self.kernel_size, self.channels)

    def first_channel(self, index: int) -> int:
        """Input channel that the first plane of kernel `index` reads."""
        return self.kind.first_channel(self.channels, index)

    def filter_start(self, index: int) -> int:
        """First input channel that filter `index` reads, through all its kernels."""
        return self.kind.filter_start(self.channels, index)

    def window(self, row: int, col: int) -> tuple[list[int], list[int]]:
        """Input rows and columns that output pixel (`row`, `col`) reads, padding included.

        Entries below 0 or past the last row or column lie in the padding. A transposed convolution reads the input rows
        that spread to this pixel; taps that fall between its strides have the entry -1.
        """
        rows, cols = self.axes
        return (self.kind.window(rows, row), self.kind.window(cols, col))

    def reach(self, at: Positions, axis: int) -> Positions:
        """Input rows (`axis` 0) or columns (1) that any of these output rows or columns reads, in order.

        Those past the edges lie in the padding; of a transposed convolution there may be none.
        """
        return self.kind.reach(self.axes[axis], at)

    def check_pixel(self, pixel: Any) -> Pair:
        """Return `pixel` as ``(row, col)`` of a map, or raise a ``ValueError`` that names the maps' size.

        A signal's is a step, a whole number; ``(step,)`` and ``(0, step)`` mean the same.
        """
        rows, cols = self.output_shape
        if self.rank == 1:
            return (0, self._step(pixel))
        try:
            if isinstance(pixel, (str, bytes)) or any(isinstance(v, (bool, np.bool_)) for v in pixel):
                raise TypeError
            row, col = (operator.index(v) for v in pixel)
        except (TypeError, ValueError):
            raise ValueError(f"pixel={pixel!r} was given; expected (row, col), two whole numbers, or None.") from None
        if not (0 <= row < rows and 0 <= col < cols):
            raise ValueError(f"Pixel ({row}, {col}) is outside the maps, which have {rows} rows and {cols} columns.")
        return (row, col)

    def _step(self, pixel: Any) -> int:
        steps = self.output_shape[1]
        given = (pixel,) if np.ndim(pixel) == 0 else tuple(pixel)
        try:
            if isinstance(pixel, (str, bytes)) or any(isinstance(v, (bool, np.bool_)) for v in given):
                raise TypeError
            *row, step = (operator.index(v) for v in given)
            if row not in ([], [0]):
                raise ValueError
        except (TypeError, ValueError):
            raise ValueError(f"pixel={pixel!r} was given; expected a step, one whole number, or None.") from None
        if not 0 <= step < steps:
            raise ValueError(f"Step {step} is outside the maps, which have {steps} steps.")
        return step

    @property
    def previewable(self) -> bool:
        """Whether the browser can predict a map by itself."""
        return self.exact and self.kind.previewable and self.activation in PREVIEWABLE

    @property
    def explainable(self) -> bool:
        """Whether these settings tell which part of the input a pixel is computed from."""
        return self.returned is None

    def to_wire(self) -> dict[str, Any]:
        """Return the fields that js/protocol/records.ts calls ``Geometry``."""
        return {
            "kind": self.kind.name.removesuffix("1d"),
            "rank": self.rank,
            "class_name": self.class_name,
            "name": self.name,
            "path": self.path,
            "builtin": self.builtin,
            "input_shape": list(self.input_shape),
            "output_shape": list(self.output_shape),
            "filters": self.filters,
            "kernel_size": list(self.kernel_size),
            # For a separable layer the effective kernels are sent, which read all channels.
            "kernel_channels": self.kind.filter_channels(self.channels),
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
            "explainable": self.explainable,
            "note": self.note,
        }

    def _axis(self, number: int) -> Axis:
        return Axis(
            self.input_shape[number],
            self.kernel_size[number],
            self.strides[number],
            self.dilation_rate[number],
            self.padding,
            None if self.output_padding is None else self.output_padding[number],
        )
