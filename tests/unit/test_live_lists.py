"""The lists that a lens returns: what is done to one is done to the lens."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens

IMAGE = np.random.default_rng(0).random((9, 8)).astype(np.float32)
KERNELS = [np.full((2, 2), float(i), np.float32) for i in range(4)]


@pytest.fixture
def lens() -> ConvLens:
    return ConvLens(IMAGE, KERNELS, bias=[10, 11, 12, 13], names=["a", "b", "c", "d"], activation="linear")


def firsts(lens: ConvLens) -> list[float]:
    return [float(kernel[0, 0]) for kernel in lens.kernels]


def test_a_kernel_assigned_in_the_list_is_the_lenss_kernel_and_one_step(lens: ConvLens) -> None:
    heard: list[Any] = []
    lens.observe(lambda change: heard.append(change.new), "kernels")
    lens.kernels[2] = np.eye(2)
    np.testing.assert_array_equal(lens.kernels[2], np.eye(2))
    expected = IMAGE[:-1, :-1] + IMAGE[1:, 1:] + 12
    np.testing.assert_allclose(lens.activations[2], expected, rtol=1e-6)
    assert len(heard) == 1
    lens.undo()
    assert firsts(lens) == [0, 1, 2, 3]


def test_a_list_that_was_read_a_while_ago_takes_nothing_back(lens: ConvLens) -> None:
    old = lens.kernels
    lens.set_kernel(0, np.full((2, 2), 7))
    old[3] = np.full((2, 2), 9)
    assert firsts(lens) == [7, 1, 2, 9]
    assert old == lens.kernels


@pytest.mark.parametrize(
    ("change", "kernels", "names", "bias"),
    [
        (lambda k: k.append(KERNELS[1]), [0, 1, 2, 3, 1], ["a", "b", "c", "d", "Filter 5"], [10, 11, 12, 13, 0]),
        (lambda k: k.pop(1), [0, 2, 3], ["a", "c", "d"], [10, 12, 13]),
        (lambda k: k.__delitem__(slice(0, 2)), [2, 3], ["c", "d"], [12, 13]),
        (lambda k: k.insert(1, KERNELS[3]), [0, 3, 1, 2, 3], ["a", "Filter 2", "b", "c", "d"], [10, 0, 11, 12, 13]),
        (lambda k: k.reverse(), [3, 2, 1, 0], ["a", "b", "c", "d"], [10, 11, 12, 13]),
    ],
    ids=["append", "pop", "del", "insert", "reverse"],
)
def test_filters_that_stay_in_the_list_keep_their_bias_and_name(
    lens: ConvLens, change: Callable[[Any], Any], kernels: list[float], names: list[str], bias: list[float]
) -> None:
    change(lens.kernels)
    assert firsts(lens) == kernels
    assert lens.names == names
    assert lens.bias.tolist() == bias


def test_reading_changing_and_assigning_the_list_is_one_step_as_well(lens: ConvLens) -> None:
    kernels = lens.kernels
    kernels += [KERNELS[0]]
    lens.kernels = kernels
    assert firsts(lens) == [0, 1, 2, 3, 0]
    lens.undo()
    assert firsts(lens) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda k: k.__setitem__(1, np.ones((3, 3))), ValueError),
        (lambda k: k.__setitem__(9, np.ones((2, 2))), IndexError),
        (lambda k: k.clear(), ValueError),
        (lambda k: k.append("kernel"), TypeError),
    ],
    ids=["shape", "index", "empty", "text"],
)
def test_what_the_lens_refuses_leaves_list_and_lens_as_they_were(
    lens: ConvLens, change: Callable[[Any], Any], error: type[Exception]
) -> None:
    kernels = lens.kernels
    with pytest.raises(error):
        change(kernels)
    assert firsts(lens) == [0, 1, 2, 3]
    assert kernels == lens.kernels and len(kernels) == 4


def test_inside_a_model_the_list_may_not_grow() -> None:
    model = keras.Sequential([keras.Input((9, 8, 1)), keras.layers.Conv2D(2, 3, name="conv")])
    lens = ConvLens(IMAGE, model=model, layer="conv")
    with pytest.raises(ValueError, match="cannot be changed inside a model"):
        lens.kernels.append(np.ones((3, 3)))
    lens.kernels[1] = np.ones((3, 3))
    assert (lens.kernels[1] == 1).all() and len(lens.kernels) == 2


def test_a_name_assigned_in_the_list_is_the_filters_name(lens: ConvLens) -> None:
    lens.names[1] = "edges"
    assert lens.names == ["a", "edges", "c", "d"]
    with pytest.raises(ValueError, match="5 names for 4 filters"):
        lens.names.append("e")


def test_copies_are_plain_lists_that_have_nothing_to_do_with_the_lens(lens: ConvLens) -> None:
    for plain in (list(lens.kernels), copy.copy(lens.kernels), pickle.loads(pickle.dumps(lens.kernels))):
        assert type(plain) is list
        plain[0] = np.full((2, 2), 99)
    assert firsts(lens) == [0, 1, 2, 3]


def test_an_assigned_item_is_an_edit_of_that_item_alone(lens: ConvLens, monkeypatch: pytest.MonkeyPatch) -> None:
    """With hundreds of kernels, checking and comparing all of them costs a hundred times as much as one."""

    def all_of_them(*_: Any) -> None:
        raise AssertionError("all kernels were read")

    monkeypatch.setattr("convlens.state.edits.set_kernels", all_of_them)
    kernels = lens.kernels
    lens.set_kernel(1, np.full((2, 2), 8))
    kernels[-2] = np.full((2, 2), 9)
    assert firsts(lens) == [0, 8, 9, 3]
    assert [float(kernel[0, 0]) for kernel in kernels] == [0, 8, 9, 3]
    with pytest.raises(IndexError):
        kernels[4] = np.ones((2, 2))
    with pytest.raises(ValueError, match="shape"):
        kernels[0] = np.ones((3, 3))
    assert firsts(lens) == [0, 8, 9, 3]
