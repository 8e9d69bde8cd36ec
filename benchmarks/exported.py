"""P13: the tutorial's page, saved by `save_html`."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from benchmarks.session import Bench, call
from benchmarks.table import Row

ROWS = (
    ("P13", "the tutorial's page exported: size"),
    ("P13", "the tutorial's page exported: first paint from disk"),
)
SAVE = """
from matplotlib.cbook import get_sample_data
from convlens import ConvLens
whole = ConvLens(get_sample_data("grace_hopper.jpg", asfileobj=False))
whole.activations
whole.save_html({path!r})
"""
OPENINGS = 5


def rows(bench: Bench) -> Iterator[Row]:
    """Save the page in a kernel, then open the file in tabs of its own, with no server."""
    file = bench.folder / "tutorial.html"
    with bench.notebook(SAVE.format(path=str(file))):
        kilobytes = file.stat().st_size / 1000
    yield Row(
        *ROWS[0],
        f"{kilobytes:.0f} kB",
        "photograph of 606×512 in colour, four 4×4 kernels",
        "≤ 500 kB",
        kilobytes <= 500,
    )
    seen = []
    for _ in range(OPENINGS):
        page = bench.context.new_page()
        try:
            page.goto(file.as_uri())
            seen.append(call(page, "pageSight", maps=4))
        finally:
            page.close()
    slowest = max(one["ms"] for one in seen)
    yield Row(
        *ROWS[1],
        f"{statistics.median(one['ms'] for one in seen):.0f} ms, {slowest:.0f} ms at most",
        "image and all four maps on screen, predicted by the page itself; Chromium's first contentful paint after "
        f"{statistics.median(one['first'] or one['ms'] for one in seen):.0f} ms",
        "≤ 1 s",
        slowest <= 1000,
    )
