"""The program that `to_code` writes, run in a process of its own, gives what the lens shows."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from collections.abc import Callable

import keras
import numpy as np
import PIL.Image
import pytest

from convlens import ConvLens, presets

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


@pytest.mark.parametrize("make", LENSES, ids=lambda make: make.__name__)
def test_the_program_reproduces_the_activations_in_a_fresh_process(
    make: Callable[[pathlib.Path], ConvLens], tmp_path: pathlib.Path
) -> None:
    lens = make(tmp_path)
    programs = {}
    for framework in ("keras", "numpy"):
        file = tmp_path / f"in_{framework}.py"
        file.write_text(lens.to_code(framework), encoding="utf-8")
        programs[framework] = file
    # One process, since each import of Keras takes seconds; each program still has a namespace of its own, and the
    # first, NumPy's, runs before anything of Keras is there.
    (tmp_path / "run.py").write_text(
        "import runpy, sys\nimport numpy as np\n"
        "for name in ('numpy', 'keras'):\n"
        "    made = runpy.run_path(f'in_{name}.py')\n"
        "    assert name == 'keras' or not {'keras', 'tensorflow', 'convlens'} & set(sys.modules)\n"
        "    np.save(f'{name}.npy', made['activations'])\n"
        "assert 'convlens' not in sys.modules\n",
        encoding="utf-8",
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    subprocess.run([sys.executable, "run.py"], cwd=tmp_path, env=environment, check=True, timeout=300)
    for framework in programs:
        reproduced = np.load(tmp_path / f"{framework}.npy")
        expected = lens.activations
        np.testing.assert_allclose(reproduced, expected, rtol=1e-5, atol=2e-6 * np.abs(expected).max())
