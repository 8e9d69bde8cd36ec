"""P5: ten seconds of dragging a cell with the mouse, and what is outstanding when it is released."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

from benchmarks.session import MAP_BYTES, PIPELINE, Bench, call, echo
from benchmarks.table import Row
from tests.browser.hosts.jupyterlab import Notebook
from tests.browser.lens import LensView

SECONDS = 10
#: Row 1, column 1 of a 4×4 kernel.
CELL = 5
#: Pixels up and down again; each is a step of the value.
STROKE = 120
#: Short drags after the long one: a release happens at any point of a round trip.
RELEASES = 15
ROWS = (
    ("P5", "ten seconds of dragging: frames with a new preview"),
    ("P5", "the same: maps from Keras"),
    ("P5", "the same: nothing outstanding after the release"),
)


def rows(bench: Bench) -> Iterator[Row]:
    """Measure the echo without a pause before and after the drags, in the same page."""
    with bench.lens() as (notebook, view):
        notebook.python.run(PIPELINE)
        frame = call(notebook.page, "frameTime")
        times = echo(notebook.page, count=100, gap=0, size=MAP_BYTES)
        long = drag(notebook, view, SECONDS)
        short = [drag(notebook, view, 0.3 + 0.013 * n) for n in range(RELEASES)]
        times += echo(notebook.page, count=100, gap=0, size=MAP_BYTES)
        least, pipeline = (
            call(notebook.page, "bareDrag", target=target, seconds=SECONDS, bytes=MAP_BYTES)
            for target in ("bench_echo", "bench_pipeline")
        )
    yield previews(long, least, frame)
    rate, bare = (one["maps"] / one["seconds"] for one in (long, pipeline))
    yield Row(
        *ROWS[1],
        f"{rate:.1f} a second",
        f"{rate / bare:.2f} × the rate of the bare pipeline, one message following another beside a canvas that is "
        f"written before every frame ({bare:.1f} a second); the bare echo's is {1000 / statistics.mean(times):.1f}",
        "≥ 0.8 ×",
        rate >= 0.8 * bare,
    )
    drags, median = [long, *short], statistics.median(times)
    most = max(one["idleAfter"] for one in drags)
    in_time = sum(one["idleAfter"] <= 2 * median for one in drags)
    equal = all(one["equal"] for one in drags)
    yield Row(
        *ROWS[2],
        f"{statistics.median(one['idleAfter'] for one in drags):.0f} ms, {most:.0f} ms at most",
        f"{in_time} of {len(drags)} releases within two echoes of {median:.0f} ms; the kernel's numbers and the lens's "
        + ("are equal after each" if equal else "DIFFER"),
        "≤ 2 echoes, equal",
        in_time == len(drags) and equal,
    )


def previews(seen: dict[str, Any], least: dict[str, Any], frame: float) -> Row:
    """Return the share of frames with a new preview, of those that the display could show.

    `least` is the share in a page that does nothing but write a canvas, while the echo answers without a pause.
    """
    possible = seen["seconds"] * 1000 / frame
    share = seen["previewed"] / possible
    bare = least["frames"] * frame / (least["seconds"] * 1000)
    return Row(
        *ROWS[0],
        f"{100 * share:.1f} %",
        f"{seen['previewed']} of {possible:.0f} that the display shows in {seen['seconds']:.1f} s ({1000 / frame:.0f} "
        f"a second); the page made {seen['frames']}, before each of which the pointer had moved; {share / bare:.2f} × "
        f"a bare canvas that is written before every frame, while echo follows echo ({100 * bare:.1f} %)",
        "≥ 0.95 × the bare canvas",
        share >= 0.95 * bare,
    )


def drag(notebook: Notebook, view: LensView, seconds: float) -> dict[str, Any]:
    """Drag a cell up and down and release it; return what the page saw, and whether both sides ended equal."""
    page = notebook.page
    view.settle()
    cell = view.cell(0, 1, 1)
    cell.scroll_into_view_if_needed()
    box = cell.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 10)
    seen: dict[str, Any] = call(page, "drag", seconds=seconds, stroke=STROKE, x=x, y=y - 10, tap=CELL)
    page.mouse.up()
    idle_after = call(page, "idleAfter")
    view.settle()
    equal = bool((view.kernel(0) == notebook.python.value("lens.kernels[0]")).all())
    return {**seen, "idleAfter": idle_after, "equal": equal}
