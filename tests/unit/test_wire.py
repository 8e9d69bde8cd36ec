"""What is sent to the browser: bytes, levels and flags."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from matplotlib import colormaps
from matplotlib.colors import Normalize

from convlens.inputs.images import read_image
from convlens.maths.arrays import json_number
from convlens.protocol import records
from convlens.protocol.record_types import MapRecord


def levels(record: MapRecord, shape: tuple[int, ...]) -> np.ndarray:
    return np.frombuffer(record["levels"], np.uint8).reshape(shape)


def test_packing_takes_out_bytes_and_unpacking_puts_them_back() -> None:
    content = {"a": b"one", "b": [1, {"c": b"two"}], "d": None}
    packed, buffers = records.pack(content)
    assert json.loads(json.dumps(packed)) == packed
    assert records.unpack(packed, [memoryview(b) for b in buffers]) == content


@pytest.mark.parametrize("index", [2, -1, "0", None])
def test_a_message_that_names_a_buffer_it_did_not_bring_is_refused(index: object) -> None:
    with pytest.raises(ValueError, match="buffer"):
        records.unpack({"kernel": {"$buffer": index}}, [b"", b""])


@given(st.floats(width=32))
def test_every_float_survives_json(value: float) -> None:
    written = json.loads(json.dumps(json_number(value), allow_nan=False))
    assert float(written) == value or (np.isnan(float(written)) and np.isnan(value))


def test_levels_are_the_indices_that_matplotlib_draws_with() -> None:
    values = np.random.default_rng(0).normal(size=(60, 50)).astype(np.float32)
    record = records.map_record(values, values, "activation")
    low, high = record["range"]
    assert (low, high) == (values.min(), values.max())
    table = colormaps["viridis"](np.arange(256), bytes=True)
    drawn = colormaps["viridis"](Normalize(low, high)(values), bytes=True)
    ours = table[levels(record, values.shape)]
    # Both round a float32 quotient; a value on the edge between two levels may fall to either side.
    assert (drawn != ours).any(axis=-1).mean() < 0.001


@given(arrays.arrays(np.float32, (3, 5), elements=st.floats(-(2.0**100), 2.0**100, width=32)))
def test_a_level_tells_its_value_to_half_a_step(values: np.ndarray) -> None:
    record = records.map_record(values, values, "activation")
    low, high = record["range"]
    step = (high - low) / 256
    back = low + (levels(record, values.shape) + 0.5) * step
    assert np.all(np.abs(back - values) <= step * 0.5 + 1e-5 * (high - low))


def test_a_constant_map_is_all_level_zero() -> None:
    values = np.full((2, 2), 3, np.float32)
    assert not levels(records.map_record(values, values, "activation"), (2, 2)).any()


def test_nan_and_infinities_are_flagged_counted_and_kept_out_of_the_range() -> None:
    values = np.array([[np.nan, np.inf, -np.inf], [1, 2, 0]], np.float32)
    record = records.map_record(values, values, "activation")
    assert record["range"] == [0, 2]
    assert list(record["flags"] or b"") == [records.NAN, records.POSINF, records.NEGINF, 0, 0, 0]
    assert record["counts"] == {"nan": 1, "posinf": 1, "neginf": 1, "zeros": 1}
    assert list(levels(record, (2, 3))[1]) == [128, 255, 0]


def test_a_map_without_a_finite_value_still_crosses() -> None:
    values = np.full((2, 2), np.nan, np.float32)
    record = records.map_record(values, values, "activation")
    assert record["range"] == [0, 0]
    assert set(record["flags"] or b"") == {records.NAN}


def test_values_outside_a_fixed_range_are_flagged_and_the_levels_span_what_is_inside() -> None:
    values = np.array([[-5, 0.25, 0.5, 9]], np.float32)
    record = records.map_record(values, values, "activation", fixed=(0, 1))
    assert list(record["flags"] or b"") == [records.BELOW, 0, 0, records.ABOVE]
    assert record["range"] == [0, 1]
    assert list(levels(record, (1, 4))[0][1:3]) == [64, 128]


def test_the_stage_says_which_array_is_drawn_and_zeros_are_those_after_the_activation() -> None:
    pre = np.array([[-1.0, 0.0, 1.0]], np.float32)
    record = records.map_record(pre, np.maximum(pre, 0), "pre_activation")
    assert record["range"] == [-1, 1]
    assert record["counts"]["zeros"] == 2


def test_extreme_limits_do_not_overflow() -> None:
    big = np.finfo(np.float32).max
    values = np.array([[-big, 0, big]], np.float32)
    assert list(levels(records.map_record(values, values, "activation"), (1, 3))[0]) == [0, 128, 255]


def test_a_byte_image_crosses_as_bytes_that_give_its_very_values() -> None:
    picture = np.arange(256, dtype=np.uint8).reshape(16, 16)
    record = records.image_record(read_image(picture, channels=1, scale=True), 3)
    assert record["dtype"] == "uint8"
    back = (np.frombuffer(record["data"], np.uint8) * record["scale"]).astype(np.float32)
    np.testing.assert_array_equal(back.reshape(16, 16), (picture / 255).astype(np.float32))


def test_a_float_image_crosses_as_float32() -> None:
    picture = np.random.default_rng(0).normal(size=(4, 5))
    record = records.image_record(read_image(picture, channels=1, scale=True), 1)
    assert record["dtype"] == "float32"
    np.testing.assert_array_equal(np.frombuffer(record["data"], "<f4").reshape(4, 5), picture.astype(np.float32))
