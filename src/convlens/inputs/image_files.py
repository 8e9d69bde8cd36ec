"""Paths, bytes, open files and uploads → an open picture; the code that makes the same array of the file."""

from __future__ import annotations

import io
import os
import pathlib
import re
import stat
import urllib.parse
import urllib.request
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from convlens.inputs.pictures import Draft, unreadable
from convlens.maths.arrays import shortened
from convlens.maths.limits import FILE_BYTES, check_pixels

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

#: The formats that are opened: each is recognised by its first bytes, and PIL decodes it without another program.
#: EPS, for one, would be run by Ghostscript.
FORMATS = ("PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "DIB", "PPM", "JPEG2000", "AVIF", "ICO")

_OTHERS = {
    b"%!PS": "EPS or PostScript, a program that draws",
    b"\xc5\xd0\xd3\xc6": "EPS, a program that draws",
    b"%PDF": "PDF, a document",
    b"<svg": "SVG, a drawing",
    b"<?xm": "XML, perhaps an SVG drawing",
    b"<!DO": "HTML, a web page",
    b"<htm": "HTML, a web page",
    b"\x93NUM": "NumPy's: np.load reads it into an array",
    b"\x89HDF": "HDF5, not a picture",
    b"PK\x03\x04": "a ZIP archive",
}


def read_stream(value: Any) -> Any:
    """Return the bytes of an open file or of an uploaded one, and anything else as it is.

    The position of a seekable file is left where it was. A file that was just written, and so is at its
    end, is read from its start.
    """
    content = _uploaded(value)
    if content is not None:
        return bytes(content)
    if not callable(getattr(value, "read", None)) or hasattr(value, "shape"):
        return value
    name = f"The file given as an image ({type(value).__name__})"
    if getattr(value, "closed", False):
        raise ValueError(f"{name} is closed. Give its path, or open it again.")
    seekable = hasattr(value, "seekable") and value.seekable()
    position = value.tell() if seekable else 0
    data = value.read(FILE_BYTES + 1)
    if seekable and position and not data:
        value.seek(0)
        data = value.read(FILE_BYTES + 1)
    if seekable:
        value.seek(position)
    if isinstance(data, str):
        raise TypeError(f'{name} was opened as text. Open it as bytes: open(path, "rb").')
    if len(data) > FILE_BYTES:
        raise ValueError(f"{name} is larger than {FILE_BYTES / 1e6:.0f} MB, the most that a lens reads.")
    return data


def _uploaded(value: Any) -> Any:
    """Content of the one file that an ipywidgets ``FileUpload``, its value, or an entry of it holds, else None."""
    if type(value).__name__ == "FileUpload" and hasattr(value, "value"):
        value = value.value
        if not value:
            raise ValueError("Nothing has been uploaded yet. Choose a file in the FileUpload, then run this again.")
    if isinstance(value, Mapping) and len(value) == 1:  # ipywidgets 7: {name: {"metadata": ..., "content": ...}}
        value = next(iter(value.values()))
    entries = value if isinstance(value, (tuple, list)) else (value,)
    if not entries or not all(isinstance(entry, Mapping) and "content" in entry for entry in entries):
        return None
    if len(entries) > 1:
        raise ValueError(f"{len(entries)} files were uploaded; a lens shows one of them: give image[0].")
    content = entries[0]["content"]
    return content if isinstance(content, (bytes, bytearray, memoryview)) else None


def open_path(value: str | os.PathLike[str]) -> tuple[Picture, str]:
    """Open the picture file at a path, in which ``~`` is expanded and a ``file://`` address is a path; also return it.

    Raises
    ------
    FileNotFoundError
        If there is nothing at the path.
    ValueError
        If what is there is not a regular file, or not a picture in one of `FORMATS`.
    """
    path = _local(os.fsdecode(value))
    try:
        status = os.stat(path)  # noqa: PTH116 - before opening: a pipe that nobody writes to would wait forever
    except PermissionError as error:
        raise ValueError(f"{shortened(path, 300)} cannot be accessed: {error.strerror}.") from error
    except (OSError, ValueError) as error:  # no such file, or no possible name of one
        raise _missing(path) from error
    kind = _kind(status.st_mode)
    if kind:
        raise ValueError(f"{path!r} is a {kind}. Give the path of one image file.")
    try:
        return open_picture(path, f"The file {path!r}"), path
    except PermissionError as error:
        raise ValueError(f"The file {path!r} cannot be read: {error.strerror}.") from error


def open_picture(file: str | io.BytesIO, what: str) -> Picture:
    """Read the header of a picture of one of `FORMATS`, and refuse what is too large before it is decoded."""
    import PIL.Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PIL.Image.DecompressionBombWarning)  # check_pixels decides
            warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
            picture = _open_known(file)
    except PIL.UnidentifiedImageError as error:
        raise ValueError(f"{what} cannot be read as an image: {_what_it_is(file)}.") from error
    except PIL.Image.DecompressionBombError as error:
        pixels = re.search(r"(\d+) pixels", str(error))
        size = f"{int(pixels[1]) / 1e6:,.0f} million pixels" if pixels else "more pixels than PIL decodes"
        raise ValueError(
            f"{what} unpacks to {size}, so it is not decoded. Make it smaller with the program that made it."
        ) from error
    except PermissionError:
        raise
    except Exception as error:
        raise unreadable(what, error) from error
    try:
        cols, rows = picture.size
        check_pixels(rows, cols, len(picture.getbands()), what)
    except ValueError:
        picture.close()
        raise
    return picture


def _open_known(file: str | io.BytesIO) -> Picture:
    import PIL.Image

    PIL.Image.preinit()
    common = [name for name in FORMATS if name in PIL.Image.OPEN]
    try:
        return PIL.Image.open(file, formats=common)
    except PIL.UnidentifiedImageError:
        PIL.Image.init()  # imports every plugin, which takes a while
        others = [name for name in FORMATS if name in PIL.Image.OPEN and name not in common]
        return PIL.Image.open(file, formats=others)


def _what_it_is(file: str | io.BytesIO) -> str:
    if isinstance(file, str):
        with pathlib.Path(file).open("rb") as opened:
            start = opened.read(16)
    else:
        start = file.getvalue()[:16]
    if not start:
        return "it is empty"
    known = ", ".join(name for name in FORMATS if name != "DIB")
    for signature, name in _OTHERS.items():
        if start.lstrip().startswith(signature):
            return f"its format is {name}. The formats that a lens opens are {known}; convert it to PNG first"
    if start[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1"):
        return f"its format is HEIC. The formats that a lens opens are {known}; save it as JPEG or PNG first"
    return f"it is in none of the formats that a lens opens: {known}"


def _local(path: str) -> str:
    """Return the path that a ``file://`` address names, or `path` with its ``~`` expanded."""
    if path.lower().startswith("file:"):
        address = urllib.parse.urlparse(path)
        if address.netloc not in ("", "localhost"):
            raise ValueError(
                f"{shortened(path, 300)} is on the computer {address.netloc!r}. Give the path of a file on this one; "
                f"with three slashes it is {'file://' + address.path!r}."
            )
        return urllib.request.url2pathname(address.path)
    return os.path.expanduser(path)  # noqa: PTH111 - Path would change other paths, too


def _kind(mode: int) -> str:
    kinds = {
        "directory": stat.S_ISDIR,
        "named pipe, on which reading would wait": stat.S_ISFIFO,
        "device": lambda m: stat.S_ISCHR(m) or stat.S_ISBLK(m),
        "socket": stat.S_ISSOCK,
    }
    found = next((name for name, test in kinds.items() if test(mode)), "")
    return found or ("" if stat.S_ISREG(mode) else "special file")


def _missing(path: str) -> Exception:
    digits = path[:200].replace(",", " ").replace(";", " ").split()
    if len(digits) > 1 and all(re.fullmatch(r"[-+.\deE\[\]]+", number) for number in digits[:-1] or digits):
        separator = '","' if "," in path[:200] else ""
        return ValueError(
            f"The image is a string of {len(path)} characters that holds numbers, {shortened(path)}. Read them first: "
            f'np.array(image.split({separator}), dtype="float32").reshape(rows, cols).'
        )
    if "://" in path:
        hint = "Nothing is fetched from the network: download it first and give the file's path."
    else:
        hint = f"The working directory is {os.getcwd()}."  # noqa: PTH109
    return FileNotFoundError(f"There is no image file {shortened(path, 300)}. {hint}")


def code_of(draft: Draft, divisor: float) -> tuple[str, ...] | None:
    """Return lines that read the file at the draft's path into the same ``image``, divided by `divisor`.

    None where PIL alone does not read the same.
    """
    if draft.path is None or not draft.plain:
        return None
    grey = "[:, :, None]" if draft.array.shape[-1] == 1 or draft.array_code else ""
    if divisor == 1.0:
        image = f'np.asarray(picture, dtype="float32"){grey}'
    elif divisor <= 65535:
        image = f'np.asarray(picture, dtype="float32"){grey} / {divisor:.17g}'
    else:
        image = f'(np.asarray(picture){grey} / {divisor:.17g}).astype("float32")'
    return (
        f"picture = PIL.ImageOps.exif_transpose(PIL.Image.open({draft.path!r}))",
        *draft.picture_code,
        f"image = {image}",
        *draft.array_code,
    )
