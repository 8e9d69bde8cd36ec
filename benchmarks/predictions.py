"""P19: predictions before and after an edit, in one layer of a model and then in another, and in a very large one."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.session import Bench
from benchmarks.table import Row, multiple

ROWS = (
    ("P19", "a second layer's first prediction in MobileNetV2"),
    ("P19", "opening a convolution of 7×7×512→4096 (411 MB)"),
    ("P19", "its predictions after an edit"),
    ("P19", "its `get_weights()`"),
)

#: A layer at the model's end counts how often Python runs the model: each time, or only while it is traced.
WORK = """
import statistics, time
import keras
from convlens import ConvLens

class Counting(keras.layers.Layer):
    runs = 0

    def call(self, x):
        Counting.runs += 1
        return x

network = keras.applications.MobileNetV2(weights=None, input_shape=(96, 96, 3))
model = keras.Model(network.input, Counting()(network.output))
lens = ConvLens(photograph(96, 96), model=model)

def one_prediction():
    lens.set_kernel(0, np.asarray(lens.kernels[0]) + 0.01)
    runs, start = Counting.runs, time.perf_counter()
    _ = lens.predictions
    return 1000 * (time.perf_counter() - start), Counting.runs - runs

def predictions():
    found = []
    for path in (lens.layers[0], lens.layers[-1]):
        lens.layer_path = path
        found.append([one_prediction() for _ in range(10)])
    return {
        "first_layer": found[0][0][0],
        "first": found[1][0][0],
        "later": statistics.median(ms for ms, _ in found[1][1:]),
        "runs": [sum(runs for _, runs in layer) for layer in found],
    }
"""

#: The layer as VGG16 has it where its first dense layer is a convolution. What is compared runs in turn with it.
LARGE = """
import gc, resource
import tensorflow as tf

model = keras.Sequential([
    keras.Input((28, 28, 3)),
    keras.layers.Conv2D(512, 3, strides=4, padding="same", activation="relu"),
    keras.layers.Conv2D(4096, 7, activation="relu", name="large"),
    keras.layers.Flatten(),
    keras.layers.Dense(10),
])
large = model.get_layer("large")
image = np.repeat(photograph(28, 28)[..., np.newaxis], 3, axis=2)
x = tf.constant(image[np.newaxis])
forward = tf.function(lambda x: model(x, training=False))
forward(x)

def timed(function):
    gc.collect()
    start = time.perf_counter()
    result = function()
    return 1000 * (time.perf_counter() - start), result

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6

def openings():
    read, opened = [], []
    for _ in range(7):
        read.append(timed(large.get_weights)[0])
        ms, lens = timed(lambda: ConvLens(image, model=model, layer="large"))
        opened.append(ms)
        lens.close()
        del lens
    return statistics.median(read), statistics.median(opened)

def large_layer():
    read, opened = openings()
    gc.collect()
    begin = resident()
    lens = ConvLens(image, model=model, layer="large")
    held = resident() - begin
    _ = lens.predictions
    runs, plain, own, weights = [], [], [], []
    for turn in range(12):
        lens.set_kernel(5, np.asarray(lens.kernels[5]) + 0.01)
        plain.append(timed(lambda: forward(x).numpy())[0])
        runs.append(timed(lambda: lens.predictions)[0])
    edited = resident() - begin
    for _ in range(7):
        own.append(timed(large.get_weights)[0])
        weights.append(timed(lens.get_weights)[0])
    return {
        "read": read, "open": opened, "held": held, "edited": edited,
        "first": runs[0], "runs": statistics.median(runs[1:]), "plain": statistics.median(plain[1:]),
        "own": statistics.median(own), "weights": statistics.median(weights),
    }
"""


def rows(bench: Bench) -> Iterator[Row]:
    """Measure in the kernel, with no lens on the page that would ask for predictions of its own."""
    with bench.notebook() as notebook:
        notebook.python.run(WORK)
        found = notebook.python.value("predictions()")
        notebook.python.run(LARGE)
        large = notebook.python.value("large_layer()")
    yield Row(
        *ROWS[0],
        f"{found['first']:.0f} ms",
        f"{multiple(found['first'], found['later'])} its later ones ({found['later']:.0f} ms); the first layer's, "
        f"which traces the model, takes {found['first_layer']:.0f} ms; the model's Python code ran {found['runs'][0]} "
        f"times for the first layer and {found['runs'][1]} times for the second",
        "≤ 2 ×, one trace a model",
        found["first"] <= 2 * found["later"] and found["runs"] == [1, 0],
    )
    yield Row(
        *ROWS[1],
        f"{large['open']:.0f} ms",
        f"{multiple(large['open'], large['read'])} the layer's own `get_weights()` ({large['read']:.0f} ms), medians "
        f"of 7 in turn; the lens holds {large['held']:.0f} MB more than there was",
        "≤ 3 ×",
        large["open"] <= 3 * large["read"],
    )
    yield Row(
        *ROWS[2],
        f"{large['runs']:.0f} ms",
        f"{multiple(large['runs'], large['plain'])} a plain traced forward run of the model ({large['plain']:.0f} ms), "
        f"medians of 11 in turn, each after another edit; the first, which traces the model and copies the kernel, "
        f"takes {large['first']:.0f} ms; the lens then holds {large['edited']:.0f} MB",
        "≤ 3 ×",
        large["runs"] <= 3 * large["plain"],
    )
    yield Row(
        *ROWS[3],
        f"{large['weights']:.0f} ms",
        f"{multiple(large['weights'], large['own'])} Keras's own ({large['own']:.0f} ms), medians of 7 in turn",
        "≤ 2 ×",
        large["weights"] <= 2 * large["own"],
    )
