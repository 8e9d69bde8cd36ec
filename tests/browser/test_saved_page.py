"""The tutorial's lens as one file: opened from disk with no kernel and no network, edited, and printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.cbook import get_sample_data
from playwright.sync_api import Browser, expect

from convlens import ConvLens
from docs.lesson_notebooks import BLOCK, LESSONS
from tests.browser.expected import assert_drawn, assert_grey
from tests.browser.guards import Guard
from tests.browser.lens import LensView, read_out
from tests.browser.running import profile, watched

PREVIEWED = """root => [...root.querySelectorAll("figure[data-uid]")].every(
  (map) => map.dataset.provenance === "preview")"""


@pytest.fixture(scope="module")
def tutorial() -> ConvLens:
    lens = ConvLens(get_sample_data("grace_hopper.jpg", asfileobj=False))
    _ = lens.activations
    return lens


@pytest.fixture
def saved(tutorial: ConvLens, browser: Browser, tmp_path: Path) -> Iterator[LensView]:
    """The page, with enough device pixels for every pixel of a map."""
    tutorial.reset()
    tutorial.pixel = (120, 200)
    file = tmp_path / "lens.html"
    tutorial.save_html(file)
    assert file.stat().st_size < 500_000
    with watched(browser, width=1800, height=1400, device_scale_factor=3) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        view = LensView(page).wait()
        view.until(PREVIEWED)
        yield view


def test_the_tutorials_page_is_edited_to_the_pixels_that_keras_gives(saved: LensView, tutorial: ConvLens) -> None:
    # It is no fault that there is no Python.
    expect(saved.root.locator(".cl-status")).to_have_text("saved page")
    expect(saved.root.locator(".cl-status")).to_have_attribute("data-tone", "calm")
    saved.write(0, 0, 0, "1/3")
    saved.write(0, 3, 3, "-2.5")
    saved.drag(2, 1, 1, up=25)
    saved.until(PREVIEWED)
    tutorial.kernels = [saved.kernel(index) for index in range(4)]
    assert tutorial.kernels[0][0, 0] == np.float32(1 / 3)
    assert tutorial.kernels[2][1, 1] != -1
    for index, activation in enumerate(tutorial.activations):
        assert_drawn(saved.map_pixels(index, activation.shape), activation)


def test_on_paper_there_is_nothing_to_press_and_everything_to_read(saved: LensView) -> None:
    page = saved.page
    page.emulate_media(media="print", color_scheme="dark")
    # The width of an A4 page between its margins, at 96 pixels an inch.
    page.set_viewport_size({"width": 718, "height": 1000})
    # The share of zeros is a button, and reads as its text.
    expect(saved.root.locator("button:not(.cl-zeros):visible, select:visible")).to_have_count(0)
    assert saved.root.evaluate("root => getComputedStyle(root).colorScheme") == "light"
    assert saved.root.evaluate("root => root.scrollWidth <= root.clientWidth && root.clientWidth <= innerWidth")
    for index in range(4):
        expect(saved.map(index)).to_be_visible()
        expect(saved.cell(index, 3, 3)).to_be_visible()
        expect(saved.card(index).get_by_role("textbox", name="Name")).to_be_visible()
    expect(saved.root.locator("figure.cl-image")).to_be_visible()
    expect(saved.root.get_by_role("tabpanel")).to_contain_text("patch")


@pytest.mark.parametrize(("width", "height"), [(1800, 1400), (800, 300), (390, 800)])
def test_from_any_window_two_sheets_show_every_map_also_those_that_were_out_of_sight(
    saved: LensView, width: int, height: int
) -> None:
    page = saved.page
    page.set_viewport_size({"width": width, "height": height})
    document = page.pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b", document)) == 2
    # Whatever is printed was painted, the last map as well, at its own resolution.
    painted = """root => [...root.querySelectorAll("figure[data-uid]")]
      .map((map) => map.querySelector("canvas"))
      .map((canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data)
      .map((pixels) => pixels.some((value) => value > 0))"""
    assert saved.root.evaluate(painted) == [True] * 4


#: Of the training that a page holds.
EPOCHS = 3


@pytest.fixture
def found(tmp_path: Path) -> tuple[ConvLens, Path]:
    """A lens with a prediction, snapshots and a survey, and its page."""
    import keras

    import convlens

    keras.utils.set_random_seed(4)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((12, 11, 1)),
            layers.Conv2D(3, 3, activation="relu", name="first"),
            layers.Flatten(),
            layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy")
    images = np.random.default_rng(4).random((16, 12, 11, 1)).astype(np.float32)
    lens = ConvLens(images[0], model=model, layer="first", names=["one", "two", "three"])
    model.fit(images, np.arange(16) % 4, epochs=EPOCHS, verbose=0, callbacks=[lens.callback()])
    lens.survey = convlens.survey(model, images, top=4, progress=False)
    _ = lens.activations, lens.predictions
    file = tmp_path / "found.html"
    lens.save_html(file)
    assert file.stat().st_size < 2_000_000
    return lens, file


def test_what_keras_found_is_in_the_page_as_long_as_it_is_of_what_the_page_shows(
    browser: Browser, found: tuple[ConvLens, Path]
) -> None:
    lens, file = found
    with watched(browser, width=1800, height=1400, device_scale_factor=3) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        view = LensView(page).wait()
        view.until(PREVIEWED)

        # The prediction is Keras's, for the kernels that were saved.
        prediction = view.root.get_by_role("group", name="The model's prediction")
        _, after = lens.predictions
        assert after is not None
        expect(prediction).to_contain_text("from Keras, as saved")
        expect(prediction.get_by_role("listitem")).to_have_count(4)
        for i, value in enumerate(after):
            row = prediction.get_by_role("listitem").filter(has=page.get_by_role("button", name=f"class {i}"))
            shown = re.search(r"→ ([\d.e−-]+)", row.inner_text().replace("\xa0", " "))
            assert shown is not None
            assert float(shown[1].replace("−", "-")) == pytest.approx(float(value), abs=5.1e-5)
        view.write(0, 0, 0, "2")
        expect(prediction).to_contain_text("as saved, before the edits in this page")
        expect(prediction.get_by_role("listitem")).to_have_count(4)
        page.keyboard.press("Control+z")
        expect(prediction).to_contain_text("from Keras, as saved")

        # The slider goes to kernels of every epoch, whose maps are those of Keras.
        slider = view.root.get_by_role("slider", name="training")
        expect(slider).to_have_attribute("max", str(EPOCHS))
        expect(slider).to_have_value(str(EPOCHS))
        slider.focus()
        page.keyboard.press("Home")
        expect(slider).to_have_attribute("aria-valuetext", "before training")
        for step in range(2):
            lens.scrub(step)
            for index, activation in enumerate(lens.activations):
                view.choose(index).until_kernel(index, lens.kernels[index])
                view.until(PREVIEWED)
                assert_drawn(view.map_pixels(index, activation.shape), activation)
            slider.focus()
            page.keyboard.press("ArrowRight")
        expect(prediction).to_contain_text("before the edits in this page")
        page.keyboard.press("End")
        expect(prediction).to_contain_text("from Keras, as saved")
        view.choose(0)

        # The images of the survey, with their values; to show one of them takes Python.
        view.root.get_by_role("tab", name="What excites it").click()
        stored = view.root.get_by_role("region", name="Images that excite one most")
        top = lens.survey.top("first", 0)
        expect(stored.get_by_role("listitem")).to_have_count(len(top))
        for item, best in zip(stored.get_by_role("listitem").all(), top, strict=True):
            row, col = best.pixel
            expect(item).to_contain_text(f"image {best.image}")
            expect(item).to_contain_text(f"row {row}, col {col}")
            assert float(item.locator(".cl-number").inner_text()) == pytest.approx(best.value, abs=5.1e-4)
            sizes = item.locator("img").evaluate(
                "async one => (await one.decode(), [one.naturalHeight, one.naturalWidth])"
            )
            assert tuple(sizes) == best.patch.shape[:2]
            expect(item.get_by_role("button")).to_be_disabled()


@pytest.mark.parametrize("lesson", [LESSONS[1], LESSONS[2]], ids=lambda path: path.stem)
def test_a_lessons_page_opens_from_disk_on_a_phone_and_is_edited_there(
    browser: Browser, tmp_path: Path, lesson: Path
) -> None:
    names: dict[str, Any] = {}
    block = next(one for one in BLOCK.finditer(lesson.read_text("utf-8")) if one[1] == "lens")
    exec(compile(block[4], lesson.stem, "exec"), names)
    file = tmp_path / f"{lesson.stem}.html"
    _ = names["lens"].activations
    names["lens"].save_html(file)
    phone = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 3, "is_mobile": True, "has_touch": True}
    context = profile(browser, **phone)
    guard = Guard(context)
    page = context.new_page()
    page.goto(file.as_uri())
    view = LensView(page).wait()
    view.until(PREVIEWED)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth && visualViewport.scale === 1")
    view.card(0).get_by_role("button", name="Kernel").tap()
    view.cell(0, 0, 0).tap()
    view.card(0).get_by_role("button", name="Type").tap()
    page.keyboard.type("1/8")
    page.keyboard.press("Enter")
    view.wait_for_number(0, 0, 0, 0.125)
    view.until(PREVIEWED)
    context.close()
    guard.check()


def test_an_output_that_is_a_picture_stays_in_the_page_with_its_values(browser: Browser, tmp_path: Path) -> None:
    import keras

    keras.utils.set_random_seed(6)
    inputs = keras.Input((14, 12, 1))
    x = keras.layers.Conv2D(2, 3, padding="same", activation="relu", name="inner")(inputs)
    model = keras.Model(inputs, keras.layers.Conv2D(2, 3, padding="same", name="mask")(x))
    image = np.random.default_rng(0).random((14, 12, 1)).astype("float32")
    lens = ConvLens(image, model=model, layer="inner")
    lens.set_kernel(0, lens.kernels[0] + 0.5)
    before, after = lens.predictions
    assert before is not None and after is not None
    lens.save_html(tmp_path / "output.html")
    with watched(browser) as context:
        page = context.new_page()
        page.goto((tmp_path / "output.html").as_uri())
        view = LensView(page).wait()
        panel = view.root.get_by_role("group", name="The model's prediction")
        for channel in (1, 0):
            panel.get_by_role("combobox").select_option(f"channel {channel}")
            one, other = before[..., channel], after[..., channel]
            change, most = other - one, float(np.abs(other - one).max())
            expect(panel.locator("figure[data-side=after]")).to_have_attribute("data-channel", str(channel))
            limits = (float(min(one.min(), other.min())), float(max(one.max(), other.max())))
            assert_drawn(view.output_pixels("after", other.shape), other, limits=limits)
            assert_drawn(view.output_pixels("difference", other.shape), change, "RdBu_r", (-most, most))
        page.mouse.move(*view.point(panel.locator("figure[data-side=after]"), other.shape, 3, 8))
        shown = panel.locator("figure[data-side=after] output")
        expect(shown).to_contain_text("row 3, col 8: ")
        assert read_out(panel.locator("figure[data-side=after]")) == pytest.approx(float(after[3, 8, 0]), abs=1e-5)

        # It is said to be of the saved weights once they are others, and nothing moves.
        height = panel.evaluate("one => one.offsetHeight")
        view.write(0, 0, 0, "2")
        expect(panel).to_contain_text("before the edits in this page")
        expect(panel.get_by_role("status")).to_contain_text("by ")
        assert panel.evaluate("one => one.offsetHeight") == height
        page.keyboard.press("Control+z")
        expect(panel).to_contain_text("from Keras, as saved")

        # Beside the cards, below them or above them: it makes no lens wider than its room.
        for width in (1400, 660, 390):
            page.set_viewport_size({"width": width, "height": 900})
            view.until("root => root.scrollWidth <= root.clientWidth")
            view.assert_fits()


def test_a_layer_inside_a_model_is_edited_to_the_pixels_that_keras_gives(browser: Browser, tmp_path: Path) -> None:
    import keras

    keras.utils.set_random_seed(3)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((20, 18, 1)),
            layers.Conv2D(6, 3, activation="relu", name="first"),
            layers.Conv2D(3, 3, strides=2, padding="same", activation="relu", name="second"),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    lens = ConvLens(np.random.default_rng(3).random((20, 18, 1)).astype("float32"), model=model, layer="second")
    _ = lens.activations
    lens.save_html(tmp_path / "deep.html")
    with watched(browser, width=1500, height=1300, device_scale_factor=2) as context:
        page = context.new_page()
        page.goto((tmp_path / "deep.html").as_uri())
        view = LensView(page).wait()
        expect(view.root).to_contain_text("the layer's input, 18 × 16 × 6, 0.00691 MB before it is packed")
        for index, activation in enumerate(lens.activations):
            expect(view.choose(index).map(index)).to_have_attribute("data-provenance", "keras")
            assert_drawn(view.map_pixels(index, activation.shape), activation)

        # What the layer is fed, and the order of its filters, are worked out of the page.
        view.map(2).locator("canvas").first.click(position={"x": 60, "y": 60})
        fed = np.asarray(model.get_layer("first")(lens.image.reshape(1, 20, 18, 1)))[0]
        view.root.get_by_role("button", name="channel 4", exact=True).click()
        expect(view.root.locator("figure.cl-layerinput")).to_contain_text("channel 4 of 6")
        assert_grey(view.layer_input_pixels((18, 16)), fed[:, :, 4])
        view.root.get_by_role("combobox", name="by", exact=True).select_option("norm")
        strongest = int(np.argmax([np.linalg.norm(kernel) for kernel in lens.kernels]))
        first = view.root.get_by_role("listbox", name="Filters", exact=True).get_by_role("option").first
        expect(first).to_have_attribute("aria-label", re.compile(f"^{strongest}: [0-9.]+, "))
        view.root.get_by_role("combobox", name="by", exact=True).select_option("index")

        # Ablated by hand, and with other numbers: each is previewed, and undo brings Keras's map back.
        view.choose(1).write(1, 0, 2, "1.5")
        expect(view.map(1)).to_have_attribute("data-provenance", "preview")
        kernel = lens.kernels[1].copy()
        kernel[0, 2, 0] = 1.5
        lens.set_kernel(1, kernel)
        assert_drawn(view.map_pixels(1, lens.activations[1].shape), lens.activations[1])
        view.card(1).get_by_role("button", name="Ablate").click()
        expect(view.map(1)).to_have_attribute("data-provenance", "preview")
        expect(view.root.locator(".cl-overview").get_by_role("status")).to_contain_text("1 dead")
        for _ in range(2):
            page.keyboard.press("Control+z")
        expect(view.map(1)).to_have_attribute("data-provenance", "keras")

        # What is not in the file is not to be had.
        field = view.root.get_by_role("combobox", name="layer", exact=True)
        field.click()
        other = view.root.get_by_role("listbox", name="Convolution layers").get_by_role("option", name="first")
        expect(other).to_have_attribute("aria-disabled", "true")
        other.click(force=True)
        expect(field).to_have_value("second")
        view.root.get_by_role("tab", name="Export").click()
        expect(view.button("Keras code")).to_be_visible()
        expect(view.button("Save page")).to_have_count(0)
