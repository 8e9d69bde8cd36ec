"""What the browser may request, and what happens to requests that are forged or out of date."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convlens import ConvLens
from convlens.protocol import records

KERNELS = [np.full((3, 3), i, np.float32) for i in range(3)]
IMAGE = np.random.default_rng(0).random((8, 9)).astype(np.float32)


class Browser:
    """Speaks to a lens as a front end does, and keeps what it hears."""

    def __init__(self, lens: ConvLens) -> None:
        self.lens = lens
        self.heard: list[dict[str, Any]] = []
        lens._outbox._send = lambda content, buffers: self.heard.append(records.unpack(content, buffers))
        self.seq = 0
        self.ask("hello", generation=0, revs=[])
        self.heard.clear()

    def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        self.seq += 1
        content, buffers = records.pack({"type": kind, "client": "test", "seq": self.seq, **fields})
        self.lens._handle_custom_msg(content, buffers)
        answers = [m for m in self.heard if m["type"] == "answer" and m["seq"] == self.seq]
        assert len(answers) == 1, "every request gets exactly one answer"
        return answers[0]

    def tap(self, index: int, tap: int, value: object, gesture: str = "") -> dict[str, Any]:
        edit = {"uid": self.uid(index), "taps": {"index": [tap], "value": [value]}}
        return self.ask("edit", edits=[edit], gesture=gesture)

    def uid(self, index: int) -> int:
        uid: int = self.lens._state["order"][index]
        return uid


@pytest.fixture
def browser() -> Browser:
    lens = ConvLens(IMAGE, KERNELS)
    _ = lens.activations  # Keras has arrived
    return Browser(lens)


def test_an_edit_changes_the_kernel_and_its_answer_brings_that_map_alone(browser: Browser) -> None:
    answer = browser.tap(1, 4, 0.5)
    assert answer["ok"]
    assert browser.lens.kernels[1][1, 1] == 0.5
    assert [f["uid"] for f in answer["filters"]] == [browser.uid(1)]
    expected = browser.lens.activations[1]
    assert answer["filters"][0]["map"]["range"] == [expected.min(), expected.max()]
    assert len(browser.heard) == 1


def test_the_edits_of_one_gesture_are_one_step_of_undo(browser: Browser) -> None:
    for value in range(5):
        browser.tap(0, 0, value, gesture="drag-1")
    assert browser.tap(0, 1, 7, gesture="drag-2")["history"] == {"undo": 2, "redo": 0}
    browser.ask("undo")
    assert browser.lens.kernels[0][0, 0] == 4
    browser.ask("undo")
    np.testing.assert_array_equal(browser.lens.kernels[0], KERNELS[0])
    browser.ask("redo")
    assert browser.lens.kernels[0][0, 0] == 4


def test_a_bias_and_what_json_cannot_write_cross_as_words(browser: Browser) -> None:
    browser.ask("edit", edits=[{"uid": browser.uid(2), "bias": -0.25}], gesture="")
    browser.tap(2, 0, "NaN")
    assert browser.lens.bias[2] == -0.25
    assert np.isnan(browser.lens.kernels[2][0, 0])


def test_python_changes_reach_the_browser_once_it_said_hello(browser: Browser) -> None:
    browser.lens.set_kernel(0, np.ones((3, 3)))
    (message,) = browser.heard
    assert message["type"] == "filters"
    assert np.frombuffer(message["filters"][0]["kernel"], "<f4").tolist() == [1] * 9


def test_hello_brings_only_what_the_browser_does_not_have(browser: Browser) -> None:
    lens = browser.lens
    revs = [[uid, lens._session.engine.rev(uid)] for uid in lens._state["order"]]
    revs[1][1] += 5
    answer = browser.ask("hello", generation=lens._outbox.generation, revs=revs)
    assert [f["uid"] for f in answer["filters"]] == [browser.uid(1)]


def test_a_list_of_another_order_is_a_new_generation_with_the_same_uids(browser: Browser) -> None:
    before = list(browser.lens._state["order"])
    answer = browser.ask("move", uid=before[0], to=2)
    assert browser.lens._state["order"] == [before[1], before[2], before[0]]
    assert answer["generation"] == browser.lens._state["generation"]
    assert answer["filters"] == []


def test_filters_are_added_removed_renamed_and_replaced(browser: Browser) -> None:
    browser.ask("add", kernel=np.ones((3, 3, 1), "<f4").tobytes(), bias=0.5, name="new", at=1)
    assert browser.lens.names == ["Filter 1", "new", "Filter 2", "Filter 3"]
    assert browser.lens.bias[1] == 0.5
    browser.ask("rename", uid=browser.uid(1), name="newer")
    browser.ask("remove", uid=browser.uid(0))
    assert browser.lens.names == ["newer", "Filter 2", "Filter 3"]
    larger = np.ones((3, 5, 5, 1), "<f4")
    uids = [browser.uid(i) for i in range(3)]
    assert browser.ask("replace", uids=uids, shape=[5, 5, 1], kernels=larger.tobytes(), gesture="")["ok"]
    assert browser.lens.activations.shape == (3, 4, 5)


def test_one_kernel_of_another_size_is_refused(browser: Browser) -> None:
    larger = np.ones((1, 5, 5, 1), "<f4").tobytes()
    answer = browser.ask("replace", uids=[browser.uid(0)], shape=[5, 5, 1], kernels=larger, gesture="")
    assert not answer["ok"]
    assert "all of them" in answer["error"]["text"]


def test_settings_of_the_built_in_layer_can_be_changed_and_undone(browser: Browser) -> None:
    assert browser.ask("configure", settings={"strides": 2, "padding": "same"})["ok"]
    assert browser.lens.activations.shape == (3, 4, 5)
    browser.ask("undo")
    assert browser.lens.activations.shape == (3, 6, 7)


def test_a_probe_brings_keras_own_numbers(browser: Browser) -> None:
    browser.lens.bias = [0, -30, 0]
    answer = browser.ask("probe", row=2, col=3, uids=[browser.uid(0), browser.uid(1)])
    assert answer["values"][1]["pre_activation"] == browser.lens.pre_activations[1, 2, 3]
    assert answer["values"][1]["activation"] == 0


def test_a_dropped_picture_becomes_the_image(browser: Browser) -> None:
    picture = np.arange(120, dtype=np.uint8).reshape(10, 4, 3)
    assert browser.ask("image", shape=[10, 4, 3], data=picture.tobytes())["ok"]
    assert browser.lens.image.shape == (10, 4, 1)


def test_set_changes_what_is_drawn_and_refuses_the_rest(browser: Browser) -> None:
    assert browser.ask("set", name="value_range", value=[0, 0.5])["ok"]
    assert browser.lens.value_range == (0, 0.5)
    refused = browser.ask("set", name="stage", value="relu")
    assert not refused["ok"]
    assert "pre_activation" in refused["error"]["text"]
    assert not browser.ask("set", name="kernels", value=[])["ok"]
    assert browser.lens.stage == "activation"


FORGED = [
    {"type": "edit", "edits": [{"uid": 10**9, "taps": {"index": [0], "value": [1]}}]},
    {"type": "edit", "edits": [{"uid": [], "taps": {"index": [0], "value": [1]}}]},
    {"type": "edit", "edits": "all"},
    {"type": "edit", "edits": [{"uid": "first", "taps": {"index": [9], "value": [1]}}]},
    {"type": "edit", "edits": [{"uid": "first", "taps": {"index": [-1], "value": [1]}}]},
    {"type": "edit", "edits": [{"uid": "first", "taps": {"index": [0, 1], "value": [1]}}]},
    {"type": "edit", "edits": [{"uid": "first", "taps": {"index": [0.5], "value": [1]}}]},
    {"type": "edit", "edits": [{"uid": "first", "taps": {"index": [0], "value": ["one"]}}]},
    {"type": "edit", "edits": [{"uid": "first", "taps": {"index": [0], "value": [1e300]}}]},
    {"type": "edit", "edits": [{"uid": "first", "bias": True}]},
    {"type": "replace", "uids": ["first"], "shape": [3, 3, 1], "kernels": b"short"},
    {"type": "replace", "uids": ["first"], "shape": [3, 3], "kernels": b""},
    {"type": "replace", "uids": ["first"], "shape": [-3, -3, 1], "kernels": b""},
    {"type": "add", "kernel": b"", "name": None, "at": 0},
    {"type": "add", "kernel": b"\0" * 36, "name": 5, "at": 0},
    {"type": "add", "kernel": b"\0" * 36, "name": None, "at": 99},
    {"type": "remove", "uid": None},
    {"type": "move", "uid": "first", "to": 99},
    {"type": "rename", "uid": "first", "name": 3},
    {"type": "configure", "settings": {"units": 3}},
    {"type": "configure", "settings": None},
    {"type": "probe", "row": 99, "col": 0, "uids": []},
    {"type": "probe", "row": "0", "col": 0, "uids": []},
    {"type": "image", "shape": [10**6, 10**6, 3], "data": b""},
    {"type": "image", "shape": [2, 2, 2], "data": b"\0" * 8},
    {"type": "image", "shape": [2, 2, 1], "data": "text"},
    {"type": "set", "name": "_problem", "value": {"id": 1}},
    {"type": "set", "name": "close", "value": 0},
    {"type": "need", "uids": 3},
    {"type": "hello", "generation": 1, "revs": 3},
    {"type": "format_disk"},
    {"type": None},
    {"type": {"$buffer": 7}},
]


@pytest.mark.parametrize("message", FORGED, ids=lambda m: repr(m)[:60])
def test_a_forged_message_is_refused_and_changes_nothing(browser: Browser, message: dict[str, Any]) -> None:
    def fill(value: Any) -> Any:
        if value == "first":
            return browser.uid(0)
        if isinstance(value, dict):
            return {k: fill(v) for k, v in value.items()}
        return [fill(v) for v in value] if isinstance(value, list) else value

    fields = {k: fill(v) for k, v in message.items() if k != "type"}
    answer = browser.ask(message["type"], **fields)
    assert not answer["ok"]
    assert len(answer["error"]["text"]) > 20
    np.testing.assert_array_equal(browser.lens.kernels, KERNELS)
    assert browser.lens._session.history.counts == {"undo": 0, "redo": 0}


@pytest.mark.parametrize("content", [None, 3, "edit", []])
def test_a_message_that_is_none_is_ignored(browser: Browser, content: object) -> None:
    browser.lens._handle_custom_msg(content, [])
    assert browser.heard == []


def test_a_refused_edit_brings_back_the_true_kernel(browser: Browser) -> None:
    answer = browser.tap(0, 99, 1)
    assert np.frombuffer(answer["filters"][0]["kernel"], "<f4").tolist() == [0] * 9


def test_large_answers_are_split_and_nothing_is_sent_twice() -> None:
    image = np.random.default_rng(0).random((300, 400)).astype(np.float32)
    browser = Browser(ConvLens(image, [np.full((3, 3), i) for i in range(8)]))
    browser.lens.image = image * 2
    sent = [f["uid"] for m in browser.heard for f in m["filters"]]
    assert sent == browser.lens._state["order"]
    for message in browser.heard:
        size = sum(len(f["kernel"]) + len(f["map"]["levels"]) for f in message["filters"])
        assert size <= 256 * 1024


def test_an_exception_in_keras_is_shown_and_the_kernels_stay(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("out of memory on the fourth moon")

    monkeypatch.setattr(browser.lens._session.engine._layer, "run", broken)
    answer = browser.tap(0, 0, 3)
    assert answer["filters"][0]["map"] is None
    assert browser.lens._problem is not None
    assert "fourth moon" in browser.lens._problem["text"]
    assert browser.lens.kernels[0][0, 0] == 3
    monkeypatch.undo()
    assert browser.tap(0, 0, 4)["filters"][0]["map"] is not None
