"""What a survey keeps of the images it has seen: the best of each filter, and statistics of all; tallies add up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from convlens.surveys.best import Best, Cut, Entry, Floor, ImageId
from convlens.surveys.quantiles import Sketch

Array = npt.NDArray[np.float32]


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
        self.best = Best(filters, top)
        self.images = 0
        # How many values were finite and how many above 0; the mean, and the sum of squared differences from it.
        self.finite, self.active = np.zeros(filters, np.int64), np.zeros(filters, np.int64)
        self.mean, self.squares = np.zeros(filters), np.zeros(filters)
        self.sketch = Sketch(filters)

    def add(self, images: Sequence[ImageId], values: Array, cut: Cut, floor: Floor | None = None) -> None:
        """Count images.

        Parameters
        ----------
        images
            Their ids.
        values
            ``(images, filters)``.
        cut
            Makes what is kept of an image, see `Best.add`.
        floor
            What an image must exceed to be kept.
        """
        self._count(values)
        self.best.add(images, values, cut, floor)

    def merge(self, other: Tally) -> None:
        """Add another tally of the same layer."""
        self.images += other.images
        self.active += other.active
        self._merge_moments(other.finite, other.mean, other.squares)
        self.sketch.merge(other.sketch)
        self.best.merge(other.best)

    def _count(self, values: Array) -> None:
        known = np.isfinite(values)
        numbers = values.astype(np.float64)
        if known.all():
            finite = np.full(self.filters, len(values), np.int64)
        else:
            finite = known.sum(axis=0)
            numbers[~known] = 0
        mean = numbers.sum(axis=0) / np.maximum(finite, 1)
        numbers -= mean
        if not known.all():
            numbers[~known] = 0
        squares = np.einsum("ij,ij->j", numbers, numbers)
        self.images += len(values)
        self.active += np.count_nonzero(values > 0, axis=0)
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

    def floors(self) -> dict[str, Floor]:
        """Return what an image must exceed to be among the best, for `Tally.add`."""
        return {path: tally.best.floor() for path, tally in self.layers.items()}

    def entries(self) -> Iterator[tuple[str, int, Entry]]:
        """Yield every layer's path, filter and best images."""
        for path, tally in self.layers.items():
            for one in range(tally.filters):
                for entry in tally.best.entries(one):
                    yield path, one, entry
