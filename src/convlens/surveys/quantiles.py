"""Quantiles of many numbers per filter, counted in bins of equal ratio, so that counts of parts add up to those of all.

After C. Masson, J. Rim and H. Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error
guarantees", VLDB 2019, arXiv:1908.10693: a quantile is off by at most a hundredth of its own value. Counts are whole
numbers, so they are the same in whatever order parts are merged.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

#: Greatest error of a quantile, as a part of its value.
ERROR = 0.01
_RATIO = (1 + ERROR) / (1 - ERROR)
#: Magnitudes below count as 0.
_LEAST = 1e-30
#: Bins of one sign: they reach from `_LEAST` past the greatest float32.
_BINS = int(np.ceil(np.log(1e39 / _LEAST) / np.log(_RATIO)))
_KEYS = 2 * _BINS + 1


class Sketch:
    """Counts in bins, for each filter.

    Parameters
    ----------
    filters
        How many.

    Notes
    -----
    Only bins that hold something are kept: at most 6,900 of either sign a filter, for numbers of all magnitudes that
    float32 has, and usually a few hundred.
    """

    def __init__(self, filters: int) -> None:
        self._filters = filters
        self._keys: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._counts: npt.NDArray[np.int64] = np.zeros(0, np.int64)

    def add(self, values: npt.NDArray[np.float32]) -> None:
        """Count ``(images, filters)`` numbers; those that are not finite are left out."""
        rows, filters = np.nonzero(np.isfinite(values))
        numbers = values[rows, filters].astype(np.float64)
        size = np.abs(numbers)
        bins = np.ceil(np.log(np.maximum(size, _LEAST) / _LEAST) / np.log(_RATIO)).astype(np.int64)
        signed = np.where(size < _LEAST, 0, np.sign(numbers).astype(np.int64) * np.clip(bins, 1, _BINS))
        self._merge(filters * _KEYS + signed + _BINS, np.ones(len(signed), np.int64))

    def merge(self, other: Sketch) -> None:
        """Add the counts of another sketch of as many filters."""
        self._merge(other._keys, other._counts)

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

    def counts(self, filter_index: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the bins of one filter that hold something, in order, and how many numbers each holds."""
        first, last = np.searchsorted(self._keys, [filter_index * _KEYS, (filter_index + 1) * _KEYS])
        return self._keys[first:last] - filter_index * _KEYS - _BINS, self._counts[first:last]

    def set_counts(self, filter_index: int, bins: Sequence[int], counts: Sequence[int]) -> None:
        """Add what `counts` returned."""
        self._merge(
            np.asarray(bins, np.int64) + filter_index * _KEYS + _BINS,
            np.asarray(counts, np.int64),
        )

    def _merge(self, keys: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> None:
        every, positions = np.unique(np.concatenate([self._keys, keys]), return_inverse=True)
        totals = np.zeros(len(every), np.int64)
        np.add.at(totals, positions, np.concatenate([self._counts, counts]))
        self._keys, self._counts = every, totals


def _middles(bins: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return, for each bin, the number that is off by the same part from either end."""
    upper = _LEAST * _RATIO ** np.abs(bins).astype(np.float64)
    return np.sign(bins) * upper * (2 / (_RATIO + 1))
