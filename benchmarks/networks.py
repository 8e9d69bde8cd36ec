"""P7 and P8: many filters, deep layers, and opening a layer of 2,048 filters of ResNet50."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator

from benchmarks.session import Bench, call, edits, stages
from benchmarks.table import Row, Spread, multiple
from convlens.widget.notebook_picture import SETTLED_SECONDS
from tests.browser.hosts.jupyterlab import Notebook
from tests.browser.lens import LensView

#: `weights=None`: what an edit costs does not depend on what the weights are.
RESNET = """
import keras
keras.utils.set_random_seed(1)
model = keras.applications.ResNet50(weights=None, input_shape=({side}, {side}, 3))
"""
DEEP_LENS = "from convlens import ConvLens\nlens = ConvLens(photograph({side}, {side}), model=model{layer})\nlens"
#: Sides of the pictures with which the 1st and the 40th layer of ResNet50 have maps of 32×32.
FIRST, FORTIETH = 64, 512
#: Shorter than the pause after which the whole model runs with the edited weights, on all processors.
GAP = 100
#: The two sides alternate, because a machine is not equally fast at all times.
ROUNDS = 3
WIDEST, FILTERS = "conv5_block3_3_conv", 2048
OPENINGS = 5

MANY_ROWS = (
    ("P7", "edit → paint among 64 kernels"),
    ("P7", "edit → Keras's paint among 64 kernels"),
)
DEEP_ROWS = (
    ("P7", "edit → paint in the 40th layer of ResNet50"),
    ("P7", "edit → Keras's paint in the 40th layer of ResNet50"),
)
GALLERY_ROWS = (
    ("P8", "opening a layer of 2,048 filters: first screen"),
    ("P8", "scrolling through them: frames dropped"),
)


def many_kernels(bench: Bench) -> Iterator[Row]:
    """Compare one of 64 kernels with one alone."""

    def measure(count: int) -> list[dict[str, float]]:
        with bench.lens(kernels=f"(filters * 16)[:{count}]") as (notebook, _):
            return edits(notebook.page, gap=GAP)

    one, many = in_turn(lambda: measure(1), lambda: measure(64))
    for row, stage in zip(MANY_ROWS, ("paint", "keras"), strict=True):
        yield compared(row, many, one, stage, "with one kernel")


def deep_layers(bench: Bench) -> Iterator[Row]:
    """Compare the 40th convolution of ResNet50 with its first, at maps of one size."""
    first, fortieth = in_turn(lambda: resnet_edits(bench, FIRST, 0), lambda: resnet_edits(bench, FORTIETH, 39))
    for row, stage in zip(DEEP_ROWS, ("paint", "keras"), strict=True):
        yield compared(row, fortieth, first, stage, "in the first, with maps of the same size")


def in_turn(*measures: Callable[[], list[dict[str, float]]]) -> list[dict[str, Spread]]:
    """Measure alternately, several times over; return what each found in all of its rounds."""
    found: list[list[dict[str, float]]] = [[] for _ in measures]
    for _ in range(ROUNDS):
        for results, measure in zip(found, measures, strict=True):
            results += measure()
    return [stages(results) for results in found]


def compared(row: tuple[str, str], ours: dict[str, Spread], base: dict[str, Spread], stage: str, what: str) -> Row:
    one, other = ours[stage], base[stage]
    script = f"; script {ours['script']} and {base['script']}" if stage == "paint" else ""
    return Row(
        *row,
        str(one),
        f"{multiple(one.median, other.median)} that {what} ({other}){script}",
        "≤ 1.2 ×",
        one.median <= 1.2 * other.median,
    )


def resnet_edits(bench: Bench, side: int, index: int) -> list[dict[str, float]]:
    """Return what edits of a filter take in one of ResNet50's layers, once its preview has what it needs."""
    cells = RESNET.format(side=side), DEEP_LENS.format(side=side, layer=""), f"lens.layer_path = lens.layers[{index}]"
    with bench.notebook(*cells) as notebook:
        view = LensView(notebook.page).settle()
        shape = notebook.python.value("lens.activations.shape[1:]")
        assert shape == (32, 32), f"maps of layer {index} are {shape}, not 32×32"
        # The first edit of a filter asks for the input plane that it reads.
        call(notebook.page, "edits", count=1, gap=0, keras=False)
        view.settle()
        predicted(view)
        return edits(notebook.page, gap=GAP)


def predicted(view: LensView) -> None:
    """Wait until the model has run with the edited weights: it does so when nobody edits."""
    view.until("(root) => root.querySelector('.cl-predictions')?.getAttribute('aria-busy') === 'false'")


def gallery(bench: Bench) -> Iterator[Row]:
    """Choose the layer in a lens that shows the network's first, then scroll through all of its filters."""
    cells = RESNET.format(side=224), DEEP_LENS.format(side=224, layer="")
    with bench.notebook(*cells) as notebook:
        view = LensView(notebook.page).settle()
        predicted(view)
        notebook.python.run(FORWARD)
        opened, called, predict = [], [], []
        for turn in range(OPENINGS):
            if turn:
                choose(notebook, view, 0)
            times = notebook.python.value("[forward(called), forward(lambda: model.predict(batch, verbose=0))]")
            called.append(times[0])
            predict.append(times[1])
            seen = call(notebook.page, "openLayer", path=WIDEST, filters=FILTERS)
            opened.append(seen["ms"])
        ms, once = statistics.median(opened), statistics.median(called)
        yield Row(
            *GALLERY_ROWS[0],
            f"{ms:.0f} ms",
            f"{multiple(ms, once)} one forward pass of the model ({once:.0f} ms; `predict` takes "
            f"{statistics.median(predict):.0f} ms), both {OPENINGS} times, alternately; {seen['places']} maps on the "
            "first screen",
            "≤ 2 ×",
            ms <= 2 * once,
        )
        predicted(view)
        view.settle()
        frame = call(notebook.page, "frameTime")
        seen = call(notebook.page, "scroll", seconds=10, perSecond=1600, frameTime=frame)
    shown = seen["frames"] + seen["dropped"]
    yield Row(
        *GALLERY_ROWS[1],
        f"{100 * seen['dropped'] / shown:.1f} %",
        f"{seen['dropped']} of {shown} in ten seconds over {seen['scrolled']:.0f} of {seen['most']:.0f} pixels, for "
        "the first time, while the kernel sends what comes on screen; of the places on screen "
        f"{100 * seen['placesEmpty'] / seen['placesSeen']:.1f} % were still empty",
        "≤ 5 %",
        seen["dropped"] <= 0.05 * shown,
    )


def choose(notebook: Notebook, view: LensView, index: int) -> None:
    """Open another layer, and wait until nothing is left to do for it."""
    notebook.python.run(f"lens.layer_path = lens.layers[{index}]")
    view.settle()
    predicted(view)
    # Then the kernel draws the picture that the notebook keeps.
    notebook.page.wait_for_timeout(1000 * (SETTLED_SECONDS + 1))


FORWARD = """
import statistics, time
batch = np.repeat(photograph(224, 224)[None, :, :, None], 3, -1)
def called():
    return np.asarray(model(batch, training=False))
def forward(work):
    times = []
    for _ in range(6):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times[1:])
"""
