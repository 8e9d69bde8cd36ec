"""A model of a fixed size is opened without an image, on a picture that says what it is."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from convlens.inputs.starting_picture import zone_plate
from tests.unit.keras_sweep import close, maps, numpy

layers = keras.layers


def model(*shape: int | None) -> Any:
    parts = [keras.Input(shape), layers.Conv2D(2, 3, name="open"), layers.GlobalAveragePooling2D(), layers.Dense(3)]
    return keras.Sequential(parts)


def test_the_picture_has_every_frequency_up_to_half_a_cycle_a_pixel() -> None:
    plate = zone_plate(65, 65, 3)
    assert plate.dtype == np.float32 and plate.min() >= 0 and plate.max() == 1
    middle = plate[32, 32:, 0]
    expected = 0.5 + 0.5 * np.cos(np.pi * np.arange(33) ** 2 / 65)
    np.testing.assert_allclose(middle, expected, atol=1e-6)
    # From one pixel to the next the phase moves by pi (2 r + 1) / n: less than pi, half a cycle, as far as the edge.
    assert (2 * 31 + 1) / 65 < 1
    np.testing.assert_array_equal(plate, plate[::-1, ::-1])
    np.testing.assert_array_equal(plate, plate.transpose(1, 0, 2))
    np.testing.assert_array_equal(plate[..., 0], plate[..., 2])


@pytest.mark.parametrize("shape", [(12, 16, 1), (12, 16, 3), (9, 9, 4)])
def test_a_model_of_a_fixed_size_starts_from_it_and_says_so(shape: tuple[int, int, int]) -> None:
    keras.utils.set_random_seed(1)
    own = model(*shape)
    lens = ConvLens(model=own)
    plate = zone_plate(*shape)
    np.testing.assert_array_equal(lens.image, plate)
    close(lens.activations, maps(own.get_layer("open")(plate[np.newaxis])))
    close(lens.predictions.before, numpy(own(plate[np.newaxis]))[0])
    assert "No image was given" in lens._image["notes"][0]
    lens.image = np.zeros(shape, np.float32)
    assert lens._image["notes"] == []


def test_what_the_model_is_given_can_be_prepared() -> None:
    lens = ConvLens(model=model(8, 8, 1), preprocess=lambda x: x * 2 - 1)
    np.testing.assert_array_equal(lens.image, zone_plate(8, 8, 1))


def test_a_model_without_a_size_wants_an_image() -> None:
    with pytest.raises(ValueError, match=r"\(rows, cols, channels\) = \(any, any, 3\).*ConvLens\(image, model=model\)"):
        ConvLens(model=model(None, None, 3))


def test_none_is_still_an_image_that_was_not_found_and_a_lens_without_a_model_needs_one() -> None:
    with pytest.raises(TypeError, match="The image is None"):
        ConvLens(None, model=model(8, 8, 1))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="The image is missing"):
        ConvLens()
    with pytest.raises(TypeError, match="The image is missing"):
        ConvLens(layer=layers.Conv2D(2, 3))
