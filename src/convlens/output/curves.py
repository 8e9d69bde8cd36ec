"""Signals drawn by Matplotlib: a kernel as a stem plot, a map as a curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Colours of stems and of curves: those of the widget.
_KERNEL, _MAP = "#b5500f", "#14619e"


def draw_stems(ax: Axes, taps: NDArray[Any], *, numbers: bool) -> None:
    """Draw one channel of a kernel, ``(k,)``: a stem for each tap, from 0 to its value."""
    at = np.arange(len(taps))
    ax.vlines(at, 0, taps, color=_KERNEL, linewidth=2)
    ax.plot(at, taps, "o", color=_KERNEL, markersize=4)
    ax.axhline(0, color="0.6", linewidth=0.8)
    ax.set(xticks=at if len(at) <= 15 else [], yticks=[], xlim=(-0.6, len(at) - 0.4))
    ax.tick_params(labelsize=7)
    ax.margins(y=0.2)
    if numbers and len(at) <= 12:
        for step, value in zip(at, taps, strict=True):
            where = (0, 5 if value >= 0 else -12)
            ax.annotate(
                f"{value + 0.0:.3g}", (step, value), xytext=where, textcoords="offset points", ha="center", fontsize=7
            )


def draw_curve(ax: Axes, values: NDArray[Any], low: float, high: float) -> None:
    """Draw one map ``(steps,)`` over its range. What is not finite leaves a gap, and is counted below the map."""
    ax.plot(np.where(np.isfinite(values), values, np.nan), color=_MAP, linewidth=1)
    room = 0.04 * (high - low) or max(abs(high) * 0.04, 0.04)
    ax.set(xlim=(0, max(len(values) - 1, 1)), ylim=(low - room, high + room))
    ax.tick_params(labelsize=7)
