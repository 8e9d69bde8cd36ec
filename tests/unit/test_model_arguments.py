"""`model`, `layer` and `kernels` in each other's place: refused with the call that was meant."""

from __future__ import annotations

import re
from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens

IMAGE = np.random.default_rng(17).random((8, 8, 1), dtype=np.float32)


@pytest.fixture(scope="module")
def model() -> Any:
    return keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, name="first")], name="small")


def test_a_model_or_layer_by_position_is_told_its_keyword(model: Any) -> None:
    for given, keyword in ((model, "model"), (model.layers[0], "layer")):
        with pytest.raises(TypeError, match=rf"ConvLens\(image, {keyword}={keyword}\)"):
            ConvLens(IMAGE, given)
        assert ConvLens(IMAGE, **{keyword: given}).activations.shape == (2, 6, 6)


def test_a_model_and_a_layer_in_each_others_place_are_told_so(model: Any) -> None:
    with pytest.raises(TypeError, match=r"ConvLens\(image, model=model\)"):
        ConvLens(IMAGE, layer=model)
    with pytest.raises(TypeError, match=r"ConvLens\(image, layer=layer\)"):
        ConvLens(IMAGE, model=model.layers[0])


def test_the_name_of_a_layer_asks_for_its_model(model: Any) -> None:
    with pytest.raises(ValueError, match=r"model= is missing.*ConvLens\(image, model=model, layer='first'\)"):
        ConvLens(IMAGE, layer="first")
    assert ConvLens(IMAGE, model=model, layer="first").layer_path == "first"


@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize("keyword", ["model", "layer"])
def test_a_file_is_to_be_loaded_first_and_the_line_that_does_it_works(
    model: Any, tmp_path: Any, ending: str, keyword: str
) -> None:
    path = tmp_path / f"small{ending}"
    model.save(path)
    for given in (path, str(path)):
        with pytest.raises(TypeError, match=r"keras\.models\.load_model") as caught:
            ConvLens(IMAGE, **{keyword: given})  # type: ignore[arg-type]
    line = re.search(r"model=(keras\.models\.load_model\(.*?\))", str(caught.value))
    assert line is not None
    loaded = eval(line[1], {"keras": keras})
    np.testing.assert_array_equal(ConvLens(IMAGE, model=loaded).get_weights()[0], model.get_weights()[0])


def test_other_text_and_classes_are_no_models() -> None:
    with pytest.raises(TypeError, match=r"expected a keras\.Model"):
        ConvLens(IMAGE, model="resnet50")
    with pytest.raises(TypeError, match=r"layer=Conv2D is a class.*Conv2D\(\.\.\.\)"):
        ConvLens(IMAGE, layer=keras.layers.Conv2D)
