"""P1, P2 and P4: one tap of one of four 4×4 kernels on a photograph of 255×384, by a key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import Page

from benchmarks.references import Redraw, bare, tensorflow_js, tutorial
from benchmarks.session import EDITS, MAP_BYTES, Bench, echo, edits, stages
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
        found = {gap: paced(notebook.page, gap) for gap in (60, 250)}
        tfjs, by_hand = tensorflow_js(notebook.page)
    edit = found[250].edit
    pixels, paint = edit["pixels"], edit["paint"]
    yield Row(
        *ROWS[0],
        str(pixels),
        f"{fraction(pixels.median, redraw.pixels.median)} of the tutorial under `interact` ({redraw.pixels}); "
        f"{fraction(pixels.median, tfjs.median)} of TensorFlow.js by WebAssembly with SIMD ({tfjs}; {by_hand} if all "
        f"after the convolution is written by hand). All that the page does for an edit, the request and the numbers "
        f"beside the map among it, takes {edit['script']}",
        "≤ 1/500, ≤ 1/20",
        pixels.median <= redraw.pixels.median / 500 and pixels.median <= tfjs.median / 20,
    )
    yield Row(
        *ROWS[1],
        str(paint),
        f"{fraction(paint.median, redraw.paint.median)} of the tutorial's ({redraw.paint}); "
        f"{paint.p95 / FRAME:.2f} frames at the 95th percentile; a bare canvas in the same page takes "
        f"{found[250].canvas['paint']}",
        "≤ 1/40, 95 % within 1.5 frames",
        paint.median <= redraw.paint.median / 40 and paint.p95 <= 1.5 * FRAME,
    )
    for row, gap in zip(ROWS[2:], found, strict=True):
        yield keras_paint(row, found[gap], redraw)


@dataclass(frozen=True)
class Paced:
    """What was measured at one pace."""

    edit: dict[str, Spread]
    #: The bare echo of as many bytes.
    echo: Spread
    #: A page that does nothing but write a canvas, and again with the echo's answer.
    canvas: dict[str, Spread]


def paced(page: Page, gap: float) -> Paced:
    """Measure edits at one pace, the echo half before and half after them, and the bare canvas."""
    before = echo(page, gap=gap, count=EDITS // 2, size=MAP_BYTES)
    edit = stages(edits(page, gap=gap))
    both = Spread.of(before + echo(page, gap=gap, count=EDITS // 2, size=MAP_BYTES))
    return Paced(edit, both, bare(page, gap=gap))


def keras_paint(row: tuple[str, str], found: Paced, redraw: Redraw) -> Row:
    keras, answer = found.edit["keras"], found.edit["answer"]
    most = 1.25 * found.echo.median + FRAME
    return Row(
        *row,
        str(keras),
        f"{multiple(keras.median, most)} what the echo allows; the echo of as many bytes takes {found.echo}, a bare "
        f"canvas with its answer {found.canvas['answered']}, the answer to an edit {answer}; "
        f"{fraction(keras.median, redraw.paint.median)} of the tutorial's",
        f"≤ {most:.0f} ms (1.25 × echo + a frame), ≤ 1/15",
        keras.median <= most and keras.median <= redraw.paint.median / 15,
    )
