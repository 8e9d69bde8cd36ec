"""Hours of work in minutes: edits, pictures, layers, lenses closed and made again, in a real JupyterLab.

On request only: ``python3 dev.py test --only soak``. CONVLENS_SOAK_MINUTES says how long, 20 unless told otherwise.
"""

from __future__ import annotations

import os
import time

import pytest

from tests.browser.hosts.jupyterlab import JupyterLab, Notebook
from tests.browser.lens import LensView
from tests.browser.memory import RESIDENT, kernel_size, page_size

MINUTES = float(os.environ.get("CONVLENS_SOAK_MINUTES", "0"))
pytestmark = pytest.mark.skipif(MINUTES == 0, reason="on request: python3 dev.py test --only soak")

SETUP = """
import keras, numpy as np
from convlens import ConvLens
rng = np.random.default_rng(0)
model = keras.Sequential([
    keras.Input((48, 40, 1)), keras.layers.Conv2D(4, 3, name="first"), keras.layers.Conv2D(4, 3, name="second"),
])
lenses = [None] * 4
def renew(i):
    if lenses[i] is not None:
        lenses[i].close()
    image = rng.random((48, 40)).astype("float32")
    lenses[i] = ConvLens(image, model=model, layer="first") if i == 3 else ConvLens(image)
    return lenses[i]
"""
#: IPython keeps what cells returned, closed lenses among it, until its cache of a thousand is full. What it
#: kept leaves gaps in the process's memory when it is forgotten, so that is done after each round: the soak does not
#: measure what a notebook's results cost.
FORGET = "get_ipython().displayhook.flush()"
#: A cell that shows something other than a lens: what JupyterLab itself keeps of a cell that runs again.
PLAIN = "from IPython.display import HTML; HTML('<b>a cell</b>')"

#: What a lens that was closed and made anew may leave on the page, in MB.
LEFT = 0.2
#: Tolerance of the measurements, in MB: heaps are never the same to the byte.
PAGE_NOISE, KERNEL_NOISE = 5.0, 30.0


def runs(notebook: Notebook, cell: int, count: int) -> float:
    """Return how much the page grows when a cell runs again, in MB per run, each lens in it settled."""
    before = page_size(notebook.page)
    for _ in range(count):
        notebook.run_cell(cell)
        if cell == 2:
            LensView(notebook.page).settle()
    return (page_size(notebook.page) - before) / count


def test_a_lens_that_is_closed_and_made_anew_leaves_little_on_the_page(lab: JupyterLab) -> None:
    notebook = lab.open([SETUP, PLAIN, "renew(0)"])
    notebook.run_all()
    for cell in (1, 2):
        runs(notebook, cell, 4)
    plain, lens = runs(notebook, 1, 10), runs(notebook, 2, 10)
    print(f"the page grows by {lens:.3f} MB a lens, of which {plain:.3f} MB are JupyterLab's")
    assert lens - plain <= LEFT


def round_of_work(notebook: Notebook) -> int:
    """Edit, replace pictures and layers, and make the lenses again; return how many cells were run."""
    for index in range(4):
        view = LensView(notebook.page, index).settle()
        view.write(0, 0, 0, "0.5")
        # A layer of a model has a gallery, in which the first filter is chosen.
        view.write(0 if index == 3 else 1, 1, 1, "-2")
        view.settle()
    notebook.python.run("for lens in lenses[:3]: lens.image = rng.random((48, 40)).astype('float32')")
    for path in ("second", "first"):
        notebook.python.run(f"lenses[3].layer_path = {path!r}")
        LensView(notebook.page, 3).settle()
    notebook.python.run("for lens in lenses: lens.undo(); lens.redo()")
    for cell in range(2, 6):
        notebook.run_cell(cell)
    notebook.python.run(FORGET)
    # Of what this client does not read, the kernel keeps a thousand messages, each new lens with the whole front end.
    notebook.python.drain()
    return 4


def test_kernel_and_page_level_off(lab: JupyterLab) -> None:
    notebook = lab.open([SETUP + RESIDENT, PLAIN, *(f"renew({i})" for i in range(4))])
    notebook.run_all()
    for _ in range(5):
        round_of_work(notebook)
    # With the module that anywidget loads for each model, and what JupyterLab keeps of a cell.
    anew = runs(notebook, 2, 10)
    notebook.python.run(FORGET)
    notebook.python.drain()
    early = kernel_size(notebook.python), page_size(notebook.page)
    rounds = cells = 0
    end = time.monotonic() + 60 * MINUTES
    while time.monotonic() < end:
        cells += round_of_work(notebook)
        rounds += 1
    late = kernel_size(notebook.python), page_size(notebook.page)
    kernel, page = (after - before for before, after in zip(early, late, strict=True))
    print(
        f"{rounds} rounds, {cells} lenses closed and made anew: kernel {kernel:+.1f} MB to {late[0]:.0f} MB, "
        f"page {page:+.1f} MB to {late[1]:.0f} MB, {anew * cells:.1f} MB of it what lenses leave unedited"
    )
    assert page - anew * cells <= PAGE_NOISE + LEFT * cells
    assert kernel <= KERNEL_NOISE
