"""Values that hold a picture: pairs, dicts, lists, data sets; each is refused with the expression that picks it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from convlens.inputs.image_shapes import is_picture
from convlens.maths.arrays import shortened

#: What data sets call the picture in an element.
_KEYS = ("image", "images", "img", "pixel_values", "x", "input", "inputs", "data")
_DEPTH = 4


def refuse_container(value: Any, known: tuple[int, ...]) -> None:
    """Raise where `value` holds pictures, or is not a picture, with the expression that picks one.

    Arrays, tensors and nested lists of numbers are let through.

    Parameters
    ----------
    value
        What a user gave as an image: nothing that is a path, bytes, an open file or a PIL image.
    known
        Numbers of channels that a picture may have.

    Raises
    ------
    TypeError, ValueError
        Naming the expression, in which ``image`` is what was given.
    """
    if isinstance(value, Mapping):
        what = f"a {type(value).__name__} with the keys {shortened(list(value), 200)}"
        raise TypeError(f"The image is {what}; expected one image.{_way(value, known)}")
    if isinstance(value, (list, tuple)) and not _is_stack(value):
        _refuse_list(value, known)
    if hasattr(value, "element_spec") or isinstance(value, Iterator):
        raise TypeError(
            f"The image is a {type(value).__name__}, from which images can be taken one after another; expected one: "
            "next(iter(image))."
        )
    if type(value).__module__.split(".")[0] == "pandas" and len(shape_of(value) or ()) == 1:
        _refuse_row(value)


def shape_of(value: Any) -> tuple[int, ...] | None:
    """Return the shape of an array or tensor of any library, None of anything else."""
    try:
        return tuple(int(n) for n in value.shape)
    except (AttributeError, TypeError, ValueError):  # none, or one that a symbolic tensor does not know
        return None


def _is_stack(value: list[Any] | tuple[Any, ...]) -> bool:
    """Whether a list is numbers, or what NumPy makes one array of: rows, or arrays of one shape."""
    outlines = {_outline(item) for item in value[:100]}
    if None in outlines:
        return False
    # Rows of unequal length are still rows: the error of reading them as an array names their lengths.
    return len({len(outline) for outline in outlines if outline is not None}) <= 1 and (
        len(outlines) <= 1 or max(len(outline) for outline in outlines if outline is not None) == 1
    )


def _outline(item: Any) -> tuple[int, ...] | None:
    """Return the shape of an array, or of nested lists as their first entries have it; None for other things."""
    shape = shape_of(item)
    if shape is not None:
        return shape
    if isinstance(item, (int, float, complex)):
        return ()
    if not isinstance(item, (list, tuple)):
        return None
    below = _outline(item[0]) if item else ()
    return None if below is None else (len(item), *below)


def _refuse_list(value: list[Any] | tuple[Any, ...], known: tuple[int, ...]) -> None:
    name = type(value).__name__
    if all(isinstance(item, (str, os.PathLike)) for item in value):
        raise TypeError(
            f"The image is a {name} of {len(value)} strings, the first {shortened(value[0])}; expected one image. "
            "If they are paths, give one of them: image[0]."
        )
    way = _way(value, known)
    pair = ""
    if len(value) == 2 and way and not way.startswith(" Give image[1]"):
        pair = " It looks like a pair of image and label: image, label = image."
    kinds = ", ".join(type(item).__name__ for item in value[:4]) + (", ..." if len(value) > 4 else "")
    if not way and not any(shape_of(item) for item in value):
        return  # text, None: reading it as an array raises with what is wrong
    raise TypeError(f"The image is a {name} of {len(value)} ({kinds}); expected one image.{pair}{way}")


def _refuse_row(value: Any) -> None:
    length = len(value)
    for start in (0, 1):
        side = round((length - start) ** 0.5)
        if side > 1 and side * side == length - start:
            label = " (without the label before them)" * start
            pick = "image.iloc[1:]" if start else "image"
            mend = f"{pick}.to_numpy().reshape({side}, {side}){label}"
            break
    else:
        mend = "image.to_numpy().reshape(rows, cols)"
    raise ValueError(
        f"The image is a pandas {type(value).__name__} of shape ({length},), one row of pixels; expected (rows, cols). "
        f"Give it rows and columns: {mend}."
    )


def _way(value: Any, known: tuple[int, ...]) -> str:
    found = _pick(value, known, 0)
    return f" Give image{found}." if found else ""


def _pick(value: Any, known: tuple[int, ...], depth: int) -> str | None:
    """Return the expression, after ``image``, of the first picture within `value`; "" if it is one itself."""
    if hasattr(value, "getbands") and hasattr(value, "getexif"):  # a PIL image
        return ""
    shape = _outline(value) if not isinstance(value, (list, tuple)) or _is_stack(value) else None
    if shape is not None:
        if len(shape) < 2:
            return None
        return "" if is_picture(shape, known) else "[0]" if len(shape) in (3, 4) else None
    if depth == _DEPTH:
        return None
    if isinstance(value, Mapping):
        preferred = [key for key in _KEYS if key in value]
        keys = [*preferred, *(key for key in value if key not in preferred)][:20]
        steps = [(f"[{key!r}]", value[key]) for key in keys]
    elif isinstance(value, (list, tuple)):
        steps = [(f"[{index}]", item) for index, item in enumerate(value[:8])]
    else:
        return None
    for step, item in steps:
        rest = _pick(item, known, depth + 1)
        if rest is not None:
            return step + rest
    return None
