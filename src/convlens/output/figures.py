"""Figures of filters and their activation maps, drawn by Matplotlib and kept out of pyplot's list of figures."""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from convlens.colors import ValueRange, check_cmap, check_range, limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure, SubFigure

Form = Literal["tutorial", "compact"]

#: More filters than this do not fit on a page; the figure says that it leaves the others out.
MOST_FILTERS = 64
#: Deeper kernels are drawn as their mean over the channels, and say so.
MOST_PLANES = 4

_COLUMNS = 4
_OPTIONS = ("form", "figsize", "dpi", "most", "total")
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
        ``(kh, kw)`` or ``(kh, kw, channels)`` each. Each plane is drawn over its own range of values, with its
        numbers in the cells; up to four channels plane by plane, more as their mean.
    maps
        ``(rows, cols)`` each, as many as there are kernels.
    names
        Titles, one a filter.
    cmap
        Name of a Matplotlib colour map.
    value_range
        What the colours of a map span: "per_map", "shared", "symmetric" or ``(low, high)``. NaN and values outside
        are drawn in colours of their own and counted below the map.
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

    Returns
    -------
    matplotlib.figure.Figure
        It shows itself at the end of a notebook cell and has ``savefig``. pyplot does not know it, so it need not
        be closed; ``show`` is therefore not for it.

    Raises
    ------
    TypeError
        If an option is none of these.
    ValueError
        If `form` is neither, or the numbers of kernels, maps and names differ.
    """
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown:
        raise TypeError(f"plot() does not know {', '.join(unknown)}; it takes {', '.join(_OPTIONS)}.")
    form = options.pop("form", "tutorial")
    if form not in ("tutorial", "compact"):
        raise ValueError(f"There is no form {form!r}; expected 'tutorial' or 'compact'.")
    if not len(kernels) == len(maps) == len(names):
        raise ValueError(f"{len(kernels)} kernels, {len(maps)} maps and {len(names)} names; expected as many of each.")
    most, total = options.pop("most", MOST_FILTERS), options.pop("total", len(kernels))
    drawing = _Drawing(kernels, maps, names, check_cmap(cmap), check_range(value_range), most, total)
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
        self.columns = max(1, min(self.count, _COLUMNS))
        self.lines = max(1, -(-self.count // self.columns))
        self.kernels = [_planes(kernel) for kernel in kernels[: self.count]]
        self.maps = [np.asarray(values) for values in maps[: self.count]]
        self.names = names
        self.limits = limits(maps, value_range)  # all of them: a shared range is that of the maps left out, too
        self.range_text = _RANGES[value_range] if isinstance(value_range, str) else "fixed range"
        self.cmap: Colormap = colormaps[cmap].with_extremes(**EXTREMES)

    def tutorial(self, figsize: tuple[float, float] | None = None, dpi: float | None = None) -> Figure:
        planes = max((len(kernel) for kernel in self.kernels), default=1)
        height = self._height_of_map(3.0)
        figure = self._figure(figsize or (3.2 * self.columns, self.lines * (2.9 * planes + height)), dpi)
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
        figure = self._figure(figsize or (3.2 * self.columns, self.lines * height), dpi)
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
        low, high = limits([plane], "per_map")[0]
        image = ax.imshow(plane, cmap=self.cmap, vmin=low, vmax=high, interpolation="nearest")
        ax.set(xticks=[], yticks=[])
        rows, cols = plane.shape
        size = min(11.0, 90 / max(rows, cols))
        if not numbers or size < 4:
            return
        for (row, col), value in np.ndenumerate(plane):
            red, green, blue, _ = image.cmap(image.norm(value))
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
            ax.text(
                col, row, f"{value + 0.0:.3g}", ha="center", va="center", size=size, color="white" if dark else "black"
            )

    def _draw_map(self, ax: Axes, index: int) -> None:
        values, (low, high) = self.maps[index], self.limits[index]
        # Coloured before it is scaled down: the mean of an infinity and its neighbours would be neither.
        ax.imshow(values, cmap=self.cmap, vmin=low, vmax=high, interpolation_stage="rgba")
        ax.set(xticks=[], yticks=[])
        ax.set_xlabel(f"{low:.4g} to {high:.4g}, {self.range_text}{_outside(values, low, high)}", fontsize=8)

    def _figure(self, figsize: tuple[float, float], dpi: float | None) -> Figure:
        figure = _figure_class()(figsize=figsize, dpi=dpi, layout="constrained")
        if self.count < self.total:
            figure.suptitle(f"The first {self.count} of {self.total} filters")
        return figure

    def _height_of_map(self, width: float) -> float:
        rows, cols = self.maps[0].shape if self.maps else (1, 1)
        return float(np.clip(width * rows / max(cols, 1), 0.4 * width, 2 * width)) + 0.3


def _planes(kernel: NDArray[Any]) -> list[tuple[str, NDArray[Any]]]:
    """Return what is drawn of a kernel: each plane with its label, or one mean."""
    kernel = np.atleast_3d(np.asarray(kernel))
    channels = kernel.shape[2]
    if channels == 1:
        return [("", kernel[:, :, 0])]
    if channels > MOST_PLANES:
        return [(f"mean of {channels} channels", kernel.mean(axis=2))]
    labels = ("red", "green", "blue") if channels == 3 else tuple(f"channel {c}" for c in range(channels))
    return [(labels[c], kernel[:, :, c]) for c in range(channels)]


def _outside(values: NDArray[Any], low: float, high: float) -> str:
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
