"""Anything a user may call kernels, biases or names → validated, read-only values, or an error that teaches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.arrays import FloatArray, as_array, as_float32, frozen
from convlens.geometry import Geometry


def kernel_depth(kernels: Any) -> int | None:
    """Return how many channels the first of `kernels` reads: 1 for ``(kh, kw)``, n for ``(kh, kw, n)``.

    None where that cannot be told; :func:`read_kernels` then says what is wrong.
    """
    try:
        items = _items(kernels)
        shape = as_array(items[0], "kernels[0]").shape
    except (TypeError, ValueError, IndexError):
        return None
    return {2: 1, 3: shape[-1]}.get(len(shape))


def read_kernels(kernels: Any, channels: int) -> tuple[FloatArray, ...]:
    """Read a list of kernels.

    Parameters
    ----------
    kernels
        A list of kernels, or a stack of them with the filters first: ``(n, kh, kw)`` or ``(n, kh, kw, channels)``.
        Each kernel is ``(kh, kw, channels)``, or ``(kh, kw)`` where the input has one channel: an array, a tensor
        or nested lists. NaN and infinity are let through.
    channels
        Channels of the layer's input that one kernel reads.

    Returns
    -------
    tuple of numpy.ndarray
        Copies of shape ``(kh, kw, channels)``, float32, read-only, all of one shape.

    Raises
    ------
    ValueError, TypeError
        If they are none of that; the error names the kernel by its index.
    """
    if isinstance(kernels, Mapping):
        raise TypeError(
            "kernels is a mapping; expected a list of arrays: list(kernels.values()), with names=list(kernels)."
        )
    if kernels is None or isinstance(kernels, (str, bytes)) or not isinstance(kernels, Iterable):
        raise TypeError(f"kernels is {_article(kernels)}; expected a list of arrays of shape {_shape_text(channels)}.")
    _refuse_keras_layout(kernels, channels)
    items = _items(kernels)
    if not items:
        raise ValueError(f"kernels is empty; expected at least one array of shape {_shape_text(channels)}.")
    result: list[FloatArray] = []
    for index, item in enumerate(items):
        kernel = _one(item, channels, f"kernels[{index}]")
        if result and kernel.shape != result[0].shape:
            raise ValueError(
                f"kernels[{index}] has shape {_given(kernel)}, but kernels[0] has {_given(result[0])}. All kernels "
                "of one layer have one shape: pad the smaller ones with zeros (np.pad)."
            )
        result.append(kernel)
    return tuple(result)


def read_kernel(kernel: Any, shape: tuple[int, int, int], index: int) -> FloatArray:
    """Read one kernel of the list's ``(kh, kw, channels)``; `index` is its place in the list, for errors."""
    values = _one(kernel, shape[2], f"kernels[{index}]")
    if values.shape != shape:
        expected = shape[:2] if shape[2] == 1 else shape
        raise ValueError(
            f"kernels[{index}] has shape {_given(values)}; the kernels of this layer have {expected}. Pad or crop it, "
            "or assign all of lens.kernels at once to change their size."
        )
    return values


def read_bias(bias: Any, n: int) -> FloatArray:
    """Read a bias of ``(n,)`` numbers, one per filter; None is zeros. Returns a read-only float32 copy."""
    if bias is None:
        return frozen(np.zeros(n, np.float32))
    array = as_array(bias, "bias")
    if array.shape != (n,):
        mend = f" For the same one everywhere: np.full({n}, {array.item()!r})." if array.ndim == 0 else ""
        raise ValueError(
            f"bias has shape {array.shape}; expected ({n},), one number for each of the {n} "
            f"filter{'s' * (n != 1)}.{mend}"
        )
    return frozen(as_float32(array, "bias"))


def read_pointwise(kernels: Any, shape: tuple[int, ...]) -> FloatArray:
    """Read a separable layer's pointwise kernels, one a filter, as Keras's ``(depthwise channels, filters)``.

    `shape` is the one that is expected.
    """
    array = as_array(kernels, "pointwise_kernels")
    channels, filters = shape
    if array.shape != (filters, channels):
        mend = " Give them with the filters first: list(kernel[0, 0].T)." if array.shape == (1, 1, *shape) else ""
        raise ValueError(
            f"pointwise_kernels has shape {array.shape}; expected ({filters}, {channels}): for each of the {filters} "
            f"filters one weight for each of the {channels} depthwise channels.{mend}"
        )
    return frozen(as_float32(array, "pointwise_kernels").T)


def read_names(names: Any, n: int) -> list[str]:
    """Read `n` names of filters; None is "Filter 1", "Filter 2", ..."""
    if names is None:
        return [f"Filter {i + 1}" for i in range(n)]
    if isinstance(names, (str, bytes)) or not isinstance(names, Iterable):
        raise TypeError(f"names is {_article(names)}; expected a list of {n} strings, one per filter.")
    result = list(names)
    for index, name in enumerate(result):
        if not isinstance(name, str):
            raise TypeError(f"names[{index}] is {_article(name)}; expected a string.")
    if len(result) != n:
        raise ValueError(f"{len(result)} names for {n} filter{'s' * (n != 1)}; expected one name for each.")
    return [str(name) for name in result]


def check_fits(geometry: Geometry) -> None:
    """Raise `ValueError` if the kernels span more rows or columns than the padded image has.

    Asked here because TensorFlow, given such a layer, may return uninitialised memory rather than an error.
    """
    if geometry.kind == "transpose":
        return
    rows, cols, _ = geometry.input_shape
    top, bottom, left, right = geometry.pads
    padded = (rows + top + bottom, cols + left + right)
    extent = geometry.extent
    if extent[0] <= padded[0] and extent[1] <= padded[1]:
        return
    kh, kw = geometry.kernel_size
    span = (
        "" if extent == (kh, kw) else f" (spanning {extent[0]} × {extent[1]} at dilation_rate={geometry.dilation_rate})"
    )
    raise ValueError(
        f"kernels[0], and with it every kernel of the layer, is {kh} × {kw}{span}: larger than the image of "
        f"{rows} × {cols} (rows × cols), to which padding={geometry.padding!r} adds nothing. Use a larger image, "
        'smaller kernels or padding="same".'
    )


def _items(kernels: Any) -> Sequence[Any]:
    if isinstance(kernels, (list, tuple)):
        return kernels
    if hasattr(kernels, "shape"):  # one conversion of a whole stack, not one per kernel
        array = as_array(kernels, "kernels")
        return list(array) if array.ndim else [array]
    return list(kernels)


def _one(value: Any, channels: int, what: str) -> FloatArray:
    if isinstance(value, str):
        raise TypeError(f"{what} is the text {value!r}; expected an array.{_preset_hint(value)}")
    if value is None:
        raise TypeError(f"{what} is None; expected an array of shape {_shape_text(channels)}.")
    array = as_array(value, what)
    if array.ndim == 2 and channels == 1:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] != channels:
        raise ValueError(f"{what} has shape {array.shape}; expected {_shape_text(channels)}.{_mend(array, channels)}")
    if array.size == 0:
        raise ValueError(f"{what} has shape {array.shape}: it is empty. Expected at least one row and one column.")
    return frozen(as_float32(array, what))


def _mend(array: NDArray[Any], channels: int) -> str:
    shape = array.shape
    if array.ndim == 1:
        return " If kernels is a single kernel, put it in a list: [kernel]."
    if array.ndim == 2:
        return (
            f" To apply it to every one of the {channels} channels: np.stack([kernel] * {channels}, axis=-1) "
            f"(divide by {channels} to average them)."
        )
    if array.ndim == 3 and shape[0] == channels and channels > 1:
        return " If its channels come first, put them last: np.moveaxis(kernel, 0, -1)."
    if array.ndim == 3 and channels == 1:
        return " The input has one channel: choose a plane, kernel[:, :, 0], or give a colour image."
    if array.ndim == 4 and shape[2:] == (channels, 1):
        return " Leave out the filter axis, which Keras adds: kernel[:, :, :, 0]."
    return ""


def _refuse_keras_layout(kernels: Any, channels: int) -> None:
    """Raise if `kernels` is one array in Keras's layout, which, read as a stack, would be scrambled."""
    shape = tuple(getattr(kernels, "shape", ()))
    if len(shape) == 2 or (len(shape) == 3 and shape[2] == channels):
        several = " If it is a stack of several, give list(kernels)." if len(shape) == 3 and channels == 1 else ""
        raise ValueError(
            f"kernels is one array of shape {shape}. If it is a single kernel, put it in a list: [kernel].{several}"
        )
    if len(shape) != 4 or shape[2] != channels:
        return
    if shape[3] == channels:
        raise ValueError(
            f"kernels is one array of shape {shape}, which can be read in two ways. If it is Keras's "
            "(kh, kw, in_channels, filters), give list(np.moveaxis(kernels, -1, 0)); if it is "
            "(filters, kh, kw, channels), give list(kernels)."
        )
    raise ValueError(
        f"kernels is one array of shape {shape}, Keras's layout (kh, kw, in_channels, filters); expected the filters "
        f"first, (n, kh, kw, {channels}): list(np.moveaxis(kernels, -1, 0))."
    )


def _preset_hint(name: str) -> str:
    from convlens.named_kernels import presets

    return f" convlens.presets[{name!r}] is that array." if name in presets else ""


def _shape_text(channels: int) -> str:
    return "(kh, kw)" if channels == 1 else f"(kh, kw, {channels})"


def _given(kernel: FloatArray) -> tuple[int, ...]:
    return kernel.shape[:2] if kernel.shape[2] == 1 else kernel.shape


def _article(value: Any) -> str:
    if value is None:
        return "None"
    detail = f" ({value!r})" if isinstance(value, (str, bytes, int, float)) else ""
    return f"of type {type(value).__name__}{detail}"
