"""P1, P2 and P4: one tap of one of four 4×4 kernels on a photograph of 255×384, by a key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import Page

from benchmarks.references import Redraw, bare, tensorflow_js, tutorial
from benchmarks.session import EDITS, MAP_BYTES, PIPELINE, Bench, echo, edits, stages
from benchmarks.table import FRAME, Row, Spread, fraction, multiple

ROWS = (
    ("P1", "edit → pixels by the linear update"),
    ("P2", "edit → paint"),
    ("P4", "edit → Keras's paint, 60 ms between edits"),
    ("P4", "edit → Keras's paint, 250 ms between edits"),
)


def rows(bench: Bench) -> Iterator[Row]:
    """Measure the tutorial first, then everything else in one page."""
    redraw = tutorial(bench)
    with bench.lens() as (notebook, _):
        notebook.python.run(PIPELINE)
        found = {gap: paced(notebook.page, gap) for gap in (60, 250)}
        tfjs, by_hand = tensorflow_js(notebook.page)
    edit = found[250].edit
    pixels, paint, canvas = edit["pixels"], edit["paint"], found[250].bare["paint"]
    yield Row(
        *ROWS[0],
        str(pixels),
        f"{fraction(pixels.median, redraw.pixels.median)} of the tutorial under `interact` ({redraw.pixels}); "
        f"{fraction(pixels.median, tfjs.median)} of TensorFlow.js by WebAssembly with SIMD ({tfjs}; {by_hand} if all "
        f"after the convolution is written by hand). All that the page does for an edit, the request and the numbers "
        f"beside the map among it, takes {edit['script']}",
        "≤ 1/500, ≤ 1/8",
        pixels.median <= redraw.pixels.median / 500 and pixels.median <= tfjs.median / 8,
    )
    yield Row(
        *ROWS[1],
        str(paint),
        f"{multiple(paint.median, canvas.median)} a bare canvas in the same page ({canvas}), "
        f"{multiple(paint.p95, canvas.p95)} at the 95th percentile, which is {paint.p95 / FRAME:.2f} frames; "
        f"{fraction(paint.median, redraw.paint.median)} of the tutorial's ({redraw.paint})",
        "≤ 2 ×, both; ≤ 1/50",
        paint.median <= min(2 * canvas.median, redraw.paint.median / 50) and paint.p95 <= 2 * canvas.p95,
    )
    for row, gap in zip(ROWS[2:], found, strict=True):
        yield keras_paint(row, found[gap], redraw)


@dataclass(frozen=True)
class Paced:
    """What was measured at one pace."""

    edit: dict[str, Spread]
    #: The bare echo of as many bytes.
    echo: Spread
    #: A page that does nothing but write a canvas, and again with the answer of the bare pipeline.
    bare: dict[str, Spread]


def paced(page: Page, gap: float) -> Paced:
    """Measure edits at one pace, the echo half before and half after them, and the bare canvas and pipeline."""
    before = echo(page, gap=gap, count=EDITS // 2, size=MAP_BYTES)
    edit = stages(edits(page, gap=gap))
    both = Spread.of(before + echo(page, gap=gap, count=EDITS // 2, size=MAP_BYTES))
    return Paced(edit, both, bare(page, gap=gap))


def keras_paint(row: tuple[str, str], found: Paced, redraw: Redraw) -> Row:
    keras, answer, pipeline = found.edit["keras"], found.edit["answer"], found.bare["answered"]
    return Row(
        *row,
        str(keras),
        f"{multiple(keras.median, pipeline.median)} the bare pipeline ({pipeline}): a message, a traced `tf.nn.conv2d` "
        f"of that filter, an answer of as many bytes, a canvas filled. The bare echo takes {found.echo}, the answer to "
        f"an edit {answer}; {fraction(keras.median, redraw.paint.median)} of the tutorial's",
        "≤ 1.25 ×, ≤ 1/15",
        keras.median <= 1.25 * pipeline.median and keras.median <= redraw.paint.median / 15,
    )
