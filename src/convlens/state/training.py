"""Following a layer while its model is trained: keeping its weights, and showing them as they come."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from convlens.layers.keras_internals import layers_within
from convlens.maths.arrays import json_number
from convlens.state.filters import FilterList
from convlens.state.running_fit import RunningFit, TimeBudget, after_this_cell
from convlens.state.session import Session
from convlens.state.snapshots import Snapshot, Snapshots


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
        after_this_cell(self._cell_ended)
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


def _reported(loss: float | None) -> float | str | None:
    return None if loss is None else json_number(loss)
