"""What a front end may ask about a filter: the images that excite it, the picture that would, and attribution."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Any

import keras
import numpy as np
import PIL.Image
import pytest

import convlens
from convlens import ConvLens
from convlens.interpretation.ascent import Ascent
from tests.deadlines import SECONDS
from tests.unit.survey_models import edge_maps, edges_model, random_images, save_images
from tests.unit.test_requests import Browser

IMAGES = random_images(24, seed=2).astype(np.float32)


def opened(images: Any = IMAGES, layer: str = "corners", **survey: Any) -> Browser:
    model = edges_model()
    found = convlens.survey(model, images, top=4, progress=False, **survey)
    return Browser(ConvLens(IMAGES[0], model=model, layer=layer, survey=found))


def excited(browser: Browser, index: int) -> dict[str, Any]:
    answer = browser.ask("excited", uid=browser.uid(index))
    assert answer["ok"]
    found: dict[str, Any] = answer["excited"]
    return found


def wait() -> None:
    for thread in threading.enumerate():
        if thread.name == "convlens: long run":
            thread.join()


def run(browser: Browser, what: str, **fields: Any) -> dict[str, Any]:
    """Begin a run, wait for its end, and return what it found."""
    assert browser.ask("run", what=what, act="start", **fields)["ok"]
    wait()
    found: dict[str, Any] = browser.ask("run", what=what, act="look")["run"]
    assert not found["running"]
    return found


def pixels(png: bytes) -> np.ndarray:
    with PIL.Image.open(io.BytesIO(png)) as picture:
        return np.array(picture)


def test_the_best_images_cross_with_value_place_and_patch() -> None:
    browser = opened(layer="edges")
    maps = edge_maps(IMAGES)
    for index in range(2):
        greatest = maps[..., index].max(axis=(1, 2))
        order = np.argsort(-greatest, kind="stable")[:4]
        best = excited(browser, index)["best"]
        assert [one["image"] for one in best] == [str(i) for i in order]
        assert [one["value"] for one in best] == greatest[order].tolist()
        for one, i in zip(best, order, strict=True):
            row, col = one["pixel"]
            assert maps[i, row, col, index] == greatest[i]
            assert one["window"] == [row, row, col, col + 1]  # a kernel of 1 × 2, no padding
            np.testing.assert_array_equal(pixels(one["picture"]), IMAGES[i, row : row + 1, col : col + 2, 0])


def test_the_browser_is_told_what_was_surveyed_and_when_it_is_exchanged() -> None:
    browser = opened(layer="edges")
    assert browser.lens._survey == {"version": 1, "layers": ["edges", "corners"], "images": 24}
    browser.lens.survey = None
    assert not browser.lens._survey
    refused = browser.ask("excited", uid=browser.uid(0))
    assert not refused["ok"] and "lens.survey" in refused["error"]["text"]


def test_a_layer_that_was_not_surveyed_has_no_images() -> None:
    browser = opened(layer="edges")
    browser.lens.survey = convlens.survey(edges_model(), IMAGES, "corners", progress=False)
    assert excited(browser, 0)["best"] == []


def from_folder(tmp_path: Path) -> Any:
    save_images(tmp_path, IMAGES.astype(np.uint8))
    return tmp_path


def from_paths(tmp_path: Path) -> Any:
    save_images(tmp_path, IMAGES.astype(np.uint8))
    return sorted(tmp_path.glob("*.png"))


@pytest.mark.parametrize("make", [lambda _: IMAGES, lambda _: list(IMAGES), from_folder, from_paths])
def test_a_stored_image_is_read_again_and_shown_with_its_pixel_pinned(make: Any, tmp_path: Path) -> None:
    browser = opened(make(tmp_path))
    one = excited(browser, 1)["best"][2]
    answer = browser.ask("show_excited", filter=1, rank=2)
    assert answer["ok"] and answer["replaced"]
    lens = browser.lens
    place = int(one["image"]) if one["image"].isdigit() else int(Path(one["image"]).stem)
    np.testing.assert_array_equal(lens.image, IMAGES[place])
    assert list(lens.pixel) == one["pixel"]
    assert lens.activations[1][lens.pixel] == one["value"]


def test_of_a_stream_the_patch_is_shown_where_it_was_and_the_pixel_has_its_value() -> None:
    browser = opened(({"ignored": i}, image)[1] for i, image in enumerate(IMAGES))
    one = excited(browser, 1)["best"][0]
    assert browser.ask("show_excited", filter=1, rank=0)["ok"]
    lens, (top, bottom, left, right) = browser.lens, one["window"]
    patch = IMAGES[int(one["image"])][top : bottom + 1, left : right + 1]
    np.testing.assert_array_equal(lens.image[top : bottom + 1, left : right + 1], patch)
    assert lens.activations[1][lens.pixel] == one["value"]
    assert any("only this patch" in note for note in lens._image["notes"])


def test_the_image_before_the_first_stored_one_comes_back() -> None:
    browser = opened()
    browser.lens.pixel = (4, 3)
    for rank in (0, 3):
        browser.ask("show_excited", filter=0, rank=rank)
    answer = browser.ask("show_excited", filter=None, rank=None)
    assert answer["ok"] and not answer["replaced"]
    np.testing.assert_array_equal(browser.lens.image, IMAGES[0])
    assert tuple(browser.lens.pixel) == (4, 3)
    assert browser.ask("show_excited", filter=None, rank=None)["ok"], "a second time nothing happens"
    np.testing.assert_array_equal(browser.lens.image, IMAGES[0])


@pytest.mark.parametrize("fields", [{"filter": 0, "rank": 4}, {"filter": 3, "rank": 0}, {"filter": 0, "rank": -1}, {}])
def test_an_image_that_the_survey_does_not_hold_is_refused_and_nothing_changes(fields: dict[str, Any]) -> None:
    browser = opened()
    answer = browser.ask("show_excited", **({"rank": 0} | fields))
    assert not answer["ok"]
    np.testing.assert_array_equal(browser.lens.image, IMAGES[0])


def test_a_survey_of_other_weights_is_told_as_one_until_they_are_back() -> None:
    model = edges_model()
    survey = convlens.survey(model, IMAGES, top=4, progress=False)
    lens = ConvLens(IMAGES[0], model=model, layer="edges", survey=survey)
    browser = Browser(lens)
    version = lens._survey["version"]
    assert excited(browser, 0)["current"]
    lens.set_kernel(0, np.array([[2, -2]], np.float32))
    assert excited(browser, 0)["current"], "an edit is the lens's, and the model has not changed"
    lens.apply()
    assert not excited(browser, 0)["current"]
    assert lens._survey["version"] > version, "what a browser was told before is out of date"
    version = lens._survey["version"]
    lens.restore()
    assert excited(browser, 0)["current"] and lens._survey["version"] > version
    # Trained by somebody else, in a layer that the filter does not even read.
    head = model.layers[-1]
    head.set_weights([value + 1 for value in head.get_weights()])
    assert not excited(browser, 0)["current"]


def test_an_edited_filter_is_told_by_the_original_kernel_and_ranks_all_stored_patches_anew() -> None:
    browser = opened(layer="edges")
    original = excited(browser, 0)["original"]
    edited = np.array([[2, -2]], np.float32)  # filter 1's kernel, doubled
    browser.lens.set_kernel(0, edited)
    found = excited(browser, 0)
    assert found["original"] == original and np.frombuffer(original, "<f4").tolist() == [-1, 1]
    survey = browser.lens.survey
    stored = {(one.image, one.pixel) for index in range(2) for one in survey.top("edges", index)}
    values: dict[int, float] = {}
    for image, (row, col) in stored:
        step = float(IMAGES[image, row, col, 0] - IMAGES[image, row, col + 1, 0])
        values[image] = max(values.get(image, 0), 2 * step, 0)
    best = run(browser, "rank", uid=browser.uid(0))["best"]
    expected = sorted(values.values(), reverse=True)[:4]
    assert [one["value"] for one in best] == expected
    assert all(values[int(one["image"])] == one["value"] for one in best)
    assert best[0]["filter"] == 1, "what the other filter stored"


def test_a_picture_grows_in_a_thread_and_is_the_one_that_python_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convlens.protocol.interpretations.STEPS", 12)
    browser = opened()
    browser.lens.set_kernel(1, -np.array(browser.lens.kernels[1]))
    found = run(browser, "maximize", uid=browser.uid(1))
    expected = browser.lens.maximize(1, steps=12)
    assert (found["step"], found["steps"], found["error"]) == (12, 12, None)
    assert found["activation"] == pytest.approx(expected.activation, rel=1e-4)
    np.testing.assert_allclose(pixels(found["picture"]), expected.image[..., 0], atol=1)  # 0 to 255 either way


def test_an_edit_does_not_wait_for_a_picture_which_stops_when_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, held = threading.Event(), threading.Event()
    climb = Ascent.run

    def slow(ascent: Ascent, steps: int) -> Any:
        for step in climb(ascent, steps):
            begun.set()
            assert held.wait(SECONDS)
            yield step

    monkeypatch.setattr(Ascent, "run", slow)
    browser = opened()
    uid = browser.uid(0)
    assert browser.ask("run", what="maximize", act="start", uid=uid)["run"]["running"]
    assert begun.wait(SECONDS)
    edited = browser.tap(0, 0, 7.0)
    assert edited["ok"] and edited["filters"][0]["map"] is not None, "Keras's map, while the ascent is under way"
    assert browser.ask("run", what="maximize", act="stop")["run"]["running"]
    held.set()
    wait()
    found = browser.ask("run", what="maximize", act="look")["run"]
    assert not found["running"] and found["step"] == 1 and len(found["picture"]) > 0


def test_a_closed_lens_stops_its_pictures() -> None:
    browser = opened()
    browser.ask("run", what="maximize", act="start", uid=browser.uid(0))
    browser.lens.close()
    wait()


def test_a_request_that_comes_twice_begins_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    browser = opened()
    begun: list[Any] = []

    def prepare(*arguments: Any) -> Any:
        begun.append(arguments)
        return lambda **_: None, (0, 1)

    monkeypatch.setattr("convlens.state.interpreted.prepare_maximize", prepare)
    for _ in range(2):
        content = {"type": "run", "client": "test", "seq": 99, "what": "maximize", "act": "start"}
        browser.lens._handle_custom_msg(content | {"uid": browser.uid(0)}, [])
    wait()
    assert len(begun) == 1


def test_a_filter_of_a_layer_on_its_own_is_maximised_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convlens.protocol.interpretations.STEPS", 3)
    browser = Browser(ConvLens(IMAGES[0, :, :, 0], [np.ones((2, 2))]))
    _ = browser.lens.activations
    assert pixels(run(browser, "maximize", uid=browser.uid(0))["picture"]).shape == IMAGES[0].shape[:2]


def test_a_model_that_is_fed_blue_first_is_shown_red_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convlens.protocol.interpretations.STEPS", 20)
    model = keras.Sequential([keras.Input((6, 6, 3)), keras.layers.Conv2D(1, 1, name="red")])
    model.get_layer("red").set_weights([np.array([0, 0, 1], np.float32).reshape(1, 1, 3, 1), np.zeros(1, np.float32)])
    image = np.full((6, 6, 3), 200, np.uint8)
    browser = Browser(ConvLens(image, model=model, preprocess=lambda x: x[..., ::-1] - 100))
    picture = pixels(run(browser, "maximize", uid=browser.uid(0))["picture"]).mean(axis=(0, 1))
    assert picture[0] > picture[1:].max()


@pytest.mark.parametrize("method", ["gradcam", "gradients"])
def test_attribution_is_that_of_python_before_and_after_the_edits(method: str) -> None:
    browser = opened()
    lens = browser.lens
    lens.set_kernel(2, np.zeros_like(lens.kernels[2]))
    found = run(browser, "attribution", target=1, method=method)
    before, after = (lens.attribution(1, method, edited=edited) for edited in (False, True))
    assert found["most"] == pytest.approx(max(before.max(), after.max()), rel=1e-5)
    for name, values in (("before", before), ("after", after)):
        drawn = pixels(found[name])
        assert drawn.shape == (*values.shape, 4)
        np.testing.assert_allclose(drawn[..., 3], 200 * values / found["most"], atol=2)


def test_an_attribution_that_cannot_be_is_told_with_its_words() -> None:
    found = run(opened(), "attribution", target=7, method="gradcam")
    assert "7" in found["error"] and "2 classes" in found["error"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [({"what": "cook", "act": "start"}, "what='cook'"), ({"what": "maximize", "act": "cook"}, "act='cook'")],
)
def test_a_run_that_there_is_not_is_refused(fields: dict[str, str], expected: str) -> None:
    browser = opened()
    answer = browser.ask("run", uid=browser.uid(0), **fields)
    assert not answer["ok"] and expected in answer["error"]["text"]
