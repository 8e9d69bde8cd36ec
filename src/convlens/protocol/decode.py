"""From the fields of a browser's request to checked values, or to a refusal that names what was sent."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints, is_typeddict

import numpy as np

from convlens.maths.arrays import shortened
from convlens.protocol.request_types import Pixel, Taps
from convlens.state.filters import Array
from convlens.state.session import Session

M = TypeVar("M")
#: Carries one request out, as it arrived, and returns what the answer holds besides `ok`.
Handler = Callable[[dict[str, Any]], Mapping[str, Any] | None]

_hints = cache(get_type_hints)


class Refused(ValueError):
    """A request that is forged, out of date or wrong; the lens stays as it was."""


def checked(value: Any, kind: type, name: str) -> Any:
    """Return a value of this type."""
    if not isinstance(value, kind):
        raise Refused(f"The widget sent {name}={shortened(value)}; expected a {kind.__name__}.")
    return value


def whole(value: Any, name: str) -> int:
    """Return a whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(f"The widget sent {name}={shortened(value)}; expected a whole number.")
    return value


def number(value: Any, name: str) -> float:
    """Return a number that float32 can hold; strings stand for the numbers that JSON lacks."""
    if isinstance(value, bool) or not (isinstance(value, (int, float)) or value in ("NaN", "Infinity", "-Infinity")):
        raise Refused(f"The widget sent {name}={shortened(value)}; expected a number.")
    number = float(value)
    if math.isfinite(number) and abs(number) > float(np.finfo(np.float32).max):
        raise Refused(f"{number:g} is too large for float32, whose limit is 3.4e38.")
    return number


def handler_of(kind: type[M], handler: Callable[[M], Mapping[str, Any] | None]) -> Handler:
    """Return a function that reads a request as one of this kind before it is carried out."""
    return lambda message: handler(cast("M", read(message, kind, "request")))


def read(value: Any, kind: Any, name: str) -> Any:
    """Return a value of a declared type (`request_types`), or refuse it; a field that is not there is None."""
    if kind is object:
        return value
    if is_typeddict(kind):
        given = checked(value, dict, name)
        return {field: read(given.get(field), declared, field) for field, declared in _hints(kind).items()}
    choices = get_args(kind)
    if type(None) in choices:
        return None if value is None else read(value, choices[0], name)
    if kind is int:
        return whole(value, name)
    if kind is float:
        return number(value, name)
    checked(value, get_origin(kind) or kind, name)
    return [read(item, choices[0], name) for item in value] if get_origin(kind) is list else value


def shape_of(value: Any) -> tuple[int, int, int]:
    """Return three sizes."""
    if not isinstance(value, list) or len(value) != 3:
        raise Refused(f"The widget sent shape={shortened(value)}; expected three whole numbers.")
    rows, cols, channels = (whole(v, "shape") for v in value)
    if min(rows, cols, channels) < 1:
        raise Refused(f"The widget sent shape={shortened(value)}; every size must be at least 1.")
    return rows, cols, channels


def floats(data: Any, shape: tuple[int, ...]) -> Array:
    """Return an array of this shape from the bytes of its float32 values."""
    if not isinstance(data, bytes) or len(data) != 4 * math.prod(shape):
        raise Refused(f"Values of shape {shape} need {4 * math.prod(shape)} bytes of float32.")
    return np.frombuffer(data, "<f4").reshape(shape).astype(np.float32)


def with_taps(kernel: Array, taps: Taps) -> Array:
    """Return a kernel with some taps replaced, by flat index."""
    index, value = taps["index"], taps["value"]
    if len(index) != len(value):
        raise Refused(f"{len(index)} taps came with {len(value)} values.")
    new = kernel.copy()
    flat = new.reshape(-1)
    for i, v in zip(index, value, strict=True):
        if not 0 <= i < flat.size:
            raise Refused(f"Tap {shortened(i)} is outside the kernel, which has {flat.size} values.")
        flat[i] = v
    new.flags.writeable = False
    return new


def index_of(session: Session, uid: object) -> int:
    """Return the list index of the filter that a message names by its uid."""
    try:
        return session.filters.index_of(uid)  # type: ignore[arg-type]
    except (KeyError, TypeError):
        raise Refused("That filter is no longer in the list; the widget shows the list as it is now.") from None


def pixel_of(session: Session, message: Pixel) -> tuple[int, int]:
    """Return the output pixel that a message names."""
    row, col = message["row"], message["col"]
    rows, cols = session.geometry.output_shape
    if not (0 <= row < rows and 0 <= col < cols):
        raise Refused(f"Pixel ({row}, {col}) is outside the maps, which have {rows} rows and {cols} columns.")
    return row, col


def known_uids(session: Session, uids: list[object]) -> list[int]:
    """Return those of a message's filters that are still in the list."""
    return [uid for uid in uids if isinstance(uid, int) and uid in session.filters]


def sides_of(value: Any, name: str) -> tuple[int, int]:
    """Return two sizes, rows and columns."""
    if not isinstance(value, list) or len(value) != 2 or min(whole(side, name) for side in value) < 1:
        raise Refused(f"The widget sent {name}={value!r}; expected rows and columns, each at least 1.")
    return value[0], value[1]


def window_of(value: Any, rows: int, cols: int) -> tuple[int, int, int, int]:
    """Return a part of a picture: first row, row past the last, first column and column past the last."""
    if not isinstance(value, list) or len(value) != 4:
        raise Refused(f"The widget sent window={value!r}; expected first row, end row, first column, end column.")
    top, bottom, left, right = (whole(edge, "window") for edge in value)
    if not (0 <= top < bottom <= rows and 0 <= left < right <= cols):
        raise Refused(f"The widget sent window={value!r}; the picture has {rows} rows and {cols} columns.")
    return top, bottom, left, right
