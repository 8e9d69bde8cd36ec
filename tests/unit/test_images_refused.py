"""What cannot be read as an image is refused with its name, and with what mends it."""

from __future__ import annotations

import pathlib
import struct
from typing import Any

import numpy as np
import PIL.Image
import pytest

from convlens.inputs.images import read_image
from tests.unit.test_images import GREY, RNG, png_bytes


def test_a_missing_file_is_not_found_and_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"no image file 'nowhere\.png'"):
        read_image("nowhere.png", channels=None, scale=True)
    with pytest.raises(FileNotFoundError, match="download it first"):
        read_image("https://example.org/a.png", channels=None, scale=True)


def test_a_directory_a_text_file_and_an_empty_file_are_refused_by_name(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match="is a directory"):
        read_image(tmp_path, channels=None, scale=True)
    text = tmp_path / "notes.txt"
    text.write_text("not a picture")
    empty = tmp_path / "empty.png"
    empty.write_bytes(b"")
    for path in (text, empty):
        with pytest.raises(ValueError, match=rf"{path.name}' cannot be read as an image"):
            read_image(path, channels=None, scale=True)
    with pytest.raises(ValueError, match="13 bytes given as an image cannot be read"):
        read_image(text.read_bytes(), channels=None, scale=True)


def test_a_png_cut_off_anywhere_is_refused_by_name(tmp_path: pathlib.Path) -> None:
    whole = png_bytes(PIL.Image.fromarray(RNG.integers(0, 256, (40, 40, 3), dtype=np.uint8)))
    for length in (10, 20, 33, 40, 60, len(whole) // 2, len(whole) - 30):
        path = tmp_path / f"{length}.png"
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=rf"{length}\.png' cannot be read as an image"):
            read_image(path, channels=None, scale=True)


def test_a_png_with_a_broken_chunk_is_refused() -> None:
    whole = bytearray(png_bytes(PIL.Image.fromarray(GREY)))
    whole[whole.index(b"IDAT") - 4 : whole.index(b"IDAT")] = struct.pack(">I", 3)
    with pytest.raises(ValueError, match="cannot be read as an image"):
        read_image(bytes(whole), channels=None, scale=True)


@pytest.mark.parametrize(
    ("shape", "mend"),
    [
        ((5,), r"image\.reshape\(rows, cols\)"),
        ((2, 3, 4, 5, 6), "one frame"),
        ((5, 6, 2), r"image\[\.\.\., :1\]"),
        ((5, 6, 7), r"image\[\.\.\., :3\]"),
        ((3, 5, 6), r"np\.moveaxis\(image, 0, -1\)"),
        ((1, 3, 5, 6), r"np\.moveaxis\(image, 1, -1\)"),
        ((2, 5, 6, 3), r"batch of 2.*image\[0\]"),
        ((0, 6), "empty"),
        ((5, 0, 3), "empty"),
    ],
)
def test_a_shape_that_is_no_image_is_refused_with_the_shapes_that_are(shape: tuple[int, ...], mend: str) -> None:
    with pytest.raises(ValueError, match=mend) as caught:
        read_image(np.zeros(shape), channels=None, scale=True)
    assert str(shape) in str(caught.value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "is None"),
        (np.array([["a", "b"]]), "text"),
        (np.array([[None, 1]]), "dtype object"),
        (np.zeros((3, 3), complex), "complex"),
        (np.zeros((3, 3), "datetime64[s]"), "datetime64"),
        (np.zeros((3, 3), [("r", "u1"), ("g", "u1")]), "dtype"),
        (object(), "object"),
        ({"image": 1}, "dict"),
    ],
)
def test_what_holds_no_numbers_is_a_type_error(value: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        read_image(value, channels=None, scale=True)


def test_a_symbolic_tensor_is_a_type_error() -> None:
    import keras

    with pytest.raises(TypeError, match="KerasTensor"):
        read_image(keras.Input((4, 4, 1)), channels=None, scale=True)


def test_ragged_rows_are_refused_with_their_lengths() -> None:
    with pytest.raises(ValueError, match=r"rows differ in length \(2, 1\)"):
        read_image([[1, 2], [3]], channels=None, scale=True)


def test_a_masked_array_is_refused_unless_nothing_is_masked() -> None:
    values = np.ma.masked_array(np.ones((2, 2)), [[False, True], [False, False]])
    with pytest.raises(ValueError, match=r"1 masked values.*filled"):
        read_image(values, channels=None, scale=True)
    open_ = np.ma.masked_array(np.ones((2, 2)))
    np.testing.assert_array_equal(read_image(open_, channels=1, scale=True).values[:, :, 0], np.ones((2, 2)))


def test_a_finite_value_that_float32_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match=r"1e\+300.*float32"):
        read_image(np.array([[1e300]]), channels=1, scale=True)
