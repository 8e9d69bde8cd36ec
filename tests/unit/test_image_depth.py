"""Integers of every depth, of arrays and of files, by one rule; and the note when little of it is visible."""

from __future__ import annotations

import io
import pathlib
import struct
import zlib
from typing import Any

import numpy as np
import PIL.Image
import pytest

from convlens import ConvLens
from convlens.inputs.images import Image, read_image
from tests.unit.mends import evaluate, expressions

RNG = np.random.default_rng(156)
#: PNG's colour types by number of channels.
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


def deep_png(array: np.ndarray, chunks: bytes = b"") -> bytes:
    """Write (rows, cols, channels) uint16 as PNG, as the standard says: PIL cannot."""
    rows, cols, channels = array.shape
    # Filter 1, "sub": each byte less the one a pixel to the left.
    lines = array.astype(">u2").reshape(rows, -1).view(np.uint8).reshape(rows, cols, 2 * channels)
    sub = np.diff(lines, axis=1, prepend=np.zeros((rows, 1, 2 * channels), np.uint8)).reshape(rows, -1)
    data = b"".join(b"\1" + line.tobytes() for line in sub)
    header = struct.pack(">IIBBBBB", cols, rows, 16, _COLOUR_TYPES[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunks + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND")


def chunk(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def tiff(array: np.ndarray, order: str = "<", planes_apart: bool = False) -> bytes:
    """Write (rows, cols[, 3]) integers as an uncompressed TIFF."""
    rows, cols = array.shape[:2]
    samples = array.shape[2] if array.ndim == 3 else 1
    bits, signed = array.dtype.itemsize * 8, array.dtype.kind == "i"
    data = array.astype(f"{order}{array.dtype.kind}{array.dtype.itemsize}").tobytes()
    start = 8
    after = start + len(data)
    bits_at = after + 2 + 12 * 11 + 4
    entries = [
        (256, 4, 1, cols), (257, 4, 1, rows), (258, 3, samples, bits if samples == 1 else bits_at),
        (259, 3, 1, 1), (262, 3, 1, 2 if samples == 3 else 1), (273, 4, 1, start), (277, 3, 1, samples),
        (278, 4, 1, rows), (279, 4, 1, len(data)), (284, 3, 1, 1 + planes_apart), (339, 3, 1, 1 + signed),
    ]  # fmt: skip
    ifd = struct.pack(order + "H", len(entries))
    for tag, kind, count, value in entries:
        short = kind == 3 and count == 1
        ifd += struct.pack(order + "HHI", tag, kind, count)
        ifd += struct.pack(order + "HH", value, 0) if short else struct.pack(order + "I", value)
    mark = b"II*\0" if order == "<" else b"MM\0*"
    tail = struct.pack(order + "I", 0) + struct.pack(f"{order}{samples}H", *[bits] * samples)
    return mark + struct.pack(order + "I", after) + data + ifd + tail


def read(value: Any, *, channels: int | None = None, scale: bool = True) -> Image:
    return read_image(value, channels=channels, scale=scale)


# -- one rule for array and file ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "order"),  # PIL opens no big-endian TIFF of unsigned 32 bits
    [*((dtype, order) for dtype in ("int8", "uint8", "uint16", "int16", "int32") for order in "<>"), ("uint32", "<")],
)
def test_a_tiff_is_divided_by_what_its_array_is_divided_by(dtype: str, order: str, tmp_path: pathlib.Path) -> None:
    limits = np.iinfo(dtype)
    array = np.array([[limits.max, limits.max // 3], [limits.min, 1]], dtype=dtype)
    expected = (array.astype(np.float64) / limits.max).astype(np.float32)
    path = tmp_path / "a.tiff"
    path.write_bytes(tiff(array, order))
    for value in (array, path, tiff(array, order)):
        np.testing.assert_array_equal(read(value).values[:, :, 0], expected)
    if (code := read(path).code) is not None:
        namespace: dict[str, Any] = {}
        exec("import numpy as np, PIL.Image, PIL.ImageOps\n" + "\n".join(code), namespace)
        np.testing.assert_array_equal(namespace["image"][:, :, 0], expected)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_16_bit_png_keeps_all_its_bits(channels: int, tmp_path: pathlib.Path) -> None:
    array = RNG.integers(0, 65536, (5, 7, channels), dtype=np.uint16)
    path = tmp_path / "a.png"
    path.write_bytes(deep_png(array))
    expected = read(array)
    with PIL.Image.open(path) as picture:
        for value in (path, path.read_bytes(), picture):
            for want in (None, 1, 3):
                np.testing.assert_array_equal(read(value, channels=want).values, read(array, channels=want).values)
            assert read(value).notes == expected.notes
    unscaled = read(path, scale=False).values
    np.testing.assert_allclose(unscaled, expected.values * 255, rtol=1e-6)


def test_16_bit_grey_with_alpha_is_blended_at_16_bits() -> None:
    array = np.array([[[40_000, 65_535], [40_000, 0], [40_000, 13_107]]], dtype=np.uint16)  # 13107/65535 = 1/5
    expected = [40_000, 65_535, 40_000 / 5 + 65_535 * 4 / 5]
    np.testing.assert_allclose(read(deep_png(array), channels=1).values[0, :, 0] * 65_535, expected, rtol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_transparent_colour_of_16_bits_is_white(channels: int) -> None:
    array = RNG.integers(1, 65_535, (2, 3, channels), dtype=np.uint16)
    transparent = chunk(b"tRNS", struct.pack(f">{channels}H", *array[1, 2].tolist()))
    expected = array.astype(np.float64)
    expected[1, 2] = 65_535
    np.testing.assert_allclose(
        read(deep_png(array, transparent), channels=channels).values * 65_535, expected, rtol=1e-6
    )


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_16_bit_colour_tiff_keeps_all_its_bits(order: str) -> None:
    array = RNG.integers(0, 65536, (5, 7, 3), dtype=np.uint16)
    np.testing.assert_array_equal(read(tiff(array, order)).values, read(array).values)


def test_16_bit_planes_that_pil_misreads_are_refused() -> None:
    array = RNG.integers(0, 65536, (5, 7, 3), dtype=np.uint16)
    with pytest.raises(ValueError, match="separate planes"):
        read(tiff(array, planes_apart=True))


def test_a_pil_image_can_still_be_used_after_its_16_bits_were_read() -> None:
    data = deep_png(RNG.integers(0, 65536, (5, 7, 3), dtype=np.uint16))
    picture = PIL.Image.open(io.BytesIO(data))
    read(picture)
    np.testing.assert_array_equal(np.asarray(picture), np.asarray(PIL.Image.open(io.BytesIO(data))))


def test_a_16_bit_ppm_says_that_pil_reads_8_of_them() -> None:
    data = b"P6 2 1 65535\n" + np.full(6, 40_000, ">u2").tobytes()
    assert any("more than 8 bits" in note for note in read(data).notes)


# -- what is noted -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        *((dtype, values) for dtype in ("uint8", "uint16", "int16", "int64") for values in ([0, 1], [0, 20], [0, 255])),
        *((dtype, [-1000, 3000]) for dtype in ("int16", "int32", "int64")),
    ],
)
def test_values_that_their_type_leaves_invisible_are_noted_with_a_mend_that_shows_them(
    dtype: str, values: list[int]
) -> None:
    limits = np.iinfo(dtype)
    image = np.array([values], dtype=dtype)
    result = read(image)
    np.testing.assert_allclose(result.values[0, :, 0], np.array(values) / limits.max, rtol=1e-6)
    if max(values) * 8 > limits.max:
        assert result.notes == ()
        return
    assert f"divided by {limits.max:.10g}" in result.notes[0]
    mended = read(evaluate(expressions(result.notes[0])[0], image=image))
    assert mended.notes == ()
    range_ = 255 if values == [0, 255] else max(map(abs, values))
    np.testing.assert_allclose(mended.values[0, :, 0], np.array(values) / range_, rtol=1e-6)


def test_the_note_on_a_files_values_has_a_mend_for_the_file(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "ct.tiff"
    array = np.array([[-1000, 3000]], dtype=np.int16)
    path.write_bytes(tiff(array))
    note = read(path).notes[0]
    mended = read(evaluate(expressions(note)[0]))
    np.testing.assert_allclose(mended.values[0, :, 0], [-1000 / 3000, 1], rtol=1e-6)


def test_the_widget_says_it() -> None:
    lens = ConvLens(np.array([[0, 3000] * 4] * 8, dtype=np.int64))
    assert any("divided by 9.22" in note for note in lens._image["notes"])


def test_rounding_that_merges_values_is_noted_and_its_mend_keeps_them() -> None:
    image = 1e9 + np.arange(12.0).reshape(3, 4)
    note = read(image).notes[0]
    assert "rounds values near 1e+09 to steps of 64" in note
    mended = read(evaluate(expressions(note)[0], image=image))
    assert mended.notes == ()
    np.testing.assert_array_equal(mended.values[:, :, 0], np.arange(12).reshape(3, 4))
    assert read(image.astype(np.float32)).notes == ()
    assert read(RNG.random((3, 4))).notes == ()


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((3, 3), np.int64),
        np.full((3, 3), 255, np.uint8),
        np.ones((2, 2), bool),
        np.eye(3),
        np.eye(3, dtype="f2"),
    ],
)
def test_nothing_is_noted_where_there_is_nothing_to_say(image: np.ndarray) -> None:
    assert read(image).notes == ()
