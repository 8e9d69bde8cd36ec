"""An output that is a picture is sent as maps before and after the edits, and their difference, as Keras has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from convlens.layers.stateless_call import to_numpy
from convlens.protocol import saved_answers
from tests.unit.test_export import read_state
from tests.unit.test_model_requests import predictions
from tests.unit.test_outputs_of_models import edited_clone, image, segmenting, several
from tests.unit.test_requests import Browser

SIDES = ("before", "after", "difference")


def asked(lens: ConvLens) -> Browser:
    """A browser to which the lens has sent its output."""
    browser = Browser(lens)
    browser.ask("predict")
    (message,) = predictions(browser)
    assert message["predictions"] is None and "note" not in message and "error" not in message
    return browser


def levels_of(values: Any) -> Any:
    """Matplotlib's index into a table of 256 colours over the values' own range."""
    low, high = float(values.min()), float(values.max())
    return np.clip(np.floor((values.astype(np.float64) - low) * 256 / (high - low)), 0, 255).astype(int)


def assert_map(record: Any, values: Any) -> None:
    assert record["range"] == [float(values.min()), float(values.max())]
    levels = np.frombuffer(record["levels"], np.uint8).reshape(record["shape"]).astype(int)
    # A value on the edge between two levels may be rounded to either.
    assert np.abs(levels - levels_of(values)).max() <= 1
    assert np.mean(levels == levels_of(values)) > 0.9


def edited() -> tuple[ConvLens, Any, Any]:
    """A lens with an edit, and what Keras returns without and with it: (rows, cols, channels)."""
    model = segmenting()
    lens = ConvLens(image(), model=model, layer="inner")
    lens.set_kernel(0, np.full((3, 3), 0.4))
    return lens, to_numpy(model(image()[None]))[0], to_numpy(edited_clone(model, segmenting, lens))[0]


def test_the_page_knows_the_size_of_an_output_that_is_a_picture_before_it_is_asked_for() -> None:
    lens = ConvLens(image(), model=several())
    told = [lens._state["output"]]
    lens.output = 1
    told.append(lens._state["output"])
    assert told == [None, [12, 10, 2]]
    assert ConvLens(image(), [np.eye(2)])._state["output"] is None


@pytest.mark.parametrize("channel", [0, 1])
def test_a_channel_is_keras_output_with_its_own_and_with_the_edited_weights(channel: int) -> None:
    lens, before, after = edited()
    answer = asked(lens).ask("output_maps", channel=channel)["output_maps"]
    assert (answer["channel"], answer["size"]) == (channel, [12, 10])
    before, after = before[..., channel], after[..., channel]
    np.testing.assert_allclose(answer["after"]["range"], [after.min(), after.max()], rtol=1e-5)
    mine = lens.predictions
    assert mine.before is not None and mine.after is not None
    np.testing.assert_allclose(mine.before[..., channel], before, atol=1e-6)
    np.testing.assert_allclose(mine.after[..., channel], after, atol=1e-6)
    one, other = mine.before[..., channel], mine.after[..., channel]
    for side, values in zip(SIDES, (one, other, other - one), strict=True):
        assert answer[side]["shape"] == [12, 10]
        assert_map(answer[side], values)
    assert max(map(abs, answer["difference"]["range"])) > 1e-3


def test_a_value_that_is_read_is_the_outputs_own() -> None:
    lens, before, after = edited()
    browser = asked(lens)
    mine = lens.predictions
    assert mine.before is not None and mine.after is not None
    found = browser.ask("output_values", channel=1, row=3, col=7)["output_values"]
    assert found == [float(mine.before[3, 7, 1]), float(mine.after[3, 7, 1])]
    np.testing.assert_allclose(found, [before[3, 7, 1], after[3, 7, 1]], atol=1e-6)


def test_a_part_is_reduced_by_means_and_keeps_the_range_of_the_whole() -> None:
    lens, _, _ = edited()
    browser = asked(lens)
    after = lens.predictions.after
    assert after is not None
    answer = browser.ask("output_maps", channel=0, window=[2, 10, 4, 10], shape=[4, 3])["output_maps"]
    whole, part = after[..., 0], after[2:10, 4:10, 0]
    means = part.reshape(4, 2, 3, 2).mean(axis=(1, 3))
    low, high = answer["after"]["range"]
    assert (low, high) == (float(whole.min()), float(whole.max()))
    levels = np.frombuffer(answer["after"]["levels"], np.uint8).reshape(4, 3)
    assert np.abs(levels - np.clip(np.floor((means - low) * 256 / (high - low)), 0, 255)).max() <= 1


def test_infinity_and_nan_are_counted_and_their_difference_is_none_that_is_drawn() -> None:
    lens = ConvLens(image(), model=several(), layer="inner", output=1)
    lens.set_kernel(0, np.full((3, 3), np.inf))
    answer = asked(lens).ask("output_maps", channel=0)["output_maps"]
    after = lens.predictions.after
    assert after is not None
    odd = [int(one(after[..., 0]).sum()) for one in (np.isnan, np.isposinf, np.isneginf)]
    assert sum(odd) > 0
    for side in ("after", "difference"):
        assert [answer[side]["counts"][name] for name in ("nan", "posinf", "neginf")] == odd
    assert answer["before"]["flags"] is None


def test_of_weights_that_were_not_told_nothing_is_sent_and_what_is_not_there_is_refused() -> None:
    lens, _, _ = edited()
    browser = asked(lens)
    requests: list[tuple[dict[str, Any], str]] = [
        ({"kind": "output_maps", "channel": 2}, "no channel 2"),
        ({"kind": "output_maps", "channel": 0, "window": [0, 13, 0, 1]}, "12 rows"),
        ({"kind": "output_maps", "channel": 0, "shape": [0, 1]}, "at least 1"),
        ({"kind": "output_values", "channel": 0, "row": 12, "col": 0}, "12 rows and 10 columns"),
        ({"kind": "output_values", "channel": -1, "row": 0, "col": 0}, "no channel -1"),
    ]
    for request, why in requests:
        answer = browser.ask(**request)
        assert not answer["ok"] and why in answer["error"]["text"]
    lens.set_kernel(0, np.zeros((3, 3)))
    assert "output_maps" not in browser.ask("output_maps", channel=0)
    assert "output_values" not in browser.ask("output_values", channel=0, row=0, col=0)


def test_the_output_of_a_model_over_signals_is_a_picture_of_one_row() -> None:
    keras.utils.set_random_seed(3)
    inputs = keras.Input((16, 1))
    x = keras.layers.Conv1D(3, 5, padding="same", activation="relu", name="inner")(inputs)
    model = keras.Model(inputs, keras.layers.Conv1D(2, 3, padding="same")(x))
    signal = np.random.default_rng(1).random(16, dtype=np.float32)
    lens = ConvLens(signal, model=model)
    assert lens._state["output"] == [1, 16, 2]
    answer = asked(lens).ask("output_maps", channel=1)["output_maps"]
    expected = to_numpy(model(signal[None, :, None]))[0]
    assert answer["size"] == [1, 16]
    np.testing.assert_allclose(answer["before"]["range"], [expected[:, 1].min(), expected[:, 1].max()], rtol=1e-5)


def test_an_output_of_rows_and_columns_has_one_channel() -> None:
    inputs = keras.Input((12, 10, 1))
    x = keras.layers.Conv2D(1, 3, padding="same", name="inner")(inputs)
    lens = ConvLens(image(), model=keras.Model(inputs, keras.layers.Reshape((12, 10))(x)))
    assert lens._state["output"] == [12, 10, 1]
    before = lens.predictions.before
    assert before is not None
    assert_map(asked(lens).ask("output_maps", channel=0)["output_maps"]["before"], before)


def saved(lens: ConvLens, folder: Path) -> dict[str, Any]:
    lens.save_html(folder / "lens.html")
    found: dict[str, Any] = read_state((folder / "lens.html").read_text("utf-8"))["_saved"]
    return found


def test_a_saved_page_has_the_output_of_its_weights_as_far_as_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lens, _, _ = edited()
    assert saved(lens, tmp_path)["outputs"] == []
    mine = lens.predictions
    assert mine.before is not None and mine.after is not None
    found = saved(lens, tmp_path)
    assert [one["channel"] for one in found["outputs"]] == [0, 1] and found["left_out"] == ""
    for channel, one in enumerate(found["outputs"]):
        assert_map(one["after"], mine.after[..., channel])
        both = np.frombuffer(one["values"], "<f4").reshape(2, 12, 10)
        np.testing.assert_array_equal(both, [mine.before[..., channel], mine.after[..., channel]])
    monkeypatch.setattr(saved_answers, "OUTPUT_BYTES", 6 * 12 * 10)
    found = saved(lens, tmp_path)
    assert [one["channel"] for one in found["outputs"]] == [0]
    assert found["left_out"] == "Not in this page, which is kept small: 1 of 2 channels of the model's output."
    monkeypatch.setattr(saved_answers, "OUTPUT_PIXELS", 6 * 5)
    assert saved(lens, tmp_path)["outputs"][0]["after"]["shape"] == [6, 5]
    monkeypatch.setattr(saved_answers, "PREDICTION_BYTES", 8 * 12 * 10 - 1)
    assert "values" not in saved(lens, tmp_path)["outputs"][0]
    lens.set_kernel(0, np.zeros((3, 3)))
    assert saved(lens, tmp_path)["outputs"] == []
