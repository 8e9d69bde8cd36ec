"""A layer of a model in JupyterLab: choosing it, hundreds of filters, both kernels of one, ablation, training."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from convlens.maths.block_means import block_means
from tests.browser.expected import assert_drawn
from tests.browser.hosts.jupyterlab import JupyterLab, Notebook
from tests.browser.lens import LensView, read_out
from tests.browser.test_accessibility import violations

#: A layer of few filters, one of 2,048 that read 32 channels, and a separable one.
MODEL = """
import keras, numpy as np
from convlens import ConvLens
keras.utils.set_random_seed(0)
inputs = keras.Input((24, 20, 3))
x = keras.layers.Conv2D(32, 3, strides=2, activation="relu", name="stem")(inputs)
x = keras.layers.SeparableConv2D(4, 3, name="separable")(x)
x = keras.layers.Conv2D(2048, 3, activation="relu", name="many")(keras.layers.Concatenate()([x] * 8))
head = keras.layers.Dense(4, activation="softmax", kernel_initializer=keras.initializers.RandomNormal(stddev=0.5))
x = head(keras.layers.GlobalAveragePooling2D()(x))
model = keras.Model(inputs, x)
img = 4 * np.random.default_rng(0).random((24, 20, 3)).astype("float32")
"""

Opened = tuple[Notebook, LensView]


@pytest.fixture
def opened(request: pytest.FixtureRequest, shared: Notebook, show: Callable[..., LensView]) -> Opened:
    return shared, show(f"{MODEL}lens = ConvLens(img, model=model, layer={request.param!r})\nlens")


on = pytest.mark.parametrize("opened", ["many"], indirect=True)


def places(view: LensView) -> Locator:
    return view.root.get_by_role("listbox", name="Filters", exact=True).get_by_role("option")


def small_map(place: Locator, shape: tuple[int, int]) -> npt.NDArray[Any]:
    """Return the colours that are on screen in the middle of each pixel of a filter's small map: (rows, cols, 4)."""
    thumb = place.locator(".cl-thumb")
    expect(thumb).to_have_attribute("data-provenance", "keras")
    pixels: npt.NDArray[Any] = np.asarray(Image.open(io.BytesIO(thumb.screenshot())).convert("RGBA"))
    rows, cols = ((len(pixels) * ((np.arange(n) + 0.5 - n / 2) / max(shape) + 0.5)).astype(int) for n in shape)
    seen: npt.NDArray[Any] = pixels[np.ix_(rows, cols)]
    return seen


def said(notebook: Notebook, expression: str) -> Any:
    notebook.python.run("")
    return notebook.python.value(expression)


@pytest.mark.parametrize("opened", ["stem"], indirect=True)
def test_a_layer_is_found_by_a_word_of_its_shape_and_opens_with_keras_maps(opened: Opened) -> None:
    notebook, view = opened
    field = view.root.get_by_role("combobox", name="layer", exact=True)
    expect(field).to_have_value("stem")
    field.click()
    expect(view.root.get_by_role("listbox", name="Convolution layers").get_by_role("option")).to_have_count(3)
    notebook.page.keyboard.type("separable 4")
    expect(view.root.get_by_role("listbox", name="Convolution layers").get_by_role("option")).to_have_count(1)
    notebook.page.keyboard.press("Enter")
    expect(field).to_have_value("separable")
    # Few filters or many: a layer of a model has its gallery.
    expect(places(view)).to_have_count(4)
    view.settle()
    assert said(notebook, "lens.layer_path") == "separable"
    for index, activation in enumerate(notebook.python.value("lens.activations")):
        view.choose(index).settle()
        assert_drawn(view.map_pixels(index, activation.shape), activation)


@on
def test_of_2048_filters_those_on_screen_are_drawn_and_they_are_sorted_and_searched(opened: Opened) -> None:
    notebook, view = opened
    expect(places(view).first).to_have_attribute("aria-setsize", "2048")
    assert places(view).count() < 200
    view.root.get_by_label("by", exact=True).select_option("norm")
    squares = [np.square(kernel, dtype=np.float64).sum() for kernel in notebook.python.value("list(lens.kernels)")]
    order = np.argsort(-np.sqrt(squares).astype(np.float32), kind="stable")
    expect(places(view).first).to_have_attribute("aria-label", re.compile(rf"^{order[0]}: "))
    shown = [str(places(view).nth(i).get_attribute("aria-label")) for i in range(5)]
    assert [int(text.split(":")[0]) for text in shown] == list(order[:5])
    activations = said(notebook, "lens.activations")
    for place in range(0, 16, 5):
        assert_drawn(small_map(places(view).nth(place), activations.shape[1:]), activations[order[place]])
    # The last row comes on screen with Keras's map, which had not crossed before.
    view.root.get_by_role("listbox", name="Filters", exact=True).evaluate(
        "grid => { grid.scrollTop = grid.scrollHeight; }"
    )
    last = view.root.get_by_role("option", name=re.compile(rf"^{order[-1]}: "))
    last.click()
    expect(view.cards()).to_have_attribute("data-card", str(order[-1]))
    view.settle()
    activation = activations[order[-1]]
    assert_drawn(view.map_pixels(int(order[-1]), activation.shape), activation)
    assert_drawn(small_map(last, activation.shape), activation)

    view.root.get_by_label("Find filters by name or index").fill("204")
    expect(places(view)).to_have_count(9)  # 204, and 2040 to 2047
    ranges = np.ptp(activations, axis=(1, 2))
    zero = (activations == 0).all(axis=(1, 2))
    dead, silent = np.count_nonzero(zero), np.count_nonzero((ranges < ranges.max() / 1000) & ~zero)
    # A map that has not crossed yet does not count as dead; the ranges of all are asked for.
    told = view.root.locator(".cl-overview").get_by_role("status")
    expect(told).to_have_text(re.compile(rf"^9 of 2048, (at least )?\d+ dead, {silent} nearly silent$"))
    text = told.inner_text()
    counted = int(text.split(", ")[1].removeprefix("at least ").removesuffix(" dead"))
    assert 0 < counted < dead if "at least" in text else counted == dead


@on
def test_a_plane_of_a_deep_kernel_is_opened_by_contribution_and_edited(opened: Opened) -> None:
    notebook, view = opened
    picker = view.root.get_by_role("combobox", name=re.compile("Plane of the kernel"))
    expect(picker).to_have_accessible_name(re.compile("by the most that it can add"))
    x, kernel = notebook.python.value("(lens._session.engine.layer.input, np.array(lens.kernels[0]))")
    bounds = np.linalg.norm(kernel.reshape(9, 32), axis=0) * np.sqrt((x**2).mean(axis=(0, 1)))
    order = np.argsort(-bounds, kind="stable")
    listed = [int(value) for value in picker.locator("option").evaluate_all("all => all.map(one => one.value)")]
    np.testing.assert_allclose(bounds[listed], bounds[order], rtol=1e-5)
    plane = listed[3]
    picker.select_option(str(plane))
    view.cell(0, 1, 2, channel=plane).click()
    notebook.page.keyboard.type("2")
    notebook.page.keyboard.press("Enter")
    view.settle()
    kernel[1, 2, plane] = 2
    np.testing.assert_array_equal(said(notebook, "lens.kernels[0]"), kernel)
    activation = notebook.python.value("lens.activations[0]")
    assert_drawn(view.map_pixels(0, activation.shape), activation)


@pytest.mark.parametrize("opened", ["separable"], indirect=True)
def test_a_filter_is_ablated_with_one_click_and_the_prediction_follows(opened: Opened) -> None:
    notebook, view = opened
    notebook.python.run("lens.labels = ['cat', 'dog', 'bird', 'fish']")
    panel = view.root.get_by_role("group", name="The model's prediction")
    expect(panel).to_have_attribute("aria-busy", "false")
    best = said(notebook, "lens.labels[int(np.argmax(lens.predictions.before))]")
    expect(panel.get_by_role("listitem").first).to_contain_text(best)
    expect(panel).to_contain_text(f"Still {best}.")
    view.choose(1).card(1).get_by_role("button", name="Ablate").click()
    view.settle()
    expect(panel).to_have_attribute("aria-busy", "false")
    kernel, bias, (before, after) = said(notebook, "(lens.pointwise_kernels[1], lens.bias[1], tuple(lens.predictions))")
    assert not kernel.any() and bias == 0
    assert np.abs(after - before).max() > 1e-3
    shown = float(panel.get_by_role("listitem").first.locator(".cl-number").last.inner_text().replace("−", "-"))
    assert shown == pytest.approx((after - before)[np.argmax(np.maximum(before, after))], abs=1e-4)
    view.button("Undo").click()
    view.settle()
    expect(panel.get_by_role("listitem").first.locator(".cl-number").last).to_have_text("0")


@pytest.mark.parametrize("opened", ["separable"], indirect=True)
def test_both_kernels_of_a_separable_filter_are_edited_in_its_card(opened: Opened) -> None:
    notebook, view = opened
    view.choose(1)
    depthwise = view.card(1).get_by_role("region", name=re.compile("^Depthwise kernels"))
    pointwise = view.card(1).get_by_role("region", name=re.compile("^Pointwise kernel"))
    expect(depthwise).to_contain_text("changes all 4 maps")
    depthwise.locator('[data-at$=",2,1"]').click()
    notebook.page.keyboard.type("3")
    notebook.page.keyboard.press("Enter")
    pointwise.locator('[data-at="0,0,5"]').click()
    notebook.page.keyboard.type("2")
    notebook.page.keyboard.press("Enter")
    view.until("root => !root.textContent.includes('Keras computes')")
    view.settle()
    kernels, columns, maps = said(notebook, "(list(lens.kernels), list(lens.pointwise_kernels), lens.activations)")
    assert sum(kernel[2, 1] == 3 for kernel in kernels) == 1
    assert columns[1][5] == 2 and all(column[5] != 2 for column in (columns[0], columns[2], columns[3]))
    for index, activation in enumerate(maps):
        view.choose(index).settle()
        assert_drawn(view.map_pixels(index, activation.shape), activation)


def test_training_is_seen_while_it_runs_and_scrubbed_afterwards(
    shared: Notebook, show: Callable[..., LensView]
) -> None:
    # Each epoch waits until the page has shown it: no epoch ends unseen.
    train = """
import pathlib, tempfile, time
gate = pathlib.Path(tempfile.mkdtemp())
class Waiting(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        while not (gate / str(epoch)).exists():
            time.sleep(0.02)  # how often it looks for the gate, which the test opens once the page shows the epoch
model.compile("sgd", "sparse_categorical_crossentropy")
"""
    fit = """
_ = model.fit(np.stack([img] * 8), np.arange(8) % 4, epochs=3, batch_size=4, verbose=0,
              callbacks=[lens.callback(budget=None), Waiting()])
"""
    view = show(f"{MODEL}lens = ConvLens(img, model=model, layer='separable')\nlens")
    notebook = shared
    notebook.python.run(train)
    gate = notebook.python.value("str(gate)")
    request = notebook.python.start(fit)
    slider = view.root.get_by_role("slider", name="training")
    for epoch in range(3):
        expect(slider).to_have_attribute(
            "aria-valuetext", re.compile(f"^epoch {epoch + 1}, batch {2 * epoch + 2}, loss")
        )
        expect(slider).to_be_disabled()
        expect(view.root.locator(".cl-training")).to_contain_text("live")
        Path(gate, str(epoch)).touch()
    notebook.python.finish(request)
    expect(slider).to_be_enabled()
    expect(view.root.locator(".cl-training")).to_contain_text("4 snapshots")
    losses = notebook.python.value("[s.loss for s in lens.snapshots[1:]]")
    told = view.root.locator(".cl-losses title").text_content() or ""
    ends = [float(number) for number in re.findall(r"[\d.]+(?:e-?\d+)?", told)]
    np.testing.assert_allclose(ends, [losses[0], losses[-1]], atol=5.1e-4)
    # It plays from the first snapshot to the last, which is where it was.
    play = view.root.locator(".cl-training").get_by_role("button", name="Play")
    play.click()
    expect(slider).to_have_attribute("aria-valuetext", "before training")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^epoch 3"))
    expect(play).to_be_visible()
    slider.focus()
    notebook.page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "before training")
    view.settle()
    first, now = said(notebook, "(list(lens.snapshots[0].kernels), list(lens.kernels))")
    np.testing.assert_array_equal(now, first)
    for index, activation in enumerate(notebook.python.value("lens.activations")):
        view.choose(index).settle()
        assert_drawn(view.map_pixels(index, activation.shape), activation)
    view.button("Undo").click()
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^epoch 3"))


#: A segmentation with a vector beside it: its picture has two channels.
SEGMENTING = """
import keras, numpy as np
from convlens import ConvLens
keras.utils.set_random_seed(4)
inputs = keras.Input((18, 22, 1))
x = keras.layers.Conv2D(3, 3, padding="same", activation="relu", name="inner")(inputs)
mask = keras.layers.Conv2D(2, 3, padding="same", name="mask")(x)
classes = keras.layers.Dense(3, name="classes")(keras.layers.GlobalAveragePooling2D()(x))
model = keras.Model(inputs, [mask, classes])
img = np.random.default_rng(0).random((18, 22, 1)).astype("float32")
lens = ConvLens(img, model=model, layer="inner")
lens.labels = {"mask": ["road", "sky"], "classes": ["cat", "dog", "bird"]}
"""
#: What Keras returns for the mask, with the weights as they were and with the lens's set by hand in a clone.
BY_HAND = """
clone = keras.models.clone_model(model)
clone.set_weights(model.get_weights())
clone.get_layer("inner").set_weights(lens.get_weights())
before, after = (np.array(one(img[None])[0])[0] for one in (model, clone))
"""


def test_an_output_that_is_a_picture_is_drawn_as_keras_has_it_and_follows_an_edit(
    lab: JupyterLab, warm_python: str
) -> None:
    notebook = lab.open([f"{SEGMENTING}lens"], warm_python)
    notebook.run_all()
    view = LensView(notebook.page).settle()
    panel = view.root.get_by_role("group", name="The model's prediction")
    # Its place is there before the maps are.
    expect(panel.get_by_role("application")).to_have_count(3)
    expect(panel).to_have_attribute("aria-busy", "false")
    expect(panel.get_by_role("status")).to_have_text("The edits change no pixel.")
    tables = notebook.python.value("sorted(lens._cmaps)")
    assert "RdBu_r" in tables

    view.write(0, 1, 1, "1.5")
    view.settle()
    expect(panel.get_by_role("status")).not_to_have_text("The edits change no pixel.")
    expect(panel).to_have_attribute("aria-busy", "false")
    notebook.python.run(BY_HAND)
    before, after = notebook.python.value("(before, after)")
    assert np.abs(after - before).max() > 0.1
    channel = panel.get_by_role("combobox", name="Channel of the output")
    for k, label in enumerate(["road", "sky"]):
        channel.select_option(label)
        expect(panel.get_by_role("application").first).to_have_accessible_name(re.compile(f"before the edits, {label}"))
        expect(panel.locator("figure[data-side=after]")).to_have_attribute("data-channel", str(k))
        one, other = before[..., k], after[..., k]
        limits = (float(min(one.min(), other.min())), float(max(one.max(), other.max())))
        most = float(np.abs(other - one).max())
        assert_drawn(view.output_pixels("before", one.shape), one, limits=limits)
        assert_drawn(view.output_pixels("after", one.shape), other, limits=limits)
        assert_drawn(view.output_pixels("difference", one.shape), other - one, "RdBu_r", (-most, most))

    # The value under the pointer, and the one at the pixel that keys choose, are the output's own.
    figures = [panel.locator(f"figure[data-side={side}]") for side in ("before", "after", "difference")]
    notebook.page.mouse.move(*view.point(figures[1], before.shape[:2], 4, 7))
    values = [before[4, 7, 1], after[4, 7, 1], after[4, 7, 1] - before[4, 7, 1]]
    for figure, value in zip(figures, values, strict=True):
        expect(figure.locator("output")).to_have_text(re.compile(r"row 4, col 7: [^…]"))
        assert read_out(figure) == pytest.approx(float(value), abs=1e-5)
    notebook.page.mouse.move(0, 0)
    panel.get_by_role("application").first.focus()
    notebook.page.keyboard.press("Space")
    notebook.page.keyboard.press("ArrowDown")
    expect(figures[0].locator("output")).to_have_text(re.compile(r"row 10, col 11: [^…]"))
    assert read_out(figures[0]) == pytest.approx(float(before[10, 11, 1]), abs=1e-5)
    assert violations(notebook.page) == []

    # Another output, chosen in Python, is a vector with labels of its own.
    notebook.python.run("lens.output = 'classes'")
    expect(panel.get_by_role("listitem")).to_have_count(3)
    expect(panel).to_contain_text("dog")
    view.button("Undo").click()
    view.settle()
    notebook.python.run("lens.output = None")
    expect(panel.get_by_role("status")).to_have_text("The edits change no pixel.")


def test_an_output_larger_than_the_screen_shows_is_drawn_at_the_size_of_the_screen(
    lab: JupyterLab, warm_python: str
) -> None:
    large = """
import keras, numpy as np
from convlens import ConvLens
keras.utils.set_random_seed(5)
inputs = keras.Input((12, 10, 1))
x = keras.layers.Conv2D(2, 3, padding="same", name="inner")(inputs)
x = keras.layers.Conv2D(1, 5, padding="same")(keras.layers.UpSampling2D(100, interpolation="bilinear")(x))
img = np.random.default_rng(0).random((12, 10, 1)).astype("float32")
lens = ConvLens(img, model=keras.Model(inputs, x), layer="inner")
lens.set_kernel(0, lens.kernels[0] + 0.5)
lens
"""
    notebook = lab.open([large], warm_python)
    notebook.run_all()
    view = LensView(notebook.page).settle()
    panel = view.root.get_by_role("group", name="The model's prediction")
    expect(panel).to_have_attribute("aria-busy", "false")
    before, after = said(notebook, "[one[..., 0] for one in lens.predictions]")
    assert after.shape == (1200, 1000)
    limits = (float(min(before.min(), after.min())), float(max(before.max(), after.max())))
    # All three maps are sent at the size that the first has on screen.
    figure = panel.locator("figure[data-side=before]")
    canvas = figure.locator("canvas").first
    canvas.scroll_into_view_if_needed()
    view.until("""root => {
      const figure = root.querySelector("figure[data-side=before]");
      const { height, width } = figure.querySelector("canvas");
      return figure.dataset.drawn === `${height},${width}`;
    }""")
    shape = tuple(canvas.evaluate("one => [one.height, one.width]"))
    assert shape[0] < 400
    # Each device pixel is the mean of the values that it covers.
    assert_drawn(view.output_pixels("before", shape), block_means(before, shape), limits=limits)
    # The value is that of one pixel, not of a mean.
    notebook.page.mouse.move(*view.point(figure, shape, 20, 30))
    expect(figure.locator("output")).to_have_text(re.compile(r"row \d+, col \d+: [^…]"))
    row, col = (int(one) for one in re.findall(r"\d+", figure.locator(".cl-where").inner_text()))
    assert read_out(figure) == pytest.approx(float(before[row, col]), abs=1e-5)


#: A generator of eleven numbers, more than a row of cells has room for.
GENERATOR = """
import keras, numpy as np
from convlens import ConvLens
keras.utils.set_random_seed(6)
inputs = keras.Input((11,))
x = keras.layers.Reshape((6, 7, 4))(keras.layers.Dense(6 * 7 * 4, activation="relu")(inputs))
x = keras.layers.Conv2DTranspose(3, 3, strides=2, padding="same", activation="relu", name="up")(x)
model = keras.Model(inputs, keras.layers.Conv2D(1, 3, padding="same", name="out")(x))
z = np.random.default_rng(1).standard_normal(11).astype("float32")
lens = ConvLens(z, model=model, layer="up")
lens
"""
#: What Keras returns for the vector that Python has.
FED_BY_HAND = """
inner = keras.Model(model.inputs, model.get_layer("up").output)
maps, drawn = (np.array(one(lens.image[None])[0]) for one in (inner, model))
"""


def test_a_generators_vector_is_edited_as_a_kernel_is_and_keras_maps_and_output_follow(
    shared: Notebook, show: Callable[..., LensView]
) -> None:
    view, page, python = show(GENERATOR), shared.page, shared.python
    panel = view.root.get_by_role("group", name="The model's prediction")
    strip = view.root.get_by_role("grid", name="Latent vector")
    cells = strip.get_by_role("gridcell")
    expect(cells).to_have_count(11)
    was = python.value("z")

    def follows(number: int) -> npt.NDArray[Any]:
        """Wait until everything follows, and return the vector that Python has: one number of it is another."""
        view.settle()
        python.run(FED_BY_HAND)
        vector, maps, drawn = python.value("(lens.image, maps, drawn)")
        view.wait_for_cell(cells.nth(number), float(vector[number]))
        view.settle()
        for index in range(3):
            view.choose(index).settle()
            assert_drawn(view.map_pixels(index, maps.shape[:2]), maps[..., index])
        expect(panel).to_have_attribute("aria-busy", "false")
        one = drawn[..., 0]
        assert_drawn(view.output_pixels("before", one.shape), one, limits=(float(one.min()), float(one.max())))
        return np.asarray(vector)

    cells.nth(3).click()
    page.keyboard.type("-1.5")
    page.keyboard.press("Enter")
    vector = follows(3)
    np.testing.assert_array_equal(vector, np.where(np.arange(11) == 3, np.float32(-1.5), was))
    # Keys go to the last number and no further.
    cells.nth(4).click()
    page.keyboard.press("Control+End")
    page.keyboard.press("ArrowRight")
    expect(cells.nth(10)).to_be_focused()
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert follows(10)[10] > vector[10]
    cells.nth(0).scroll_into_view_if_needed()
    box = cells.nth(0).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 5, box["y"] - 25, steps=6)
    page.mouse.up()
    moved = follows(0)
    assert moved[0] > vector[0] and moved[3] == np.float32(-1.5)
    assert python.value("lens._session.history.counts") == {"undo": 0, "redo": 0}
    # Python's own vector is shown, and what a pixel depends on is said.
    python.run("lens.image = z; lens.pixel = (2, 3)")
    np.testing.assert_array_equal(follows(3), was)
    expect(view.root.locator(".cl-vector")).to_contain_text("depends on all 11 numbers of the vector")
    assert violations(page) == []
    view.assert_fits()
    # What a lens starts from where no vector is given is said beside it.
    view = show(f"{GENERATOR}lens = ConvLens(model=model)\nlens")
    expect(view.root.get_by_text("default_rng(0).standard_normal(11)")).to_be_in_viewport()
