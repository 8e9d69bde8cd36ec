"""What all themes share: notebooks in one JupyterLab with the probe in every page, and the photograph."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page

from benchmarks.table import Spread
from tests.browser.hosts.jupyterlab import JupyterLab, Notebook
from tests.browser.lens import LensView

PROBE = Path(__file__).with_name("probe")
#: In the order in which a page runs them.
SCRIPTS = ("frames.js", "edits.js", "references.js", "dragging.js", "gallery.js")

EDITS = 40
WARM_UP = 6
#: Pixels of the published measurements' picture, and of a map of it through a 4×4 kernel, which are sent as a byte
#: each.
SIZE = (255, 384)
MAP_BYTES = (SIZE[0] - 3) * (SIZE[1] - 3)

#: The photograph at the size of the published measurements, and the tutorial's filters.
PHOTOGRAPH = f"""
import numpy as np
from matplotlib.cbook import get_sample_data
from PIL import Image
with get_sample_data("grace_hopper.jpg") as file:
    picture = Image.open(file).convert("L")
def photograph(rows, cols):
    return np.asarray(picture.resize((cols, rows)), dtype="float32") / 255
f1 = np.array([[-1, -1, 1, 1]] * 4, dtype="float32")
filters = [f1, -f1, f1.T, -f1.T]
img = photograph{SIZE}
"""

ECHO = """
def _echo(comm, opened):
    blob = bytes(opened["content"]["data"]["bytes"])
    comm.on_msg(lambda message: comm.send({"n": message["content"]["data"]}, buffers=[blob]))
get_ipython().kernel.comm_manager.register_target("bench_echo", _echo)
"""

#: Like the echo, after a convolution of the photograph with one filter: what every lens must do.
PIPELINE = """
import tensorflow as tf
def _pipeline(comm, opened):
    blob = bytes(opened["content"]["data"]["bytes"])
    traced = tf.function(lambda x, k: tf.nn.conv2d(x, k, 1, "VALID"))
    batch, kernel = tf.constant(img.reshape(1, *img.shape, 1)), tf.constant(f1.reshape(4, 4, 1, 1))
    def answer(message):
        traced(batch, kernel).numpy()
        comm.send({"n": message["content"]["data"]}, buffers=[blob])
    traced(batch, kernel)
    comm.on_msg(answer)
get_ipython().kernel.comm_manager.register_target("bench_pipeline", _pipeline)
"""

LENS = "from convlens import ConvLens\nlens = ConvLens({image}, {kernels})\nlens"


@dataclass(frozen=True)
class Bench:
    """Opens notebooks in one JupyterLab."""

    lab: JupyterLab
    context: BrowserContext
    #: A folder for files, which is empty at first.
    folder: Path

    def __post_init__(self) -> None:
        # One script, since the order of several is not guaranteed.
        self.context.add_init_script("\n".join((PROBE / script).read_text() for script in SCRIPTS))

    @contextmanager
    def notebook(self, *cells: str) -> Iterator[Notebook]:
        """Open and run a notebook of the photograph and these cells, in a fresh kernel, until the block ends."""
        notebook = self.lab.open([PHOTOGRAPH + ECHO, *cells])
        try:
            notebook.run_all()
            yield notebook
        finally:
            self.lab.leave(notebook)

    @contextmanager
    def lens(
        self, image: str = "img", kernels: str = "filters", before: str = ""
    ) -> Iterator[tuple[Notebook, LensView]]:
        """Open a notebook with a settled lens."""
        with self.notebook(before + LENS.format(image=image, kernels=kernels)) as notebook:
            yield notebook, LensView(notebook.page).settle()


def call(page: Page, name: str, patience: float = 60, **given: Any) -> Any:
    """Call a function of the probe; one that takes longer than `patience` seconds raises."""
    script = """async ([name, given, ms]) => {
      let overdue;
      const late = new Promise((_, fail) => {
        overdue = setTimeout(() => fail(new Error(`${name} did not come to an end within ${ms / 1000} s`)), ms);
      });
      try { return await Promise.race([bench[name](given), late]); } finally { clearTimeout(overdue); }
    }"""
    return page.evaluate(script, [name, given, patience * 1000])


def edits(page: Page, *, count: int = EDITS, gap: float, rest: float = 0) -> list[dict[str, float]]:
    """Step a cell up and down, `gap` ms apart; return what each stage took, edit by edit. See `edits` in the probe."""
    call(page, "edits", count=WARM_UP, gap=gap, rest=rest)
    found: list[dict[str, float]] = call(page, "edits", count=count, gap=gap, rest=rest)
    return found


def stages(found: Sequence[dict[str, float]]) -> dict[str, Spread]:
    """Return what each stage of some edits took."""
    return {stage: Spread.of([one[stage] for one in found]) for stage in found[0]}


def echo(page: Page, *, count: int = EDITS, gap: float, size: int) -> list[float]:
    """Return the times of a bare comm message and its answer of `size` bytes."""
    call(page, "echo", count=WARM_UP, gap=gap, bytes=size)
    times: list[float] = call(page, "echo", count=count, gap=gap, bytes=size)
    assert all(math.isfinite(time) for time in times)
    return times
