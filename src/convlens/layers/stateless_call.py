"""Calling Keras layers with other weights than their own, leaving no trace."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

#: Held while an instance's attribute is shadowed: ``keras.StatelessScope`` is per thread, instances are not.
SHADOWING = threading.RLock()


@contextmanager
def shadowed(layer: keras.layers.Layer, name: str, replacement: Callable[..., Any]) -> Iterator[None]:
    """Let `layer` call `replacement` for its own function `name`, in this thread; past Keras's attribute tracking."""
    attributes = vars(layer)
    present, before = name in attributes, attributes.get(name)
    original, thread = getattr(layer, name), threading.get_ident()

    def choose(*args: Any, **kwargs: Any) -> Any:
        return (replacement if threading.get_ident() == thread else original)(*args, **kwargs)

    attributes[name] = choose
    try:
        yield
    finally:
        if present:
            attributes[name] = before
        else:
            del attributes[name]


@contextmanager
def unchanged(layers: Sequence[keras.layers.Layer]) -> Iterator[None]:
    """Put back what Keras notes on every layer that it calls: that it was called, where, and its losses."""
    before = [(vars(layer), {n: copy(vars(layer)[n]) for n in _NOTES if n in vars(layer)}) for layer in layers]
    try:
        yield
    finally:
        for attributes, notes in before:
            attributes.update(notes)


_NOTES = ("_called", "_parent_path", "_losses", "_loss_ids")


def without_gradients() -> AbstractContextManager[Any]:
    """Keep PyTorch from recording what a backward pass would need."""
    import keras

    if keras.backend.backend() == "torch":
        import torch

        context: AbstractContextManager[Any] = torch.no_grad()
        return context
    return nullcontext()


def uncompiled() -> AbstractContextManager[Any]:
    """Have PyTorch run the Python code behind every compiled function, and leave alone what was compiled of it."""
    import keras

    if keras.backend.backend() == "torch":
        import torch

        if hasattr(torch.compiler, "set_stance"):  # from 2.6 on
            context: AbstractContextManager[Any] = torch.compiler.set_stance("force_eager")
            return context
    return nullcontext()


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Trace a function of tensors where the back end can; everything that varies must be an argument.

    The arguments of the first call set the shapes and types of all others.
    """
    import keras

    if keras.backend.backend() == "tensorflow":
        return _concrete(function)
    if keras.backend.backend() == "jax":
        import jax

        quick: Callable[..., Any] = jax.jit(function)
        return quick
    return function


def _concrete(function: Callable[..., Any]) -> Callable[..., Any]:
    """Trace once by hand: a `tf.function` looks at the types at every call, and warns where lenses are many."""
    import tensorflow as tf

    traced: Callable[..., Any] | None = None

    def call(*arguments: Any) -> Any:
        nonlocal traced
        tensors = tf.nest.map_structure(tf.convert_to_tensor, arguments)
        if traced is None:
            specs = tf.nest.map_structure(lambda tensor: tf.TensorSpec(tensor.shape, tensor.dtype), tensors)
            traced = tf.function(function, autograph=False).get_concrete_function(*specs)
        return traced(*tensors)

    return call


def is_symbolic(tensor: Any) -> bool:
    """Whether a tensor stands for values that a trace will have, rather than having them."""
    import keras

    if isinstance(tensor, keras.KerasTensor):
        return True
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return bool(tf.is_symbolic_tensor(tensor))
    if keras.backend.backend() == "jax":
        import jax

        return isinstance(tensor, jax.core.Tracer)
    return False


def to_numpy(tensor: Any) -> np.ndarray:
    """Return a tensor of any floating type as float32, read-only, sharing memory where it can.

    ``keras.ops.convert_to_numpy`` copies, which for a map costs as much as the convolution.
    """
    import keras

    if keras.backend.standardize_dtype(tensor.dtype) != "float32":
        tensor = keras.ops.cast(tensor, "float32")
    if keras.backend.backend() == "torch":
        tensor = tensor.detach().cpu().numpy()
    return np.asarray(tensor)


def call_layer(layer: keras.layers.Layer, weights: Sequence[np.ndarray], x: Any) -> tuple[Any, Any]:
    """Call a layer of any class with other weights.

    Parameters
    ----------
    layer
        A built layer with an ``activation`` attribute.
    weights
        One array for each of ``layer.weights``.
    x
        The layer's input, a batch.

    Returns
    -------
    pre_activation, activation
        Tensors. The first is what the layer gave its activation function, or what it returned where it called none.
    """
    import keras

    taken: list[Any] = []
    activation = layer.activation

    def note(tensor: Any) -> Any:
        taken.append(tensor)
        return activation(tensor)

    noting = nullcontext() if activation is None else shadowed(layer, "activation", note)
    scope = keras.StatelessScope(list(zip(layer.weights, weights, strict=True)))
    with SHADOWING, unchanged(layer._flatten_layers()), noting, without_gradients(), scope:
        result = layer(x)
    return (taken[-1] if taken else result), result
