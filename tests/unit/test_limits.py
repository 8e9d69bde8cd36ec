"""Sizes are checked before anything is allocated, and the error has the numbers and the mend."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from typing import Any

import numpy as np
import PIL.Image
import pytest

from convlens.inputs.images import read_image
from convlens.inputs.kernels import read_kernels, read_names
from convlens.maths import limits
from convlens.maths.arrays import shortened
from tests.unit.mends import evaluate, expressions


def small_png(rows: int, cols: int) -> bytes:
    """A PNG of black pixels that are one bit each."""

    def chunk(name: bytes, data: bytes = b"") -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", cols, rows, 1, 0, 0, 0, 0)
    data = zlib.compress(bytes(((cols + 7) // 8 + 1) * rows), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND")


@pytest.mark.parametrize(
    ("rows", "cols", "words"), [(13_000, 13_000, "169.0 million"), (20_000, 20_000, "400 million")]
)
def test_a_small_file_of_many_pixels_is_refused_before_it_is_decoded(rows: int, cols: int, words: str) -> None:
    data = small_png(rows, cols)
    assert len(data) < 194_000
    PIL.Image.init()
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=words):
            read_image(data, channels=None, scale=True)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_a_photograph_of_48_million_pixels_is_read() -> None:
    image = read_image(np.broadcast_to(np.uint8(200), (6000, 8000)), channels=1, scale=True)
    assert image.shape == (6000, 8000, 1)


class OnDisk:
    """A data set that is read only when it becomes an array."""

    def __init__(self, *shape: int) -> None:
        self.shape = shape

    def __array__(self, *args: Any, **options: Any) -> np.ndarray:
        raise AssertionError("read")


@pytest.mark.parametrize("image", [np.broadcast_to(np.float32(0), (9000, 9000)), OnDisk(9000, 9000, 3)])
def test_an_array_of_many_pixels_is_refused_before_it_is_copied_and_its_mend_is_small_enough(image: Any) -> None:
    with pytest.raises(ValueError, match=r"81\.0 million pixels; a lens takes 64 million") as caught:
        read_image(image, channels=None, scale=True)
    mend = expressions(str(caught.value))[0]
    rows, cols = evaluate(mend, image=np.broadcast_to(np.uint8(0), image.shape[:2])).shape
    assert rows * cols <= limits.PIXELS


def test_a_picture_without_room_in_memory_is_refused_with_megabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "free_memory", lambda: 10_000_000)
    image = np.broadcast_to(np.float32(0), (3000, 2000))
    with pytest.raises(ValueError, match=r"needs 72 MB; 10 MB are free") as caught:
        read_image(image, channels=None, scale=True)
    smaller = evaluate(expressions(str(caught.value))[0], image=image)
    assert smaller.size * 4 * limits.IMAGE_COPIES <= 10_000_000
    read_image(smaller, channels=None, scale=True)


def test_free_memory_is_bytes_or_unknown() -> None:
    free = limits.free_memory()
    assert free is None or free > 1_000_000


@pytest.mark.parametrize(
    ("kernels", "words"),
    [
        (np.broadcast_to(np.float32(0), (10_000, 2, 2)), r"10,000 kernels.*kernels\[:8192\]"),
        ([np.broadcast_to(np.float32(0), (300, 300))], r"90,000 numbers a channel.*kernel\[:256, :256\]"),
        (np.broadcast_to(np.float32(0), (8000, 256, 256)), r"524,288,000 numbers.*kernels\[:2048\]"),
    ],
)
def test_kernels_beyond_the_limits_are_refused(kernels: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_kernels(kernels, 1)


def test_names_are_titles_that_can_be_saved() -> None:
    assert read_names(["Kante, 边缘 🙂"], 1) == ["Kante, 边缘 🙂"]
    for name, words in (("x" * 50_000_000, "50000000 characters"), ("a\ud800", "UTF-8")):
        names = [name]
        with pytest.raises(ValueError, match=words) as caught:
            read_names(names, 1)
        assert len(str(caught.value)) < 300
    assert read_names([names[0].encode(errors="replace").decode()], 1) == ["a?"]


def test_values_in_errors_are_short() -> None:
    assert shortened("short") == "'short'"
    for value in ("x" * 10_000_000, list(range(100_000)), dict.fromkeys(range(1000), "y" * 1000), b"z" * 10_000_000):
        assert len(shortened(value)) <= limits.ECHO
    with pytest.raises(FileNotFoundError) as caught:
        read_image("x" * 10_000_000, channels=None, scale=True)
    assert len(str(caught.value)) < 1000
    with pytest.raises(TypeError) as refused:
        read_kernels("x" * 10_000_000, 1)
    assert len(str(refused.value)) < 300


def test_an_endless_stream_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            assert size > 0
            return bytes(size)

    from convlens.inputs import image_files

    monkeypatch.setattr(image_files, "FILE_BYTES", 1000)
    with pytest.raises(ValueError, match="the most that a lens reads"):
        read_image(Endless(), channels=None, scale=True)
