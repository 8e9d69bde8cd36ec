"""docs/benchmarks.md: the table, the machine it was measured on, and what each row means."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from benchmarks.table import Row

#: A page that hangs would hang everything; what has been measured by then is written all the same.
MOST_MINUTES = 150

HEAD = """# Benchmarks

`python3 dev.py bench` measures this in a real JupyterLab in headless Chromium, and writes this page. It sets up what it
needs, takes {minutes} minutes at most, and needs a machine that does nothing else. `--only P5` measures one row,
prints it, and leaves the page alone.

Measured on {date}: {machine}; Python {python}, {versions}, Chromium {chromium}.

Times are medians, with the 95th percentile in brackets. Absolute times belong to the machine; compare the
ratios, each of numbers that were measured in one run. {verdict}

| row | measured | result | compared with | budget | met |
|---|---|---|---|---|---|
{rows}
"""

VERSIONS = ("jupyterlab", "jupyter_server", "ipykernel", "anywidget", "keras", "tensorflow")


def page(rows: Sequence[Row], chromium: str, notes: str) -> str:
    """Return the page in Markdown."""
    head = HEAD.format(
        minutes=MOST_MINUTES,
        date=datetime.datetime.now(tz=datetime.timezone.utc).strftime("%d %B %Y, %H:%M UTC"),
        machine=f"{os.cpu_count()} cores, {processor()}, {platform.system()} {platform.release()}",
        versions=", ".join(f"{name} {importlib.metadata.version(name)}" for name in VERSIONS),
        python=platform.python_version(),
        chromium=chromium,
        verdict=verdict(rows),
        rows="\n".join(map(str, rows)),
    )
    return head + notes


def verdict(rows: Sequence[Row]) -> str:
    """Return in a sentence how many budgets were met, and which were not."""
    met = sum(row.met is True for row in rows)
    words = [f"{met} of {len(rows)} rows met their budget."]
    for verdict_, what in ((False, "Not met"), (None, "Not measured")):
        if numbers := [row.number for row in rows if row.met is verdict_]:
            words.append(f"{what}: {', '.join(dict.fromkeys(numbers))}.")
    return " ".join(words)


def processor() -> str:
    """Return the processor's name where the system reports it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
