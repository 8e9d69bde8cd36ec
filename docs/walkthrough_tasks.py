"""The first hour's tasks, and the steps in the lens that do each; docs/walkthrough.md is their page."""

from __future__ import annotations

import re

import numpy as np
from playwright.sync_api import Locator, expect

from docs.walkthrough_steps import Walk

#: The tutorial's four filters on a layer of the user's own, which has one.
STUDENT = """
import keras, numpy as np
from matplotlib.cbook import get_sample_data
from PIL import Image
from convlens import ConvLens
with get_sample_data("grace_hopper.jpg") as file:
    photograph = Image.open(file).convert("L").resize((64, 76))
img = np.asarray(photograph, dtype="float32") / 255
layer = keras.layers.Conv2D(1, (4, 4), activation="relu")
layer.build((None, None, None, 1))
f1 = np.array([[-1, -1, 1, 1]] * 4)
lens = ConvLens(img, [f1, -f1, f1.T, -f1.T], layer=layer)
lens
"""

#: A network of three convolutions, whose second has a dead filter.
NETWORK = """
import keras, numpy as np
from convlens import ConvLens
keras.utils.set_random_seed(0)
model = keras.Sequential([
    keras.Input((24, 20, 3)),
    keras.layers.Conv2D(8, 3, activation="relu", name="first"),
    keras.layers.Conv2D(12, 3, activation="relu", name="second"),
    keras.layers.Conv2D(8, 3, activation="relu", name="third"),
    keras.layers.GlobalAveragePooling2D(),
    keras.layers.Dense(4, activation="softmax"),
])
kernel, bias = model.get_layer("second").get_weights()
bias[5] = -100  # no input is large enough
model.get_layer("second").set_weights([kernel, bias])
model.compile("sgd", "sparse_categorical_crossentropy")
photo = 4 * np.random.default_rng(0).random((24, 20, 3)).astype("float32")
lens = ConvLens(photo, model=model, layer="second")
lens
"""

#: A cell that trains it while the lens follows.
FIT = "_ = model.fit(np.stack([photo] * 8), np.arange(8) % 4, epochs=2, verbose=0, callbacks=[lens.callback()])"


# -- a student's questions ---------------------------------------------------------------------------------------------


def set_weights(walk: Walk) -> None:
    """Why set weights?"""
    walk.ask("Why set weights?")
    shapes = walk.tab("Shapes")
    expect(shapes).to_contain_text("A new layer starts from random kernels")
    # The lines that are shown run, on the layer of the notebook.
    lines = "\n".join(shapes.locator(".cl-ledger .cl-code").all_inner_texts())
    assert walk.notebook is not None
    walk.notebook.python.run(f"before = layer.get_weights()\n{lines}\nlayer_map = np.squeeze(maps)")
    np.testing.assert_allclose(walk.python("layer_map"), walk.python("lens.activations[0]"), rtol=1e-5, atol=1e-6)


def four_axes(walk: Walk) -> None:
    """Why does 4×4 become 4×4×1×1?"""
    walk.ask("Why does 4×4 become 4×4×1×1?")
    shapes = walk.tab("Shapes")
    expect(shapes).to_contain_text("your own layer, which has 1 filter")
    expect(shapes).to_contain_text(f"Why {' × '.join(map(str, walk.python('layer.kernel.shape')))}?")


def axes(walk: Walk) -> None:
    """Which axis is which?"""
    walk.ask("Which axis is which?")
    named = walk.tab("Shapes").get_by_role("button", name=re.compile("input channels$"))
    walk.step("press a number, such as that of the input channels", named.first.click)
    expect(named.first).to_have_attribute("aria-pressed", "true")
    expect(walk.view.root).to_have_attribute("data-lit", "channels")


def black(walk: Walk) -> None:
    """Why is half of the map black?"""
    walk.step("press *% zero* below the map", walk.view.map(0).get_by_role("button", name=re.compile("% zero")).click)
    pixel = walk.tab("This pixel")
    expect(pixel).to_contain_text("before relu")
    expect(pixel.locator("[data-result] .cl-number")).to_have_text("0")
    row, col = walk.python("lens.pixel")
    assert walk.python(f"lens.pre_activations[0][{row}, {col}]") < 0


def flip(walk: Walk) -> None:
    """Does Keras flip the kernel?"""
    walk.ask("Does Keras flip the kernel?")
    pixel = walk.tab("This pixel")
    expect(pixel).to_contain_text("nothing is flipped")
    walk.step("press *convolution*", pixel.get_by_text("convolution", exact=True).click)
    expect(pixel).to_contain_text("turns its kernel by 180°")


def padding(walk: Walk) -> None:
    """What does padding do?"""
    walk.step("press the tab *Layer*", walk.view.root.get_by_role("tab", name="Layer").click)
    layer = walk.tab("Layer")
    expect(layer.locator("code").first).to_have_text('layer = keras.layers.Conv2D(1, (4, 4), activation="relu")')
    walk.step("press *Try other settings on a copy*", layer.get_by_role("button", name="Try other").click)
    walk.step("choose *same* as padding", lambda: layer.get_by_role("combobox", name="padding").select_option("same"))
    # Maps as large as the image, from a layer that Keras made.
    expect(layer).to_contain_text('padding="same"')
    walk.view.settle()
    assert walk.python("lens.activations.shape[1:] == img.shape and layer.padding == 'valid'")


# -- a student's jobs --------------------------------------------------------------------------------------------------


def diagonals(walk: Walk) -> None:
    """Find diagonal edges"""
    walk.preset(0, "Roberts, brighter to the upper left")
    roberts = walk.python("__import__('convlens').presets['roberts_1']")
    kernel = walk.python("lens.kernels[0]")
    assert (kernel[kernel != 0] == roberts[roberts != 0]).all() and np.abs(kernel).sum() == np.abs(roberts).sum()


def blur_then_sharpen(walk: Walk) -> None:
    """Blur, then sharpen"""
    walk.preset(0, "Gaussian blur")
    blurred = walk.python("lens.activations[0]")
    walk.choose(0, "Use its map as the input")
    trail = walk.view.root.get_by_role("navigation", name="What the input went through")
    expect(trail).to_contain_text("map of Gaussian blur")
    walk.preset(0, "sharpen")
    np.testing.assert_array_equal(walk.python("lens.image[..., 0]"), blurred)
    trail.get_by_role("button", name="the image").click()
    expect(trail).to_have_count(0)
    walk.view.settle()
    np.testing.assert_array_equal(walk.python("lens.image[..., 0]"), walk.python("img"))


def spot(walk: Walk) -> None:
    """Which filter responds at a spot?"""
    walk.pin(0, 40, 30)
    pixel = walk.tab("This pixel")
    walk.step("press *Which filter responds most here?*", pixel.get_by_text("Which filter responds most here?").click)
    values = walk.python("lens.activations[:, 40, 30]")
    names = [f"Filter {i + 1}" for i in np.argsort(-values, kind="stable")]
    ranked = pixel.locator(".cl-answers").get_by_role("button")
    expect(ranked).to_have_text(names)


def undo_three(walk: Walk) -> None:
    """Undo three edits"""
    view = walk.view
    for row, text in enumerate(("3", "4", "5")):
        view.write(0, row, 0, text)
        view.wait_for_number(0, row, 0, float(text))
    for _ in range(3):
        walk.step("press *Ctrl+Z*", lambda: walk.page.keyboard.press("Control+z"))
    view.until_kernel(0, np.array([[-1, -1, 1, 1]] * 4, np.float32))
    view.settle()
    np.testing.assert_array_equal(walk.python("lens.kernels[0]"), np.array([[-1, -1, 1, 1]] * 4))


def compare(walk: Walk) -> None:
    """Compare with before an edit"""
    view = walk.view
    view.write(0, 0, 0, "3")
    view.settle()
    walk.step("press *before* in the toolbar", view.button("before the last change").click)
    view.wait_for_number(0, 0, 0, -1)
    view.button("before the last change").click()
    view.wait_for_number(0, 0, 0, 3)


def to_numpy(walk: Walk) -> None:
    """Take a kernel to NumPy"""
    walk.choose(2, "Copy as np.array")
    expect(walk.view.card(2)).to_contain_text("Copied")
    text = walk.page.evaluate("navigator.clipboard.readText()")
    np.testing.assert_array_equal(walk.python(text), walk.python("lens.kernels[2]"))


# -- a practitioner's jobs ---------------------------------------------------------------------------------------------


def places(walk: Walk) -> Locator:
    return walk.view.root.get_by_role("listbox", name="Filters", exact=True).get_by_role("option")


def third_convolution(walk: Walk) -> None:
    """Open the third convolution"""
    field = walk.view.root.get_by_role("combobox", name="layer", exact=True)

    def choose() -> None:
        field.click()
        layers = walk.view.root.get_by_role("listbox", name="Convolution layers")
        layers.get_by_role("option", name=re.compile("third")).click()

    walk.step("choose *third* in the field *layer*", choose)
    expect(field).to_have_value("third")
    walk.view.settle()
    assert walk.python("lens.layer_path") == "third"


def dead_filters(walk: Walk) -> None:
    """Find dead filters"""
    by = walk.view.root.get_by_label("by", exact=True)
    walk.step("choose *share of zeros* in the field *by*", lambda: by.select_option(label="share of zeros"))
    expect(places(walk).first).to_have_attribute("aria-label", re.compile(r"^5: dead, 100 %, "))
    assert not walk.python("lens.activations[5]").any()


def filter_that_matters(walk: Walk) -> None:
    """Find the filter that matters for a class"""
    walk.step("press *Ablate each*", walk.view.button("Ablate each").click)
    expect(walk.view.root.locator(".cl-overview").get_by_role("status")).to_contain_text("by how far the score of")
    most = walk.python("lens.ablation()[0][0]")
    expect(places(walk).first).to_have_attribute("aria-label", re.compile(f"^{most}: "))


def prediction_of(walk: Walk) -> Locator:
    return walk.view.root.get_by_role("group", name="The model's prediction")


def ablate(walk: Walk) -> None:
    """Switch a filter off and see the prediction"""
    prediction = prediction_of(walk)
    expect(prediction).to_have_attribute("aria-busy", "false")
    walk.step("press *Ablate* on its card", walk.view.card(0).get_by_role("button", name="Ablate").click)
    expect(walk.view.card(0).locator(".cl-off")).to_be_visible()
    change = prediction.get_by_role("listitem").first.locator(".cl-number").last
    expect(change).not_to_have_text("0")
    walk.view.settle()
    expect(prediction).to_have_attribute("aria-busy", "false")
    before, after = walk.python("tuple(lens.predictions)")
    best = int(np.argmax(np.maximum(before, after)))
    shown = float(change.inner_text().replace("−", "-"))
    # A change is written in six characters: to three decimals where it is below 0.
    np.testing.assert_allclose(shown, (after - before)[best], atol=5.1e-4)


def put_back(walk: Walk) -> None:
    """Put it back"""
    off = walk.view.card(0).get_by_role("button", name="Ablate")
    off.click()
    expect(off).to_have_attribute("aria-pressed", "true")
    walk.view.settle()
    walk.step("press *Ablate* again", off.click)
    expect(off).to_have_attribute("aria-pressed", "false")
    walk.view.settle()
    assert walk.python("np.array_equal(lens.get_weights()[0], model.get_layer('second').get_weights()[0])")


def watch_training(walk: Walk) -> None:
    """Watch a training"""
    notebook = walk.notebook
    assert notebook is not None
    walk.step("train with `callbacks=[lens.callback()]`", lambda: notebook.python.run(FIT))
    slider = walk.view.root.get_by_role("slider", name="training")
    expect(slider).to_be_enabled()
    play = walk.view.root.locator(".cl-training").get_by_role("button", name="Play")
    walk.step("press *Play* beside the slider *training*", play.click)
    expect(slider).to_have_attribute("aria-valuetext", "before training")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^epoch 2, .*loss"))

    def home() -> None:
        slider.focus()
        walk.page.keyboard.press("Home")

    walk.step("move the slider to its left end", home)
    expect(slider).to_have_attribute("aria-valuetext", "before training")
    walk.view.settle()
    assert walk.python("np.array_equal(lens.kernels[0], lens.snapshots[0].kernels[0])")


# -- a teacher's jobs --------------------------------------------------------------------------------------------------


def save_page(walk: Walk) -> None:
    """Save a page for others"""
    view = walk.view
    walk.step("press the tab *Export*", view.root.get_by_role("tab", name="Export").click)
    with walk.page.expect_download() as given:
        walk.step("press *Save page*", view.button("Save page").click)
    assert given.value.suggested_filename == "lens.html"
    page = given.value.path().read_text("utf-8")
    assert len(page) < 500_000
    assert page == walk.python("lens.to_html()")


def project(walk: Walk) -> None:
    """Project one filter after another"""
    view = walk.view
    walk.step("press *Focus on Filter 1* on its card", view.button("Focus on Filter 1").click)
    expect(view.root).to_have_attribute("data-view", "focus")
    cell = view.card(0).locator(".cl-kcell").first
    width = "cell => cell.getBoundingClientRect().width"
    before = cell.evaluate(width)
    full = view.button("Full screen")
    walk.step("press *Full screen*", full.click)
    view.until("root => document.fullscreenElement === root")
    # Everything grows: a page of 900 × 600 pixels fills the screen.
    view.until("root => Math.abs(root.currentCSSZoom - Math.min(innerWidth / 900, innerHeight / 600)) < 0.001")
    assert cell.evaluate(width) > before
    walk.step("press *Page Down*", lambda: walk.page.keyboard.press("PageDown"))
    expect(view.card(1)).to_be_visible()
    view.settle()
    walk.shown()
    # And on, as a presenter's remote control does: some of them press arrow keys.
    walk.page.keyboard.press("ArrowRight")
    expect(view.card(2)).to_be_visible()
    view.button("Previous filter").click()
    expect(view.card(1)).to_be_visible()
    walk.page.keyboard.press("Escape")
    view.until("root => document.fullscreenElement === null && root.currentCSSZoom === 1")
    expect(full).to_be_focused()
    walk.page.keyboard.press("Escape")
    expect(view.root).to_have_attribute("data-view", "grid")


def slide(walk: Walk) -> None:
    """Slide a kernel over the picture"""
    view = walk.view
    walk.step("press *One pixel forward* beside *slide*", view.button("One pixel forward").click)
    # A map is marked while it is in sight.
    view.map(0).scroll_into_view_if_needed()
    expect(view.map(0).locator(".cl-veil")).to_have_count(1)
    view.settle()
    assert walk.python("lens.pixel") == (0, 0)
    # What was not reached is hatched until something is edited.
    view.write(0, 0, 0, "2")
    expect(view.map(0).locator(".cl-veil")).to_have_count(0)
    view.settle()


# -- on a phone --------------------------------------------------------------------------------------------------------


def edit_on_a_phone(walk: Walk) -> None:
    """Edit on a phone, in a saved page"""
    view = walk.view
    kernel = view.card(0).get_by_role("button", name="Kernel")
    walk.step("tap *Kernel*", kernel.tap)
    walk.step("tap a cell", view.cell(0, 0, 0).tap)
    expect(view.card(0).locator(".cl-kslider")).to_be_in_viewport(ratio=1)
    walk.step("tap *Type*", view.card(0).get_by_role("button", name="Type").tap)

    def type_it() -> None:
        walk.page.keyboard.type("1/8")
        walk.page.keyboard.press("Enter")

    walk.step("type a number", type_it)
    view.wait_for_number(0, 0, 0, 0.125)


def read_on_a_phone(walk: Walk) -> None:
    """Read a value on a phone, in a saved page"""
    at = walk.view.point(walk.view.map(1), (73, 61), 40, 30)
    walk.step("tap a pixel of a map", lambda: walk.page.touchscreen.tap(*at))
    expect(walk.view.map(1).locator(".cl-readout")).to_contain_text("row 40, col 30: ")
    expect(walk.view.root.locator("[data-result]")).to_be_visible()


#: In the order of the page; of each group, the lens that it begins with.
QUESTIONS = (set_weights, four_axes, axes, black, flip, padding)
STUDENT_JOBS = (diagonals, blur_then_sharpen, spot, undo_three, compare, to_numpy)
NETWORK_JOBS = (third_convolution, dead_filters, filter_that_matters, ablate, put_back, watch_training)
TEACHER_JOBS = (save_page, project, slide)
PHONE_JOBS = (edit_on_a_phone, read_on_a_phone)
TASKS = (*QUESTIONS, *STUDENT_JOBS, *NETWORK_JOBS, *TEACHER_JOBS, *PHONE_JOBS)
