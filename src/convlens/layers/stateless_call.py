"""Calling Keras layers with weights other than their own, without changing them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from convlens.layers.keras_internals import (
    CLEAR_LOSSES,
    NAME_SCOPE,
    call_notes,
    instance_attributes,
    layers_within,
    merges,
    regarded_as_built,
    replaced,
)

if TYPE_CHECKING:
    import keras

#: Held for every run of a layer or model of the user's. ``keras.StatelessScope`` is per thread, but what a run shadows
#: on their layers and PyTorch's compiler stance are not, and two runs that overlap would put back each other's.
RUNNING = threading.RLock()


@contextmanager
def shadowed(layer: keras.layers.Layer, name: str, replacement: Callable[..., Any]) -> Iterator[None]:
    """Let `layer` call `replacement` for its own function `name`, in this thread; past Keras's attribute tracking."""
    original, thread = getattr(layer, name), threading.get_ident()

    def choose(*args: Any, **kwargs: Any) -> Any:
        return (replacement if threading.get_ident() == thread else original)(*args, **kwargs)

    put_back = replaced(layer, name, choose)
    try:
        yield
    finally:
        put_back()


@contextmanager
def unchanged(layers: Sequence[keras.layers.Layer]) -> Iterator[None]:
    """Let this thread call `layers` without leaving a trace in them; what other threads do to them meanwhile stays.

    Keras notes on a layer that it was called, and where. A call from outside, moreover, clears its list of losses, and
    the training of another thread may be about to add them up.
    """
    if not layers:
        yield
        return
    unbuilt = [layer for layer in layers if not layer.built and merges(layer)]
    with RUNNING, regarded_as_built(layers), ExitStack() as stack:
        for layer in unbuilt:
            stack.enter_context(shadowed(layer, "call", _by_another(layer)))
        for layer in layers:
            if hasattr(layer, CLEAR_LOSSES):
                stack.enter_context(shadowed(layer, CLEAR_LOSSES, _keep_losses))
            if not all(call_notes(layer).values()):
                stack.enter_context(_first_call_undone(layer))
        yield


def _by_another(layer: keras.layers.Layer) -> Callable[..., Any]:
    """Return the ``call`` of a layer that merges tensors, made by another one like it: it is not built itself."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return type(layer).from_config(layer.get_config())(*args, **kwargs)

    return call


def _keep_losses() -> None:
    """Keep the list of losses: inside a ``keras.StatelessScope`` no loss is added to it either."""


@contextmanager
def _first_call_undone(layer: keras.layers.Layer) -> Iterator[None]:
    """Put back the notes of a first call, unless another thread calls the layer as well."""
    notes, called_elsewhere = call_notes(layer), False
    original, thread = getattr(layer, NAME_SCOPE), threading.get_ident()

    def open_name_scope() -> Any:
        nonlocal called_elsewhere
        called_elsewhere = called_elsewhere or threading.get_ident() != thread
        return original()

    put_back = replaced(layer, NAME_SCOPE, open_name_scope)
    try:
        yield
    finally:
        put_back()
        if not called_elsewhere:
            instance_attributes(layer).update(notes)


def without_gradients() -> AbstractContextManager[Any]:
    """Keep PyTorch from recording what a backward pass would need."""
    import keras

    if keras.backend.backend() == "torch":
        import torch

        context: AbstractContextManager[Any] = torch.no_grad()
        return context
    return nullcontext()


@contextmanager
def uncompiled() -> Iterator[None]:
    """Have PyTorch run the Python code of every compiled function, and keep its compiled code unchanged."""
    import keras

    if keras.backend.backend() != "torch":
        yield
        return
    import torch

    if not hasattr(torch.compiler, "set_stance"):  # from 2.6 on
        yield
        return
    # The stance is the process's: of two runs that overlap, the first to end would end it for the other, and the last
    # would leave it behind.
    with RUNNING, torch.compiler.set_stance("force_eager"):
        yield


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
    """Trace once explicitly: a `tf.function` checks the types at every call, and warns when there are many lenses."""
    import tensorflow as tf

    traced: Callable[..., Any] | None = None

    # A third of what `tf.nest.map_structure` takes, which is noticeable in every edit.
    def as_tensors(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return type(value)(map(as_tensors, value))
        return value if isinstance(value, tf.Tensor) else tf.convert_to_tensor(value)

    def call(*arguments: Any) -> Any:
        nonlocal traced
        tensors = as_tensors(arguments)
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


def call_layer(
    layer: keras.layers.Layer, weights: Sequence[np.ndarray], x: Any, *args: Any, **kwargs: Any
) -> tuple[Any, Any]:
    """Call a layer of any class with other weights.

    Parameters
    ----------
    layer
        A built layer with an ``activation`` attribute.
    weights
        One array for each of ``layer.weights``.
    x
        The layer's input, a batch.
    args, kwargs
        What else it is called with.

    Returns
    -------
    pre_activation, activation
        Tensors. The first is what the layer gave its activation function, or what it returned where it called none.
    """
    import keras

    taken: list[Any] = []
    with unchanged(layers_within(layer)):
        activation = layer.activation

        def note(tensor: Any) -> Any:
            taken.append(tensor)
            return activation(tensor)

        noting = nullcontext() if activation is None else shadowed(layer, "activation", note)
        with noting, without_gradients(), keras.StatelessScope(list(zip(layer.weights, weights, strict=True))):
            result = layer(x, *args, **kwargs)
    return (taken[-1] if taken else result), result
