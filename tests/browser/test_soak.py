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
from tests.deadlines import SECONDS

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
#: What the page does for a widget that is no lens: it shows a field and answers each change with one of its own.
#: JupyterLab keeps the models of closed widgets, with their traits. This one's lose what stands for the front end (and
#: what Backbone keeps of the state before): otherwise its 0.3 MB would be subtracted from what a lens leaves.
BARE_PAGE = """
function initialize({ model }) {
  model.on("destroy", () => { model.set("front_end", ""); model.set("answer", 0); });
}
function render({ model, el }) {
  const answer = () => { model.set("answer", model.get("answer") + 1); model.save_changes(); };
  model.on("change:bytes", answer);
  el.append(Object.assign(document.createElement("input"), { className: "bare" }));
  answer();
}
export default { initialize, render };
"""
#: IPython keeps what cells returned, closed lenses among it, until its cache of a thousand is full. What it
#: kept leaves gaps in the process's memory when it is forgotten, so that is done after each round: the soak does not
#: measure what a notebook's results cost.
FORGET = "get_ipython().displayhook.flush()"
#: The same cells with bare widgets: what Jupyter and TensorFlow keep in a kernel, and JupyterLab on its page. Each
#: widget is sent about as many bytes as a lens, its page answers every change, and its numbers are convolved by Keras.
#: The layer is made once: one with weights drawn at random would add 0.07 MB of TensorFlow's each time, which a lens's
#: does not.
WITHOUT_A_LENS = f"""
import anywidget, keras, numpy as np, traitlets
rng = np.random.default_rng(0)
layer = keras.layers.Conv2D(4, 4, kernel_initializer="zeros")
layer.build((None, 48, 40, 1))
class Bare(anywidget.AnyWidget):
    _esm = {BARE_PAGE!r}
    bytes = traitlets.Bytes().tag(sync=True)
    front_end = traitlets.Unicode("x" * 300_000).tag(sync=True)
    answer = traitlets.Int().tag(sync=True)
widgets = [None] * 4
def change(widget):
    image = rng.random((48, 40)).astype("float32")
    layer(image[None, :, :, None])
    widget.changes += 1
    widget.bytes = image.tobytes()
def renew(i):
    if widgets[i] is not None:
        widgets[i].close()
    widgets[i] = Bare()
    widgets[i].changes = 0
    widgets[i].observe(lambda _: layer(rng.random((1, 48, 40, 1)).astype("float32")), "answer")
    change(widgets[i])  # answered by the page that begins to show it
    return widgets[i]
"""
#: A cell that shows something other than a lens: what JupyterLab itself keeps of a cell that runs again.
PLAIN = "from IPython.display import HTML; HTML('<b>a cell</b>')"

#: Rounds before anything is measured, and those in which a notebook without a lens is.
WARM_UP, MEASURED = 10, 40

#: What a lens that was closed and made anew may leave on the page, in MB.
LEFT = 0.2
#: Tolerance of the measurements, in MB: heaps are never the same to the byte.
PAGE_NOISE, KERNEL_NOISE = 5.0, 15.0


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


def round_of_work(notebook: Notebook) -> None:
    """Edit, replace pictures and layers, and make the lenses again."""
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


def round_without_a_lens(notebook: Notebook) -> None:
    """Click, type and run cells as `round_of_work` does, with as many changes, each answered by the page."""
    answered(notebook)  # the fields are there
    for field in notebook.page.locator("input.bare").all():
        for text in ("0.5", "-2"):
            field.click()
            notebook.page.keyboard.type(text)
            notebook.page.keyboard.press("Enter")
    for changed in ("widgets", "widgets", "widgets[:3]", "widgets[3:]", "widgets[3:]", "widgets"):
        answered(notebook)
        notebook.python.run(f"for widget in {changed}: change(widget)")
    answered(notebook)
    for cell in range(1, 5):
        notebook.run_cell(cell)
    notebook.python.run(FORGET)
    notebook.python.drain()


def answered(notebook: Notebook) -> None:
    """Wait until the page has answered every change of the bare widgets."""
    deadline = time.monotonic() + SECONDS
    while not notebook.python.value("all(widget.answer == widget.changes for widget in widgets)"):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def growth_without_a_lens(lab: JupyterLab) -> tuple[float, float]:
    """Return by how much kernel and page grow without convlens, in MB a round, once their caches are filled."""
    notebook = lab.open([WITHOUT_A_LENS + RESIDENT, *(f"renew({i})" for i in range(4))])
    notebook.run_all()
    for _ in range(WARM_UP):
        round_without_a_lens(notebook)
    kernel, page = kernel_size(notebook.python), page_size(notebook.page)
    for _ in range(MEASURED):
        round_without_a_lens(notebook)
    growth = (kernel_size(notebook.python) - kernel) / MEASURED, (page_size(notebook.page) - page) / MEASURED
    lab.leave(notebook)
    return growth


def test_kernel_and_page_level_off(lab: JupyterLab) -> None:
    plain, plain_page = growth_without_a_lens(lab)
    print(f"without a lens the kernel grows by {plain:.3f} MB a round, the page by {plain_page:.3f} MB")
    notebook = lab.open([SETUP + RESIDENT, PLAIN, *(f"renew({i})" for i in range(4))])
    notebook.run_all()
    for _ in range(WARM_UP):
        round_of_work(notebook)
    kernels, pages, rounds = [kernel_size(notebook.python)], [page_size(notebook.page)], [0]
    for _ in range(2):
        end = time.monotonic() + 30 * MINUTES
        done = rounds[-1]
        while time.monotonic() < end:
            round_of_work(notebook)
            done += 1
        kernels.append(kernel_size(notebook.python))
        pages.append(page_size(notebook.page))
        rounds.append(done)
    kernel, page, cells = kernels[-1] - kernels[0], pages[-1] - pages[0], 4 * rounds[-1]
    own, own_at_half = (kernels[i] - kernels[0] - plain * rounds[i] for i in (-1, 1))
    left = page - plain_page * rounds[-1]
    print(
        f"{rounds[-1]} rounds, {cells} lenses closed and made anew: kernel {kernel:+.1f} MB to {kernels[-1]:.0f} MB, "
        f"{plain * rounds[-1]:.1f} MB of it without a lens and {own:.1f} MB the lenses', {own - own_at_half:.1f} MB of "
        f"that in the last {rounds[-1] - rounds[1]} rounds; page {page:+.1f} MB to {pages[-1]:.0f} MB, "
        f"{plain_page * rounds[-1]:.1f} MB without a lens and {left:.1f} MB the lenses', {left / cells:.3f} MB a lens"
    )
    assert left <= PAGE_NOISE + LEFT * cells
    assert own <= KERNEL_NOISE
