from __future__ import annotations

import io
import pathlib
from typing import Any

import numpy as np
import PIL.Image
import pytest

from convlens.inputs.images import read_image, resize

RNG = np.random.default_rng(7)
COLOUR = RNG.integers(0, 256, (5, 6, 3), dtype=np.uint8)
GREY = RNG.integers(0, 256, (5, 6), dtype=np.uint8)


def png_bytes(picture: PIL.Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", **options)
    return file.getvalue()


def save(path: pathlib.Path, picture: PIL.Image.Image, **options: Any) -> str:
    picture.save(path, **options)
    return str(path)


# -- what may be given -----------------------------------------------------------------------------------------


def test_path_bytes_picture_and_array_give_the_same_image(tmp_path: pathlib.Path) -> None:
    picture = PIL.Image.fromarray(COLOUR)
    path = tmp_path / "a.png"
    expected = COLOUR.astype(np.float32) / 255
    given = [save(path, picture), path, path.read_bytes(), bytearray(path.read_bytes()), picture, COLOUR]
    for value in given:
        np.testing.assert_array_equal(read_image(value, channels=None, scale=True).values, expected)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((5, 6), (5, 6, 1)),
        ((5, 6, 1), (5, 6, 1)),
        ((5, 6, 3), (5, 6, 3)),
        ((1, 5, 6), (5, 6, 1)),
        ((1, 5, 6, 1), (5, 6, 1)),
        ((1, 5, 6, 3), (5, 6, 3)),
        ((1, 1), (1, 1, 1)),
        ((1, 7, 3), (1, 7, 3)),  # one row of seven colours, not seven rows of three greys
    ],
)
def test_each_documented_shape_is_read_as_rows_cols_channels(
    shape: tuple[int, ...], expected: tuple[int, int, int]
) -> None:
    array = RNG.random(shape, dtype=np.float32)
    image = read_image(array, channels=None, scale=True)
    assert image.shape == expected
    np.testing.assert_array_equal(image.values, array.reshape(expected))
    assert image.notes == ()


def test_nested_lists_of_numbers_are_an_image() -> None:
    np.testing.assert_array_equal(
        read_image([[0.25, 0.5], [1.0, 2.0]], channels=1, scale=True).values[:, :, 0], [[0.25, 0.5], [1, 2]]
    )


def test_a_tensorflow_tensor_and_a_keras_variable_are_images() -> None:
    import keras
    import tensorflow as tf

    values = RNG.random((4, 5), dtype=np.float32)
    for tensor in (tf.constant(values), tf.Variable(values), keras.Variable(values)):
        np.testing.assert_array_equal(read_image(tensor, channels=1, scale=True).values[:, :, 0], values)
    half = tf.constant([[0.5, 1.5]], dtype=tf.bfloat16)
    np.testing.assert_array_equal(read_image(half, channels=1, scale=True).values[:, :, 0], [[0.5, 1.5]])


class TorchLike:
    """A tensor as PyTorch has it: recording gradients, it refuses to become an array until it is detached."""

    def __init__(self, values: np.ndarray, recording: bool = True) -> None:
        self.values, self.recording, self.dtype = values, recording, "torch.float32"

    def detach(self) -> TorchLike:
        return TorchLike(self.values, recording=False)

    def cpu(self) -> TorchLike:
        return self

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        if self.recording:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        return self.values


class OnlyDLPack:
    """A tensor of a library that offers only the exchange protocol."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def __dlpack__(self, **options: Any) -> Any:
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.values.__dlpack_device__()


def test_tensors_that_record_gradients_or_speak_only_dlpack_are_images() -> None:
    values = RNG.random((4, 5), dtype=np.float32)
    for tensor in (TorchLike(values), OnlyDLPack(values)):
        np.testing.assert_array_equal(read_image(tensor, channels=1, scale=True).values[:, :, 0], values)


# -- scale -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32"])
def test_integers_are_divided_by_their_types_maximum(dtype: str) -> None:
    limits = np.iinfo(dtype)
    values = np.array([[limits.min, 0, limits.max // 3, limits.max]], dtype=dtype)
    expected = (values.astype(np.float64) / limits.max).astype(np.float32)
    np.testing.assert_array_equal(read_image(values, channels=1, scale=True).values[:, :, 0], expected)


def test_every_uint8_and_uint16_is_the_correctly_rounded_quotient() -> None:
    for dtype, limit in ((np.uint8, 255), (np.uint16, 65535)):
        values = np.arange(limit + 1, dtype=dtype).reshape(16, -1)
        exact = (values.astype(np.float64) / limit).astype(np.float32)
        np.testing.assert_array_equal(read_image(values, channels=1, scale=True).values[:, :, 0], exact)


def test_booleans_become_0_and_1_and_floats_stay() -> None:
    for scale in (True, False):
        yes_no = read_image(np.array([[True, False]]), channels=1, scale=scale).values
        np.testing.assert_array_equal(yes_no[:, :, 0], [[1, 0]])
        floats = read_image(np.array([[-3.5, 300.0]]), channels=1, scale=scale).values
        np.testing.assert_array_equal(floats[:, :, 0], [[-3.5, 300]])


def test_unscaled_values_go_in_as_given_and_files_span_0_to_255() -> None:
    np.testing.assert_array_equal(read_image(GREY, channels=1, scale=False).values[:, :, 0], GREY)
    deep = np.array([[0, 257, 65535]], dtype=np.uint16)
    np.testing.assert_array_equal(read_image(deep, channels=1, scale=False).values[:, :, 0], deep)
    from_file = read_image(png_bytes(PIL.Image.fromarray(deep)), channels=1, scale=False).values
    np.testing.assert_array_equal(from_file[:, :, 0], [[0, 1, 255]])


def test_wide_integers_that_hold_bytes_are_scaled_by_their_type_and_the_mend_is_noted() -> None:
    image = read_image(np.array([[0, 255]], dtype=np.int64), channels=1, scale=True)
    np.testing.assert_array_equal(image.values[:, :, 0], np.array([[0, 255 / (2**63 - 1)]], np.float32))
    assert 'image.astype("uint8")' in image.notes[0]


def test_nan_and_infinity_are_let_through() -> None:
    values = np.array([[np.nan, np.inf, -np.inf, 1]])
    np.testing.assert_array_equal(read_image(values, channels=1, scale=True).values[:, :, 0], values)


# -- channels --------------------------------------------------------------------------------------------------


def test_8_bit_colour_becomes_the_luminance_that_pil_computes() -> None:
    image = read_image(COLOUR, channels=1, scale=True)
    expected = np.asarray(PIL.Image.fromarray(COLOUR).convert("L"), dtype=np.float32) / 255
    np.testing.assert_array_equal(image.values[:, :, 0], expected)
    assert "luminance (0.299 R + 0.587 G + 0.114 B)" in image.notes[0]


def test_float_and_16_bit_colour_becomes_unrounded_luminance() -> None:
    for values, limit in ((RNG.random((3, 4, 3)), 1), (RNG.integers(0, 65536, (3, 4, 3), dtype=np.uint16), 65535)):
        expected = (0.299 * values[..., 0] + 0.587 * values[..., 1] + 0.114 * values[..., 2]) / limit
        image = read_image(values, channels=1, scale=True)
        np.testing.assert_allclose(image.values[:, :, 0], expected, rtol=1e-6)


def test_grey_is_repeated_for_three_channels() -> None:
    for values in (GREY, GREY / 255):
        image = read_image(values, channels=3, scale=True)
        for channel in range(3):
            np.testing.assert_allclose(image.values[:, :, channel], GREY / 255, rtol=1e-6)
        assert "repeated in three channels" in image.notes[0]


def test_transparency_is_blended_over_white_and_opaque_alpha_left_out() -> None:
    pixels = np.array([[[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 51]]], dtype=np.uint8)
    expected = [[200, 100, 0], [255, 255, 255], [244, 224, 204]]  # 51/255 = 1/5: 200/5 + 255·4/5 = 244
    as_floats = pixels / 255
    for values, atol in ((pixels, 0.5 / 255), (as_floats, 1e-6), (pixels.astype(float), 0.5)):
        unit = 255 if values.max() <= 1 or values.dtype == np.uint8 else 1
        image = read_image(values, channels=None, scale=True)
        np.testing.assert_allclose(image.values[0] * unit, expected, atol=atol * unit)
        assert "Transparent parts blended over white." in image.notes
    opaque = read_image(pixels[:, :1], channels=None, scale=False)
    np.testing.assert_array_equal(opaque.values, [[[200, 100, 0]]])
    assert opaque.notes == ()


def test_a_layer_of_four_channels_gets_all_four() -> None:
    pixels = RNG.integers(0, 256, (2, 3, 4), dtype=np.uint8)
    np.testing.assert_array_equal(read_image(pixels, channels=4, scale=False).values, pixels)


def test_an_array_with_just_the_channels_that_the_layer_takes_is_read() -> None:
    values = RNG.random((4, 5, 7), dtype=np.float32)
    np.testing.assert_array_equal(read_image(values, channels=7, scale=True).values, values)


@pytest.mark.parametrize(("have", "want"), [(1, 4), (3, 4), (3, 2)])
def test_channels_that_do_not_fit_the_layer_are_refused(have: int, want: int) -> None:
    with pytest.raises(ValueError, match=rf"has {have} channels?, .*the layer takes {want}"):
        read_image(np.zeros((3, 5, have)), channels=want, scale=True)


# -- files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F"])
def test_every_common_mode_of_picture_has_the_colours_that_pil_shows(mode: str) -> None:
    colour = PIL.Image.fromarray(COLOUR)
    if mode == "I;16":
        picture = PIL.Image.fromarray(GREY.astype(np.uint16) * 257)
    elif mode == "I":
        picture = PIL.Image.fromarray(GREY.astype(np.int32) * 257)
    elif mode == "F":
        picture = PIL.Image.fromarray(GREY.astype(np.float32))
    else:
        picture = colour.convert(mode)
    expected = np.asarray(picture.convert("RGB")) if mode not in ("I;16", "I", "F") else np.stack([GREY] * 3, axis=-1)
    np.testing.assert_array_equal(read_image(picture, channels=3, scale=False).values, expected)


def test_a_transparent_palette_is_honoured() -> None:
    picture = PIL.Image.new("P", (2, 1))
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.putdata([0, 1])
    image = read_image(png_bytes(picture, transparency=1), channels=None, scale=False)
    np.testing.assert_array_equal(image.values, [[[255, 0, 0], [255, 255, 255]]])


def test_16_bit_files_keep_their_depth() -> None:
    values = np.array([[0, 1, 40000, 65535]], dtype=np.uint16)
    image = read_image(png_bytes(PIL.Image.fromarray(values)), channels=1, scale=True)
    np.testing.assert_array_equal(image.values[:, :, 0], (values / 65535).astype(np.float32))


def test_exif_orientation_turns_the_picture_upright(tmp_path: pathlib.Path) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90° clockwise to show
    path = save(tmp_path / "a.png", PIL.Image.fromarray(GREY), exif=exif)
    image = read_image(path, channels=1, scale=False)
    np.testing.assert_array_equal(image.values[:, :, 0], np.rot90(GREY, -1))
    assert any("EXIF" in note for note in image.notes)


def test_the_first_frame_of_an_animation_is_taken_and_said_so(tmp_path: pathlib.Path) -> None:
    frames = [PIL.Image.new("L", (3, 2), grey) for grey in (10, 200)]
    path = tmp_path / "a.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    image = read_image(path, channels=1, scale=False)
    np.testing.assert_array_equal(image.values[:, :, 0], np.full((2, 3), 10))
    assert image.notes[0] == "The first of 2 frames is shown."


# -- what comes out --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [GREY, GREY / 255, (GREY / 255).astype(np.float32), GREY.astype(float), GREY > 100, COLOUR, np.zeros((2, 2))],
)
def test_bytes_times_scale_are_the_values_to_the_bit(value: np.ndarray) -> None:
    image = read_image(value, channels=None, scale=True)
    assert image.bytes_ is not None
    assert image.byte_scale is not None
    assert image.bytes_.shape == image.shape
    np.testing.assert_array_equal((image.bytes_ * np.float64(image.byte_scale)).astype(np.float32), image.values)


@pytest.mark.parametrize("value", [np.array([[0.1, np.nan]]), np.array([[-1.0, 0.5]]), np.array([[0.1234, 0.5]])])
def test_values_that_are_no_bytes_have_no_bytes(value: np.ndarray) -> None:
    image = read_image(value, channels=1, scale=True)
    assert image.bytes_ is None
    assert image.byte_scale is None


@pytest.mark.parametrize("value", [GREY.copy(), (GREY / 255).astype(np.float32), COLOUR[:, ::2], COLOUR.astype(">f4")])
@pytest.mark.parametrize("channels", [None, 1, 3])
def test_the_users_array_is_copied_and_never_written(value: np.ndarray, channels: int | None) -> None:
    before = value.copy()
    image = read_image(value, channels=channels, scale=True)
    assert not np.shares_memory(image.values, value)
    assert image.values.flags.c_contiguous
    assert image.values.dtype == np.float32
    np.testing.assert_array_equal(value, before)
    with pytest.raises(ValueError, match="read-only"):
        image.values[0, 0, 0] = 1


@pytest.mark.parametrize("channels", [None, 1, 3])
@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("kind", ["L", "RGB", "RGBA", "I;16", "1", "F"])
def test_the_code_of_a_file_reads_the_same_values(
    tmp_path: pathlib.Path, kind: str, channels: int | None, scale: bool
) -> None:
    picture = PIL.Image.fromarray(np.dstack([COLOUR, GREY]))
    if kind == "I;16":
        picture = PIL.Image.fromarray(GREY.astype(np.uint16) * 250)
    elif kind != "RGBA":
        picture = picture.convert("RGB").convert(kind)
    path = save(tmp_path / ("a.tiff" if kind == "F" else "a.png"), picture)
    image = resize(read_image(path, channels=channels, scale=scale), 4, 3)
    assert image.code is not None
    namespace: dict[str, Any] = {}
    exec("import numpy as np, PIL.Image, PIL.ImageOps\n" + "\n".join(image.code), namespace)
    np.testing.assert_array_equal(namespace["image"], image.values)
    assert namespace["image"].dtype == np.float32


def test_an_array_has_no_code() -> None:
    assert read_image(GREY, channels=1, scale=True).code is None


# -- resizing --------------------------------------------------------------------------------------------------


def test_resizing_averages_what_it_shrinks() -> None:
    checks = (np.indices((64, 64)).sum(axis=0) % 2).astype(np.float32)  # 0 and 1 alternating: the mean is 1/2
    small = resize(read_image(checks, channels=1, scale=True), 8, 8)
    np.testing.assert_allclose(small.values[1:-1, 1:-1, 0], 0.5, atol=0.01)
    assert "64 × 64 to 8 × 8" in small.notes[-1]
    assert small.bytes_ is None
    assert not small.values.flags.writeable


def test_resizing_keeps_a_flat_image_and_its_range_in_every_channel() -> None:
    flat = np.broadcast_to(np.array([0.2, 0.4, 0.9], np.float32), (30, 20, 3))
    image = resize(read_image(flat, channels=3, scale=True), 7, 11)
    np.testing.assert_allclose(image.values, np.broadcast_to(flat[0, 0], (7, 11, 3)), rtol=1e-6)
    assert "proportions changed" in image.notes[-1]
    noise = resize(read_image(RNG.integers(0, 2, (20, 20)) * 255.0, channels=1, scale=False), 33, 33)
    assert noise.values.min() >= 0
    assert noise.values.max() <= 255


def test_resizing_to_the_same_size_changes_nothing() -> None:
    image = read_image(GREY, channels=1, scale=True)
    assert resize(image, 5, 6) is image
