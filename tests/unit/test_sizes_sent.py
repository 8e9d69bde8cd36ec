"""What a browser sends is bounded before any of it is copied, and the lens stays as it was."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from convlens import ConvLens
from convlens.maths import limits
from convlens.protocol.prediction_worker import PredictionWorker

IMAGE = np.random.default_rng(0).random((6, 5)).astype(np.float32)


@pytest.fixture
def lens() -> Iterator[ConvLens]:
    lens = ConvLens(IMAGE, [np.eye(2), np.ones((2, 2))])
    yield lens
    lens.close()


def error_of(lens: ConvLens, content: dict[str, Any], *buffers: Any) -> str:
    """Send a message that must be refused; return the answer, and check what that took."""
    answers: list[Any] = []
    lens._outgoing._send = lambda message, _: answers.append(message.get("content"))
    before = (lens.names, lens.image.tobytes(), [k.tolist() for k in lens.kernels], lens._session.history.counts)
    tracemalloc.start()
    start = time.thread_time()
    try:
        lens._handle_custom_msg(content, list(buffers))
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()
    assert time.thread_time() - start < 2  # with every allocation traced; a comparison of 10 MB took that alone
    assert before == (
        lens.names,
        lens.image.tobytes(),
        [k.tolist() for k in lens.kernels],
        lens._session.history.counts,
    )
    (answer,) = [one for one in answers if one and one["type"] == "answer"]
    assert not answer["ok"]
    text = str(answer["error"]["text"])
    assert len(text) < 1000
    return text


def test_a_picture_of_8192_pixels_a_side_is_refused_with_a_size_that_is_taken(lens: ConvLens) -> None:
    data = np.zeros(8192 * 8192, np.uint8).data
    text = error_of(lens, {"type": "image", "shape": [8192, 8192, 1], "data": {"$buffer": 0}}, data)
    assert "67.1 million pixels" in text and "4096 × 4096" in text
    assert limits.SENT_PIXELS >= 2730 * 2730


def test_a_message_of_more_bytes_than_any_picture_is_refused(lens: ConvLens) -> None:
    data = np.zeros(limits.SENT_BYTES + 1, np.uint8).data
    assert "128 MB at most" in error_of(lens, {"type": "replace", "kernels": {"$buffer": 0}}, data)


def test_a_buffer_is_one_value(lens: ConvLens) -> None:
    buffer = bytes(9_000_000)
    content = {"type": "edit", "edits": [{"$buffer": 0}] * 100}
    assert "named buffer 0 twice" in error_of(lens, content, buffer)


@pytest.mark.parametrize(
    "content",
    [
        {"type": "rename", "name": "x" * 50_000_000},
        {"type": "add", "kernel": {"$buffer": 0}, "at": 0, "name": "x" * 50_000_000},
        {"type": "set", "name": "layer_path", "value": "x" * 10_000_000},
        {"type": "set", "name": "cmap", "value": "x" * 10_000_000},
        {"type": "x" * 10_000_000},
        {"type": "configure", "settings": {"x" * 10_000_000: 1}},
    ],
)
def test_long_texts_are_refused_and_not_repeated(lens: ConvLens, content: dict[str, Any]) -> None:
    uid = lens._session.filters.uids[0]
    assert "characters" in error_of(lens, content | {"uid": uid}, bytes(16))


@pytest.mark.parametrize("name", ["cmap", "layer_path", "stage", "view", "selected", "value_range", "kernel_cmap"])
@pytest.mark.parametrize("length", [limits.NAME, limits.SENT_TEXT])
def test_texts_that_may_be_sent_are_shortened_and_compared_with_nothing(lens: ConvLens, name: str, length: int) -> None:
    text = error_of(lens, {"type": "set", "name": name, "value": "x" * length})
    assert "x" * (limits.ECHO + 1) not in text


def test_more_values_than_any_edit_has_are_refused(lens: ConvLens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convlens.protocol.check_incoming.SENT_VALUES", 1000)
    taps = {"index": [0] * 2000, "value": [1.0] * 2000}
    edit = {"uid": lens._session.filters.uids[0], "taps": taps}
    assert "more than 1,000 values" in error_of(lens, {"type": "edit", "edits": [edit]})


def test_filters_are_added_until_the_limit(lens: ConvLens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FILTERS", 3)
    lens.add_kernel(np.zeros((2, 2)))
    text = error_of(lens, {"type": "add", "kernel": {"$buffer": 0}, "at": 0, "name": None}, bytes(16))
    assert "4 filters" in text and "3 at most" in text


def test_maps_that_do_not_fit_into_memory_are_refused_with_a_step_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.broadcast_to(np.float32(0), (2048, 2048))
    free = 100_000_000  # room for the image, not for four maps of it
    monkeypatch.setattr(limits, "free_memory", lambda: free)
    with pytest.raises(ValueError, match=r"4 maps of 2045 × 2045.*need 201 MB; 100 MB are free.*image\[::2, ::2\]"):
        ConvLens(image)
    ConvLens(image[::2, ::2])


def test_labels_of_no_model_are_refused(lens: ConvLens) -> None:
    with pytest.raises(ValueError, match=r"100,001 labels.*labels\[:100000\]"):
        lens.labels = ["a"] * (limits.LABELS + 1)


def test_an_error_of_a_prediction_comes_without_escape_codes() -> None:
    def fail() -> Any:
        raise RuntimeError("\x1b[31mnot\x1b[0m so" + "!" * 10_000)

    told: list[dict[str, Any]] = []
    worker = PredictionWorker(fail, told.append)
    worker.ask("a", 1)
    worker.wait()
    text = told[0]["error"]["text"]
    assert text.startswith("not so!") and len(text) <= limits.ERROR
