"""Trait types of the lens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from traitlets import TraitError, TraitType

T = TypeVar("T")

if TYPE_CHECKING:
    _AnyTrait = TraitType[Any, Any]
else:
    _AnyTrait = TraitType  # which has no parameters before traitlets 5.10


class Owned(_AnyTrait):
    """A trait whose value lives in the lens's document instead of beside it, so that there is one owner.

    Reading calls ``lens._read_<name>()``, assigning ``lens._write_<name>(value)``, which checks the value and announces
    what changed. `observe` and `link` work as for any trait.
    """

    def get(self, obj: Any, cls: Any = None) -> Any:
        """Ask the lens."""
        return getattr(obj, f"_read_{self.name}")()

    def set(self, obj: Any, value: Any) -> None:
        """Hand the value to the lens."""
        getattr(obj, f"_write_{self.name}")(value)


class LiveList(list[T]):
    """A list of the lens's: what is changed in it is changed in the lens, as an assignment of the whole list would.

    The change is made to the list as the lens has it now, so that one that was read a while ago undoes nothing. What
    the lens refuses leaves both as they were. It compares as one value, so that `traitlets.link` can tell whether two
    lists of arrays are equal; a copy, a pickle included, is a plain list.

    Parameters
    ----------
    values
        The list as it is.
    read
        Returns the list as the lens has it.
    write
        Assigns it.
    """

    __hash__ = None

    def __init__(
        self,
        values: Iterable[T],
        read: Callable[[], list[T]],
        write: Callable[[list[T]], None],
    ) -> None:
        super().__init__(values)
        self._read = read
        self._write = write

    def __eq__(self, other: object) -> bool:
        """Tell whether `other` holds equal values, arrays included."""
        return (
            isinstance(other, list)
            and len(other) == len(self)
            and all(_equal(a, b) for a, b in zip(self, other, strict=True))
        )

    def __ne__(self, other: object) -> bool:
        """Tell whether anything differs."""
        return not self == other

    def __reduce_ex__(self, protocol: Any) -> tuple[type, tuple[list[T]]]:
        """Copy and pickle as a plain list."""
        return (list, (list(self),))

    def _change(self, method: str, *given: Any, **options: Any) -> Any:
        changed = list(self._read())
        result = getattr(changed, method)(*given, **options)
        self._write(changed)
        super().__setitem__(slice(None), self._read())
        return self if result is changed else result


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(a, b, equal_nan=True)
    return bool(a == b)


def _through_the_lens(method: str) -> Callable[..., Any]:
    def change(self: LiveList[Any], *given: Any, **options: Any) -> Any:
        return self._change(method, *given, **options)

    change.__name__ = method
    change.__doc__ = getattr(list, method).__doc__
    return change


for _method in (
    *("__setitem__", "__delitem__", "__iadd__", "__imul__"),
    *("append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"),
):
    setattr(LiveList, _method, _through_the_lens(_method))


class Computed(Owned):
    """An `Owned` trait that can be read and observed, but not assigned."""

    def __set__(self, obj: Any, value: Any) -> None:
        """Refuse, and say what to do instead."""
        raise TraitError(
            f"`{self.name}` is what the layer computes and cannot be assigned. "
            "Assign `kernels`, `bias` or `image` instead."
        )
