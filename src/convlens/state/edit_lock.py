"""The lock of a lens's edits, which can tell whether the calling thread holds it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType


class EditLock:
    """A reentrant lock around reading, changing and committing, and around what follows from that.

    Messages to the browser wait until it is released: sending may block, and must not hold up another thread's edit.

    Parameters
    ----------
    released
        Called in the thread that held the lock, after each outermost release.
    """

    def __init__(self, released: Callable[[], None] = lambda: None) -> None:
        self.released = released
        self._lock = threading.RLock()
        self._depths = threading.local()

    @property
    def held(self) -> bool:
        """Whether the calling thread holds the lock."""
        return self._depth > 0

    @property
    def _depth(self) -> int:
        depth: int = getattr(self._depths, "value", 0)
        return depth

    def __enter__(self) -> None:
        """Take the lock."""
        self._lock.acquire()
        self._depths.value = self._depth + 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the lock."""
        self._depths.value = self._depth - 1
        outermost = not self.held
        self._lock.release()
        if outermost:
            self.released()
