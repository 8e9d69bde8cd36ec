"""A signal as a small picture of its curves, for where a picture is shown: in pixels, without Matplotlib."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

#: Of the channels in turn: those of the widget's curves, each with a contrast of 3 : 1 or more on white and on black.
COLOURS = ((42, 120, 194), (200, 100, 26), (42, 148, 104), (164, 92, 199))
#: Where 0 is: grey, and how much of it.
_ZERO, _OPACITY = (136, 136, 136), 0.6
#: Share of the height above and below the range, and points a pixel is divided into along each axis.
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
    rows, cols = shape
    colour, opacity = np.zeros((rows, cols, 3)), np.zeros((rows, cols, 1))

    def lay(share: npt.NDArray[np.float64], rgb: tuple[int, int, int]) -> None:
        nonlocal colour, opacity
        share = share[..., np.newaxis]
        both = share + opacity * (1 - share)
        colour = np.divide(
            share * rgb + colour * opacity * (1 - share), both, out=np.zeros_like(colour), where=both > 0
        )
        opacity = both

    span = high - low if high > low else 1.0
    if low <= 0 <= high:
        at = round(rows * (1 - _ROOM - (0 - low) / span * (1 - 2 * _ROOM)))
        zero = np.zeros((rows, cols))
        zero[min(max(at, 0), rows - 1)] = _OPACITY
        lay(zero, _ZERO)
    for channel, values in enumerate(np.asarray(signal, np.float64).T):
        unit = np.where(np.isfinite(values), np.clip((values - low) / span, 0, 1), np.nan)
        heights = rows * _FINE * (1 - _ROOM - unit * (1 - 2 * _ROOM))
        lay(_covered(heights, rows, cols, line * _FINE / 2), COLOURS[channel % len(COLOURS)])
    picture: npt.NDArray[np.uint8] = np.rint(np.concatenate([colour, 255 * opacity], axis=-1)).astype(np.uint8)
    return picture


def _covered(heights: npt.NDArray[np.float64], rows: int, cols: int, reach: float) -> npt.NDArray[np.float64]:
    """Return how much of each pixel a line covers whose half is `reach` points wide."""
    tall, wide = rows * _FINE, cols * _FINE
    at = (np.arange(len(heights)) + 0.5) * wide / len(heights)
    edges = np.interp(np.arange(wide + 1), at, heights)
    top, bottom = np.minimum(edges[:-1], edges[1:]), np.maximum(edges[:-1], edges[1:])
    # A spike between two edges is seen as well.
    inside = np.minimum(at.astype(int), wide - 1)
    with np.errstate(invalid="ignore"):
        np.minimum.at(top, inside, heights)
        np.maximum.at(bottom, inside, heights)
    points = np.arange(tall)[:, np.newaxis] + 0.5
    far = int(np.ceil(reach))
    drawn = np.zeros((tall, wide + 2 * far), bool)
    for shift in range(-far, far + 1):
        # The line is a disc that is drawn along it.
        high = np.sqrt(max(reach**2 - shift**2, 0))
        drawn[:, far + shift : far + shift + wide] |= (points >= top - high) & (points <= bottom + high)
    covered = drawn[:, far : far + wide].reshape(rows, _FINE, cols, _FINE)
    found: npt.NDArray[np.float64] = covered.mean(axis=(1, 3))
    return found
