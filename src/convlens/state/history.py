"""Undo, redo and reset over immutable states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
#: The present, the past, the future and the gesture in progress.
Saved = tuple[T, tuple[T, ...], tuple[T, ...], str | None]


class History(Generic[T]):
    """The states of the lens, as far back as `limit` steps.

    A state is shared, not copied: it must be immutable.

    Parameters
    ----------
    initial
        What `reset` returns to.
    limit
        Number of steps that can be undone.
    """

    def __init__(self, initial: T, limit: int = 200) -> None:
        self.initial = initial
        self.present = initial
        self._limit = limit
        self._past: list[T] = []
        self._future: list[T] = []
        self._gesture: str | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many steps can be undone and redone."""
        return {"undo": len(self._past), "redo": len(self._future)}

    def saved(self) -> Saved[T]:
        """Return the whole history, for `load`."""
        return (self.present, tuple(self._past), tuple(self._future), self._gesture)

    def load(self, saved: Saved[T]) -> None:
        """Restore what `saved` returned, after a step that failed."""
        self.present, past, future, self._gesture = saved
        self._past, self._future = list(past), list(future)

    def push(self, state: T, gesture: str | None = None) -> None:
        """Make `state` the present. Pushes of one gesture (a drag, a paste) are one step."""
        if state is self.present:
            return
        if gesture is None or gesture != self._gesture:
            self._past.append(self.present)
            del self._past[: -self._limit]
        self._gesture = gesture
        self._future.clear()
        self.present = state

    def map(self, change: Callable[[T], T]) -> None:
        """Replace every state, past and future; equal states stay one object."""
        changed: dict[int, T] = {}

        def exchange(state: T) -> T:
            if id(state) not in changed:
                changed[id(state)] = change(state)
            return changed[id(state)]

        past, future, initial = (
            list(map(exchange, self._past)),
            list(map(exchange, self._future)),
            exchange(self.initial),
        )
        # The old states are kept until here, so that their ids are not reused.
        self.present, self.initial, self._past, self._future = exchange(self.present), initial, past, future

    def undo(self) -> T | None:
        """Step back; None where there is nothing to undo."""
        return self._step(self._past, self._future)

    def redo(self) -> T | None:
        """Step forward again; None where there is nothing to redo."""
        return self._step(self._future, self._past)

    def _step(self, source: list[T], target: list[T]) -> T | None:
        if not source:
            return None
        target.append(self.present)
        self.present = source.pop()
        self._gesture = None
        return self.present
