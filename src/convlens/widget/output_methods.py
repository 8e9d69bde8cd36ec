"""The methods that write a lens as a figure, a picture, a program or a page."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from convlens.output.write_file import replaced
from convlens.state import exports
from convlens.widget.base import LensBase

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from convlens.output.map_png import Target


class OutputMethods(LensBase):
    """What a lens shows, taken elsewhere."""

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
