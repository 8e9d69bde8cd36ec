"""Colour tables made by Matplotlib, and the range of values that a map's colours span."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from numbers import Real
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from traitlets import TraitError

from convlens.maths.arrays import shortened
from convlens.maths.nearest import nearest

ValueRange = Literal["per_map", "shared", "symmetric"] | tuple[float, float]
Stage = Literal["activation", "pre_activation"]
View = Literal["grid", "focus"]

#: Colour maps that the widget offers by itself: sequential first, then those for values around zero.
CURATED: tuple[str, ...] = (
    "gray",
    "gray_r",
    "viridis",
    "magma",
    "inferno",
    "cividis",
    "turbo",
    "RdBu_r",
    "coolwarm",
    "PuOr_r",
    "seismic",
)

_MODES = ("per_map", "shared", "symmetric")
_STAGES = ("activation", "pre_activation")
_VIEWS = ("grid", "focus")


@lru_cache(maxsize=64)
def cmap_table(name: str) -> bytes:
    """Return a Matplotlib colour map as 256 RGB entries of uint8, 768 bytes.

    Entry i is the colour at ``(i + 0.5) / 256``, which is Matplotlib's own entry i where the map has 256.
    """
    if name in ("gray", "grey"):  # as Matplotlib has it, without the half second that importing it takes
        return np.repeat((np.linspace(0, 1, 256) * 255).astype(np.uint8), 3).tobytes()
    from matplotlib import colormaps

    colors = colormaps[check_cmap(name)]((np.arange(256) + 0.5) / 256, bytes=True)
    return np.ascontiguousarray(colors[:, :3], dtype=np.uint8).tobytes()


def check_cmap(name: Any, trait: str = "cmap") -> str:
    """Return `name` if Matplotlib has a colour map of that name, else raise `traitlets.TraitError` for `trait`."""
    if isinstance(name, str) and name in CURATED:
        return name
    from matplotlib import colormaps
    from matplotlib.colors import Colormap

    if isinstance(name, Colormap):
        raise TraitError(f"{trait} is a {type(name).__name__} object; expected the name of one: {name.name!r}.")
    if not isinstance(name, str):
        raise TraitError(
            f"{trait} is {shortened(name)}; expected the name of a Matplotlib colour map, such as 'gray' or 'viridis'."
        )
    if name in colormaps:
        return name
    names = [known for known in colormaps if not known.endswith("_r")]
    raise TraitError(
        f"There is no colour map {shortened(name)}.{_nearest(name, list(colormaps))} Those that exist: "
        f"{', '.join(sorted(names))}; each also with _r at its end, reversed."
    )


def check_kernel_cmap(name: Any) -> str | None:
    """Return `name` if it is None or a colour map of Matplotlib's, else raise `traitlets.TraitError`."""
    return None if name is None else check_cmap(name, "kernel_cmap")


def check_view(value: Any) -> View:
    """Return `value` if it is "grid" or "focus", else raise `traitlets.TraitError`."""
    if isinstance(value, str) and value in _VIEWS:
        return cast("View", value)
    hint = _nearest(value, _VIEWS) if isinstance(value, str) else ""
    raise TraitError(f"There is no view {shortened(value)}; expected 'grid' or 'focus'.{hint}")


def check_overlay(value: Any) -> float:
    """Return `value` as an opacity from 0 to 1, else raise `traitlets.TraitError`."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) <= 1:
        raise TraitError(
            f"overlay is {shortened(value)}; expected a number from 0 (off) to 1 (the map hides the image)."
        )
    return float(value)


def check_range(value: Any, name: str = "value_range") -> ValueRange:
    """Return `value` as a range: "per_map", "shared", "symmetric", or finite ``(low, high)``, low below high.

    Parameters
    ----------
    value
        What was given.
    name
        What errors call it.

    Raises
    ------
    traitlets.TraitError
        If it is anything else.
    """
    expected = "expected 'per_map', 'shared', 'symmetric' or (low, high)"
    if isinstance(value, str):
        if value in _MODES:
            return cast("ValueRange", value)
        raise TraitError(f"There is no {name} {shortened(value)}; {expected}.{_nearest(value, _MODES)}")
    try:
        low, high = value
    except (TypeError, ValueError):
        raise TraitError(f"{name} is {shortened(value)}; {expected}.") from None
    for number in (low, high):
        if isinstance(number, bool) or not isinstance(number, Real) or not math.isfinite(number):
            raise TraitError(f"{name} is {shortened(value)}; {expected}, both finite numbers.")
    if not low < high:
        raise TraitError(f"{name} is {shortened(value)}; {expected}, with low below high.")
    return float(low), float(high)


def check_stage(value: Any, more: Sequence[str] = ()) -> Stage:
    """Return `value` if it is "activation" or "pre_activation", else raise `traitlets.TraitError`.

    Parameters
    ----------
    value
        What was given.
    more
        Further stages that the caller has and an error names.
    """
    if isinstance(value, str) and value in _STAGES:
        return cast("Stage", value)
    names = [*_STAGES, *more]
    *others, last = map(repr, names)
    hint = _nearest(value, names) if isinstance(value, str) else ""
    raise TraitError(f"There is no stage {shortened(value)}; expected {', '.join(others)} or {last}.{hint}")


def limits(maps: Iterable[NDArray[Any]], value_range: ValueRange) -> list[tuple[float, float]]:
    """Return the ``(low, high)`` that the colours of each map span.

    Parameters
    ----------
    maps
        Activation maps, ``(rows, cols)`` each. NaN and infinities do not count.
    value_range
        "per_map": each map's own least and greatest value. "shared": those of all maps. "symmetric": minus and plus
        each map's greatest magnitude. ``(low, high)``: just these.

    Returns
    -------
    list of (float, float)
        One pair per map; ``(0.0, 0.0)`` for a map without a finite value.
    """
    own = [_finite_range(values) for values in maps]
    if isinstance(value_range, tuple):
        return [value_range] * len(own)
    if value_range == "shared":
        finite = [pair for pair in own if pair is not None]
        shared = (min(low for low, _ in finite), max(high for _, high in finite)) if finite else (0.0, 0.0)
        return [shared] * len(own)
    filled = [pair or (0.0, 0.0) for pair in own]
    if value_range == "symmetric":
        return [(-max(-low, high), max(-low, high)) for low, high in filled]
    return filled


def _finite_range(values: NDArray[Any]) -> tuple[float, float] | None:
    if values.size and math.isfinite(low := float(values.min())) and math.isfinite(high := float(values.max())):
        return low, high
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else None


def _nearest(name: str, names: Sequence[str]) -> str:
    lower = {known.lower(): known for known in names}
    close = nearest(name.lower(), lower)
    return f" Did you mean {lower[close]!r}?" if close else ""
