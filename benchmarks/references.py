"""What the lens is compared with: the tutorial's redraw under `interact`, TensorFlow.js, and a bare canvas."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, Route

from benchmarks.session import EDITS, MAP_BYTES, SIZE, WARM_UP, Bench, call, stages
from benchmarks.table import Spread

#: As `dev.py` unpacks it.
PACKAGES = Path(__file__).resolve().parent.parent / "node_modules/.benchmarks"
#: Served under this folder of the server's own address; nothing is fetched from elsewhere.
ADDRESS = "/convlens-benchmarks/"
TFJS = ("@tensorflow/tfjs-core/dist/tf-core.min.js", "@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.min.js")
BINARIES = ("tfjs-backend-wasm.wasm", "tfjs-backend-wasm-simd.wasm", "tfjs-backend-wasm-threaded-simd.wasm")

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
class Redraw:
    """The tutorial's redraw: until the picture is decoded, and until the frame with it was shown."""

    pixels: Spread
    paint: Spread


def tutorial(bench: Bench, gap: float = 250, count: int = 12) -> Redraw:
    """Return what the tutorial's redraw takes under `ipywidgets.interact`."""
    with bench.notebook(TUTORIAL) as notebook:
        notebook.page.locator(".jp-OutputArea img").first.wait_for()
        call(notebook.page, "slider", count=2, gap=gap)
        found = call(notebook.page, "slider", count=count, gap=gap)
    return Redraw(*(Spread.of([one[stage] for one in found]) for stage in ("pixels", "paint")))


def tensorflow_js(page: Page, count: int = 30) -> tuple[Spread, Spread]:
    """Return what TensorFlow.js takes for a 4×4 kernel on the photograph, by WebAssembly with SIMD, in this page.

    First with its own functions up to `tf.browser.toPixels`, then with the range and the colours written by hand.
    """
    page.route(f"**{ADDRESS}**", _serve)
    for script in TFJS:
        page.add_script_tag(url=ADDRESS + script)
    paths = {name: f"{ADDRESS}@tensorflow/tfjs-backend-wasm/dist/{name}" for name in BINARIES}
    rows, cols = SIZE
    found = call(page, "tensorflow", rows=rows, cols=cols, side=4, count=count, warmUp=10, paths=paths)
    assert found["backend"] == "wasm" and found["simd"], f"not on WebAssembly with SIMD: {found}"
    return Spread.of(found["own"]), Spread.of(found["hand"])


def bare(page: Page, *, count: int = EDITS, gap: float) -> dict[str, Spread]:
    """Return the times of a page that does nothing but write a canvas, ask the echo, and write it again."""
    call(page, "bare", count=WARM_UP, gap=gap, bytes=MAP_BYTES)
    return stages(call(page, "bare", count=count, gap=gap, bytes=MAP_BYTES))


def _serve(route: Route) -> None:
    file = PACKAGES / route.request.url.split(ADDRESS, 1)[1]
    kind = "application/wasm" if file.suffix == ".wasm" else mimetypes.guess_type(file)[0]
    route.fulfill(path=file, content_type=kind)
