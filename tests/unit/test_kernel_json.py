"""Kernels survive JSON to the bit, and a text that does not hold kernels is refused with what is wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from convlens import ConvLens
from convlens.inputs.kernel_json import dump, load

SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))


@given(st.data(), SHAPES, st.integers(1, 3))
def test_every_float32_comes_back_as_it_was(data: st.DataObject, shape: tuple[int, int, int], number: int) -> None:
    floats = st.floats(width=32)
    kernels = data.draw(arrays.arrays(np.float32, (number, *shape), elements=floats))
    bias = data.draw(arrays.arrays(np.float32, number, elements=floats))
    names = data.draw(st.lists(st.text(), min_size=number, max_size=number))
    text = dump(list(kernels), bias, names)
    json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    back = load(text)
    expected = kernels[..., 0] if shape[2] == 1 else kernels
    np.testing.assert_array_equal(back.kernels, expected)
    np.testing.assert_array_equal(
        np.signbit(back.kernels)[~np.isnan(expected)], np.signbit(expected[~np.isnan(expected)])
    )
    np.testing.assert_array_equal(back.bias, bias)
    assert back.names == names


def test_the_text_is_the_documented_format() -> None:
    text = dump([[[1, 0.1], [np.inf, -0.5]]], names=["a × b"])
    assert json.loads(text) == {
        "convlens": 1,
        "kernels": [[[1, 0.1], ["Infinity", -0.5]]],
        "bias": [0],
        "names": ["a × b"],
    }
    assert "[[1, 0.1]," in text and "a × b" in text


def test_colour_kernels_are_rows_columns_channels() -> None:
    kernel = np.arange(12).reshape(2, 2, 3)
    assert json.loads(dump([kernel]))["kernels"][0][1][0] == [6, 7, 8]


def test_a_lens_gives_and_takes_what_is_written() -> None:
    lens = ConvLens(np.ones((6, 6)), [np.full((3, 3), 1 / 9), np.eye(3)], bias=[0, -1], names=["mean", "diagonal"])
    kernels, bias, names = load(dump(lens.kernels, lens.bias, lens.names))
    other = ConvLens(np.ones((6, 6)), kernels, bias=bias, names=names)
    np.testing.assert_array_equal(other.kernels, lens.kernels)
    np.testing.assert_array_equal(other.activations, lens.activations)
    assert other.names == lens.names


def test_bias_and_names_may_be_left_out() -> None:
    kernels, bias, names = load('{"convlens": 1, "kernels": [[[1, 2]], [[3, "NaN"]]]}')
    np.testing.assert_array_equal(kernels, [[[1, 2]], [[3, np.nan]]])
    np.testing.assert_array_equal(bias, [0, 0])
    assert names is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("1 0 -1", "not JSON"),
        ("[[1, 2], [3, 4]]", 'no "convlens"'),
        ('{"kernels": [[[1]]]}', 'no "convlens"'),
        ('{"convlens": 2, "kernels": [[[1]]]}', "reads format 1"),
        ('{"convlens": true, "kernels": [[[1]]]}', "reads format 1"),
        ('{"convlens": 1, "kernel": [[[1]]]}', "Did you mean 'kernels'"),
        ('{"convlens": 1}', '"kernels" is missing'),
        ('{"convlens": 1, "kernels": []}', "kernels is empty"),
        ('{"convlens": 1, "kernels": [[1, 2], [3, 4]]}', r"kernels\[0\] has shape \(2,\)"),
        ('{"convlens": 1, "kernels": [[[1, 2], [3]]]}', r"kernels\[0\] is ragged"),
        ('{"convlens": 1, "kernels": [[[1]], [[1, 2]]]}', r"kernels\[1\] has shape \(1, 2\)"),
        ('{"convlens": 1, "kernels": [[["1/9"]]]}', r'kernels\[0\] holds "1/9"; expected numbers'),
        ('{"convlens": 1, "kernels": [[[null]]]}', r"kernels\[0\] holds null"),
        ('{"convlens": 1, "kernels": [[[1e300]]]}', "float32 cannot"),
        ('{"convlens": 1, "kernels": [[[1]]], "bias": [0, 0]}', r"bias has shape \(2,\)"),
        ('{"convlens": 1, "kernels": [[[1]]], "bias": 0}', r"bias has shape \(\)"),
        ('{"convlens": 1, "kernels": [[[1]]], "names": ["a", "b"]}', "2 names for 1 filter"),
        ('{"convlens": 1, "kernels": [[[1]]], "names": "a"}', "list of 1 strings"),
    ],
)
def test_a_text_that_holds_no_kernels_says_why(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        load(text)
