"""Conv1DTranspose: Conv2DTranspose along one axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from convlens.layers.kinds.one_axis import OneAxis, OneAxisLayer
from convlens.layers.kinds.transpose import Transposed, TransposeKind

if TYPE_CHECKING:
    from convlens.maths.geometry import Geometry


class Transposed1D(OneAxis, Transposed):
    """A transposed convolution of a picture of one row."""

    name = "transpose1d"


class _Conv1DTranspose(OneAxisLayer, TransposeKind):
    arithmetic: ClassVar[Transposed] = Transposed1D()
    class_name = "Conv1DTranspose"

    def sibling(self, geometry: Geometry) -> tuple[int, dict[str, Any]]:
        padding = geometry.output_padding
        return geometry.kernel_channels, {"output_padding": None if padding is None else padding[1]}


KIND = _Conv1DTranspose()
