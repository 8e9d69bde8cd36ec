"""The model's output where it is a picture: one channel before and after the edits, and their difference, as maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from convlens.maths.block_means import fitted
from convlens.protocol.record_types import OutputMapsRecord
from convlens.protocol.records import WHOLE_PIXELS, Window, map_record
from convlens.state.filters import Array
from convlens.state.layer_source import LayerSource
from convlens.state.session import Session

if TYPE_CHECKING:
    from convlens.models.conv_model import Predictions


def output_pictures(source: LayerSource, found: Predictions | None) -> tuple[Array, Array] | None:
    """Return the output before and after, ``(rows, cols, channels)`` each; None where it is not a picture."""
    if found is None or found.before is None or found.after is None:
        return None
    before, after = source.as_picture(found.before), source.as_picture(found.after)
    return None if before is None or after is None else (before, after)


def described(session: Session, found: Predictions) -> str | None:
    """Return what an output is that is neither one vector nor a picture, and where to read it; else None."""
    from convlens.models.outputs import not_a_vector

    source = session.source
    return None if output_pictures(source, found) else not_a_vector(found.before, source.outputs)


def output_maps_record(
    pictures: tuple[Array, Array], channel: int, shape: tuple[int, int] | None = None, window: Window | None = None
) -> OutputMapsRecord:
    """Return one channel of the output before and after the edits, and after minus before.

    Parameters
    ----------
    pictures
        As `output_pictures` returns them.
    shape
        Rows and columns of the means that are sent at most; when left out, those of a picture that is sent whole.
    window
        The part of the output that is sent, all of it when left out. Ranges and counts are always those of all.
    """
    before, after = (np.ascontiguousarray(picture[..., channel]) for picture in pictures)
    rows, cols = before.shape
    top, bottom, left, right = window or (0, rows, 0, cols)
    high, wide = bottom - top, right - left
    most = fitted(high, wide, WHOLE_PIXELS) if shape is None else (min(shape[0], high), min(shape[1], wide))
    with np.errstate(invalid="ignore", over="ignore"):
        difference = after - before
    drawn = [map_record(one, one, "activation", None, most, window) for one in (before, after, difference)]
    return {
        "channel": channel,
        "size": [rows, cols],
        "before": drawn[0],
        "after": drawn[1],
        "difference": drawn[2],
    }
