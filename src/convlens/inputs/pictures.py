"""A PIL image → an array of its pixels, upright and of the depth that its file has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Exif
    from PIL.Image import Image as Picture

_BITS_PER_SAMPLE, _PLANES, _SAMPLE_FORMAT, _ORIENTATION = 258, 284, 339, 0x0112


@dataclass
class Draft:
    """An image while it is read: the array, and how it was made."""

    array: NDArray[Any]
    #: What full intensity (white, opaque) is in the array's own units: 255 for uint8, 1 for most floats.
    full: float
    #: Whether `full` is to be divided out when integers are scaled.
    integers: bool
    #: Divisor that brings the values of a file to 0...255.
    to_bytes: float = 1.0
    notes: list[str] = field(default_factory=list)
    #: Code that works on the PIL ``picture``, and code that works on the array ``image`` made of it.
    picture_code: list[str] = field(default_factory=list)
    array_code: list[str] = field(default_factory=list)
    path: str | None = None
    #: Expression of the pixels as an array, where the user's value is called ``image``; None where there is none.
    expression: str | None = None
    #: Whether PIL, followed by that code, reads the same.
    plain: bool = True


def read_picture(picture: Picture, what: str) -> Draft:
    """Turn a PIL image upright and into grey, RGB or RGBA of 8 or 16 bits, or grey of 32 bits or floats.

    Raises
    ------
    ValueError
        If it cannot be decoded.
    """
    try:
        return _read(picture)
    except Exception as error:
        raise unreadable(what, error) from error


def unreadable(what: str, error: Exception) -> ValueError:
    """Return the error for a picture that a decoder failed to decode."""
    # Decoders raise OSError, SyntaxError, struct.error, EOFError and more; to a user all mean the same.
    return ValueError(
        f"{what} cannot be read as an image: {error}. It may be incomplete: save or download it once more."
    )


def _read(picture: Picture) -> Draft:
    import PIL.ImageOps

    notes, code = [], []
    deep, lossy = _read_16_bit_colour(picture), _keeps_8_of_16_bits(picture)
    if getattr(picture, "n_frames", 1) > 1 and picture.format != "MPO":  # phones put a preview after the photograph
        notes.append(f"The first of {picture.n_frames} frames is shown.")  # type: ignore[attr-defined]
    # PIL decodes a PNG to find its EXIF data, and then forgets how it was stored: that of 16 bits stays as it is.
    exif = picture.getexif() if deep is None else deep[1]
    if exif.get(_ORIENTATION, 1) != 1:
        notes.append("Turned upright, as its EXIF orientation says.")
    if deep is not None:
        return Draft(deep[0], 65535.0, True, to_bytes=257.0, notes=notes, plain=False)
    if lossy:
        notes.append(
            f"This {picture.format} file has more than 8 bits a colour, but PIL reads only 8. To keep them all, save "
            "it as a 16-bit PNG, or give the lens an array."
        )
    full = _full_intensity(picture)
    upright = PIL.ImageOps.exif_transpose(picture)
    if full is not None:
        array = np.asarray(upright)
        array, plain = _as_its_file_says(array, full, upright.mode)
        transparent = upright.info.get("transparency")
        if isinstance(transparent, int) and full == 65535:
            alpha = np.where(array == transparent, 0, 65535)
            array, plain = np.stack([array, array, array, alpha], axis=-1), False
        return Draft(array, full, True, to_bytes=full / 255, notes=notes, plain=plain)
    mode = _plain_mode(upright)
    if mode != upright.mode:
        upright = upright.convert(mode)
        code.append(f'picture = picture.convert("{mode}")')
    array = np.asarray(upright)
    return Draft(array, 1.0 if mode == "F" else 255.0, mode != "F", notes=notes, picture_code=code)


def _plain_mode(picture: Picture) -> str:
    if "transparency" in picture.info or picture.mode in ("LA", "La", "PA", "RGBa"):
        return "RGBA"
    if picture.mode in ("L", "RGB", "RGBA", "F"):
        return picture.mode
    return "L" if picture.mode == "1" else "RGB"


# -- more than 8 bits ------------------------------------------------------------------------------------------


def _full_intensity(picture: Picture) -> float | None:
    """Return the greatest integer that a pixel of the file can hold; None where that is 255, and for floats."""
    signed = _tag(picture, _SAMPLE_FORMAT, 1) == 2
    if picture.mode == "L" and signed:
        return 127.0
    if not picture.mode.startswith("I"):
        return None
    bits = _tag(picture, _BITS_PER_SAMPLE, 0)
    if bits:
        return 2.0 ** (bits - signed) - 1
    if picture.mode != "I" or picture.format is not None:
        return 65535.0  # PIL opens no other format that has more; older versions open them as mode "I"
    array = np.asarray(picture)
    return 65535.0 if array.min(initial=0) >= 0 and array.max(initial=0) <= 65535 else 2.0**31 - 1


def _as_its_file_says(array: NDArray[Any], full: float, mode: str) -> tuple[NDArray[Any], bool]:
    """Return the pixels with the sign that the file gives them, and whether PIL already has them like that."""
    if mode == "L":
        return array.view(np.int8), False
    if full == 2.0**32 - 1:
        return array.view(np.uint32), False
    # Not int32 for 16 bits: its quotients are rounded twice.
    return (array.astype(np.int32) if mode == "I" else array), True


def _read_16_bit_colour(picture: Picture) -> tuple[NDArray[Any], Exif] | None:
    """Return ``(rows, cols, 3 | 4)`` uint16 of a PNG or TIFF file with 16 bits a colour, and its EXIF data, else None.

    PIL has no mode for them and decodes the upper byte of each number. Told that the bytes come in the other order, it
    decodes the lower one.
    """
    import PIL.Image
    import PIL.ImageOps

    pieces = getattr(picture, "tile", None) or []
    if picture.mode not in ("RGB", "RGBA") or not pieces:
        return None
    raw = _raw_mode(pieces[0])
    native = _tag(picture, _BITS_PER_SAMPLE, 0) == 16
    if native and _tag(picture, _PLANES, 1) == 2:
        raise ValueError("its 16-bit colours are stored in separate planes, which PIL does not read; tifffile does")
    if raw[:-1] not in ("RGB;16", "RGBA;16", "LA;16") or raw[-1] not in "BLN":
        return None
    transparent = picture.info.get("transparency")
    file = picture.fp  # type: ignore[attr-defined]
    halves = []
    grey = raw.startswith("LA")
    for order in ("B",) if grey else ("B", "L"):
        file.seek(0)
        again: Any = PIL.Image.open(file, formats=[str(picture.format)])
        # Four bytes a pixel whichever way: two of grey, two of alpha.
        again.tile = [_with_raw_mode(piece, "RGBA" if grey else raw[:-1] + order) for piece in again.tile]
        again.load()
        again.info.pop("transparency", None)
        exif = again.getexif()
        halves.append(np.asarray(PIL.ImageOps.exif_transpose(again)).astype(np.uint16))
    if grey:
        value, alpha = halves[0][..., 0] * 256 + halves[0][..., 1], halves[0][..., 2] * 256 + halves[0][..., 3]
        return np.stack([value, value, value, alpha], axis=-1), exif
    upper, lower = halves if _big_endian(picture, raw) else halves[::-1]
    colours = upper * 256 + lower
    if colours.shape[-1] == 3 and isinstance(transparent, tuple):
        opaque = np.any(colours != np.array(transparent, np.uint16), axis=-1)
        colours = np.dstack([colours, np.where(opaque, 65535, 0).astype(np.uint16)])
    return colours, exif


def _big_endian(picture: Picture, raw: str) -> bool:
    import sys

    # "N" is what libtiff passes on: numbers of this machine.
    return raw[-1] == "B" or (raw[-1] == "N" and sys.byteorder == "big")


def _keeps_8_of_16_bits(picture: Picture) -> bool:
    pieces = getattr(picture, "tile", None) or []
    if picture.mode not in ("RGB", "RGBA", "CMYK") or not pieces:
        return False
    arguments = pieces[0][3]
    deep_ppm = picture.format == "PPM" and isinstance(arguments, tuple) and arguments[-1] > 255
    return deep_ppm or ";16" in _raw_mode(pieces[0]) or _tag(picture, _BITS_PER_SAMPLE, 8) > 8


def _raw_mode(piece: Any) -> str:
    arguments = piece[3]
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""


def _with_raw_mode(piece: Any, raw: str) -> Any:
    arguments = raw if isinstance(piece[3], str) else (raw, *piece[3][1:])
    if hasattr(piece, "_replace"):
        return piece._replace(args=arguments)
    return (*piece[:3], arguments)  # before Pillow 11


def _tag(picture: Picture, number: int, default: int) -> int:
    """Return the first value of a TIFF tag."""
    value = getattr(picture, "tag_v2", {}).get(number, default)
    return int(value[0] if isinstance(value, tuple) else value)
