"""What all tests share: settings of their own for Keras and Matplotlib, markers, and the size of sweeps."""

from __future__ import annotations

import os
import sys
import tempfile
import zlib
from typing import Any

import pytest
from hypothesis import settings

from tests.environments import markers_of
from tests.sweep_size import SIZE, sweep

# Read by the libraries when they are imported, in this process and in those that tests start.
os.environ["KERAS_HOME"] = tempfile.mkdtemp(prefix="keras-")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ["MPLBACKEND"] = "agg"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
if os.environ["KERAS_BACKEND"] == "jax":
    # XLA compiles every layer that a test makes, to run it once or twice: optimising costs more than it saves.
    os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
# Otherwise on only where the processor has AVX-512; TensorFlow runs no dilated Conv2DTranspose on a CPU without it.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

# A busy machine is no reason to fail, and what a run finds the next one must find again.
settings.register_profile(SIZE, max_examples=sweep(100), deadline=None, derandomize=True, database=None)
settings.load_profile(SIZE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests by what they depend on."""
    for item in items:
        for marker in markers_of(item.nodeid):
            item.add_marker(marker)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start each test, fixtures included, from its file's own random numbers: what a run finds the next finds again."""
    keras: Any = sys.modules.get("keras")
    if hasattr(keras, "utils"):
        keras.utils.set_random_seed(zlib.crc32(item.path.name.encode()))
