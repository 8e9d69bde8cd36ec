"""P9 and P10: what importing the package takes, and how large what a page loads is."""

from __future__ import annotations

import gzip
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.table import Row, multiple

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "src" / "convlens" / "static"
#: Sizes above which the build of the bundle fails, in bytes, and the budget, in kB: minified, gzipped.
LIMIT = ROOT / "js" / "budget.json"
WANTED = 260, 92
ROWS = (
    ("P9", "`import convlens`"),
    ("P9", "`from convlens import ConvLens`"),
    ("P10", "the bundle, minified, CSS included"),
)


def rows() -> Iterator[Row]:
    """Import in fresh interpreters, alternately; measure the files as they were built."""
    needed, *ours = import_times(("import anywidget, numpy", "import convlens", "from convlens import ConvLens"))
    for row, taken in zip(ROWS[:2], ours, strict=True):
        ratio = f"{multiple(taken, needed)} `import anywidget, numpy` ({needed:.0f} ms), which a lens cannot do without"
        yield Row(*row, f"{taken:.0f} ms", ratio, "≤ 1.3 ×", taken <= 1.3 * needed)
    files = [(STATIC / name).read_bytes() for name in ("widget.js", "loader.js", "widget.css")]
    minified, gzipped = (sum(len(part) for part in parts) / 1000 for parts in (files, map(gzip.compress, files)))
    limit = {kind: size / 1000 for kind, size in json.loads(LIMIT.read_text("utf-8")).items()}
    yield Row(
        *ROWS[2],
        f"{minified:.1f} kB",
        f"{gzipped:.1f} kB gzipped; the build fails above {limit['minified']:.1f} and {limit['gzipped']:.1f} kB",
        f"≤ {WANTED[0]} kB, ≤ {WANTED[1]} kB gzipped",
        minified <= WANTED[0] and gzipped <= WANTED[1],
    )


def import_times(statements: tuple[str, ...], rounds: int = 7) -> list[float]:
    """Return the median time of each statement in a fresh interpreter, in ms; a first round fills the disk's cache."""
    found: list[list[float]] = [[] for _ in statements]
    for number in range(rounds + 1):
        for times, statement in zip(found, statements, strict=True):
            code = f"import time; start = time.perf_counter(); {statement}; print(time.perf_counter() - start)"
            run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120)
            if number:
                times.append(1000 * float(run.stdout))
    return [statistics.median(times) for times in found]
