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
    for row, name in zip(PACE_ROWS, ("one", "all"), strict=True):
        yield Row(
            *row,
            f"{found[name]:.0f} images/s",
            f"{found[name] / found['bare']:.2f} × a bare loop to that layer ({found['bare']:.0f} images/s)",
            "≥ 0.9 ×",
            found[name] >= 0.9 * found["bare"],
        )


def cluster_rows() -> Iterator[Row]:
    found, same = measure("cluster"), "equal results"
    beside = {"one": f"; two processes without Dask {_side_by_side():.2f} × one", "all": ""}
    for row, name in zip(CLUSTER_ROWS, beside, strict=True):
        single, double, equal = (found[f"{name} {what}"] for what in ("1", "2", "equal"))
        yield Row(
            *row,
            f"{double:.0f} images/s",
            f"{double / single:.2f} × one worker ({single:.0f} images/s){beside[name]}; "
            + (same if equal else f"**un{same}**"),
            "≥ 1.7 ×, equal",
            double >= 1.7 * single and equal,
        )


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
