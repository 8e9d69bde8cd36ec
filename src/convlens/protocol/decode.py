"""The fields of a request: what a browser sent → values that can be relied on, or a refusal that says what came."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from convlens.filters import Array
from convlens.session import Session


class Refused(ValueError):
    """A request that is forged, out of date or wrong; the lens stays as it was."""


def checked(value: Any, kind: type, name: str) -> Any:
    """Return a value of this type."""
    if not isinstance(value, kind):
        raise Refused(f"The widget sent {name}={value!r}; expected a {kind.__name__}.")
    return value


def whole(value: Any, name: str) -> int:
    """Return a whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(f"The widget sent {name}={value!r}; expected a whole number.")
    return value


def number(value: Any, name: str) -> float:
    """Return a number that float32 holds; text stands for what JSON has no numbers for."""
    if isinstance(value, bool) or not (isinstance(value, (int, float)) or value in ("NaN", "Infinity", "-Infinity")):
        raise Refused(f"The widget sent {name}={value!r}; expected a number.")
    number = float(value)
    if math.isfinite(number) and abs(number) > float(np.finfo(np.float32).max):
        raise Refused(f"{number:g} is too large for float32, which ends at 3.4e38.")
    return number


def shape_of(value: Any) -> tuple[int, int, int]:
    """Return three sizes."""
    if not isinstance(value, list) or len(value) != 3:
        raise Refused(f"The widget sent shape={value!r}; expected three whole numbers.")
    rows, cols, channels = (whole(v, "shape") for v in value)
    if min(rows, cols, channels) < 1:
        raise Refused(f"The widget sent shape={value!r}; every size must be at least 1.")
    return rows, cols, channels


def floats(data: Any, shape: tuple[int, ...]) -> Array:
    """Return an array of this shape from the bytes of its float32 values."""
    if not isinstance(data, bytes) or len(data) != 4 * math.prod(shape):
        raise Refused(f"Kernels of shape {shape} need {4 * math.prod(shape)} bytes of float32.")
    return np.frombuffer(data, "<f4").reshape(shape).astype(np.float32)


def with_taps(kernel: Array, taps: dict[str, Any]) -> Array:
    """Return a kernel with some taps exchanged, by flat index."""
    index, value = checked(taps.get("index"), list, "index"), checked(taps.get("value"), list, "value")
    if len(index) != len(value):
        raise Refused(f"{len(index)} taps came with {len(value)} values.")
    new = kernel.copy()
    flat = new.reshape(-1)
    for i, v in zip(index, value, strict=True):
        if not 0 <= whole(i, "tap") < flat.size:
            raise Refused(f"Tap {i} is outside the kernel, which has {flat.size} values.")
        flat[i] = number(v, "value")
    new.flags.writeable = False
    return new


def index_of(session: Session, message: dict[str, Any]) -> int:
    """Return the list index of the filter that a message names by its uid."""
    uid = message.get("uid")
    try:
        return session.filters.index_of(uid)  # type: ignore[arg-type]
    except (KeyError, TypeError):
        raise Refused("That filter is no longer in the list; the widget shows the list as it is now.") from None


def pixel_of(session: Session, message: dict[str, Any]) -> tuple[int, int]:
    """Return the output pixel that a message names."""
    row, col = whole(message.get("row"), "row"), whole(message.get("col"), "col")
    rows, cols = session.geometry.output_shape
    if not (0 <= row < rows and 0 <= col < cols):
        raise Refused(f"Pixel ({row}, {col}) is outside the maps, which have {rows} rows and {cols} columns.")
    return row, col


def known_uids(session: Session, message: dict[str, Any]) -> list[int]:
    """Return those of a message's filters that are still in the list."""
    uids = checked(message.get("uids"), list, "uids")
    return [uid for uid in uids if isinstance(uid, int) and uid in session.filters]
