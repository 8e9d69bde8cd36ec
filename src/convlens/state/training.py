"""Following a layer while its model is trained: snapshots of its weights, and showing them as they come."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from convlens import wire
from convlens.filters import Array, FilterList
from convlens.session import Session

if TYPE_CHECKING:
    import keras

#: Snapshots of one layer are thinned above this number, and above this many bytes.
MOST_SNAPSHOTS = 256
SNAPSHOT_BYTES = 64 * 1024 * 1024
#: Share of the training's time that showing it may take.
BUDGET = 0.01
#: Part of it that is kept back, for being called at every batch and for a showing that takes longer than those before.
KEPT_BACK = 0.1


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
    """

    epoch: int
    step: int
    loss: float | None
    filters: FilterList

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
        """Say when it was taken."""
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
        """Go through those that are kept."""
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


class Purse:
    """The time that training leaves for showing it: a share of what has passed.

    Parameters
    ----------
    share
        Of all time; None is without limit.
    price
        What showing once is expected to take at first, in seconds.
    clock
        Returns seconds.
    """

    def __init__(self, share: float | None, price: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._share = share
        self._clock = clock
        self._start = clock()
        self._spent = 0.0
        self._price = price

    def affords(self) -> bool:
        """Whether showing once more, at the price of the last times, keeps within the share."""
        if self._share is None:
            return True
        return self._spent + self._price <= (1 - KEPT_BACK) * self._share * (self._clock() - self._start)

    @contextmanager
    def paying(self, showing: bool = False) -> Iterator[None]:
        """Count the time that the block takes, and take it for the price of `showing`."""
        began = self._clock()
        try:
            yield
        finally:
            taken = self._clock() - began
            self._spent += taken
            if showing:
                # One that happened to be quick promises nothing for the next.
                self._price = max(taken, (self._price + taken) / 2)


class Follower:
    """Follows the layer that a lens has open while ``fit`` runs.

    Parameters
    ----------
    session
        What the lens holds.
    shown
        Returns whether anybody looks. Otherwise snapshots are kept, and no map is computed.
    tell
        Told the ``TrainingRecord`` when it is to be shown.
    """

    def __init__(
        self, session: Session, shown: Callable[[], bool], tell: Callable[[dict[str, Any] | None], None]
    ) -> None:
        self._session = session
        self._shown = shown
        self._tell = tell
        self._snapshots: dict[str, Snapshots] = {}
        self._running = False
        self._purse = Purse(None, 0.0)

    @property
    def snapshots(self) -> list[Snapshot]:
        """Those of the layer that is open, oldest first."""
        return list(self._snapshots.get(self._session.source.path, ()))

    def record(self) -> dict[str, Any] | None:
        """``TrainingRecord``."""
        snapshots = self.snapshots
        if not snapshots:
            return None
        now = self._session.filters
        shown = [i for i, snapshot in enumerate(snapshots) if snapshot.filters.same_weights(now)]
        return {
            "running": self._running,
            "snapshots": [
                {"epoch": s.epoch, "step": s.step, "loss": None if s.loss is None else wire.number(s.loss)}
                for s in snapshots
            ],
            "shown": shown[-1] if shown else None,
        }

    def begin(self, model: Any, budget: float | None) -> None:
        """See that the layer is part of the model, and keep what it is before training."""
        layer = self._session.source.layer
        if not any(part is layer for part in model._flatten_layers()):
            raise ValueError(
                f"The lens looks at layer {layer.name!r}, which is not part of model {model.name!r} that is being "
                "trained. Make the callback with a lens on that model."
            )
        self._running = True
        filters = self._read()
        if not self.snapshots:
            self._keep(Snapshot(0, 0, None, filters))
        self._follow(filters)  # what it takes the first time, compilation included, is no measure
        began = time.perf_counter()
        self._follow(filters)
        # Beside a training, whose threads want the same processors, it takes longer.
        self._purse = Purse(budget, 2 * (time.perf_counter() - began))

    def update(self, epoch: int, step: int, loss: float | None) -> None:
        """Keep what the layer is now, and show it where somebody looks and the time for it has come."""
        with self._purse.paying():
            filters = self._read()
            self._keep(Snapshot(epoch, step, loss, filters))
        if self._shown() and self._purse.affords():
            with self._purse.paying(showing=True):
                self._follow(filters)

    def end(self) -> None:
        """Let the lens hold what training made of the layer, and of the layers before it."""
        self._running = False
        self._session.follow(self.snapshots[-1].filters, anew=True)
        self._tell(self.record())

    def scrub(self, index: int) -> None:
        """Show the weights of a snapshot, as an edit that can be undone."""
        filters = self.snapshots[index].filters.with_names(self._session.filters.names)
        self._session.commit(filters, gesture="convlens: scrub")

    def close(self) -> None:
        """Let go of the snapshots."""
        self._snapshots.clear()

    def _read(self) -> FilterList:
        session = self._session
        return session.filters.with_weights(session.source.own_filters(session.image))

    def _keep(self, snapshot: Snapshot) -> None:
        self._snapshots.setdefault(self._session.source.path, Snapshots()).add(snapshot)

    def _follow(self, filters: FilterList) -> None:
        if self._shown():
            self._session.follow(filters)
            self._tell(self.record())


def make_callback(training: Follower, every: str | int, budget: float | None) -> keras.callbacks.Callback:
    """Make a callback for ``fit``; arguments as for `ConvLens.callback`."""
    import keras

    batches = _batches(every)

    class LensCallback(keras.callbacks.Callback):  # type: ignore[misc,unused-ignore]
        """Shows a convolution layer in a lens while it is trained."""

        def __init__(self) -> None:
            super().__init__()
            self._epoch = self._step = self._kept = 0

        def on_train_begin(self, logs: Any = None) -> None:
            training.begin(self.model, budget)
            last = training.snapshots[-1]
            self._epoch, self._step, self._kept = last.epoch, last.step, last.step

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self._step += 1
            if batches is not None and self._step % batches == 0:
                self._update(logs)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self._epoch += 1
            if batches is None:
                self._update(logs)

        def on_train_end(self, logs: Any = None) -> None:
            if self._kept != self._step:
                self._update(logs)
            _ = self.model
            training.end()

        def _update(self, logs: Any) -> None:
            # On JAX, asking for the model is what brings its variables up to date.
            _ = self.model
            loss = (logs or {}).get("loss")
            self._kept = self._step
            training.update(self._epoch, self._step, None if loss is None else float(loss))

    return LensCallback()


def _batches(every: str | int) -> int | None:
    """Return after how many batches to look; None for after each epoch."""
    if every == "epoch":
        return None
    if isinstance(every, bool) or not hasattr(every, "__index__") or operator.index(every) < 1:
        raise ValueError(f'every={every!r} was given; expected "epoch", or after how many batches to look, from 1 on.')
    return operator.index(every)
