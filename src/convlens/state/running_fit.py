"""The call of ``fit`` that is followed: whether it still runs, and how much of its time may be spent on showing it."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

#: Share of the training's time that showing it may take.
BUDGET = 0.01
#: Part of it that is reserved, for the call at every batch and for updates that take longer than those before.
KEPT_BACK = 0.1


class TimeBudget:
    """The time that may be spent on showing a training: a share of what has passed.

    Parameters
    ----------
    share
        Of all time; None is without limit.
    cost
        What showing once is expected to take at first, in seconds.
    clock
        Returns seconds.
    """

    def __init__(self, share: float | None, cost: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._share = share
        self._clock = clock
        self._start = clock()
        self._spent = 0.0
        self._cost = cost

    def affords(self) -> bool:
        """Whether showing once more, at the cost of the last times, stays within the share."""
        if self._share is None:
            return True
        return self._spent + self._cost <= (1 - KEPT_BACK) * self._share * (self._clock() - self._start)

    @contextmanager
    def spending(self, showing: bool = False) -> Iterator[None]:
        """Count the time that the block takes, and take it for the cost of `showing`."""
        began = self._clock()
        try:
            yield
        finally:
            taken = self._clock() - began
            self._spent += taken
            if showing:
                # A short one does not mean that the next is short.
                self._cost = max(taken, (self._cost + taken) / 2)


class RunningFit:
    """The call of ``fit`` that calls the callback now; false once it has returned or raised.

    Keras informs a callback of neither an interrupt nor an error.
    """

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        frame = sys._getframe()
        while frame.f_back is not None and not _is_fit(frame):
            frame = frame.f_back
        # Not the frame itself, which would keep the training's data.
        self._frame, self._code = id(frame), frame.f_code

    def __bool__(self) -> bool:
        """Tell whether the call is still among those that its thread is in."""
        frame = sys._current_frames().get(self._thread)
        while frame is not None:
            if id(frame) == self._frame and frame.f_code is self._code:
                return True
            frame = frame.f_back
        return False


def _is_fit(frame: FrameType) -> bool:
    return frame.f_code.co_name == "fit" and "callbacks" in frame.f_locals


def after_this_cell(call: Callable[[], None]) -> None:
    """Call once when the notebook's cell that runs has ended; does nothing elsewhere."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        return

    def ended(*_: Any) -> None:
        shell.events.unregister("post_run_cell", ended)
        call()

    shell.events.register("post_run_cell", ended)
