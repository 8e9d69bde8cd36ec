"""Parts of images, kept as 8-bit pictures, and of signals, kept as numbers: what the pixel that responds most reads."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.maths.block_means import block_means
from convlens.maths.curve_picture import curve_picture

Array = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint8]
Window = tuple[tuple[int, int], tuple[int, int]]

#: A longer side than this is averaged down to it, so that what a survey keeps is bounded by top × filters and not by
#: the size of the images.
LONGEST_SIDE = 64
#: Bytes of an image that its patches may share, rather than have copies of parts that overlap. Four large patches.
_SHARED = 4 * 3 * LONGEST_SIDE * LONGEST_SIDE
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
        codes, ``(rows, cols)`` or ``(rows, cols, 3)``, which are written into such a file when that is asked for: most
        patches are cut before better ones are found, and the file takes a hundred times what the cutting does.
    low, high
        Values that the codes 0 and 255 stand for; of a signal its least and its greatest value.
    window
        Which part of the codes the patch is, where they are those of a whole image.
    """

    def __init__(self, file: bytes | Codes, low: float, high: float, window: Window | None = None) -> None:
        self._kept, self._window = file, window
        self.low, self.high = low, high

    def __reduce__(self) -> tuple[type[Patch], tuple[Any, ...]]:
        """Cross to another process; patches that are parts of one image bring it once."""
        return Patch, (self._kept, self.low, self.high, self._window)

    def _small(self) -> bytes | Codes:
        """Make the patch as small as it is kept, and let go of the image that it is a part of."""
        if not isinstance(self._kept, bytes) and self._window is not None:
            (top, bottom), (left, right) = self._window
            self._kept, self._window = _small(self._kept[top : bottom + 1, left : right + 1]), None
        return self._kept

    @property
    def file(self) -> bytes:
        """Bytes of the file."""
        kept = self._small()
        if not isinstance(kept, bytes):
            import PIL.Image

            file = io.BytesIO()
            PIL.Image.fromarray(kept).save(file, "PNG", compress_level=1)
            self._kept = kept = file.getvalue()
        return kept

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
        (top, bottom), (left, right) = window
        part = image[top : bottom + 1, left : right + 1]
        if part.shape[2] not in (1, 3):
            part = part.mean(axis=2, keepdims=True)
        part = np.where(np.isfinite(part), part, 0)
        low, high = _range(part)
        return cls(_small(_codes(part, low, high)), low, high)

    def values(self) -> Array:
        """Return the patch, ``(rows, cols, channels)``, in the image's own values to 1/255 of the range.

        That of a signal is ``(1, steps, channels)``, in its own values.
        """
        import PIL.Image

        if self.signal:
            numbers: Array = np.load(io.BytesIO(self.file), allow_pickle=False)
            return numbers[np.newaxis]
        kept: Any = self._small()
        if isinstance(kept, bytes):
            kept = PIL.Image.open(io.BytesIO(kept))
        codes = np.asarray(kept, dtype=np.float32)
        codes = codes if codes.ndim == 3 else codes[:, :, None]
        return codes * np.float32((self.high - self.low) / 255) + np.float32(self.low)


def _range(part: Array) -> tuple[float, float]:
    least, most = float(part.min()), float(part.max())
    if least >= 0 and most <= 255:
        return (0.0, 1.0) if most <= 1 else (0.0, 255.0)
    return (least, most) if least < most else (least, least + 1)


def _codes(part: Array, low: float, high: float) -> Codes:
    codes = np.rint((part - low) * (255 / (high - low))).astype(np.uint8)
    one: Codes = codes[:, :, 0]
    return one if codes.shape[2] == 1 else codes


def _small(codes: Codes) -> Codes:
    """Return codes of which no side is longer than is kept, and which share no memory with a whole image."""
    if max(codes.shape[:2]) <= LONGEST_SIDE:
        return codes.copy()
    import PIL.Image

    picture = PIL.Image.fromarray(np.ascontiguousarray(codes))
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), PIL.Image.Resampling.BOX, reducing_gap=None)
    return np.array(picture)


class Cutter:
    """Cuts windows out of images, each window once: deep layers' filters all read the same few of an image.

    Parameters
    ----------
    images
        ``(rows, cols, channels)`` each.
    signal
        Whether they are signals.
    """

    def __init__(self, images: Sequence[Array], *, signal: bool) -> None:
        self._images, self._signal = images, signal
        self._made: dict[int, Patch] = {}
        self._of_bytes: dict[int, Codes | None] = {}
        self._sides = tuple(max(image.shape[axis] for image in images) for axis in (0, 1))

    def cut(self, positions: npt.NDArray[np.intp], windows: npt.NDArray[np.int32]) -> npt.NDArray[Any]:
        """Return patches, ``(n,)``, of the images at positions and windows ``(n, 4)``, each a `Window` in a row."""
        (rows, cols), keys = self._sides, positions.astype(np.int64)
        if len(self._images) * (rows * cols) ** 2 < 2**63:
            for side, ends in zip((rows, rows, cols, cols), windows.T, strict=True):
                keys = keys * side + ends
            every, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        else:
            first = inverse = np.arange(len(keys))
            every = first - len(keys) - len(self._made)
        patches = np.empty(len(every), object)
        for i, (key, at) in enumerate(zip(every.tolist(), first.tolist(), strict=True)):
            patch = self._made.get(key)
            if patch is None:
                patch = self._made[key] = self._one(int(positions[at]), windows[at].tolist())
            patches[i] = patch
        return patches[inverse]

    def _one(self, position: int, window: list[int]) -> Patch:
        top, bottom, left, right = window
        whole = ((top, bottom), (left, right))
        if self._signal:
            return Patch.of_signal(self._images[position], whole)
        if position not in self._of_bytes:
            self._of_bytes[position] = _of_bytes(self._images[position])
        codes = self._of_bytes[position]
        if codes is not None:
            part = codes[top : bottom + 1, left : right + 1]
            # A code of 2 is a value above 1: the scale is that of bytes. One is quickly looked at.
            if part.item(0) > 1 or part.max() > 1:
                shared = codes.nbytes <= _SHARED
                return Patch(codes, 0.0, 255.0, whole) if shared else Patch(_small(part), 0.0, 255.0)
        return Patch.of(self._images[position], whole)


def _of_bytes(image: Array) -> Codes | None:
    """Return an image's codes where its values are those of bytes, so that those of a part are part of them."""
    if image.shape[2] not in (1, 3) or not (image.min() >= 0 and image.max() <= 255):
        return None
    return _codes(image, 0.0, 255.0)
