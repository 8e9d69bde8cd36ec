"""Anything a user may call kernels → validated, read-only arrays, or an error that says how to mend it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convlens.inputs.bias_and_names import read_bias, read_names, read_pointwise
from convlens.inputs.kernel_errors import mend_of, preset_hint, refuse_one_kernel, shape_text
from convlens.inputs.kernel_items import as_sequence, items_of, kernel_depth, listed, whole_weight
from convlens.inputs.kernel_layouts import check_keras_layout, split
from convlens.maths.arrays import FloatArray, as_array, as_float32, frozen, shortened
from convlens.maths.geometry import Geometry
from convlens.maths.kind import CONVOLUTION, Kind
from convlens.maths.limits import FILTERS, TAPS, WEIGHTS
from convlens.maths.settings_bounds import check_bounds

__all__ = [
    "KernelsAndBias",
    "as_sequence",
    "check_fits",
    "check_shape",
    "kernel_depth",
    "read_bias",
    "read_kernel",
    "read_kernels",
    "read_kernels_and_bias",
    "read_names",
    "read_pointwise",
]


class KernelsAndBias(NamedTuple):
    """What was given as kernels.

    Parameters
    ----------
    kernels
        ``(kh, kw, channels)`` float32 each, read-only.
    bias
        ``(filters,)`` float32 where a layer's whole list of weights was given, else None.
    pointwise
        ``(depthwise channels, filters)`` float32 where that was a separable layer's, else None.
    """

    kernels: tuple[FloatArray, ...]
    bias: FloatArray | None = None
    pointwise: FloatArray | None = None


def read_kernels(
    kernels: Any, channels: int, kind: Kind = CONVOLUTION, own: tuple[int, ...] | None = None
) -> tuple[FloatArray, ...]:
    """Read a list of kernels; as :func:`read_kernels_and_bias`, without the bias."""
    return read_kernels_and_bias(kernels, channels, kind, own).kernels


def read_kernels_and_bias(
    kernels: Any, channels: int, kind: Kind = CONVOLUTION, own: tuple[int, ...] | None = None
) -> KernelsAndBias:
    """Read a list of kernels, one array of them, or a layer's whole list of weights.

    Parameters
    ----------
    kernels
        A list, or any iterable, of kernels; a stack of them with the filters first, ``(n, kh, kw)`` or
        ``(n, kh, kw, channels)``; Keras's ``(kh, kw, channels, filters)``; or ``layer.get_weights()``, which has a
        bias. Each kernel is ``(kh, kw, channels)``, or ``(kh, kw)`` where the input has one channel: an array, a tensor
        or nested lists. NaN and infinity are let through.
    channels
        Channels of the layer's input that one kernel reads.
    kind
        Kind of the layer.
    own
        Shape of the layer's own kernel variable, where there is a layer.

    Returns
    -------
    KernelsAndBias
        Copies, all of one shape.

    Raises
    ------
    ValueError, TypeError
        If they are none of these; the error names the kernel by its index. One array that has several meanings is
        refused with the expression for each: with one channel, ``(kh, kw, 1, filters)`` is always Keras's.
    """
    kernels = listed(kernels, shape_text(channels))
    refuse_one_kernel(kernels, channels, free=own is None)
    items = items_of(kernels)
    whole = whole_weight(kernels, items)
    if whole is not None:
        return _read_whole(whole, items[1:], channels, kind, own)
    if len(getattr(kernels, "shape", ())) == 4:
        items = list(split(as_array(kernels, "kernels"), channels, kind, own))
    if not items:
        raise ValueError(f"kernels is empty; expected at least one array of shape {shape_text(channels)}.")
    _check_sizes(items)
    result: list[FloatArray] = []
    for index, item in enumerate(items):
        kernel = _one(item, channels, f"kernels[{index}]", kind)
        if result and kernel.shape != result[0].shape:
            raise ValueError(
                f"kernels[{index}] has shape {_given(kernel)}, but kernels[0] has {_given(result[0])}. All kernels "
                "of one layer have one shape: pad the smaller ones with zeros (np.pad)."
            )
        result.append(kernel)
    return KernelsAndBias(tuple(result))


def read_kernel(kernel: Any, shape: tuple[int, int, int], index: int) -> FloatArray:
    """Read one kernel of the list's ``(kh, kw, channels)``; `index` is its place in the list, for errors."""
    values = _one(kernel, shape[2], f"kernels[{index}]", CONVOLUTION)
    if values.shape != shape:
        expected = shape[:2] if shape[2] == 1 else shape
        raise ValueError(
            f"kernels[{index}] has shape {_given(values)}; the kernels of this layer have {expected}. Pad or crop it, "
            "or assign all of lens.kernels at once to change their size."
        )
    return values


def check_fits(geometry: Geometry) -> None:
    """Raise `ValueError` if the kernels span more rows or columns than the padded image has.

    Checked here because TensorFlow, given such a layer, may return uninitialised memory rather than an error.
    """
    check_bounds(geometry)
    if not geometry.kind.slides:
        return
    rows, cols, _ = geometry.input_shape
    top, bottom, left, right = geometry.pads
    padded = (rows + top + bottom, cols + left + right)
    extent = geometry.extent
    if extent[0] <= padded[0] and extent[1] <= padded[1]:
        return
    kh, kw = geometry.kernel_size
    if geometry.rank == 1:
        span = "" if extent[1] == kw else f" (spanning {extent[1]} steps at dilation_rate={geometry.dilation_rate[1]})"
        raise ValueError(
            f"kernels[0], and with it every kernel of the layer, has {kw} taps{span}: more than the signal of {cols} "
            f"steps, to which padding={geometry.padding!r} adds nothing. Use a longer signal, shorter kernels or "
            'padding="same".'
        )
    span = (
        "" if extent == (kh, kw) else f" (spanning {extent[0]} × {extent[1]} at dilation_rate={geometry.dilation_rate})"
    )
    raise ValueError(
        f"kernels[0], and with it every kernel of the layer, is {kh} × {kw}{span}: larger than the image of "
        f"{rows} × {cols} (rows × cols), to which padding={geometry.padding!r} adds nothing. Use a larger image, "
        'smaller kernels or padding="same".'
    )


def _read_whole(
    weight: NDArray[Any], others: Sequence[Any], channels: int, kind: Kind, own: tuple[int, ...] | None
) -> KernelsAndBias:
    """Read Keras's list of weights: the kernel variable, a separable layer's second one, and any bias."""
    pointwise = None
    if kind.pointwise and others and np.ndim(others[0]) == 4:
        pointwise = frozen(as_float32(as_array(others[0], "kernels[1]")[0, 0], "kernels[1]"))
        others = others[1:]
    bias = as_array(others[0], "bias") if others else None
    check_keras_layout(weight.shape, channels, kind, own, None if bias is None else bias.size)
    items = list(kind.to_kernels(weight))
    _check_sizes(items)
    kernels = tuple(_one(item, channels, f"kernels[{index}]", kind) for index, item in enumerate(items))
    count = len(kernels) if pointwise is None else pointwise.shape[1]
    return KernelsAndBias(kernels, None if bias is None else read_bias(bias, count), pointwise)


def check_shape(shape: tuple[int, ...], geometry: Geometry) -> None:
    """Raise `ValueError` if kernels are not of the shape that the layer has."""
    if shape != geometry.kernel_shape:
        raise ValueError(
            f"The kernels have shape {shape}, but layer {geometry.name!r} ({geometry.class_name}) reads an input of "
            f"{geometry.input_shape} with kernels of {geometry.kernel_shape}. Give kernels of that shape."
        )


def _check_sizes(items: Sequence[Any]) -> None:
    if len(items) > FILTERS:
        raise ValueError(f"{len(items):,} kernels were given; a lens takes {FILTERS:,} at most: kernels[:{FILTERS}].")
    shape: tuple[int, ...] = np.shape(items[0]) if hasattr(items[0], "shape") else ()
    if len(shape) in (2, 3) and shape[0] * shape[1] > TAPS:
        raise ValueError(
            f"kernels[0] has shape {shape}, {shape[0] * shape[1]:,} numbers a channel; a lens takes {TAPS:,} at most. "
            "Crop it, e.g. kernel[:256, :256]."
        )
    if math.prod(shape) * len(items) > WEIGHTS:
        raise ValueError(
            f"{len(items):,} kernels of shape {shape} hold {math.prod(shape) * len(items):,} numbers; a lens takes "
            f"{WEIGHTS:,} at most. Give fewer: kernels[:{max(WEIGHTS // math.prod(shape), 1)}]."
        )


def _one(value: Any, channels: int, what: str, kind: Kind) -> FloatArray:
    if isinstance(value, str):
        raise TypeError(f"{what} is the string {shortened(value)}; expected an array.{preset_hint(value)}")
    if value is None:
        raise TypeError(f"{what} is None; expected an array of shape {shape_text(channels)}.")
    array = as_array(value, what)
    if array.ndim == 2 and channels == 1:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] != channels:
        raise ValueError(
            f"{what} has shape {array.shape}; expected {shape_text(channels)}.{mend_of(array, channels, kind)}"
        )
    if array.size == 0:
        raise ValueError(f"{what} has shape {array.shape}: it is empty. Expected at least one row and one column.")
    return frozen(as_float32(array, what))


def _given(kernel: FloatArray) -> tuple[int, ...]:
    return kernel.shape[:2] if kernel.shape[2] == 1 else kernel.shape
