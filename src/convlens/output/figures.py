"""Figures of filters and their activation maps; pyplot's list of figures does not have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convlens.maths.arrays import shortened
from convlens.output.colormaps import ValueRange, check_cmap, check_overlay, check_range
from convlens.output.figure_drawing import Drawing, Overlay, to_png

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: More filters than this do not fit on a page; the figure says that it leaves the others out.
MOST_FILTERS = 64
_OPTIONS = ("form", "figsize", "dpi", "most", "total", "overlay", "image", "alignment", "kernel_range")


def plot(
    kernels: Sequence[NDArray[Any]],
    maps: Sequence[NDArray[Any]] | NDArray[Any],
    names: Sequence[str],
    *,
    cmap: str = "gray",
    value_range: ValueRange = "per_map",
    **options: Any,
) -> Figure:
    """Draw filters and the activation maps they give.

    Parameters
    ----------
    kernels
        ``(kh, kw)`` or ``(kh, kw, channels)`` each; for signals ``(k,)`` or ``(k, channels)``, drawn as stems. Numbers
        are in the cells; up to four channels are drawn plane by plane, more as their mean.
    maps
        ``(rows, cols)`` each, as many as there are kernels; ``(steps,)`` for signals, which are drawn as curves.
    names
        Titles, one per filter.
    cmap
        Name of a Matplotlib colour map.
    value_range
        What the colours of a map span: "per_map", "shared", "symmetric" or ``(low, high)``. NaN and values outside
        are drawn in colours of their own and counted below the map.
    kernel_range
        What the colours of a kernel's plane span, "per_map" unless given; as `value_range`, but of that plane.
    form : {"tutorial", "compact"}
        "tutorial" draws the filters above and the maps below, as large as the page allows; "compact" small pairs
        side by side, without numbers in the cells.
    figsize : (float, float)
        Width and height in inches.
    dpi : float
        Pixels per inch.
    most : int
        Draw no more filters than this, 64 unless given; the figure says that it leaves the others out.
    total : int
        Of how many filters these are the first, where they are not all.
    overlay : float
        Opacity, 0 to 1, with which each map is drawn over the image; 0, as unless given, draws maps alone.
    image : numpy.ndarray
        ``(rows, cols, channels)``, for `overlay`.
    alignment : Alignment
        Where the maps lie over the image, for `overlay`.

    Returns
    -------
    matplotlib.figure.Figure
        It shows itself at the end of a notebook cell and has ``savefig``. pyplot does not register it, so it need not
        be closed, and ``show`` does not show it.

    Raises
    ------
    TypeError
        If an option is none of these.
    ValueError
        If `form` is neither, if `figsize`, `dpi` or `most` are no such numbers, if the numbers of kernels, maps and
        names differ, or if the figure would have more pixels than Matplotlib can draw.
    traitlets.TraitError
        For a `cmap`, `value_range`, `kernel_range` or `overlay` that there is not.
    """
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown:
        raise TypeError(f"plot() does not know {', '.join(unknown)}; it takes {', '.join(_OPTIONS)}.")
    form = options.pop("form", "tutorial")
    if form not in ("tutorial", "compact"):
        raise ValueError(f"There is no form {shortened(form)}; expected 'tutorial' or 'compact'.")
    if not len(kernels) == len(maps) == len(names):
        raise ValueError(
            f"{len(kernels)} kernels, {len(maps)} maps and {len(names)} names; expected the same number of each."
        )
    most, total = options.pop("most", MOST_FILTERS), options.pop("total", len(kernels))
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise ValueError(
            f"most={shortened(most)} was given; expected the greatest number of filters to draw, 1 or more."
        )
    drawing = Drawing(kernels, maps, names, check_cmap(cmap), check_range(value_range), most, total)
    opacity = check_overlay(options.pop("overlay", 0.0))
    drawing.kernel_range = check_range(options.pop("kernel_range", "per_map"), "kernel_range")
    image, alignment = options.pop("image", None), options.pop("alignment", None)
    if opacity:
        if image is None or alignment is None:
            raise ValueError(f"overlay={opacity} was given without image= and alignment=, over which maps are drawn.")
        drawing.over = Overlay(_colours(image), alignment, opacity)
    return drawing.tutorial(**options) if form == "tutorial" else drawing.compact(**options)


def png(
    kernels: Sequence[NDArray[Any]],
    maps: Sequence[NDArray[Any]] | NDArray[Any],
    names: Sequence[str],
    *,
    cmap: str = "gray",
    value_range: ValueRange = "per_map",
    **options: Any,
) -> bytes:
    """Return :func:`plot` as the bytes of a PNG file."""
    return to_png(plot(kernels, maps, names, cmap=cmap, value_range=value_range, **options))


def _colours(image: NDArray[Any]) -> NDArray[Any]:
    """Return an image as it is looked at: its finite values from 0 to 1, one or three channels."""
    finite = image[np.isfinite(image)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    scaled = np.nan_to_num((image.astype(np.float64) - low) / ((high - low) or 1.0), posinf=1.0, neginf=0.0)
    shown = np.clip(scaled, 0, 1)
    return shown[..., :3] if shown.shape[2] >= 3 else shown[..., 0]
