"""P6: the kernel's own time for one edit, from the message's arrival until the answer is passed on."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.session import Bench
from benchmarks.table import Row, fraction, multiple

ROWS = (
    ("P6", "the kernel's time for one edit"),
    ("P6", "what checking whether the weights are still the model's adds to an edit in a model's first layer"),
    ("P6", "the same in the 40th layer of ResNet50, on an image of 224×224"),
)

#: Alternately, so that what slows the machine for a moment slows all of them, and with pauses, so that the page does
#: not draw what it is sent on the processors on which the next one is timed.
WORK = """
import statistics, time
import matplotlib.pyplot as plt
import tensorflow as tf
import keras

step = 0
def one_edit():
    global step
    step += 1
    lens._handle_custom_msg({
        "type": "edit", "client": "bench", "seq": step, "gesture": f"bench-{step}",
        "edits": [{"uid": lens._state["order"][0], "taps": {"index": [0], "value": [step / 1000]}}],
    }, [])

raw_conv = tf.function(lambda x, k: tf.nn.conv2d(x, k, 1, "VALID"))
batch, one = tf.constant(img.reshape(1, *img.shape, 1)), tf.constant(f1.reshape(4, 4, 1, 1))
def raw():
    raw_conv(batch, one).numpy()

model = keras.Sequential([keras.Input((*img.shape, 1)), keras.layers.Conv2D(1, (4, 4), activation="relu")])
def predict(kernel):
    model.layers[0].set_weights([kernel.reshape(4, 4, 1, 1), np.zeros(1)])
    return model.predict(img.reshape(1, *img.shape, 1), verbose=0)[0, :, :, 0]
def one_prediction():
    predict(f1)
def redraw():
    figure, axes = plt.subplots(1, 4, figsize=(20, 20))
    for ax, kernel in zip(axes, filters):
        ax.imshow(predict(kernel), cmap="gray")
    figure.canvas.draw()
    plt.close(figure)

def timed(work):
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000

def medians():
    found = {one_edit: [], raw: [], one_prediction: [], redraw: []}
    for number in range(50):
        for work, times in found.items():
            if work in (one_edit, raw) or number < 10:
                times.append(timed(work))
                time.sleep(0.1)  # the pace at which they are compared: enough for the page to draw what it was sent
    return [statistics.median(times[2:]) for times in found.values()]  # the first ones warm up
"""

#: What the check adds to an edit of a layer of a small model, and of one deep in a model of 320 weights: edits with it
#: and without it, alternately, since the first operation of TensorFlow after a pause is slow, whichever it is.
LOOK = """
import statistics, time
import keras
from convlens.state.model_source import InModel

small = keras.Sequential([
    keras.Input((*img.shape, 1)), keras.layers.Conv2D(4, 4, activation="relu"), keras.layers.GlobalAveragePooling2D(),
    keras.layers.Dense(10),
])
in_small = ConvLens(img, model=small)
network = keras.applications.ResNet50(weights=None, input_shape=(224, 224, 3))
convolutions = [one.name for one in network.layers if isinstance(one, keras.layers.Conv2D)]
in_network = ConvLens(np.random.default_rng(0).random((224, 224, 3)), model=network, layer=convolutions[39])
in_small.activations, in_network.activations

look = InModel.outdated
def no_look(self, thorough):
    return False

def with_and_without(deep):
    found = {look: [], no_look: []}
    for number in range(600):
        InModel.outdated = (look, no_look)[number % 2]
        start = time.perf_counter()
        deep._handle_custom_msg({
            "type": "edit", "client": "bench", "seq": number + 1, "gesture": f"bench-{number}",
            "edits": [{"uid": deep._state["order"][0], "taps": {"index": [0], "value": [number / 1000]}}],
        }, [])
        found[InModel.outdated].append((time.perf_counter() - start) * 1000)
        time.sleep(0.05)  # the pace of a hand: the page draws what it was sent
    InModel.outdated = look
    pairs = list(zip(*(times[5:] for times in found.values())))
    return statistics.median(a for a, _ in pairs), statistics.median(a - b for a, b in pairs), len(pairs)
"""


def rows(bench: Bench) -> Iterator[Row]:
    """Measure in the kernel itself, with the lens on the page."""
    with bench.lens() as (notebook, _):
        notebook.python.run(WORK)
        edit, raw, prediction, redraw = notebook.python.value("medians()")
        notebook.python.run(LOOK)
        pairs = [notebook.python.value(f"with_and_without({lens})") for lens in ("in_small", "in_network")]
    yield Row(
        *ROWS[0],
        f"{edit:.2f} ms",
        f"{multiple(edit, raw)} traced `tf.nn.conv2d` of that filter ({raw:.2f} ms); {fraction(edit, redraw)} of the "
        f"tutorial's redraw ({redraw:.0f} ms), {fraction(edit, prediction)} of its `set_weights` and `predict` for "
        f"that filter alone ({prediction:.0f} ms)",
        "≤ 1.3 ×, ≤ 1/50 of the redraw",
        edit <= 1.3 * raw and edit <= redraw / 50,
    )
    for row, (edit, added, count) in zip(ROWS[1:], pairs, strict=True):
        yield Row(
            *row,
            f"{added:.2f} ms",
            f"{100 * added / edit:.1f} % of the edit ({edit:.2f} ms); median of {count} pairs, with and without it",
            "≤ 5 %",
            added <= 0.05 * edit,
        )
