"""The best images of many filters, in arrays: new ones are put among those that are kept without a loop over either."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.surveys.patches import Patch, Window

Array = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]
ImageId = int | str
Place = tuple[bool, ImageId]
#: From positions of images and filters to what is kept of them: ``(n, 6)`` row and column of the pixel, first and last
#: row and column of the window; and ``(n,)`` patches.
Cut = Callable[[Indices, Indices], tuple[npt.NDArray[np.int32], npt.NDArray[Any]]]


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


def place(image: ImageId) -> Place:
    """Return what images of one value are sorted by: numbers before names."""
    return isinstance(image, str), image


@dataclass(frozen=True, eq=False)
class Floor:
    """What an image must exceed to be among the best of the images that were seen before.

    Parameters
    ----------
    values
        ``(filters,)``; minus infinity where any could.
    last
        `place` of the last of all images that are kept; None where there are none. One that comes after it must have a
        greater value, any other may have the same.
    """

    values: Array
    last: Place | None

    def and_above(self, other: Floor) -> Floor:
        """Return what an image must exceed to exceed both."""
        lasts = [one.last for one in (self, other) if one.last is not None]
        return Floor(np.maximum(self.values, other.values), max(lasts, default=None))


class Best:
    """The `top` best images of each filter, best first, and those of one value by their id.

    Parameters
    ----------
    filters, top
        How many.
    """

    def __init__(self, filters: int, top: int) -> None:
        self.filters, self.top = filters, top
        # Only finite values are kept: where there is minus infinity, there is nothing yet.
        self.values = np.full((filters, top), -np.inf, np.float32)
        self.images = np.full((filters, top), None, object)
        self.places = np.zeros((filters, top, 6), np.int32)
        self.patches = np.full((filters, top), None, object)
        # The places of the first and of the last id, or of ones before and after them that were kept before.
        self._first: Place | None = None
        self._last: Place | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Cross to another process without empty places, and with every id and every patch once."""
        filled = np.isfinite(self.values)
        images, image_of = _once(self.images[filled])
        patches, patch_of = _once(self.patches[filled])
        return {
            "shape": (self.filters, self.top),
            "counts": filled.sum(axis=1),
            "values": self.values[filled],
            "places": self.places[filled].astype(np.min_scalar_type(int(self.places.max(initial=0)))),
            "images": (images, image_of),
            "patches": (patches, patch_of),
            "ends": (self._first, self._last),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what `__getstate__` gave."""
        self.__init__(*state["shape"])  # type: ignore[misc]
        filled = np.arange(self.top) < state["counts"][:, np.newaxis]
        self.values[filled], self.places[filled] = state["values"], state["places"]
        for mine, (every, which) in ((self.images, state["images"]), (self.patches, state["patches"])):
            objects = np.empty(len(every), object)
            objects[:] = every
            mine[filled] = objects[which]
        self._first, self._last = state["ends"]

    def entries(self, one: int) -> list[Entry]:
        """Return those of a filter."""
        found = []
        for k in range(int(np.isfinite(self.values[one]).sum())):
            row, col, top, bottom, left, right = self.places[one, k].tolist()
            value, patch = float(self.values[one, k]), self.patches[one, k]
            found.append(Entry(self.images[one, k], value, (row, col), ((top, bottom), (left, right)), patch))
        return found

    def set_entries(self, one: int, entries: Sequence[Entry]) -> None:
        """Put back what `entries` returned."""
        for k, entry in enumerate(entries):
            self.values[one, k], self.images[one, k], self.patches[one, k] = entry.value, entry.image, entry.patch
            self.places[one, k] = (*entry.pixel, *entry.window[0], *entry.window[1])
            self._reach(place(entry.image), place(entry.image))

    def floor(self) -> Floor:
        """Return what an image must exceed to be kept."""
        return Floor(self.values[:, -1].copy(), self._last)

    def add(self, images: Sequence[ImageId], values: Array, cut: Cut, floor: Floor | None = None) -> None:
        """Put images among the best.

        Parameters
        ----------
        images
            Their ids.
        values
            ``(images, filters)``.
        cut
            Makes what is kept of an image, for those that are kept and no others.
        floor
            That of other images, which those that do not exceed it are worse than.
        """
        order = sorted(range(len(images)), key=lambda i: place(images[i]))
        first = place(images[order[0]])
        hopeful = values < np.inf
        for least in (self.floor(), floor):
            if least is not None:
                later = least.last is not None and first > least.last
                hopeful &= values > least.values if later or least.last is None else values >= least.values
        one, position = np.nonzero(_few(values, hopeful, self.top).T)
        if not len(one):
            return
        # Best first within each filter, and no more of it than could be kept.
        ranks = np.empty(len(images), np.intp)
        ranks[order] = np.arange(len(images))
        sorting = np.lexsort((ranks[position], -values[position, one], one))
        one, position = one[sorting], position[sorting]
        filters, starts = np.unique(one, return_index=True)
        row = np.searchsorted(filters, one)
        slot = np.arange(len(one)) - starts[row]
        kept = slot < self.top
        one, position, row, slot = one[kept], position[kept], row[kept], slot[kept]
        new = Best(len(filters), min(self.top, int(slot.max()) + 1))
        ids = np.empty(len(images), object)
        ids[:] = images
        new.values[row, slot], new.images[row, slot] = values[position, one], ids[position]
        new._reach(first, place(images[order[-1]]))
        positions = np.zeros(new.values.shape, np.intp)
        positions[row, slot] = position

        def made(rows: Indices, slots: Indices) -> None:
            new.places[rows, slots], new.patches[rows, slots] = cut(positions[rows, slots], filters[rows])

        self._insert(filters, new, made)

    def merge(self, other: Best) -> None:
        """Put the best of other images among these."""
        least = self.values[:, -1]
        rows = np.flatnonzero((other.values[:, 0] >= least) & np.isfinite(other.values[:, 0]))
        if not len(rows):
            return
        part = Best(0, other.top)
        for name in ("values", "images", "places", "patches"):
            setattr(part, name, getattr(other, name)[rows])
        assert other._first is not None and other._last is not None
        part._reach(other._first, other._last)
        self._insert(rows, part, None)

    def _insert(self, rows: Indices, new: Best, made: Callable[[Indices, Indices], None] | None) -> None:
        """Merge the rows of `new`, each in order, into those of this; `made` fills in what is cut for those kept."""
        assert new._first is not None and new._last is not None
        if self._last is None:
            self._begin(rows, new, made)
            return
        values = np.concatenate([self.values[rows], new.values], axis=1)
        images = np.concatenate([self.images[rows], new.images], axis=1)
        if new._first > self._last:
            # Of one value the old ones come first.
            order = np.argsort(-values, axis=1, kind="stable")
        else:
            order = np.lexsort((_ranks(images), -values), axis=1)
        order = order[:, : self.top]
        if made is not None:
            row, at = np.nonzero((order >= self.top) & np.isfinite(np.take_along_axis(values, order, axis=1)))
            made(row, order[row, at] - self.top)
        self.values[rows] = np.take_along_axis(values, order, axis=1)
        self.images[rows] = np.take_along_axis(images, order, axis=1)
        patches = np.concatenate([self.patches[rows], new.patches], axis=1)
        self.patches[rows] = np.take_along_axis(patches, order, axis=1)
        places = np.concatenate([self.places[rows], new.places], axis=1)
        self.places[rows] = np.take_along_axis(places, order[:, :, np.newaxis], axis=1)
        self._reach(new._first, new._last)

    def _begin(self, rows: Indices, new: Best, made: Callable[[Indices, Indices], None] | None) -> None:
        """Take the rows of `new` where nothing is kept yet."""
        if made is not None:
            made(*np.nonzero(np.isfinite(new.values)))
        for mine, theirs in (
            (self.values, new.values),
            (self.images, new.images),
            (self.places, new.places),
            (self.patches, new.patches),
        ):
            mine[rows, : theirs.shape[1]] = theirs
        self._first, self._last = new._first, new._last

    def _reach(self, first: Place, last: Place) -> None:
        self._first = first if self._first is None else min(self._first, first)
        self._last = last if self._last is None else max(self._last, last)


def _once(objects: npt.NDArray[Any]) -> tuple[list[Any], npt.NDArray[np.int32]]:
    """Return different objects, and which of them each is."""
    numbers: dict[Any, int] = {}
    which = [numbers.setdefault(one, len(numbers)) for one in objects.tolist()]
    return list(numbers), np.array(which, np.int32)


def _few(values: Array, hopeful: npt.NDArray[np.bool_], top: int) -> npt.NDArray[np.bool_]:
    """Leave out what is not among the best of these images, where sorting it all would take longer."""
    count, filters = values.shape
    if count <= top or np.count_nonzero(hopeful) <= 4 * filters * top:
        return hopeful
    least = np.partition(np.where(hopeful, values, -np.inf), count - top, axis=0)[count - top]
    among: npt.NDArray[np.bool_] = hopeful & (values >= least)
    return among


def _ranks(images: npt.NDArray[Any]) -> Indices:
    """Return the order of ids in an array of them."""
    ids = images.ravel().tolist()
    order = {image: i for i, image in enumerate(sorted({one for one in ids if one is not None}, key=place))}
    return np.array([order.get(one, 0) for one in ids], np.intp).reshape(images.shape)
