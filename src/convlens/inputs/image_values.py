"""The numbers of an image as float32: which integers are divided by what, and what the user is told about it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.inputs.pictures import Draft
from convlens.maths.arrays import FloatArray, as_float32

#: Integers that stay below this part of their type's maximum are noted: eleven bits of fourteen, say.
_SMALL_PART = 8
#: Steps of grey below which the rounding to float32 is noted: those of an 8-bit picture.
_GREYS = 256


def scaled(draft: Draft, scale: bool) -> tuple[FloatArray, float]:
    """Return the values as float32, and what they were divided by; what a user would not expect becomes a note.

    Parameters
    ----------
    draft
        Integers of an array are divided by the maximum of their type, those of a file by the greatest that its pixels
        can hold.
    scale
        False leaves arrays as given, while files span 0 to 255.
    """
    array = draft.array
    divisor = (draft.full if draft.integers else 1.0) if scale else draft.to_bytes
    if draft.integers and divisor > 1.0:
        _note_small_integers(draft, divisor)
    if divisor == 1.0:
        values = as_float32(array, "The image")
    else:
        # For up to 16 bits, one float32 division rounds as a float64 division that is then rounded.
        precise = np.float32 if array.dtype.kind in "iu" and draft.full <= 65535 else np.float64
        values = as_float32(np.divide(array, divisor, dtype=precise), "The image")
    _note_rounding(draft, array)
    return values, divisor


def _note_small_integers(draft: Draft, divisor: float) -> None:
    array = draft.array
    low, high = float(array.min()), float(array.max())
    greatest = max(high, -low)
    if greatest == 0 or greatest * _SMALL_PART > draft.full:
        return
    pixels = draft.expression
    if pixels is None:
        mend = "an array of floats is used as it is"
    elif low >= 0 and high <= 1:
        mend = f"{pixels}.astype(bool) makes 1 white"
    elif low >= 0 and 255 / _SMALL_PART < high <= 255:
        mend = f'{pixels}.astype("uint8") makes 255 the maximum'
    else:
        mend = f"{pixels} / {greatest:.10g} fills the range"
    whose = "their type's maximum" if draft.to_bytes == 1.0 and draft.path is None else "the most a pixel can hold"
    draft.notes.append(
        f"Integers from {low:.10g} to {high:.10g} were divided by {divisor:.10g}, {whose}, so they span only "
        f"{low / divisor:.3g} to {high / divisor:.3g}; {mend}."
    )


def _note_rounding(draft: Draft, array: NDArray[Any]) -> None:
    """Note where float32, with its 24 bits, merges values that differ."""
    if array.dtype.itemsize < 4 or array.dtype == np.float32 or array.dtype.kind == "b":
        return
    low, high = float(array.min()), float(array.max())
    if not np.isfinite([low, high]).all() or low == high:
        return
    step = float(np.spacing(np.float32(max(abs(low), abs(high)))))
    if step * _GREYS > high - low:
        draft.notes.append(
            f"float32, in which Keras computes, rounds values near {max(low, high, key=abs):.6g} to steps of "
            f"{step:.3g}, and these span {high - low:.3g}: detail is lost. image - image.min() keeps it."
        )
