"""The program that `to_code` writes, run in a process of its own, gives what the lens shows."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import PIL.Image
import pytest

from convlens import ConvLens, presets
from tests.deadlines import SECONDS

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(3)
GREY = RNG.random((14, 17)).astype(np.float32)
COLOUR = RNG.integers(0, 256, (12, 15, 3), dtype=np.uint8)


def tutorial(folder: pathlib.Path) -> ConvLens:
    path = folder / "photo.png"
    PIL.Image.fromarray(COLOUR).save(path)
    return ConvLens(path)


def edited(folder: pathlib.Path) -> ConvLens:
    lens = ConvLens(GREY, [presets["sobel_x"], presets["sharpen"]], bias=[0.5, -1], padding="same", strides=(2, 1))
    lens.set_kernel(1, np.eye(3) / 3)
    lens.value_range = "symmetric"
    lens.stage = "pre_activation"
    return lens


def colour(folder: pathlib.Path) -> ConvLens:
    kernels = RNG.normal(size=(3, 2, 4, 3)).astype(np.float32)
    return ConvLens(COLOUR, list(kernels), activation="gelu", dilation_rate=2)


def own_layer(folder: pathlib.Path) -> ConvLens:
    layer = keras.layers.DepthwiseConv2D(3, depth_multiplier=2, activation="relu", use_bias=False)
    layer.build((None, None, None, 3))
    return ConvLens(COLOUR, layer=layer)


def deep_in_a_model(folder: pathlib.Path) -> ConvLens:
    model = keras.Sequential(
        [
            keras.Input((12, 15, 3)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(5, 2, activation="tanh", name="second"),
        ]
    )
    lens = ConvLens(COLOUR, model=model, layer="second")
    lens.bias = np.arange(5) / 5
    return lens


LENSES = [tutorial, edited, colour, own_layer, deep_in_a_model]

#: Runs every program in a namespace of its own; NumPy's first, while nothing of Keras is there.
RUNNER = """
import pathlib, runpy, sys
import numpy as np

for framework in ("numpy", "keras"):
    for path in sorted(pathlib.Path().glob(f"*.{framework}.py")):
        np.save(path.with_suffix(".npy"), runpy.run_path(str(path))["activations"])
    if framework == "numpy":
        assert not {"keras", "tensorflow"} & set(sys.modules)
assert "convlens" not in sys.modules
"""


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, ConvLens], pathlib.Path]:
    """Return the lenses, and the folder with what their programs made in a process that knows nothing of them."""
    folder = tmp_path_factory.mktemp("programs")
    lenses = {make.__name__: make(folder) for make in LENSES}
    for name, lens in lenses.items():
        for framework in ("keras", "numpy"):
            (folder / f"{name}.{framework}.py").write_text(lens.to_code(framework), encoding="utf-8")
    (folder / "run_all.py").write_text(RUNNER, encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    subprocess.run([sys.executable, "run_all.py"], cwd=folder, env=environment, check=True, timeout=SECONDS)
    return lenses, folder


@pytest.mark.parametrize("framework", ["keras", "numpy"])
@pytest.mark.parametrize("name", [make.__name__ for make in LENSES])
def test_the_program_reproduces_the_activations_in_a_fresh_process(
    reproduced: tuple[dict[str, ConvLens], pathlib.Path], name: str, framework: str
) -> None:
    lenses, folder = reproduced
    expected = lenses[name].activations
    actual = np.load(folder / f"{name}.{framework}.npy")
    # What float32 rounds is the sum before the activation function, in proportion to what was added up.
    added_up = np.abs(lenses[name].pre_activations).max()
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=2e-6 * added_up)
