"""P20 to P23: surveys of crops of photographs, here and on Dask, their memory, and maximising filters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.table import Row, multiple

ROOT = Path(__file__).resolve().parent.parent
PACE_ROWS = (
    ("P20", "a survey of MobileNetV2's deepest convolution, 96×96 crops"),
    ("P20", "a survey of all its convolutions in the same pass"),
)
CLUSTER_ROWS = (("P21", "the same on Dask: two workers of one thread against one"),)
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
    found = measure("cluster")
    equal = "equal results" if found["equal"] else "**unequal results**"
    yield Row(
        *CLUSTER_ROWS[0],
        f"{found['2']:.0f} images/s",
        f"{found['2'] / found['1']:.2f} × one worker ({found['1']:.0f} images/s); {equal}",
        "≥ 1.7 ×, equal",
        found["2"] >= 1.7 * found["1"] and found["equal"],
    )


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
