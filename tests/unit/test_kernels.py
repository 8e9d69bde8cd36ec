from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from convlens.inputs.kernels import check_fits, kernel_depth, read_bias, read_kernel, read_kernels, read_names
from convlens.inputs.presets import presets
from convlens.layers.kinds import kind_by_name
from convlens.maths.geometry import Geometry

RNG = np.random.default_rng(3)
STEP = np.array([[-1, -1, 1, 1]] * 4)
COLOUR = RNG.normal(size=(2, 3, 5, 3)).astype(np.float32)  # two kernels of 3×5, three channels


# -- what may be given -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kernels",
    [
        [STEP, -STEP],
        (STEP, -STEP),
        [STEP.tolist(), (-STEP).tolist()],
        np.stack([STEP, -STEP]),
        np.stack([STEP, -STEP])[..., None],
        [STEP[..., None], -STEP],
        [STEP.astype("int8"), -STEP.astype("float64")],
        iter([STEP, -STEP]),
    ],
    ids=["list", "tuple", "nested lists", "stack", "stack with channel", "mixed", "dtypes", "iterator"],
)
def test_every_form_of_a_list_of_kernels_is_read(kernels: Any) -> None:
    read = read_kernels(kernels, 1)
    assert [kernel.shape for kernel in read] == [(4, 4, 1)] * 2
    np.testing.assert_array_equal(read[0][:, :, 0], STEP)
    np.testing.assert_array_equal(read[1][:, :, 0], -STEP)
    assert all(kernel.dtype == np.float32 for kernel in read)


def test_booleans_and_tensors_are_kernels() -> None:
    import tensorflow as tf

    np.testing.assert_array_equal(read_kernels([STEP > 0], 1)[0][:, :, 0], STEP > 0)
    np.testing.assert_array_equal(read_kernels(tf.constant(COLOUR), 3), COLOUR)
    np.testing.assert_array_equal(read_kernels([tf.constant(k) for k in COLOUR], 3), COLOUR)


def test_kernels_of_several_channels_keep_their_axes() -> None:
    for given in (COLOUR, list(COLOUR)):
        np.testing.assert_array_equal(read_kernels(given, 3), COLOUR)


def test_nan_and_infinity_are_let_through() -> None:
    values = np.array([[np.nan, np.inf], [-np.inf, 0]])
    np.testing.assert_array_equal(read_kernels([values], 1)[0][:, :, 0], values)


def test_kernels_are_copies_and_numpy_refuses_to_write_to_them() -> None:
    given = COLOUR.copy()
    read = read_kernels(given, 3)
    given[:] = 0
    np.testing.assert_array_equal(read, COLOUR)
    for kernel in read:
        assert kernel.base is None or not kernel.base.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            kernel[1, 2] = 5


def test_the_depth_of_kernels_is_the_channels_they_read() -> None:
    assert kernel_depth([STEP, STEP]) == 1
    assert kernel_depth(np.stack([STEP, STEP])) == 1
    assert kernel_depth(COLOUR) == 3
    assert kernel_depth([STEP.tolist()]) == 1
    for unclear in ([], None, "sobel_x", STEP, [[1, 2], [3]], 5):
        assert kernel_depth(unclear) is None


# -- errors ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kernels", "channels", "words"),
    [
        (STEP, 1, r"put it in a list: \[kernel\]"),
        (STEP.tolist(), 1, r"put it in a list: \[kernel\]"),
        (COLOUR[0], 3, r"put it in a list: \[kernel\]"),
        (np.ones((5, 5, 1)), 1, r"put it in a list: \[kernel\]"),
        ([], 1, "kernels is empty"),
        (np.zeros((0, 3, 3)), 1, "kernels is empty"),
        ([np.zeros((0, 3))], 1, r"kernels\[0\] has shape \(0, 3, 1\): it is empty"),
        ([STEP, STEP[:3, :3]], 1, r"kernels\[1\] has shape \(3, 3\), but kernels\[0\] has \(4, 4\)"),
        ([STEP, [[1, 2], [3]]], 1, r"kernels\[1\] is ragged: its rows differ in length \(2, 1\)"),
        ([STEP], 3, r"kernels\[0\] has shape \(4, 4\); expected \(kh, kw, 3\).*np\.stack\(\[kernel\] \* 3, axis=-1\)"),
        ([COLOUR[0]], 1, r"kernels\[0\] has shape \(3, 5, 3\); expected \(kh, kw\)"),
        ([COLOUR[0], COLOUR[1][..., :2]], 3, r"kernels\[1\] has shape \(3, 5, 2\)"),
        ([np.ones((3, 5, 5))], 3, r"np\.moveaxis\(kernel, 0, -1\)"),
        ([STEP[:, :, None, None]] * 2, 1, r"kernel\[:, :, :, 0\]"),
        ([np.array(1e300) * STEP], 1, r"kernels\[0\] holds .*1e\+300, which float32 cannot"),
    ],
)
def test_a_wrong_list_is_refused_naming_the_kernel_and_the_mend(kernels: Any, channels: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_kernels(kernels, channels)


@pytest.mark.parametrize(
    ("kernels", "words"),
    [
        (None, "kernels is None"),
        (5, "expected a list of arrays"),
        ("sobel_x", "expected a list of arrays"),
        (["sobel_x"], r"kernels\[0\] is the string 'sobel_x'.*presets\['sobel_x'\]"),
        (["abc"], r"kernels\[0\] is the string 'abc'; expected an array\.$"),
        ([STEP, None], r"kernels\[1\] is None"),
        ([STEP, STEP * 1j], r"kernels\[1\] is complex"),
        ([STEP, [["a"]]], r"kernels\[1\] holds text"),
        ([STEP, [[None]]], r"kernels\[1\] has dtype object"),
        (presets, r"list\(kernels\.values\(\)\)"),
    ],
)
def test_what_holds_no_numbers_is_a_type_error_naming_the_kernel(kernels: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        read_kernels(kernels, 1)


# -- one kernel ------------------------------------------------------------------------------------------------


def test_one_kernel_must_have_the_shape_of_the_list() -> None:
    np.testing.assert_array_equal(read_kernel(STEP, (4, 4, 1), 2)[:, :, 0], STEP)
    np.testing.assert_array_equal(read_kernel(COLOUR[0], (3, 5, 3), 0), COLOUR[0])
    with pytest.raises(ValueError, match=r"kernels\[2\] has shape \(3, 3\); .* have \(4, 4\)"):
        read_kernel(STEP[:3, :3], (4, 4, 1), 2)
    with pytest.raises(ValueError, match=r"kernels\[1\] has shape \(4, 4\); expected \(kh, kw, 3\)"):
        read_kernel(STEP, (4, 4, 3), 1)


# -- bias and names --------------------------------------------------------------------------------------------


def test_bias_is_one_number_a_filter() -> None:
    np.testing.assert_array_equal(read_bias(None, 3), np.zeros(3))
    bias = read_bias([1, 2.5, -3], 3)
    np.testing.assert_array_equal(bias, [1, 2.5, -3])
    assert bias.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        bias[0] = 1
    with pytest.raises(ValueError, match=r"shape \(2,\); expected \(3,\)"):
        read_bias([1, 2], 3)
    with pytest.raises(ValueError, match=r"np\.full\(3, 0\.5\)"):
        read_bias(0.5, 3)
    with pytest.raises(TypeError, match="text"):
        read_bias(["a", "b"], 2)


def test_names_default_to_the_tutorials_and_are_one_a_filter() -> None:
    assert read_names(None, 2) == ["Filter 1", "Filter 2"]
    assert read_names(("a", "b"), 2) == ["a", "b"]
    with pytest.raises(ValueError, match="1 names for 2 filters"):
        read_names(["a"], 2)
    with pytest.raises(TypeError, match=r"names\[1\]"):
        read_names(["a", 2], 2)
    with pytest.raises(TypeError, match="list of 2 strings"):
        read_names("ab", 2)


# -- fitting the image -----------------------------------------------------------------------------------------


def test_a_kernel_larger_than_the_padded_image_is_refused() -> None:
    fits = Geometry(input_shape=(5, 8, 1), filters=1, kernel_size=(5, 8))
    check_fits(fits)
    for wrong in (replace(fits, kernel_size=(6, 1)), replace(fits, kernel_size=(1, 9))):
        with pytest.raises(ValueError, match=r"kernels\[0\].*larger than the image of 5 × 8"):
            check_fits(wrong)
        check_fits(replace(wrong, padding="same"))
        check_fits(replace(wrong, kind=kind_by_name("transpose").arithmetic))


def test_dilation_counts_in_what_a_kernel_spans() -> None:
    # Three rows, every second one: 2·(3 − 1) + 1 = 5.
    dilated = Geometry(input_shape=(5, 5, 1), filters=1, kernel_size=(3, 3), dilation_rate=(2, 2))
    check_fits(dilated)
    with pytest.raises(ValueError, match="spanning 5 × 5"):
        check_fits(replace(dilated, input_shape=(4, 5, 1)))
