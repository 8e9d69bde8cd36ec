"""SeparableConv1D: SeparableConv2D along one axis."""

from __future__ import annotations

from convlens.layers.kinds.one_axis import OneAxis, OneAxisLayer
from convlens.layers.kinds.separable import Separable, SeparableKind


class Separable1D(OneAxis, Separable):
    """A separable convolution of a picture of one row."""

    name = "separable1d"


class _SeparableConv1D(OneAxisLayer, SeparableKind):
    arithmetic = Separable1D()
    class_name = "SeparableConv1D"


KIND = _SeparableConv1D()
