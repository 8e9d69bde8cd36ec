"""A saved map holds the map's values, or its picture."""

from __future__ import annotations

import io
import pathlib

import numpy as np
import PIL.Image
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_rgb

from convlens import ConvLens

RNG = np.random.default_rng(8)
IMAGE = RNG.normal(size=(20, 31)).astype(np.float32)
KERNELS = [RNG.normal(size=(3, 3)).astype(np.float32) * scale for scale in (1, 1e-6, 1e6)]


def decoded(path: pathlib.Path) -> tuple[np.ndarray, float]:
    """Values of a 16-bit file, as its own text says, and the step between two codes."""
    depth, colour = path.read_bytes()[24:26]  # of the header that every PNG begins with
    assert (depth, colour) == (16, 0)
    with PIL.Image.open(path) as picture:
        assert picture.format == "PNG"
        low, high = float(picture.text["low"]), float(picture.text["high"])  # type: ignore[attr-defined]
        return low + np.asarray(picture, np.float64) / 65535 * (high - low), (high - low) / 65535


@pytest.mark.parametrize("stage", ["activation", "pre_activation"])
@pytest.mark.parametrize("i", [0, 1, 2])
def test_sixteen_bits_give_the_values_back_to_half_a_step(tmp_path: pathlib.Path, i: int, stage: str) -> None:
    lens = ConvLens(IMAGE, KERNELS, stage=stage)
    lens.save_map(i, tmp_path / "map.png")
    expected = (lens.activations if stage == "activation" else lens.pre_activations)[i]
    values, step = decoded(tmp_path / "map.png")
    assert values.shape == expected.shape
    assert np.abs(values - expected).max() <= 0.5001 * step
    assert (values.min(), values.max()) == (expected.min(), expected.max())


def test_an_even_map_is_its_one_value(tmp_path: pathlib.Path) -> None:
    lens = ConvLens(np.ones((5, 5)), [np.full((2, 2), 0.1)], bias=[0.3])
    lens.save_map(0, tmp_path / "even.png")
    values, step = decoded(tmp_path / "even.png")
    assert step == 0
    np.testing.assert_array_equal(values, lens.activations[0])


def test_the_file_names_its_filter_in_any_script() -> None:
    file = io.BytesIO()
    ConvLens(IMAGE, KERNELS[:1], names=["縁 → edge"]).save_map(0, file)
    with PIL.Image.open(file) as picture:
        assert picture.text["Title"] == "縁 → edge"  # type: ignore[attr-defined]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_grey_cannot_say_are_refused_and_no_file_is_left(tmp_path: pathlib.Path, bad: float) -> None:
    image = IMAGE.copy()
    image[3, 3] = bad
    lens = ConvLens(image, [np.ones((1, 1))], activation="linear")
    with pytest.raises(ValueError, match=r"1 value.*np\.save.*bits=8"):
        lens.save_map(0, tmp_path / "map.png")
    assert not (tmp_path / "map.png").exists()


@pytest.mark.parametrize("value_range", ["per_map", "shared", "symmetric", (-1.0, 2.0)])
def test_eight_bits_are_the_colours_of_the_lens(value_range: str | tuple[float, float]) -> None:
    lens = ConvLens(IMAGE, KERNELS[:2], cmap="viridis", value_range=value_range, stage="pre_activation")
    file = io.BytesIO()
    lens.save_map(1, file, bits=8)
    every, values = lens.pre_activations, lens.pre_activations[1]
    most = np.abs(values).max()
    low, high = {
        "per_map": (values.min(), values.max()),
        "shared": (every.min(), every.max()),
        "symmetric": (-most, most),
    }.get(str(value_range), (-1.0, 2.0))
    expected = colormaps["viridis"]((values.astype(np.float64) - low) / (float(high) - float(low)), bytes=True)[..., :3]
    with PIL.Image.open(file) as picture:
        assert picture.mode == "RGB"
        # A value on the border of two levels may fall to either side in float32.
        assert np.abs(np.asarray(picture, int) - expected).max() <= 4


def test_what_is_no_number_in_range_has_colours_of_its_own() -> None:
    values = np.array([[0.0, 1.0, np.nan, np.inf, -np.inf, -5.0, 7.0, 0.5]], np.float32)
    lens = ConvLens(values, [np.ones((1, 1))], activation="linear", value_range=(0, 1))
    file = io.BytesIO()
    lens.save_map(0, file, bits=8)
    with PIL.Image.open(file) as picture:
        colors = [tuple(pixel) for pixel in np.asarray(picture)[0].tolist()]
    bad, under, over = (tuple(round(255 * part) for part in to_rgb(c)) for c in ("#d6006c", "#0072b2", "#e69f00"))
    assert colors[:7] == [(0, 0, 0), (255, 255, 255), bad, over, under, under, over]


def test_other_bits_are_refused() -> None:
    with pytest.raises(ValueError, match=r"bits=12.*16 for the values, or 8"):
        ConvLens(IMAGE, KERNELS).save_map(0, io.BytesIO(), bits=12)
