"""The parts of a survey that work on many filters at once answer as their definition does, one filter after another."""

from __future__ import annotations

import pickle
from typing import Any

import keras
import numpy as np
import pytest

import convlens
from convlens.maths.receptive_field import ReceptiveField
from convlens.models.conv_model import ConvModel
from convlens.models.model_inputs import read_inputs
from convlens.surveys.best import Best, Floor, place
from convlens.surveys.patches import LONGEST_SIDE, Cutter, Patch
from convlens.surveys.quantiles import Sketch
from convlens.surveys.windows import Windows

layers = keras.layers


def cut(positions: Any, filters: Any) -> Any:
    """What is kept says which image and which filter it was cut for."""
    patches = np.empty(len(positions), object)
    for i, (position, one) in enumerate(zip(positions.tolist(), filters.tolist(), strict=True)):
        patches[i] = Patch(np.full((1, 1), position, np.uint8), 0, one + 1)
    return np.stack([positions, filters, *[positions * 0] * 4], axis=1).astype(np.int32), patches


def random_values(count: int, seed: int = 0) -> np.ndarray:
    """Whole numbers, of which many are the same; one filter is dead, one overflows, and one gives no numbers."""
    values = np.random.default_rng(seed).integers(0, 12, (count, 6)).astype(np.float32)
    values[:, 1], values[::3, 2], values[:, 3] = 0, np.inf, np.nan
    return values


def ranked(ids: list[Any], values: np.ndarray, top: int) -> list[list[tuple[Any, float]]]:
    found = []
    for column in values.T:
        finite = [(name, float(value)) for name, value in zip(ids, column, strict=True) if np.isfinite(value)]
        found.append(sorted(finite, key=lambda one: (-one[1], place(one[0])))[:top])
    return found


def kept(best: Best) -> list[list[tuple[Any, float]]]:
    return [[(entry.image, entry.value) for entry in best.entries(one)] for one in range(best.filters)]


IDS = {
    "numbers in order": list(range(90)),
    "names backwards": [f"{90 - i:03d}" for i in range(90)],
    "numbers and names": [i if i % 3 else f"name {i * 7 % 90}" for i in range(90)],
}


@pytest.mark.parametrize("ids", IDS.values(), ids=IDS)
@pytest.mark.parametrize("top", [1, 4, 100])
def test_the_best_of_parts_are_the_best_of_all_in_whatever_order_they_are_merged(ids: list[Any], top: int) -> None:
    values = random_values(90)
    expected = ranked(ids, values, top)
    whole, forwards, backwards, aware = Best(6, top), Best(6, top), Best(6, top), Best(6, top)
    whole.add(ids, values, cut)
    parts = []
    for start in range(0, 90, 15):
        part, less = Best(6, top), Best(6, top)
        part.add(ids[start : start + 15], values[start : start + 15], cut)
        less.add(ids[start : start + 15], values[start : start + 15], cut, aware.floor())
        parts.append(part)
        forwards.merge(part)
        aware.merge(pickle.loads(pickle.dumps(less)))
    for part in parts[::-1]:
        backwards.merge(part)
    for best in (whole, forwards, backwards, aware):
        assert kept(best) == expected


@pytest.mark.parametrize("ids", IDS.values(), ids=IDS)
@pytest.mark.parametrize("top", [1, 4])
def test_the_best_of_two_workers_that_are_told_of_each_other_are_the_best_of_all(ids: list[Any], top: int) -> None:
    values = random_values(90)
    total, workers = Best(6, top), (Best(6, top), Best(6, top))
    told = total.floor()
    for number, start in enumerate(range(0, 90, 5)):
        seen, part = workers[number % 2], Best(6, top)
        part.add(ids[start : start + 5], values[start : start + 5], cut, seen.floor().and_above(told))
        seen.merge(part)
        if number % 3 == 0:
            told = total.floor()
        total.merge(part)
    assert kept(total) == ranked(ids, values, top)


def test_what_exceeds_two_floors_exceeds_the_higher_and_equals_it_only_before_the_later_id() -> None:
    nothing = Floor(np.full(2, -np.inf, np.float32), None)
    low, high = Floor(np.array([1, 5], np.float32), place(3)), Floor(np.array([4, 2], np.float32), place(7))
    for one, other in ((low, high), (high, low)):
        both = one.and_above(other)
        np.testing.assert_array_equal(both.values, [4, 5])
        assert both.last == place(7)
        for left, right in ((one, nothing), (nothing, one)):
            np.testing.assert_array_equal(left.and_above(right).values, one.values)
            assert left.and_above(right).last == one.last
    assert nothing.and_above(nothing).last is None


def test_what_is_kept_of_an_image_was_cut_for_it() -> None:
    values = random_values(40)
    best = Best(6, 5)
    for start in (0, 20):
        best.add(list(range(start, start + 20)), values[start : start + 20], cut)
    for one in range(6):
        for entry in best.entries(one):
            assert entry.pixel == (int(entry.image) % 20, one)
            assert entry.patch.high == one + 1
            assert entry.patch.values().shape == (1, 1, 1)


def model_of(*between: Any) -> keras.Model:
    return keras.Sequential([keras.Input((30, 23, 1)), *between, layers.Conv2D(1, 3, name="last")])


def dilated_beside_plain() -> keras.Model:
    image = keras.Input((30, 23, 1))
    branches = [layers.Conv2D(1, 3, padding="same", dilation_rate=rate)(image) for rate in (1, 4)]
    return keras.Model(image, layers.Conv2D(1, 3, strides=2, name="last")(layers.Concatenate()(branches)))


MODELS = {
    "one": lambda: model_of(),
    "strides and padding": lambda: model_of(
        layers.Conv2D(1, 3, strides=2), layers.Conv2D(1, 3, padding="same"), layers.MaxPooling2D(2, padding="same")
    ),
    "deeper than the image": lambda: model_of(*[layers.Conv2D(1, 5, padding="same") for _ in range(9)]),
    "enlarged": lambda: model_of(layers.UpSampling2D(2), layers.Conv2D(1, 3, padding="same")),
    "turned": lambda: model_of(layers.Permute((2, 1, 3))),
    "branches": dilated_beside_plain,
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_windows_are_those_that_the_graph_has_for_every_pixel(make: Any) -> None:
    model = make()
    recorded = ConvModel(model, np.zeros((1, 30, 23, 1), np.float32), read_inputs(model))
    rows, cols = recorded.find("last").output_shape[:2]

    def field(row: int, col: int) -> Any:
        return recorded.receptive_field("last", row, col)

    every = [(row, col) for row in range(rows) for col in range(cols)]
    found = Windows(field, (rows, cols), (30, 23)).of(*np.array(every).T)
    for pixel, window in zip(every, found.tolist(), strict=True):
        # The graph does not tell what an axis that was moved reads: all of the image.
        inside = field(*pixel).inside or (range(30), range(23))
        assert window == [inside[0][0], inside[0][-1], inside[1][0], inside[1][-1]]


def test_a_map_whose_rows_read_columns_is_looked_up_pixel_by_pixel() -> None:
    def turned(row: int, col: int) -> ReceptiveField:
        return ReceptiveField((col, col), (row, row), ((col,), (row,)))

    found = Windows(turned, (9, 9), (9, 9)).of(np.array([1, 8]), np.array([3, 0]))
    assert found.tolist() == [[3, 3, 1, 1], [0, 0, 8, 8]]


def test_few_pixels_of_a_large_map_are_looked_up() -> None:
    model = keras.Sequential([keras.Input((200, 200, 1)), layers.Conv2D(1, 5, padding="same", name="last")])
    recorded = ConvModel(model, np.zeros((1, 200, 200, 1), np.float32), read_inputs(model))
    looked_up = []

    def field(row: int, col: int) -> Any:
        looked_up.append((row, col))
        return recorded.receptive_field("last", row, col)

    windows = Windows(field, (200, 200), (200, 200))
    assert windows.of(np.array([7]), np.array([150])).tolist() == [[5, 9, 148, 152]]
    assert len(looked_up) < 30


@pytest.mark.parametrize("cols", [9, 6], ids=["wide", "square"])
def test_of_several_greatest_pixels_the_first_in_reading_order_is_named(cols: int) -> None:
    model = keras.Sequential([keras.Input((6, cols, 1)), layers.Conv2D(1, 1, activation="relu6", name="same")])
    model.get_layer("same").set_weights([np.ones((1, 1, 1, 1), np.float32), np.zeros(1, np.float32)])
    image = np.zeros((6, cols), np.float32)
    image[2, 4] = image[3, 0] = image[2, 5] = image[5, 2] = 50  # all of them 6 after the activation
    assert convlens.survey(model, [image], progress=False).top("same", 0)[0].pixel == (2, 4)


@pytest.mark.parametrize("scale", [1, 1 / 255, 3], ids=["bytes", "0 to 1", "other"])
def test_a_window_is_cut_as_it_is_out_of_the_image_alone(scale: float) -> None:
    random = np.random.default_rng(3)
    images = [(random.integers(0, 256, (100, 90, 3)) * scale).astype(np.float32) for _ in range(2)]
    images[1][:40] = 0  # a part that is dark has no scale of its own
    windows = np.array([[0, 99, 0, 89], [3, 12, 5, 9], [3, 12, 5, 9], [90, 99, 80, 89]], np.int32)
    positions = np.array([1, 1, 0, 0])
    found = Cutter(images, signal=False).cut(positions, windows)
    for patch, position, (top, bottom, left, right) in zip(found, positions, windows.tolist(), strict=True):
        alone = Patch.of(images[position], ((top, bottom), (left, right)))
        assert (patch.low, patch.high) == (alone.low, alone.high)
        np.testing.assert_array_equal(patch.values(), alone.values())
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(patch)).values(), alone.values())
        assert max(patch.values().shape) <= LONGEST_SIDE


def test_counts_are_the_same_in_another_process() -> None:
    values = np.random.default_rng(4).normal(size=(500, 3)).astype(np.float32)
    sketch = Sketch(3)
    sketch.add(values)
    there = pickle.loads(pickle.dumps(sketch))
    there.add(values)
    sketch.add(values)
    for one in range(3):
        for here, other in zip(sketch.counts(one), there.counts(one), strict=True):
            np.testing.assert_array_equal(here, other)
        assert sketch.counts(one)[1].sum() == 1000
