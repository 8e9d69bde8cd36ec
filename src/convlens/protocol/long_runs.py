"""What takes seconds, run beside Python's main thread, so that no edit waits for it; the browser asks how far it is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from convlens.layers.error_text import plain_text

_log = logging.getLogger("convlens")


class LongRun:
    """One run, in a thread of its own.

    Parameters
    ----------
    key
        Of the request that began it: a request that comes twice begins it once.
    work
        Called with the run; stores in `found` what it finds, and checks `goes_on` now and then.
    """

    def __init__(self, key: Any, work: Callable[[LongRun], None]) -> None:
        self.key = key
        #: What was found so far; replaced as a whole.
        self.found: dict[str, Any] = {}
        self.running = True
        self.error: str | None = None
        self._work: Callable[[LongRun], None] | None = work
        self._stopped = threading.Event()
        # Not a daemon: an interpreter that ends while TensorFlow computes would crash.
        self._thread = threading.Thread(target=self._run, name="convlens: long run")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Make it end at its next check."""
        self._stopped.set()

    def wait(self) -> None:
        """Return when it has ended."""
        self._thread.join()

    def goes_on(self) -> bool:
        """Whether it was neither stopped nor is the interpreter about to end."""
        return not self._stopped.is_set() and threading.main_thread().is_alive()

    def record(self) -> dict[str, Any]:
        """Return how far it is, as ``RunRecord``."""
        running = self.running  # before what was found, of which nothing may be missing once it has ended
        return {"running": running, "error": self.error, **self.found}

    def _run(self) -> None:
        work, self._work = self._work, None  # what it holds of the model is released with the thread
        assert work is not None
        try:
            work(self)
        except Exception as error:  # shown in the widget, since this thread has no caller
            if not isinstance(error, (ValueError, TypeError, IndexError)):
                _log.exception("A run beside the main thread failed")
            self.error = plain_text(error)
        finally:
            del work
            self.running = False
