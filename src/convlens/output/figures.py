"""Figures of filters and their activation maps, drawn by Matplotlib and kept out of pyplot's list of figures."""

from __future__ import annotations

import functools
import io
import math
import sys
from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convlens.maths.alignment import Alignment
from convlens.maths.arrays import shortened
from convlens.maths.block_means import block_means, fitted
from convlens.output.colormaps import ValueRange, check_cmap, check_overlay, check_range, limits
from convlens.output.curves import draw_curve, draw_stems

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure, SubFigure

Form = Literal["tutorial", "compact"]

#: More filters than this do not fit on a page; the figure says that it leaves the others out.
MOST_FILTERS = 64
#: Deeper kernels are drawn as their mean over the channels, and labelled so.
MOST_PLANES = 4

#: Filters side by side, where no more than a row of them is drawn.
_COLUMNS = 4
#: Beside the widget a map is some hundreds of pixels wide.
_COMPACT_PIXELS = 2**18
#: Width and height in inches that a page of filters does not exceed, unless told otherwise.
_PAGE = (24.0, 30.0)
#: Pixels in each direction that Matplotlib's Agg can draw.
MOST_PIXELS = 2**16 - 1
_OPTIONS = ("form", "figsize", "dpi", "most", "total", "overlay", "image", "alignment", "kernel_range")
#: Colours that no colour map of numbers is made of: NaN, below the range (and −∞), above it (and +∞).
EXTREMES = {"bad": "#d6006c", "under": "#0072b2", "over": "#e69f00"}
_RANGES = {"per_map": "own range", "shared": "shared range", "symmetric": "symmetric range"}


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
    drawing = _Drawing(kernels, maps, names, check_cmap(cmap), check_range(value_range), most, total)
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
    return _to_png(plot(kernels, maps, names, cmap=cmap, value_range=value_range, **options))


class Overlay(NamedTuple):
    """An image over which maps are drawn.

    Parameters
    ----------
    image
        ``(rows, cols)``, or ``(rows, cols, 3)``; from 0 to 1.
    alignment
        Where the maps lie over it.
    opacity
        Of the maps.
    """

    image: NDArray[Any]
    alignment: Alignment
    opacity: float


class _Drawing:
    """What is drawn, and the two ways to arrange it."""

    def __init__(
        self,
        kernels: Sequence[NDArray[Any]],
        maps: Sequence[NDArray[Any]] | NDArray[Any],
        names: Sequence[str],
        cmap: str,
        value_range: ValueRange,
        most: int,
        total: int,
    ) -> None:
        from matplotlib import colormaps

        self.total = total
        self.count = min(len(kernels), most)
        self.over: Overlay | None = None
        self.kernel_range: ValueRange = "per_map"
        #: Maps of more are averaged before Matplotlib takes seconds to colour all of them.
        self.map_pixels = sys.maxsize
        self.maps = [np.asarray(values) for values in maps[: self.count]]
        self.curves = bool(self.maps) and self.maps[0].ndim == 1
        #: For a signal, each plane has one row.
        drawn = kernels[: self.count]
        self.kernels = [_planes(np.asarray(one)[None], False) if self.curves else _planes(one) for one in drawn]
        self.names = names
        self.limits = limits(maps, value_range)  # all of them: a shared range is that of the maps left out, too
        self.range_text = _RANGES[value_range] if isinstance(value_range, str) else "fixed range"
        self.cmap: Colormap = colormaps[cmap].with_extremes(**EXTREMES)

    def tutorial(self, figsize: tuple[float, float] | None = None, dpi: float | None = None) -> Figure:
        planes = max((len(kernel) for kernel in self.kernels), default=1)
        height = self._height_of_map(3.0)
        figure = self._figure(self._arranged(3.2, 2.9 * planes + height), figsize, dpi)
        for line, part in enumerate(figure.subfigures(self.lines, 1, squeeze=False)[:, 0]):
            axes = part.subplots(planes + 1, self.columns, squeeze=False, height_ratios=[*[2.9] * planes, height])
            for column in range(self.columns):
                index = line * self.columns + column
                if index >= self.count:
                    for ax in axes[:, column]:
                        ax.set_axis_off()
                    continue
                for ax, (label, plane) in zip(axes[:, column], self.kernels[index], strict=False):
                    self._draw_kernel(ax, plane, numbers=True)
                    ax.set_title(self.names[index] if not label else f"{self.names[index]}, {label}")
                self._draw_map(axes[planes, column], index)
        return figure

    def compact(self, figsize: tuple[float, float] | None = None, dpi: float | None = None) -> Figure:
        planes = max((len(kernel) for kernel in self.kernels), default=1)
        height = self._height_of_map(2.2) + 0.3
        self.map_pixels = _COMPACT_PIXELS
        figure = self._figure(self._arranged(3.2, height), figsize, dpi)
        cells = figure.subfigures(self.lines, self.columns, squeeze=False)
        for index, cell in enumerate(cells.flat[: self.count]):
            self._draw_pair(cell, index, planes)
        return figure

    def _draw_pair(self, cell: SubFigure, index: int, planes: int) -> None:
        grid = cell.add_gridspec(planes, 2, width_ratios=[1, 3])
        for row, (label, plane) in enumerate(self.kernels[index]):
            ax = cell.add_subplot(grid[row, 0])
            self._draw_kernel(ax, plane, numbers=False)
            ax.set_xlabel(label, fontsize=7)
        ax = cell.add_subplot(grid[:, 1])
        self._draw_map(ax, index)
        ax.set_title(self.names[index], fontsize=9)

    def _draw_kernel(self, ax: Axes, plane: NDArray[Any], *, numbers: bool) -> None:
        if self.curves:
            return draw_stems(ax, plane[0], numbers=numbers)
        low, high = limits([plane], self.kernel_range)[0]
        image = ax.imshow(plane, cmap=self.cmap, vmin=low, vmax=high, interpolation="nearest")
        ax.set(xticks=[], yticks=[])
        rows, cols = plane.shape
        size = min(11.0, 90 / max(rows, cols)) * self.scale
        if not numbers or size < 4:
            return
        for (row, col), value in np.ndenumerate(plane):
            red, green, blue, _ = image.cmap(image.norm(value))
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
            ax.text(
                col, row, f"{value + 0.0:.3g}", ha="center", va="center", size=size, color="white" if dark else "black"
            )

    def _draw_map(self, ax: Axes, index: int) -> None:
        whole, (low, high) = self.maps[index], self.limits[index]
        values = whole
        if whole.size > self.map_pixels:
            values = block_means(whole, fitted(whole.shape[0], whole.shape[1], self.map_pixels))
        # Coloured before it is scaled down: the mean of an infinity and its neighbours would be neither.
        if self.curves:
            draw_curve(ax, values, low, high)
        elif self.over is None:
            ax.imshow(values, cmap=self.cmap, vmin=low, vmax=high, interpolation_stage="rgba")
        else:
            image, alignment, opacity = self.over
            ax.imshow(image, cmap="gray", vmin=0, vmax=1)
            ax.imshow(
                values,
                cmap=self.cmap,
                vmin=low,
                vmax=high,
                interpolation_stage="rgba",
                alpha=opacity,
                extent=alignment.edges(whole.shape),
            )
            rows, cols = image.shape[:2]
            ax.set(xlim=(-0.5, cols - 0.5), ylim=(rows - 0.5, -0.5))
        if not self.curves:
            ax.set(xticks=[], yticks=[])
        ax.set_xlabel(f"{low:.4g} to {high:.4g}, {self.range_text}{_outside(whole, low, high)}", fontsize=8)

    def _arranged(self, width: float, height: float) -> tuple[float, float]:
        """Choose rows and columns for pairs of this size, and return the size of the page that they fill.

        Up to four are side by side. More make a page whose proportions are those of a sheet of paper.
        """
        wanted = math.sqrt(self.count * height / width * _PAGE[0] / _PAGE[1])
        self.columns = max(1, min(self.count, max(_COLUMNS, round(wanted))))
        self.lines = max(1, -(-self.count // self.columns))
        whole = (self.columns * width, self.lines * height)
        # Fewer than a page holds keep their size; more are drawn smaller.
        self.scale = min(1.0, _PAGE[0] / whole[0], _PAGE[1] / whole[1])
        return (whole[0] * self.scale, whole[1] * self.scale)

    def _figure(self, page: tuple[float, float], figsize: tuple[float, float] | None, dpi: float | None) -> Figure:
        if dpi is not None and not _is_number(dpi):
            raise ValueError(f"dpi={shortened(dpi)} was given; expected a number of pixels per inch.")
        if figsize is not None and not (np.shape(figsize) == (2,) and all(map(_is_number, figsize))):
            raise ValueError(f"figsize={shortened(figsize)} was given; expected (width, height) in inches.")
        figure = _figure_class()(figsize=figsize or page, dpi=dpi, layout="constrained")
        width, height = figure.get_size_inches() * figure.dpi
        if not (0 < width <= MOST_PIXELS and 0 < height <= MOST_PIXELS):
            raise ValueError(
                f"A figure of {width:.0f} × {height:.0f} pixels cannot be drawn by Matplotlib, whose limit is "
                f"{MOST_PIXELS} in each direction. Give a smaller dpi= or figsize=, or fewer filters with most=."
            )
        if self.count < self.total:
            figure.suptitle(f"The first {self.count} of {self.total} filters")
        return figure

    def _height_of_map(self, width: float) -> float:
        if self.curves:
            return 0.7 * width
        rows, cols = self.maps[0].shape if self.maps else (1, 1)
        if self.over is not None:
            rows, cols = self.over.image.shape[:2]
        return float(np.clip(width * rows / max(cols, 1), 0.4 * width, 2 * width)) + 0.3


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)


def _colours(image: NDArray[Any]) -> NDArray[Any]:
    """Return an image as it is looked at: its finite values from 0 to 1, one or three channels."""
    finite = image[np.isfinite(image)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    scaled = np.nan_to_num((image.astype(np.float64) - low) / ((high - low) or 1.0), posinf=1.0, neginf=0.0)
    shown = np.clip(scaled, 0, 1)
    return shown[..., :3] if shown.shape[2] >= 3 else shown[..., 0]


def _planes(kernel: NDArray[Any], colours: bool = True) -> list[tuple[str, NDArray[Any]]]:
    """Return what is drawn of a kernel: each plane with its label, or one mean."""
    kernel = np.atleast_3d(np.asarray(kernel))
    channels = kernel.shape[2]
    if channels == 1:
        return [("", kernel[:, :, 0])]
    if channels > MOST_PLANES:
        return [(f"mean of {channels} channels", kernel.mean(axis=2))]
    labels = ("red", "green", "blue") if channels == 3 and colours else tuple(f"channel {c}" for c in range(channels))
    return [(labels[c], kernel[:, :, c]) for c in range(channels)]


def _outside(values: NDArray[Any], low: float, high: float) -> str:
    if values.size and values.min() >= low and values.max() <= high:
        return ""
    counts = {
        "NaN": np.isnan(values),
        "−∞": np.isneginf(values),
        "+∞": np.isposinf(values),
        "below": np.isfinite(values) & (values < low),
        "above": np.isfinite(values) & (values > high),
    }
    parts = [f"{int(mask.sum())} {name}" for name, mask in counts.items() if mask.any()]
    return "\n" + ", ".join(parts) if parts else ""


@functools.cache
def _figure_class() -> type[Figure]:
    from matplotlib.figure import Figure

    class LensFigure(Figure):
        """A figure that a notebook shows even where pyplot, which registers that, was never imported."""

        def _repr_png_(self) -> bytes:
            return _to_png(self)

    return LensFigure


def _to_png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
