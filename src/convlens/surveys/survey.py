"""`survey`: rank the images, or the signals, of a data set by every filter of a model."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convlens.models.find_layers import check_model
from convlens.models.fingerprint import fingerprint
from convlens.models.image_input import check_takes_pictures, expected_input, takes_signal
from convlens.models.input_values import arrays_in
from convlens.models.model_inputs import read_inputs
from convlens.surveys import job
from convlens.surveys.forward import Settings, Statistic
from convlens.surveys.requirements import needed
from convlens.surveys.results import Survey
from convlens.surveys.sources import Form, Partition, bag_items, checksum, count_of, finder, partitions
from convlens.surveys.store import FILE, read, write
from convlens.surveys.tally import Tallies

if TYPE_CHECKING:
    import keras

#: Images in a partition, unless the caller says otherwise.
PARTITION = 256
#: Least seconds between two writings of the store, and least multiple of the time that the last one took.
_BETWEEN, _TIMES = 10.0, 20.0


def survey(
    model: keras.Model,
    images: Any,
    layer: str | Sequence[str] | None = None,
    *,
    top: int = 9,
    statistic: Statistic = "max",
    batch_size: int = 32,
    preprocess: Callable[[Any], Any] | None = None,
    inputs: Any = None,
    client: Any = None,
    store: str | os.PathLike[str] | None = None,
    progress: bool = True,
    partition_size: int | None = None,
) -> Survey:
    """Rank the images, or the signals, of a data set by how much they excite each filter of a model's convolutions.

    One pass over the data serves all layers. What is kept at any time is one partition of images and, for each filter,
    `top` patches of at most 64 × 64 pixels, or of a signal 4,096 numbers.

    Parameters
    ----------
    model
        A built Keras model that takes an image or a signal; it is not changed.
    images
        A folder, walked in sorted order; paths, arrays or ``(id, image)`` pairs; an array ``(n, rows, cols)`` or
        ``(n, rows, cols, channels)``; a ``tf.data.Dataset``, ``keras.utils.PyDataset`` or PyTorch ``DataLoader``, of
        whose elements the first part is taken; a Dask bag. Values go into the model as given, 0 to 255 for files. Of
        signals an array is ``(n, steps)`` or ``(n, steps, channels)``, and files are those that ``np.save`` writes.
    layer
        Path of a layer, "block/conv", or several; every convolution when left out.
    top
        Images kept for each filter. Of images with the same value those of the lower id come first.
    statistic
        What a map is ranked by: ``"max"``, ``"mean"``, or a function of an array ``(batch, rows, cols, filters)`` that
        returns ``(batch, filters)``; that of signals is ``(batch, steps, filters)``.
    batch_size
        Images that the model is run on at once. Images of several shapes are gathered into batches of one shape.
    preprocess
        Callable from a float32 copy of an image, ``(rows, cols, channels)``, or of a signal, to what the model takes.
    inputs
        What the model takes besides the image, as `ConvLens` has it; the same for every image.
    client
        A ``dask.distributed.Client``: the work is done on its cluster, whose workers must reach the images by the same
        paths. In this process when left out.
    store
        A folder. The survey is written to it from time to time and at its end, and goes on from there when it is
        started again with the same settings.
    progress
        Whether to show a progress bar.
    partition_size
        Images that are worked on as one task and counted as done together, 256 unless given. A scheduler passes on
        some hundreds of tasks a second.

    Returns
    -------
    Survey

    Raises
    ------
    ValueError, TypeError, FileNotFoundError
        For settings and data that cannot be used.
    ImportError
        Where a package of ``convlens[survey]`` is needed and missing, with what to install.

    Examples
    --------
    >>> found = convlens.survey(model, "photographs")       # doctest: +SKIP
    >>> found.top("block/conv", 7)                          # doctest: +SKIP
    """
    check_model(model)
    settings = _settings(layer, top, statistic, batch_size, preprocess, inputs)
    check_takes_pictures(model, read_inputs(model, inputs), "what a survey ranks")
    size = _partition_size(partition_size, batch_size)
    description = _description(model, settings, size)
    folder = None if store is None else Path(store)
    total = _begun(folder, description)
    with _Progress(count_of(images), total.images, progress) as bar:
        keeper = _Keeper(folder, description, total, bar)
        todo = _left(
            partitions(images, size, batch_size, _form(model, inputs)),
            total,
            bag=hasattr(images, "to_delayed"),
            there=client is not None,
        )
        try:
            if client is None:
                _embedded(job.Job(model, settings), todo, keeper)
            else:
                needed("distributed", "client=")
                from convlens.surveys import cluster

                cluster.run(client, model, settings, todo, keeper.add, keeper.total.floors)
        finally:
            keeper.flush()
    if not total.layers:
        why = next(iter(total.skipped.values()), "The data set is empty.")
        raise ValueError(f"None of the images could be surveyed ({len(total.skipped)} skipped). The first: {why}")
    return Survey(total, description["model"], finder(images))


def open_survey(folder: str | os.PathLike[str]) -> Survey:
    """Open a survey from its store.

    Parameters
    ----------
    folder
        What was given to `survey` as ``store=``. A survey that is still running can be opened as well.

    Raises
    ------
    FileNotFoundError, ValueError
        Where there is none.
    ImportError
        Without pyarrow.
    """
    tallies, description = read(Path(folder))
    return Survey(tallies, description["model"])


def _embedded(worker: job.Job, todo: Iterator[Partition], keeper: _Keeper) -> None:
    for partition in todo:
        keeper.add(
            worker.run(partition.number, partition.items, keeper.total.floors(), keeper.bar.update), counted=True
        )


def _left(every: Iterator[Partition], total: Tallies, *, bag: bool, there: bool) -> Iterator[Partition]:
    """Yield the partitions that are not done; those that are must be of the same images.

    A Dask bag's partitions are computed in this process, or left to the workers where they are wanted `there`.
    """
    done = dict(total.done)
    for one in every:
        if bag and there and one.number not in done:
            yield one
            continue
        items = bag_items(one.items.compute(scheduler="sync"), one.number) if bag else one.items
        if one.number not in done:
            yield Partition(one.number, items)
        elif done[one.number] != checksum(items):
            raise ValueError(
                f"The store holds a survey of other images: partition {one.number} has other ids now. Give the images "
                "in the order they had, or another folder as store=."
            )


class _Keeper:
    """Merges the tallies that arrive, and writes the store from time to time."""

    def __init__(self, folder: Path | None, description: dict[str, Any], total: Tallies, bar: _Progress) -> None:
        self.total, self.bar = total, bar
        self._folder, self._description = folder, description
        self._next, self._written = time.monotonic() + _BETWEEN, len(total.done)

    def add(self, part: Tallies, *, counted: bool = False) -> None:
        """Merge tallies; `counted` says whether the progress bar has counted their images."""
        self.total.merge(part)
        if not counted:
            self.bar.update(part.images)
        if time.monotonic() >= self._next:
            self.flush()

    def flush(self) -> None:
        """Write the store, where there is something new."""
        if self._folder is None or len(self.total.done) == self._written:
            return
        start = time.monotonic()
        write(self._folder, self.total, self._description)
        end = time.monotonic()
        self._next, self._written = end + max(_BETWEEN, _TIMES * (end - start)), len(self.total.done)


class _Progress:
    """A progress bar with images per second, or nothing."""

    def __init__(self, count: int | None, done: int, shown: bool) -> None:
        self._bar = None
        if shown:
            tqdm = needed("tqdm.auto", "The progress bar", "Or pass progress=False.")
            self._bar = tqdm.tqdm(total=count, initial=done, unit=" images", desc="survey", leave=False)

    def update(self, images: int) -> None:
        """Count images."""
        if self._bar is not None:
            self._bar.update(images)

    def __enter__(self) -> _Progress:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.close()


def _settings(
    layer: str | Sequence[str] | None,
    top: int,
    statistic: Statistic,
    batch_size: int,
    preprocess: Callable[[Any], Any] | None,
    inputs: Any,
) -> Settings:
    layers = None if layer is None else (layer,) if isinstance(layer, str) else tuple(layer)
    if layers == ():
        raise ValueError("layer is empty: give the path of a layer, several, or None for every convolution.")
    for name, number in (("top", top), ("batch_size", batch_size)):
        if int(number) < 1:
            raise ValueError(f"{name}={number} was given; expected at least 1.")
    if statistic not in ("max", "mean") and not callable(statistic):
        raise ValueError(
            f'statistic={statistic!r} was given; expected "max", "mean", or a function from (batch, rows, cols, '
            "filters) to (batch, filters)."
        )
    if preprocess is not None and not callable(preprocess):
        raise TypeError(f"preprocess is of type {type(preprocess).__name__}; expected a function of an image.")
    return Settings(layers, int(top), statistic, int(batch_size), preprocess, inputs)


def _form(model: keras.Model, inputs: Any) -> Form:
    taken = read_inputs(model, inputs)
    return Form(takes_signal(model, taken), expected_input(model, taken)[2])


def _partition_size(given: int | None, batch_size: int) -> int:
    size = PARTITION if given is None else int(given)
    if size < 1:
        raise ValueError(f"partition_size={given} was given; expected at least 1.")
    # Whole batches, so that the model is run as often as it would be without partitions.
    return -(-size // batch_size) * batch_size


def _description(model: keras.Model, settings: Settings, size: int) -> dict[str, Any]:
    return {
        "model": fingerprint(model),
        "layer": None if settings.layers is None else list(settings.layers),
        "top": settings.top,
        "statistic": _name(settings.statistic),
        "batch_size": settings.batch_size,
        "preprocess": _name(settings.preprocess),
        "partition_size": size,
        **({} if settings.inputs is None else {"inputs": _of_inputs(model, settings)}),
    }


def _of_inputs(model: keras.Model, settings: Settings) -> str:
    digest = hashlib.sha256()
    inputs = read_inputs(model, settings.inputs)
    for position, whole in sorted(inputs.others.items()):
        for value in arrays_in(whole):
            digest.update(repr((position, value.shape, value.dtype.str)).encode())
            digest.update(np.ascontiguousarray(value).tobytes())
        if not isinstance(whole, np.ndarray):
            digest.update(repr(inputs.but_arrays()).encode())
    return digest.hexdigest()


def _name(one: Any) -> str | None:
    return one if one is None or isinstance(one, str) else getattr(one, "__qualname__", type(one).__qualname__)


def _begun(folder: Path | None, description: dict[str, Any]) -> Tallies:
    """Return what the store holds, which must have been made with the same settings."""
    if folder is None:
        return Tallies()
    needed("pyarrow", "store=")
    if not (folder / FILE).exists():
        return Tallies()
    tallies, before = read(folder)
    for name, now in description.items():
        if before.get(name) != now:
            what = "was made with another model" if name == "model" else f"has {name}={before.get(name)!r}, not {now!r}"
            raise ValueError(f"The survey in {str(folder)!r} {what}. Give the same to continue it, or another store=.")
    return tallies
