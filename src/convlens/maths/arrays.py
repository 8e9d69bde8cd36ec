"""From an array or tensor of any library to a NumPy array of real numbers, or to an error that names what was given."""

from __future__ import annotations

import math
import reprlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.maths import limits

FloatArray = NDArray[np.float32]


def as_array(value: Any, what: str) -> NDArray[Any]:
    """Return `value` as a NumPy array of booleans, integers or floats.

    Parameters
    ----------
    value
        A NumPy array, a tensor (TensorFlow, JAX, PyTorch, anything with ``__array__`` or ``__dlpack__``), a
        number or nested lists of numbers.
    what
        How errors call it, e.g. ``"kernels[2]"``.

    Returns
    -------
    numpy.ndarray
        Of any shape. It may share memory with `value`: never write to it.

    Raises
    ------
    TypeError
        If `value` holds no real numbers.
    ValueError
        If its rows differ in length, or if it is a masked array with masked entries.
    """
    if isinstance(value, np.ma.MaskedArray):
        masked = int(np.ma.getmaskarray(value).sum())
        if masked:
            raise ValueError(
                f"{what} is a masked array with {masked} masked values, and a convolution cannot use a mask. "
                "Fill them first, e.g. with .filled(0), or with .filled(np.nan) to see where they reach."
            )
        value = value.data
    array = _convert(value, what)
    if array.dtype.kind == "c":
        raise TypeError(
            f"{what} is complex ({array.dtype}); expected real numbers. Take .real, .imag or np.abs() of it."
        )
    if array.dtype.kind in "US":
        raise TypeError(f"{what} holds text ({shortened(value)}); expected numbers.")
    if not _is_real(array.dtype):
        raise TypeError(
            f"{what} has dtype {array.dtype} ({type(value).__name__}); expected numbers. "
            "Each of its entries must be a single number: no None, no text, no arrays of unequal shape."
        )
    return array


def shortened(value: Any, most: int = limits.ECHO) -> str:
    """Return ``repr(value)`` of at most `most` characters, made without writing out a long value first."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = most
    text = short.repr(value)
    return text if len(text) <= most else text[: most - 3] + "..."


def as_float32(array: NDArray[Any], what: str) -> FloatArray:
    """Return a new C-contiguous float32 copy of `array`; a finite value beyond float32's range is a `ValueError`."""
    with np.errstate(over="ignore"):
        values = np.array(array, dtype=np.float32, order="C")
    lost = np.isinf(values)
    if lost.any():
        lost &= np.isfinite(np.asarray(array, dtype=np.longdouble))
        if lost.any():
            raise ValueError(
                f"{what} holds {array[lost][0]!s}, which float32 cannot: its greatest value is "
                f"{np.finfo(np.float32).max:.7g}. Scale the values down."
            )
    return values


def json_number(value: float) -> float | str:
    """Write a number so that JSON can carry it: what is not finite becomes a word that JavaScript's Number() reads."""
    value = float(value)
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def frozen(array: FloatArray) -> FloatArray:
    """Make `array`, which nobody else may hold, read-only and return it."""
    array.setflags(write=False)
    return array


def _convert(value: Any, what: str) -> NDArray[Any]:
    # A PyTorch tensor that records gradients or lives on a GPU refuses __array__.
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        value = value.detach().cpu()
        if "bfloat16" in str(value.dtype):  # the one dtype that PyTorch has and its .numpy() has not
            value = value.float()
    elif hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
        value = np.from_dlpack(value)
    try:
        array = np.asarray(value)
        # Rows of a data frame hold objects although all of them are numbers.
        return _numbers(array) if array.dtype == object else array
    except Exception as error:  # a symbolic tensor's error differs from library to library
        if isinstance(error, ValueError) and isinstance(value, (list, tuple)):
            raise ValueError(f"{what} is ragged: its rows differ in length{_lengths(value)}.") from error
        raise TypeError(
            f"{what} ({type(value).__name__}) cannot be made into an array: {error} Expected an array, a tensor with "
            "values, or nested lists of numbers."
        ) from error


def _numbers(array: NDArray[Any]) -> NDArray[Any]:
    entries = array.ravel().tolist()
    if entries and all(isinstance(entry, (bool, int, float, np.bool_, np.integer, np.floating)) for entry in entries):
        numbers = np.asarray(array.tolist())
        return numbers.astype(float) if numbers.dtype == object else numbers  # integers beyond 64 bits
    return array


def _is_real(dtype: np.dtype[Any]) -> bool:
    # bfloat16 and others (ml_dtypes, from TensorFlow and JAX) are of kind "V" in NumPy but cast safely to float32.
    return dtype.kind in "biuf" or (dtype.kind == "V" and dtype.names is None and np.can_cast(dtype, np.float32))


def _lengths(rows: list[Any] | tuple[Any, ...]) -> str:
    lengths = [len(row) for row in rows if hasattr(row, "__len__")]
    if len(lengths) != len(rows) or len(set(lengths)) < 2:
        return ""
    return " (" + ", ".join(map(str, lengths[:8])) + (", …" if len(lengths) > 8 else "") + ")"
