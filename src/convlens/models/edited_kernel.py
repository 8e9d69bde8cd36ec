"""A huge kernel with the edits of some filters, kept as a tensor from one prediction to the next."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from convlens.layers.reordered import in_keras_order


class EditedKernel:
    """The kernels of one layer as Keras keeps them, of which only those are written that changed since the last time.

    To copy 400 MB for each prediction would take longer than the prediction. The tensors of the predictions that run
    are no longer written to: TensorFlow copies a variable's value before it writes, where something still refers to it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._variable: Any = None
        self._path = ""
        self._held: tuple[np.ndarray, ...] = ()

    def tensor(self, path: str, own: Any, kernels: Sequence[np.ndarray]) -> Any:
        """Return the tensor, or None where kernels are few or not kept in Keras's order, or by another back end.

        Parameters
        ----------
        path
            Of the layer: the tensor of another one is released.
        own
            The layer's variable.
        kernels
            All of them, ``(kh, kw, channels)`` each.
        """
        import keras

        found = in_keras_order(kernels)
        shape = (*kernels[0].shape, len(kernels))
        fits = keras.backend.backend() == "tensorflow" and own.dtype == "float32" and tuple(own.shape) == shape
        with self._lock:
            if found is None or not fits:
                self._variable, self._held = None, ()
                return None
            import tensorflow as tf

            whole, changed = found
            if path == self._path and len(self._held) == len(kernels):
                changed = [i for i, pair in enumerate(zip(kernels, self._held, strict=True)) if pair[0] is not pair[1]]
            else:
                self._variable = None  # its memory is free for the next
                # Of a tensor TensorFlow makes a variable without a copy, of an array it makes one slowly.
                value = tf.raw_ops.ReadVariableOp(resource=own.value.handle, dtype=tf.float32)
                same = all(map(np.array_equal, np.asarray(value), whole))
                self._variable = tf.Variable(value if same else whole, trainable=False)
            for index in changed:
                _write(self._variable, index, np.ascontiguousarray(kernels[index]))
            self._path, self._held = path, tuple(kernels)
            return tf.raw_ops.ReadVariableOp(resource=self._variable.handle, dtype=tf.float32)


def _write(variable: Any, index: int, kernel: np.ndarray) -> None:
    """Set ``variable[..., index]`` in place: TensorFlow's own way of writing that reads the whole variable first."""
    import tensorflow as tf

    tf.raw_ops.ResourceStridedSliceAssign(
        ref=variable.handle,
        begin=[0, 0, 0, index],
        end=[0, 0, 0, index + 1],
        strides=[1, 1, 1, 1],
        value=kernel,
        begin_mask=0b0111,
        end_mask=0b0111,
        shrink_axis_mask=0b1000,
    )
