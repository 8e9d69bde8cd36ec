"""Questions that the browser asks about a kernel, and about all that is shown: diagnostics and code."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from convlens import ConvLens, presets
from convlens.protocol import records
from tests.unit.test_requests import Browser

IMAGE = np.random.default_rng(0).random((8, 9, 3)).astype(np.float32)
KERNELS = [np.stack([presets["sobel_x"], presets["sharpen"], np.zeros((3, 3))], axis=-1), np.zeros((3, 3, 3))]


@pytest.fixture
def browser() -> Browser:
    lens = ConvLens(IMAGE, KERNELS)
    _ = lens.activations  # Keras has arrived
    return Browser(lens)


def test_a_kernel_is_diagnosed_and_one_of_its_planes_closely(browser: Browser) -> None:
    answer = browser.ask("diagnose", uid=browser.uid(0), channel=0)
    assert answer["ok"] and answer["filters"] == []
    found = answer["diagnostics"]
    assert (found["uid"], found["sum"], found["symmetry"], found["ranks"]) == (browser.uid(0), 1, "neither", [1, 2, 0])
    assert found["plane"]["vertical"] == [1, 2, 1]
    assert found["plane"]["horizontal"] == [-1, 0, 1]
    assert (found["plane"]["rank"], found["plane"]["separable"], found["plane"]["remaining"]) == (1, True, 0)


def test_the_frequency_picture_is_32_by_32_bytes_relative_to_its_greatest_magnitude(browser: Browser) -> None:
    picture = browser.ask("diagnose", uid=browser.uid(0))["diagnostics"]["plane"]["response"]
    levels = np.frombuffer(picture["levels"], np.uint8).reshape(picture["shape"])
    # |H| of sobel_x is (2 + 2 cos 2πfy) · 2 |sin 2πfx|: greatest, 8, at a quarter cycle per pixel across.
    assert picture["max"] == pytest.approx(8)
    assert levels[16, 24] == levels[16, 8] == 255
    assert levels[16, 16] == levels[0, 24] == 0


def test_the_answer_belongs_to_the_rev_of_its_kernel(browser: Browser) -> None:
    edit = {"uid": browser.uid(1), "taps": {"index": [0], "value": [2]}}
    rev = browser.ask("edit", edits=[edit], gesture="")["filters"][0]["rev"]
    found = browser.ask("diagnose", uid=browser.uid(1))["diagnostics"]
    assert (found["rev"], found["sum"]) == (rev, 2)


def test_what_is_not_finite_crosses_as_json_can_carry_it(browser: Browser) -> None:
    edit = {"uid": browser.uid(0), "taps": {"index": [0], "value": ["-Infinity"]}}
    browser.ask("edit", edits=[edit], gesture="")
    found = browser.ask("diagnose", uid=browser.uid(0))["diagnostics"]
    assert found["sum"] == "-Infinity" and found["norm"] == "Infinity"
    assert found["plane"]["response"] is None and found["symmetry"] is None
    assert "infinite" in found["note"]
    content, _ = records.pack(found)
    json.dumps(content, allow_nan=False)


@pytest.mark.parametrize("framework", ["keras", "numpy"])
def test_code_is_that_of_to_code(browser: Browser, framework: str) -> None:
    assert browser.ask("code", framework=framework)["code"] == browser.lens.to_code(framework)


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        ("diagnose", {"uid": 10**9}, "no longer in the list"),
        ("diagnose", {"uid": "first", "channel": 3}, "channel 3: the kernel has 3"),
        ("diagnose", {"uid": "first", "channel": "red"}, "whole number"),
        ("code", {"framework": "torch"}, "'keras' or 'numpy'"),
        ("code", {}, "expected a str"),
    ],
)
def test_a_question_without_an_answer_is_refused(
    browser: Browser, kind: str, fields: dict[str, Any], said: str
) -> None:
    if fields.get("uid") == "first":
        fields = {**fields, "uid": browser.uid(0)}
    answer = browser.ask(kind, **fields)
    assert not answer["ok"]
    assert said in answer["error"]["text"]
