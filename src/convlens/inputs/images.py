"""Anything a user may call an image → ``(rows, cols, channels)`` float32, or an error that says how to mend it."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlens.inputs.image_containers import refuse_container, shape_of
from convlens.inputs.image_files import FORMATS, code_of, open_path, open_picture, read_stream
from convlens.inputs.image_shapes import check_shape, rows_cols_channels
from convlens.inputs.image_values import scaled
from convlens.inputs.pictures import Draft, read_picture
from convlens.maths.arrays import FloatArray, as_array, frozen
from convlens.maths.block_means import block_means
from convlens.maths.limits import check_pixels
from convlens.maths.one_row import signal_shown

if TYPE_CHECKING:
    from PIL import Image as PILImage


class Stream(Protocol):
    """An open file, or whatever else bytes are read from."""

    def read(self, size: int = ..., /) -> bytes:
        """Return at most this many bytes, or all."""


class Upload(Protocol):
    """What holds an uploaded file in its `value`, as ipywidgets' ``FileUpload``."""

    value: Any


#: What is read as an image: a path, the bytes of a file, an open file, a PIL image, an array or tensor, an upload.
ImageLike: TypeAlias = "str | os.PathLike[str] | bytes | Stream | PILImage.Image | ArrayLike | Upload"

#: Weights of R, G and B in luminance: ITU-R BT.601, those of PIL's ``convert("L")`` and OpenCV's ``COLOR_BGR2GRAY``.
LUMINANCE = (0.299, 0.587, 0.114)


@dataclass(frozen=True, eq=False)
class Image:
    """An image as it is fed to a layer, or to a model.

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
        ``PIL.Image`` and ``PIL.ImageOps``. None where the image did not come from a path, or where PIL alone does not
        read its values.
    signal
        Whether it is a row of numbers and no picture: a signal, whose only row is its steps, or a latent vector.
    latent
        Whether it is a latent vector.
    through
        The filters that it went through to become this, where it is an activation map of the lens itself: the name of
        each, and the image that it was fed, the oldest first.
    """

    values: FloatArray
    byte_scale: float | None = None
    bytes_: NDArray[np.uint8] | None = None
    notes: tuple[str, ...] = ()
    code: tuple[str, ...] | None = None
    signal: bool = False
    latent: bool = False
    through: tuple[tuple[str, Image], ...] = ()

    @property
    def shown(self) -> FloatArray:
        """As a user has it: ``(rows, cols, channels)``, a signal's ``(steps,)`` or ``(steps, channels)``, a vector."""
        return signal_shown(self.values) if self.signal else self.values

    @property
    def shape(self) -> tuple[int, int, int]:
        """``(rows, cols, channels)``."""
        rows, cols, channels = self.values.shape
        return rows, cols, channels

    def shared_with(self, other: Image) -> Image:
        """Return this image with the arrays of another where those hold the same numbers."""
        if self.values is other.values or not np.array_equal(self.values, other.values, equal_nan=True):
            return self
        same = self.byte_scale == other.byte_scale and np.array_equal(_bytes(self), _bytes(other))
        return replace(self, values=other.values, bytes_=other.bytes_ if same else self.bytes_)


def _bytes(image: Image) -> Any:
    return () if image.bytes_ is None else image.bytes_


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
        If the file is not a readable image, or the array's shape is none of the above.
    TypeError
        If `value` is none of the above, or does not hold real numbers.
    """
    known = (1, 3, 4) if channels is None else (1, 3, 4, channels)
    draft = _read_draft(value, known)
    draft.array = rows_cols_channels(draft.array, known)
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


def averaged(image: Image, rows: int, cols: int) -> Image:
    """Reduce an image to ``rows × cols`` by the means of blocks, and note it; without its bytes and its program."""
    old_rows, old_cols, _ = image.shape
    note = f"Reduced from {old_rows} × {old_cols} to {rows} × {cols} (rows × cols), averaged, for this page."
    values = frozen(block_means(image.values, (rows, cols)))
    return Image(values=values, notes=(*image.notes, note), signal=image.signal, through=image.through)


# -- what was given --------------------------------------------------------------------------------------------


def _read_draft(value: Any, known: tuple[int, ...]) -> Draft:
    """Read a path, the bytes of a file, an open file, a PIL image or an array, of a shape that is a picture."""
    if value is None:
        raise TypeError(
            "The image is None. Functions that read images return None where they found no file: check the path, or "
            f"give it to the lens. The working directory is {os.getcwd()}."  # noqa: PTH109
        )
    value = read_stream(value)
    if isinstance(value, (str, os.PathLike)):
        picture, path = open_path(value)
        with picture:
            draft = read_picture(picture, f"The file {path!r}")
        draft.path = path
        draft.expression = _pixels(f"PIL.Image.open({path!r})", draft)
    elif isinstance(value, (bytes, bytearray)) or (isinstance(value, memoryview) and value.ndim == 1):
        what = f"The {len(value)} bytes given as an image"
        with open_picture(io.BytesIO(value), what) as picture:
            draft = read_picture(picture, what)
        draft.expression = _pixels("PIL.Image.open(io.BytesIO(image))", draft)
    elif hasattr(value, "getbands") and hasattr(value, "getexif"):
        _check_given_picture(value)
        draft = read_picture(value, "The PIL image")
        draft.expression = _pixels("image", draft)
    else:
        draft = _read_array(value, known)
    return draft


def _pixels(picture: str, draft: Draft) -> str | None:
    """Return an expression of the pixels of a PIL image, None where PIL alone does not read them."""
    if not draft.plain:
        return None
    return f"np.asarray({picture})" if not draft.picture_code else f'np.asarray({picture}.convert("RGB"))'


def _check_given_picture(picture: Any) -> None:
    if picture.format not in (None, "MPO", *FORMATS) and getattr(picture, "tile", None):
        raise ValueError(
            f"The PIL image is a {picture.format} file that has not been decoded yet, and decoding it may start "
            "another program. To decode it all the same, call image.load() first."
        )
    cols, rows = picture.size
    check_pixels(rows, cols, len(picture.getbands()), "The PIL image", "image.reduce({step})")


def _read_array(value: Any, known: tuple[int, ...]) -> Draft:
    refuse_container(value, known)
    shape = shape_of(value)
    if shape is not None:  # before a whole data set is read from disk or copied from another device
        _check_array(shape, known, "image")
    array = as_array(value, "The image")
    expression = "image" if shape is not None else "np.asarray(image)"
    _check_array(array.shape, known, expression)
    if array.dtype.kind in "iu":
        return Draft(array, float(np.iinfo(array.dtype).max), integers=True, expression=expression)
    # Floats have no maximum of their own; an alpha above 1 shows that these go up to 255.
    to_255 = array.dtype.kind == "f" and array.ndim > 2 and array.shape[-1] == 4 and bool(np.any(array[..., 3] > 1))
    return Draft(array, 255.0 if to_255 else 1.0, integers=False)


def _check_array(shape: tuple[int, ...], known: tuple[int, ...], expression: str) -> None:
    check_shape(shape, known, expression)
    rows, cols = shape if len(shape) == 2 else shape[-3:-1] if shape[-1] in known else shape[-2:]
    channels = 1 if len(shape) == 2 or shape[-1] not in known else shape[-1]
    check_pixels(rows, cols, channels, "The image", expression + "[::{step}, ::{step}]")


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
        draft.notes.append(f"Colour image converted to luminance ({weights}), because the layer takes one channel.")


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
    values, divisor = scaled(draft, scale)
    byte_scale, bytes_ = _as_bytes(draft.array, divisor, values)
    return Image(
        values=frozen(values),
        byte_scale=byte_scale,
        bytes_=bytes_,
        notes=tuple(draft.notes),
        code=code_of(draft, divisor),
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
