"""Pictures of the first hour's tasks, each as the screen is when its steps are done; docs/walkthrough.md shows them."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from docs import walkthrough_tasks as tasks
from docs.walkthrough_steps import Task, Walk
from tests.browser.hosts.jupyterlab import JupyterLab, Notebook
from tests.browser.lens import LensView
from tests.browser.running import profile

#: Width of a picture in pixels, and the colours that its greys and few accents need.
WIDTH, COLOURS = 800, 48


def photograph(lab: JupyterLab, browser: Browser, images: Path) -> None:
    """Do every task, each with a fresh lens, and take a picture of what is in sight then."""
    images.mkdir(exist_ok=True)
    notebook = lab.open([tasks.STUDENT])
    for task in tasks.TASKS:
        if task in tasks.PHONE_JOBS:
            _on_a_phone(notebook, browser, task, images)
        else:
            _in_a_notebook(notebook, task, images)


def _in_a_notebook(notebook: Notebook, task: Task, images: Path) -> None:
    view = _fresh(notebook, tasks.NETWORK if task in tasks.NETWORK_JOBS else tasks.STUDENT)
    taken: list[Path] = []

    def take() -> None:
        taken.append(images / _name(task))
        _save(notebook.page, _in_sight(view), taken[-1])

    task(Walk(notebook, view, shown=take))
    if not taken:
        # The word beside a map stays for a moment after Keras has answered.
        expect(view.settle().root.locator("[data-from=preview][aria-hidden=false]")).to_have_count(0)
        take()


def _fresh(notebook: Notebook, code: str) -> LensView:
    notebook.python.run("import ipywidgets; ipywidgets.Widget.close_all()")
    notebook.write_cell(0, code)
    notebook.run_all()
    return LensView(notebook.page).settle()


def _in_sight(view: LensView) -> dict[str, float]:
    """Return the part of the lens that is on the screen, which is all of it in full screen."""
    screen = view.page.viewport_size
    assert screen is not None
    if view.page.evaluate("document.fullscreenElement !== null"):
        return {"x": 0, "y": 0, "width": screen["width"], "height": screen["height"]}
    box, panel = view.root.bounding_box(), view.page.locator(".jp-WindowedPanel-outer").first.bounding_box()
    assert box is not None and panel is not None
    top = max(panel["y"], box["y"])
    bottom = min(box["y"] + box["height"], panel["y"] + panel["height"])
    return {"x": box["x"], "y": top, "width": box["width"], "height": bottom - top}


def _on_a_phone(notebook: Notebook, browser: Browser, task: Task, images: Path) -> None:
    _fresh(notebook, tasks.STUDENT)
    context = profile(browser, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "lens.html"
        notebook.python.run(f"_ = lens.activations; lens.save_html({str(file)!r})")
        page = context.new_page()
        page.goto(file.as_uri())
        task(Walk(None, LensView(page).wait()))
        _save(page, None, images / _name(task))
    context.close()


def _name(task: Task) -> str:
    return f"{tasks.TASKS.index(task) + 1:02d}.png"


def _save(page: Page, clip: dict[str, float] | None, file: Path) -> None:
    picture = Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")  # type: ignore[arg-type]
    picture.thumbnail((WIDTH, picture.height))
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
