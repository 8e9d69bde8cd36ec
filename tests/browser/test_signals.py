"""A signal in JupyterLab: drawn as curves, edited by cells, pinned at a step and explained there."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
from playwright.sync_api import expect

from tests.browser.hosts.jupyterlab import JupyterLab
from tests.browser.lens import LensView

CELL = """
import numpy as np
from convlens import ConvLens
steps = np.arange(60, dtype="float32")
signal = np.where(steps < 30, 0, 1).astype("float32")
lens = ConvLens(signal, [[-1, 0, 1], [0, 1, 0]], names=["edge", "same"], activation="linear", padding="causal")
lens
"""

MODEL = """
import keras, convlens
from convlens.protocol import interpretations
keras.utils.set_random_seed(0)
model = keras.Sequential([
    keras.Input((60, 1)),
    keras.layers.Conv1D(3, 5, activation="relu", name="conv"),
    keras.layers.GlobalAveragePooling1D(),
    keras.layers.Dense(2, activation="softmax"),
])
signals = np.random.default_rng(0).normal(size=(8, 60)).astype("float32")
survey = convlens.survey(model, signals, top=3, progress=False)
interpretations.STEPS = 4
inside = ConvLens(signals[0], model=model, survey=survey)
inside
"""

#: Height of a map's line above its lowest point, for each of 60 steps, as a share of its room; antialiasing spreads it.
CURVE = """figure => {
  const canvas = figure.querySelector("canvas");
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const line = step => {
    const x = Math.floor((step + 0.5) / 60 * width);
    let [sum, count] = [0, 0];
    for (let y = 0; y < height; y++) {
      const [red, , blue, alpha] = data.subarray(4 * (y * width + x), 4 * (y * width + x) + 4);
      if (alpha > 100 && blue > red + 60) [sum, count] = [sum + y + 0.5, count + 1];
    }
    return (0.94 - sum / count / height) / 0.88;
  };
  return Array.from({ length: 60 }, (_, step) => line(step));
}"""


def test_a_signal_is_drawn_edited_pinned_and_explained(lab: JupyterLab, warm_python: str) -> None:
    notebook = lab.open([CELL, MODEL], python=warm_python)
    notebook.run_all()
    view = LensView(notebook.page).settle()
    figure = view.root.locator("figure.cl-map[data-uid]").first

    def drawn() -> npt.NDArray[np.float64]:
        return np.array(figure.evaluate(CURVE), float)

    # The edge responds at the two steps after the signal rises.
    curve = drawn()
    assert set(np.nonzero(curve > 0.5)[0]) == {30, 31}
    expect(view.root.locator("figure.cl-image .cl-frame")).to_have_attribute(
        "aria-label", re.compile("^Input signal, 60 steps, 1 channel")
    )
    expect(figure.locator(".cl-frame")).to_have_attribute("aria-label", re.compile("60 steps"))
    expect(view.cell(0, 0, 2)).to_have_attribute("aria-label", "step 2: 1")

    view.write(0, 0, 0, "0")
    view.settle()
    assert notebook.python.value("lens.kernels")[0].tolist() == [0, 0, 1]
    # The line begins and ends within a pixel, which is only in part of its colour.
    np.testing.assert_allclose(drawn()[1:-1], notebook.python.value("lens.activations")[0][1:-1], atol=0.1)

    frame = figure.locator(".cl-frame")
    box = frame.bounding_box()
    assert box is not None
    frame.click(position={"x": box["width"] * 30.5 / 60, "y": box["height"] / 2})
    view.settle()
    assert notebook.python.value("lens.pixel") == 30
    mark = view.root.locator("figure.cl-image .cl-mark-pin .cl-line").first
    image = view.root.locator("figure.cl-image .cl-frame").bounding_box()
    window = mark.get_attribute("d")
    assert image is not None and window is not None
    x, _, width = (float(text) for text in re.findall(r"-?[\d.]+", window)[:3])
    # Causal: the window ends at the step itself.
    np.testing.assert_allclose([x, x + width], [image["width"] * 28 / 60, image["width"] * 31 / 60], atol=2)
    view.root.get_by_role("tab", name="This pixel").click()
    expect(view.root.locator(".cl-explainhead")).to_contain_text("edge, step 30")
    expect(view.root.locator(".cl-taken")).to_contain_text("steps 28 to 30 of the input")

    # Inside a model: the signals that excite a filter, the one that would, and what a class rests on.
    inside = LensView(notebook.page, 1).settle()
    inside.root.get_by_role("tab", name="What excites it").click()
    listed = inside.root.get_by_role("region", name=re.compile("^Signals that excite")).get_by_role("listitem")
    expect(listed).to_have_count(3)
    number, value, step = notebook.python.value("[(e.image, e.value, e.pixel) for e in survey.top('conv', 0)]")[1]
    listed.nth(1).get_by_role("button", name=re.compile(rf"^Signal {number}: .* at step {step}\.")).click()
    expect(inside.root.get_by_role("button", name="Back to the previous signal")).to_be_visible()
    inside.settle()
    shown, pinned, maps = notebook.python.value("(inside.image, inside.pixel, inside.activations)")
    np.testing.assert_array_equal(shown, notebook.python.value(f"signals[{number}]"))
    assert pinned == step
    np.testing.assert_allclose(maps[0][step], value, rtol=1e-5)
    inside.button("Signal that excites it most").click()
    growing = inside.root.get_by_role("region", name=re.compile("^Signal that excites"))
    expect(growing.get_by_role("status")).to_have_text("found after 4 steps")
    expect(growing.get_by_role("figure")).to_contain_text("curve from")
    inside.root.locator("figure.cl-image").scroll_into_view_if_needed()
    inside.root.get_by_role("group", name="The model's prediction").get_by_role("button", name="class 1").click()
    over = inside.root.locator("figure.cl-image image.cl-over")
    expect(over).to_have_count(1)
    covers, canvas = over.bounding_box(), inside.root.locator("figure.cl-image canvas").first.bounding_box()
    assert covers is not None and canvas is not None
    lies, frame_lies = ((one["x"], one["y"], one["width"], one["height"]) for one in (covers, canvas))
    np.testing.assert_allclose(lies, frame_lies, atol=2)
