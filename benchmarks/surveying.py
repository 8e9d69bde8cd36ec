"""P20 to P23: surveys of crops of photographs, here and on Dask, their memory, and maximising filters."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.table import Row, multiple

ROOT = Path(__file__).resolve().parent.parent
PACE_ROWS = (
    ("P20", "a survey of MobileNetV2's deepest convolution, 96×96 crops"),
    ("P20", "a survey of all its convolutions in the same pass"),
)
CLUSTER_ROWS = (
    ("P21", "the deepest convolution's survey on Dask: two workers of one thread against one"),
    ("P21", "that of all its convolutions"),
)
MEMORY_ROWS = (("P22", "a survey's memory, from the 1,000th to the 100,000th crop"),)
ASCENT_ROWS = (("P23", "256 steps of maximising eight filters of MobileNetV2, 96×96"),)


def measure(name: str, *numbers: int, **variables: str) -> Any:
    """Measure in a process of its own."""
    environment = (
        os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}", "TF_CPP_MIN_LOG_LEVEL": "2"} | variables
    )
    command = [sys.executable, "-m", "benchmarks.survey_process", name, *map(str, numbers)]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT)
    return json.loads(run.stdout.splitlines()[-1])


def pace_rows() -> Iterator[Row]:
    found = measure("pace")
    ratio, spread = _turns(found["one"], found["bare"])
    bare = statistics.median(found["bare"])
    yield Row(
        *PACE_ROWS[0],
        f"{statistics.median(found['one']):.0f} images/s",
        f"{ratio:.2f} × a bare loop to that layer ({bare:.0f} images/s); {spread} in {len(found['one'])} rounds",
        "≥ 0.9 ×",
        ratio >= 0.9,
    )
    yield Row(
        *PACE_ROWS[1],
        f"{found['all']:.0f} images/s",
        f"{found['all'] / bare:.2f} × that bare loop",
        "≥ 0.9 ×",
        found["all"] >= 0.9 * bare,
    )


def cluster_rows() -> Iterator[Row]:
    found, same = measure("cluster"), "equal results"
    beside = {"one": f"; two processes without Dask {_side_by_side():.2f} × one", "all": ""}
    for row, name in zip(CLUSTER_ROWS, beside, strict=True):
        single, double, equal = (found[f"{name} {what}"] for what in ("1", "2", "equal"))
        ratio, spread = _turns(double, single)
        yield Row(
            *row,
            f"{statistics.median(double):.0f} images/s",
            f"{ratio:.2f} × one worker ({statistics.median(single):.0f} images/s); {spread} in "
            f"{len(single)} rounds{beside[name]}; {same if equal else f'**un{same}**'}",
            "≥ 1.7 ×, equal",
            ratio >= 1.7 and equal,
        )


def _turns(ours: list[float], other: list[float]) -> tuple[float, str]:
    """Return the median of how many times as fast one is in each round as the other, and the least and the greatest."""
    ratios = [one / another for one, another in zip(ours, other, strict=True)]
    return statistics.median(ratios), f"{min(ratios):.2f} to {max(ratios):.2f}"


def _side_by_side(rounds: int = 3) -> float:
    """Return how many times as fast as one process two are that survey at the same time, each with one thread."""
    threads = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}

    def pace(_: int) -> float:
        return float(measure("plain", **threads)["pace"])

    with ThreadPoolExecutor(2) as pool:
        return statistics.median(sum(pool.map(pace, range(2))) / pace(0) for _ in range(rounds))


def memory_rows() -> Iterator[Row]:
    found = measure("memory")
    more = found["after"] - found["before"]
    yield Row(
        *MEMORY_ROWS[0],
        f"{more:+.0f} MB",
        f"{found['before']:.0f} MB at the 1,000th of {found['count']:,}; {found['pace']:.0f} images/s",
        "≤ 50 MB",
        more <= 50,
    )


def ascent_rows() -> Iterator[Row]:
    found = measure("ascent")
    yield Row(
        *ASCENT_ROWS[0],
        f"{found['ours']:.1f} s",
        f"{multiple(found['ours'], found['bare'])} a bare gradient loop ({found['bare']:.1f} s)",
        "≤ 1.2 ×",
        found["ours"] <= 1.2 * found["bare"],
    )
