"""Trait types of the lens."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from traitlets import TraitError, TraitType

T = TypeVar("T")

if TYPE_CHECKING:
    _AnyTrait = TraitType[Any, Any]
else:
    _AnyTrait = TraitType  # which has no parameters before traitlets 5.10


class RefusedValue(TraitError, ValueError):
    """A `TraitError` that is also a ``ValueError``, which the function that checks the value raises."""


class RefusedType(TraitError, TypeError):
    """A `TraitError` that is also a ``TypeError``."""


class RefusedIndex(TraitError, IndexError):
    """A `TraitError` that is also an ``IndexError``."""


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what is raised for a wrong value into a `TraitError`, on which links and hosts take the value back."""
    try:
        yield
    except TraitError:
        raise
    except IndexError as error:
        raise RefusedIndex(str(error)) from error
    except TypeError as error:
        raise RefusedType(str(error)) from error
    except ValueError as error:
        raise RefusedValue(str(error)) from error


class Checked(_AnyTrait):
    """A public trait whose values a function checks before they are kept.

    With one declaration such a trait is sent to the browser, saved, settable there, and takes checked values only.

    Parameters
    ----------
    default
        Its first value.
    check
        Called with the lens and the value; returns the value to keep, or raises ``ValueError``, ``TypeError``,
        ``IndexError`` or `TraitError`. A value that was refused was never the trait's.
    help
        What it means.
    shared
        Whether the browser has it, too; otherwise only Python does.
    """

    def __init__(self, default: Any, check: Callable[[Any, Any], Any], help: str, *, shared: bool = True) -> None:
        super().__init__(default, help=help)
        self._check = check
        if shared:
            self.tag(sync=True, shared=True)

    def default(self, obj: Any = None) -> Any:
        """Return the first value, a copy of a list."""
        return copy.copy(self.default_value)

    def set(self, obj: Any, value: Any) -> None:
        """Keep a value; one that is refused, or kept as another, is corrected wherever it came from."""
        try:
            super().set(obj, value)
        except TraitError:
            obj.put_right(self.name)
            raise
        # A link passes on -1, which is kept as the index that it stands for.
        given = tuple(value) if isinstance(value, (list, np.ndarray)) else value
        if obj._trait_values.get(self.name) != given:
            obj.put_right(self.name)

    def validate(self, obj: Any, value: Any) -> Any:
        """Check a value that is to be kept."""
        with refusals():
            return self._check(obj, value)


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
        write = getattr(obj, f"_write_{self.name}")
        if self.metadata.get("shared"):
            try:
                with refusals():
                    write(value)
            except TraitError:
                obj.put_right(self.name)
                raise
        else:
            write(value)


class LiveList(list[T]):
    """A list that belongs to the lens: a change of the list changes the lens, as assigning the whole list would.

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
    set_item
        Sets one item, where the lens can do that at less cost than assigning all.
    """

    __hash__ = None

    def __init__(
        self,
        values: Iterable[T],
        read: Callable[[], list[T]],
        write: Callable[[list[T]], None],
        set_item: Callable[[int, T], None] | None = None,
    ) -> None:
        super().__init__(values)
        self._set_item = set_item
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

    def __setitem__(self, index: Any, value: Any) -> None:
        """Set items in the lens."""
        if self._set_item is None or isinstance(index, slice):
            self._change("__setitem__", index, value)
        else:
            self._set_item(index, value)
            super().__setitem__(slice(None), self._read())

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
    *("__delitem__", "__iadd__", "__imul__"),
    *("append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"),
):
    setattr(LiveList, _method, _through_the_lens(_method))


class Computed(Owned):
    """An `Owned` trait that can be read and observed, but not assigned."""

    def __set__(self, obj: Any, value: Any) -> None:
        """Refuse, and name what can be assigned instead."""
        raise TraitError(
            f"`{self.name}` is what the layer computes and cannot be assigned. "
            "Assign `kernels`, `bias` or `image` instead."
        )
