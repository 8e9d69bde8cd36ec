"""P6: the kernel's own time for one edit, from the message's arrival until the answer was handed over."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.session import Bench
from benchmarks.table import Row, fraction, multiple

ROWS = (("P6", "the kernel's time for one edit"),)

#: Rounds of each in turn, so that what slows the machine for a moment slows them alike.
WORK = """
import statistics, time
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
def as_the_tutorial():
    model.layers[0].set_weights([f1.reshape(4, 4, 1, 1), np.zeros(1)])
    model.predict(img.reshape(1, *img.shape, 1), verbose=0)

def timed(work):
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000

def medians(rounds=20, each=10):
    found = {work: [] for work in (one_edit, raw, as_the_tutorial)}
    for number in range(rounds + 1):
        for work, times in found.items():
            count = 1 if work is as_the_tutorial else each
            taken = [timed(work) for _ in range(count)]
            times += taken if number else []  # the first round warms up
    return [statistics.median(times) for times in found.values()]
"""


def rows(bench: Bench) -> Iterator[Row]:
    """Measure in the kernel itself, with the lens on the page."""
    with bench.lens() as (notebook, _):
        notebook.kernel.run(WORK)
        edit, raw, tutorial = notebook.kernel.value("medians()")
    yield Row(
        *ROWS[0],
        f"{edit:.2f} ms",
        f"{multiple(edit, raw)} traced `tf.nn.conv2d` of that filter ({raw:.2f} ms); {fraction(edit, tutorial)} of the "
        f"tutorial's `set_weights` and `predict` for that filter alone ({tutorial:.0f} ms; it does so for all four)",
        "≤ 1.5 ×, ≤ 1/50",
        edit <= 1.5 * raw and edit <= tutorial / 50,
    )
