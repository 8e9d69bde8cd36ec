"""Looking closer: magnified together, pixel by pixel, with values, and what is not a number marked as such."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import numpy as np
from PIL import Image
from playwright.sync_api import expect

from tests.browser.hosts.jupyterlab import Notebook
from tests.browser.lens import LensView
from tests.browser.notebooks import SMALL_MAP, assert_in_step

Show = Callable[..., LensView]

#: One white pixel on black, which two filters pass on as it is.
DOT = """
import numpy as np
from convlens import ConvLens
img = np.zeros((40, 50), np.float32)
img[12, 31] = 1
lens = ConvLens(img, [np.ones((1, 1)), np.ones((1, 1))])
lens
"""

#: Values that are not numbers, and some beyond a fixed range.
ODD = """
import numpy as np
from convlens import ConvLens
img = np.linspace(0, 1, 400, dtype=np.float32).reshape(20, 20)
img[0, 0], img[1, :2], img[2, :3] = np.nan, np.inf, -np.inf
lens = ConvLens(img, [np.ones((1, 1))], activation="linear", value_range=(0.25, 0.75))
lens
"""

#: Of each pixel of a square map of so many rows, whether anything in it is another colour than a grey.
COLOURED = """(canvas, rows) => {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const side = Math.min(width, height) / rows;
  const [left, top] = [(width - rows * side) / 2, (height - rows * side) / 2];
  const seen = Array.from({ length: rows }, () => Array(rows).fill(false));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [row, col] = [Math.floor((y + 0.5 - top) / side), Math.floor((x + 0.5 - left) / side)];
      const [r, g, b] = data.subarray((y * width + x) * 4);
      if (seen[row]?.[col] === false && (r !== g || g !== b)) seen[row][col] = true;
    }
  }
  return seen;
}"""

#: Colours on a canvas, and where the white ones lie, 0 to 1 along both axes.
LOOK = """canvas => {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const colours = new Set();
  let [n, x, y] = [0, 0, 0];
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] === 0) continue;
    colours.add(data[i]);
    if (data[i] !== 255) continue;
    n++; x += (i / 4) % width; y += Math.floor(i / 4 / width);
  }
  return { colours: [...colours].sort(), n, x: x / n / width, y: y / n / height };
}"""


def test_the_image_and_all_maps_are_magnified_and_moved_together_without_smoothing(
    shared: Notebook, show: Show
) -> None:
    view = show(DOT)
    canvases = view.root.locator(".cl-frame canvas")
    assert canvases.count() == 3
    x, y = view.point(view.root.locator(".cl-image"), (40, 50), 12, 31)
    view.root.locator(".cl-image .cl-frame").focus()
    mouse = shared.page.mouse
    mouse.move(x, y)
    for _ in range(4):
        mouse.wheel(0, -240)
    view.until("root => root.querySelector('.cl-frame').dataset.zoomed === 'true'")
    shared.page.mouse.down()
    shared.page.mouse.move(x - 30, y + 20, steps=5)
    shared.page.mouse.up()
    shared.page.mouse.move(0, 0)
    shared.page.evaluate("async () => { for (let n = 0; n < 5; n++) await new Promise(requestAnimationFrame); }")
    seen = canvases.evaluate_all(f"all => all.map({LOOK})")
    for one in seen:
        # Not one colour between those of the two values.
        assert one["colours"] == [0, 255]
        assert one["n"] > 100
        np.testing.assert_allclose([one["x"], one["y"]], [seen[0]["x"], seen[0]["y"]], atol=0.02)
    assert canvases.evaluate_all("all => all.every(c => getComputedStyle(c).imageRendering === 'pixelated')")


def test_the_value_under_the_pointer_is_told_for_the_image_and_for_every_map(shared: Notebook, show: Show) -> None:
    view = show()
    activations, img = shared.python.value("lens.activations"), shared.python.value("img")
    shared.page.mouse.move(*view.point(view.map(1), SMALL_MAP, 20, 30))
    for index in range(4):
        expect(view.map(index).locator(".cl-readout")).to_contain_text("row 20, col 30: ")
        # Once Keras has confirmed it, without the sign for "about".
        expect(view.map(index).locator(".cl-readout")).not_to_contain_text("≈")
        told = view.map(index).locator(".cl-readout").inner_text().split(": ")[1].replace("−", "-")
        np.testing.assert_allclose(float(told), activations[index, 20, 30], rtol=1e-6, atol=1e-7)
    shared.page.mouse.move(*view.point(view.root.locator(".cl-image"), img.shape, 40, 17))
    readout = view.root.locator(".cl-image .cl-readout")
    expect(readout).to_contain_text("row 40, col 17: ")
    np.testing.assert_allclose(float(readout.inner_text().split(": ")[1]), img[40, 17], rtol=1e-5)


def test_what_is_no_number_and_what_is_clipped_is_counted_and_has_no_colour_of_the_table(
    shared: Notebook, show: Show
) -> None:
    view = show(ODD)
    legend = view.map(0).locator(".cl-legend")
    for text in ("1 NaN", "2 at +∞", "3 at −∞", "fixed range"):
        expect(legend).to_contain_text(text)
    view.map_pixels(0, (20, 20))  # waits until they are painted
    coloured = np.array(view.map(0).locator("canvas").first.evaluate(COLOURED, 20))
    values = shared.python.value("img")
    with np.errstate(invalid="ignore"):
        within = (values >= 0.25) & (values <= 0.75)
    np.testing.assert_array_equal(coloured, ~within)


def test_the_share_of_zeros_after_relu_is_told_for_every_map(shared: Notebook, show: Show) -> None:
    view = show()
    for index, activation in enumerate(shared.python.value("lens.activations")):
        share = round(100 * float((activation == 0).mean()))
        expect(view.map(index).locator(".cl-zeros")).to_have_text(f"{share} % zero")


def test_a_picture_pasted_on_the_image_becomes_the_input(shared: Notebook, show: Show) -> None:
    view = show()
    ramp = (np.linspace(0, 1, 40 * 30).reshape(40, 30) ** 2 * 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(ramp).save(file, "PNG")
    copy = """async data => {
      const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
      await navigator.clipboard.write([new ClipboardItem({ "image/png": new Blob([bytes], { type: "image/png" }) })]);
    }"""
    shared.page.evaluate(copy, base64.b64encode(file.getvalue()).decode())
    view.root.locator(".cl-image .cl-frame").focus()
    shared.page.keyboard.press("Control+v")
    expect(view.root.locator(".cl-image")).to_contain_text("40 × 30")
    view.settle()
    np.testing.assert_allclose(shared.python.value("lens.image")[:, :, 0], ramp / np.float32(255), rtol=1e-6)
    assert_in_step(shared, view)
