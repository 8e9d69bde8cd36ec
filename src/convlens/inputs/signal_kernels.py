"""Anything a user may call kernels of a layer over signals → kernels of one row, or an error with the mend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.inputs.bias_and_names import read_bias
from convlens.inputs.kernel_items import items_of, listed, weights_of
from convlens.inputs.kernels import KernelsAndBias
from convlens.maths.arrays import FloatArray, as_array, as_float32, frozen, shortened
from convlens.maths.kind import CONVOLUTION, Kind
from convlens.maths.limits import FILTERS, TAPS

#: Kernels of a lens that is given a signal and nothing else, each under its title.
DEFAULT_KERNELS: dict[str, tuple[float, ...]] = {
    "Mean of five": (0.2, 0.2, 0.2, 0.2, 0.2),
    "Binomial smoothing": (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16),
    "Central difference": (0, -1 / 2, 0, 1 / 2, 0),
    "Second difference": (0, 1, -2, 1, 0),
}


def signal_kernel_depth(kernels: Any) -> int | None:
    """Return how many channels kernels read: 1 for ``(k,)``, n for ``(k, n)``; None where it cannot be determined."""
    try:
        items = items_of(kernels)
        whole = _whole(kernels, items)
        shape = np.shape(as_array(items[0], "kernels[0]")) if whole is None else whole.shape
    except (TypeError, ValueError, IndexError):
        return None
    if whole is not None:
        return int(shape[1])
    if hasattr(kernels, "shape") and len(shape) == 2:
        return None
    return 1 if len(shape) == 1 else int(shape[1]) if len(shape) == 2 else None


def read_signal_kernels(
    kernels: Any, channels: int, kind: Kind = CONVOLUTION, own: tuple[int, ...] | None = None
) -> KernelsAndBias:
    """Read a list of kernels, one array of them, or the whole list of weights of a layer over signals.

    Parameters
    ----------
    kernels
        A list, or any iterable, of kernels ``(k,)`` where the signal has one channel, else ``(k, in_channels)``; a
        stack of them, ``(n, k)`` or ``(n, k, in_channels)``; Keras's ``(k, in_channels, filters)``; or
        ``layer.get_weights()``.
    channels, kind, own
        As for `convlens.inputs.kernels.read_kernels_and_bias`.

    Returns
    -------
    KernelsAndBias
        Copies, ``(1, k, channels)``, all of one length.

    Raises
    ------
    ValueError, TypeError
        If they are none of these.
    """
    text = shape_text(channels)
    kernels = listed(kernels, text)
    items: Sequence[Any] = items_of(kernels)
    if not len(items):
        raise ValueError(f"kernels is empty; expected at least one array of shape {text}.")
    if all(np.ndim(item) == 0 and not isinstance(item, str) for item in items):
        raise ValueError(
            f"kernels is one row of {len(items)} numbers; expected a list of arrays of shape {text}. If it is a single "
            "kernel, put it in a list: [kernel]."
        )
    whole = _whole(kernels, items)
    if whole is not None:
        return _read_whole(whole, items[1:], channels, kind, own)
    if hasattr(kernels, "shape"):
        items = _of_one_array(as_array(kernels, "kernels"), channels, kind, own)
    if len(items) > FILTERS:
        raise ValueError(f"{len(items):,} kernels were given; a lens takes {FILTERS:,} at most: kernels[:{FILTERS}].")
    result: list[FloatArray] = []
    for index, item in enumerate(items):
        kernel = one_kernel(item, channels, f"kernels[{index}]")
        if result and kernel.shape != result[0].shape:
            raise ValueError(
                f"kernels[{index}] has {kernel.shape[1]} taps, but kernels[0] has {result[0].shape[1]}. All kernels of "
                "one layer have one length: pad the shorter ones with zeros (np.pad)."
            )
        result.append(kernel)
    return KernelsAndBias(tuple(result))


def read_signal_kernel(kernel: Any, shape: tuple[int, int, int], index: int) -> FloatArray:
    """Read one kernel of the list's ``(1, k, channels)``; `index` is its place in the list, for errors."""
    values = one_kernel(kernel, shape[2], f"kernels[{index}]")
    if values.shape != shape:
        raise ValueError(
            f"kernels[{index}] has {values.shape[1]} taps; the kernels of this layer have {shape[1]}. Pad or crop it, "
            "or assign all of lens.kernels at once to change their length."
        )
    return values


def one_kernel(value: Any, channels: int, what: str) -> FloatArray:
    """Return one kernel ``(k,)`` or ``(k, channels)`` as ``(1, k, channels)``, a read-only copy."""
    if isinstance(value, str):
        raise TypeError(f"{what} is the string {shortened(value)}; expected an array.")
    if value is None:
        raise TypeError(f"{what} is None; expected an array of shape {shape_text(channels)}.")
    array = as_array(value, what)
    if array.ndim == 1 and channels == 1:
        array = array[:, np.newaxis]
    if array.ndim != 2 or array.shape[1] != channels:
        raise ValueError(
            f"{what} has shape {array.shape}; expected {shape_text(channels)}, the kernel of a signal of "
            f"{channels} channel{'s' * (channels != 1)}.{_mend(array, channels)}"
        )
    if array.size == 0:
        raise ValueError(f"{what} has shape {array.shape}: it is empty. Expected at least one tap.")
    if array.shape[0] > TAPS:
        raise ValueError(f"{what} has {array.shape[0]:,} taps; a lens takes {TAPS:,} at most: kernel[:{TAPS}].")
    return frozen(as_float32(array[np.newaxis], what))


def shape_text(channels: int) -> str:
    """Return the shape of one kernel that reads `channels`."""
    return "(k,)" if channels == 1 else f"(k, {channels})"


def _mend(array: NDArray[Any], channels: int) -> str:
    if array.ndim == 0:
        return " If kernels is a single kernel, put it in a list: [kernel]."
    if array.ndim == 1:
        return f" To apply it to every channel: np.stack([kernel] * {channels}, axis=-1)."
    if array.ndim == 2 and array.shape[0] == channels:
        return f" If its channel{'s come' if channels > 1 else ' comes'} first, turn it: kernel.T."
    return ""


def _whole(kernels: Any, items: Sequence[Any]) -> NDArray[Any] | None:
    """Return the kernel variable, of three axes, if `items` are a layer's list of weights."""
    arrays = weights_of(kernels, items)
    return arrays[0] if [array.ndim for array in arrays] in ([3], [3, 1], [3, 3], [3, 3, 1]) else None


def _read_whole(
    weight: NDArray[Any], others: Sequence[Any], channels: int, kind: Kind, own: tuple[int, ...] | None
) -> KernelsAndBias:
    pointwise = None
    if others and np.ndim(others[0]) == 3:
        if not kind.pointwise:
            raise ValueError(
                "kernels is a list of two arrays of three axes, as a SeparableConv1D has; this layer has one. Give its "
                "own get_weights(), or a list of kernels."
            )
        pointwise = frozen(as_float32(as_array(others[0], "kernels[1]")[0], "kernels[1]"))
        others = others[1:]
    if "keras" not in _fits(weight.shape, channels, kind, own):
        raise ValueError(f"kernels[0] has shape {weight.shape}; expected Keras's {_keras_text(channels, kind, own)}.")
    bias = as_array(others[0], "bias") if others else None
    kernels = tuple(frozen(as_float32(one, "kernels[0]")) for one in kind.to_kernels(weight[np.newaxis]))
    count = len(kernels) if pointwise is None else pointwise.shape[1]
    return KernelsAndBias(kernels, None if bias is None else read_bias(bias, count), pointwise)


def _of_one_array(array: NDArray[Any], channels: int, kind: Kind, own: tuple[int, ...] | None) -> Sequence[Any]:
    """Return the kernels ``(k,)`` or ``(k, channels)`` of one array."""
    shape = array.shape
    if array.ndim == 2 and channels == 1 and shape[1] > 1:
        return list(array)
    if array.ndim == 2:
        raise ValueError(
            f"kernels is one array of shape {shape}. If it is a single kernel, put it in a list: [kernel]."
            + (" If it is a stack of several, give list(kernels)." if channels == 1 else "")
        )
    if array.ndim != 3:
        raise ValueError(
            f"kernels is one array of shape {shape}; expected a list of arrays of shape {shape_text(channels)}."
        )
    fits = _fits(shape, channels, kind, own)
    if fits == ["stack"]:
        return list(array)
    if fits == ["keras"] or (fits and channels == 1 and kind.filters_axis == 3):
        return [kernel[0] for kernel in kind.to_kernels(array[np.newaxis])]
    keras = _keras_text(channels, kind, own)
    if fits:
        axis = {3: -1, 2: 1}.get(kind.filters_axis or 0)
        ours = "[kernels]" if axis is None else f"list(np.moveaxis(kernels, {axis}, 0))"
        raise ValueError(
            f"kernels is one array of shape {shape}, which can be read in two ways. If it is Keras's {keras}, give "
            f"{ours}; if it is (filters, k, channels), give list(kernels)."
        )
    raise ValueError(
        f"kernels is one array of shape {shape}; expected Keras's {keras}, or the filters first, "
        f"(filters, k, {channels}). np.moveaxis puts axes into another order."
    )


def _fits(shape: tuple[int, ...], channels: int, kind: Kind, own: tuple[int, ...] | None) -> list[str]:
    """Return in which of two orders, Keras's or a stack, an array of three axes may be."""
    if kind.filters_axis is None:
        fits = {"keras": own is None or shape[1:] == own[1:], "stack": shape[2] == 1}
    else:
        fits = {"keras": shape[1 if kind.filters_axis == 3 else 2] == channels, "stack": shape[2] == channels}
    found = [layout for layout, fit in fits.items() if fit]
    if len(found) == 2 and own is not None:
        stacked = kind.to_kernels(np.broadcast_to(0.0, (1, *own)))[:, 0].shape
        if (shape == own) != (shape == stacked):
            return ["keras"] if shape == own else ["stack"]
    return found


def _keras_text(channels: int, kind: Kind, own: tuple[int, ...] | None) -> str:
    if kind.filters_axis is None:
        inputs, multiplier = own[1:] if own else ("in_channels", "depth_multiplier")
        return f"(k, {inputs}, {multiplier})"
    return f"(k, {channels}, filters)" if kind.filters_axis == 3 else f"(k, filters, {channels})"
