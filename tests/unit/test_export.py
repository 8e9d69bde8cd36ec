"""A saved page: one file, no network, everything inside."""

from __future__ import annotations

import base64
import json
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import cbook

from convlens import ConvLens


def read_state(page: str) -> dict[str, Any]:
    """Decode the page's state as its own script does."""
    packed = re.search(r'id="state">([^<]*)<', page)
    assert packed is not None
    data = zlib.decompress(base64.b64decode(packed.group(1)))
    head = int.from_bytes(data[:4], "little")
    body = data[4 + head :]

    def bytes_at(value: dict[str, Any]) -> Any:
        return body[value["$at"][0] : sum(value["$at"])] if "$at" in value else value

    state: dict[str, Any] = json.loads(data[4 : 4 + head], object_hook=bytes_at)
    return state


def saved(lens: ConvLens, folder: Path) -> str:
    lens.save_html(folder / "lens.html")
    return (folder / "lens.html").read_text("utf-8")


def test_the_tutorials_page_is_smaller_than_500_kb(tmp_path: Path) -> None:
    lens = ConvLens(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))
    assert len(saved(lens, tmp_path)) < 500_000


def test_a_page_names_no_address_and_allows_none(tmp_path: Path) -> None:
    page = saved(ConvLens(np.eye(8, dtype=np.float32), [np.ones((3, 3))]), tmp_path)
    assert not re.search(r"https?://|src=|@import|url\((?!data:)", page)
    assert "default-src 'none'" in page


def test_a_page_holds_image_and_edited_kernels_exactly(tmp_path: Path) -> None:
    image = np.random.default_rng(0).random((8, 9)).astype(np.float32)
    lens = ConvLens(image, [np.zeros((3, 3))] * 2, names=["a <b>", "c & d"])
    lens.set_kernel(1, np.arange(9).reshape(3, 3) / 7)
    page = saved(lens, tmp_path)
    state = read_state(page)
    np.testing.assert_array_equal(np.frombuffer(state["_image"]["data"], "<f4").reshape(8, 9), image)
    kernel = np.frombuffer(state["_filters"]["filters"][1]["kernel"], "<f4").reshape(3, 3)
    np.testing.assert_array_equal(kernel, lens.kernels[1])
    assert state["names"] == ["a <b>", "c & d"]
    assert "a <b>" not in page.split("</title>")[0]


def test_maps_that_the_page_cannot_compute_are_in_it(tmp_path: Path) -> None:
    lens = ConvLens(np.eye(8, dtype=np.float32), [np.ones((3, 3))] * 2, activation="softmax")
    _ = lens.activations
    filters = read_state(saved(lens, tmp_path))["_filters"]["filters"]
    assert all(len(one["map"]["levels"]) == 36 for one in filters)
    plain = ConvLens(np.eye(8, dtype=np.float32), [np.ones((3, 3))])
    assert read_state(saved(plain, tmp_path))["_filters"]["filters"][0]["map"] is None
