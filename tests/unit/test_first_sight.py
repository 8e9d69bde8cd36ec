"""Where Keras is not yet imported, a lens is there at once: nothing heavy comes before it, and Keras's maps follow."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.deadlines import SECONDS
from tests.waiting_import import KERAS_WAITS

pytestmark = pytest.mark.slow

#: `import keras` waits at `gate`, and fails when `text` says so; every import of it is in a thread of the lens's.
WAIT = f"""
import threading
gate, text, waits = threading.Event(), "", threading.Event()
def wait():
    waits.set()
    gate.wait()
    return text
{KERAS_WAITS.format(wait="wait()")}
import numpy as np
from convlens import ConvLens
image = np.random.default_rng(0).random((12, 14), dtype=np.float32)
"""

HEAVY = "heavy = {'keras.layers', 'tensorflow', 'jax', 'torch', 'matplotlib', 'PIL', 'scipy'}"


def run(script: str) -> None:
    done = subprocess.run([sys.executable, "-c", WAIT + script], capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kernels", ["", ", [np.eye(3), np.ones((3, 3))]"], ids=["the tutorial's", "one's own"])
def test_before_keras_is_imported_kernels_and_image_are_ready_to_be_shown_and_nothing_heavy_is_imported(
    kernels: str,
) -> None:
    run(f"""
lens = ConvLens(image{kernels})
lens._repr_mimebundle_()
state = lens.get_state()
assert waits.wait({SECONDS})
{HEAVY}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
assert state["_status"]["keras"] == "loading"
assert state["_image"]["data"] and all(record["kernel"] for record in state["_filters"]["filters"])
assert [record["map"] for record in state["_filters"]["filters"]] == [None] * len(lens.kernels)
another = ConvLens(image)  # does not wait for the import that the first one began
threading.Timer(0.2, gate.set).start()
assert lens.activations.shape[0] == len(lens.kernels)
assert lens.get_state()["_status"]["keras"] == "ready"
assert all(record["map"] for record in lens.get_state()["_filters"]["filters"])
""")


def test_a_keras_that_cannot_be_imported_is_told_by_the_widget_and_raised_in_python() -> None:
    run("""
lens = ConvLens(image)
text = "no back end for this machine"
gate.set()
try:
    lens.activations
except RuntimeError as error:
    assert "no back end for this machine" in str(error) and isinstance(error.__cause__, ImportError)
else:
    raise AssertionError("nothing was raised")
lens.set_kernel(0, np.ones((4, 4)))
assert lens.kernels[0][0, 0] == 1
lens._session.engine._thread.join()
assert lens._status["keras"] == "failed" and "no back end for this machine" in lens._status["detail"]
""")
