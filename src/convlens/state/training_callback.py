"""The callback that a user gives to ``fit``: what Keras calls it with, as epochs and batches."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from convlens.maths.arrays import shortened
from convlens.state.training import Follower

if TYPE_CHECKING:
    import keras


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
