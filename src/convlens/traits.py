"""Trait types of the lens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from traitlets import TraitError, TraitType

from convlens.filters import Array

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


class ArrayList(list[Array]):
    """A list of arrays that compares as one value, so that `traitlets.link` can tell whether two are equal."""

    __hash__ = None

    def __eq__(self, other: object) -> bool:
        """Tell whether `other` holds arrays of the same shapes and values."""
        return (
            isinstance(other, list)
            and len(other) == len(self)
            and all(np.array_equal(a, b, equal_nan=True) for a, b in zip(self, other, strict=True))
        )

    def __ne__(self, other: object) -> bool:
        """Tell whether anything differs."""
        return not self == other


class Computed(Owned):
    """An `Owned` trait that can be read and observed, but not assigned."""

    def __set__(self, obj: Any, value: Any) -> None:
        """Refuse, and say what to do instead."""
        raise TraitError(
            f"`{self.name}` is what the layer computes and cannot be assigned. "
            "Assign `kernels`, `bias` or `image` instead."
        )
