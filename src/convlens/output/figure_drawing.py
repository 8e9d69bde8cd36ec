"""Filters and their activation maps laid out on a page and drawn by Matplotlib."""

from __future__ import annotations

import functools
import io
import math
import sys
from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convlens.maths.alignment import Alignment
from convlens.maths.arrays import shortened
from convlens.maths.block_means import block_means, fitted
from convlens.output.colormaps import ValueRange, limits
from convlens.output.curves import draw_curve, draw_stems

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure, SubFigure

#: Deeper kernels are drawn as their mean over the channels, and labelled so.
MOST_PLANES = 4
#: Pixels in each direction that Matplotlib's Agg can draw.
MOST_PIXELS = 2**16 - 1
#: Colours that no colour map of numbers is made of: NaN, below the range (and −∞), above it (and +∞).
EXTREMES = {"bad": "#d6006c", "under": "#0072b2", "over": "#e69f00"}

#: Filters side by side, where no more than a row of them is drawn.
_COLUMNS = 4
#: Beside the widget a map is some hundreds of pixels wide.
_COMPACT_PIXELS = 2**18
#: Width and height in inches that a page of filters does not exceed, unless told otherwise.
_PAGE = (24.0, 30.0)
_RANGES = {"per_map": "own range", "shared": "shared range", "symmetric": "symmetric range"}


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


class Drawing:
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
        """Draw the filters above and the maps below, with numbers in the cells."""
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
        """Draw small pairs side by side, without numbers in the cells."""
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
            return to_png(self)

    return LensFigure


def to_png(figure: Figure) -> bytes:
    """Return a figure as the bytes of a PNG file."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
