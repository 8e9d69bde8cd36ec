"""A layer's weights at moments of its training, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from convlens.state.filters import Array, FilterList

#: Snapshots of one layer are thinned above this number, and above this many bytes.
MOST_SNAPSHOTS = 256
SNAPSHOT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A layer's weights at one moment of its training.

    Parameters
    ----------
    epoch, step
        Epochs completed, and batches in all, over every call of ``fit``; 0 before training.
    loss
        Training loss as Keras last reported it; None before that.
    filters
        The weights as filters.
    val_loss
        Loss on the validation data as Keras last reported it, after an epoch; None before that, and without such data.
    """

    epoch: int
    step: int
    loss: float | None
    filters: FilterList
    val_loss: float | None = None

    @property
    def kernels(self) -> list[Array]:
        """As `ConvLens.kernels`, read-only."""
        return [kernel[:, :, 0] if kernel.shape[2] == 1 else kernel[...] for kernel in self.filters.kernels]

    @property
    def bias(self) -> Array:
        """``(filters,)``, read-only."""
        return self.filters.bias

    @cached_property
    def nbytes(self) -> int:
        """Memory that the weights take."""
        kernels = sum(kernel.nbytes for kernel in self.filters.kernels)
        pointwise = self.filters.pointwise
        return kernels + 4 * len(self.filters) + (0 if pointwise is None else pointwise.nbytes)

    def __repr__(self) -> str:
        """Return when it was taken, in words."""
        loss = "" if self.loss is None else f", loss {self.loss:.4g}"
        return f"Snapshot of {len(self.filters)} filters after epoch {self.epoch}, batch {self.step}{loss}"


class Snapshots:
    """Snapshots in order of time, in bounded memory.

    When there are too many, every second one is left out, and from then on every second new one as well, so that they
    stay evenly spaced. The first and the newest are always kept.
    """

    def __init__(self, most: int = MOST_SNAPSHOTS, nbytes: int = SNAPSHOT_BYTES) -> None:
        self._most, self._nbytes = most, nbytes
        self._kept: list[tuple[int, Snapshot]] = []
        self._count = 0
        self._stride = 1

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._kept)

    def __iter__(self) -> Iterator[Snapshot]:
        """Iterate over those that are kept."""
        return (snapshot for _, snapshot in self._kept)

    def add(self, snapshot: Snapshot) -> None:
        """Keep one more."""
        self._kept.append((self._count, snapshot))
        self._count += 1
        if len(self) > 1:
            self._drop(len(self) - 2, len(self) - 1)
        while len(self) > 2 and (len(self) > self._most or sum(s.nbytes for s in self) > self._nbytes):
            self._stride *= 2
            self._drop(1, len(self) - 1)

    def _drop(self, first: int, last: int) -> None:
        """Leave out those from `first` to before `last` that are off the stride."""
        self._kept[first:last] = [(n, s) for n, s in self._kept[first:last] if n % self._stride == 0]
