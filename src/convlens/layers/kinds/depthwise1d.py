"""DepthwiseConv1D: DepthwiseConv2D along one axis."""

from __future__ import annotations

from convlens.layers.kinds.depthwise import Depthwise, DepthwiseKind
from convlens.layers.kinds.one_axis import OneAxis, OneAxisLayer


class Depthwise1D(OneAxis, Depthwise):
    """A depthwise convolution of a picture of one row."""

    name = "depthwise1d"


class _DepthwiseConv1D(OneAxisLayer, DepthwiseKind):
    arithmetic = Depthwise1D()
    class_name = "DepthwiseConv1D"


KIND = _DepthwiseConv1D()
