"""How to mend kernels that cannot be read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.inputs.kernel_layouts import channels_first_hint
from convlens.maths.arrays import as_array, shortened
from convlens.maths.kind import Kind

#: The longest row of numbers that an error writes out.
_WRITTEN = 10


def refuse_one_kernel(kernels: Any, channels: int, free: bool) -> None:
    """Raise for a single kernel, or a single row or number, that is not in a list.

    `free` is whether the layer may take one channel instead.
    """
    shape = tuple(getattr(kernels, "shape", ()))
    if hasattr(kernels, "shape") and not (isinstance(kernels, np.ndarray) and kernels.dtype == object):
        numbers = as_array(kernels, "kernels") if len(shape) < 2 else None
    elif isinstance(kernels, (list, tuple)) and kernels and all(_is_number(item) for item in kernels):
        numbers, shape = as_array(kernels, "kernels"), (len(kernels),)
    else:
        return
    if numbers is not None and numbers.size:
        raise no_kernels(numbers, channels)
    if len(shape) == 2 or (len(shape) == 3 and shape[2] == channels):
        stack = len(shape) == 3 and (channels == 1 or free)
        several = " If it is a stack of several, give list(kernels)." if stack else ""
        raise ValueError(
            f"kernels is one array of shape {shape}. If it is a single kernel, put it in a list: [kernel].{several}"
        )


def no_kernels(numbers: NDArray[Any], channels: int) -> ValueError:
    """Return the error for a number or a row of them where a list of kernels is expected."""
    if numbers.ndim == 0:
        row = column = f"[[{numbers}]]"
        forms = f"A kernel of one number is {row}; give kernels=[{row}]"
    else:
        row, column = f"[{numbers.tolist()}]", f"{numbers[:, None].tolist()}"
        if numbers.size > _WRITTEN:
            row, column = "[kernels]", "[[number] for number in kernels]"
        lists = f"kernels=[{row}] or kernels=[{column}]"
        forms = f"As a kernel of one row it is {row}, as one of one column {column}; give {lists}"
    return ValueError(
        f"kernels has shape {numbers.shape}; expected a list of arrays of shape {shape_text(channels)}. {forms}."
    )


def mend_of(array: NDArray[Any], channels: int, kind: Kind) -> str:
    """Return how to make a kernel of a wrong shape, that of `array`, fit a layer that reads `channels`."""
    shape = array.shape
    if array.ndim == 0:
        return f" A kernel of one number is [[{array}]]; in a list: kernels=[[[{array}]]]."
    if array.ndim == 1:
        return (
            " If kernels is a single kernel, put it in a list: [kernel]. If this is a kernel of one row, it is "
            "[kernel], and in a list [[kernel]]. For a signal (steps, channels), give kernels (k, channels) and ndim=1."
        )
    if array.ndim == 2:
        return (
            f" To apply it to every one of the {channels} channels: np.stack([kernel] * {channels}, axis=-1) "
            f"(divide by {channels} to average them)."
        )
    hint = ""
    if array.ndim == 3 and shape[1] == channels and kind.filters_axis == 3:
        hint = " If kernels is list(w) of Keras's (kh, kw, in_channels, filters), give np.stack(kernels)."
    if array.ndim == 3 and shape[0] == channels and kind.filters_axis is not None:
        hint += channels_first_hint(shape)
    if hint:
        return hint
    if array.ndim == 3 and channels == 1:
        return " The input has one channel: choose a plane, kernel[:, :, 0], or give a colour image."
    if array.ndim == 4 and shape[2:] == (channels, 1):
        return " Leave out the filter axis, which Keras adds: kernel[:, :, :, 0]."
    return ""


def preset_hint(name: str) -> str:
    """Return where to find the kernel that a text names."""
    from convlens.inputs.presets import presets

    return f" convlens.presets[{name!r}] is that array." if name in presets else ""


def shape_text(channels: int) -> str:
    """Return the shape of one kernel that reads `channels`."""
    return "(kh, kw)" if channels == 1 else f"(kh, kw, {channels})"


def described(value: Any) -> str:
    """Return what `value` is, as it follows "is" in an error."""
    if value is None:
        return "None"
    detail = f" ({shortened(value)})" if isinstance(value, (str, bytes, int, float)) else ""
    return f"of type {type(value).__name__}{detail}"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number, np.bool_)) or getattr(value, "shape", None) == ()
