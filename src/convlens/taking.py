"""Looking closer at what a lens shows, and taking it away: explanations, figures, pictures, code and pages."""

from __future__ import annotations

import os
import pathlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from convlens.colors import check_stage, limits
from convlens.courier import Courier
from convlens.filters import Array
from convlens.images import Image
from convlens.session import Session

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from convlens.diagnostics import Diagnostics
    from convlens.explain import Explanation
    from convlens.pngs import Target

#: Public traits that the browser knows.
_SHOWN = ("names", "cmap", "value_range", "stage", "selected", "pixel", "layer_path", "labels")


class Taking:
    """Methods that read what a lens holds and change nothing."""

    _session: Session
    _courier: Courier
    # Traits of the widget.
    names: Any
    bias: Any
    cmap: Any
    value_range: Any
    stage: Any

    def explain(self, i: int, row: int, col: int) -> Explanation:
        """Take one output pixel apart: the patch that filter `i` reads, tap by tap.

        Parameters
        ----------
        i
            Index of the filter.
        row, col
            The pixel in the activation map.

        Returns
        -------
        Explanation
            Its products and bias sum up to the pre-activation that Keras computed. Its receptive field is that in the
            image, through all layers of a model before this one.
        """
        from convlens.explain import explain

        index, filters = self._checked(i), self._session.filters
        pre_activation, activation = self._session.maps(index)
        conv = self._session.engine.layer
        kernel, bias = filters.kernel_at(index), filters[index].bias
        one = explain(conv.geometry, conv.input, kernel, bias, index, row, col, pre_activation, activation)
        return replace(one, receptive_field=self._session.receptive_field(*one.pixel))

    def diagnose(self, i: int) -> Diagnostics:
        """Find out what the kernel of filter `i` does: gain, norm, symmetry, separability, frequency response."""
        from convlens.diagnostics import diagnose

        return diagnose(self._session.filters.kernel_at(self._checked(i)))

    def plot(self, **kw: Any) -> Figure:
        """Draw filters and activation maps as the tutorial does: filters with their numbers above, maps below.

        Parameters
        ----------
        **kw
            ``form`` ("tutorial" or "compact"), ``figsize`` in inches, ``dpi``, ``most`` (filters drawn, 64 unless
            given); `cmap`, `value_range` and `stage` are the lens's own unless given.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from convlens.plots import plot

        stage = check_stage(kw.pop("stage", self.stage))
        maps = self._session.engine.stack(stage)
        drawn = {"cmap": self.cmap, "value_range": self.value_range}
        filters = self._session.filters
        return plot([filters.kernel_at(i) for i in range(len(filters))], maps, self.names, **(drawn | kw))

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
        ValueError
            For other bits, and for a map with NaN or infinity in 16.
        """
        from convlens.pngs import save_drawn, save_values

        if bits not in (8, 16):
            raise ValueError(f"bits={bits!r} was given; expected 16 for the values, or 8 for the map as drawn.")
        index, stage = self._checked(i), check_stage(self.stage)
        if bits == 16:
            save_values(self._map(index, stage), path, self.names[index])
        elif self.value_range == "shared":
            maps = self._session.engine.stack(stage)
            save_drawn(maps[index], path, self.cmap, limits(maps, "shared")[index])
        else:
            values = self._map(index, stage)
            save_drawn(values, path, self.cmap, limits([values], self.value_range)[0])

    def to_code(self, framework: str = "keras") -> str:
        """Write a Python program that computes and draws what the lens shows.

        Parameters
        ----------
        framework
            "keras" builds the layer and sets its weights; "numpy" does its arithmetic.

        Returns
        -------
        str
            Source that runs as it is and leaves the maps in ``activations``, ``(filters, rows, cols)``.
        """
        from convlens.codegen import to_code

        session = self._session
        conv = session.engine.layer
        return to_code(
            framework,
            image=session.image if session.plan.feeds_image else Image(conv.input),
            geometry=conv.geometry,
            kernels=session.filters.kernels,
            bias=self.bias,
            names=self.names,
            pointwise=session.filters.pointwise,
            cmap=self.cmap,
            value_range=self.value_range,
            stage=check_stage(self.stage),
        )

    def save_html(self, path: str | os.PathLike[str]) -> None:
        """Save the lens as one page that needs neither a kernel nor a network, and can still be edited.

        Its maps are the browser's own predictions, and say so.
        """
        from convlens.export import to_html

        state = {name: getattr(self, name) for name in (*_SHOWN, "_state", "_image", "_cmaps", "_presets", "_layers")}
        filters = {
            "_filters": self._courier.table(self._session.filters.uids),
            "_status": self._courier.status(),
            "_problem": None,
        }
        pathlib.Path(path).write_text(to_html(state | filters, "convlens: " + ", ".join(self.names)), "utf-8")

    def _map(self, index: int, stage: str) -> Array:
        pre_activation, activation = self._session.maps(index)
        return activation if stage == "activation" else pre_activation

    def _checked(self, i: Any) -> int:
        return self._session.filters.check_index(i)
