"""A signal as a small picture of its curves, for where a picture is shown: in pixels, without Matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import PIL.ImageDraw

Array = npt.NDArray[np.float32]

#: Of the channels in turn: those of the widget's curves, each with a contrast of 3 : 1 or more on white and on black.
COLOURS = ((42, 120, 194), (200, 100, 26), (42, 148, 104), (164, 92, 199))
#: The line at 0: grey, with its opacity.
_ZERO = (136, 136, 136, 153)
#: Share of the height above and below the range, and points that a pixel is averaged from along each axis.
_ROOM, _FINE = 0.06, 3


def curve_picture(
    signal: Array, low: float, high: float, shape: tuple[int, int], line: float = 3.0
) -> npt.NDArray[np.uint8]:
    """Draw a line through the values of each channel.

    Parameters
    ----------
    signal
        ``(steps, channels)``. At a value that is not finite the line is broken; what lies outside the range stands at
        its end.
    low, high
        What the height spans.
    shape
        Rows and columns of the picture.
    line
        Width of the lines, in pixels.

    Returns
    -------
    numpy.ndarray
        ``(rows, cols, 4)``: red, green, blue and opacity; transparent beside the lines.
    """
    import PIL.Image
    import PIL.ImageDraw

    rows, cols = shape
    span = high - low if high > low else 1.0

    def height(values: npt.NDArray[np.float64] | float) -> npt.NDArray[np.float64]:
        return rows * (1 - _ROOM - np.clip((values - low) / span, 0, 1) * (1 - 2 * _ROOM))

    picture = PIL.Image.new("RGBA", (cols, rows))
    if low <= 0 <= high:
        at = min(round(float(height(0.0))), rows - 1)
        PIL.ImageDraw.Draw(picture).line([(0, at), (cols - 1, at)], fill=_ZERO)
    across = (np.arange(len(signal)) + 0.5) * cols / len(signal)
    for channel, values in enumerate(np.asarray(signal, np.float64).T):
        # Pillow's lines have hard edges, so they are drawn larger and averaged.
        large = PIL.Image.new("L", (cols * _FINE, rows * _FINE))
        draw = PIL.ImageDraw.Draw(large)
        points = np.stack([across, height(values)], axis=-1) * _FINE
        finite = np.isfinite(values)
        for run in np.split(np.arange(len(values)), np.flatnonzero(np.diff(finite)) + 1):
            if finite[run[0]]:
                _draw_run(draw, points[run], line * _FINE)
        curve = PIL.Image.new("RGBA", (cols, rows), COLOURS[channel % len(COLOURS)])
        curve.putalpha(large.reduce(_FINE))
        picture.alpha_composite(curve)
    return np.asarray(picture)


def _draw_run(draw: PIL.ImageDraw.ImageDraw, points: npt.NDArray[np.float64], width: float) -> None:
    """Draw a line through points, with round ends; a single point is a dot."""
    flat = [(float(x), float(y)) for x, y in points]
    draw.line(flat, fill=255, width=round(width), joint="curve")
    for x, y in (flat[0], flat[-1]):
        draw.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=255)
