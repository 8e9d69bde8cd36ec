"""What excites a filter in JupyterLab: stored images, the picture that grows, attribution over the image."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.expected import assert_drawn, assert_grey
from tests.browser.hosts.jupyterlab import JupyterLab
from tests.browser.lens import LensView
from tests.browser.test_accessibility import OVERFLOW, SMALL_TARGETS, WIDTHS, violations

#: A model, images of which each has one bright square, and a survey of them.
CELL = """
import keras, numpy as np, convlens
from convlens.protocol import interpretations
keras.utils.set_random_seed(0)
inputs = keras.Input((16, 14, 1))
x = keras.layers.Conv2D(4, 3, activation="relu", name="stem")(inputs)
x = keras.layers.Conv2D(5, 3, activation="relu", name="deep")(x)
x = keras.layers.Dense(3, activation="softmax")(keras.layers.GlobalAveragePooling2D()(x))
model = keras.Model(inputs, x)
images = np.random.default_rng(0).integers(0, 60, (24, 16, 14, 1)).astype("float32")
for i, image in enumerate(images):
    image[i % 9 : i % 9 + 4, i % 8 : i % 8 + 5] += 150
survey = convlens.survey(model, images, top=6, progress=False)
# An ascent that ends by being stopped.
interpretations.STEPS = 1_000_000
lens = convlens.ConvLens(images[0], model=model, layer="deep", survey=survey)
lens
"""


def test_stored_images_a_growing_picture_and_attribution(lab: JupyterLab, warm_python: str) -> None:
    notebook = lab.open([CELL], warm_python)
    notebook.run_all()
    view = LensView(notebook.page).settle()
    view.root.get_by_role("tab", name="What excites it").click()

    # A stored image takes the place of the image, by a key as by a click, and the tab stays.
    listed = view.root.get_by_role("region", name=re.compile("^Images that excite")).get_by_role("listitem")
    expect(listed).to_have_count(6)
    stored = notebook.python.value("[(e.image, e.value, e.pixel) for e in lens.survey.top('deep', 0)]")
    number, value, pixel = stored[2]
    listed.nth(2).get_by_role("button").focus()
    notebook.page.keyboard.press("Enter")
    expect(view.root.get_by_role("button", name="Back to the previous image")).to_be_visible()
    view.settle()
    shown, pinned, activation = notebook.python.value("(lens.image, lens.pixel, lens.activations[0])")
    np.testing.assert_array_equal(shown, notebook.python.value(f"images[{number}]"))
    assert tuple(pinned) == tuple(pixel)
    np.testing.assert_allclose(activation[tuple(pixel)], value, rtol=1e-5)
    assert_grey(view.image_pixels(shown.shape[:2]), shown[..., 0])
    assert_drawn(view.map_pixels(0, activation.shape), activation)
    expect(listed).to_have_count(6)
    view.button("Back to the previous image").click()
    expect(view.root.get_by_role("button", name="Back to the previous image")).to_have_count(0)
    view.settle()
    np.testing.assert_array_equal(notebook.python.value("lens.image"), notebook.python.value("images[0]"))

    # The picture grows while a kernel is edited, and stops when it is told.
    growing = view.root.get_by_role("region", name=re.compile("^Picture that excites"))
    view.button("Picture that excites it most").click()
    expect(growing.get_by_role("img")).to_be_visible()
    steps = "([root, least]) => Number(root.querySelector('progress')?.value ?? 0) > least"
    root = view.root.element_handle()
    notebook.page.wait_for_function(steps, arg=[root, 0])
    so_far = int(growing.get_by_role("progressbar").evaluate("one => one.value"))
    view.write(0, 1, 1, "2")
    expect(view.map(0)).to_have_attribute("data-provenance", "keras")
    notebook.page.wait_for_function(steps, arg=[root, so_far])
    expect(growing.get_by_role("figure")).to_contain_text("before the last edits")
    view.button("Stop").click()
    expect(growing.get_by_role("status")).to_have_text(re.compile(r"^stopped after \d+ steps$"))
    source = growing.get_by_role("img").get_attribute("src") or ""
    with Image.open(io.BytesIO(base64.b64decode(source.removeprefix("data:image/png;base64,")))) as picture:
        assert picture.size == (14, 16)
    assert notebook.python.value("float(lens.kernels[0][1, 1, 0])") == 2

    # What was ranked was the kernel before that edit.
    images = view.root.get_by_role("region", name=re.compile("^Images that excite"))
    expect(images).to_contain_text("of the original kernel")
    view.button("Rank again").click()
    expect(images).to_contain_text("of the edited kernel")

    # What a class rests on lies over the image, without and with the edit.
    panel = view.root.get_by_role("group", name="The model's prediction")
    expect(panel).to_have_attribute("aria-busy", "false")
    panel.get_by_role("button", name="class 1").click()
    over = view.root.locator("figure.cl-image image.cl-over")
    expect(over).to_have_count(1)
    after = over.get_attribute("href")
    panel.get_by_text("before", exact=True).click()
    expect(over).not_to_have_attribute("href", after or "")
    most = notebook.python.value("max(lens.attribution(1, edited=e).max() for e in (False, True))")
    told = panel.get_by_role("region").get_by_role("status")
    expect(told).to_contain_text("yellow")
    assert float(told.inner_text().split()[-1]) == pytest.approx(most, rel=1e-3)
    box, frame = over.bounding_box(), view.root.locator("figure.cl-image canvas").first.bounding_box()
    assert box is not None and frame is not None
    assert abs(box["width"] / box["height"] - 14 / 16) < 0.02, "it covers the image"

    # Accessible, wide or narrow.
    for width in WIDTHS:
        notebook.page.set_viewport_size({"width": width, "height": 1000})
        view.until("(root, width) => root.clientWidth > 0 && root.clientWidth < width", width)
        wrong = view.found_at_rest(OVERFLOW) + violations(notebook.page) + view.root.evaluate(SMALL_TARGETS)
        assert wrong == []
    notebook.page.set_viewport_size({"width": 1400, "height": 1000})
    panel.get_by_role("button", name="class 1").click()
    expect(over).to_have_count(0)
