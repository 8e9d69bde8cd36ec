"""Image files and PIL images → an array, and the code that makes the same array of the file."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convlens.arrays import as_array

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


@dataclass
class Draft:
    """An image on its way: the array, and the story of how it came about."""

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


def read_draft(value: Any) -> Draft:
    """Read a path, the bytes of a file, a PIL image or an array, whatever its shape."""
    if value is None:
        raise TypeError("The image is None. Expected a path, the bytes of an image file, a PIL image or an array.")
    if isinstance(value, (str, os.PathLike)):
        return _read_path(value)
    if isinstance(value, (bytes, bytearray)) or (isinstance(value, memoryview) and value.ndim == 1):
        return _read_file(io.BytesIO(value), f"The {len(value)} bytes given as an image")
    if hasattr(value, "getbands") and hasattr(value, "getexif"):
        return _read_picture(value, "The PIL image")
    array = as_array(value, "The image")
    if array.dtype.kind in "iu":
        return Draft(array, float(np.iinfo(array.dtype).max), integers=True)
    # Floats have no maximum of their own; an alpha above 1 shows that these count to 255.
    to_255 = array.dtype.kind == "f" and array.ndim > 2 and array.shape[-1] == 4 and bool(np.any(array[..., 3] > 1))
    return Draft(array, 255.0 if to_255 else 1.0, integers=False)


def _read_path(value: str | os.PathLike[str]) -> Draft:
    path = os.fsdecode(value)
    # os.path, not Path: a path that cannot exist (a URL, a name too long) is missing, not an error of its own.
    if not os.path.exists(path):  # noqa: PTH110
        hint = (
            "Nothing is fetched from the network: download it first and give the file's path."
            if "://" in path
            else f"The working directory is {os.getcwd()}."  # noqa: PTH109
        )
        raise FileNotFoundError(f"There is no image file {path!r}. {hint}")
    if os.path.isdir(path):  # noqa: PTH112
        raise ValueError(f"{path!r} is a directory. Give the path of one image file.")
    draft = _read_file(path, f"The file {path!r}")
    draft.path = path
    return draft


def _read_file(file: str | io.BytesIO, what: str) -> Draft:
    import PIL.Image

    try:
        picture = PIL.Image.open(file)
    except PIL.UnidentifiedImageError as error:
        raise ValueError(f"{what} cannot be read as an image: it is no format that PIL knows.") from error
    except Exception as error:
        raise _broken(what, error) from error
    with picture:
        return _read_picture(picture, what)


def _read_picture(picture: Picture, what: str) -> Draft:
    """Turn a PIL image upright and into 8-bit grey, RGB or RGBA, or 16-bit or float grey."""
    import PIL.ImageOps

    notes, code = [], []
    if getattr(picture, "n_frames", 1) > 1 and picture.format != "MPO":  # phones put a preview after the photograph
        notes.append(f"The first of {picture.n_frames} frames is shown.")  # type: ignore[attr-defined]
    try:
        upright = PIL.ImageOps.exif_transpose(picture)
        if picture.getexif().get(0x0112, 1) != 1:
            notes.append("Turned upright, as its EXIF orientation says.")
        mode = _plain_mode(upright)
        if mode != upright.mode:
            upright = upright.convert(mode)
            code.append(f'picture = picture.convert("{mode}")')
        array = np.asarray(upright)
    except Exception as error:
        raise _broken(what, error) from error
    if mode.startswith("I"):  # PIL opens many 16-bit files as 32-bit integers
        array = array.astype(np.int32)
        if array.min(initial=0) >= 0 and array.max(initial=0) <= 65535:
            return Draft(array, 65535.0, True, to_bytes=257.0, notes=notes, picture_code=code)
        return Draft(array, 2.0**31 - 1, True, notes=notes, picture_code=code)
    return Draft(array, 1.0 if mode == "F" else 255.0, mode != "F", notes=notes, picture_code=code)


def _broken(what: str, error: Exception) -> ValueError:
    # Decoders raise OSError, SyntaxError, struct.error, EOFError and more; to a user all mean the same.
    return ValueError(f"{what} cannot be read as an image: {error}. Is it complete, and may it be read?")


def _plain_mode(picture: Picture) -> str:
    if "transparency" in picture.info or picture.mode in ("LA", "La", "PA", "RGBa"):
        return "RGBA"
    if picture.mode in ("L", "RGB", "RGBA", "F") or picture.mode.startswith("I"):
        return picture.mode
    return "L" if picture.mode == "1" else "RGB"


def code_of(draft: Draft, divisor: float) -> tuple[str, ...]:
    """Return lines that read the file at the draft's path into the same ``image``, divided by `divisor`."""
    grey = "[:, :, None]" if draft.array.shape[-1] == 1 or draft.array_code else ""
    if divisor == 1.0:
        image = f'np.asarray(picture, dtype="float32"){grey}'
    elif divisor <= 65535:
        image = f'np.asarray(picture, dtype="float32"){grey} / {divisor:.0f}'
    else:
        image = f'(np.asarray(picture){grey} / {divisor:.0f}).astype("float32")'
    return (
        f"picture = PIL.ImageOps.exif_transpose(PIL.Image.open({draft.path!r}))",
        *draft.picture_code,
        f"image = {image}",
        *draft.array_code,
    )
