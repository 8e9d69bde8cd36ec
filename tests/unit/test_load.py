"""Much at once: thousands of filters in one edit, large kernels, twenty lenses, a disk that is full."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from convlens.protocol import records

IMAGE = np.random.default_rng(0).random((6, 5)).astype(np.float32)


def told(lens: ConvLens, message: dict[str, Any]) -> dict[str, Any]:
    """Send a message as the browser does, and return the answer."""
    answers: list[dict[str, Any]] = []
    lens._outgoing._send = lambda sent, _: answers.append(sent.get("content") or {})
    content, buffers = records.pack(message | {"client": "c", "seq": 1})
    lens._handle_custom_msg(content, buffers)
    (answer,) = (one for one in answers if one.get("type") == "answer")
    return answer


def test_2048_filters_edited_at_once_are_one_step() -> None:
    lens = ConvLens(IMAGE, np.zeros((2048, 2, 2)))
    biases = np.arange(-1024, 1024)
    edits = [{"uid": uid, "bias": int(bias)} for uid, bias in zip(lens._session.filters.uids, biases, strict=True)]
    assert told(lens, {"type": "edit", "edits": edits, "gesture": "a"})["ok"]
    # Kernels of zeros: each map is what the activation, ReLU, makes of its bias.
    np.testing.assert_array_equal(lens.activations[:, 0, 0], np.maximum(biases, 0))
    assert lens._session.history.counts["undo"] == 1
    lens.undo()
    np.testing.assert_array_equal(lens.bias, np.zeros(2048))


def test_a_kernel_of_31_by_31_is_computed_and_edited() -> None:
    image = np.random.default_rng(1).random((34, 33)).astype(np.float32)
    lens = ConvLens(image, [np.ones((31, 31))])
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(float), (31, 31))
    np.testing.assert_allclose(lens.activations[0], windows.sum((2, 3)), rtol=1e-5)
    last = {"index": [31 * 31 - 1], "value": [3.0]}
    uid = lens._session.filters.uids[0]
    assert told(lens, {"type": "edit", "edits": [{"uid": uid, "taps": last}], "gesture": "a"})["ok"]
    np.testing.assert_allclose(lens.activations[0], windows.sum((2, 3)) + 2 * windows[:, :, -1, -1], rtol=1e-5)


def test_twenty_lenses_are_edited_each_on_its_own() -> None:
    lenses = [ConvLens(IMAGE, [np.full((2, 2), number)]) for number in range(20)]
    for number, lens in enumerate(lenses):
        lens.bias = [number]
    sums = IMAGE[:-1, :-1] + IMAGE[:-1, 1:] + IMAGE[1:, :-1] + IMAGE[1:, 1:]
    for number, lens in enumerate(lenses):
        np.testing.assert_allclose(lens.activations[0], number * sums + number, rtol=1e-5)
        lens.close()


def test_a_full_disk_leaves_the_page_that_was_there(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")  # not on Windows
    lens, page = ConvLens(IMAGE), tmp_path / "lens.html"
    page.write_text("before")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(
        resource.RLIMIT_FSIZE, (20_000, before[1])
    )  # the system refuses to write on, as a full disk does
    try:
        with pytest.raises(OSError):
            lens.save_html(page)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert page.read_text() == "before"
    assert list(tmp_path.iterdir()) == [page]


@pytest.mark.slow
def test_kernels_of_layers_that_were_open_before_are_not_kept() -> None:
    def convolution(name: str) -> Any:
        return keras.layers.Conv2D(64, 3, padding="same", name=name)

    model = keras.Sequential([keras.Input((8, 8, 3)), *map(convolution, "abc")])
    lens = ConvLens(np.random.default_rng(2).random((8, 8, 3), np.float32), model=model, layer="b")

    def open_in_turn(times: int) -> None:
        for number in range(times):
            lens.layer_path = "bc"[number % 2]
            told(lens, {"type": "need", "uids": lens._session.filters.uids})

    tracemalloc.start()
    try:
        open_in_turn(10)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        open_in_turn(40)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    kernels = 4 * 3 * 3 * 64 * 64
    assert after - before < 10 * kernels  # of 40 that were opened
