"""Running a model over a partition of images, and tallying the outputs of its layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.inputs.images import Image, read_image, resize
from convlens.inputs.signals import load_signal, read_signal
from convlens.layers.stateless_call import compiled, to_numpy, without_gradients
from convlens.maths.arrays import as_array
from convlens.models.conv_model import ConvModel
from convlens.models.image_input import expected_input, takes_signal
from convlens.models.layer_outputs import LayerOutputs
from convlens.models.model_inputs import ModelInputs, read_inputs
from convlens.surveys.patches import Patch, Window
from convlens.surveys.sources import Item, checksum
from convlens.surveys.tally import Entry, ImageId, Tallies, Tally

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[np.float32]
Statistic = str | Callable[[Any], Any]


@dataclass(frozen=True)
class Settings:
    """What a survey counts and keeps.

    Parameters
    ----------
    layers
        Paths; None for every convolution.
    top
        Images kept for each filter.
    statistic
        ``"max"``, ``"mean"``, or from ``(batch, rows, cols, filters)``, of signals ``(batch, steps, filters)``, to
        ``(batch, filters)``.
    batch_size
        Images in a batch.
    preprocess
        From ``(rows, cols, channels)`` float32, or a signal as a lens has it, to what the model takes; None for the
        image as it is.
    inputs
        What the model takes besides the image, as `ConvLens` has it; the same for every image.
    """

    layers: tuple[str, ...] | None
    top: int
    statistic: Statistic
    batch_size: int
    preprocess: Callable[[Any], Any] | None
    inputs: Any = None


@dataclass(frozen=True, eq=False)
class Prepared:
    """An image, read: as it is shown, and as the model takes it, ``(rows, cols, channels)``; a signal has one row."""

    image: ImageId
    shown: Array
    x: Array


class Job:
    """A model, and what to measure with it. The same code runs in this process and on workers.

    Parameters
    ----------
    model
        Built; it is not changed.
    settings
        What to count.
    """

    def __init__(self, model: keras.Model, settings: Settings) -> None:
        self.model, self.settings = model, settings
        self._inputs = read_inputs(model, settings.inputs)
        self._size = expected_input(model, self._inputs)
        self._signal = takes_signal(model, self._inputs)
        self._forwards: dict[tuple[int, ...], Forward] = {}

    def run(
        self,
        number: int,
        items: Sequence[Item],
        floors: Mapping[str, Array] | None = None,
        counted: Callable[[int], Any] | None = None,
    ) -> Tallies:
        """Return the tallies of a partition.

        Parameters
        ----------
        number, items
            The partition.
        floors
            The least values that are kept, see `Tally.add`.
        counted
            Called with the number of images worked on since its last call.
        """
        tallies = Tallies(done={number: checksum(items)})
        for batch in self._batches(self._read(items, tallies.skipped)):
            forward = self._forward(batch[0].x)
            patches = Patches(batch, signal=forward.signal)
            for path, found in forward.run([one.x for one in batch]).items():
                tally = tallies.layers.setdefault(path, Tally(found.values.shape[1], self.settings.top))
                entry = _entries(batch, found, forward, path, patches)
                tally.add([one.image for one in batch], found.values, entry, (floors or {}).get(path))
            tallies.images += len(batch)
            if counted is not None:
                counted(len(batch))
        return tallies

    def _read(self, items: Iterable[Item], skipped: dict[ImageId, str]) -> Iterator[Prepared]:
        for item in items:
            try:
                yield self._prepared(item)
            except (ValueError, TypeError, OSError) as error:
                # An error of a decoder or of preprocess= for one file does not end the survey.
                skipped[item.image] = f"{type(error).__name__}: {error}"

    def _prepared(self, item: Item) -> Prepared:
        if self._signal:
            return self._prepared_signal(item)
        rows, cols, channels = self._size
        preprocess = self.settings.preprocess
        image = read_image(item.value, channels=None if preprocess else channels, scale=False)
        if preprocess is None:
            image = self._sized(image)
            return Prepared(item.image, image.values, image.values)
        x = self._made(image)
        if not all(want in (None, have) for want, have in zip((rows, cols, channels), x.shape, strict=True)):
            if channels is not None and image.shape[2] != channels:
                image = read_image(item.value, channels=channels, scale=False)
            image = self._sized(image)
            x = self._made(image)
        return Prepared(item.image, image.values, x)

    def _prepared_signal(self, item: Item) -> Prepared:
        _, steps, channels = self._size
        value, preprocess = load_signal(item.value), self.settings.preprocess
        if preprocess is None:
            signal = read_signal(value, channels=channels, steps=steps).values
            return Prepared(item.image, signal, signal)
        given = read_signal(value, channels=None)
        made = read_signal(preprocess(given.shown.copy()), channels=channels, steps=steps)
        return Prepared(item.image, given.values, made.values)

    def _sized(self, image: Image) -> Image:
        rows, cols, _ = self._size
        return image if rows is None or cols is None else resize(image, rows, cols)

    def _made(self, image: Image) -> Array:
        assert self.settings.preprocess is not None
        made = as_array(self.settings.preprocess(image.values.copy()), "what preprocess returned")
        x = made[0] if made.ndim == 4 and len(made) == 1 else made
        if x.ndim != 3:
            raise ValueError(f"preprocess returned an array of shape {made.shape}; expected (rows, cols, channels).")
        return np.asarray(x, dtype=np.float32)

    def _batches(self, images: Iterable[Prepared]) -> Iterator[list[Prepared]]:
        """Yield batches of images of one shape; at most four batches wait for others of their shape."""
        waiting: dict[tuple[int, ...], list[Prepared]] = {}
        for image in images:
            batch = waiting.setdefault(image.x.shape, [])
            batch.append(image)
            if len(batch) == self.settings.batch_size:
                yield waiting.pop(image.x.shape)
            elif sum(map(len, waiting.values())) >= 4 * self.settings.batch_size:
                yield waiting.pop(max(waiting, key=lambda shape: len(waiting[shape])))
        yield from waiting.values()

    def _forward(self, x: Array) -> Forward:
        if x.shape not in self._forwards:
            if len(self._forwards) == _MOST_SHAPES:
                self._forwards.pop(next(iter(self._forwards)))
            self._forwards[x.shape] = Forward(self.model, self.settings, x, self._inputs)
        return self._forwards[x.shape]


#: Shapes of images whose trace is kept.
_MOST_SHAPES = 16


@dataclass(frozen=True, eq=False)
class Answers:
    """A layer's response to a batch.

    Parameters
    ----------
    values
        ``(images, filters)``: the statistic.
    places
        ``(images, filters)``: where the map is greatest, counted through its rows.
    cols
        Of the map.
    """

    values: Array
    places: npt.NDArray[np.int64]
    cols: int


class Forward:
    """A traced run of the model to the deepest of the layers, for images of one shape.

    Parameters
    ----------
    x
        One image as the model takes it, ``(rows, cols, channels)``; of a signal ``(1, steps, channels)``.
    inputs
        Where it goes, and what goes with it.
    """

    def __init__(self, model: keras.Model, settings: Settings, x: Array, inputs: ModelInputs) -> None:
        self._recorded = ConvModel(model, x[np.newaxis], inputs)
        paths = self._recorded.layers if settings.layers is None else list(settings.layers)
        calls = [self._recorded.find(path) for path in paths]
        self.signal = takes_signal(model, inputs)
        # What a layer over signals reads is not a part of an image that could be shown, and the other way round.
        rank, takes, reads = (1, "signals", "images") if self.signal else (2, "images", "signals")
        others = [call.path for call in calls if call.rank != rank]
        calls = [call for call in calls if call.rank == rank]
        if others and (settings.layers is not None or not calls):
            raise ValueError(
                f"The model takes {takes}, and {', '.join(map(repr, others))} read {reads} that it makes of them, "
                "which are no part of the data set. Leave them out of layer=."
            )
        if several := next((call for call in calls if call.batch != 1), None):
            raise ValueError(
                f"Layer {several.path!r} is called with {several.batch} inputs for one image, which cannot be ranked. "
                "Leave it out of layer=."
            )
        self.paths = [call.path for call in calls]
        self._outputs, self._settings = LayerOutputs(model, calls, inputs=inputs), settings
        self._cols = [call.output_shape[1] for call in calls]
        self._run = compiled(self._reduced)
        self._windows: dict[tuple[str, int, int], Window] = {}
        self._shape = x.shape[:2]

    def run(self, images: Sequence[Array]) -> dict[str, Answers]:
        """Return each layer's response; a batch that is not full is filled up, so that one trace serves all."""
        import keras

        count = len(images)
        x = np.stack([*images, *[images[-1]] * (self._settings.batch_size - count)])
        with without_gradients():
            found = self._run(keras.ops.convert_to_tensor(self._outputs.as_input(x)), self._outputs.state())
        answers = {}
        for path, cols, (values, places) in zip(self.paths, self._cols, found, strict=True):
            numbers = to_numpy(values)
            if callable(self._settings.statistic):
                numbers = self._own_statistic(path, numbers)
            answers[path] = Answers(numbers[:count], to_integers(places)[:count], cols)
        return answers

    def window(self, path: str, row: int, col: int, shown: tuple[int, int]) -> Window:
        """Return the rows and columns of an image that a pixel reads; all of it where that is unknown."""
        key = (path, row, col)
        if key not in self._windows:
            if len(self._windows) == _MOST_WINDOWS:
                self._windows.clear()
            field = self._recorded.receptive_field(path, row, col)
            rows, cols = field.inside or ((), ())
            whole = ((0, self._shape[0] - 1), (0, self._shape[1] - 1))
            self._windows[key] = ((rows[0], rows[-1]), (cols[0], cols[-1])) if rows and cols else whole
        return _scaled(self._windows[key], self._shape, shown)

    def _reduced(self, x: Any, state: list[Any]) -> list[tuple[Any, Any]]:
        import keras

        ops, found = keras.ops, []
        for layer in self._outputs(x, state).layers:
            maps = ops.cast(layer.activation, "float32")
            rows, cols, filters = (int(n) for n in maps.shape[1:])
            flat = ops.reshape(maps, (-1, rows * cols, filters))
            values = {"max": lambda: ops.max(flat, axis=1), "mean": lambda: ops.mean(flat, axis=1)}  # noqa: B023
            statistic = self._settings.statistic
            found.append((maps if callable(statistic) else values[statistic](), ops.argmax(flat, axis=1)))
        return found

    def _own_statistic(self, path: str, maps: Array) -> Array:
        assert callable(self._settings.statistic)
        maps, axes = (maps[:, 0], 1) if self.signal else (maps, (1, 2))
        values = as_array(self._settings.statistic(maps), "what statistic returned").astype(np.float32)
        if values.shape != (maps.shape[0], maps.shape[-1]):
            raise StatisticError(
                f"statistic returned shape {values.shape} for the maps of {path!r}, {maps.shape}; expected "
                f"(batch, filters), {(maps.shape[0], maps.shape[-1])}, such as maps.max(axis={axes})."
            )
        return values


#: Receptive fields that are kept; more are worked out again.
_MOST_WINDOWS = 100_000


class StatisticError(ValueError):
    """The user's statistic does not give a number for each image and filter."""


def to_integers(tensor: Any) -> npt.NDArray[np.int64]:
    """Return a tensor of integers as NumPy's."""
    import keras

    return np.asarray(keras.ops.convert_to_numpy(tensor)).astype(np.int64)


class Patches:
    """What was cut out of the images of a batch: deep layers' filters all read the same few windows of an image."""

    def __init__(self, batch: Sequence[Prepared], *, signal: bool) -> None:
        self._batch = batch
        self._cut = Patch.of_signal if signal else Patch.of
        self._made: dict[tuple[int, Window], Patch] = {}

    def of(self, position: int, window: Window) -> Patch:
        """Return the window of the image at a position in the batch."""
        key = (position, window)
        if key not in self._made:
            self._made[key] = self._cut(self._batch[position].shown, window)
        return self._made[key]


def _entries(
    batch: Sequence[Prepared], found: Answers, forward: Forward, path: str, patches: Patches
) -> Callable[[int, int], Entry]:
    def entry(position: int, one: int) -> Entry:
        image = batch[position]
        row, col = divmod(int(found.places[position, one]), found.cols)
        rows, cols = image.shown.shape[:2]
        window = forward.window(path, row, col, (rows, cols))
        value = float(found.values[position, one])
        return Entry(image.image, value, (row, col), window, patches.of(position, window))

    return entry


def _scaled(window: Window, of: tuple[int, ...], to: tuple[int, int]) -> Window:
    """Return a window of preprocess='s result as one of the image itself, assuming that it only scales."""
    if tuple(of) == to:
        return window
    ends = [
        (int(first * n / have), min(n - 1, int(np.ceil((last + 1) * n / have)) - 1))
        for (first, last), have, n in zip(window, of, to, strict=True)
    ]
    return (ends[0], ends[1])
