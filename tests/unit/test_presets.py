from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from convlens.inputs.presets import TUTORIAL, gabor, presets

# Images that grow brighter in one direction only; 4×4 and more so that every preset fits.
ROWS, COLS = np.mgrid[0:9, 0:9].astype(np.float32)


def answer(name: str, image: NDArray[np.float32]) -> float:
    """What Keras computes with a preset in the middle of an image."""
    import keras

    output = keras.ops.conv(image[None, :, :, None], presets[name][:, :, None, None], padding="valid")
    values = keras.ops.convert_to_numpy(output)[0, :, :, 0]
    return float(values[values.shape[0] // 2, values.shape[1] // 2])


def test_the_presets_are_a_read_only_mapping_of_read_only_arrays() -> None:
    for name, kernel in presets.items():
        assert kernel.ndim == 2
        assert kernel.dtype == np.float32
        with pytest.raises(ValueError, match="read-only"):
            kernel[0, 0] = 1
        assert presets.describe(name).count("Source: ") == 1
    with pytest.raises(TypeError):
        presets["identity"] = np.ones((3, 3))  # type: ignore[index]


def test_the_kinds_that_are_promised_are_there() -> None:
    for kind in [
        "identity",
        "box",
        "gaussian",
        "sharpen",
        "emboss",
        "laplacian",
        "sobel",
        "prewitt",
        "scharr",
        "roberts",
        "gabor",
        "tutorial",
    ]:
        assert any(name.startswith(kind) for name in presets)


def test_a_misspelt_name_is_a_key_error_with_the_nearest_one() -> None:
    with pytest.raises(KeyError, match="Did you mean 'sobel_x'"):
        presets["sobel_X"]
    assert presets.get("nothing") is None
    assert "nothing" not in presets


@pytest.mark.parametrize("name", ["identity", "box_3", "box_5", "gaussian_3", "gaussian_5", "motion_blur_x"])
def test_blurs_keep_a_flat_image_as_it_is(name: str) -> None:
    assert answer(name, np.full((9, 9), 0.7, np.float32)) == pytest.approx(0.7)


@pytest.mark.parametrize("name", ["sharpen", "unsharp_5", "emboss"])
def test_sharpening_and_embossing_keep_a_flat_image_as_it_is(name: str) -> None:
    assert presets[name].sum() == pytest.approx(1)


@pytest.mark.parametrize(
    "name",
    [
        n
        for n in presets
        if n.startswith(("lap", "log", "sobel", "prewitt", "scharr", "roberts", "gabor", "tut", "high"))
    ],
)
def test_edge_kernels_answer_nothing_to_a_flat_image(name: str) -> None:
    assert answer(name, np.full((9, 9), 0.7, np.float32)) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "slope"),
    # The sum over the taps of kernel value × distance: what a ramp of slope 1 gives.
    [("sobel_x", 8), ("prewitt_x", 6), ("scharr_x", 32), ("tutorial_1", 16), ("tutorial_2", -16)],
)
def test_kernels_along_x_answer_to_brightness_growing_to_the_right(name: str, slope: float) -> None:
    assert answer(name, COLS) == pytest.approx(slope)
    assert answer(name, ROWS) == pytest.approx(0)


@pytest.mark.parametrize(
    ("name", "slope"), [("sobel_y", 8), ("prewitt_y", 6), ("scharr_y", 32), ("tutorial_3", 16), ("tutorial_4", -16)]
)
def test_kernels_along_y_answer_to_brightness_growing_downwards(name: str, slope: float) -> None:
    assert answer(name, ROWS) == pytest.approx(slope)
    assert answer(name, COLS) == pytest.approx(0)


def test_diagonal_kernels_answer_to_the_corner_that_they_say() -> None:
    assert answer("emboss", ROWS + COLS) > answer("identity", ROWS + COLS)  # brighter towards the lower right
    assert answer("roberts_1", -ROWS - COLS) > 0  # upper left
    assert answer("roberts_2", COLS - ROWS) > 0  # upper right


def test_the_laplacians_are_second_derivatives() -> None:
    # d²/dx² of x² is 2; eight neighbours add the diagonals, which see it along two more lines.
    assert answer("laplacian_4", COLS**2) == pytest.approx(2)
    assert answer("laplacian_8", COLS**2) == pytest.approx(6)


def test_the_binomial_blurs_have_the_variance_that_they_state() -> None:
    for name, variance in (("gaussian_3", 0.5), ("gaussian_5", 1.0)):
        kernel = presets[name]
        offsets = np.arange(len(kernel)) - len(kernel) // 2
        assert float((kernel.sum(axis=0) * offsets**2).sum()) == pytest.approx(variance)


def test_unsharp_is_twice_the_identity_less_the_blur() -> None:
    # Published as −1/256 of [[1, 4, 6, 4, 1], ...] with −476 in the middle.
    assert presets["unsharp_5"][2, 2] == pytest.approx(476 / 256)
    assert presets["unsharp_5"][0, 0] == pytest.approx(-1 / 256)


def test_a_gabor_kernel_answers_most_to_stripes_of_its_own_direction() -> None:
    for degrees, name in ((0, "gabor_0"), (45, "gabor_45"), (90, "gabor_90"), (135, "gabor_135")):
        theta = np.deg2rad(degrees)
        stripes = np.cos(2 * np.pi * ((COLS - 4) * np.cos(theta) + (ROWS - 4) * np.sin(theta)) / 4).astype(np.float32)
        answers = {other: answer(other, stripes) for other in ("gabor_0", "gabor_45", "gabor_90", "gabor_135")}
        assert max(answers, key=lambda key: answers[key]) == name
        np.testing.assert_array_equal(gabor(degrees=degrees), presets[name])


def test_the_tutorials_filters_are_a_step_its_negative_its_transpose_and_the_negative_of_that() -> None:
    step = np.array([[-1, -1, 1, 1]] * 4)
    for name, expected in zip(TUTORIAL, (step, -step, step.T, -step.T), strict=True):
        np.testing.assert_array_equal(presets[name], expected)


def test_the_package_offers_the_mapping_whatever_was_imported_before() -> None:
    script = "from convlens import ConvLens; import convlens; assert convlens.presets['identity'].shape == (3, 3)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_every_preset_has_a_name_of_its_own_in_words_and_stands_in_a_group() -> None:
    titled = presets.titled()
    assert {name for name, _ in titled} == set(presets)
    assert len({one.title for _, one in titled}) == len(presets)
    groups = list(dict.fromkeys(one.group for _, one in titled))
    assert groups == ["blur", "sharpen", "edges", "diagonals", "stripes", "tutorial"]
    # A group does not continue further down.
    assert [one.group for _, one in titled] == [group for group in groups for _, one in titled if one.group == group]
