"""The kernel's main thread, where a lens changes: between cells, never beside one that runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


def between_cells(call: Callable[[], None]) -> None:
    """Call at once on the kernel's main thread, or where there is no kernel; from another thread between two cells.

    JupyterLab sends widgets' messages to a subshell of the kernel where it has them (ipykernel 7), and so in a thread
    beside the cell that runs. A cell that reads ``lens.kernels`` and writes them back would lose an edit that came in
    between.
    """
    loop = _loop()
    if loop is None or threading.current_thread() is threading.main_thread():
        call()
    else:
        loop.add_callback(call)


def _loop() -> Any:
    """Return the loop (`tornado.ioloop.IOLoop`) that runs the kernel's cells."""
    from IPython.core.getipython import get_ipython

    return getattr(getattr(get_ipython(), "kernel", None), "io_loop", None)
