"""Images in the forms in which people have them: read, or refused with an expression that makes one."""

from __future__ import annotations

import datetime
import io
import os
import pathlib
import warnings
from typing import Any

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convlens.inputs.images import read_image
from tests.unit.mends import evaluate, expressions

RNG = np.random.default_rng(154)
DIGITS = RNG.integers(0, 256, (5, 28, 28), dtype=np.uint8)
PHOTOS = RNG.integers(0, 256, (5, 6, 8, 3), dtype=np.uint8)


def values(image: Any) -> np.ndarray:
    return read_image(image, channels=None, scale=False).values


def png(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def refusal(image: Any) -> str:
    with pytest.raises((TypeError, ValueError)) as caught:
        read_image(image, channels=None, scale=True)
    return str(caught.value)


def grey(array: np.ndarray) -> np.ndarray:
    return array[:, :, None].astype(np.float32)


# -- batches, pairs, dicts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "first"),
    [
        (DIGITS, grey(DIGITS[0])),
        (DIGITS[..., None], grey(DIGITS[0])),
        (PHOTOS, PHOTOS[0]),
        (np.moveaxis(PHOTOS, -1, 1), PHOTOS[0]),
        (list(DIGITS), grey(DIGITS[0])),
        (DIGITS[None], grey(DIGITS[0])),
        (PHOTOS[None], PHOTOS[0]),
        ((DIGITS, np.arange(5)), grey(DIGITS[0])),
        ((DIGITS[0], 7), grey(DIGITS[0])),
        ((DIGITS[0].tolist(), 7), grey(DIGITS[0])),
        (((DIGITS, np.arange(5)), (DIGITS[:2], np.arange(2))), grey(DIGITS[0])),
        ({"label": np.arange(5), "image": PHOTOS}, PHOTOS[0]),
        ({"pixel_values": DIGITS[0]}, grey(DIGITS[0])),
        ([PIL.Image.fromarray(PHOTOS[0]), PIL.Image.fromarray(PHOTOS[1])], PHOTOS[0]),
    ],
    ids=[
        "grey batch", "batch with channel", "colour batch", "channels first", "list", "frames", "5 axes",
        "pair of batches", "pair", "pair of lists", "load_data()", "dict of batches", "dict", "PIL images",
    ],
)  # fmt: skip
def test_what_holds_several_images_is_refused_with_the_expression_of_the_first(image: Any, first: np.ndarray) -> None:
    mend = expressions(refusal(image))[-1]
    np.testing.assert_array_equal(values(evaluate(mend, image=image)), first)


def test_a_batch_is_called_one_with_its_count() -> None:
    assert "a batch of 100 images: give one of them, image[0]" in refusal(np.zeros((100, 28, 28)))


def test_three_planes_are_a_colour_picture_or_three_grey_ones_and_both_lines_are_given() -> None:
    planes = DIGITS[:3]
    channels, one = expressions(refusal(planes))
    np.testing.assert_array_equal(values(evaluate(channels, image=planes)), np.moveaxis(planes, 0, -1))
    np.testing.assert_array_equal(values(evaluate(one, image=planes)), grey(planes[0]))


def test_an_element_of_a_data_set_is_a_pair_and_a_data_set_yields_them() -> None:
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices((DIGITS, np.arange(5)))
    assert expressions(refusal(data)) == ["next(iter(image))"]
    pair = next(iter(data.batch(2)))
    assert "image, label = image" in refusal(pair)
    np.testing.assert_array_equal(values(evaluate(expressions(refusal(pair))[-1], image=pair)), grey(DIGITS[0]))
    images = iter(DIGITS)
    np.testing.assert_array_equal(values(evaluate(expressions(refusal(images))[0], image=images)), grey(DIGITS[0]))


def test_a_list_of_paths_is_refused_with_the_first_one() -> None:
    assert "2 strings, the first 'a.png'" in refusal(["a.png", "b.png"])
    assert expressions(refusal(["a.png", pathlib.Path("b.png")])) == ["image[0]"]


# -- rows of pixels ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", [False, True])
def test_a_row_of_a_data_frame_gets_rows_and_columns(label: bool) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(DIGITS.reshape(5, -1).astype(np.float32))
    if label:
        frame.insert(0, "label", range(5))
    row = frame.iloc[0]
    np.testing.assert_array_equal(values(evaluate(expressions(refusal(row))[0], image=row)), grey(DIGITS[0]))
    array = row.to_numpy()
    np.testing.assert_array_equal(values(evaluate(expressions(refusal(array))[0], image=array)), grey(DIGITS[0]))


def test_a_data_frame_of_numbers_kept_as_objects_is_an_image() -> None:
    pd = pytest.importorskip("pandas")
    np.testing.assert_array_equal(values(pd.DataFrame(DIGITS[0]).astype(object)), grey(DIGITS[0]))


@pytest.mark.parametrize("separator", [" ", ","])
def test_a_text_of_pixels_is_shortened_and_its_mend_reads_it(separator: str) -> None:
    text = separator.join(map(str, DIGITS[0].ravel().tolist()))
    said = refusal(text)
    assert len(said) < 400
    mend = expressions(said)[0].replace("rows, cols", "28, 28")
    np.testing.assert_array_equal(values(evaluate(mend, image=text)), grey(DIGITS[0]))


def test_none_is_said_to_be_what_a_reader_returns_that_found_no_file() -> None:
    assert "return None where they found no file" in refusal(None)


# -- files -------------------------------------------------------------------------------------------------------


def test_open_files_are_read_and_left_where_they_were(tmp_path: pathlib.Path) -> None:
    data = png(DIGITS[0])
    path = tmp_path / "digit.png"
    path.write_bytes(data)
    buffer = io.BytesIO()
    buffer.write(data)  # stands at its end
    with path.open("rb") as file:
        for opened, position in ((file, 0), (io.BytesIO(data), 0), (buffer, len(data))):
            for _ in range(2):
                np.testing.assert_array_equal(values(opened), grey(DIGITS[0]))
                assert opened.tell() == position
    assert "is closed" in refusal(file)
    with path.open(encoding="latin-1") as text:
        assert 'open(path, "rb")' in refusal(text)


class Pipe:
    """A stream that can be read once and not sought, like a download."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._data.read(size)


def test_a_stream_that_cannot_be_sought_is_an_image_whatever_the_kernels() -> None:
    from convlens import ConvLens

    kernels = RNG.normal(size=(5, 5, 1, 2))  # whose meaning depends on the image
    np.testing.assert_array_equal(ConvLens(Pipe(png(DIGITS[0])), kernels).image[:, :, 0], DIGITS[0] / np.float32(255))


def test_what_an_upload_widget_holds_is_read() -> None:
    import ipywidgets

    data = png(DIGITS[0])
    entry = {"name": "a.png", "type": "image/png", "size": len(data), "content": memoryview(data)}
    upload = ipywidgets.FileUpload()
    assert "Nothing has been uploaded yet" in refusal(upload)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        by_name = {"a.png": {"metadata": {}, "content": data}}
        listed = ({**entry, "last_modified": datetime.datetime.now(datetime.timezone.utc)},)
        upload.set_trait("value", listed if int(ipywidgets.__version__.split(".")[0]) > 7 else by_name)
    for value in (upload, upload.value, listed, listed[0], (entry,), by_name):
        np.testing.assert_array_equal(values(value), grey(DIGITS[0]))
    two = (entry, entry)
    np.testing.assert_array_equal(values(evaluate(expressions(refusal(two))[0], image=two)), grey(DIGITS[0]))


def test_the_home_directory_and_file_addresses_are_paths(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "a digit.png"
    path.write_bytes(png(DIGITS[0]))
    for given_path in ("~/a digit.png", path.as_uri(), f"file://localhost{path.as_uri()[7:]}"):
        np.testing.assert_array_equal(values(given_path), grey(DIGITS[0]))
    said = refusal(f"file://elsewhere{path.as_uri()[7:]}")
    np.testing.assert_array_equal(values(said.split("it is '")[1].split("'")[0]), grey(DIGITS[0]))
    with pytest.raises(FileNotFoundError, match=str(tmp_path)):
        read_image("~/none.png", channels=None, scale=True)


@pytest.mark.parametrize("kind", ["pipe", "device", "socket", "directory"])
def test_what_is_no_regular_file_is_refused_by_name_at_once(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = str(tmp_path / "x")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = os.devnull
    elif kind == "directory":
        path = str(tmp_path)
    else:
        import socket

        with socket.socket(socket.AF_UNIX) as made:
            monkeypatch.chdir(tmp_path)  # the path of a socket is short
            made.bind("x")
    assert f"is a {'named pipe' if kind == 'pipe' else kind}" in refusal(path)


@pytest.mark.parametrize(
    ("start", "name"),
    [(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "EPS"), (b"%PDF-1.7", "PDF"), (b"<svg/>", "SVG"),
     (b"\0\0\0\x18ftypheic", "HEIC"), (b"8BPS\0\1", "none of the formats"), (b"", "empty")],
)  # fmt: skip
def test_other_formats_are_refused_by_name_and_start_no_program(
    tmp_path: pathlib.Path, start: bytes, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import subprocess

    monkeypatch.setattr(subprocess, "Popen", None)
    path = tmp_path / "x.png"
    path.write_bytes(start)
    for image in (path, start, io.BytesIO(start)):
        said = refusal(image)
        assert name in said
        assert name == "empty" or "PNG, JPEG, GIF" in said


def test_an_eps_that_pil_opened_is_not_run() -> None:
    picture = PIL.Image.open(io.BytesIO(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"))
    assert "image.load()" in refusal(picture)


# -- one meaning -------------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(shape=st.lists(st.sampled_from([1, 2, 3, 4, 5, 8]), min_size=0, max_size=5).map(tuple))
def test_what_is_accepted_is_one_picture_with_its_pixels_in_place(shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    try:
        image = values(array if shape else array[()])
    except (ValueError, TypeError):
        assert not (len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4)))
        return
    if len(shape) == 4:
        assert shape[0] == 1
        array = array[0]
    if array.ndim == 3 and array.shape[2] not in (1, 3, 4):
        assert array.shape[0] == 1
        array = array[0]
    if array.ndim == 3 and array.shape[2] == 4:
        return  # transparency is blended
    np.testing.assert_array_equal(image, array.reshape(image.shape))
    assert image.shape[:2] == array.shape[:2]
