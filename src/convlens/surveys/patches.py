"""Parts of images, kept as 8-bit pictures, and of signals, kept as numbers: what the pixel that responds most reads."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from convlens.maths.block_means import block_means
from convlens.maths.curve_picture import curve_picture

if TYPE_CHECKING:
    import PIL.Image

Array = npt.NDArray[np.float32]
Window = tuple[tuple[int, int], tuple[int, int]]

#: A longer side than this is averaged down to it, so that what a survey keeps is bounded by top × filters and not by
#: the size of the images.
LONGEST_SIDE = 64
#: Numbers that are kept of a signal; the steps of a longer part are averaged down to them.
MOST_NUMBERS = LONGEST_SIDE * LONGEST_SIDE
#: Rows and columns of a signal's picture, in pixels.
_CURVE = (128, 128)
_SIGNAL = b"\x93NUMPY"


class Patch:
    """A part of an image in 8 bits, or of a signal in float32.

    Parameters
    ----------
    file
        Bytes of a PNG file of one or three channels; of a signal those of a NumPy file, ``(steps, channels)``. Or the
        picture, which is written into such a file when that is asked for: most patches are cut before better ones are
        found, and the file takes ten times what the cutting does.
    low, high
        Values that the codes 0 and 255 stand for; of a signal its least and its greatest value.
    """

    def __init__(self, file: bytes | PIL.Image.Image, low: float, high: float) -> None:
        self._kept = file
        self.low, self.high = low, high

    def __reduce__(self) -> tuple[type[Patch], tuple[bytes, float, float]]:
        """Cross to another process as a file."""
        return Patch, (self.file, self.low, self.high)

    @property
    def file(self) -> bytes:
        """Bytes of the file."""
        if not isinstance(self._kept, bytes):
            file = io.BytesIO()
            self._kept.save(file, "PNG", compress_level=1)
            self._kept = file.getvalue()
        return self._kept

    @classmethod
    def of_signal(cls, signal: Array, window: Window) -> Patch:
        """Cut the window out of a signal ``(1, steps, channels)``; both ends of the window count."""
        _, (first, last) = window
        part = signal[:, first : last + 1]
        steps = max(1, min(part.shape[1], MOST_NUMBERS // part.shape[2]))
        kept = block_means(part, (1, steps))[0]
        finite = kept[np.isfinite(kept)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        file = io.BytesIO()
        np.save(file, np.ascontiguousarray(kept, dtype="<f4"), allow_pickle=False)
        return cls(file.getvalue(), low, high if low < high else low + 1)

    @property
    def signal(self) -> bool:
        """Whether it is a part of a signal."""
        return isinstance(self._kept, bytes) and self._kept.startswith(_SIGNAL)

    def png(self) -> bytes:
        """Return the patch as the bytes of a PNG file; that of a signal draws its curves."""
        import PIL.Image

        if not self.signal:
            return self.file
        file = io.BytesIO()
        drawn = curve_picture(self.values()[0], self.low, self.high, _CURVE)
        PIL.Image.fromarray(drawn).save(file, "PNG", compress_level=1)
        return file.getvalue()

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
        return cls(picture, low, high)

    def values(self) -> Array:
        """Return the patch, ``(rows, cols, channels)``, in the image's own values to 1/255 of the range.

        That of a signal is ``(1, steps, channels)``, in its own values.
        """
        import PIL.Image

        if self.signal:
            numbers: Array = np.load(io.BytesIO(self.file), allow_pickle=False)
            return numbers[np.newaxis]
        if isinstance(self._kept, bytes):
            with PIL.Image.open(io.BytesIO(self._kept)) as picture:
                codes = np.asarray(picture, dtype=np.float32)
        else:
            codes = np.asarray(self._kept, dtype=np.float32)
        codes = codes if codes.ndim == 3 else codes[:, :, None]
        return codes * np.float32((self.high - self.low) / 255) + np.float32(self.low)


def _range(part: Array) -> tuple[float, float]:
    least, most = float(part.min()), float(part.max())
    if least >= 0 and most <= 255:
        return (0.0, 1.0) if most <= 1 else (0.0, 255.0)
    return (least, most) if least < most else (least, least + 1)
