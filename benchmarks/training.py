"""P12: the training callback's share of an epoch, at its default, with the lens on the page."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.session import Bench
from benchmarks.table import Row

ROWS = (
    ("P12", "training callback at its default: the digits example"),
    ("P12", "training callback at its default: three convolutions on 32×32 colour images"),
)

LENS = "from convlens import ConvLens\nlens = ConvLens(images[0], model=model, layer={layer!r})\nlens"
#: As in examples/digits-cnn.ipynb.
DIGITS = """
import keras
from sklearn.datasets import load_digits
images, labels = load_digits(return_X_y=True)
images = images.reshape(-1, 8, 8, 1).astype("float32") / 16
keras.utils.set_random_seed(1)
model = keras.Sequential([
    keras.Input((8, 8, 1)),
    keras.layers.Conv2D(6, 5, padding="same", activation="relu", name="strokes"),
    keras.layers.Flatten(),
    keras.layers.Dense(10, activation="softmax"),
])
epochs = 40
"""
#: Noise: what training takes does not depend on what is learnt.
COLOUR = """
import keras
rng = np.random.default_rng(1)
images, labels = rng.random((1500, 32, 32, 3), dtype="float32"), rng.integers(0, 10, 1500)
keras.utils.set_random_seed(1)
model = keras.Sequential([
    keras.Input((32, 32, 3)),
    keras.layers.Conv2D(32, 3, activation="relu", name="first"),
    keras.layers.MaxPooling2D(),
    keras.layers.Conv2D(64, 3, activation="relu", name="second"),
    keras.layers.MaxPooling2D(),
    keras.layers.Conv2D(64, 3, activation="relu", name="third"),
    keras.layers.GlobalAveragePooling2D(),
    keras.layers.Dense(10, activation="softmax"),
])
epochs = 12
"""
#: Every function that Keras calls during an epoch is timed from inside; `without` is the same training with no lens.
FIT = """
import statistics, time
model.compile("adam", "sparse_categorical_crossentropy")
class Epochs(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.times = []
    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()
    def on_epoch_end(self, epoch, logs=None):
        self.times.append(time.perf_counter() - self.start)
def timed(callback, taken):
    def wrap(work):
        def call(*arguments, **keywords):
            start = time.perf_counter()
            work(*arguments, **keywords)
            taken.append(time.perf_counter() - start)
        return call
    for name in ("on_epoch_begin", "on_epoch_end", "on_train_batch_begin", "on_train_batch_end"):
        setattr(callback, name, wrap(getattr(callback, name)))
    return callback
def train(*callbacks):
    model.fit(images, labels, epochs=epochs, verbose=0, callbacks=list(callbacks))
def share():
    train()  # traced
    without, epoch, taken = Epochs(), Epochs(), []
    train(without)
    train(timed(lens.callback(), taken), epoch)
    return {"taken": sum(taken), "total": sum(epoch.times), "epochs": len(epoch.times), "kept": len(lens.snapshots),
            "with": statistics.median(epoch.times) * 1000, "without": statistics.median(without.times) * 1000}
"""


def rows(bench: Bench) -> Iterator[Row]:
    """Train both networks in notebooks of their own."""
    for row, network, layer in zip(ROWS, (DIGITS, COLOUR), ("strokes", "second"), strict=True):
        with bench.notebook(network, LENS.format(layer=layer)) as notebook:
            notebook.page.locator(".convlens figure[data-provenance=keras]").first.wait_for()
            notebook.python.run(FIT)
            found = notebook.python.value("share()")
        part = found["taken"] / found["total"]
        yield Row(
            *row,
            f"{100 * part:.2f} %",
            f"{1000 * found['taken'] / found['epochs']:.2f} ms of each of {found['epochs']} epochs; their median is "
            f"{found['with']:.0f} ms, without the callback {found['without']:.0f} ms; {found['kept']} snapshots kept",
            "≤ 1 % of the epoch",
            part <= 0.01,
        )
