"""Work beside the model's: in another thread, or, where every processor has a model of its own, in the same one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
_END: Any = object()


class Aside(Protocol):
    """Work that is done beside the caller's, and is done when the context ends."""

    def ahead(self, items: Iterable[T]) -> Iterator[T]:
        """Yield items, the next of which is made while the caller has the one before it."""

    def do(self, work: Callable[[], Any]) -> None:
        """Do some work, after what was given before it."""

    def __enter__(self) -> Aside:
        """Begin."""

    def __exit__(self, *error: Any) -> None:
        """Wait for all that was given, and raise what went wrong in it."""


class InAThread:
    """Work in one other thread, in the order in which it was given."""

    def __enter__(self) -> InAThread:
        """Begin."""
        self._pool = ThreadPoolExecutor(1, "convlens-survey")
        self._under_way: Future[Any] | None = None
        return self

    def __exit__(self, kind: Any, *error: Any) -> None:
        """Wait for all that was given, and raise what went wrong in it."""
        self._pool.shutdown(wait=True, cancel_futures=kind is not None)
        if kind is None:
            self._wait()

    def ahead(self, items: Iterable[T]) -> Iterator[T]:
        """Yield items, the next of which is made while the caller has the one before it."""
        every = iter(items)
        coming = self._pool.submit(next, every, _END)
        while (item := coming.result()) is not _END:
            coming = self._pool.submit(next, every, _END)
            yield item

    def do(self, work: Callable[[], Any]) -> None:
        """Do some work; only one waits, so that what it holds does not pile up."""
        self._wait()
        self._under_way = self._pool.submit(work)

    def _wait(self) -> None:
        if self._under_way is not None:
            self._under_way.result()


class AtOnce:
    """Work in the caller's own thread."""

    def __enter__(self) -> AtOnce:
        """Begin."""
        return self

    def __exit__(self, *error: Any) -> None:
        """End."""

    def ahead(self, items: Iterable[T]) -> Iterator[T]:
        """Yield items."""
        yield from items

    def do(self, work: Callable[[], Any]) -> None:
        """Do some work."""
        work()
