"""The rows of the table, what each is compared with, and the page that holds them."""

from __future__ import annotations

import datetime
import gzip
import importlib.metadata
import os
import platform
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import measure
from benchmarks.measure import FRAME, GAPS, Bench, Spread

STATIC = Path(__file__).resolve().parent.parent / "src" / "convlens" / "static"
#: Bytes of one map of the photograph through a 4×4 kernel: the answer to one edit.
MAP_BYTES = 252 * 381


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    measured: str
    compared: str
    budget: str
    met: bool

    def __str__(self) -> str:
        return (
            f"| {self.what} | {self.measured} | {self.compared} | {self.budget} | {'yes' if self.met else '**no**'} |"
        )


def rows(bench: Bench, chromium: str) -> str:
    """Measure everything, saying what is under way, and return the page in Markdown."""
    found = []
    for row in all_rows(bench):
        print(row, flush=True)
        found.append(row)
    return PAGE.format(
        date=datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat(),
        machine=f"{os.cpu_count()} cores, {processor()}, {platform.system()} {platform.release()}",
        versions=", ".join(
            f"{name} {importlib.metadata.version(name)}"
            for name in ("jupyterlab", "jupyter_server", "ipykernel", "anywidget", "keras", "tensorflow")
        ),
        python=platform.python_version(),
        chromium=chromium,
        rows="\n".join(str(row) for row in found),
    )


def all_rows(bench: Bench) -> Iterator[Row]:
    """Yield every row, the reference of a group measured right before the group."""
    yield from imports()
    yield bundle()
    redraw = measure.tutorial(bench)
    yield from editing(bench, redraw)
    yield from sizes(bench)
    yield from many_kernels(bench)
    yield first_sight(bench)
    yield from memory(bench)


def imports() -> Iterator[Row]:
    ours, anywidget = measure.import_time("convlens.widget"), measure.import_time("anywidget")
    yield Row(
        "`from convlens import ConvLens`",
        f"{ours:.0f} ms",
        f"{ours / anywidget:.2f} × `import anywidget` ({anywidget:.0f} ms)",
        "≤ 1.3 ×",
        ours <= 1.3 * anywidget,
    )


def bundle() -> Row:
    files = [(STATIC / name).read_bytes() for name in ("widget.js", "widget.css")]
    minified, gzipped = (sum(len(part) for part in parts) / 1000 for parts in (files, map(gzip.compress, files)))
    return Row(
        "the bundle",
        f"{minified:.1f} kB",
        f"{gzipped:.1f} kB gzipped",
        "≤ 90 kB, ≤ 30 kB gzipped",
        minified <= 90 and gzipped <= 30,
    )


def editing(bench: Bench, redraw: dict[str, Spread]) -> Iterator[Row]:
    """One tap of one of four 4×4 kernels on a photograph of 255×384."""
    notebook, view = bench.lens()
    for gap in GAPS:
        echo = Spread.of(measure.echo(notebook, gap=gap, size=MAP_BYTES))
        edit = measure.edits(notebook, gap=gap)
        if gap == GAPS[-1]:
            yield Row(
                "edit → pixels by the linear update",
                str(edit["work"]),
                f"{part(redraw['pixels'], edit['work'])} of the tutorial under `interact` ({redraw['pixels']})",
                "≤ 1/500",
                edit["work"].median <= redraw["pixels"].median / 500,
            )
            yield Row(
                "edit → paint",
                str(edit["paint"]),
                f"{part(redraw['paint'], edit['paint'])} of the tutorial's ({redraw['paint']})",
                f"≤ 1/40, 95 % within {1.5 * FRAME:.0f} ms",
                edit["paint"].median <= redraw["paint"].median / 40 and edit["paint"].p95 <= 1.5 * FRAME,
            )
        yield Row(
            f"edit → Keras's paint, {gap} ms between edits",
            str(edit["keras"]),
            f"{edit['keras'].median / echo.median:.2f} × the bare echo of as many bytes ({echo}); "
            f"{part(redraw['paint'], edit['keras'])} of the tutorial's",
            f"≤ {1.25 * echo.median + FRAME:.0f} ms (1.25 × echo + one frame), ≤ 1/15",
            edit["keras"].median <= 1.25 * echo.median + FRAME and edit["keras"].median <= redraw["paint"].median / 15,
        )
    yield from dragging(measure.drag(notebook, view, size=MAP_BYTES))
    times = measure.kernel_side(notebook)
    faster = times["tutorial"] / times["edit"]
    yield Row(
        "the kernel's time for one edit",
        f"{times['edit']:.2f} ms",
        f"{times['edit'] / times['raw']:.2f} × traced `tf.nn.conv2d` ({times['raw']:.2f} ms); "
        f"1/{faster:.0f} of `set_weights` + `predict`, four times ({times['tutorial']:.0f} ms)",
        "≤ 1.5 ×, ≤ 1/50",
        times["edit"] <= 1.5 * times["raw"] and times["edit"] <= times["tutorial"] / 50,
    )
    bench.lab.leave(notebook)


def part(whole: Spread, ours: Spread) -> str:
    """Return the ratio of two medians as a fraction: "1/850"."""
    return f"1/{whole.median / ours.median:.0f}"


def dragging(drag: measure.Drag) -> Iterator[Row]:
    share = drag.previewed / drag.frames
    yield Row(
        "ten seconds of dragging: frames with a new preview",
        f"{100 * share:.1f} % of {drag.frames}",
        "",
        "≥ 95 %",
        share >= 0.95,
    )
    yield Row(
        "the same: maps from Keras",
        f"{drag.answers_per_second:.1f} a second",
        f"{drag.answers_per_second / drag.echoes_per_second:.2f} × the bare echo's rate ({drag.echoes_per_second:.1f})",
        "≥ 0.9 ×",
        drag.answers_per_second >= 0.9 * drag.echoes_per_second,
    )
    yield Row(
        "the same: nothing outstanding after the release",
        f"{drag.idle_after:.0f} ms",
        f"{drag.idle_after / drag.echo:.1f} echoes; both sides {'equal' if drag.equal else 'DIFFER'}",
        "≤ 2 echoes, equal",
        drag.idle_after <= 2 * drag.echo and drag.equal,
    )


def sizes(bench: Bench) -> Iterator[Row]:
    """Preview alone, on larger pictures and with larger kernels."""
    for rows_, cols in ((1024, 1024), (2160, 3840)):
        works = {}
        for side in (3, 15):
            kernel = f"[np.full(({side}, {side}), 1 / {side * side}, dtype='float32')]"
            notebook, _ = bench.lens(f"photograph({rows_}, {cols})", kernel)
            works[side] = measure.edits(notebook, gap=250, count=20, keras=False)
            bench.lab.leave(notebook)
        paint = works[15]["paint"]
        ratio = works[15]["work"].median / works[3]["work"].median
        yield Row(
            f"edit → paint at {rows_}×{cols}, kernel 15×15",
            str(paint),
            f"script {works[15]['work']}, {ratio:.2f} × that of a 3×3 kernel ({works[3]['work']})",
            "the next frame, ≤ 1.2 ×",
            paint.median <= 2 * FRAME and ratio <= 1.2,
        )


def many_kernels(bench: Bench) -> Iterator[Row]:
    found = {}
    for count in (1, 64):
        notebook, _ = bench.lens(kernels=f"(filters * 16)[:{count}]")
        found[count] = measure.edits(notebook, gap=250)
        bench.lab.leave(notebook)
    for stage, what in (("paint", "paint"), ("keras", "Keras's paint")):
        one, many = found[1][stage], found[64][stage]
        yield Row(
            f"edit → {what} among 64 kernels",
            str(many),
            f"{many.median / one.median:.2f} × that with one kernel ({one})",
            "≤ 1.2 ×",
            many.median <= 1.2 * one.median,
        )


def first_sight(bench: Bench) -> Row:
    keras = measure.import_time("keras", rounds=3)
    seen = [measure.first_sight(bench) for _ in range(5)]
    median = statistics.median(one["ms"] for one in seen)
    return Row(
        "fresh kernel: `ConvLens(image, kernels)` → image, kernels and maps on screen",
        f"{median:.0f} ms",
        f"{median / keras:.2f} × `import keras` ({keras:.0f} ms); Keras was {seen[0]['status']}",
        "≤ 1/2",
        median <= keras / 2,
    )


def memory(bench: Bench) -> Iterator[Row]:
    notebook, _ = bench.lens()
    grown = measure.memory(notebook)
    bench.lab.leave(notebook)
    for side in ("kernel", "page"):
        yield Row(
            f"memory of the {side} after 10,000 edits, above that after 1,000",
            f"{grown[side]:+.1f} MB",
            "",
            "≤ 5 MB",
            grown[side] <= 5,
        )


PAGE = """# Benchmarks

`python3 dev.py bench` measures this in a real JupyterLab in headless Chromium and writes this page. Times are medians,
with the 95th percentile in brackets. Absolute times belong to the machine; the ratios, within one run, are what to
compare.

Measured on {date}: {machine}; Python {python}, {versions}, Chromium {chromium}.

| measured | result | compared with | budget | met |
|---|---|---|---|---|
{rows}

The photograph has 255×384 pixels and there are four 4×4 kernels where nothing else is said; an edit is one key press
that changes one tap. *Pixels* is the script's own time until the canvas is written; *paint* runs from the key press
until the frame is on screen. The *echo* is a comm message that carries a number to the kernel and as many bytes back as
one map has, in the same session. The *tutorial* is `set_weights`, `predict` and `imshow` for all four filters on a
figure of 20 by 20 inches under `ipywidgets.interact`. Not measured: TensorFlow.js.
"""


def processor() -> str:
    """Return the processor's name where the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
