"""The list of filters as an immutable value, and edits of it that return another."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.maths.arrays import shortened

Array = npt.NDArray[np.float32]

_uids = itertools.count()


def read_only(values: npt.ArrayLike) -> Array:
    """Return a float32 copy of `values` that cannot be written to."""
    array = np.array(values, dtype=np.float32, order="C")
    array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False)
class Filter:
    """One filter: its kernel, bias and name, under an identity that survives reordering.

    Parameters
    ----------
    kernel
        ``(kh, kw, channels)``, read-only.
    bias
        Added to every pixel of the pre-activation.
    name
        Title of its card.
    uid
        The filter's identity for as long as the lens lives.
    """

    kernel: Array
    bias: float
    name: str
    uid: int

    def same_weights(self, other: Filter | None) -> bool:
        """Whether `other` has the very same kernel and bias objects, and so the same map."""
        return other is not None and self.kernel is other.kernel and _same_number(self.bias, other.bias)


@dataclass(frozen=True, eq=False)
class FilterList:
    """Filters in order. Every method returns a new list that shares all kernels it did not change."""

    filters: tuple[Filter, ...]

    @classmethod
    def make(cls, kernels: Sequence[Array], bias: npt.ArrayLike, names: Sequence[str]) -> FilterList:
        """Make one filter for each kernel, with a new identity."""
        values = np.asarray(bias, dtype=np.float32)
        return cls(
            tuple(
                Filter(kernel, float(b), checked_text(name), next(_uids))
                for kernel, b, name in zip(kernels, values, names, strict=True)
            )
        )

    def __len__(self) -> int:
        """Return the number of filters."""
        return len(self.filters)

    def __getitem__(self, index: int) -> Filter:
        """Return the filter at a position."""
        return self.filters[index]

    def same_weights(self, other: FilterList) -> bool:
        """Whether `other` has the very same kernels and biases in the same order."""
        return self is other or (
            len(self) == len(other) and all(a.same_weights(b) for a, b in zip(self.filters, other.filters, strict=True))
        )

    def same_values(self, other: FilterList) -> bool:
        """Whether `other` has equal weights, in the same arrays or in copies."""
        if self.same_weights(other):
            return True
        ours, theirs = ((*one.kernels, one.pointwise, one.bias) for one in (self, other))
        pairs = zip(ours, theirs, strict=False)
        return len(self) == len(other) and all(a is b or np.array_equal(a, b, equal_nan=True) for a, b in pairs)  # type: ignore[arg-type]

    @cached_property
    def kernels(self) -> tuple[Array, ...]:
        """What Keras keeps as the layer's kernels, ``(kh, kw, channels)`` each."""
        return tuple(f.kernel for f in self.filters)

    @property
    def pointwise(self) -> Array | None:
        """A separable layer's second kernel, ``(depthwise channels, filters)``; None for other layers."""
        return None

    @property
    def shared(self) -> tuple[Array, ...] | None:
        """Kernels from which every filter's map is computed; None for a layer that is not separable."""
        return None

    def kernel_at(self, index: int) -> Array:
        """``(kh, kw, channels)``: the kernel by which filter `index` multiplies the layer's input."""
        return self[index].kernel

    @cached_property
    def bias(self) -> Array:
        """``(filters,)``, read-only."""
        return read_only([f.bias for f in self.filters])

    @property
    def names(self) -> list[str]:
        """Names in list order."""
        return [f.name for f in self.filters]

    @property
    def uids(self) -> list[int]:
        """Identities in list order."""
        return [f.uid for f in self.filters]

    @property
    def kernel_shape(self) -> tuple[int, int, int]:
        """Shape of `kernel_at`, ``(kh, kw, channels)``, the same for every filter."""
        kh, kw, channels = self.filters[0].kernel.shape
        return (kh, kw, channels)

    def check_index(self, i: Any, count: int | None = None) -> int:
        """Return `i` as an index from 0, counting from the end where it is negative, as a list of `count` does."""
        index, count = operator.index(i), len(self) if count is None else count
        if not -count <= index < count:
            raise IndexError(f"There is no filter {index}: the list has {count}, numbered from 0 to {count - 1}.")
        return index % count

    def check_position(self, i: Any) -> int:
        """Return `i` as `check_index` does, but refuse True and False, which are not positions."""
        if isinstance(i, (bool, np.bool_)):
            raise TypeError(f"{shortened(i)} is not the index of a filter; expected a whole number.")
        try:
            return self.check_index(i)
        except TypeError:
            raise TypeError(f"{shortened(i)} is not the index of a filter; expected a whole number.") from None

    def index_of(self, uid: int) -> int:
        """Position of a filter; ``KeyError`` when it is gone."""
        return self._positions[uid]

    def __contains__(self, uid: object) -> bool:
        """Tell whether a filter is still in the list."""
        return uid in self._positions

    @cached_property
    def _positions(self) -> dict[int, int]:
        return {one.uid: index for index, one in enumerate(self.filters)}

    def with_kernels(self, kernels: Mapping[int, Array]) -> FilterList:
        """Replace the kernels at some indices; equal ones stay the same objects, and keep their maps."""
        return self._changed(
            (i, replace(self[i], kernel=kernel))
            for i, kernel in kernels.items()
            if not _same_values(self[i].kernel, kernel)
        )

    def zeroed(self, indices: Iterable[int]) -> FilterList:
        """Switch some filters off: kernel and bias 0."""
        zero = read_only(np.zeros(self[0].kernel.shape))
        return self._changed((i, replace(self[i], kernel=zero, bias=0.0)) for i in indices)

    def with_bias(self, bias: Mapping[int, float]) -> FilterList:
        """Replace the bias at some indices."""
        return self._changed(
            (i, replace(self[i], bias=float(np.float32(b))))
            for i, b in bias.items()
            if not _same_number(self[i].bias, float(np.float32(b)))
        )

    def with_weights(self, other: FilterList) -> FilterList:
        """Take all weights of `other`; filters keep identity and name by position, where there are as many."""
        if len(other) != len(self):
            return other
        kept = (replace(b, uid=a.uid, name=a.name) for a, b in zip(self.filters, other.filters, strict=True))
        return replace(other, filters=tuple(kept))

    def with_names(self, names: Sequence[str]) -> FilterList:
        """Rename all filters, in list order."""
        return self._changed(
            (i, replace(self[i], name=checked_text(n))) for i, n in enumerate(names) if n != self[i].name
        )

    def with_count(self, kernels: Sequence[Array]) -> FilterList:
        """Take these kernels, however many there are.

        If there are as many kernels as filters, each goes to the filter at its place. If not, a filter keeps bias and
        name where its kernel is found again in order, so that leaving one out or putting one in moves nothing else.
        Kernels in the place of others take theirs, and those that are left get an identity of their own.
        """
        if len(kernels) == len(self):
            return self.with_kernels(dict(enumerate(kernels)))
        before, after = ([_bytes(kernel) for kernel in those] for those in (self.kernels, kernels))
        kept: dict[int, Filter] = {}
        for _, i, i_end, j, j_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
            for old, new in zip(range(i, i_end), range(j, j_end), strict=False):
                same = before[old] == after[new]
                kept[new] = self[old] if same else replace(self[old], kernel=kernels[new])
        taken = {one.name for one in kept.values()}
        for new, kernel in enumerate(kernels):
            if new not in kept:
                name = _free_name(taken, new)
                taken.add(name)
                kept[new] = Filter(kernel, 0.0, name, next(_uids))
        return replace(self, filters=tuple(kept[new] for new in range(len(kernels))))

    def added(self, kernel: Array, name: str | None, at: int, bias: float = 0.0) -> FilterList:
        """Insert a new filter before position `at`."""
        title = checked_text(name) if name is not None else _free_name({f.name for f in self.filters}, len(self))
        new = Filter(kernel, bias, title, next(_uids))
        return replace(self, filters=(*self.filters[:at], new, *self.filters[at:]))

    def removed(self, index: int) -> FilterList:
        """Remove one filter."""
        return replace(self, filters=(*self.filters[:index], *self.filters[index + 1 :]))

    def moved(self, index: int, to: int) -> FilterList:
        """Move filter `index` to position `to`."""
        rest = [*self.filters[:index], *self.filters[index + 1 :]]
        rest.insert(to, self.filters[index])
        return replace(self, filters=tuple(rest))

    def _changed(self, changes: Iterable[tuple[int, Filter]]) -> FilterList:
        new = dict(changes)
        if not new:
            return self
        return replace(self, filters=tuple(new.get(i, f) for i, f in enumerate(self.filters)))


def checked_text(text: str, what: str = "name") -> str:
    """Return a text that UTF-8, and with it a file and a message, can hold; else raise ``ValueError``."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"The {what} {shortened(text)} cannot be written in UTF-8: character {error.start} is half "
            "of a surrogate pair. "
            f"{what}.encode('utf-8', 'replace').decode() puts a question mark in its place."
        ) from None
    return text


def _bytes(kernel: Array) -> tuple[tuple[int, ...], bytes]:
    return kernel.shape, kernel.tobytes()


def _same_values(a: Array, b: Array) -> bool:
    return a is b or _bytes(a) == _bytes(b)


def _same_number(a: float, b: float) -> bool:
    return a == b or (a != a and b != b)


def _free_name(taken: set[str], position: int) -> str:
    return next(name for n in itertools.count(position + 1) if (name := f"Filter {n}") not in taken)
