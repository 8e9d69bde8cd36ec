"""Where in the kernel a lens works: changes between cells, on the main thread; messages in the name of its own cell."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Any, ParamSpec

P = ParamSpec("P")


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


class CellOfOrigin:
    """The cell that makes this, in whose name messages leave later.

    A kernel with subshells (ipykernel 7.4) hands a widget's messages to the subshell of the request that the widget's
    own last message belonged to. That one may be another widget's, or another page's, and be gone by then: no message
    would arrive any more. The cell's shell is there as long as the kernel is.
    """

    def __init__(self) -> None:
        self._context = contextvars.copy_context()

    def call(self, work: Callable[P, object], *given: P.args, **named: P.kwargs) -> None:
        """Call in the cell's context."""
        # A context can be entered by one thread at a time; a copy by whichever comes.
        self._context.copy().run(work, *given, **named)
