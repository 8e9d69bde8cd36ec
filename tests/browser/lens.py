"""The widget as a person uses it: cards, cells, maps, whichever host shows it."""

from __future__ import annotations

import base64
import contextlib
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Frame, Locator, Page, TimeoutError

Pixels = npt.NDArray[np.uint8]

#: Colour of the canvas at the middle of every pixel of the map, which lies whole in the middle of the canvas.
SAMPLE = """
async (canvas, [rows, cols]) => {
  // A canvas is painted when it comes into sight, which a page is told between frames, its observers in turn.
  await new Promise((told) => {
    const sight = new IntersectionObserver(() => { sight.disconnect(); told(); });
    sight.observe(canvas);
  });
  for (let frames = 0; frames < 2; frames++) await new Promise(requestAnimationFrame);
  const { width, height } = canvas;
  const scale = Math.min(width / cols, height / rows);
  if (scale < 1) throw new Error(`${width} x ${height} device pixels are too few for ${cols} x ${rows}`);
  const seen = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  let text = "";
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++) {
      const x = Math.floor(width / 2 + (col + 0.5 - cols / 2) * scale);
      const y = Math.floor(height / 2 + (row + 0.5 - rows / 2) * scale);
      text += String.fromCharCode(...seen.subarray((y * width + x) * 4, (y * width + x) * 4 + 4));
    }
  }
  return btoa(text);
}
"""

#: An edit made late in one frame is in the cells after the next, and a busy machine may put a frame in between.
FRAMES = "async () => { for (let n = 0; n < 5; n++) await new Promise(requestAnimationFrame); }"

#: The exact number of a cell: its tooltip where the cell has room for a rounded one only, else its label.
TOLD = """cell => (cell.title || cell.getAttribute("aria-label").split(": ").at(-1))
  .replace("\u2212", "-").replace("\u221e", "Infinity")"""

#: What lies beyond the lens's right edge.
OVERFLOW = """root => [root, ...root.querySelectorAll("*")].filter(
    (e) => e.checkVisibility() && e.getBoundingClientRect().right > root.getBoundingClientRect().right + 0.5
      && !e.closest("[popover], .cl-hidden")
  ).map((e) => e.outerHTML.slice(0, 120))"""

SETTLED = """(root) => root.dataset.link === "idle" && root.dataset.status === "ready"
  && [...root.querySelectorAll("figure[data-uid]")].every((map) => map.dataset.provenance === "keras")"""


def read_out(figure: Locator) -> float:
    """Return the number shown over a corner of a map, "row 1, col 2: 0.5"."""
    return float(figure.locator("output").inner_text().split(":")[1].strip().replace("\u2212", "-"))


class LensView:
    """One view of a lens on a page."""

    def __init__(self, page: Page, index: int = 0, frame: Frame | None = None) -> None:
        self.page = page
        self._document = frame or page
        self.root = self._document.locator(".convlens").nth(index)

    def wait(self) -> LensView:
        """Wait until the lens is on the page."""
        self.root.wait_for()
        return self

    def settle(self) -> LensView:
        """Wait until every edit is answered and every map is Keras's."""
        self.wait()
        self.until(SETTLED)
        return self

    def answered(self) -> LensView:
        """Wait until the kernel has answered every edit, whether or not there is a Keras to compute its map."""
        self.until("root => root.dataset.link === 'idle'")
        return self

    def assert_fits(self) -> None:
        """Fail if something lies beyond the lens's edge, or the lens scrolls sideways."""
        assert self.found_at_rest(OVERFLOW) == []
        self.until("root => root.scrollWidth <= root.clientWidth")

    def found_at_rest(self, wrong: str) -> list[str]:
        """Return what a JavaScript function of the root finds wrong once its arrangement has followed its width.

        A host gives a lens another width some frames after its window, and the lens arranges itself in the frame after.
        """
        with contextlib.suppress(TimeoutError):
            self.until(f"root => ({wrong})(root).length === 0")
        found: list[str] = self.root.evaluate(wrong)
        return found

    def until(self, condition: str, argument: Any = None) -> None:
        """Wait until a JavaScript function of (root, argument) is true."""
        self._until(self.root, f"([root, argument]) => ({condition})(root, argument)", argument)

    def _until(self, element: Locator, condition: str, argument: Any) -> None:
        """Wait until a JavaScript function of [element, argument] is true."""
        handle = element.element_handle()
        try:
            self._document.wait_for_function(condition, arg=[handle, argument]).dispose()
        finally:
            handle.dispose()  # it holds the element, and the lens with it, in the page's memory

    # -- filters ---------------------------------------------------------------------------------------------------

    def cards(self) -> Locator:
        return self.root.locator("[data-card]")

    def choose(self, index: int) -> LensView:
        """Choose a filter in the gallery, which has a card for one alone."""
        gallery = self.root.get_by_role("listbox", name="Filters", exact=True)
        gallery.get_by_role("option", name=re.compile(f"^{index}: ")).click()
        self.card(index).wait_for()
        return self

    def card(self, index: int) -> Locator:
        return self.root.locator(f'[data-card="{index}"]')

    def cell(self, index: int, row: int, col: int, channel: int = 0) -> Locator:
        return self.card(index).locator(f'[data-at="{channel},{row},{col}"]')

    def kernel(self, index: int) -> npt.NDArray[np.float32]:
        """Return the first plane of a kernel as its cells show it once they are painted, (rows, cols)."""
        self.page.evaluate(FRAMES)
        read = f"cells => cells.map(cell => [cell.dataset.at, ({TOLD})(cell)])"
        taps: list[list[str]] = self.card(index).locator('[data-at^="0,"]').evaluate_all(read)
        places = {tuple(map(int, at.split(",")[1:])): np.float32(text) for at, text in taps}
        rows, cols = (1 + max(place[axis] for place in places) for axis in (0, 1))
        return np.array([[places[row, col] for col in range(cols)] for row in range(rows)], np.float32)

    def wait_for_number(self, index: int, row: int, col: int, value: float) -> None:
        """Wait until a cell shows this number."""
        self.wait_for_cell(self.cell(index, row, col), value)

    def wait_for_cell(self, cell: Locator, value: float) -> None:
        """Wait until any cell shows this number, as float32 has it."""
        self._until(cell, f"([cell, value]) => Math.fround(Number(({TOLD})(cell))) === Math.fround(value)", value)

    def until_kernel(self, index: int, kernel: npt.NDArray[np.floating[Any]]) -> None:
        """Wait until the cells of a kernel's first plane show these numbers."""
        read = f"""(card, expected) => expected.every((line, row) => line.every((value, col) =>
          Math.fround(({TOLD})(card.querySelector(`[data-at="0,${{row}},${{col}}"]`))) === Math.fround(value)))"""
        expected = np.asarray(kernel, float).tolist()
        self._until(self.card(index), f"([card, expected]) => ({read})(card, expected)", expected)

    def write(self, index: int, row: int, col: int, text: str) -> None:
        """Click on a cell, type, and press Enter."""
        self.cell(index, row, col).click()
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def drag(self, index: int, row: int, col: int, up: int, steps: int = 8) -> None:
        """Hold a cell with the mouse and move it up by this many pixels."""
        target = self.cell(index, row, col)
        target.scroll_into_view_if_needed()
        box = target.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x, y - up, steps=steps)
        self.page.mouse.up()

    # -- maps ------------------------------------------------------------------------------------------------------

    def map(self, index: int) -> Locator:
        return self.card(index).locator("figure[data-uid]")

    def provenance(self, index: int) -> str | None:
        return self.map(index).get_attribute("data-provenance")

    def map_pixels(self, index: int, shape: Sequence[int]) -> Pixels:
        """Return the colours that are on screen, one for each pixel of a map of this shape: (rows, cols, 4)."""
        return self._pixels(self.map(index), shape)

    def image_pixels(self, shape: Sequence[int]) -> Pixels:
        """Return the colours of the input image on screen: (rows, cols, 4)."""
        return self._pixels(self.root.locator("figure.cl-image"), shape)

    def output_pixels(self, side: str, shape: Sequence[int]) -> Pixels:
        """Return the colours of a map of the model's output, "before", "after" or "difference": (rows, cols, 4)."""
        return self._pixels(self.root.locator(f"figure.cl-output[data-side={side}]"), shape)

    def layer_input_pixels(self, shape: Sequence[int]) -> Pixels:
        """Return the colours of the channel of the layer's input that is on screen: (rows, cols, 4)."""
        return self._pixels(self.root.locator("figure.cl-layerinput"), shape)

    def _pixels(self, figure: Locator, shape: Sequence[int]) -> Pixels:
        rows, cols = shape
        figure.scroll_into_view_if_needed()
        data = figure.locator("canvas").first.evaluate(SAMPLE, [rows, cols])
        return np.frombuffer(base64.b64decode(data), np.uint8).reshape(rows, cols, 4)

    def point(self, figure: Locator, shape: Sequence[int], row: int, col: int) -> tuple[float, float]:
        """Return where a pixel of a picture of this shape, shown whole, lies on the page."""
        canvas = figure.locator("canvas").first
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        assert box is not None
        rows, cols = shape
        scale = min(box["width"] / cols, box["height"] / rows)
        x = box["x"] + box["width"] / 2 + (col + 0.5 - cols / 2) * scale
        y = box["y"] + box["height"] / 2 + (row + 0.5 - rows / 2) * scale
        return x, y

    # -- the rest --------------------------------------------------------------------------------------------------

    def button(self, name: str) -> Locator:
        return self.root.get_by_role("button", name=re.compile(rf"^{re.escape(name)}\b"))

    def notice(self) -> Locator:
        return self.root.locator(".cl-notice")
