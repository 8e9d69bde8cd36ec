"""P19: predictions before and after an edit, in one layer of a model and then in another."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.session import Bench
from benchmarks.table import Row, multiple

ROWS = (("P19", "a second layer's first prediction in MobileNetV2"),)

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


def rows(bench: Bench) -> Iterator[Row]:
    """Measure in the kernel, with no lens on the page that would ask for predictions of its own."""
    with bench.notebook() as notebook:
        notebook.python.run(WORK)
        found = notebook.python.value("predictions()")
    yield Row(
        *ROWS[0],
        f"{found['first']:.0f} ms",
        f"{multiple(found['first'], found['later'])} its later ones ({found['later']:.0f} ms); the first layer's, "
        f"which traces the model, takes {found['first_layer']:.0f} ms; the model's Python code ran {found['runs'][0]} "
        f"times for the first layer and {found['runs'][1]} times for the second",
        "≤ 2 ×, one trace a model",
        found["first"] <= 2 * found["later"] and found["runs"] == [1, 0],
    )
