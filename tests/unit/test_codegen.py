from __future__ import annotations

import pathlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from convlens.inputs.images import Image, read_image, resize
from convlens.layers.conv_layer import ConvLayer
from convlens.maths.geometry import Geometry
from convlens.output.codegen import LONGEST_IMAGE, MOST_NUMBERS, to_code
from convlens.output.codegen.program import written

RNG = np.random.default_rng(13)
STEP = np.array([[-1, -1, 1, 1]] * 4, dtype=np.float32)
GREY = read_image(RNG.integers(0, 256, (12, 15), dtype=np.uint8), channels=1, scale=True)
COLOUR = read_image(RNG.normal(size=(11, 13, 3)).astype(np.float32), channels=3, scale=True)
SIX = read_image(RNG.normal(size=(9, 10, 6)).astype(np.float32), channels=6, scale=True)


@pytest.fixture(autouse=True)
def no_figures_left() -> Iterator[None]:
    yield
    plt.close("all")


def run(code: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {}
    exec(compile(code, "code", "exec"), namespace)
    return namespace


def weigh(layer: Any, image: Image) -> tuple[Geometry, dict[str, Any], NDArray[np.float32]]:
    """Give a layer random weights; return its geometry, what to_code takes of it, and its activations."""
    layer.build((None, *image.shape))
    layer.set_weights([RNG.normal(size=weight.shape).astype(np.float32) for weight in layer.get_weights()])
    conv = ConvLayer.of(layer, image.shape)
    kernels, bias = conv.read()
    names = [f"Filter {i}" for i in range(conv.geometry.filters)]
    parts = {"image": image, "kernels": kernels, "bias": bias, "names": names, "pointwise": conv.read_pointwise()}
    output: Any = layer(image.values[None])
    expected = keras.ops.convert_to_numpy(output)[0]
    return conv.geometry, parts, np.moveaxis(expected, -1, 0)


L = keras.layers
LAYERS: list[tuple[Callable[[], Any], Image]] = [
    (lambda: L.Conv2D(4, (4, 4), activation="relu"), GREY),
    (lambda: L.Conv2D(2, (2, 3), strides=(2, 1), padding="same", activation="tanh"), GREY),
    (lambda: L.Conv2D(2, 3, dilation_rate=(2, 3), padding="same", use_bias=False), COLOUR),
    (lambda: L.Conv2D(5, (3, 2), strides=3, activation=L.LeakyReLU(negative_slope=0.3)), COLOUR),
    (lambda: L.Conv2D(2, 3, activation=L.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.2)), COLOUR),
    (lambda: L.Conv2D(4, 3, groups=2, activation="gelu"), SIX),
    (lambda: L.Conv2D(6, 3, groups=6, padding="same"), SIX),
    (lambda: L.DepthwiseConv2D(3, depth_multiplier=2, strides=2, activation="relu"), COLOUR),
    (lambda: L.DepthwiseConv2D((2, 3), padding="same", dilation_rate=2, use_bias=False), SIX),
    (lambda: L.SeparableConv2D(4, 3, depth_multiplier=2, activation="silu"), COLOUR),
    (lambda: L.SeparableConv2D(3, (3, 2), strides=2, padding="same", use_bias=False), GREY),
    (lambda: L.Conv2DTranspose(3, (3, 2), strides=2, activation="relu"), COLOUR),
    (lambda: L.Conv2DTranspose(2, 4, strides=(2, 2), padding="same"), GREY),
    (lambda: L.Conv2DTranspose(2, (2, 1), strides=3, padding="same", use_bias=False), COLOUR),
    (lambda: L.Conv2DTranspose(2, 3, strides=2, padding="valid", output_padding=1), COLOUR),
    (lambda: L.Conv2DTranspose(2, 3, strides=2, padding="same", output_padding=1), COLOUR),
    (lambda: L.Conv2DTranspose(1, 3, dilation_rate=2), GREY),
]


@pytest.mark.parametrize("framework", ["keras", "numpy"])
@pytest.mark.parametrize("case", range(len(LAYERS)))
def test_the_program_gives_the_layers_own_activations(case: int, framework: str) -> None:
    make, image = LAYERS[case]
    geometry, parts, expected = weigh(make(), image)
    result = run(to_code(framework, geometry=geometry, **parts))["activations"]
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=2e-6 * np.abs(expected).max())


ACTIVATIONS = [
    "linear",
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "celu",
    "selu",
    "gelu",
    "silu",
    "swish",
    "sigmoid",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "hard_shrink",
    "soft_shrink",
    "tanh",
    "tanh_shrink",
    "softplus",
    "softsign",
    "exponential",
    "mish",
    "log_sigmoid",
    "sparse_plus",
    "squareplus",
    "softmax",
    "log_softmax",
    *(["sparse_sigmoid"] if hasattr(keras.activations, "sparse_sigmoid") else []),  # not in Keras 3.9
]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_numpy_has_keras_activation_functions_over_their_whole_range(name: str) -> None:
    ramp = np.linspace(-8, 8, 161, dtype=np.float32).reshape(7, 23)
    layer = L.Conv2D(2, 1, activation=name, use_bias=False)
    layer.build((None, 7, 23, 1))
    layer.set_weights([np.array([1.0, -0.5], np.float32).reshape(1, 1, 1, 2)])
    image = read_image(ramp, channels=1, scale=True)
    conv = ConvLayer.of(layer, image.shape)
    kernels, bias = conv.read()
    code = to_code("numpy", image=image, geometry=conv.geometry, kernels=kernels, bias=bias, names=["a", "b"])
    expected = np.moveaxis(keras.ops.convert_to_numpy(layer(ramp[None, :, :, None]))[0], -1, 0)
    np.testing.assert_allclose(run(code)["activations"], expected, rtol=2e-5, atol=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["keras", "numpy"])
def test_a_file_is_read_by_the_program_as_the_lens_read_it(tmp_path: pathlib.Path, framework: str) -> None:
    path = tmp_path / 'photo "1".png'
    PIL.Image.fromarray(RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(path)
    image = resize(read_image(path, channels=1, scale=True), 14, 17)
    geometry, parts, expected = weigh(L.Conv2D(2, 3, activation="relu"), image)
    code = to_code(framework, geometry=geometry, **parts)
    assert "base64" not in code
    (tmp_path / "reproduce.py").write_text(code + 'np.save("activations.npy", activations)\n', encoding="utf-8")
    subprocess.run([sys.executable, "-W", "error::UserWarning:__main__", "reproduce.py"], cwd=tmp_path, check=True)
    np.testing.assert_allclose(np.load(tmp_path / "activations.npy"), expected, rtol=1e-5, atol=2e-6)


def test_an_image_too_long_for_the_program_is_loaded_from_the_file_that_it_names(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = RNG.random((700, 700), dtype=np.float32)
    assert values.nbytes > LONGEST_IMAGE * 3 / 4
    geometry, parts, expected = weigh(L.Conv2D(1, 2), read_image(values, channels=1, scale=True))
    code = to_code("keras", geometry=geometry, **parts)
    assert 'np.save("image.npy", lens.image)' in code
    monkeypatch.chdir(tmp_path)
    np.save("image.npy", parts["image"].values)
    np.testing.assert_allclose(run(code)["activations"], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("framework", ["keras", "numpy"])
def test_the_numbers_of_a_picture_come_after_all_that_is_to_be_read(framework: str) -> None:
    geometry, parts, _ = weigh(L.Conv2D(2, 3), COLOUR)
    lines = to_code(framework, geometry=geometry, **parts).splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("image = "))
    assert not any("b64decode" in line for line in lines[:at])
    rest = [line for line in lines[at:] if not line.startswith(("image = ", "#"))]
    assert [line.split(" = ")[1] for line in rest] == ["activation_maps(image)", "draw(activations)"]


def test_many_numbers_are_packed_and_stay_exact() -> None:
    geometry, parts, _ = weigh(L.Conv2D(100, 3), SIX)
    assert sum(kernel.size for kernel in parts["kernels"]) > MOST_NUMBERS
    namespace = run(to_code("keras", geometry=geometry, **parts))
    np.testing.assert_array_equal(namespace["kernels"], parts["kernels"])


def test_kernels_are_written_as_a_person_would_write_them() -> None:
    geometry, parts, _ = weigh(L.Conv2D(2, 4), GREY)
    parts["kernels"] = [STEP[..., None], STEP.T[..., None]]
    code = to_code("keras", geometry=geometry, **parts)
    assert "[-1, -1, 1, 1]," in code
    for line in ("(4, 4, 1, 2) is (kh, kw, input channels, filters)", "(2, 4, 4) is kernels, kh, kw"):
        assert line in code


@pytest.mark.parametrize("shape", [(300,), (20, 15), (3, 10, 10), (3, 2, 5, 10)])
def test_every_written_number_reads_back_as_the_same_float32(shape: tuple[int, ...]) -> None:
    values = RNG.integers(0, 2**32, 300, dtype=np.uint32).view(np.float32)  # any bit pattern: NaN and ∞ too
    values[:6] = [np.nan, np.inf, -np.inf, -0.0, 1 / 9, 16777217]
    array = values.reshape(shape)
    namespace: dict[str, Any] = {"np": np}
    exec("\n".join(written("kernels", array)), namespace)
    np.testing.assert_array_equal(namespace["kernels"], array)
    np.testing.assert_array_equal(
        np.signbit(namespace["kernels"][~np.isnan(array)]), np.signbit(array[~np.isnan(array)])
    )


@pytest.mark.parametrize("framework", ["keras", "numpy"])
@pytest.mark.parametrize(
    ("value_range", "stage"),
    [
        ("per_map", "activation"),
        ("shared", "pre_activation"),
        ("symmetric", "activation"),
        ((-1.0, 2.0), "pre_activation"),
    ],
)
def test_the_program_draws_what_the_lens_shows(framework: str, value_range: Any, stage: Any) -> None:
    geometry, parts, expected = weigh(L.Conv2D(5, 3, activation="relu"), GREY)
    code = to_code(framework, geometry=geometry, cmap="viridis", value_range=value_range, stage=stage, **parts)
    namespace = run(code)
    shown = namespace["activations"] if stage == "activation" else namespace["pre_activations"]
    np.testing.assert_allclose(np.maximum(shown, 0), expected, rtol=1e-5, atol=1e-5)
    for index, ax in enumerate(namespace["axes"].flat[:5]):
        values = shown[index]
        limits = {
            "per_map": (values.min(), values.max()),
            "shared": (shown.min(), shown.max()),
            "symmetric": (-np.abs(values).max(), np.abs(values).max()),
        }.get(value_range if isinstance(value_range, str) else "", value_range)
        assert ax.images[0].get_clim() == pytest.approx(limits)
        assert ax.images[0].get_cmap().name == "viridis"
        assert ax.get_title() == f"Filter {index}"


def test_names_cannot_break_the_program() -> None:
    geometry, parts, _ = weigh(L.Conv2D(2, 3), GREY)
    parts["names"] = ['a"\n"""\nraise SystemExit', "b\\"]
    assert run(to_code("numpy", geometry=geometry, **parts))["names"] == parts["names"]


def test_what_cannot_be_written_is_refused() -> None:
    geometry, parts, _ = weigh(L.Conv2D(2, 3), GREY)
    with pytest.raises(ValueError, match="'keras' or 'numpy'"):
        to_code("torch", geometry=geometry, **parts)
    with pytest.raises(ValueError, match=r"not Keras's own.*lens\.get_weights"):
        to_code("keras", geometry=replace(geometry, exact=False), **parts)
    with pytest.raises(ValueError, match="'sparsemax' cannot be written in NumPy"):
        to_code("numpy", geometry=replace(geometry, activation="sparsemax"), **parts)
