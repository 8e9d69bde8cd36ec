"""Where in Python a lens works: edits between cells, on the main thread; messages in the context of its own cell."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import ParamSpec

from convlens.widget.jupyter_internals import kernel_loop

P = ParamSpec("P")


def between_cells(call: Callable[[], None]) -> None:
    """Call at once on the kernel's main thread, or without a kernel; from another thread, call between two cells.

    JupyterLab sends widgets' messages to a subshell of the kernel where it has them (ipykernel 7), and so in a thread
    beside the cell that runs. A cell that reads ``lens.kernels`` and writes them back would lose an edit that came in
    between.
    """
    loop = kernel_loop()
    if loop is None or threading.current_thread() is threading.main_thread():
        call()
    else:
        loop.add_callback(call)


def after_this(call: Callable[[], None]) -> None:
    """Call on the kernel's main thread when what runs there now has ended; without a kernel, do nothing."""
    loop = kernel_loop()
    if loop is not None:
        loop.add_callback(call)


class CellOfOrigin:
    """The context of the cell that makes this, in which messages are sent later.

    A kernel with subshells (ipykernel 7.4) routes a widget's messages to the subshell of the request that the widget's
    last own message belonged to. That subshell may belong to another widget or page and may have ended, and then no
    message arrives any more. The cell's shell lives as long as the kernel does.
    """

    def __init__(self) -> None:
        self._context = contextvars.copy_context()

    def call(self, work: Callable[P, object], *given: P.args, **named: P.kwargs) -> None:
        """Call in the cell's context."""
        # A context can be entered by one thread at a time; each call enters a copy.
        self._context.copy().run(work, *given, **named)

    def close(self) -> None:
        """Let go of the context, and of the message that had the cell run; what is called later has an empty one."""
        self._context = contextvars.Context()
