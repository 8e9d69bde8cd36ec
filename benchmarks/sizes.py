"""P3: the preview on larger pictures and with larger kernels, and whether it shows what Keras computes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from matplotlib import colormaps

from benchmarks.session import Bench, call, edits, stages
from benchmarks.table import Row

SIZES = ((1024, 1024), (2160, 3840))
SIDES = (3, 7, 15)
#: A machine is not equally fast at all times.
ROUNDS = 2
#: Milliseconds after Keras's map of an edit is drawn, in which both processors come to rest.
REST = 200
#: Red of each level of the colour map with which the maps are drawn.
GRAY = colormaps["gray"](np.arange(256), bytes=True)[:, 0].tolist()
ROWS = (
    ("P3", "edit → paint at 1024×1024, kernels of 3×3, 7×7 and 15×15"),
    ("P3", "edit → paint at 2160×3840, kernels of 3×3, 7×7 and 15×15"),
)

#: The layer's own function, without the lens: the largest difference of any value, as a share of the greatest.
CHECK = """
import tensorflow as tf
def far_from_conv2d():
    kernel = lens.kernels[0]
    own = tf.nn.relu(tf.nn.conv2d(lens.image[None], kernel[:, :, None, None], 1, "VALID")).numpy()[0, :, :, 0]
    return float(np.abs(own - lens.activations[0]).max() / own.max())
"""


def rows(bench: Bench) -> Iterator[Row]:
    """Measure each picture with each kernel, alternately, in notebooks of their own."""
    for row, size in zip(ROWS, SIZES, strict=True):
        found: dict[int, Found] = {side: Found() for side in SIDES}
        for _ in range(ROUNDS):
            for side, one in found.items():
                measure(bench, size, side, one)
        yield one_size(row, found)


@dataclass
class Found:
    """What was found with one kernel."""

    edits: list[dict[str, float]] = field(default_factory=list)
    #: How far preview and Keras are apart, in levels of the colour map.
    apart: int = 0
    #: How far Keras and TensorFlow are apart, as a share of the greatest value.
    wrong: float = 0.0


def measure(bench: Bench, size: tuple[int, int], side: int, found: Found) -> None:
    """Edit in a notebook of its own, and compare what is drawn."""
    rows_, cols = size
    kernel = f"[np.full(({side}, {side}), 1 / {side * side}, dtype='float32')]"
    with bench.lens(f"photograph({rows_}, {cols})", kernel) as (notebook, view):
        # A 15×15 kernel's first prediction takes the page seconds of idle time.
        call(notebook.page, "predicted")
        found.edits += edits(notebook.page, gap=250, rest=REST, count=15)
        for number in range(2):
            apart = call(notebook.page, "compare", number=number, table=GRAY)["difference"]
            found.apart = max(found.apart, apart)
        view.settle()
        notebook.python.run(CHECK)
        found.wrong = max(found.wrong, notebook.python.value("far_from_conv2d()"))


def one_size(row: tuple[str, str], found: dict[int, Found]) -> Row:
    times = {side: stages(one.edits) for side, one in found.items()}
    slowest = max((one["paint"] for one in times.values()), key=lambda paint: paint.median)
    late = max(one["late"].p95 for one in times.values())
    growth = times[15]["script"].median / times[3]["script"].median
    apart, wrong = max(one.apart for one in found.values()), max(one.wrong for one in found.values())
    scripts = ", ".join(f"{side}×{side} {one['script']}" for side, one in times.items())
    return Row(
        *row,
        f"{slowest} at most",
        f"script: {scripts}; 15×15 takes {growth:.2f} × of 3×3; frames shown before it at the 95th percentile: "
        f"{late:.0f}; the first preview, of some values a pixel on screen, and Keras's are {apart} of 256 levels "
        f"apart at most, Keras's map and that of `tf.nn.conv2d` {wrong:.0e} of the maximum",
        "the next frame; ≤ 1.2 ×; Keras's map the same",
        late == 0 and growth <= 1.2 and wrong <= 1e-5,
    )
