"""A partition's images on their way to a worker: the bytes of all their arrays one after another."""

from __future__ import annotations

import pickle
from collections.abc import Sequence

import cloudpickle
import numpy as np

from convlens.surveys.sources import Item


class Packed:
    """Images that cross to a worker in one frame; of a list, each array would be a frame for all whom it passes.

    Parameters
    ----------
    items
        Paths, arrays or whatever else `Item` holds; what has no buffer of its own crosses as it is pickled.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        buffers: list[pickle.PickleBuffer] = []
        # As Dask does it: what a notebook has defined crosses as well.
        self._pickled: bytes = cloudpickle.dumps(items, buffer_callback=buffers.append)
        parts = [np.asarray(buffer.raw()) for buffer in buffers]
        self._sizes = [len(part) for part in parts]
        self._bytes = np.concatenate(parts) if parts else np.zeros(0, np.uint8)

    def items(self) -> Sequence[Item]:
        """Return the images; their arrays are parts of the one that crossed."""
        parts = np.split(self._bytes, np.cumsum(self._sizes)[:-1]) if self._sizes else []
        items: Sequence[Item] = pickle.loads(self._pickled, buffers=parts)
        return items
