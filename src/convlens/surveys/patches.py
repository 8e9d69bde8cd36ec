"""Parts of images, kept as 8-bit pictures: what the pixel that responds most reads."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Window = tuple[tuple[int, int], tuple[int, int]]

#: A longer side than this is averaged down to it, so that what a survey keeps is bounded by top × filters and not by
#: the size of the images.
LONGEST_SIDE = 64


@dataclass(frozen=True)
class Patch:
    """A part of an image in 8 bits.

    Parameters
    ----------
    png
        Bytes of a PNG file of one or three channels.
    low, high
        Values that the codes 0 and 255 stand for.
    """

    png: bytes
    low: float
    high: float

    @classmethod
    def of(cls, image: Array, window: Window) -> Patch:
        """Cut the window out of an image ``(rows, cols, channels)``; both ends of the window count.

        Values within 0 to 1 or 0 to 255 are kept on that scale, whole numbers from 0 to 255 exactly; others on the
        patch's own range. More or fewer channels than 1 or 3 become their mean.
        """
        import PIL.Image

        (top, bottom), (left, right) = window
        part = image[top : bottom + 1, left : right + 1]
        if part.shape[2] not in (1, 3):
            part = part.mean(axis=2, keepdims=True)
        part = np.where(np.isfinite(part), part, 0)
        low, high = _range(part)
        codes = np.rint((part - low) * (255 / (high - low))).astype(np.uint8)
        picture = PIL.Image.fromarray(codes[:, :, 0] if codes.shape[2] == 1 else codes)
        if max(picture.size) > LONGEST_SIDE:
            picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), PIL.Image.Resampling.BOX, reducing_gap=None)
        file = io.BytesIO()
        picture.save(file, "PNG", compress_level=1)
        return cls(file.getvalue(), low, high)

    def values(self) -> Array:
        """Return the patch, ``(rows, cols, channels)``, in the image's own values to 1/255 of the range."""
        import PIL.Image

        with PIL.Image.open(io.BytesIO(self.png)) as picture:
            codes = np.asarray(picture, dtype=np.float32)
        codes = codes if codes.ndim == 3 else codes[:, :, None]
        return codes * np.float32((self.high - self.low) / 255) + np.float32(self.low)


def _range(part: Array) -> tuple[float, float]:
    least, most = float(part.min()), float(part.max())
    if least >= 0 and most <= 255:
        return (0.0, 1.0) if most <= 1 else (0.0, 255.0)
    return (least, most) if least < most else (least, least + 1)
