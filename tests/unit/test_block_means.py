"""Pictures reduced by averaging, against means taken block by block."""

import itertools

import numpy as np
import pytest

from convlens.maths.block_means import block_means, block_starts, fitted
from convlens.protocol import records
from convlens.protocol.record_types import MapRecord


def slowly(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the mean of each block in float64, the blocks cut by whole-number division."""
    rows, cols = values.shape[:2]

    def cut(size: int, count: int) -> list[slice]:
        edges = [i * size // count for i in range(count + 1)]
        return [slice(a, b) for a, b in itertools.pairwise(edges)]

    return np.array(
        [[values[r, c].astype(np.float64).mean(axis=(0, 1)) for c in cut(cols, shape[1])] for r in cut(rows, shape[0])]
    )


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((12, 8), (3, 4)),
        ((13, 7), (5, 3)),
        ((13, 7), (13, 2)),
        ((7, 5), (7, 5)),
        ((9, 11), (1, 1)),
        ((6, 5, 3), (4, 2)),
    ],
)
def test_each_pixel_is_the_mean_of_its_block(size: tuple[int, ...], shape: tuple[int, int]) -> None:
    values = np.random.default_rng(0).normal(size=size).astype(np.float32)
    found = block_means(values, shape)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, slowly(values, shape), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("count", [1, 2, 5, 12])
def test_blocks_cover_the_axis_once(count: int) -> None:
    sizes = np.diff(block_starts(12, count), append=12)
    assert sizes.sum() == 12 and sizes.min() >= 1 and np.ptp(sizes) <= 1


def test_what_is_no_number_marks_its_block_and_no_other() -> None:
    values = np.ones((4, 8), np.float32)
    values[0, 0], values[1, 3], values[2, 5], values[3, 6], values[3, 7] = np.nan, np.inf, -np.inf, np.inf, -np.inf
    np.testing.assert_array_equal(block_means(values, (2, 4)), [[np.nan, np.inf, 1, 1], [1, 1, -np.inf, np.nan]])


@pytest.mark.parametrize("also", [0.0, np.nan])
def test_sums_of_large_numbers_stay_finite(also: float) -> None:
    values = np.full((4, 4), 3e38, np.float32)
    values[0, 0] = also
    np.testing.assert_allclose(block_means(values, (2, 2))[1], 3e38, rtol=1e-6)


@pytest.mark.parametrize(("rows", "cols"), [(3000, 4000), (4000, 3000), (10, 10), (1, 2_000_000), (7, 600_000)])
def test_fitted_keeps_the_proportion_within_the_pixels(rows: int, cols: int) -> None:
    high, wide = fitted(rows, cols, 2**19)
    assert 1 <= high <= rows and 1 <= wide <= cols and high * wide <= 2**19
    if rows * cols <= 2**19:
        assert (high, wide) == (rows, cols)
    elif rows > 10:
        assert high / wide == pytest.approx(rows / cols, rel=0.01)


def levels(record: MapRecord) -> np.ndarray:
    """Return what a record draws, ``(rows, cols)``."""
    return np.frombuffer(record["levels"], np.uint8).reshape(record["shape"])


def test_a_reduced_map_has_the_levels_of_means_and_the_range_and_counts_of_all_values() -> None:
    pre = np.random.default_rng(1).normal(size=(60, 80)).astype(np.float32)
    activation = np.maximum(pre, 0)
    record = records.map_record(pre, activation, "activation", shape=(7, 9))
    assert record["range"] == [0.0, float(activation.max())]
    assert record["counts"]["zeros"] == np.count_nonzero(activation == 0)
    expected = np.floor(slowly(activation, (7, 9)) / activation.max() * 256)
    assert np.abs(levels(record) - expected).max() <= 1


def test_a_window_has_the_range_and_counts_of_the_whole_map() -> None:
    values = np.arange(48, dtype=np.float32).reshape(6, 8)
    values[5, 7] = np.nan
    record = records.map_record(values, values, "activation", shape=(2, 2), window=(0, 4, 2, 6))
    assert record["range"] == [0.0, 46.0] and record["counts"]["nan"] == 1
    expected = np.floor(slowly(values[0:4, 2:6], (2, 2)) / 46 * 256)
    assert np.abs(levels(record) - expected).max() <= 1
    assert record["flags"] == bytes(4)


def test_what_lies_outside_a_fixed_range_is_marked_where_the_mean_does() -> None:
    values = np.array([[0, 0, 4, 8], [0, 0, 4, 8]], np.float32)
    record = records.map_record(values, values, "activation", fixed=(1, 5), shape=(1, 2))
    assert list(record["flags"] or b"") == [records.BELOW, records.ABOVE]
    assert record["range"] == [1.0, 5.0]
