"""Following a layer while its model is trained: snapshots of its weights, and showing them as they come."""

from __future__ import annotations

import operator
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from types import FrameType
from typing import TYPE_CHECKING, Any

from convlens.layers.keras_internals import layers_within
from convlens.maths.arrays import json_number, shortened
from convlens.state.filters import Array, FilterList
from convlens.state.session import Session

if TYPE_CHECKING:
    import keras

#: Snapshots of one layer are thinned above this number, and above this many bytes.
MOST_SNAPSHOTS = 256
SNAPSHOT_BYTES = 64 * 1024 * 1024
#: Share of the training's time that showing it may take.
BUDGET = 0.01
#: Part of it that is reserved, for the call at every batch and for updates that take longer than those before.
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


class TimeBudget:
    """The time that may be spent on showing a training: a share of what has passed.

    Parameters
    ----------
    share
        Of all time; None is without limit.
    cost
        What showing once is expected to take at first, in seconds.
    clock
        Returns seconds.
    """

    def __init__(self, share: float | None, cost: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._share = share
        self._clock = clock
        self._start = clock()
        self._spent = 0.0
        self._cost = cost

    def affords(self) -> bool:
        """Whether showing once more, at the cost of the last times, stays within the share."""
        if self._share is None:
            return True
        return self._spent + self._cost <= (1 - KEPT_BACK) * self._share * (self._clock() - self._start)

    @contextmanager
    def spending(self, showing: bool = False) -> Iterator[None]:
        """Count the time that the block takes, and take it for the cost of `showing`."""
        began = self._clock()
        try:
            yield
        finally:
            taken = self._clock() - began
            self._spent += taken
            if showing:
                # A short one does not mean that the next is short.
                self._cost = max(taken, (self._cost + taken) / 2)


class RunningFit:
    """The call of ``fit`` that calls the callback now; false once it has returned or raised.

    Keras informs a callback of neither an interrupt nor an error.
    """

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        frame = sys._getframe()
        while frame.f_back is not None and not _is_fit(frame):
            frame = frame.f_back
        # Not the frame itself, which would keep the training's data.
        self._frame, self._code = id(frame), frame.f_code

    def __bool__(self) -> bool:
        """Tell whether the call is still among those that its thread is in."""
        frame = sys._current_frames().get(self._thread)
        while frame is not None:
            if id(frame) == self._frame and frame.f_code is self._code:
                return True
            frame = frame.f_back
        return False


def _is_fit(frame: FrameType) -> bool:
    return frame.f_code.co_name == "fit" and "callbacks" in frame.f_locals


def _after_this_cell(call: Callable[[], None]) -> None:
    """Call once when the notebook's cell that runs has ended; does nothing elsewhere."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        return

    def ended(*_: Any) -> None:
        shell.events.unregister("post_run_cell", ended)
        call()

    shell.events.register("post_run_cell", ended)


def _reported(loss: float | None) -> float | str | None:
    return None if loss is None else json_number(loss)


class Follower:
    """Follows the layer that a lens has open while ``fit`` runs.

    Parameters
    ----------
    session
        What the lens holds.
    shown
        Returns whether a front end shows the lens. Otherwise snapshots are kept, and no map is computed.
    tell
        Called with the ``TrainingRecord`` when it is to be shown.
    """

    def __init__(
        self, session: Session, shown: Callable[[], bool], tell: Callable[[dict[str, Any] | None], None]
    ) -> None:
        self._session = session
        self._shown = shown
        self._tell = tell
        self._snapshots: dict[str, Snapshots] = {}
        self._running: RunningFit | None = None
        self._closed = False
        self._time = TimeBudget(None, 0.0)
        session.settle = self.settle

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
        alike = (i for i in reversed(range(len(snapshots))) if snapshots[i].filters.same_values(now))
        return {
            "running": self._running is not None,
            "snapshots": [
                {"epoch": s.epoch, "step": s.step, "loss": _reported(s.loss), "val_loss": _reported(s.val_loss)}
                for s in snapshots
            ],
            "shown": next(alike, None),
        }

    def begin(self, model: Any, budget: float | None) -> Snapshot | None:
        """Check that the layer is part of the model, and keep its weights from before training.

        Returns
        -------
        Snapshot or None
            The newest; None where the lens was closed.
        """
        if self._closed:
            return None
        layer = self._session.source.layer
        if not any(part is layer for part in layers_within(model)):
            raise ValueError(
                f"The lens looks at layer {layer.name!r}, but model {model.name!r}, which is being trained, does "
                "not contain it. Make the callback with a lens on that model."
            )
        self._running = RunningFit()
        self._session.following = True
        _after_this_cell(self._cell_ended)
        filters = self._read()
        if not self.snapshots:
            self._keep(Snapshot(0, 0, None, filters))
        self._follow(filters)  # the first time includes compilation, and is not counted
        began = time.perf_counter()
        self._follow(filters)
        # During a training, whose threads use the same processors, it takes longer.
        self._time = TimeBudget(budget, 2 * (time.perf_counter() - began))
        return self.snapshots[-1]

    def update(self, epoch: int, step: int, loss: float | None, val_loss: float | None = None) -> None:
        """Keep the layer's weights, and show them if a front end shows the lens and it is time to."""
        if self._closed:
            return
        with self._time.spending():
            filters = self._read()
            self._keep(Snapshot(epoch, step, loss, filters, val_loss))
        if self._shown() and self._time.affords():
            with self._time.spending(showing=True):
                self._follow(filters)

    def end(self) -> None:
        """Let the lens take over what training made of the layer, and of the layers before it."""
        if self._closed:
            return
        self._running = None
        self._session.follow(self._read())
        self._session.following = False
        self._tell(self.record())

    def settle(self) -> None:
        """End what an interrupted or failing ``fit`` began: Keras calls no callback then."""
        if self._running is not None and not self._running:
            self.end()

    def _cell_ended(self) -> None:
        """Show the weights at the end of a notebook's cell: callbacks that run after this one may set others."""
        if not self._closed:
            self.settle()
            self._session.following = self._running is None
            self._session.catch_up(self._session.filters)
            self._session.following = self._running is not None

    def scrub(self, index: int) -> None:
        """Show the weights of a snapshot, as an edit that can be undone."""
        filters = self.snapshots[index].filters.with_names(self._session.filters.names)
        self._session.commit(filters, gesture="convlens: scrub")

    def close(self) -> None:
        """Release the snapshots; a training that runs continues without the lens."""
        self._closed, self._running = True, None
        self._snapshots.clear()

    def _read(self) -> FilterList:
        session = self._session
        return session.filters.with_weights(session.source.trained_filters(session.image))

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
            self._epoch = self._step = self._kept = self._before_epoch = self._begun = 0
            self._val_loss: float | None = None

        def on_train_begin(self, logs: Any = None) -> None:
            last, self._val_loss = training.begin(self.model, budget), None
            if last is not None:
                self._epoch, self._step, self._kept = last.epoch, last.step, last.step

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self._before_epoch = self._step

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self._begun = batch

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            # With steps_per_execution, Keras calls this once for several batches, and gives the last one's number; up
            # to Keras 3.9 the first one's. The last one goes past the epoch's end where its batches run out.
            if batch == self._begun:
                batch += getattr(self.model, "steps_per_execution", 1) - 1
            before, steps = self._step, (self.params or {}).get("steps")
            self._step = self._before_epoch + (batch + 1 if steps is None else min(batch + 1, steps))
            if batches is not None and self._step // batches > before // batches:
                self._update(logs)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self._epoch += 1
            if logs and "val_loss" in logs:
                self._val_loss = float(logs["val_loss"])
            if batches is None:
                self._update(logs)

        def on_train_end(self, logs: Any = None) -> None:
            if self._kept != self._step:
                self._update(logs)
            _ = self.model
            training.end()

        def _update(self, logs: Any) -> None:
            # On JAX, reading `model` updates its variables.
            _ = self.model
            loss = (logs or {}).get("loss")
            self._kept = self._step
            training.update(self._epoch, self._step, None if loss is None else float(loss), self._val_loss)

    return LensCallback()


def _batches(every: str | int) -> int | None:
    """Return the number of batches between two snapshots; None for each epoch."""
    if every == "epoch":
        return None
    if isinstance(every, bool) or not hasattr(every, "__index__") or operator.index(every) < 1:
        raise ValueError(
            f'every={shortened(every)} was given; expected "epoch", or the number of batches between two snapshots, '
            "1 or more."
        )
    return operator.index(every)
