"""The maps drawn by Matplotlib, as source."""

from __future__ import annotations

from collections.abc import Sequence

from convlens.maths.geometry import Geometry
from convlens.output.codegen.program import Program, quoted
from convlens.output.colormaps import Stage, ValueRange

#: More maps than this are not drawn.
MOST_MAPS = 64

_COLUMNS = 4


def add_drawing(
    code: Program, geometry: Geometry, names: Sequence[str], cmap: str, value_range: ValueRange, stage: Stage
) -> None:
    """Add the drawing of ``activations``, or ``pre_activations``, titled and coloured as in the lens."""
    code.imports.add("import matplotlib.pyplot as plt")
    shown = "activations" if stage == "activation" else "pre_activations"
    count = min(geometry.filters, MOST_MAPS)
    columns = min(count, _COLUMNS)
    lines = -(-count // columns)
    before: list[str] = []
    inside: list[str] = []
    span = ""
    if isinstance(value_range, tuple):
        span = f", vmin={value_range[0]!r}, vmax={value_range[1]!r}"
    elif value_range == "shared":
        before = [f"finite = {shown}[np.isfinite({shown})]"]
        span = ", vmin=finite.min(initial=np.inf), vmax=finite.max(initial=-np.inf)"
    elif value_range == "symmetric":
        inside = ["    limit = np.abs(values[np.isfinite(values)]).max(initial=0)"]
        span = ", vmin=-limit, vmax=limit"
    drawn = [f"    ax.imshow(values, cmap={quoted(cmap)}{span})", "    ax.set_axis_off()"]
    if geometry.rank == 1:
        drawn, inside = ["    ax.plot(values)"], []
        if isinstance(value_range, tuple):
            drawn.append(f"    ax.set_ylim({value_range[0]!r}, {value_range[1]!r})")
        elif value_range == "shared":
            drawn.append("    ax.set_ylim(finite.min(initial=np.inf), finite.max(initial=-np.inf))")
        elif value_range == "symmetric":
            inside = ["    limit = np.abs(values[np.isfinite(values)]).max(initial=0)"]
            drawn.append("    ax.set_ylim(-limit, limit)")
    code.add(
        f"names = [{', '.join(quoted(str(name)) for name in names[:count])}]",
        *before,
        f"figure, axes = plt.subplots({lines}, {columns}, figsize=({4 * columns}, {4 * lines}), squeeze=False)",
        f"for ax, name, values in zip(axes.flat, names, {shown}):",
        *inside,
        *drawn,
        "    ax.set_title(name)",
    )
