"""Which part of its inputs one Keras operation reads for a part of its output, by the operation's settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from convlens._activations import describe
from convlens._layer_kinds import CLASSES, geometry_of
from convlens.geometry import Geometry, Pair

#: Shapes leave out the batch.
Shape = tuple[int, ...]
#: Indices along one axis, in order. They may lie past the edges, in a padding.
Span = npt.NDArray[np.intp]
#: One along every axis but the batch.
Box = tuple[Span, ...]
#: From the operation, its inputs' shapes, its output's shape and a box of the output to the box of each input that it
#: is computed from, None where there is none.
Rule = Callable[[Any, Sequence[Shape], Shape, Box], "list[Box | None]"]


class Untold(Exception):
    """What an operation reads cannot be told; a sentence says why."""


def boxes_read(op: Any, inputs: Sequence[Shape], output: Shape, box: Box, *, linear: bool = False) -> list[Box | None]:
    """Return the boxes of an operation's inputs that a box of its output is computed from.

    Parameters
    ----------
    op
        A Keras layer or another Keras operation, as it behaves outside training.
    inputs, output
        Their shapes.
    box
        Of the output.
    linear
        Whether to leave out the activation function of a convolution.

    Raises
    ------
    Untold
        For an operation that is not among those known here.
    """
    rule = rule_of(op)
    if rule is None:
        raise Untold(f"{op.name!r} ({type(op).__name__}) does not say which pixels it reads for one of its own.")
    if len(inputs) != 1 and rule not in (_elementwise, _concatenated):
        raise Untold(f"{op.name!r} ({type(op).__name__}) is called with {len(inputs)} tensors, a mask perhaps.")
    return _windows(op, inputs, box) if linear else rule(op, inputs, output, box)


def rule_of(op: Any) -> Rule | None:
    """Return how to tell what an operation reads; None for a class of the user's, or one that is not known here."""
    return _RULES.get(type(op).__name__) if type(op).__module__.partition(".")[0] == "keras" else None


def whole(shape: Shape) -> Box:
    """Return the box of everything."""
    return tuple(np.arange(n) for n in shape)


def spatial_axes(data_format: str) -> Pair:
    """Return where rows and columns are in a shape or box."""
    return (1, 2) if data_format == "channels_first" else (0, 1)


# -- windows -----------------------------------------------------------------------------------------------------------


def _convolution(op: Any, inputs: Sequence[Shape], output: Shape, box: Box) -> list[Box | None]:
    return _windows(op, inputs, _after_activation(op, output, box))


def _windows(op: Any, inputs: Sequence[Shape], box: Box) -> list[Box | None]:
    (shape,), axes = inputs, spatial_axes(op.data_format)
    channels = shape[0 if axes[0] else 2]
    geometry = geometry_of(op, (shape[axes[0]], shape[axes[1]], channels), "")
    return _over_windows(geometry, shape, axes, box, every_channel=True)


def _pooling(op: Any, inputs: Sequence[Shape], output: Shape, box: Box) -> list[Box | None]:
    (shape,), axes = inputs, spatial_axes(op.data_format)
    size, strides = (_pair(value) for value in (op.pool_size, op.strides))
    geometry = Geometry((shape[axes[0]], shape[axes[1]], 1), 1, size, strides, padding=op.padding)
    return _over_windows(geometry, shape, axes, box, every_channel=False)


def _over_windows(geometry: Geometry, shape: Shape, axes: Pair, box: Box, *, every_channel: bool) -> list[Box | None]:
    read = list(whole(shape) if every_channel else box)
    for i, axis in enumerate(axes):
        read[axis] = geometry.reach(box[axis], i)
    return [tuple(read)]


def _shifted(amounts: str, sign: int) -> Rule:
    def rule(op: Any, inputs: Sequence[Shape], output: Shape, box: Box) -> list[Box | None]:
        read = list(box)
        for axis, (before, _) in zip(spatial_axes(op.data_format), getattr(op, amounts), strict=True):
            read[axis] = box[axis] + sign * before
        return [tuple(read)]

    return rule


def _upsampling(op: Any, inputs: Sequence[Shape], output: Shape, box: Box) -> list[Box | None]:
    (shape,) = inputs
    if op.interpolation not in ("nearest", "bilinear"):
        raise Untold(f"{op.name!r} interpolates by {op.interpolation!r}, of which it is not told how far it reads.")
    read = list(box)
    for axis, factor in zip(spatial_axes(op.data_format), op.size, strict=True):
        span = box[axis]
        if op.interpolation == "nearest":
            read[axis] = np.unique(span // factor)
        else:
            # Pixel o lies at (o + 1/2) / factor - 1/2, between two pixels of the input or on one.
            below, above = (2 * span + 1 - factor) // (2 * factor), -(-(2 * span + 1 - factor) // (2 * factor))
            # Past the edge, where there is no other, the last pixel counts twice.
            edges = [
                np.where((span >= 0) & (span < output[axis]), at.clip(0, shape[axis] - 1), at) for at in (below, above)
            ]
            read[axis] = np.union1d(*edges)
    return [tuple(read)]


# -- every value by itself, or along some axes -------------------------------------------------------------------------


def _elementwise(op: Any, inputs: Sequence[Shape], output: Shape, box: Box) -> list[Box | None]:
    """One value for one value; an axis of length 1 is spread over the output's, as NumPy does."""
    read: list[Box | None] = []
    for shape in inputs:
        if len(shape) > len(output) or any(
            n not in (1, out) for n, out in zip(shape[::-1], output[::-1], strict=False)
        ):
            raise Untold(f"{op.name!r} ({type(op).__name__}) takes values together.")
        last = zip(shape, output[len(output) - len(shape) :], box[len(box) - len(shape) :], strict=True)
        read.append(tuple(np.arange(1) if n == 1 < out else span for n, out, span in last))
    return read


def _activation(op: Any, inputs: Sequence[Shape], output: Shape, box: Box) -> list[Box | None]:
    return [_after_activation(op, output, box)]


def _after_activation(op: Any, output: Shape, box: Box) -> Box:
    """Return the box before the layer's activation function."""
    activation = describe(getattr(op, "activation", None))
    if activation.elementwise:
        return box
    if activation.known and activation.name in ("softmax", "log_softmax"):
        return (*box[:-1], np.arange(output[-1]))
    raise Untold(f"the activation function of {op.name!r}, {activation.name}, does not say which values it mixes.")


def _along(op: Any, inputs: Sequence[Shape], output: Shape, box: Box) -> list[Box | None]:
    """Mix the values along ``op.axis``, as a softmax or a normalisation does."""
    (shape,) = inputs
    axes = _axes(op, len(shape))
    every = enumerate(zip(whole(shape), box, strict=True))
    return [tuple(everything if axis in axes else span for axis, (everything, span) in every)]


def _reduced(op: Any, inputs: Sequence[Shape], output: Shape, box: Box) -> list[Box | None]:
    """Take the values along ``op.axis`` together, as a mean does."""
    (shape,), kept = inputs, iter(box)
    axes = _axes(op, len(shape))
    read = []
    for axis, n in enumerate(shape):
        if axis in axes:
            read.append(np.arange(n))
            if op.keepdims:
                next(kept)
        else:
            read.append(next(kept))
    return [tuple(read)]


def _axes(op: Any, rank: int) -> set[int]:
    given = op.axis
    axes = range(rank + 1) if given is None else given if isinstance(given, (list, tuple)) else [given]
    counted = {axis % (rank + 1) - 1 for axis in axes}
    if -1 in counted:
        raise Untold(f"{op.name!r} mixes the images of a batch.")
    return counted


def _dense(op: Any, inputs: Sequence[Shape], output: Shape, box: Box) -> list[Box | None]:
    (shape,) = inputs
    box = _after_activation(op, output, box)
    return [(*box[:-1], np.arange(shape[-1]))]


def _concatenated(op: Any, inputs: Sequence[Shape], output: Shape, box: Box) -> list[Box | None]:
    (axis,) = _axes(op, len(output))
    read: list[Box | None] = []
    start = 0
    for number, shape in enumerate(inputs):
        end = start + shape[axis]
        span = box[axis]
        # What lies past the edges of the output lies past the outer edges of the first and the last input.
        here = span[((number == 0) | (span >= start)) & ((number == len(inputs) - 1) | (span < end))]
        read.append((*box[:axis], here - start, *box[axis + 1 :]) if len(here) else None)
        start = end
    return read


def _all(op: Any, inputs: Sequence[Shape], output: Shape, box: Box) -> list[Box | None]:
    return [whole(shape) for shape in inputs]


def _rearranged(op: Any, inputs: Sequence[Shape], output: Shape, box: Box) -> list[Box | None]:
    """Move values to other places: told where all of them are asked for."""
    if any(len(np.intersect1d(span, np.arange(n))) < n for span, n in zip(box, output, strict=True)):
        raise Untold(f"{op.name!r} ({type(op).__name__}) moves pixels to other places.")
    return _all(op, inputs, output, box)


def _pair(value: Any) -> Pair:
    rows, cols = (value, value) if isinstance(value, int) else value
    return (int(rows), int(cols))


# By name: many of these classes are not public, and those of the users' are told apart by their module.
_ELEMENTWISE = """
ReLU LeakyReLU PReLU ELU Dropout SpatialDropout2D GaussianNoise GaussianDropout AlphaDropout ActivityRegularization
Identity Rescaling Normalization BatchNormalization LayerScale StochasticDepth CustomScaleLayer
RandomFlip RandomRotation RandomZoom RandomTranslation RandomContrast RandomBrightness
Add Subtract Multiply Divide TrueDivide Average Maximum Minimum Power Negative Absolute Sign Square Sqrt Rsqrt
Reciprocal Exp Expm1 Log Log1p Sin Cos Tanh Erf Round Floor Ceil Clip Cast StopGradient
Relu Relu6 LeakyRelu Elu Selu Celu Gelu Silu Sigmoid HardSigmoid HardSilu HardTanh LogSigmoid Softplus Softsign
"""
_RULES: dict[str, Rule] = (
    dict.fromkeys(_ELEMENTWISE.split(), _elementwise)
    | dict.fromkeys(CLASSES, _convolution)
    | dict.fromkeys(["MaxPooling2D", "AveragePooling2D"], _pooling)
    | {"ZeroPadding2D": _shifted("padding", -1), "Cropping2D": _shifted("cropping", 1), "UpSampling2D": _upsampling}
    | {"Activation": _activation, "Dense": _dense, "Concatenate": _concatenated}
    | dict.fromkeys(["Softmax", "LogSoftmax", "LayerNormalization", "RMSNormalization", "UnitNormalization"], _along)
    | dict.fromkeys(["Mean", "Sum", "Max", "Min", "Amax", "Amin"], _reduced)
    | dict.fromkeys(["GlobalAveragePooling2D", "GlobalMaxPooling2D", "GroupNormalization"], _all)
    | dict.fromkeys(["Flatten", "Reshape", "Permute"], _rearranged)
)
