"""Anything a user may call an image → ``(rows, cols, channels)`` float32, or an error that says how to mend it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.arrays import FloatArray, as_float32, frozen
from convlens.pictures import Draft, code_of, read_draft

#: Weights of R, G and B in luminance: ITU-R BT.601, those of PIL's ``convert("L")`` and OpenCV's ``COLOR_BGR2GRAY``.
LUMINANCE = (0.299, 0.587, 0.114)


@dataclass(frozen=True, eq=False)
class Image:
    """An image as a layer, or a model, is fed with it.

    Parameters
    ----------
    values
        ``(rows, cols, channels)`` float32, C-contiguous, read-only.
    byte_scale, bytes_
        Where every value is ``np.float32(byte * byte_scale)``, the product taken in double precision: that scale
        and those uint8 bytes, shaped as `values`. Otherwise both are None.
    notes
        Sentences about what was done to the user's picture.
    code
        Lines of Python that read the same values from the file into a variable ``image``, given ``numpy as np``,
        ``PIL.Image`` and ``PIL.ImageOps``. None where the image did not come from a path.
    """

    values: FloatArray
    byte_scale: float | None = None
    bytes_: NDArray[np.uint8] | None = None
    notes: tuple[str, ...] = ()
    code: tuple[str, ...] | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """``(rows, cols, channels)``."""
        rows, cols, channels = self.values.shape
        return rows, cols, channels


def read_image(value: Any, *, channels: int | None, scale: bool) -> Image:
    """Read an image from whatever a user may have.

    Parameters
    ----------
    value
        A path, the bytes of an image file, a PIL image, or an array or tensor of any library, shaped
        ``(rows, cols)`` or ``(rows, cols, 1 | 3 | 4)``, with or without a leading 1. A three-dimensional array
        that ends in 1, 3 or 4 is read as ``(rows, cols, channels)``, any other that begins with 1 as
        ``(1, rows, cols)``.
    channels
        How many channels the layer takes: colour becomes luminance for 1 (:data:`LUMINANCE`, rounded to 8 bits
        where the colours have 8, as PIL does), grey is repeated for 3. None takes the image as it is, without
        its alpha channel.
    scale
        True divides integers by their type's maximum. False leaves arrays as given; files and PIL images then
        span 0 to 255. Booleans become 0 and 1 and floats stay as they are either way.

    Returns
    -------
    Image
        A copy: `value` is neither kept nor written to.

    Raises
    ------
    FileNotFoundError
        If there is no file at the path.
    ValueError
        If the file is no readable image, or the array's shape is none of the above.
    TypeError
        If `value` is nothing of the above, or does not hold real numbers.
    """
    draft = read_draft(value)
    known = (1, 3, 4) if channels is None else (1, 3, 4, channels)
    draft.array = _rows_cols_channels(draft.array, known)
    have = draft.array.shape[-1]
    want = channels or (3 if have == 4 else have)
    if have != want:
        _match_channels(draft, have, want, chosen=channels is not None)
    return _finish(draft, scale)


def resize(image: Image, rows: int, cols: int) -> Image:
    """Resample an image to ``rows × cols``, bilinear with antialiasing, and note it.

    PIL widens the filter when it shrinks, which is what antialiasing means here; bilinear weights never leave the
    range of the values, as bicubic ones would.
    """
    old_rows, old_cols, _ = image.shape
    if (old_rows, old_cols) == (rows, cols):
        return image
    import PIL.Image

    planes = [
        np.asarray(PIL.Image.fromarray(plane).resize((cols, rows), PIL.Image.Resampling.BILINEAR))
        for plane in np.moveaxis(image.values, -1, 0)
    ]
    note = f"Resized from {old_rows} × {old_cols} to {rows} × {cols} (rows × cols), bilinear with antialiasing"
    note += "." if old_rows * cols == old_cols * rows else "; its proportions changed."
    code = [
        f"image = np.stack([np.asarray(PIL.Image.fromarray(plane).resize(({cols}, {rows}), "
        "PIL.Image.Resampling.BILINEAR))",
        "                  for plane in np.moveaxis(image, -1, 0)], axis=-1)",
    ]
    return replace(
        image,
        values=frozen(np.ascontiguousarray(np.stack(planes, axis=-1), dtype=np.float32)),
        byte_scale=None,
        bytes_=None,
        notes=(*image.notes, note),
        code=None if image.code is None else (*image.code, *code),
    )


# -- shape -----------------------------------------------------------------------------------------------------


def _rows_cols_channels(array: NDArray[Any], known: tuple[int, ...]) -> NDArray[Any]:
    shape = array.shape
    if 0 in shape:
        raise ValueError(f"The image has shape {shape}: it is empty. Expected at least one row and one column.")
    if array.ndim == 2:
        return array[:, :, None]
    if array.ndim == 3 and shape[-1] in known:
        return array
    if array.ndim == 3 and shape[0] == 1:
        return np.moveaxis(array, 0, -1)
    if array.ndim == 4 and shape[0] == 1 and shape[-1] in known:
        return np.squeeze(array, axis=0)
    hint = ""
    if array.ndim == 4 and shape[0] > 1:
        hint = f" This is a batch of {shape[0]}: give one of them, image[0]."
    elif array.ndim in (3, 4) and shape[-3] in known and shape[-3] < min(shape[-2:]):
        hint = f" If the {shape[-3]} comes first as channels, put it last: np.moveaxis(image, {array.ndim - 3}, -1)."
    elif array.ndim in (3, 4):
        hint = f" {shape[-1]} channels are not a picture: choose some, e.g. image[..., :1] or image[..., :3]."
    elif array.ndim == 1:
        hint = " Give its rows a length: image.reshape(rows, cols)."
    elif array.ndim > 4:
        hint = " Take one frame of it."
    kinds = " | ".join(str(n) for n in sorted(set(known)))
    raise ValueError(
        f"The image has shape {shape}; expected (rows, cols) or (rows, cols, {kinds}), with or without a leading 1."
        + hint
    )


# -- channels --------------------------------------------------------------------------------------------------


def _match_channels(draft: Draft, have: int, want: int, *, chosen: bool) -> None:
    if (have, want) not in {(4, 3), (4, 1), (3, 1), (1, 3)}:
        raise ValueError(
            f"The image has {have} channel{'s' * (have > 1)}, shape {draft.array.shape}; the layer takes {want}. "
            f"Give an array of shape (rows, cols, {want})."
        )
    if draft.array.dtype == np.uint8:
        _match_8_bits(draft, have, want)
    else:
        _match_numbers(draft, have, want)
    weights = "0.299 R + 0.587 G + 0.114 B"
    if have == 1:
        draft.notes.append("Grey image repeated in three channels, because the layer takes three.")
    elif want == 1 and chosen:
        draft.notes.append(f"Colour image turned to luminance ({weights}), because the layer takes one channel.")


def _match_8_bits(draft: Draft, have: int, want: int) -> None:
    """Let PIL convert 8-bit pictures, so that they equal its ``convert("L")`` to the bit."""
    import PIL.Image

    picture = PIL.Image.fromarray(draft.array[:, :, 0] if have == 1 else draft.array)
    if have == 4 and draft.array[:, :, 3].min() < 255:
        white = PIL.Image.new("RGBA", picture.size, "white")
        picture = PIL.Image.alpha_composite(white, picture)
        draft.notes.append(_ALPHA_NOTE)
        draft.picture_code.append(
            'picture = PIL.Image.alpha_composite(PIL.Image.new("RGBA", picture.size, "white"), picture)'
        )
    mode = "L" if want == 1 else "RGB"
    picture = picture.convert(mode)
    draft.picture_code.append(f'picture = picture.convert("{mode}")')
    draft.array = np.asarray(picture).reshape(*draft.array.shape[:2], want)


def _match_numbers(draft: Draft, have: int, want: int) -> None:
    array = draft.array
    if have == 1:
        draft.array = np.repeat(array, want, axis=-1)
        draft.array_code.append(f"image = np.repeat(image, {want}, axis=-1)")
        return
    colours = array[:, :, :3].astype(np.float64)
    if have == 4:
        opacity = array[:, :, 3:].astype(np.float64) / draft.full
        if np.any(opacity < 1):
            # White, as on paper, in a browser and in Matplotlib: transparent pixels are often black underneath.
            colours = colours * opacity + draft.full * (1 - opacity)
            draft.notes.append(_ALPHA_NOTE)
    draft.array = colours if want == 3 else colours @ np.array(LUMINANCE)[:, None]


_ALPHA_NOTE = "Transparent parts blended over white."


# -- values ----------------------------------------------------------------------------------------------------


def _finish(draft: Draft, scale: bool) -> Image:
    array = draft.array
    divisor = draft.to_bytes
    if scale:
        divisor = draft.full if draft.integers else 1.0
    if (
        scale
        and draft.integers
        and draft.full > 65535
        and draft.path is None
        and array.min() >= 0
        and array.max() <= 255
    ):
        draft.notes.append(
            f"Integers were divided by their type's maximum, {draft.full:.0f}, but the greatest is {array.max():g}; "
            'image.astype("uint8") makes 255 the maximum.'
        )
    if divisor == 1.0:
        values = as_float32(array, "The image")
    else:
        # For up to 16 bits, one float32 division rounds as a float64 division that is then rounded.
        precise = np.float32 if array.dtype.kind in "iu" and draft.full <= 65535 else np.float64
        values = as_float32(np.divide(array, divisor, dtype=precise), "The image")
    byte_scale, bytes_ = _as_bytes(array, divisor, values)
    return Image(
        values=frozen(values),
        byte_scale=byte_scale,
        bytes_=bytes_,
        notes=tuple(draft.notes),
        code=None if draft.path is None else code_of(draft, divisor),
    )


def _as_bytes(array: NDArray[Any], divisor: float, values: FloatArray) -> tuple[float | None, NDArray[np.uint8] | None]:
    """Find uint8 bytes that `values` are multiples of: the user's own, or those of a picture scaled beforehand."""
    if array.dtype == np.uint8:
        bytes_ = np.array(array, order="C")
        bytes_.setflags(write=False)
        return 1 / divisor, bytes_
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= 255):  # false for NaN as well
        return None, None
    for scale in (1 / 255, 1.0):
        if high > 255 * scale:
            continue
        bytes_ = np.rint(values / np.float32(scale)).astype(np.uint8)
        if np.array_equal((np.arange(256) * scale).astype(np.float32)[bytes_], values):
            bytes_.setflags(write=False)
            return scale, bytes_
    return None, None
