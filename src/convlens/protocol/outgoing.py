"""Messages on their way out: in order, one thread at a time, and under no lock of the lens's."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

_log = logging.getLogger("convlens")


class Outgoing:
    """A queue of messages, emptied by any thread that holds no lock.

    Parameters
    ----------
    send
        Sends one message with its buffers.
    waits
        Returns whether the calling thread must not send now, because it holds a lock. It calls `flush` when it has
        released it.
    """

    def __init__(self, send: Callable[[Any, Any], None], waits: Callable[[], bool]) -> None:
        self._send = send
        self._waits = waits
        self._queue: deque[tuple[Any, Any]] = deque()
        # Held for the moment of taking a message out or putting one in, never while one is sent.
        self._lock = threading.Lock()
        self._sending = False

    def put(self, message: Any, buffers: Any = None) -> None:
        """Append a message, and send what may be sent."""
        with self._lock:
            self._queue.append((message, buffers))
        self.flush()

    def flush(self) -> None:
        """Send what is queued, unless this thread holds a lock or another thread is already sending."""
        while not self._waits():
            with self._lock:
                if self._sending or not self._queue:
                    return
                self._sending = True
                message, buffers = self._queue.popleft()
            try:
                self._send(message, buffers)
            except Exception:  # the messages after it must not be lost with it
                _log.exception("A message to the widget could not be sent")
            finally:
                with self._lock:
                    self._sending = False
