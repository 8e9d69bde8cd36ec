"""Activation maps as PNG files: their values in 16 bits, or as they are drawn."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from convlens.output.write_file import replaced

#: What a file is written to: a path, or a file opened for writing bytes.
Target = str | os.PathLike[str] | IO[bytes]

#: The greatest of the 16-bit codes.
TOP = 65535


def save_values(values: NDArray[np.float32], target: Target, title: str = "") -> None:
    """Write a map's values as a 16-bit greyscale PNG.

    Parameters
    ----------
    values
        ``(rows, cols)``, finite.
    target
        Path or binary file.
    title
        Kept in the file's text.

    Raises
    ------
    ValueError
        When the map holds NaN or infinity, which grey levels cannot express.

    Notes
    -----
    ``code = round((value - low) / (high - low) * 65535)`` with the map's least and greatest value as ``low`` and
    ``high``, so ``low + code / 65535 * (high - low)`` is the value again, to half a step. The file's text chunks
    ``low`` and ``high`` (PNG specification, 11.3.4.3, tEXt) hold the two as decimals that read back exactly; Pillow
    gives them as ``Image.open(path).text``. Where all values of a map are equal, all codes are 0.
    """
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    unusual = int(np.count_nonzero(~np.isfinite(values)))
    if unusual:
        raise ValueError(
            f"The map holds {unusual} value{'s' * (unusual != 1)} that are NaN or infinite, which a grey PNG cannot "
            "hold. Save the array itself, np.save('map.npy', lens.activations[i]), or the map as drawn, with bits=8."
        )
    low, high = float(values.min()), float(values.max())
    span = high - low
    scaled = (values.astype(np.float64) - low) * (TOP / span if span else 0.0)
    text = PngInfo()
    text.add_text("Title", title)
    text.add_text("Description", "Activation map: value = low + code / 65535 * (high - low)")
    text.add_text("low", repr(low))
    text.add_text("high", repr(high))
    image = Image.fromarray(np.rint(scaled).astype(np.uint16))
    with _opened(target) as file:
        image.save(file, format="PNG", pnginfo=text)


def save_drawn(values: NDArray[np.float32], target: Target, cmap: str, limits: tuple[float, float]) -> None:
    """Write a map as it is drawn, a PNG of 8 bits a colour.

    Parameters
    ----------
    values
        ``(rows, cols)``. NaN and what lies outside the limits has the colours that figures give it.
    target
        Path or binary file.
    cmap
        Name of a Matplotlib colour map.
    limits
        ``(low, high)`` that its colours span.
    """
    from matplotlib import colormaps
    from matplotlib.colors import Normalize
    from PIL import Image

    from convlens.output.figure_drawing import EXTREMES

    colors = colormaps[cmap].with_extremes(**EXTREMES)
    low, high = limits
    rgba: NDArray[Any] = colors(Normalize(low, high)(np.where(np.isfinite(values), values, low)), bytes=True)
    outside = {np.nan: np.isnan(values), -1.0: values < low, 2.0: values > high}
    for beyond, mask in outside.items():
        rgba[mask] = colors(beyond, bytes=True)
    image = Image.fromarray(rgba[..., :3].copy())
    with _opened(target) as file:
        image.save(file, format="PNG")


@contextmanager
def _opened(target: Target) -> Iterator[IO[bytes]]:
    """Open a path so that a failure leaves what was there; an open file is written to as it is."""
    if isinstance(target, (str, os.PathLike)):
        with replaced(target) as file:
            yield file
    else:
        yield target
