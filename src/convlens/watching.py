"""Watching a layer while its model is trained: the training part of `ConvLens`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from convlens.session import Session
from convlens.training import BUDGET, Follower, Snapshot, make_callback

if TYPE_CHECKING:
    import keras


class Watching:
    """Methods that follow the layer through `model.fit`."""

    _session: Session
    _follower: Follower

    def callback(self, every: str | int = "epoch", budget: float | None = BUDGET) -> keras.callbacks.Callback:
        """Make a Keras callback that shows the layer while its model is trained, and keeps what it was on the way.

        Parameters
        ----------
        every
            ``"epoch"``, or after how many batches to look.
        budget
            Share of the training's time that showing may take. What comes too soon for it is kept, but not shown; None
            shows everything.

        Returns
        -------
        keras.callbacks.Callback
            For ``model.fit(..., callbacks=[lens.callback()])``. The shown kernels follow the training: edits that were
            not applied are dropped when it begins, and `restore` goes back to what it ended with.

        Raises
        ------
        TypeError
            When the lens made its layer itself.

        Notes
        -----
        At most 256 `snapshots`, and at most 64 MiB of them, are kept; of more, every second one is left out.
        Maps are computed only while the lens is displayed.
        """
        _ = self._session.source.layer
        return make_callback(self._follower, every, budget)

    @property
    def snapshots(self) -> Sequence[Snapshot]:
        """What the callback kept of the layer that is open, oldest first."""
        return self._follower.snapshots

    def scrub(self, i: int) -> None:
        """Show the weights of ``snapshots[i]``; `undo` goes back to what was shown before.

        Inside a model the layer's input is that of the model as it is now: its other layers do not go back in time.
        """
        count = len(self.snapshots)
        if not -count <= i < count:
            raise IndexError(
                f"There is no snapshot {i}: {count} were kept of this layer. Train with callbacks=[lens.callback()]."
            )
        self._follower.scrub(i)
