"""Running a model over a partition of images, and tallying the outputs of its layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.inputs.images import Image, read_image, resize
from convlens.inputs.signals import load_signal, read_signal
from convlens.maths.arrays import as_array
from convlens.models.image_input import expected_input, takes_signal
from convlens.models.model_inputs import read_inputs
from convlens.surveys.aside import Aside, InAThread
from convlens.surveys.best import Floor, ImageId
from convlens.surveys.block import Block, Prepared
from convlens.surveys.forward import Forward, Settings
from convlens.surveys.sources import Item, checksum
from convlens.surveys.tally import Tallies

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Batch:
    """Images of one shape, and what the model takes of them, ``(batch size, rows, cols, channels)``."""

    images: list[Prepared]
    x: Array


class Job:
    """A model, and what to measure with it. The same code runs in this process and on workers.

    Parameters
    ----------
    model
        Built; it is not changed.
    settings
        What to count.
    aside
        What does the work beside the model's: reading images and counting answers.
    """

    def __init__(self, model: keras.Model, settings: Settings, aside: Callable[[], Aside] = InAThread) -> None:
        self.model, self.settings, self._aside = model, settings, aside
        self._inputs = read_inputs(model, settings.inputs)
        self._size = expected_input(model, self._inputs)
        self._signal = takes_signal(model, self._inputs)
        self._forwards: dict[tuple[int, ...], Forward] = {}

    def run(
        self,
        number: int,
        items: Sequence[Item],
        floors: Mapping[str, Floor] | None = None,
        counted: Callable[[int], Any] | None = None,
    ) -> Tallies:
        """Return the tallies of a partition.

        Parameters
        ----------
        number, items
            The partition.
        floors
            What an image must exceed to be kept, see `Tally.add`.
        counted
            Called with the number of images worked on since its last call.
        """
        tallies = Tallies(done={number: checksum(items)})
        blocks: dict[Forward, Block] = {}
        with self._aside() as aside:
            for batch in aside.ahead(self._batches(self._read(items, tallies.skipped))):
                forward = self._forward(batch.x[0])
                block = blocks.setdefault(forward, Block(forward))
                block.add(batch.images, forward.run(batch.x, len(batch.images)))
                if block.full:
                    aside.do(partial(blocks.pop(forward).count, tallies, self.settings.top, floors or {}))
                if counted is not None:
                    counted(len(batch.images))
            for block in blocks.values():
                aside.do(partial(block.count, tallies, self.settings.top, floors or {}))
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

    def _batches(self, images: Iterable[Prepared]) -> Iterator[Batch]:
        """Yield batches; one that is not full is filled up with its last image, so that one trace serves all."""
        for batch in self._of_one_shape(images):
            filled = [*batch, *[batch[-1]] * (self.settings.batch_size - len(batch))]
            yield Batch(batch, np.stack([one.x for one in filled]))

    def _of_one_shape(self, images: Iterable[Prepared]) -> Iterator[list[Prepared]]:
        """Yield images that go into one batch; at most four batches wait for others of their shape."""
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
