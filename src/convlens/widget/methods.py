"""What can be done with a lens in Python: its methods that edit it and write it out, each on the session behind it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from convlens.output.write_file import replaced
from convlens.state import chained, edits, exports
from convlens.state.training import BUDGET, Snapshot, make_callback
from convlens.widget.base import LensBase

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

    from convlens.output.map_png import Target


class LensMethods(LensBase):
    """The methods of a lens; `ConvLens` makes what they work on."""

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

    # -- output ------------------------------------------------------------------------------------------------------

    def plot(self, **kw: Any) -> Figure:
        """Draw filters and activation maps as the tutorial does: filters with their numbers above, maps below.

        Parameters
        ----------
        **kw
            ``form`` ("tutorial" or "compact"), ``figsize`` in inches, ``dpi``, ``most`` (filters drawn, 64 unless
            given); `cmap`, `value_range`, `stage` and `overlay` are the lens's own unless given. ``kernel_range`` is
            what the colours of a kernel span, "per_map" unless given. ``stage="gradients"`` draws how much a score of
            the model changes with each tap of the kernels and with each value of the maps, as :attr:`gradients` has
            them, in colours whose middle is 0; ``target`` and ``output`` choose the score as in :meth:`attribution`.

        Returns
        -------
        matplotlib.figure.Figure
            It is displayed at the end of a cell, and saved by its ``savefig``; pyplot does not keep it.

        Raises
        ------
        TypeError
            For any other option.
        traitlets.TraitError
            For a `cmap`, `value_range`, `kernel_range`, `stage` or `overlay` that there is not.
        ValueError
            For a value that another option cannot have, for a figure of more pixels than Matplotlib can draw, and for
            gradients without a model.
        """
        return exports.figure(self._open, self.look, **({"overlay": self.overlay} | kw))

    def save_map(self, i: int, path: Target, bits: int = 16) -> None:
        """Write the map of filter `i`, at the lens's stage, as a PNG file.

        Parameters
        ----------
        i
            Index of the filter.
        path
            Path, or a file opened for writing bytes.
        bits
            16 writes the values: grey levels with ``value = low + code / 65535 * (high - low)``, where ``low`` and
            ``high``, the map's least and greatest value, are text chunks of the file. 8 writes the map as it is drawn,
            in the lens's colours and value range.

        Raises
        ------
        IndexError
            When there is no filter `i`.
        ValueError
            For other bits, and for a map with NaN or infinity in 16.
        """
        exports.save_map(self._open, self.look, i, path, bits)

    def to_code(self, framework: str = "keras") -> str:
        """Write a Python program that computes and draws what the lens shows.

        Parameters
        ----------
        framework
            "keras" builds the layer and sets its weights; "numpy" does its arithmetic.

        Returns
        -------
        str
            Source that runs as it is and leaves the maps in ``activations``, ``(filters, rows, cols)``, or
            ``(filters, steps)`` for signals.

        Raises
        ------
        ValueError
            For another framework, and for a layer that is not Keras's own in class, activation function or float32.
        """
        return exports.program(self._open, self.look, framework)

    def save_html(self, path: str | os.PathLike[str]) -> None:
        """Save the lens as one page that needs neither a kernel nor a network, and can still be edited.

        Parameters
        ----------
        path
            Of the file; an existing one is replaced once the new one is complete.

        Raises
        ------
        OSError
            When the file cannot be written. An old one is left as it was.

        See Also
        --------
        to_html : the same as text.
        """
        page = self.to_html().encode()
        with replaced(path) as file:
            file.write(page)

    def to_html(self) -> str:
        """Return the lens as one page that needs neither a kernel nor a network, and can still be edited.

        Returns
        -------
        str
            What `save_html` writes: HTML with the front end and what it shows inside. It fetches nothing.

        Notes
        -----
        Its maps are computed by the browser, and marked as previews. An image of more than half a million pixels is
        reduced for the page, by averaging; the page says so, and its maps are those of the reduced image.

        Of a layer inside a model the page has Keras's maps, and the layer's input, from which edits are previewed, if
        that takes no more than 4 MB before it is packed; the page says how much it is. It opens no other layer.

        What Keras computed stays in the page where it belongs to the present weights: the last of `predictions`, in the
        widget or here; the snapshots of a training, for its slider; and the images that the survey holds of this
        layer's filters. Where these are many, some are left out, and the page says how many.
        """
        from convlens.output.html_page import to_html
        from convlens.protocol.saved_answers import saved_answers

        session, outbox = self._open, self._outbox
        session.current(thorough=True)
        private = ("_cmaps", "_presets", "_layers", "_survey")
        state = self.get_state([*self.shared_names(), *private])
        kept = outbox.page() | {"_status": outbox.status(), "_problem": None}
        kept |= saved_answers(session, self.survey, self._follower)
        return to_html(state | kept, "convlens: " + ", ".join(self.names))
