"""Conv1D: Conv2D along one axis, with causal padding as well."""

from __future__ import annotations

from convlens.layers.kinds.conv2d import Conv2DKind
from convlens.layers.kinds.one_axis import OneAxis, OneAxisLayer


class Convolution1D(OneAxis):
    """A convolution of a picture of one row."""

    name = "conv1d"


class _Conv1D(OneAxisLayer, Conv2DKind):
    arithmetic = Convolution1D()
    class_name = "Conv1D"


KIND = _Conv1D()
