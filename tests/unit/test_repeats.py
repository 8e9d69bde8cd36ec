"""A request that comes twice, because no answer to it arrived, is carried out once and answered each time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convlens import ConvLens
from convlens.protocol import records
from convlens.protocol.request_log import MOST_CLIENTS

KERNELS = [np.full((3, 3), i, np.float32) for i in range(3)]
IMAGE = np.random.default_rng(0).random((8, 9)).astype(np.float32)
ONES = np.ones((3, 3, 1), "<f4").tobytes()


class Line:
    """What is sent between one lens and its browsers, kept message by message."""

    def __init__(self) -> None:
        self.lens = ConvLens(IMAGE, KERNELS)
        _ = self.lens.activations  # Keras has arrived
        self.heard: list[dict[str, Any]] = []
        self.lens._outbox._send = lambda content, buffers: self.heard.append(records.unpack(content, buffers))

    def send(self, kind: str, client: Any = "one", seq: Any = 1, **fields: Any) -> list[dict[str, Any]]:
        """Deliver a request and return what was sent because of it."""
        self.heard.clear()
        content, buffers = records.pack({"type": kind, "client": client, "seq": seq, **fields})
        self.lens._handle_custom_msg(content, buffers)
        return list(self.heard)

    def uid(self, index: int) -> int:
        uid: int = self.lens._state["order"][index]
        return uid


@pytest.fixture
def line() -> Line:
    return Line()


def test_an_added_filter_is_added_once_however_often_the_request_comes(line: Line) -> None:
    for _ in range(3):
        (answer,) = line.send("add", kernel=ONES, name="new", at=0)
        assert answer["ok"]
        assert answer["seq"] == 1
    assert line.lens.names == ["new", "Filter 1", "Filter 2", "Filter 3"]
    assert answer["history"] == {"undo": 1, "redo": 0}


def test_undo_goes_back_one_step_however_often_the_request_comes(line: Line) -> None:
    for value in (1, 2):
        line.lens.set_kernel(0, np.full((3, 3), value))
    for _ in range(2):
        line.send("undo")
    np.testing.assert_array_equal(line.lens.kernels[0], np.full((3, 3), 1))
    for _ in range(2):
        (answer,) = line.send("redo", seq=2)
    np.testing.assert_array_equal(line.lens.kernels[0], np.full((3, 3), 2))
    assert answer["history"] == {"undo": 2, "redo": 0}


def test_a_repeated_edit_is_answered_with_the_state_as_it_is_now(line: Line) -> None:
    edit = [{"uid": line.uid(0), "taps": {"index": [0], "value": [5]}}]
    line.send("edit", edits=edit, gesture="a")
    line.lens.set_kernel(0, np.full((3, 3), 7))
    (answer,) = line.send("edit", edits=edit, gesture="a")
    np.testing.assert_array_equal(line.lens.kernels[0], np.full((3, 3), 7))
    (record,) = answer["filters"]
    assert np.frombuffer(record["kernel"], "<f4").tolist() == [7] * 9
    assert record["map"]["range"] == [line.lens.activations[0].min(), line.lens.activations[0].max()]


def test_a_repeated_setting_does_not_overwrite_what_python_set_since(line: Line) -> None:
    line.send("set", name="cmap", value="viridis")
    line.lens.cmap = "magma"
    assert line.send("set", name="cmap", value="viridis")[0]["ok"]
    assert line.lens.cmap == "magma"


def test_a_refusal_is_repeated_in_its_own_words(line: Line) -> None:
    first, second = (line.send("remove", uid=-5)[0] for _ in range(2))
    assert not second["ok"]
    assert second["error"] == first["error"]


def test_a_question_that_is_repeated_is_answered_anew(line: Line) -> None:
    probe = {"row": 2, "col": 3, "uids": [line.uid(1)]}
    line.send("probe", **probe)
    line.lens.set_kernel(1, np.full((3, 3), -2))
    (answer,) = line.send("probe", **probe)
    expected = line.lens.pre_activations[1, 2, 3]
    assert answer["values"][0]["pre_activation"] == pytest.approx(expected)


def test_a_late_copy_of_a_request_that_was_answered_is_passed_over(line: Line) -> None:
    edit = [{"uid": line.uid(0), "taps": {"index": [0], "value": [5]}}]
    line.send("edit", edits=edit, gesture="a")
    line.send("undo", seq=2)
    assert line.send("edit", edits=edit, gesture="a") == []
    np.testing.assert_array_equal(line.lens.kernels[0], KERNELS[0])


def test_each_browser_counts_for_itself(line: Line) -> None:
    for client in ("one", "two"):
        assert line.send("add", client=client, kernel=ONES, name=client, at=0)[0]["ok"]
    assert line.lens.names[:2] == ["two", "one"]


def test_what_is_remembered_is_bounded_by_the_number_of_browsers(line: Line) -> None:
    for number in range(2 * MOST_CLIENTS):
        for seq in (1, 2):
            line.send("rename", client=f"{number}", seq=seq, uid=line.uid(0), name=f"{number}.{seq}")
    kept = line.lens._msg_callbacks.callbacks[0]._request_log._newest
    assert len(kept) == MOST_CLIENTS
    # The newest are those that may still be waiting for an answer.
    last = f"{2 * MOST_CLIENTS - 1}"
    line.lens.names = ["mine", *line.lens.names[1:]]
    line.send("rename", client=last, seq=2, uid=line.uid(0), name=f"{last}.2")
    assert line.lens.names[0] == "mine"


@pytest.mark.parametrize(("client", "seq"), [(None, None), ([], 1), ("one", "1"), ({}, {})])
def test_a_request_without_a_sender_or_a_number_is_carried_out_as_it_comes(line: Line, client: Any, seq: Any) -> None:
    for count in (1, 2):
        assert line.send("add", client=client, seq=seq, kernel=ONES, name=None, at=0)[0]["ok"]
        assert len(line.lens.kernels) == 3 + count


def test_messages_are_numbered_without_gaps_whoever_caused_them(line: Line) -> None:
    serials = [line.send("hello", generation=0, revs=[])[0]["serial"]]
    for seq in range(2, 6):
        line.heard.clear()
        line.lens.set_kernel(0, np.full((3, 3), seq))
        serials += [message["serial"] for message in line.heard]
        serials += [message["serial"] for message in line.send("undo", seq=seq)]
    assert serials == list(range(serials[0], serials[0] + 9))


def test_a_browser_that_missed_messages_is_told_every_setting_and_the_picture_only_if_it_is_another(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[set[str]] = []
    monkeypatch.setattr(line.lens, "_send", lambda msg, buffers=None: sent.append(set(msg["state"])))
    small = {
        "_state",
        "names",
        "cmap",
        "value_range",
        "stage",
        "selected",
        "pixel",
        "layer_path",
        "_status",
        "_problem",
    }
    line.send("hello", generation=1, revs=[], image=1, again=True)
    assert sent[-1] >= small
    assert not sent[-1] & {"_image", "_filters", "_esm", "_bundle", "_css"}
    line.send("hello", seq=2, generation=1, revs=[], image=0, again=True)
    assert sent[-1] >= small | {"_image"}
    sent.clear()
    line.send("hello", seq=3, generation=1, revs=[], image=1, again=False)
    assert sent == []


def test_an_answer_that_cannot_be_written_is_still_an_answer(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise OSError("no space for a record")

    monkeypatch.setattr(records, "filter_record", broken)
    (answer,) = line.send("need", uids=[line.uid(0)])
    assert not answer["ok"]
    assert "no space for a record" in answer["error"]["text"]


def test_a_filter_beyond_the_first_screen_that_changed_unseen_comes_with_the_next_hello(line: Line) -> None:
    lens = line.lens
    lens.kernels = [np.full((3, 3), i, np.float32) for i in range(70)]
    revs = [[uid, lens._session.engine.rev(uid)] for uid in lens._state["order"]]
    # Of a filter that is here without its map, off screen, the browser asks when it comes on screen.
    revs[68][1] = -1
    lens.set_kernel(69, np.ones((3, 3)))
    (answer,) = line.send("hello", generation=lens._outbox.generation, revs=revs, image=1, again=True)
    assert [record["uid"] for record in answer["filters"]] == [line.uid(69)]
