"""Makes the documentation's pictures, and those that states are compared with: `python3 dev.py screenshots`."""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from docs import questions, walkthrough_pictures
from tests.browser import states
from tests.browser.hosts.jupyterlab import JupyterLab
from tests.browser.lens import LensView
from tests.browser.running import chromium, watched
from tests.browser.server import serve

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
#: A pixel of the first map where it is bright: an edge of the collar.
EXPLAINED = (342, 195)


def main() -> None:
    """Make all pictures, or those that are named."""
    kinds = {"docs": documentation, "walkthrough": walkthrough, "states": store_states}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", default=[], choices=kinds)
    only: Sequence[str] = parser.parse_args().only
    for name, make in kinds.items():
        if not only or name in only:
            make()


def store_states() -> None:
    """Store how every component looks in every state, where that is not as it was."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        states.store(states.photograph(browser, states.build(Path(folder))))


def walkthrough() -> None:
    """Photograph what is on screen when each task of the first hour is done."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder)) as server,
        chromium() as browser,
        watched(browser, width=1400, height=1150) as context,
        JupyterLab.of(server, context) as lab,
    ):
        walkthrough_pictures.photograph(lab, browser, IMAGES / "walkthrough")


def documentation() -> None:
    """Photograph in JupyterLab: one filter in focus, what excites a filter, the answers to a newcomer's questions."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as server, chromium() as browser:
        with (
            watched(browser, width=1280, height=800, device_scale_factor=1.5) as context,
            JupyterLab.of(server, context) as lab,
        ):
            notebook = lab.open_file(ROOT / "examples" / "tutorial.ipynb")
            notebook.command("application:toggle-left-area")
            notebook.run_all()
            notebook.show_lens()
            view = LensView(notebook.page).settle()
            notebook.python.run(f"lens.pixel = {EXPLAINED}; lens.view = 'focus'")
            view.root.locator(".cl-focussum [data-result] svg").wait_for()
            view.settle().root.evaluate("root => root.scrollIntoView()")
            whole, last = view.root.bounding_box(), view.root.locator(".cl-focussum").bounding_box()
            assert whole is not None and last is not None
            whole["height"] = last["y"] + last["height"] + 1 - whole["y"]
            save(notebook.page.screenshot(clip=whole), IMAGES / "focus.png")
        with watched(browser, width=1280, height=900) as context, JupyterLab.of(server, context) as lab:
            excites(lab)
        with watched(browser, width=1200, height=1000) as context, JupyterLab.of(server, context) as lab:
            questions.photograph(lab, IMAGES)


def excites(lab: JupyterLab) -> None:
    """Photograph what excites a filter of the trained digits network: the best images, and the picture that would."""
    notebook = lab.open_file(ROOT / "examples" / "survey.ipynb")
    notebook.run_all()
    notebook.show_lens()
    view = LensView(notebook.page).settle()
    notebook.python.run("lens.reset(); lens.selected = busiest")
    view.root.get_by_role("tab", name="What excites it").click()
    view.root.locator(".cl-patches img").first.wait_for()
    view.button("Picture that excites it most").click()
    view.root.locator(".cl-growing").get_by_text("found after").wait_for()
    strip = view.settle().root.locator(".cl-strip")
    strip.scroll_into_view_if_needed()
    save(strip.screenshot(), IMAGES / "excites.png")


def save(picture: bytes, file: Path) -> None:
    """Write a PNG of 128 colours, which is enough for greys and a few accents and a third of the size."""
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(file, optimize=True)


if __name__ == "__main__":
    main()
