"""A short text by which the weights of a model are recognised."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras


def fingerprint(model: keras.Model) -> str:
    """Return the SHA-256 of a model's weights as float32, with their names and shapes."""
    import keras

    digest = hashlib.sha256()
    for variable in model.weights:
        value = np.ascontiguousarray(keras.ops.convert_to_numpy(keras.ops.cast(variable.value, "float32")))
        digest.update(repr((variable.name, value.shape)).encode())
        digest.update(value.tobytes())
    return digest.hexdigest()
