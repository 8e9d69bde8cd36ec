"""What `diagnose` says about kernels whose properties are known."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from convlens import ConvLens, presets
from convlens.maths.diagnostics import Diagnostics, PlaneDiagnostics, diagnose, frequencies, frequency_response
from tests.unit.keras_sweep import numpy

RNG = np.random.default_rng(5)


def plane(kernel: object) -> PlaneDiagnostics:
    (only,) = diagnose(kernel).planes  # type: ignore[arg-type]
    return only


def test_the_sum_is_what_the_layer_does_to_an_even_area() -> None:
    kernel = RNG.normal(size=(3, 4)).astype(np.float32)
    lens = ConvLens(np.full((9, 9), 0.5, np.float32), [kernel], activation="linear")
    np.testing.assert_allclose(lens.activations, 0.5 * lens.diagnose(0).sum, rtol=1e-5)


def test_norm_and_sum_are_over_all_channels() -> None:
    found = diagnose(np.full((2, 2, 4), -0.5))
    assert (found.sum, found.norm) == (-8, 2)
    assert [(p.sum, p.norm) for p in found.planes] == [(-2, 1)] * 4


@pytest.mark.parametrize(
    ("name", "symmetry", "left_right", "up_down"),
    [
        ("gaussian_3", "symmetric", True, True),
        ("sobel_x", "antisymmetric", False, True),
        ("sobel_y", "antisymmetric", True, False),
        ("gabor_45", "symmetric", False, False),
        ("emboss", "neither", False, False),
        ("tutorial_1", "antisymmetric", False, True),
    ],
)
def test_symmetries_of_named_kernels(name: str, symmetry: str, left_right: bool, up_down: bool) -> None:
    found = diagnose(presets[name])
    assert (found.symmetry, found.left_right, found.up_down) == (symmetry, left_right, up_down)


def test_symmetry_is_that_of_all_channels_together_and_leaves_their_order_alone() -> None:
    sobel, box = presets["sobel_x"], presets["box_3"]
    assert diagnose(np.stack([sobel, 2 * sobel, -sobel], axis=-1)).symmetry == "antisymmetric"
    assert diagnose(np.stack([box, sobel], axis=-1)).symmetry == "neither"


def test_rounding_does_not_break_a_symmetry_and_a_hundred_thousandth_does() -> None:
    kernel = np.array([[0.1, 0.7], [0.7, 0.1]])
    assert diagnose(kernel * (1 + 1e-7 * np.array([[1, -1], [1, 1]]))).symmetry == "symmetric"
    assert diagnose(kernel + np.array([[1e-5, 0], [0, 0]])).symmetry == "neither"


def test_symmetric_filters_give_one_map_as_correlation_and_as_convolution_antisymmetric_ones_its_negative() -> None:
    image = RNG.random((8, 8)).astype(np.float32)
    for kernel, factor in ((presets["gabor_45"], 1), (presets["scharr_x"], -1)):
        lens = ConvLens(image, [kernel, kernel[::-1, ::-1]], activation="linear")
        np.testing.assert_allclose(lens.activations[1], factor * lens.activations[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "vertical", "horizontal"),
    [
        ("sobel_x", [1, 2, 1], [-1, 0, 1]),
        ("sobel_y", [-2, 0, 2], [0.5, 1, 0.5]),
        ("tutorial_1", [1, 1, 1, 1], [-1, -1, 1, 1]),
        ("gaussian_3", [1 / 8, 2 / 8, 1 / 8], [0.5, 1, 0.5]),
    ],
)
def test_separable_kernels_come_apart_into_their_two_factors(
    name: str, vertical: list[float], horizontal: list[float]
) -> None:
    found = plane(presets[name])
    assert found.separable and found.rank == 1 and found.remaining == 0
    np.testing.assert_allclose(found.vertical, vertical, atol=1e-7)  # type: ignore[arg-type]
    np.testing.assert_allclose(found.horizontal, horizontal, atol=1e-7)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (7, 2), (11, 11)])
def test_an_outer_product_in_float32_is_separable_and_its_factors_multiply_back(shape: tuple[int, int]) -> None:
    kernel = np.outer(RNG.normal(size=shape[0]), RNG.normal(size=shape[1])).astype(np.float32)
    found = plane(kernel)
    assert found.separable
    assert found.vertical is not None and found.horizontal is not None
    np.testing.assert_allclose(np.outer(found.vertical, found.horizontal), kernel, rtol=1e-5, atol=1e-6)
    assert np.abs(found.horizontal).max() == 1


def test_what_the_factors_miss_is_the_share_of_the_other_singular_values() -> None:
    kernel = np.diag([3.0, 2.0, 1.0])
    found = plane(kernel)
    assert (found.rank, found.separable) == (3, False)
    assert found.remaining == pytest.approx((4 + 1) / (9 + 4 + 1))
    np.testing.assert_allclose(np.outer(found.vertical, found.horizontal), np.diag([3, 0, 0]), atol=1e-7)  # type: ignore[arg-type]


def test_two_factors_that_sum_to_zero_have_a_sign_all_the_same() -> None:
    kernel = np.outer([1, -1], [-1, 1])
    found = diagnose(kernel).planes[0]
    np.testing.assert_array_equal(found.horizontal, [1, -1])
    np.testing.assert_array_equal(found.vertical, [-1, 1])


def test_channels_are_taken_apart_one_by_one() -> None:
    found = diagnose(np.stack([presets["sobel_x"], presets["sharpen"], np.zeros((3, 3))], axis=-1))
    assert found.ranks == (1, 2, 0)


def test_a_kernel_of_zeros_has_an_answer_for_everything() -> None:
    found = diagnose(np.zeros((3, 2)))
    assert (found.sum, found.norm, found.symmetry, found.note) == (0, 0, "symmetric", "")
    only = found.planes[0]
    assert (only.rank, only.separable, only.remaining) == (0, True, 0)
    assert only.vertical is not None and only.response is not None
    assert not only.vertical.any() and not only.response.any()


def test_the_frequency_response_is_keras_gain_for_a_wave_of_that_frequency() -> None:
    kernel = RNG.normal(size=(3, 4)).astype(np.float32)
    response = frequency_response(kernel)
    rows, cols = np.mgrid[0:40, 0:40]
    layer = keras.layers.Conv2D(1, kernel.shape, use_bias=False)
    layer.build((None, None, None, 1))
    layer.set_weights([kernel[:, :, None, None]])
    for i, j in ((16, 16), (20, 16), (16, 9), (25, 3), (31, 30)):
        phase = 2 * np.pi * (frequencies()[i] * rows + frequencies()[j] * cols)
        both = np.stack([np.cos(phase), np.sin(phase)]).astype(np.float32)[..., None]
        real, imaginary = numpy(layer(both))[..., 0]
        # A complex wave comes out with the same amplitude everywhere: |H|.
        np.testing.assert_allclose(np.hypot(real, imaginary), response[i, j], rtol=1e-3, atol=1e-4)


def test_the_middle_of_the_response_is_zero_frequency_and_its_first_row_alternating_rows() -> None:
    assert frequencies()[16] == 0 and frequencies()[0] == -0.5
    response = plane([[1], [-1]]).response
    assert response is not None
    np.testing.assert_allclose(response[16], 0, atol=1e-7)
    np.testing.assert_allclose(response[0], 2)  # rows that alternate between 1 and −1 give 2 and −2


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_kernel_that_is_not_finite_is_told_in_a_sentence(bad: float) -> None:
    kernel: NDArray[np.float64] = np.ones((3, 3, 2))
    kernel[1, 1, 0] = bad
    found: Diagnostics = diagnose(kernel)
    assert "1 value that is NaN or infinite" in found.note and found.note.endswith(".")
    assert (found.symmetry, found.left_right, found.up_down) == (None, None, None)
    assert found.ranks == (None, 1)
    assert found.planes[0].separable is None and found.planes[0].response is None
    np.testing.assert_equal([found.sum, found.planes[0].sum], [bad, bad])


@pytest.mark.parametrize("shape", [(3,), (3, 0), (1, 2, 3, 4)])
def test_what_is_no_kernel_is_refused_with_its_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(kh, kw\) or \(kh, kw, channels\)"):
        diagnose(np.ones(shape))


def test_results_are_read_only() -> None:
    found = plane(presets["sobel_x"])
    for array in (found.vertical, found.horizontal, found.response):
        assert array is not None and not array.flags.writeable
