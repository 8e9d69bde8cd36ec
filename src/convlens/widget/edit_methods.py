"""The methods that edit a lens, write the edits into the user's layer, and follow its training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from convlens.state import chained, edits
from convlens.state.running_fit import BUDGET
from convlens.state.snapshots import Snapshot
from convlens.state.training_callback import make_callback
from convlens.widget.base import LensBase

if TYPE_CHECKING:
    import keras


class EditMethods(LensBase):
    """What changes the weights that a lens holds, by hand, by its history or by a training."""

    # -- editing -----------------------------------------------------------------------------------------------------

    def get_weights(self) -> list[npt.NDArray[Any]]:
        """Return the weights in Keras's own list and order.

        Returns
        -------
        list of ndarray
            ``[kernel (kh, kw, in_channels, filters), bias (filters,)]``, or what the layer's class has instead, so that
            ``layer.set_weights(lens.get_weights())`` works.
        """
        return edits.get_weights(self._open)

    def set_weights(self, weights: Sequence[npt.ArrayLike]) -> None:
        """Take weights in Keras's own list and order.

        Parameters
        ----------
        weights
            As `get_weights` returns them.

        Raises
        ------
        ValueError
            Keras's own text for a wrong shape, followed by what mends it.
        """
        edits.set_weights(self._open, weights)

    def set_kernel(self, i: int, kernel: npt.ArrayLike) -> None:
        """Replace ``kernels[i]``, as one step that can be undone.

        Parameters
        ----------
        i
            Index in `kernels`; negative ones count from the end.
        kernel
            ``(kh, kw)``, or ``(kh, kw, in_channels)`` where the layer's input has several channels; for signals
            ``(k,)`` or ``(k, in_channels)``: the shape of the present kernel.

        Raises
        ------
        IndexError
            When there is no kernel `i`.
        ValueError, TypeError
            When the kernel has another shape, or holds anything but real numbers.
        """
        edits.set_kernel(self._session, i, kernel)

    def add_kernel(self, kernel: npt.ArrayLike, name: str | None = None) -> None:
        """Append a filter with this kernel and a bias of 0, as one step that can be undone.

        Parameters
        ----------
        kernel
            Of the same shape as the others.
        name
            Title of the filter; the first of "Filter 1", "Filter 2" and so on that is free when left out.

        Raises
        ------
        ValueError, TypeError
            When the kernel has another shape or holds anything but real numbers, and where the number of filters is
            fixed: inside a model, and in depthwise and separable layers.
        """
        edits.add_kernel(self._session, kernel, name)

    def remove_kernel(self, i: int) -> None:
        """Remove filter `i` from the list, as one step that can be undone.

        Parameters
        ----------
        i
            Index of the filter; negative ones count from the end.

        Raises
        ------
        IndexError
            When there is no filter `i`.
        ValueError
            When it is the only one, and where the number of filters is fixed, as for `add_kernel`.
        """
        edits.remove_kernel(self._session, i)

    def move_kernel(self, i: int, j: int) -> None:
        """Move filter `i` to the place `j` of the list, as one step that can be undone.

        Parameters
        ----------
        i, j
            Indices in the list as it is before; negative ones count from the end.

        Raises
        ------
        IndexError
            When there is no filter `i` or `j`.
        ValueError
            Where the order of the filters is fixed: inside a model, and in separable layers.
        """
        edits.move_kernel(self._session, i, j)

    def use_map(self, i: int) -> None:
        """Feed the layer with the activation map of filter `i`, so that filters come one after another.

        The map is taken as it is now: a later edit of the filter does not change it. Kernels and history stay as they
        are: this is not a step of the history. `leave_map` goes back.

        Parameters
        ----------
        i
            Index of the filter; negative ones count from the end.

        Raises
        ------
        IndexError
            When there is no filter `i`.
        ValueError
            Inside a model, whose next layer already reads the maps, and where the map is too small for the kernels.

        Examples
        --------
        Blur, then sharpen:

        >>> lens = ConvLens(img, [presets["gaussian_3"], presets["sharpen"]], activation="linear")
        >>> lens.use_map(0)
        >>> sharpened = lens.activations[1]
        """
        chained.use_map(self._open, i)

    def leave_map(self, steps: int = 1) -> None:
        """Go back to what the layer was fed before the last `use_map`; does nothing where there was none.

        Parameters
        ----------
        steps
            How many maps to go back; more than there were goes back to the picture.

        Raises
        ------
        ValueError
            When it is not a whole number, or is negative.
        """
        chained.leave_map(self._open, steps)

    def undo(self) -> None:
        """Take back the last edit, whichever side made it; does nothing where there is none."""
        self._session.undo()

    def redo(self) -> None:
        """Repeat the edit that `undo` took back; does nothing where there is none."""
        self._session.redo()

    def reset(self) -> None:
        """Go back to the filters and settings that the lens was made with, as one step that can be undone."""
        self._session.reset()

    def apply(self) -> None:
        """Write the edited weights, and no others, into the user's layer.

        What was not edited stays as it is in the layer now, even if it was trained since the lens was made.
        """
        self._open.apply()
        self._weights_changed()

    def restore(self) -> None:
        """Put back what `apply` replaced in the user's layers, and nothing else.

        Raises
        ------
        ValueError
            Where training or ``set_weights`` has changed that since. Nothing is put back then.
        """
        self._open.restore()
        self._weights_changed()

    # -- training ----------------------------------------------------------------------------------------------------

    def callback(self, every: str | int = "epoch", budget: float | None = BUDGET) -> keras.callbacks.Callback:
        """Make a Keras callback that shows the layer while its model is trained, and keeps snapshots of it.

        Parameters
        ----------
        every
            ``"epoch"``, or the number of batches between two snapshots.
        budget
            Share of the training's time that showing may take. A snapshot that comes too soon is only kept; None
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
        At most 256 `snapshots`, and at most 64 MiB of them, are kept; beyond that, every second one is left out.
        Maps are computed only while the lens is displayed.
        """
        _ = self._open.source.layer
        return make_callback(self._follower, every, budget)

    @property
    def snapshots(self) -> Sequence[Snapshot]:
        """What the callback kept of the layer that is open, oldest first."""
        return self._follower.snapshots

    def scrub(self, i: int) -> None:
        """Show the weights of ``snapshots[i]``; `undo` goes back to what was shown before.

        Parameters
        ----------
        i
            Index in `snapshots`; negative ones count from the end.

        Raises
        ------
        IndexError
            When there is no snapshot `i`.

        Notes
        -----
        Inside a model the layer's input is that of the model as it is now: its other layers do not go back in time.
        """
        self._session.require_open()
        count = len(self.snapshots)
        if not -count <= i < count:
            raise IndexError(
                f"There is no snapshot {i}: {count} were kept of this layer. Train with callbacks=[lens.callback()]."
            )
        self._follower.scrub(i)
