"""Trait types of the lens."""

from __future__ import annotations

from typing import Any

from traitlets import TraitError, TraitType


class Owned(TraitType[Any, Any]):
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


class Computed(Owned):
    """An `Owned` trait that can be read and observed, but not assigned."""

    def __set__(self, obj: Any, value: Any) -> None:
        """Refuse, and say what to do instead."""
        raise TraitError(
            f"`{self.name}` is what the layer computes and cannot be assigned. "
            "Assign `kernels`, `bias` or `image` instead."
        )
