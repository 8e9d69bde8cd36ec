"""The browser's explanation of a pixel: the real TypeScript in Node against Keras's own numbers."""

from __future__ import annotations

import itertools
import json
import pathlib
import subprocess
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from tests.sweep_size import FULL
from tests.unit.keras_sweep import CLASSES, COMPILES_EVERY_SHAPE, Array, Sum, from_keras, layers, numpy, same_sums
from tests.unit.test_preview_against_keras import ACTIVATIONS, random_layer
from tests.unit.test_requests import Browser

ROOT = pathlib.Path(__file__).parents[2]
RUNNER = ROOT / "js" / "tests" / "run-explain.mjs"

#: One layer in ten, with ten times as many pixels, where each shape is compiled and where sweeps are short.
SHARE = 10 if COMPILES_EVERY_SHAPE or not FULL else 1
#: Layers of each kind. Those of the first row are fed the image, which the browser reads by itself; inside a model the
#: kernel sends what was read.
LAYERS = {
    kind: number // SHARE
    for kind, number in {"conv and depthwise": 100, "transpose": 30, "separable": 30, "inside a model": 40}.items()
}
PIXELS = 5 * SHARE


def some(kind: str, number: int, seed: int) -> Iterator[tuple[Any, Array]]:
    """So many random layers, on every back end."""
    every = (one for more in itertools.count(seed) for one in layers(kind, number, more))
    return itertools.islice(every, number)


def pixels(rng: np.random.Generator, pre: Array) -> list[dict[str, Any]]:
    """Two corners of the map and some pixels between, with what Keras computed there."""
    corners = [(0, 0), (pre.shape[0] - 1, pre.shape[1] - 1)]
    chosen = corners + [tuple(int(rng.integers(n)) for n in pre.shape) for _ in range(PIXELS - len(corners))]
    return [{"row": row, "col": col, "keras": float(pre[row, col])} for row, col in chosen]


def alone(rng: np.random.Generator, layer: Any, x: Array) -> dict[str, Any]:
    """A layer that is fed the image, as it would be sent to the browser."""
    lens = ConvLens(x, layer=layer)
    state, index = lens._state, int(rng.integers(len(lens._state["order"])))
    record = lens.get_state("_filters")["_filters"]["filters"][index]
    return {
        "geometry": state["geometry"],
        "image": x.reshape(-1).tolist(),
        "firstChannel": record["first_channel"],
        "kernel": np.frombuffer(record["kernel"], "<f4").tolist(),
        "bias": record["bias"],
        "pixels": pixels(rng, from_keras(layer, layer.get_weights(), x)[0][index]),
    }


def inside_models(rng: np.random.Generator, number: int) -> Iterator[dict[str, Any]]:
    """Layers of every kind behind another one, with the patches that the kernel sends for them."""
    for kind in ("conv", "depthwise", "transpose", "separable"):
        for layer, x in some(kind, number // 4, seed=int(rng.integers(2**31))):
            before = keras.layers.Conv2D(x.shape[2], 3, padding="same", activation="relu")
            model = keras.Sequential([keras.Input((*x.shape[:2], 2)), before, layer])
            image = rng.standard_normal((*x.shape[:2], 2)).astype(np.float32)
            browser = Browser(ConvLens(image, model=model, layer=layer.name))
            fed = numpy(before(image[np.newaxis]))[0]
            index = int(rng.integers(len(browser.lens._state["order"])))
            uid = browser.lens._state["order"][index]
            record = browser.ask("need", uids=[uid])["filters"][0]
            case = {
                "geometry": browser.lens._state["geometry"],
                "image": None,
                "firstChannel": record["first_channel"],
                "kernel": np.frombuffer(record["kernel"], "<f4").tolist(),
                "bias": record["bias"],
                "pixels": pixels(rng, from_keras(layer, layer.get_weights(), fed)[0][index]),
            }
            for pixel in case["pixels"]:
                patch = browser.ask("patch", uid=uid, row=pixel["row"], col=pixel["col"])["patch"]
                pixel["patch"] = patch | {"values": np.frombuffer(patch["values"], "<f4").tolist()}
            yield case


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """1,000 random (geometry, pixel) pairs, corners of the map among them, with what the browser and what Keras say."""
    rng = np.random.default_rng(4)
    made = [
        alone(rng, *random_layer(rng, ACTIVATIONS[number % len(ACTIVATIONS)]))
        for number in range(LAYERS["conv and depthwise"])
    ]
    for kind in ("transpose", "separable"):
        made += [alone(rng, layer, x) for layer, x in some(kind, LAYERS[kind], seed=6)]
    made += inside_models(rng, LAYERS["inside a model"])
    file = tmp_path_factory.mktemp("explain") / "cases.json"
    file.write_text(json.dumps(made))
    done = subprocess.run(["node", str(RUNNER), str(file)], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return [case | {"browser": browser} for case, browser in zip(made, json.loads(done.stdout), strict=True)]


def test_the_explained_sum_is_keras_pre_activation(cases: list[dict[str, Any]]) -> None:
    sums = [
        Sum(found["total"], pixel["keras"], len(case["kernel"]), found["scale"])
        for case in cases
        for found, pixel in zip(case["browser"], case["pixels"], strict=True)
    ]
    assert len(sums) == 1000
    same_sums(sums)


def test_the_browser_says_that_they_agree(cases: list[dict[str, Any]]) -> None:
    assert all(found["agrees"] for case in cases for found in case["browser"])


def test_the_sweep_covers_padding_stride_dilation_groups_and_depthwise(cases: list[dict[str, Any]]) -> None:
    geometries = [case["geometry"] for case in cases]
    assert {geometry["kind"] for geometry in geometries} == {"conv", "depthwise", "transpose", "separable"}
    assert {case["geometry"]["kind"] for case in cases if case["image"] is None} == set(CLASSES)
    assert max(geometry["groups"] for geometry in geometries) > 1
    assert max(geometry["kernel_channels"] for geometry in geometries) > 1
    for name in ("strides", "dilation_rate"):
        assert max(max(geometry[name]) for geometry in geometries) > 1
    # Where layers are few, one of those that are fed the image may be the only one.
    for alone in (True,) if SHARE > 1 else (True, False):
        read = [case["geometry"] for case in cases if (case["image"] is not None) is alone]
        assert any(max(one["dilation_rate"]) > 1 for one in read if one["kind"] == "transpose")
    assert any(found["padding"] for case in cases for found in case["browser"])
