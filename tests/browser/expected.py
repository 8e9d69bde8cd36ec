"""What should be on screen, from the arrays in Python and Matplotlib's own colour maps."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tests.browser.hosts.host import Python


def colours(
    values: npt.NDArray[Any], cmap: str = "gray", limits: tuple[float, float] | None = None
) -> npt.NDArray[Any]:
    """Return Matplotlib's colours for a map, (3, rows, cols, 3): one level lower, its own, and one higher."""
    low, high = limits or (float(values.min()), float(values.max()))
    # Matplotlib draws a constant picture in its lowest colour.
    scale = 256 / (high - low) if high > low else 0
    levels = np.clip(np.floor((values - low) * scale), 0, 255).astype(int)
    table = (matplotlib.colormaps[cmap](np.arange(256), bytes=True))[:, :3]
    return np.stack([table[np.clip(levels + shift, 0, 255)] for shift in (-1, 0, 1)])


def assert_drawn(
    pixels: npt.NDArray[Any],
    values: npt.NDArray[Any],
    cmap: str = "gray",
    limits: tuple[float, float] | None = None,
) -> None:
    """Fail unless every pixel has its value's colour, give or take one of the 256 levels."""
    allowed = colours(values, cmap, limits)
    right = (pixels[None, :, :, :3] == allowed).all(axis=3).any(axis=0)
    wrong = np.argwhere(~right)
    assert len(wrong) == 0, (
        f"{len(wrong)} of {right.size} pixels have another colour, first at {wrong[0]}: "
        f"{pixels[tuple(wrong[0])]} for {values[tuple(wrong[0])]}"
    )
    assert (pixels[:, :, 3] == 255).all()


def assert_grey(pixels: npt.NDArray[Any], values: npt.NDArray[Any]) -> None:
    """Fail unless a picture is drawn in greys from black at its least value to white at its greatest."""
    low, high = float(values.min()), float(values.max())
    off = np.abs(pixels[:, :, :3] - ((values - low) / (high - low) * 255)[:, :, None])
    assert off.max() <= 1, f"up to {off.max():.1f} of 255 off"
    assert (pixels[:, :, 3] == 255).all()


def picture(python: Python) -> str:
    """Return what `lens.plot` draws small, as a notebook holds it: base64 of a PNG file."""
    drawn: bytes = python.value("lens.plot(form='compact', dpi=72)._repr_png_()")
    return base64.b64encode(drawn).decode()
