"""The methods that ask what a lens's filters do, and what its model's output rests on; they change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.state import exports, interpreted
from convlens.widget.base import LensBase

if TYPE_CHECKING:
    from convlens.interpretation.maximize import Callback, Maximized
    from convlens.maths.diagnostics import Diagnostics
    from convlens.maths.explanation import Explanation


class AnalysisMethods(LensBase):
    """Explanations, diagnostics and interpretations, each of the session behind the lens."""

    def explain(self, i: int, row: int, col: int | None = None) -> Explanation:
        """Take one output pixel apart: the patch that filter `i` reads, tap by tap.

        Parameters
        ----------
        i
            Index of the filter.
        row, col
            The pixel in the activation map. A layer over signals has steps: ``explain(i, step)``.

        Returns
        -------
        Explanation
            Its products and bias add up to the pre-activation that Keras computed. Its receptive field is that in the
            image, through all layers of a model before this one.

        Raises
        ------
        IndexError
            When there is no filter `i`, or no such pixel in its map.
        TypeError
            When one of them is not a whole number.
        ValueError
            For a layer whose sums cannot be taken apart, with the reason.
        """
        return exports.explain(self._open, i, row, col)

    def diagnose(self, i: int) -> Diagnostics:
        """Find out what the kernel of filter `i` does: gain, norm, symmetry, separability, frequency response.

        Parameters
        ----------
        i
            Index of the filter; negative ones count from the end.

        Returns
        -------
        Diagnostics
            The same numbers as the tab *Kernel*.

        Raises
        ------
        IndexError
            When there is no filter `i`.
        """
        from convlens.maths.diagnostics import diagnose

        filters = self._open.filters
        return diagnose(filters.kernel_at(filters.check_index(i)))

    def maximize(
        self,
        i: int,
        *,
        steps: int = 256,
        start: Any = "noise",
        seed: int = 0,
        pixel: tuple[int, int] | int | None = None,
        value_range: Any = None,
        smoothness: float = 0.1,
        callback: Callback | None = None,
    ) -> Maximized:
        """Find the image, or the signal, that excites filter `i` most, through the weights that the lens holds.

        Parameters
        ----------
        i
            Index of the filter.
        start
            ``"noise"``, ``"image"`` for the lens's own, or another image.
        steps, seed, pixel, smoothness, callback
            As for `convlens.maximize`.
        value_range
            ``(low, high)`` of what the model is fed; from black to white, preprocessed, when left out, and of a signal
            its least and greatest value.

        Returns
        -------
        Maximized
            Its image is what the model is fed, after `preprocess`.

        Raises
        ------
        IndexError
            When there is no filter `i`, or no such pixel in its map.
        ValueError, TypeError
            For a start, range or number of steps that cannot be used; the text says what can.
        """
        return interpreted.maximize_filter(
            self._open,
            self._open.filters.check_index(i),
            steps=steps,
            start=start,
            seed=seed,
            pixel=pixel,
            value_range=value_range,
            smoothness=smoothness,
            callback=callback,
        )

    def attribution(
        self,
        target: int | None = None,
        method: str = "gradcam",
        output: int | str | None = None,
        *,
        edited: bool = True,
    ) -> npt.NDArray[np.float32]:
        """Return what in the image the model's output rests on, at the open layer: ``(rows, cols)`` float32.

        Of a signal ``(steps,)``. Of a latent vector ``(numbers,)``: how much the output changes with each, by the
        methods of gradients.

        Parameters
        ----------
        target
            Class, or channel of an output that is a map; that of the greatest score when left out. A score is what a
            final softmax or sigmoid takes.
        method
            ``"gradcam"``, ``"gradcam++"``, ``"gradients"``, ``"smoothgrad"`` or ``"ablation"``; see
            `convlens.interpretation.attribution.Attribution.map` for their sources. Maps of the layer's size are
            enlarged to the image's, bilinear.
        output
            Name or position among several outputs.
        edited
            Whether to run with the weights that the lens holds, or with the model's own.

        Returns
        -------
        numpy.ndarray
            ``(rows, cols)`` float32; of a signal ``(steps,)``.

        Raises
        ------
        ValueError
            Without a model, and for a target, method or output that does not exist.
        """
        return interpreted.attribution(self._open, target, method, output, edited=edited)

    def ablation(
        self, target: int | None = None, output: int | str | None = None, *, edited: bool = True
    ) -> list[tuple[int, float]]:
        """Return ``(filter, loss)`` for every filter, the greatest loss first: what the score loses without its map.

        Parameters
        ----------
        target, output, edited
            As for `attribution`.

        Returns
        -------
        list of (int, float)
            Index of the filter, and the score less the score with zeros in the place of its map.

        Raises
        ------
        ValueError
            Without a model, and for a target or output that does not exist.
        """
        return interpreted.filter_losses(self._open, target, output, edited=edited)

    @property
    def gradients(self) -> interpreted.LayerGradients:
        """Derivatives of the model's greatest score with respect to the kernels, the bias and the maps."""
        return interpreted.gradients(self._open)
