"""P5: ten seconds of dragging a cell with the mouse, and what is outstanding when it is let go."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.session import MAP_BYTES, Bench, call, echo
from benchmarks.table import Row
from tests.browser.hosts.jupyterlab import Notebook
from tests.browser.lens import LensView

SECONDS = 10
#: Pixels up and down again. Each is a step of the value and an event of its own: Chromium takes one a frame, and the
#: next is sent when it was taken.
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
        frame = call(notebook.page, "frameTime")
        times = echo(notebook.page, count=100, gap=0, size=MAP_BYTES)
        long = drag(notebook, view, SECONDS)
        short = [drag(notebook, view, 0.3 + 0.013 * n) for n in range(RELEASES)]
        times += echo(notebook.page, count=100, gap=0, size=MAP_BYTES)
    yield previews(long, frame)
    rate, bare = long["maps"] / long["seconds"], 1000 / statistics.mean(times)
    yield Row(
        *ROWS[1],
        f"{rate:.1f} a second",
        f"{rate / bare:.2f} × the rate of the bare echo of as many bytes, one following another ({bare:.1f} a second)",
        "≥ 0.9 ×",
        rate >= 0.9 * bare,
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


def previews(seen: dict[str, Any], frame: float) -> Row:
    """Return the share of frames with a new preview, of those that the display shows and that a move came before."""
    possible = seen["seconds"] * 1000 / frame
    share = seen["previewed"] / max(1, seen["moved"])
    kept_up = seen["frames"] >= 0.95 * possible
    return Row(
        *ROWS[0],
        f"{100 * share:.1f} %",
        f"{seen['previewed']} of {seen['moved']} frames before which the mouse moved; the display shows {possible:.0f} "
        f"in {seen['seconds']:.1f} s ({1000 / frame:.0f} a second), the page made {seen['frames']}",
        "≥ 95 %, at the display's rate",
        share >= 0.95 and kept_up if seen["moved"] >= 0.8 * possible else None,
    )


def drag(notebook: Notebook, view: LensView, seconds: float) -> dict[str, Any]:
    """Drag a cell up and down and let go; return what the page saw, and whether both sides ended equal."""
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
    call(page, "watch")
    begin = time.monotonic()
    steps = min(STROKE, int(seconds * 60))
    for up in itertools.cycle((10 + steps, 10)):
        page.mouse.move(x, y - up, steps=steps)
        if time.monotonic() - begin >= seconds:
            break
    page.mouse.up()
    seen: dict[str, Any] = call(page, "watched")
    view.settle()
    return {**seen, "equal": bool((view.kernel(0) == notebook.kernel.value("lens.kernels[0]")).all())}
