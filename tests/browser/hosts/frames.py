"""A frame for each cell, with a widget manager and a model of its own in it: what Colab makes of a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Frame, Page, Route

from tests.browser.guards import Guard
from tests.browser.hosts.vscode import answer_script
from tests.browser.lens import LensView
from tests.browser.python import Python
from tests.browser.running import profile
from tests.browser.server import JupyterServer

FRAME = Path(__file__).parent / "frame.html"


class Frames:
    """Cells of one Python process, each run from its own frame and shown there.

    Colab itself is not here: the manager is VS Code's, changed in two things (frame.html).
    """

    def __init__(self, page: Page, python: Python, frames: Sequence[Frame]) -> None:
        self.page = page
        self.python = python
        self.frames = frames

    def view(self, cell: int) -> LensView:
        """Return the lens that is shown in a cell's frame."""
        return LensView(self.page, frame=self.frames[cell])


@contextmanager
def framed(browser: Browser, server: JupyterServer, python_id: str, cells: Sequence[str]) -> Iterator[Frames]:
    """Run each cell in a frame of its own, until the block ends; fail at its end on what the page's guard saw."""
    context = profile(browser)
    guard = Guard(context)
    # A page that was answered by the test is from nowhere, and may not talk to this machine unasked.
    context.grant_permissions(["local-network-access"])
    page = context.new_page()
    page.route(f"{server.url}/cells/**", lambda route: answer(route, len(cells)))
    page.goto(f"{server.url}/cells/index.html")
    frames = page.frames[1:]
    assert len(frames) == len(cells)
    for frame in frames:
        frame.wait_for_function("() => window.ready && window.isColab")
        frame.evaluate("([id, token]) => window.connect(id, token)", [python_id, server.token])
    for frame, code in zip(frames, cells, strict=True):
        frame.evaluate("code => window.run(code, 'cell')", code)
    python = Python(server.connection_file(python_id))
    yield Frames(page, python, frames)
    python.close()
    context.close()
    guard.check()


def answer(route: Route, cells: int) -> None:
    """Answer for the notebook, one of its frames, or a script."""
    name = urlsplit(route.request.url).path.rsplit("/", 1)[1]
    if name == "index.html":
        frames = '<iframe src="frame.html" style="width: 100%; height: 900px; border: 0"></iframe>' * cells
        route.fulfill(body=f"<!doctype html>{frames}", content_type="text/html")
    elif name == "frame.html":
        route.fulfill(path=FRAME, content_type="text/html")
    else:
        answer_script(route)
