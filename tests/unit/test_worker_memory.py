"""Memory that a survey's worker frees is used again, where Dask has its process return it to the system."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from convlens.surveys.worker_memory import RETURN_FROM

#: Prints the pages that the system clears for ten arrays of 8 MB, one after another: before, within and after.
COUNT = """
import resource
import numpy as np
from convlens.surveys.worker_memory import keep_freed

def cleared():
    np.ones(2**20)  # what the first one takes may stay
    start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        np.ones(2**20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - start

before = cleared()
undo = keep_freed()
within = cleared()
undo()
print(before, within, cleared())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Dask returns memory by a variable of Linux's C library")
def test_arrays_of_a_survey_use_the_same_memory_one_after_another() -> None:
    environment = os.environ | {RETURN_FROM: "65536", "NUMPY_MADVISE_HUGEPAGE": "0"}
    run = subprocess.run([sys.executable, "-c", COUNT], env=environment, capture_output=True, text=True, check=True)
    before, within, after = map(int, run.stdout.split())
    assert within < min(before, after) / 10


def test_nothing_changes_where_memory_is_not_returned() -> None:
    environment = {name: value for name, value in os.environ.items() if name != RETURN_FROM}
    code = (
        "import ctypes; from convlens.surveys import worker_memory as memory; "
        "memory.ctypes = None; memory.keep_freed()()"
    )
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
