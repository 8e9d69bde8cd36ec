"""What a saved page holds of Keras's results: prediction, snapshots and a survey's images, each within its bound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convlens
from convlens import ConvLens
from convlens.protocol import saved_answers
from convlens.surveys.results import Survey
from tests.unit.survey_models import edge_maps, edges_model, random_images
from tests.unit.test_export import read_state
from tests.unit.test_requests import Browser

EPOCHS = 4


def saved(lens: ConvLens, folder: Path) -> dict[str, Any]:
    lens.save_html(folder / "lens.html")
    return read_state((folder / "lens.html").read_text("utf-8"))


def floats(data: bytes) -> Any:
    return np.frombuffer(data, "<f4")


@pytest.fixture
def model() -> Any:
    return edges_model()


@pytest.fixture
def trained(model: Any) -> ConvLens:
    """A lens that followed a training of its model."""
    model.compile("sgd", "mse")
    images = random_images(8).astype("float32") / 255
    lens = ConvLens(images[0], model=model, layer="corners")
    model.fit(images, np.ones((8, 2)), batch_size=8, epochs=EPOCHS, verbose=0, callbacks=[lens.callback()])
    return lens


@pytest.fixture
def survey(model: Any) -> Survey:
    return convlens.survey(model, random_images(12), top=5, progress=False)


def test_the_last_prediction_is_in_the_page_while_it_is_of_the_saved_weights(model: Any, tmp_path: Path) -> None:
    lens = ConvLens(random_images(1)[0], model=model, layer="corners")
    assert saved(lens, tmp_path)["_saved"]["predictions"] is None
    lens.set_kernel(0, lens.kernels[0] + 1)
    before, after = lens.predictions
    found = saved(lens, tmp_path)["_saved"]["predictions"]
    np.testing.assert_array_equal(floats(found["before"]), before)
    np.testing.assert_array_equal(floats(found["after"]), after)
    assert found["before"] != found["after"]
    lens.set_kernel(1, lens.kernels[1] + 1)
    assert saved(lens, tmp_path)["_saved"]["predictions"] is None
    lens.undo()
    assert saved(lens, tmp_path)["_saved"]["predictions"] == found
    model.get_layer("classes").set_weights([np.ones((3, 2)), np.zeros(2)])
    assert saved(lens, tmp_path)["_saved"]["predictions"] is None
    _ = lens.predictions
    lens.image = random_images(1, seed=1)[0]
    assert saved(lens, tmp_path)["_saved"]["predictions"] is None


def test_a_prediction_that_is_too_long_is_not(model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lens = ConvLens(random_images(1)[0], model=model, layer="corners")
    _ = lens.predictions
    monkeypatch.setattr(saved_answers, "PREDICTION_BYTES", 7)
    found = saved(lens, tmp_path)["_saved"]
    assert found["predictions"] is None
    assert found["left_out"] == "Not in this page, which is kept small: the prediction."


def test_a_layers_input_is_in_the_page_with_its_size_where_there_is_room(
    model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = random_images(1)
    lens = ConvLens(images[0], model=model, layer="corners")
    fed = edge_maps(images)[0]
    found = saved(lens, tmp_path)["_saved"]
    rows, cols, channels = fed.shape
    np.testing.assert_array_equal(floats(found["input"]).reshape(channels, rows, cols), np.moveaxis(fed, -1, 0))
    size = 4 * fed.size
    what = f"the layer's input, {rows} × {cols} × {channels}, {size / 1e6:.3g} MB"
    assert found["held"] == f"In this page for previews: {what} before it is packed."
    assert found["left_out"] == ""
    monkeypatch.setattr(saved_answers, "INPUT_BYTES", size - 1)
    found = saved(lens, tmp_path)["_saved"]
    assert (found["input"], found["held"]) == (None, "")
    assert found["left_out"] == (
        f"Not in this page, which is kept small: {what}, without which no edit is previewed here."
    )


def test_a_layer_that_is_fed_the_image_has_its_input_in_the_page_once(model: Any, tmp_path: Path) -> None:
    found = saved(ConvLens(random_images(1)[0], model=model), tmp_path)["_saved"]
    assert (found["input"], found["held"], found["left_out"]) == (None, "", "")


def test_a_page_as_text_is_the_file_that_is_saved_and_what_the_browser_asks_for(model: Any, tmp_path: Path) -> None:
    lens = ConvLens(random_images(1)[0], model=model, layer="corners")
    browser = Browser(lens)
    lens.save_html(tmp_path / "lens.html")
    text = (tmp_path / "lens.html").read_text("utf-8")
    assert lens.to_html() == text
    assert browser.ask("page")["page"].decode() == text


def test_every_snapshot_is_in_the_page_with_the_one_that_is_shown(trained: ConvLens, tmp_path: Path) -> None:
    trained.scrub(1)
    state = saved(trained, tmp_path)
    training, snapshots = state["_training"], state["_saved"]["snapshots"]
    assert [one["epoch"] for one in training["snapshots"]] == [0, 1, 2, 3, 4]
    assert (training["running"], training["shown"]) == (False, 1)
    assert len(snapshots) == len(trained.snapshots) == 1 + EPOCHS
    for one, snapshot in zip(snapshots, trained.snapshots, strict=True):
        np.testing.assert_array_equal(floats(one["kernels"]).reshape(3, 2, 2, 2), snapshot.kernels)
        np.testing.assert_array_equal(floats(one["bias"]), snapshot.bias)
    assert state["_saved"]["left_out"] == ""


def test_of_too_many_snapshots_the_first_the_last_and_the_shown_one_stay(
    trained: ConvLens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    each = 4 * 3 * (2 * 2 * 2 + 1)
    monkeypatch.setattr(saved_answers, "SNAPSHOT_BYTES", 3 * each - 1)
    trained.scrub(1)
    state = saved(trained, tmp_path)
    assert [one["epoch"] for one in state["_training"]["snapshots"]] == [0, 1, 4]
    assert state["_training"]["shown"] == 1
    assert len(state["_saved"]["snapshots"]) == 3
    assert "2 of 5 snapshots of the training" in state["_saved"]["left_out"]
    monkeypatch.setattr(saved_answers, "SNAPSHOT_BYTES", 2 * each - 1)
    state = saved(trained, tmp_path)
    assert (state["_training"], state["_saved"]["snapshots"]) == (None, [])
    assert "the snapshots of the training" in state["_saved"]["left_out"]


def test_a_surveys_images_of_the_open_layer_are_in_the_page_best_first(
    model: Any, survey: Survey, tmp_path: Path
) -> None:
    lens = ConvLens(random_images(1)[0], model=model, layer="corners", survey=survey)
    original = lens.kernels[2]
    lens.set_kernel(2, 2 * original)
    excited = saved(lens, tmp_path)["_saved"]["excited"]
    assert len(excited) == 3
    for i, one in enumerate(excited):
        top = survey.top("corners", i)
        assert [(best["image"], best["value"], tuple(best["pixel"])) for best in one["best"]] == [
            (str(best.image), best.value, best.pixel) for best in top
        ]
        assert [best["picture"] for best in one["best"]] == [survey.png("corners", i, rank) for rank in range(len(top))]
    np.testing.assert_array_equal(floats(excited[2]["original"]).reshape(2, 2, 2), original)


def test_where_there_is_no_room_each_filter_keeps_as_many_images_and_the_page_says_so(
    model: Any, survey: Survey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lens = ConvLens(random_images(1)[0], model=model, layer="corners", survey=survey)
    sizes = [saved_answers.ABOUT_IMAGE + len(survey.png("corners", i, rank)) for i in range(3) for rank in range(5)]
    bound = 3 * (4 * 8 + 2 * max(sizes))
    monkeypatch.setattr(saved_answers, "SURVEY_BYTES", bound)
    found = saved(lens, tmp_path)["_saved"]
    counts = [len(one["best"]) for one in found["excited"]]
    assert min(counts) >= 2
    assert max(counts) < 5
    held = sum(len(one["original"]) + sum(len(best["picture"]) for best in one["best"]) for one in found["excited"])
    assert held <= bound
    assert f"{15 - sum(counts)} of 15 images that the survey holds" in found["left_out"]
    monkeypatch.setattr(saved_answers, "SURVEY_BYTES", 10)
    found = saved(lens, tmp_path)["_saved"]
    assert found["excited"] == []
    assert "15 of 15 images" in found["left_out"]


def test_no_folder_of_a_surveyed_file_is_in_the_page(model: Any, tmp_path: Path) -> None:
    from PIL import Image

    folder = tmp_path / "of-somebody"
    folder.mkdir()
    for i, image in enumerate(random_images(3)):
        Image.fromarray(image[:, :, 0]).save(folder / f"{i}.png")
    survey = convlens.survey(model, [str(folder / f"{i}.png") for i in range(3)], progress=False)
    lens = ConvLens(random_images(1)[0], model=model, layer="corners", survey=survey)
    state = saved(lens, tmp_path)
    names = {best["image"] for one in state["_saved"]["excited"] for best in one["best"]}
    assert names == {"0.png", "1.png", "2.png"}
    assert "of-somebody" not in repr(state)


def test_a_lens_without_a_model_has_none_of_this(tmp_path: Path) -> None:
    state = saved(ConvLens(np.eye(8, dtype=np.float32), [np.ones((3, 3))]), tmp_path)
    assert state["_training"] is None
    nothing: dict[str, Any] = {"input": None, "predictions": None, "outputs": [], "snapshots": [], "excited": []}
    assert state["_saved"] == nothing | {"held": "", "left_out": ""}
