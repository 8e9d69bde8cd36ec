"""The picture that a lens on a model starts from where none is given: a zone plate of the model's size."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from convlens.inputs.images import Image


class NotGiven:
    """Stands for an image that was not given, since None is what readers return when they find no file."""

    def __repr__(self) -> str:
        """Show as in a signature."""
        return "<not given>"


NOT_GIVEN: Final = NotGiven()

NOTE = (
    "No image was given: this is a zone plate of the size that the model takes, ½ + ½ cos(π r² / n) with r the "
    "distance from the middle and n the longer side. Give the model an image with lens.image = ..."
)


def zone_plate(rows: int, cols: int, channels: int) -> npt.NDArray[np.float32]:
    """Return ``(rows, cols, channels)`` with every direction, and every frequency up to half a cycle a pixel.

    ``½ + ½ cos(π r² / n)``, alike in all channels. `n` is the longer side; `r` pixels from the middle the frequency is
    ``r / n`` cycles a pixel.
    """
    y, x = (np.arange(side) - (side - 1) / 2 for side in (rows, cols))
    plate = 0.5 + 0.5 * np.cos(np.pi * (y[:, np.newaxis] ** 2 + x**2) / max(rows, cols))
    return np.repeat(plate[..., np.newaxis], channels, axis=2).astype(np.float32)


def noted(image: Image) -> Image:
    """Return the image with the sentence that says what it is."""
    return replace(image, notes=(NOTE, *image.notes))
