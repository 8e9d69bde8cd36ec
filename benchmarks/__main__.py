"""Runs the benchmark: `python3 dev.py bench`. Prints the table and writes docs/benchmarks.md."""

from __future__ import annotations

import argparse
import functools
import os
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from benchmarks import (
    dragging,
    editing,
    exported,
    first_sight,
    kernel_side,
    memory,
    networks,
    package,
    phone_photo,
    predictions,
    sizes,
    surveying,
    training,
)
from benchmarks.page import MOST_MINUTES, page
from benchmarks.session import Bench
from benchmarks.table import Row, Theme, measured, status
from tests.browser.guards import Guard
from tests.browser.hosts.jupyterlab import JupyterLab
from tests.browser.running import chromium, profile
from tests.browser.server import serve

TARGET = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
NOTES = Path(__file__).with_name("notes.md")


def themes(bench: Bench) -> list[Theme]:
    """Everything that is measured, in the table's order except for the memory, which takes longest."""
    of = functools.partial
    return [
        Theme(editing.ROWS, of(editing.rows, bench)),
        Theme(sizes.ROWS, of(sizes.rows, bench)),
        Theme(dragging.ROWS, of(dragging.rows, bench)),
        Theme(kernel_side.ROWS, of(kernel_side.rows, bench)),
        Theme(networks.MANY_ROWS, of(networks.many_kernels, bench)),
        Theme(networks.DEEP_ROWS, of(networks.deep_layers, bench)),
        Theme(networks.GALLERY_ROWS, of(networks.gallery, bench)),
        Theme(package.ROWS, package.rows),
        Theme(training.ROWS, of(training.rows, bench)),
        Theme(exported.ROWS, of(exported.rows, bench)),
        Theme(first_sight.ROWS, of(first_sight.rows, bench)),
        Theme(predictions.ROWS, of(predictions.rows, bench)),
        Theme(phone_photo.ROWS, of(phone_photo.rows, bench)),
        Theme(memory.ROWS, of(memory.rows, bench)),
        Theme(surveying.PACE_ROWS, surveying.pace_rows),
        Theme(surveying.CLUSTER_ROWS, surveying.cluster_rows),
        Theme(surveying.ASCENT_ROWS, surveying.ascent_rows),
        Theme(surveying.MEMORY_ROWS, surveying.memory_rows),
    ]


def main(arguments: Sequence[str]) -> int:
    """Measure in one session; return the exit status, which is 0 where every row could be measured."""
    parser = argparse.ArgumentParser(prog="python3 dev.py bench")
    parser.add_argument("--only", action="append", default=[], metavar="ROW", help="such as P5; may be repeated")
    only = {number.upper() for number in parser.parse_args(arguments).only}
    rows: list[Row] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder)) as server,
        chromium() as browser,
    ):
        context = profile(browser)
        context.set_default_timeout(120_000)
        guard = Guard(context)
        write = functools.partial(finish, rows, browser.version, complete=not only)
        overdue = threading.Timer(60 * MOST_MINUTES, give_up, [write])
        overdue.daemon = True
        overdue.start()
        with JupyterLab.of(server, context) as lab:
            every = themes(Bench(lab, context, Path(folder)))
            chosen = [theme for theme in every if not only or only & {number for number, _ in theme.rows}]
            for row in measured(chosen):
                print(row, flush=True)
                rows.append(row)
        overdue.cancel()
        context.close()
    result = write()
    for problem in (*guard.requests, *guard.errors):
        print(f"The pages noted: {problem}", file=sys.stderr)
    return result


def finish(rows: list[Row], chromium_version: str, *, complete: bool) -> int:
    """Write the page if every row was requested; return the exit status."""
    rows.sort(key=lambda row: int(row.number.removeprefix("P")))
    text = page(rows, chromium_version, NOTES.read_text())
    if complete:
        TARGET.write_text(text)
    print(text)
    return status(rows)


def give_up(write: functools.partial[int]) -> None:
    """End a run that hangs, with what was measured."""
    write()
    print(f"The benchmark did not come to an end within {MOST_MINUTES} minutes.", file=sys.stderr, flush=True)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
