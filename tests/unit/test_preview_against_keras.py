"""The browser's preview, run on Keras's own numbers: the real TypeScript in Node against Keras's maps."""

from __future__ import annotations

import json
import pathlib
import subprocess
from typing import Any

import keras
import numpy as np
import pytest

from convlens.layers.conv_layer import ConvLayer
from convlens.maths.activations import PREVIEWABLE
from tests.sweep_size import sweep
from tests.unit.keras_sweep import COMPILES_EVERY_SHAPE, Array, close, from_keras

ROOT = pathlib.Path(__file__).parents[2]
RUNNER = ROOT / "js" / "tests" / "run-preview.mjs"

#: Every name that the browser draws by itself, and Keras's functions with constants that are not the defaults.
ACTIVATIONS: list[Any] = [
    *sorted(PREVIEWABLE),
    keras.layers.LeakyReLU(negative_slope=0.35),
    keras.layers.ELU(alpha=0.4),
    keras.layers.ReLU(max_value=1.5),
    keras.layers.ReLU(negative_slope=0.2, max_value=2.0),
    keras.layers.ReLU(threshold=0.5),
]

LAYERS = 2 * len(ACTIVATIONS) if COMPILES_EVERY_SHAPE else sweep(360, least=2 * len(ACTIVATIONS))


def random_layer(rng: np.random.Generator, activation: Any) -> tuple[Any, Array]:
    """Build a layer with random settings and weights; returns it with an input ``(rows, cols, channels)``."""
    depthwise = rng.random() < 0.25
    channels = int(rng.choice([1, 2, 3, 4, 6]))
    settings: dict[str, Any] = {
        "kernel_size": tuple(int(n) for n in rng.integers(1, 8, 2)),
        "padding": str(rng.choice(["valid", "same"])),
        "use_bias": bool(rng.random() < 0.7),
        "activation": activation,
    }
    if rng.random() < 0.4:
        # TensorFlow runs a depthwise layer on a CPU with equal strides only.
        step = tuple(int(n) for n in rng.integers(1, 4, 2))
        settings["strides"] = (step[0], step[0]) if depthwise else step
    elif rng.random() < 0.5:
        settings["dilation_rate"] = tuple(int(n) for n in rng.integers(1, 4, 2))
    if depthwise:
        layer = keras.layers.DepthwiseConv2D(depth_multiplier=int(rng.integers(1, 4)), **settings)
    else:
        groups = int(rng.choice([g for g in (1, 2, 3) if channels % g == 0]))
        layer = keras.layers.Conv2D(groups * int(rng.integers(1, 4)), groups=groups, **settings)
    reach = max(layer.dilation_rate) * (max(layer.kernel_size) - 1) + 1
    rows, cols = (int(n) for n in reach + rng.integers(0, 16, 2))
    x = rng.random((rows, cols, channels), dtype=np.float32)
    layer.build((None, *x.shape))
    layer.set_weights([rng.normal(0, 0.3, w.shape).astype(np.float32) for w in layer.get_weights()])
    return layer, x


def steps(rng: np.random.Generator, kernel: Array, bias: float, use_bias: bool) -> list[dict[str, Any]]:
    """Edits as a person makes them: a tap at a time, several at once, the bias, a whole kernel."""
    kernel = kernel.copy()
    made = []
    for _ in range(int(rng.integers(1, 8))):
        taps = 1 if rng.random() < 0.6 else int(rng.integers(1, kernel.size + 1))
        for tap in rng.choice(kernel.size, taps, replace=False):
            kernel.reshape(-1)[tap] = rng.normal(0, 0.3)
        if use_bias and rng.random() < 0.3:
            bias = float(np.float32(rng.normal(0, 0.3)))
        made.append({"kernel": kernel.reshape(-1).tolist(), "bias": bias})
    return made


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Random layers: for one filter of each, what Keras and what the browser make of it before and after edits."""
    rng = np.random.default_rng(20)
    cases, expected = [], []
    for number in range(LAYERS):
        layer, x = random_layer(rng, ACTIVATIONS[number % len(ACTIVATIONS)])
        seen = ConvLayer.of(layer, x.shape)
        kernels, biases = seen.read()
        index = int(rng.integers(len(kernels)))
        edits = steps(rng, kernels[index], float(biases[index]), layer.use_bias)
        last = np.array(edits[-1]["kernel"], np.float32).reshape(kernels[index].shape)
        edited = [last if i == index else kernel for i, kernel in enumerate(kernels)]
        edited_bias = np.array([edits[-1]["bias"] if i == index else b for i, b in enumerate(biases)], np.float32)
        weights = [layer.get_weights(), seen.weights(edited, edited_bias)]
        cases.append(
            {
                "geometry": seen.geometry.to_wire(),
                "image": x.reshape(-1).tolist(),
                "firstChannel": seen.geometry.first_channel(index),
                "kernel": kernels[index].reshape(-1).tolist(),
                "bias": float(biases[index]),
                "steps": edits,
            }
        )
        expected.append([tuple(maps[index] for maps in from_keras(layer, list(w), x)) for w in weights])
    file = tmp_path_factory.mktemp("preview") / "cases.json"
    file.write_text(json.dumps(cases))
    done = subprocess.run(["node", str(RUNNER), str(file)], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    return [
        {"geometry": case["geometry"], "keras": keras_, "browser": browser}
        for case, keras_, browser in zip(cases, expected, outcomes, strict=True)
    ]


def agree(found: list[float], expected: Array) -> None:
    """1e-5 relative, 1e-6 of the map's magnitude absolute."""
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(np.array(found).reshape(expected.shape), expected, rtol=1e-5, atol=1e-6 * scale)


@pytest.mark.parametrize("when", [0, 1], ids=["from nothing", "after the linear updates"])
def test_the_preview_is_what_keras_computes(runs: list[dict[str, Any]], when: int) -> None:
    for run in runs:
        pre, activation = run["keras"][when]
        agree(run["browser"][when]["pre"], pre)
        agree(run["browser"][when]["activation"], activation)


@pytest.mark.parametrize("when", [0, 1], ids=["from nothing", "after the linear updates"])
def test_the_legend_of_a_preview_is_the_range_of_keras_map(runs: list[dict[str, Any]], when: int) -> None:
    for run in runs:
        _, activation = run["keras"][when]
        low, high = run["browser"][when]["range"]
        close([low, high], np.array([activation.min(), activation.max()]))


def test_the_sweep_covers_what_the_browser_claims_to_know(runs: list[dict[str, Any]]) -> None:
    geometries = [run["geometry"] for run in runs]
    assert all(geometry["previewable"] for geometry in geometries)
    # Keras itself calls swish and hard_swish by their other names.
    assert {geometry["activation"] for geometry in geometries} == PREVIEWABLE - {"swish", "hard_swish"}
    assert {geometry["kind"] for geometry in geometries} == {"conv", "depthwise"}
    assert {geometry["padding"] for geometry in geometries} == {"valid", "same"}
    for name, least in [("groups", 2), ("kernel_channels", 4)]:
        assert any(geometry[name] >= least for geometry in geometries)
    for name in ("strides", "dilation_rate"):
        assert any(geometry[name][0] != geometry[name][1] for geometry in geometries)
        assert any(max(geometry[name]) == 3 for geometry in geometries)
