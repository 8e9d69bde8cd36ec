"""Images whose answers are counted together: a few batches, so that NumPy has enough to do at every call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.surveys.best import Floor, ImageId, Indices
from convlens.surveys.forward import Answers, Forward
from convlens.surveys.patches import Cutter
from convlens.surveys.tally import Tallies, Tally
from convlens.surveys.windows import scaled

Array = npt.NDArray[np.float32]

#: A block is counted when it holds so many images, or so many bytes.
_MOST_IMAGES, _MOST_BYTES = 128, 64_000_000


@dataclass(frozen=True, eq=False)
class Prepared:
    """An image, read: as it is shown, and as the model takes it, ``(rows, cols, channels)``; a signal has one row."""

    image: ImageId
    shown: Array
    x: Array


class Block:
    """Batches of images of one shape, and each layer's response to them.

    Parameters
    ----------
    forward
        What they are run through.
    """

    def __init__(self, forward: Forward) -> None:
        self._forward = forward
        self._images: list[Prepared] = []
        self._answers: dict[str, list[Answers]] = {path: [] for path in forward.paths}
        self._bytes = 0

    def add(self, images: Sequence[Prepared], answers: Mapping[str, Answers]) -> None:
        """Add a batch."""
        self._images.extend(images)
        self._bytes += sum(one.shown.nbytes + one.x.nbytes for one in images)
        for path, found in answers.items():
            self._answers[path].append(found)
            self._bytes += found.values.nbytes + found.places.nbytes

    @property
    def full(self) -> bool:
        """Whether it is to be counted before another batch is added."""
        return len(self._images) >= _MOST_IMAGES or self._bytes >= _MOST_BYTES

    def count(self, tallies: Tallies, top: int, floors: Mapping[str, Floor]) -> None:
        """Add it to tallies."""
        images = [one.image for one in self._images]
        cutter = Cutter([one.shown for one in self._images], signal=self._forward.signal)
        shapes = [one.shown.shape[:2] for one in self._images]
        for path, answers in self._answers.items():
            values = np.concatenate([one.values for one in answers])
            places = np.concatenate([one.places for one in answers])

            def cut(
                positions: Indices, filters: Indices, path: str = path, places: npt.NDArray[np.int32] = places
            ) -> tuple[npt.NDArray[np.int32], npt.NDArray[Any]]:
                read = self._forward.read(path, places[positions, filters])
                for shape in set(shapes) - {self._forward.shape}:
                    of_it = np.array([one == shape for one in shapes])[positions]
                    read[of_it, 2:] = scaled(read[of_it, 2:], self._forward.shape, shape)
                return read, cutter.cut(positions, read[:, 2:])

            tally = tallies.layers.setdefault(path, Tally(values.shape[1], top))
            tally.add(images, values, cut, floors.get(path))
        tallies.images += len(images)
