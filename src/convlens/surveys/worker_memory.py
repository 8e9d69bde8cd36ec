"""Memory that a Dask worker frees: kept for the next batch while there is a survey, not returned to the system."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Callable

#: By which Dask has the C library return what is freed to the system from 64 kB on (``distributed.nanny``'s
#: ``pre-spawn-environ``). With it the library no longer learns how large a program's arrays are: each of 128 kB or more
#: is new memory, whose pages the system clears one by one. A batch's maps then take longer to allocate than to compute.
RETURN_FROM = "MALLOC_TRIM_THRESHOLD_"

#: Parameters of ``mallopt``, from glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
#: What glibc begins with, and its largest for 64 bits (``man mallopt``).
_MMAP, _MOST_MMAP = 2**17, 2**25
#: Free bytes at the end of the heap that a worker keeps during a survey.
_KEPT = 2**28


def keep_freed() -> Callable[[], None]:
    """Have this process keep what it frees, where Dask has it return that, and return what undoes it."""
    given = os.environ.get(RETURN_FROM, "")
    if not given.isdecimal() or platform.libc_ver()[0] != "glibc":
        return _nothing
    mallopt = ctypes.CDLL(None).mallopt

    def undo() -> None:
        mallopt(_MMAP_THRESHOLD, _MMAP)
        mallopt(_TRIM_THRESHOLD, int(given))

    mallopt(_MMAP_THRESHOLD, _MOST_MMAP)
    mallopt(_TRIM_THRESHOLD, max(int(given), _KEPT))
    return undo


def _nothing() -> None:
    """Nothing was changed."""
