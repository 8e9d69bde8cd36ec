"""Quantiles of many numbers per filter, counted in bins whose counts add up: those of parts are those of all.

A bin holds the float32 numbers that agree in sign, exponent and the first six bits of the fraction, so that binning is
a shift. A quantile is then off by at most a 128th of its own value. Counts are whole numbers, so they are the same in
whatever order parts are merged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

#: Bits of a float32's fraction that no bin tells apart.
_DROPPED = 17
#: Bins of one sign, and the width in which both signs' are numbered.
_BINS, _KEYS = 1 << 14, 1 << 15
#: Bins from here on are those of infinity and of what is no number.
_INFINITE = 0xFF << 6
#: Numbers that are kept as they came, at least, before they are counted.
_MOST_RAW = 1 << 16

Keys = npt.NDArray[np.int64]


class Sketch:
    """Counts in bins, for each filter.

    Parameters
    ----------
    filters
        How many.

    Notes
    -----
    Only bins that hold something are kept: at most 16,320 of either sign a filter, for numbers of all magnitudes that
    float32 has, and usually a few hundred. Numbers are sorted into bins at once and counted when there are as many as
    counts: counting a batch on its own would take as long as counting all that came before it.
    """

    def __init__(self, filters: int) -> None:
        self._filters = filters
        self._keys: Keys = np.zeros(0, np.int64)
        self._counts: Keys = np.zeros(0, np.int64)
        #: Keys that each count once, and pairs of keys and counts, that are still to be merged.
        self._raw: list[npt.NDArray[np.uint32] | Keys] = []
        self._parts: list[tuple[Keys, Keys]] = []

    def __getstate__(self) -> dict[str, Any]:
        """Cross to another process as narrow integers."""
        self._count()
        steps = np.diff(self._keys, prepend=0)
        return {"filters": self._filters, "steps": _narrow(steps), "counts": _narrow(self._counts)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what `__getstate__` gave."""
        self.__init__(state["filters"])  # type: ignore[misc]
        self._keys, self._counts = np.cumsum(state["steps"], dtype=np.int64), state["counts"].astype(np.int64)

    def add(self, values: npt.NDArray[np.float32]) -> None:
        """Count ``(images, filters)`` numbers; those that are not finite are left out."""
        bits = np.ascontiguousarray(values, np.float32).view(np.int32)
        size = (bits & 0x7FFFFFFF) >> _DROPPED
        sign = bits >> 31
        # -0.0 shares the bin of 0.
        keys = (size ^ sign) - sign + _BINS
        first = np.arange(self._filters, dtype=np.int64) * _KEYS
        keys = keys.astype(np.uint32) + first.astype(np.uint32) if self._filters <= _KEYS else keys + first
        finite = size < _INFINITE
        self._raw.append(keys.ravel() if finite.all() else keys[finite])
        self._count_some()

    def merge(self, other: Sketch) -> None:
        """Add the counts of another sketch of as many filters."""
        self._raw.extend(other._raw)
        self._parts.extend([*other._parts, (other._keys, other._counts)])
        self._count_some()

    def quantiles(self, shares: Sequence[float]) -> npt.NDArray[np.float64]:
        """Return ``(filters, len(shares))``; NaN for a filter of which nothing was counted.

        A share q of n numbers is that of rank ``floor(q * (n - 1))``, the lower one where NumPy interpolates.
        """
        found = np.full((self._filters, len(shares)), np.nan)
        for one in range(self._filters):
            bins, counts = self.counts(one)
            if not len(bins):
                continue
            reached = np.cumsum(counts)
            ranks = np.floor(np.asarray(shares) * (reached[-1] - 1))
            found[one] = _middles(bins[np.searchsorted(reached, ranks, side="right")])
        return found

    def counts(self, filter_index: int) -> tuple[Keys, Keys]:
        """Return the bins of one filter that hold something, in order, and how many numbers each holds."""
        self._count()
        first, last = np.searchsorted(self._keys, [filter_index * _KEYS, (filter_index + 1) * _KEYS])
        return self._keys[first:last] - filter_index * _KEYS - _BINS, self._counts[first:last]

    def set_counts(self, filter_index: int, bins: Sequence[int], counts: Sequence[int]) -> None:
        """Add what `counts` returned."""
        self._parts.append(
            (np.asarray(bins, np.int64) + filter_index * _KEYS + _BINS, np.asarray(counts, np.int64)),
        )

    def _count_some(self) -> None:
        # A number waits in a quarter of what a bin with its count takes.
        waiting = sum(map(len, self._raw)) // 4 + sum(len(keys) for keys, _ in self._parts)
        if waiting > max(_MOST_RAW, len(self._keys)):
            self._count()

    def _count(self) -> None:
        """Merge what waits."""
        if self._raw:
            raw = np.sort(np.concatenate(self._raw))
            self._raw = []
            starts = _starts(raw)
            self._parts.append((raw[starts].astype(np.int64), np.diff(starts, append=len(raw))))
        if not self._parts:
            return
        keys = np.concatenate([self._keys, *(keys for keys, _ in self._parts)])
        counts = np.concatenate([self._counts, *(counts for _, counts in self._parts)])
        self._parts = []
        # A stable sort is quick where the parts are in order already.
        order = np.argsort(keys, kind="stable")
        keys, counts = keys[order], counts[order]
        starts = _starts(keys)
        self._keys = keys[starts]
        self._counts = np.add.reduceat(counts, starts) if len(starts) else counts


def _starts(keys: npt.NDArray[Any]) -> Keys:
    """Return where each new key begins in keys that are in order."""
    new = np.ones(len(keys), np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=new[1:])
    return np.flatnonzero(new)


def _narrow(numbers: Keys) -> npt.NDArray[Any]:
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))


def _middles(bins: Keys) -> npt.NDArray[np.float64]:
    """Return, for each bin, the number in its middle; 0 for that of 0 and of numbers next to it."""
    size = np.abs(bins)
    ends = [((size + more) << _DROPPED).astype(np.uint32).view(np.float32).astype(np.float64) for more in (0, 1)]
    # The end of the last bin is infinity.
    upper = np.where(np.isfinite(ends[1]), ends[1], np.finfo(np.float32).max)
    return np.where(size, np.sign(bins) * (ends[0] + upper) / 2, 0.0)
