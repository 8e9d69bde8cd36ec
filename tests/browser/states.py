"""The page of every component in every state: built, photographed, and compared with the pictures in ``states``.

What is compared are means over blocks of 8 × 8 CSS pixels and over squares of 16 of these, and letters are bars of the
project's own font. So neither the fonts of a machine nor the antialiasing of its Chromium and its screen decide; what
is moved by a few pixels, is missing or has another colour does.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser.running import watched
from tests.checkout import ROOT

Array = np.ndarray[Any, np.dtype[np.float64]]

PICTURES = Path(__file__).parent / "states"
#: Where pictures of states that differ are written; git ignores it.
ACTUAL = ROOT / "test-results" / "states"
ACCEPT = "python3 dev.py screenshots --only states"

#: CSS pixels of a side of a block, which is one stored pixel.
BLOCK = 8
#: Levels of 255 by which means may differ in red, green or blue: those of blocks, and of squares of so many to a side.
#: Screens of 1.25 and 2 device pixels to a CSS pixel, which round lengths otherwise, come to 25 and 8; a card moved by
#: 2 px comes to 56 in blocks, a surface that becomes a little redder to 16 in squares.
TOLERANCES = {1: 32.0, 4: 12.0}
#: States on one page: when one is measured, all of it is laid out. Pages are drawn side by side, since each waits.
TOGETHER = 8

SHOWN = "body[data-shown]"


@dataclass(frozen=True)
class State:
    """One state, as the page describes it."""

    name: str
    width: int
    height: int
    #: Whether it has what a page has once, as the focus.
    alone: bool

    @property
    def file(self) -> Path:
        """The stored picture."""
        return PICTURES / f"{re.sub(r'[^a-z0-9]+', '-', self.name.lower()).strip('-')}.png"


def build(folder: Path) -> Path:
    """Build the page with Node."""
    file = folder / "states.html"
    subprocess.run(["node", str(ROOT / "js" / "states.mjs"), str(file)], check=True, stdout=subprocess.PIPE)
    return file


def open_page(page: Page, file: Path, names: list[str]) -> None:
    """Open the page with the states of these names, and do not wait for them."""
    page.goto(f"{file.as_uri()}?bars#{'&'.join(quote(name, safe='') for name in names)}", wait_until="commit")


def wait_shown(page: Page) -> None:
    """Wait until all states of the page are drawn; a state that throws ends that at once."""
    page.wait_for_selector(SHOWN, state="attached")
    assert page.evaluate("document.body.dataset.shown") == "true", "A state of the page threw; see its console."


def states_of(page: Page, file: Path) -> list[State]:
    """Return the states that the page has."""
    open_page(page, file, ["none of them"])
    wait_shown(page)
    return [State(**one) for one in json.loads(page.evaluate("document.body.dataset.states"))]


def photograph(
    browser: Browser, file: Path, only: Sequence[str] | None = None, scale: float = 1
) -> dict[State, Image.Image]:
    """Photograph the states, each in as many pixels as the screen has on it, which is `scale` to a CSS pixel.

    Parameters
    ----------
    only
        Names of states; all of them by default.
    """
    with watched(browser, device_scale_factor=scale) as context:
        first = context.new_page()
        states = [state for state in states_of(first, file) if only is None or state.name in only]
        together = [state for state in states if not state.alone]
        groups = [together[start : start + TOGETHER] for start in range(0, len(together), TOGETHER)]
        groups += [[state] for state in states if state.alone]
        pages = [(context.new_page(), group) for group in groups]
        for page, group in pages:
            # Canvases are drawn that are near the screen, so that it is as large as all of the page.
            width, height = max(state.width for state in group), sum(state.height for state in group)
            page.set_viewport_size({"width": width, "height": height})
            open_page(page, file, [state.name for state in group])
        return {state: picture for page, group in pages for state, picture in zip(group, pictures(page), strict=True)}


def pictures(page: Page) -> list[Image.Image]:
    """Photograph the states of a page, from top to bottom, once all are shown."""
    wait_shown(page)
    whole = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    boxes = page.locator(".state").evaluate_all("""boxes => boxes.map((box) => {
      const { left, top, right, bottom } = box.getBoundingClientRect();
      return [left, top, right, bottom].map((length) => Math.round(length * devicePixelRatio));
    })""")
    return [whole.crop(box) for box in boxes]


def reduced(picture: Image.Image, state: State) -> Image.Image:
    """Return a picture as it is stored: each pixel the mean of a block."""
    return picture.resize((state.width // BLOCK, state.height // BLOCK), Image.Resampling.BOX)


def means(picture: Image.Image, side: int) -> Array:
    """Return the means over squares of so many stored pixels: rows, columns, colours."""
    values = np.asarray(picture, np.float64)
    rows, cols = (length // side for length in values.shape[:2])
    squares: Array = values[: rows * side, : cols * side].reshape(rows, side, cols, side, 3).mean(axis=(1, 3))
    return squares


def differences(picture: Image.Image, state: State) -> dict[int, Array]:
    """Return by how many levels a photograph differs from the stored picture, in the colour where most, by square."""
    with Image.open(state.file) as stored:
        expected = stored.convert("RGB")
    actual = reduced(picture, state)
    assert actual.size == expected.size, f"“{state.name}” has another size than {state.file}: {actual.size}"
    return {side: np.abs(means(actual, side) - means(expected, side)).max(axis=2) for side in TOLERANCES}


def differs(picture: Image.Image, state: State) -> str | None:
    """Return by how much, and where, a photograph differs from the stored picture by more than it may, or None."""
    for side, by in differences(picture, state).items():
        if by.max() > TOLERANCES[side]:
            row, col = np.unravel_index(by.argmax(), by.shape)
            length = BLOCK * side
            most, above = TOLERANCES[side], np.count_nonzero(by > TOLERANCES[side])
            return (
                f"{above} of {by.size} squares of {length} × {length} px differ by more than {most:g} levels of 255, "
                f"most by {by.max():.0f}, {col * length} px from the left and {row * length} px from the top"
            )
    return None


def complaint(picture: Image.Image, state: State) -> str | None:
    """Return what to say of a state that does not look as it did, or None; the photograph is kept then."""
    found = differs(picture, state) if state.file.exists() else f"there is no {state.file.relative_to(ROOT)}"
    if found is None:
        return None
    ACTUAL.mkdir(parents=True, exist_ok=True)
    kept = ACTUAL / state.file.name
    picture.save(kept)
    return f"“{state.name}”: {found}; it looks now as in {kept.relative_to(ROOT)}"


def store(shown: dict[State, Image.Image]) -> None:
    """Store the pictures that are compared from now on; one that is within the tolerance stays as it is."""
    PICTURES.mkdir(exist_ok=True)
    known = {state.file for state in shown}
    for old in PICTURES.glob("*.png"):
        if old not in known:
            old.unlink()
    for state, picture in shown.items():
        if complaint(picture, state) is not None:
            reduced(picture, state).save(state.file, optimize=True)
            print(f"{state.file.relative_to(ROOT)}: look at {(ACTUAL / state.file.name).relative_to(ROOT)}")
