"""Values and gradients of a function of tensors, on whichever back end Keras uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from convlens.layers.stateless_call import compiled

#: From tensors to differentiate by, and others, to a scalar and whatever else is wanted from the same run.
Function = Callable[..., "tuple[Any, Any]"]
Gradient = Callable[..., "tuple[Any, Any, list[Any]]"]


def value_and_gradient(function: Function) -> Gradient:
    """Return a function that computes a scalar, and its gradient with respect to the first argument.

    Parameters
    ----------
    function
        ``function(tensors, *others)`` returns ``(scalar, extra)``. `tensors` is a list of tensors; `others` and `extra`
        are tensors in lists and tuples. Everything that varies must be an argument: it is traced on TensorFlow and JAX.

    Returns
    -------
    callable
        From the same arguments to ``(scalar, extra, gradients)``, one gradient for each of `tensors`; zeros where the
        scalar does not depend on one.
    """
    import keras

    made = {"tensorflow": _in_tensorflow, "jax": _in_jax, "torch": _in_torch}.get(keras.backend.backend())
    if made is None:
        raise NotImplementedError(
            f"The Keras back end {keras.backend.backend()!r} computes no gradients. Set KERAS_BACKEND to tensorflow, "
            "jax or torch before Keras is imported."
        )
    return made(function)


def _in_tensorflow(function: Function) -> Gradient:
    import tensorflow as tf

    def run(tensors: Sequence[Any], *others: Any) -> tuple[Any, Any, list[Any]]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(tensors)
            value, extra = function(tensors, *others)
        found = tape.gradient(value, list(tensors), unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return value, extra, [tf.convert_to_tensor(gradient) for gradient in found]  # those of tf.gather are sparse

    traced = compiled(run)

    def call(*arguments: Any) -> tuple[Any, Any, list[Any]]:
        value, extra, gradients = traced(*arguments)
        return value, extra, list(gradients)

    return call


def _in_jax(function: Function) -> Gradient:
    import jax

    differentiated = jax.jit(jax.value_and_grad(function, has_aux=True))

    def call(*arguments: Any) -> tuple[Any, Any, list[Any]]:
        (value, extra), gradients = differentiated(*arguments)
        return value, extra, list(gradients)

    return call


def _in_torch(function: Function) -> Gradient:
    import keras
    import torch

    def call(tensors: Sequence[Any], *others: Any) -> tuple[Any, Any, list[Any]]:
        leaves = [keras.ops.convert_to_tensor(one).detach().clone().requires_grad_(True) for one in tensors]
        others = keras.tree.map_structure(keras.ops.convert_to_tensor, others)
        with torch.enable_grad():
            value, extra = function(leaves, *others)
            found = torch.autograd.grad(value, leaves, allow_unused=True)
        gradients = [torch.zeros_like(x) if g is None else g for x, g in zip(leaves, found, strict=True)]
        return value.detach(), keras.tree.map_structure(lambda one: one.detach(), extra), gradients

    return call
