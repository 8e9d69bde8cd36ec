"""What is measured, one function a group of rows; `report.py` says what came of it."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import BrowserContext

from tests.browser.hosts.jupyterlab import JupyterLab, Notebook
from tests.browser.lens import LensView

FRAME = 1000 / 60
GAPS = (60, 250)
EDITS = 40
WARM_UP = 6

#: The photograph at the size of the published measurements, and the tutorial's filters.
PHOTOGRAPH = """
import numpy as np
from matplotlib.cbook import get_sample_data
from PIL import Image
with get_sample_data("grace_hopper.jpg") as file:
    picture = Image.open(file).convert("L")
def photograph(rows, cols):
    return np.asarray(picture.resize((cols, rows)), dtype="float32") / 255
f1 = np.array([[-1, -1, 1, 1]] * 4, dtype="float32")
filters = [f1, -f1, f1.T, -f1.T]
img = photograph(255, 384)
"""

LENS = "from convlens import ConvLens\nlens = ConvLens({image}, {kernels})\nlens"

ECHO = """
def _echo(comm, opened):
    blob = bytes(opened["content"]["data"]["bytes"])
    comm.on_msg(lambda message: comm.send({"n": message["content"]["data"]}, buffers=[blob]))
get_ipython().kernel.comm_manager.register_target("bench_echo", _echo)
"""

#: The tutorial's redraw: all four filters, one after another, each with `set_weights`, `predict` and `imshow`.
TUTORIAL = """
import keras
import matplotlib.pyplot as plt
from ipywidgets import FloatSlider, interact
model = keras.Sequential([keras.Input((*img.shape, 1)), keras.layers.Conv2D(1, (4, 4), activation="relu")])
def redraw(tap):
    edited = [f.copy() for f in filters]
    edited[0][0, 0] = tap
    _, axes = plt.subplots(1, 4, figsize=(20, 20))
    for ax, kernel in zip(axes, edited):
        model.layers[0].set_weights([kernel.reshape(4, 4, 1, 1), np.zeros(1)])
        ax.imshow(model.predict(img.reshape(1, *img.shape, 1), verbose=0)[0, :, :, 0], cmap="gray")
    plt.show()
interact(redraw, tap=FloatSlider(-1, min=-2, max=2, step=0.1));
"""


@dataclass(frozen=True)
class Spread:
    """Median and 95th percentile, in milliseconds."""

    median: float
    p95: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), float(np.percentile(values, 95)))

    def __str__(self) -> str:
        digits = 2 if self.median < 10 else 0
        return f"{self.median:.{digits}f} ({self.p95:.{digits}f}) ms"


class Bench:
    """Notebooks in one JupyterLab, with the probe in every page."""

    def __init__(self, lab: JupyterLab, context: BrowserContext) -> None:
        context.add_init_script(path=Path(__file__).with_name("probe.js"))
        self.lab = lab
        self.context = context

    def open(self, *cells: str) -> Notebook:
        """Open and run a notebook of these cells in a fresh kernel."""
        notebook = self.lab.open([PHOTOGRAPH + ECHO, *cells])
        notebook.run_all()
        return notebook

    def lens(self, image: str = "img", kernels: str = "filters") -> tuple[Notebook, LensView]:
        """Open a notebook with a settled lens."""
        notebook = self.open(LENS.format(image=image, kernels=kernels))
        return notebook, LensView(notebook.page).settle()


def edits(notebook: Notebook, *, count: int = EDITS, gap: float, keras: bool = True) -> dict[str, Spread]:
    """Step a cell up and down, `gap` ms apart, and return what each stage took."""
    call = "given => bench.edits(given)"
    notebook.page.evaluate(call, {"count": WARM_UP, "gap": gap, "keras": keras})
    found = notebook.page.evaluate(call, {"count": count, "gap": gap, "keras": keras})
    return {stage: Spread.of([one[stage] for one in found]) for stage in found[0]}


def echo(notebook: Notebook, *, count: int = EDITS, gap: float, size: int) -> list[float]:
    """Return the times of a bare comm message and its answer of `size` bytes."""
    notebook.page.evaluate("given => bench.echo(given)", {"count": WARM_UP, "gap": gap, "bytes": size})
    times: list[float] = notebook.page.evaluate(
        "given => bench.echo(given)", {"count": count, "gap": gap, "bytes": size}
    )
    return times


def tutorial(bench: Bench, gap: float = 250, count: int = 12) -> dict[str, Spread]:
    """Return what the tutorial's redraw takes under `ipywidgets.interact`."""
    notebook = bench.open(TUTORIAL)
    notebook.page.locator(".jp-OutputArea img").first.wait_for()
    notebook.page.evaluate("given => bench.slider(given)", {"count": 2, "gap": gap})
    found = notebook.page.evaluate("given => bench.slider(given)", {"count": count, "gap": gap})
    bench.lab.leave(notebook)
    return {stage: Spread.of([one[stage] for one in found]) for stage in found[0]}


@dataclass(frozen=True)
class Drag:
    """Ten seconds of dragging a cell."""

    frames: int
    previewed: int
    answers_per_second: float
    echoes_per_second: float
    echo: float
    idle_after: float
    equal: bool


def drag(notebook: Notebook, view: LensView, *, size: int, seconds: float = 10) -> Drag:
    """Drag a cell with the mouse, faster than the display's rate, and let go."""
    page = notebook.page
    times = echo(notebook, count=100, gap=0, size=size)
    box = view.cell(0, 1, 1).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 10)
    page.evaluate("() => bench.watch({})")
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end:
        number += 1
        page.mouse.move(x, y - 10 - number % 97)
    seen = page.evaluate("() => bench.stop()")
    page.mouse.up()
    idle = float(page.evaluate("() => bench.untilIdle({})"))
    view.settle()
    equal = bool((view.kernel(0) == notebook.kernel.value("lens.kernels[0]")).all())
    return Drag(
        frames=seen["frames"],
        previewed=seen["written"],
        answers_per_second=seen["answers"] / seen["seconds"],
        echoes_per_second=1000 / statistics.mean(times),
        echo=statistics.median(times),
        idle_after=idle,
        equal=equal,
    )


KERNEL_SIDE = """
import statistics, time
import tensorflow as tf

def timed(work, count):
    for _ in range(10):
        work()
    times = []
    for _ in range(count):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)

step = [0]
def one_edit():
    step[0] += 1
    content = {"type": "edit", "client": "bench", "seq": step[0], "gesture": f"bench-{step[0]}",
               "edits": [{"uid": lens._state["order"][0], "taps": {"index": [0], "value": [step[0] / 1000]}}]}
    lens._handle_custom_msg(content, [])

raw_conv = tf.function(lambda x, k: tf.nn.conv2d(x, k, 1, "VALID"))
batch, one = tf.constant(img.reshape(1, *img.shape, 1)), tf.constant(f1.reshape(4, 4, 1, 1))
def raw():
    raw_conv(batch, one).numpy()

import keras
model = keras.Sequential([keras.Input((*img.shape, 1)), keras.layers.Conv2D(1, (4, 4), activation="relu")])
def as_the_tutorial():
    for kernel in filters:
        model.layers[0].set_weights([kernel.reshape(4, 4, 1, 1), np.zeros(1)])
        model.predict(img.reshape(1, *img.shape, 1), verbose=0)
"""


def kernel_side(notebook: Notebook) -> dict[str, float]:
    """Return the kernel's own time, in ms: one edit handled, a raw traced convolution, the tutorial's four lines."""
    notebook.kernel.run(KERNEL_SIDE)
    return {
        "edit": notebook.kernel.value("timed(one_edit, 100)"),
        "raw": notebook.kernel.value("timed(raw, 100)"),
        "tutorial": notebook.kernel.value("timed(as_the_tutorial, 5)"),
    }


def import_time(module: str, rounds: int = 7) -> float:
    """Return the median time of importing a module in a fresh interpreter, in ms."""
    code = f"import time; start = time.perf_counter(); import {module}; print((time.perf_counter() - start) * 1000)"

    def once() -> float:
        return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)

    once()
    return statistics.median(once() for _ in range(rounds))


def first_sight(bench: Bench) -> dict[str, Any]:
    """Run a lens in a fresh kernel; return when it was on screen, and what had become of Keras by then."""
    notebook = bench.lab.open([PHOTOGRAPH, LENS.format(image="img", kernels="filters")])
    notebook.run_cell(0)
    found: dict[str, Any] = notebook.page.evaluate("given => bench.firstSight(given)", {"maps": 4})
    bench.lab.leave(notebook)
    return found


def memory(notebook: Notebook, *, early: int = 1_000, late: int = 10_000) -> dict[str, float]:
    """Return the growth of kernel and page between two numbers of edits, in MB."""
    session = notebook.page.context.new_cdp_session(notebook.page)
    session.send("HeapProfiler.enable")

    def sizes() -> tuple[float, float]:
        for _ in range(3):
            session.send("HeapProfiler.collectGarbage")
        page = session.send("Runtime.getHeapUsage")["usedSize"] / 1e6
        kernel = notebook.kernel.value(
            "(__import__('gc').collect(), __import__('psutil').Process().memory_info().rss)[1]"
        )
        return page, kernel / 1e6

    def edit(count: int) -> None:
        notebook.page.evaluate("given => bench.edits(given)", {"count": count, "gap": 0, "keras": False})
        LensView(notebook.page).settle()

    edit(early)
    before = sizes()
    edit(late - early)
    after = sizes()
    return {"page": after[0] - before[0], "kernel": after[1] - before[1]}
