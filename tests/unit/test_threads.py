"""Edits from several threads at once: none is lost, and nothing is sent under a lock."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from convlens import ConvLens

IMAGE = np.random.default_rng(0).random((6, 5)).astype(np.float32)


@pytest.fixture
def short_switch_interval() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("short_switch_interval")
def test_no_edit_of_four_threads_is_lost() -> None:
    lens = ConvLens(IMAGE, [np.zeros((2, 2))] * 4)
    lens._outbox.connected = True
    lost: list[tuple[int, int]] = []
    start = threading.Barrier(4)

    def edit(i: int) -> None:
        start.wait()
        for value in range(1, 101):
            lens.set_kernel(i, np.full((2, 2), value))
            if lens.kernels[i][0, 0] != value:  # this thread's own filter
                lost.append((i, value))

    threads = [threading.Thread(target=edit, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lost == []
    # Keras's own sums: every tap is 100, so that each pixel is 100 times the sum of the four under the kernel.
    sums = IMAGE[:-1, :-1] + IMAGE[:-1, 1:] + IMAGE[1:, :-1] + IMAGE[1:, 1:]
    np.testing.assert_allclose(lens.activations, np.stack([100 * sums] * 4), rtol=1e-5)
    assert lens._session.history.counts["undo"] == 200  # of 400 steps, all that are kept


def test_nothing_is_sent_under_a_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convlens.protocol.outbox.MESSAGE_BYTES", 8)  # a message for each filter
    lens = ConvLens(IMAGE, [np.zeros((2, 2))] * 3)
    lens._outbox.connected = True
    free: list[bool] = []

    def send(message: Any, buffers: Any) -> None:
        """Try from another thread, as an edit there would, whether every lock can be had."""

        def take() -> None:
            for lock in (lens._session.engine.lock, lens._session.lock._lock, lens._outbox.numbering._lock):
                had = lock.acquire(timeout=5)
                free.append(had)
                if had:
                    lock.release()

        thread = threading.Thread(target=take)
        thread.start()
        thread.join()

    monkeypatch.setattr(lens._outgoing, "_send", send)
    lens.kernels = [np.ones((2, 2))] * 3
    lens.names = ["x", "y", "z"]
    lens.add_kernel(np.ones((2, 2)))
    lens.cmap = "viridis"
    lens._handle_custom_msg({"type": "undo", "client": "c", "seq": 1}, [])
    assert len(free) >= 3 * 6  # with ipywidgets 7 nothing but these messages where there is no kernel
    assert all(free)


def test_messages_leave_in_the_order_of_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    lens = ConvLens(IMAGE, [np.zeros((2, 2))] * 2)
    lens._outbox.connected = True
    serials: list[int] = []
    monkeypatch.setattr(
        lens._outgoing, "_send", lambda message, _: serials.append(message.get("content", {}).get("serial"))
    )

    def push() -> None:
        for _ in range(50):
            lens._outbox.push(lens._session.filters.uids)

    threads = [threading.Thread(target=push) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert serials == list(range(1, 151))


def test_an_edit_of_an_observer_waits_for_no_lock_of_its_own() -> None:
    lens = ConvLens(IMAGE, [np.zeros((2, 2))] * 2)
    lens.observe(lambda change: lens.set_kernel(1, lens.kernels[0]), "kernels")
    lens.set_kernel(0, np.ones((2, 2)))
    np.testing.assert_array_equal(lens.kernels[1], np.ones((2, 2)))


def test_an_unexpected_exception_is_shown_and_logged_with_its_traceback(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lens = ConvLens(IMAGE)
    answers: list[Any] = []
    monkeypatch.setattr(lens._outgoing, "_send", lambda message, _: answers.append(message.get("content")))

    def broken(*_: Any) -> None:
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(lens._session.history, "undo", broken)
    with caplog.at_level(logging.ERROR, "convlens"):
        lens._handle_custom_msg({"type": "undo", "client": "c", "seq": 1}, [])
    assert answers[-1]["error"] == {"title": "RuntimeError", "text": "disk on fire"}
    (record,) = [one for one in caplog.records if one.name == "convlens"]
    assert record.exc_info is not None and "disk on fire" in str(record.exc_info[1])


def test_an_exception_in_the_prediction_thread_is_shown_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from convlens.protocol.prediction_worker import PredictionWorker

    told: list[dict[str, Any]] = []

    def broken() -> Any:
        raise RuntimeError("no memory")

    worker = PredictionWorker(broken, told.append)
    with caplog.at_level(logging.ERROR, "convlens"):
        worker.ask("c", 1)
        worker.wait()
    assert told[0]["error"] == {"title": "RuntimeError", "text": "no memory"}
    assert any(record.exc_info for record in caplog.records)
