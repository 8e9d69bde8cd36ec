"""A newcomer's questions, and the clicks in the lens that answer them; docs/tutorial-questions.md is their page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Locator, expect

from tests.browser.hosts.jupyterlab import JupyterLab
from tests.browser.lens import LensView

#: A pixel of the first map of `LENS` that relu made black.
BLACK = (20, 34)
#: One that it left as it was.
BRIGHT = (102, 51)
#: A bias other than 0, so that it can be seen.
LENS = """
import numpy as np
from matplotlib.cbook import get_sample_data
from PIL import Image
from convlens import ConvLens
with get_sample_data("grace_hopper.jpg") as file:
    photograph = Image.open(file).convert("L").resize((128, 150))
img = np.asarray(photograph, dtype="float32") / 255
f1 = np.array([[-1, -1, 1, 1]] * 4)
lens = ConvLens(img, [f1, -f1, f1.T, -f1.T], bias=[-0.25, 0, 0, 0])
lens
"""


class Tab(NamedTuple):
    """A press on one of the explanation's tabs."""

    name: str

    def do(self, view: LensView) -> None:
        view.root.get_by_role("tab", name=self.name).click()


class Press(NamedTuple):
    """A press on whatever a selector finds first."""

    selector: str

    def do(self, view: LensView) -> None:
        view.root.locator(self.selector).first.click()


class Pixel(NamedTuple):
    """A press on a pixel of the first map."""

    row: int
    col: int

    def do(self, view: LensView) -> None:
        canvas = view.map(0).locator("canvas").first
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        assert box is not None
        rows, cols = MAP
        scale = min(box["width"] / cols, box["height"] / rows)
        x = box["width"] / 2 + (self.col + 0.5 - cols / 2) * scale
        y = box["height"] / 2 + (self.row + 0.5 - rows / 2) * scale
        canvas.click(position={"x": x, "y": y})


class Write(NamedTuple):
    """A press into a field, and a number typed."""

    selector: str
    text: str

    def do(self, view: LensView) -> None:
        field = view.root.locator(self.selector).first
        field.click()
        field.press("ControlOrMeta+a")
        field.press_sequentially(self.text)
        field.press("Enter")


Click = Tab | Press | Pixel | Write

#: Shape of a map of `LENS`.
MAP = (147, 125)
#: Parts of the lens: one map's card, the explanation, the four steps of its shapes, the sum that makes a pixel.
WHOLE, CARD, STRIP, SUM = "", '[data-card="0"]', ".cl-strip", ".cl-sum"
KERNELS, WEIGHTS, MAPS = (f".cl-ledger > li:nth-child({n})" for n in (2, 3, 4))


@dataclass(frozen=True)
class Question:
    """What a person asks, what they click, what they then read, and the part of the lens where it is."""

    ask: str
    picture: str
    clicks: Sequence[Click]
    read: Sequence[str]
    part: str = STRIP

    def answer(self, view: LensView) -> Locator:
        """Do the clicks, and return the part that answers once it says what it should."""
        for click in self.clicks:
            click.do(view)
        part = view.root.locator(self.part) if self.part else view.root
        for text in self.read:
            part.get_by_text(text).filter(visible=True).first.wait_for()
        return part


QUESTIONS = [
    Question("Why set weights?", "set-weights", [Tab("Shapes")], ["starts from random kernels"], WEIGHTS),
    Question(
        "Why does 4×4 become 4×4×1×1?",
        "four-axes",
        [Tab("Shapes")],
        ["Why 4 × 4 × 1 × 1?", "side by side along the last axis: 4 × 4 × 1 × 4"],
        KERNELS,
    ),
    Question(
        "Which axis is which?",
        "axes",
        [Tab("Shapes"), Press('[data-axis="filters"]')],
        ["kernel rows", "input channels", "batch"],
    ),
    Question("Why is half of the map black?", "black", [Pixel(*BLACK)], ["before relu", "activation function"]),
    Question(
        "Does Keras flip the kernel?",
        "flip",
        [Pixel(*BRIGHT), Press(".cl-segment:has-text('convolution')")],
        ["turns its kernel by 180°"],
    ),
    Question("What do the colours mean?", "colours", [], ["this map's range"], CARD),
    Question("Why is the map smaller than the image?", "smaller", [Tab("Shapes")], ["147"], MAPS),
    Question(
        "What do stride, padding and dilation do?",
        "layer",
        [Tab("Layer"), Write("fieldset:has-text('strides') input", "2")],
        ["strides=(2, 1)", "74 × 125"],
    ),
    Question("What does the bias do?", "bias", [Pixel(*BRIGHT)], ["bias", "before relu"], SUM),
    Question("Where in the image does a pixel come from?", "window", [Pixel(*BRIGHT)], ["The patch is rows"], WHOLE),
]


def photograph(lab: JupyterLab, images: Path) -> None:
    """Make the page's pictures, each from a fresh lens."""
    notebook = lab.open([LENS])
    for question in QUESTIONS:
        notebook.run_all()
        view = LensView(notebook.page).settle()
        part = question.answer(view)
        # The word beside a map stays for a moment after Keras has answered.
        expect(view.settle().root.locator("[data-from=preview][aria-hidden=false]")).to_have_count(0)
        notebook.page.mouse.move(0, 0)
        file = images / f"question-{question.picture}.png"
        if question.part:
            part.screenshot(path=file)
        else:  # only what is in sight: a lens continues below the screen
            part.evaluate("root => root.scrollIntoView()")
            box, screen = part.bounding_box(), notebook.page.viewport_size
            assert box is not None and screen is not None
            # Below it is the status bar.
            box["height"] = min(box["height"], screen["height"] - 32 - box["y"])
            notebook.page.screenshot(path=file, clip=box)
