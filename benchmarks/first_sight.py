"""P14: a fresh kernel, and how soon something can be seen."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from benchmarks.package import import_times
from benchmarks.session import Bench, call
from benchmarks.table import Row, multiple

ROUNDS = 5
ROWS = (("P14", "fresh kernel: running `ConvLens(image, kernels)` → image, kernels and maps on screen"),)
SAVE = "Image.fromarray((img * 255).astype('uint8')).save({path!r})"
#: One cell, imports included, like the first that a person runs.
CELL = """import numpy as np
from convlens import ConvLens

f1 = np.array([[-1, -1, 1, 1]] * 4)
ConvLens({path!r}, [f1, -f1, f1.T, -f1.T])"""


def rows(bench: Bench) -> Iterator[Row]:
    """Run the cell in one fresh kernel after another."""
    file = str(bench.folder / "photograph.png")
    with bench.notebook(SAVE.format(path=file)):
        pass
    (keras,) = import_times(("import keras",), rounds=3)
    seen = []
    for _ in range(ROUNDS):
        notebook = bench.lab.open([CELL.format(path=file)])
        try:
            seen.append(call(notebook.page, "firstSight", maps=4))
        finally:
            bench.lab.leave(notebook)
    median = statistics.median(one["ms"] for one in seen)
    behind = sum(one["status"] == "loading" for one in seen)
    yield Row(
        *ROWS[0],
        f"{median:.0f} ms",
        f"{multiple(median, keras)} `import keras` ({keras:.0f} ms); Keras was still loading in {behind} of {ROUNDS}, "
        f"its maps came after {statistics.median(one['keras'] for one in seen):.0f} ms",
        "≤ 1/2",
        median <= keras / 2,
    )
