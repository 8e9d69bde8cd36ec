"""Which part of its inputs one Keras operation reads for a part of its output, by the operation's settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.layers.layer_kinds import class_names, geometry_of
from convlens.layers.recognise_activation import describe
from convlens.maths.activations import ACTIVATIONS, operation_class
from convlens.maths.geometry import Geometry, Pair

#: Shapes leave out the batch.
Shape = tuple[int, ...]
#: Indices along one axis, in order. They may lie past the edges, in a padding.
Span = npt.NDArray[np.intp]
#: One along every axis but the batch.
Box = tuple[Span, ...]
#: From the operation, its inputs' shapes, its output's shape and a box of the output to the box of each input that it
#: is computed from, None where there is none.
Rule = Callable[[Any, Sequence[Shape], Shape, Box], "list[Box | None]"]


class ReceptiveFieldUnknown(Exception):
    """What an operation reads is not known; the text gives the reason."""


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
    ReceptiveFieldUnknown
        For an operation that is not among those known here.
    """
    rule = rule_of(op)
    if rule is None:
        raise ReceptiveFieldUnknown(
            f"{op.name!r} ({type(op).__name__}) does not say which pixels it reads for one that it returns."
        )
    if len(inputs) != 1 and rule not in (_elementwise, _concatenated):
        raise ReceptiveFieldUnknown(
            f"{op.name!r} ({type(op).__name__}) is called with {len(inputs)} tensors, perhaps with a mask."
        )
    return _windows(op, inputs, box) if linear else rule(op, inputs, output, box)


def rule_of(op: Any) -> Rule | None:
    """Return the rule for what an operation reads; None for a class of the user's, or one that is not known here."""
    return _RULES.get(type(op).__name__) if type(op).__module__.partition(".")[0] == "keras" else None


def class_names_known() -> list[str]:
    """Return the names of Keras's classes that have a rule."""
    return list(_RULES)


def whole(shape: Shape) -> Box:
    """Return the box of everything."""
    return tuple(np.arange(n) for n in shape)


def spatial_axes(data_format: str, rank: int = 2) -> tuple[int, ...]:
    """Return where rows and columns, or the steps of a signal (`rank` 1), are in a shape or box."""
    return tuple(range(1, rank + 1)) if data_format == "channels_first" else tuple(range(rank))


def _axes_of(op: Any, shape: Shape) -> tuple[int, ...]:
    return spatial_axes(getattr(op, "data_format", "channels_last"), len(shape) - 1)


def _sizes(shape: Shape, axes: tuple[int, ...]) -> Pair:
    """Return rows and columns; a signal has one row."""
    *rows, cols = (shape[axis] for axis in axes)
    return (rows[0] if rows else 1, cols)


# -- windows -----------------------------------------------------------------------------------------------------------


def _convolution(op: Any, inputs: Sequence[Shape], output: Shape, box: Box) -> list[Box | None]:
    return _windows(op, inputs, _after_activation(op, output, box))


def _windows(op: Any, inputs: Sequence[Shape], box: Box) -> list[Box | None]:
    (shape,) = inputs
    axes = _axes_of(op, shape)
    channels = shape[0 if axes[0] else -1]
    geometry = geometry_of(op, (*_sizes(shape, axes), channels), "")
    return _over_windows(geometry, shape, axes, box, every_channel=True)


def _pooling(op: Any, inputs: Sequence[Shape], output: Shape, box: Box) -> list[Box | None]:
    (shape,) = inputs
    axes = _axes_of(op, shape)
    size, strides = (_pair(value) for value in (op.pool_size, op.strides))
    geometry = Geometry((*_sizes(shape, axes), 1), 1, size, strides, padding=op.padding)
    return _over_windows(geometry, shape, axes, box, every_channel=False)


def _over_windows(
    geometry: Geometry, shape: Shape, axes: tuple[int, ...], box: Box, *, every_channel: bool
) -> list[Box | None]:
    read = list(whole(shape) if every_channel else box)
    for i, axis in enumerate(axes, 2 - len(axes)):
        read[axis] = geometry.reach(box[axis], i)
    return [tuple(read)]


def _shifted(amounts: str, sign: int) -> Rule:
    def rule(op: Any, inputs: Sequence[Shape], output: Shape, box: Box) -> list[Box | None]:
        read = list(box)
        axes, given = _axes_of(op, inputs[0]), getattr(op, amounts)
        for axis, (before, _) in zip(axes, given if len(axes) == 2 else [given], strict=True):
            read[axis] = box[axis] + sign * before
        return [tuple(read)]

    return rule


def _upsampling(op: Any, inputs: Sequence[Shape], output: Shape, box: Box) -> list[Box | None]:
    (shape,) = inputs
    if op.interpolation not in ("nearest", "bilinear"):
        raise ReceptiveFieldUnknown(
            f"{op.name!r} interpolates by {op.interpolation!r}, and it is not known how far that method reads."
        )
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
            raise ReceptiveFieldUnknown(f"{op.name!r} ({type(op).__name__}) combines values.")
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
    if activation.known and activation.name in ACTIVATIONS:  # a softmax, along the last axis
        return (*box[:-1], np.arange(output[-1]))
    raise ReceptiveFieldUnknown(
        f"the activation function of {op.name!r}, {activation.name}, does not say which values it mixes."
    )


def _along(op: Any, inputs: Sequence[Shape], output: Shape, box: Box) -> list[Box | None]:
    """Mix the values along ``op.axis``, as a softmax or a normalisation does."""
    (shape,) = inputs
    axes = _axes(op, len(shape))
    every = enumerate(zip(whole(shape), box, strict=True))
    return [tuple(everything if axis in axes else span for axis, (everything, span) in every)]


def _reduced(op: Any, inputs: Sequence[Shape], output: Shape, box: Box) -> list[Box | None]:
    """Reduce the values along ``op.axis``, as a mean does."""
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
        raise ReceptiveFieldUnknown(f"{op.name!r} mixes the images of a batch.")
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


def _reshaped(op: Any, inputs: Sequence[Shape], output: Shape, box: Box) -> list[Box | None]:
    """Keep the values in their order: known where they come from one axis, or where all of them are read."""
    if len(inputs[0]) != 1:
        return _rearranged(op, inputs, output, box)
    spans = [span[(span >= 0) & (span < n)] for span, n in zip(box, output, strict=True)]
    if not all(map(len, spans)):
        return [None]
    return [(np.ravel_multi_index(np.ix_(*spans), output).ravel(),)]


def _rearranged(op: Any, inputs: Sequence[Shape], output: Shape, box: Box) -> list[Box | None]:
    """Move values to other places: known only where all of them are read."""
    if any(len(np.intersect1d(span, np.arange(n))) < n for span, n in zip(box, output, strict=True)):
        raise ReceptiveFieldUnknown(f"{op.name!r} ({type(op).__name__}) moves pixels to other places.")
    return _all(op, inputs, output, box)


def _pair(value: Any) -> Pair:
    rows, cols = (value, value) if isinstance(value, int) else (1, *value)[-2:]
    return (int(rows), int(cols))


# By name: many of these classes are not public, and those of users are told apart by their module.
_ELEMENTWISE = """
ReLU LeakyReLU PReLU ELU Dropout SpatialDropout1D SpatialDropout2D GaussianNoise GaussianDropout AlphaDropout
ActivityRegularization Identity Rescaling Normalization BatchNormalization LayerScale StochasticDepth CustomScaleLayer
RandomFlip RandomRotation RandomZoom RandomTranslation RandomContrast RandomBrightness
Add Subtract Multiply Divide TrueDivide Average Maximum Minimum Power Negative Absolute Sign Square Sqrt Rsqrt
Reciprocal Exp Expm1 Log Log1p Sin Cos Erf Round Floor Ceil Clip Cast StopGradient
"""
_RULES: dict[str, Rule] = (
    dict.fromkeys(_ELEMENTWISE.split(), _elementwise)
    | {operation_class(name): _elementwise if one.elementwise else _along for name, one in ACTIVATIONS.items()}
    | dict.fromkeys(class_names(), _convolution)
    | dict.fromkeys(["MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D"], _pooling)
    | dict.fromkeys(["ZeroPadding1D", "ZeroPadding2D"], _shifted("padding", -1))
    | dict.fromkeys(["Cropping1D", "Cropping2D"], _shifted("cropping", 1))
    | {"UpSampling2D": _upsampling}
    | {"Activation": _activation, "Dense": _dense, "Concatenate": _concatenated}
    | dict.fromkeys(["LayerNormalization", "RMSNormalization", "UnitNormalization"], _along)
    | dict.fromkeys(["Mean", "Sum", "Max", "Min", "Amax", "Amin"], _reduced)
    | dict.fromkeys([f"Global{how}Pooling{axes}D" for how in ("Average", "Max") for axes in (1, 2)], _all)
    | {"GroupNormalization": _all}
    | dict.fromkeys(["Flatten", "Permute"], _rearranged)
    | {"Reshape": _reshaped}
)
