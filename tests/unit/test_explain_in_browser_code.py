"""The browser's explanation of a pixel: the real TypeScript in Node against Keras's own numbers."""

from __future__ import annotations

import json
import pathlib
import subprocess
from typing import Any

import numpy as np
import pytest

from convlens.layers import ConvLayer
from tests.unit.keras_sweep import COMPILES_EVERY_SHAPE, from_keras
from tests.unit.test_preview_against_keras import ACTIVATIONS, random_layer

ROOT = pathlib.Path(__file__).parents[2]
RUNNER = ROOT / "js" / "tests" / "run-explain.mjs"

LAYERS, PIXELS = (20, 50) if COMPILES_EVERY_SHAPE else (200, 5)


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """1,000 random (geometry, pixel) pairs, corners of the map among them, with what the browser and what Keras say."""
    rng = np.random.default_rng(4)
    made = []
    for number in range(LAYERS):
        layer, x = random_layer(rng, ACTIVATIONS[number % len(ACTIVATIONS)])
        seen = ConvLayer.of(layer, x.shape)
        kernels, biases = seen.read()
        index = int(rng.integers(len(kernels)))
        pre = from_keras(layer, layer.get_weights(), x)[0][index]
        corners = [(0, 0), (pre.shape[0] - 1, pre.shape[1] - 1)]
        chosen = corners + [tuple(int(rng.integers(n)) for n in pre.shape) for _ in range(PIXELS - len(corners))]
        made.append(
            {
                "geometry": seen.geometry.to_wire(),
                "image": x.reshape(-1).tolist(),
                "firstChannel": seen.geometry.first_channel(index),
                "kernel": kernels[index].reshape(-1).tolist(),
                "bias": float(biases[index]),
                "pixels": [{"row": row, "col": col, "keras": float(pre[row, col])} for row, col in chosen],
            }
        )
    file = tmp_path_factory.mktemp("explain") / "cases.json"
    file.write_text(json.dumps(made))
    done = subprocess.run(["node", str(RUNNER), str(file)], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return [case | {"browser": browser} for case, browser in zip(made, json.loads(done.stdout), strict=True)]


def test_the_explained_sum_is_keras_pre_activation(cases: list[dict[str, Any]]) -> None:
    pairs = [
        (found["total"], pixel["keras"])
        for case in cases
        for found, pixel in zip(case["browser"], case["pixels"], strict=True)
    ]
    assert len(pairs) == 1000
    found, expected = np.array(pairs).T
    # Terms that cancel leave float32's rounding of the terms: absolute where the sum is less than 1.
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_the_browser_says_that_they_agree(cases: list[dict[str, Any]]) -> None:
    assert all(found["agrees"] for case in cases for found in case["browser"])


def test_the_sweep_covers_padding_stride_dilation_groups_and_depthwise(cases: list[dict[str, Any]]) -> None:
    geometries = [case["geometry"] for case in cases]
    assert {geometry["kind"] for geometry in geometries} == {"conv", "depthwise"}
    assert max(geometry["groups"] for geometry in geometries) > 1
    assert max(geometry["kernel_channels"] for geometry in geometries) > 1
    for name in ("strides", "dilation_rate"):
        assert max(max(geometry[name]) for geometry in geometries) > 1
    assert any(found["padding"] for case in cases for found in case["browser"])
