"""What a kernel's process and a page hold, once everything unneeded has been released."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.python import Python

#: Pages that the allocator keeps for itself are given back first where it can be told to: what is left is in use.
RESIDENT = """
import ctypes, gc, psutil
def resident():
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        pass  # not glibc
    return psutil.Process().memory_info().rss / 1e6
"""


def page_size(page: Page) -> float:
    """Return the page's heap with its buffers, in MB."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.enable")
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    held = session.send("Runtime.getHeapUsage")
    session.detach()
    return float(held["usedSize"] + held.get("backingStorageSize", 0)) / 1e6


def kernel_size(kernel: Python) -> float:
    """Return the resident memory of a kernel that has run `RESIDENT`, in MB."""
    size: float = kernel.value("resident()")
    return size
