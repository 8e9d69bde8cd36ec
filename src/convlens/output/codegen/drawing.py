"""The maps drawn by Matplotlib, as source."""

from __future__ import annotations

from collections.abc import Sequence

from convlens.codegen.program import Program, quoted
from convlens.colors import Stage, ValueRange
from convlens.geometry import Geometry

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
    code.add(
        f"names = [{', '.join(quoted(str(name)) for name in names[:count])}]",
        *before,
        f"figure, axes = plt.subplots({lines}, {columns}, figsize=({4 * columns}, {4 * lines}), squeeze=False)",
        f"for ax, name, values in zip(axes.flat, names, {shown}):",
        *inside,
        f"    ax.imshow(values, cmap={quoted(cmap)}{span})",
        "    ax.set_title(name)",
        "    ax.set_axis_off()",
        "# plt.show()  # outside a notebook",
    )
