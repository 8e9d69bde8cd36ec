"""What a survey keeps of the images it has seen: the best of each filter, and statistics of all; tallies add up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.surveys.patches import Patch, Window
from convlens.surveys.quantiles import Sketch

Array = npt.NDArray[np.float32]
ImageId = int | str


@dataclass(frozen=True, eq=False)
class Entry:
    """One image among the best of a filter.

    Parameters
    ----------
    image
        Its id.
    value
        The statistic.
    pixel
        ``(row, col)`` of the map's greatest value.
    window
        First and last row, first and last column of the image that the pixel reads.
    patch
        That part of the image.
    """

    image: ImageId
    value: float
    pixel: tuple[int, int]
    window: Window
    patch: Patch

    @property
    def rank(self) -> tuple[Any, ...]:
        """What entries are sorted by: best first, and images of one value by their id, numbers before names."""
        return (-self.value, isinstance(self.image, str), self.image)


class Tally:
    """Of one layer.

    Parameters
    ----------
    filters
        How many the layer has.
    top
        How many images are kept for each.
    """

    def __init__(self, filters: int, top: int) -> None:
        self.filters, self.top = filters, top
        self.best: list[list[Entry]] = [[] for _ in range(filters)]
        self.images = 0
        # How many values were finite and how many above 0; the mean, and the sum of squared differences from it.
        self.finite, self.active = np.zeros(filters, np.int64), np.zeros(filters, np.int64)
        self.mean, self.squares = np.zeros(filters), np.zeros(filters)
        self.sketch = Sketch(filters)

    def floor(self) -> Array:
        """Return the least value that could still be among the best, ``(filters,)``; minus infinity where any could."""
        return np.array(
            [entries[-1].value if len(entries) == self.top else -np.inf for entries in self.best], np.float32
        )

    def add(
        self,
        images: Sequence[ImageId],
        values: Array,
        entry: Callable[[int, int], Entry],
        floor: Array | None = None,
    ) -> None:
        """Count a batch.

        Parameters
        ----------
        images
            Their ids.
        values
            ``(images, filters)``.
        entry
            Makes the entry of an image's and a filter's position, which is done only for those that are kept.
        floor
            Values below need not be kept.
        """
        self._count(values)
        least = self.floor() if floor is None else np.maximum(self.floor(), floor)
        # An image of the same value may have the lower id.
        hopeful = np.isfinite(values) & (values >= least)
        for one in np.flatnonzero(hopeful.any(axis=0)):
            order = sorted(
                np.flatnonzero(hopeful[:, one]).tolist(),
                key=lambda i, one=one: (-float(values[i, one]), isinstance(images[i], str), images[i]),  # type: ignore[misc]
            )
            kept = self.best[one]
            last = kept[-1].rank if len(kept) == self.top else None
            chosen = order[: self.top]
            new = [
                entry(int(i), int(one))
                for i in chosen
                if last is None or (-float(values[i, one]), isinstance(images[i], str), images[i]) < last
            ]
            self._insert(int(one), new)

    def merge(self, other: Tally) -> None:
        """Add another tally of the same layer."""
        self.images += other.images
        self.active += other.active
        self._merge_moments(other.finite, other.mean, other.squares)
        self.sketch.merge(other.sketch)
        for one, entries in enumerate(other.best):
            self._insert(one, entries)

    def _insert(self, one: int, entries: Sequence[Entry]) -> None:
        if entries:
            self.best[one] = sorted([*self.best[one], *entries], key=lambda entry: entry.rank)[: self.top]

    def _count(self, values: Array) -> None:
        known = np.isfinite(values)
        finite = known.sum(axis=0)
        numbers = np.where(known, values, 0).astype(np.float64)
        mean = numbers.sum(axis=0) / np.maximum(finite, 1)
        squares = (np.where(known, numbers - mean, 0) ** 2).sum(axis=0)
        self.images += len(values)
        self.active += (values > 0).sum(axis=0)
        self._merge_moments(finite, mean, squares)
        self.sketch.add(values)

    def _merge_moments(
        self, count: npt.NDArray[np.int64], mean: npt.NDArray[np.float64], squares: npt.NDArray[np.float64]
    ) -> None:
        """Combine means and sums of squares of differences from them (Chan, Golub and LeVeque 1979)."""
        total = self.finite + count
        share = count / np.maximum(total, 1)
        apart = mean - self.mean
        self.squares = self.squares + squares + apart**2 * self.finite * share
        self.mean = self.mean + apart * share
        self.finite = total


@dataclass(eq=False)
class Tallies:
    """Of all layers, with what went wrong on the way.

    Parameters
    ----------
    layers
        One for each path, in the model's order.
    images
        How many were seen.
    skipped
        Images that could not be read, with the reason.
    done
        The partitions that were counted, each with a checksum of its images' ids.
    """

    layers: dict[str, Tally] = field(default_factory=dict)
    images: int = 0
    skipped: dict[ImageId, str] = field(default_factory=dict)
    done: dict[int, int] = field(default_factory=dict)

    def merge(self, other: Tallies) -> None:
        """Add those of another part of the images."""
        for path, tally in other.layers.items():
            if path not in self.layers:
                self.layers[path] = Tally(tally.filters, tally.top)
            self.layers[path].merge(tally)
        self.images += other.images
        self.skipped.update(other.skipped)
        self.done.update(other.done)

    def floors(self) -> dict[str, Array]:
        """Return the least value among each filter's best images, for `Tally.add`."""
        return {path: tally.floor() for path, tally in self.layers.items()}

    def entries(self) -> Iterator[tuple[str, int, Entry]]:
        """Yield every layer's path, filter and best images."""
        for path, tally in self.layers.items():
            for one, best in enumerate(tally.best):
                for entry in best:
                    yield path, one, entry
