"""Whatever a user may call a data set → images or signals with ids, in an order that is the same at every run."""

from __future__ import annotations

import itertools
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convlens.maths.arrays import as_array
from convlens.surveys.best import ImageId

#: What a partition of arrays may hold, so that a scheduler passes it on without complaint.
_MOST_BYTES = 4_000_000


@dataclass(frozen=True)
class Form:
    """What one image of the data set is, where its arrays alone do not tell.

    Parameters
    ----------
    signal
        Whether it is a signal.
    channels
        How many the model takes of a signal; None where that is not known.
    """

    signal: bool = False
    channels: int | None = None

    @property
    def axes(self) -> tuple[int, int]:
        """How many axes an array of all images may have."""
        return (2, 3) if self.signal else (3, 4)

    def batched(self, shape: Sequence[int | None]) -> bool:
        """Whether an element of this shape is a batch, rather than one image."""
        if self.signal:
            # (steps,) and (steps, channels) are signals.
            return len(shape) == 3 or (len(shape) == 2 and shape[-1] not in (1, self.channels))
        # (rows, cols) and (rows, cols, channels) are images.
        return len(shape) == 4 or (len(shape) == 3 and shape[-1] not in (1, 3, 4))

    def channels_last(self, array: np.ndarray) -> np.ndarray:
        """Return a batch or an image with its channels last, which PyTorch's data sets have first."""
        if self.signal:
            turned = array.ndim >= 2 and array.shape[-2] == self.channels != array.shape[-1]
            return np.moveaxis(array, -2, -1) if turned else array
        if array.ndim >= 3 and array.shape[-3] in (1, 3, 4) and array.shape[-1] not in (1, 3, 4):
            return np.moveaxis(array, -3, -1)
        return array


PICTURES = Form()


@dataclass(frozen=True)
class Item:
    """One image: its id, and a path, an array or whatever else `read_image` or `read_signal` reads."""

    image: ImageId
    value: Any


@dataclass(frozen=True)
class Partition:
    """Images that are worked on together.

    Parameters
    ----------
    number
        Its place among the partitions.
    items
        The images, or something that makes them where they are needed: a Dask object, computed to a list.
    """

    number: int
    items: Any


def checksum(items: Iterable[Item]) -> int:
    """Return a checksum of the ids."""
    sums = 0
    for item in items:
        sums = zlib.crc32(repr(item.image).encode(), sums)
    return sums


def partitions(images: Any, size: int, batch_size: int, form: Form = PICTURES) -> Iterator[Partition]:
    """Cut a data set into partitions, whose borders depend on nothing but the data set and these numbers.

    Parameters
    ----------
    images
        A folder, a sequence of paths, of arrays or of pairs ``(id, image)``, an array ``(n, rows, cols[, channels])``,
        a ``tf.data.Dataset``, a ``keras.utils.PyDataset``, a PyTorch ``DataLoader`` or a Dask bag of any of these. Of
        signals an array is ``(n, steps[, channels])``, and files are those of NumPy.
    size
        Images in a partition; fewer where arrays would make it larger than 4 MB, a multiple of `batch_size`.
    batch_size
        Images in a batch.
    form
        What one image is.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        For anything else.
    """
    if hasattr(images, "to_delayed") and hasattr(images, "npartitions"):
        yield from (Partition(number, one) for number, one in enumerate(images.to_delayed()))
        return
    items = items_of(images, form)
    for number in itertools.count():
        part = _next(items, size, batch_size)
        if not part:
            return
        yield Partition(number, part)


def _next(items: Iterator[Item], size: int, batch_size: int) -> list[Item]:
    part: list[Item] = []
    held = 0
    for item in items:
        part.append(item)
        held += int(getattr(item.value, "nbytes", 0))
        full = len(part) % batch_size == 0 and held + batch_size * held // len(part) > _MOST_BYTES
        if len(part) == size or full:
            break
    return part


def bag_items(part: Sequence[Any], number: int) -> list[Item]:
    """Return the items of a Dask bag's partition; images without a name get one from the partition and their place."""
    found = []
    for place, value in enumerate(part):
        item = _item(value, place)
        found.append(item if isinstance(item.image, str) else Item(f"{number:09d}/{place:09d}", item.value))
        if _is_pair(value):
            found[-1] = item
    return found


def items_of(images: Any, form: Form = PICTURES) -> Iterator[Item]:
    """Return the images one after another; see `partitions`."""
    if isinstance(images, (str, os.PathLike)):
        return _walked(Path(images), form)
    if hasattr(images, "element_spec") and hasattr(images, "as_numpy_iterator"):
        return _of_batches((_first(one) for one in images.as_numpy_iterator()), _batched(images.element_spec, form))
    if _is_pydataset(images):
        return _of_batches((_first(images[i]) for i in range(len(images))), batched=True)
    if hasattr(images, "dataset") and hasattr(images, "batch_size") and hasattr(images, "collate_fn"):
        return _of_batches(
            (form.channels_last(as_array(_first(one), "A batch of the data loader")) for one in images),
            batched=getattr(images, "batch_size", None) is not None,
        )
    if hasattr(images, "shape") and hasattr(images, "dtype"):
        array = as_array(images, "images")
        if array.ndim not in form.axes:
            one, along = ("signal", "steps") if form.signal else ("image", "rows, cols")
            raise ValueError(
                f"images has shape {array.shape}; expected (n, {along}) or (n, {along}, channels). "
                f"Give a single {one} as [{one}]."
            )
        return (Item(i, array[i]) for i in range(len(array)))
    if isinstance(images, dict):
        return (Item(_id(name), value) for name, value in images.items())
    if isinstance(images, (bytes, bytearray)) or not isinstance(images, Iterable):
        raise TypeError(
            f"images is of type {type(images).__name__}; expected a folder, paths, arrays, (id, image) pairs, a "
            "tf.data.Dataset, a keras.utils.PyDataset, a torch DataLoader or a Dask bag."
        )
    return (_item(value, place) for place, value in enumerate(images))


def finder(images: Any) -> Callable[[ImageId], Any] | None:
    """Return a function from an id to the image, or None if it is gone; None where images come only once."""
    if isinstance(images, (str, os.PathLike)):
        folder = Path(images).absolute()
        return lambda image: str(folder / str(image))
    if hasattr(images, "shape") and hasattr(images, "dtype") and not hasattr(images, "to_delayed"):
        return lambda image: images[image]
    if isinstance(images, (list, tuple, dict)):
        return lambda image: next((one.value for one in items_of(images) if one.image == image), None)
    return None


def count_of(images: Any) -> int | None:
    """Return how many images there are, where that is known without reading them."""
    if isinstance(images, (list, tuple, dict)) or (hasattr(images, "shape") and hasattr(images, "dtype")):
        return len(images)
    return None


def _walked(folder: Path, form: Form) -> Iterator[Item]:
    if not folder.exists():
        raise FileNotFoundError(f"There is no folder {str(folder)!r}. The working directory is {Path.cwd()}.")
    if not folder.is_dir():
        raise ValueError(f"{str(folder)!r} is a file. Give its folder, or a list of paths: [{str(folder)!r}].")
    return _files(folder, {".npy"} if form.signal else _endings())


def _endings() -> set[str]:
    import PIL.Image

    return set(PIL.Image.registered_extensions())


def _files(folder: Path, endings: set[str]) -> Iterator[Item]:
    for where, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = Path(where, name)
            if path.suffix.lower() in endings:
                yield Item(path.relative_to(folder).as_posix(), str(path))


def _item(value: Any, place: int) -> Item:
    if _is_pair(value):
        return Item(_id(value[0]), value[1])
    if isinstance(value, (str, os.PathLike)):
        return Item(os.fspath(value), os.fspath(value))
    return Item(place, value)


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], (str, int, np.integer))


def _id(value: Any) -> ImageId:
    return int(value) if isinstance(value, (int, np.integer)) else str(value)


def _first(element: Any) -> Any:
    """Return the images of an element that may have labels beside them."""
    return element[0] if isinstance(element, (tuple, list)) else element


def _of_batches(batches: Iterable[Any], batched: bool) -> Iterator[Item]:
    counter = itertools.count()
    for batch in batches:
        if isinstance(batch, dict):
            raise ValueError(
                f"The data set gives dictionaries with the keys {', '.join(map(repr, batch))}. Map it to the images "
                "first, such as dataset.map(lambda element: element['image'])."
            )
        array = as_array(batch, "A batch of the data set")
        for image in array if batched else array[None]:
            yield Item(next(counter), image)


def _batched(spec: Any, form: Form) -> bool:
    first = _first(spec)
    return not isinstance(first, dict) and form.batched(tuple(first.shape))


def _is_pydataset(images: Any) -> bool:
    return any(one.__name__ == "PyDataset" and one.__module__.startswith("keras") for one in type(images).__mro__)
