"""Keras's list of weights taken apart into kernels and bias, and put together again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens._calls import to_numpy
from convlens._layer_kinds import kernel_name
from convlens.geometry import Geometry, Kind

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[np.float32]


def stored(variable: Any) -> np.ndarray:
    """Return a copy of a Keras variable's value, in the type that it is kept in."""
    # NumPy knows bfloat16 by name once Keras is imported.
    return to_numpy(variable.value).astype(np.dtype(variable.dtype))


def pack(
    layer: keras.layers.Layer,
    geometry: Geometry,
    kernels: Sequence[np.ndarray],
    bias: np.ndarray,
    pointwise: np.ndarray | None = None,
) -> list[np.ndarray]:
    """Return kernels and bias as the layer's ``get_weights()`` would: its list, order, shapes and types.

    Weights beyond those (a subclass's, or a pointwise kernel that is left out) keep the layer's own values.
    """
    new: dict[str, np.ndarray] = {
        kernel_name(layer): to_weight(geometry.kind, kernels, geometry.depth_multiplier),
        "bias": np.asarray(bias),
    }
    if pointwise is not None:
        new["pointwise_kernel"] = np.asarray(pointwise)[np.newaxis, np.newaxis]
    values = []
    for own in layer.weights:
        value = new[own.name] if own.name in new else stored(own)
        shape = tuple(own.shape)
        if value.shape != shape:
            raise ValueError(
                f"Layer {layer.name!r} keeps its {own.name} as {shape}, but what was given makes {value.shape}."
            )
        values.append(np.ascontiguousarray(value, dtype=np.dtype(own.dtype)))
    return values


def unpack(
    layer: keras.layers.Layer, geometry: Geometry, weights: Sequence[npt.ArrayLike] | np.ndarray
) -> tuple[tuple[Array, ...], Array]:
    """Return the kernels and bias that a list for the layer's ``set_weights`` holds; the layer stays as it is.

    Raises
    ------
    ValueError
        In Keras's own words, with the mend, when number or shapes do not fit.
    """
    import keras

    arrays = weights if isinstance(weights, np.ndarray) else [np.asarray(w) for w in weights]
    try:
        # Inside a scope Keras checks the list, but changes nothing.
        with keras.StatelessScope():
            layer.set_weights(arrays)
    except ValueError as error:
        expected = [tuple(int(n) for n in v.shape) for v in layer.weights]
        raise ValueError(f"{error} {_how_to_mend(geometry, arrays, expected)}") from None
    given = {v.name: array for v, array in zip(layer.weights, arrays, strict=True)}
    stack = to_kernels(geometry.kind, given[kernel_name(layer)])
    bias = given["bias"] if geometry.use_bias else np.zeros(geometry.filters)
    return tuple(read_only(kernel) for kernel in stack), read_only(bias)


def read_only(values: npt.ArrayLike) -> Array:
    """Return a float32 copy that cannot be written to."""
    array = np.array(values, dtype=np.float32, order="C")
    array.flags.writeable = False
    return array


def to_kernels(kind: Kind, weight: np.ndarray) -> np.ndarray:
    """Take a kernel variable apart.

    Parameters
    ----------
    weight
        conv ``(kh, kw, in, filters)``, transpose ``(kh, kw, filters, in)``, depthwise and separable
        ``(kh, kw, in, depth_multiplier)``.

    Returns
    -------
    numpy.ndarray
        ``(kernels, kh, kw, kernel_channels)`` in the order of the output channels.
    """
    if kind == "conv":
        return np.moveaxis(weight, 3, 0)
    if kind == "transpose":
        return np.moveaxis(weight, 2, 0)
    kh, kw, channels, multiplier = weight.shape
    return np.moveaxis(weight.reshape(kh, kw, channels * multiplier, 1), 2, 0)


def to_weight(kind: Kind, kernels: Sequence[np.ndarray], depth_multiplier: int = 1) -> np.ndarray:
    """Put kernels together in Keras's order: the inverse of `to_kernels`."""
    stack = np.stack(kernels)
    if kind == "conv":
        return np.moveaxis(stack, 0, 3)
    if kind == "transpose":
        return np.moveaxis(stack, 0, 2)
    kh, kw = stack.shape[1:3]
    return np.moveaxis(stack[..., 0], 0, 2).reshape(kh, kw, -1, depth_multiplier)


def _how_to_mend(geometry: Geometry, weights: Any, expected: Sequence[tuple[int, ...]]) -> str:
    """Say how a list of weights that does not fit is made to fit."""
    wanted = "[kernel, bias]" if geometry.use_bias else "[kernel]"
    if geometry.kind == "separable":
        wanted = wanted.replace("kernel", "depthwise_kernel, pointwise_kernel")
    shapes = ", ".join(str(shape) for shape in expected)
    if isinstance(weights, np.ndarray) or len(weights) != len(expected):
        bias = ""
        if geometry.use_bias and len(weights) == len(expected) - 1 and not isinstance(weights, np.ndarray):
            bias = f" A bias of zeros is np.zeros({geometry.filters})."
        return f"Pass the list {wanted}, of shapes {shapes}.{bias}"
    for given, shape in zip((np.shape(w) for w in weights), expected, strict=True):
        if given != shape:
            return _mend_kernel(geometry, given, shape) if len(shape) == 4 else _mend_bias(given, shape)
    return f"Expected {wanted}, of shapes {shapes}."


def _mend_bias(given: tuple[int, ...], shape: tuple[int, ...]) -> str:
    if np.prod(given) == shape[0] and given:
        return f"Reshape it: np.reshape(bias, {shape})."
    return f"The bias has one number for each of the {shape[0]} filters: shape {shape}."


def _mend_kernel(geometry: Geometry, given: tuple[int, ...], shape: tuple[int, ...]) -> str:
    if geometry.kind == "transpose":
        rows, cols, filters, channels = shape
        stack, flat_stack = "np.stack(kernels, axis=2)", "np.stack(kernels, axis=-1)[..., np.newaxis]"
    else:
        rows, cols, channels, filters = shape
        stack, flat_stack = "np.stack(kernels, axis=-1)", "np.stack(kernels, axis=-1)[:, :, np.newaxis, :]"
    if geometry.kind in ("conv", "transpose") and filters > 1:
        flat = channels == 1 and len(given) in (2, 3) and given[-2:] == (rows, cols)
        how = flat_stack if flat else stack
        if given == (filters, rows, cols, channels) or (flat and given == (filters, rows, cols)):
            return f"Put the filters on their own axis with {how}, as {shape}; np.reshape would scramble the numbers."
        if given == (rows, cols, channels) or (flat and len(given) == 2):
            return f"That is one kernel of {filters}. Stack as many as there are filters with {how}, as {shape}."
    if [n for n in given if n != 1] == [n for n in shape if n != 1]:
        return f"Reshape it: np.reshape(kernel, {shape})."
    if len(given) == 4 and sorted(given) == sorted(shape):
        return f"Move the axes into Keras's order {shape} with np.transpose; np.reshape would scramble the numbers."
    return f"This layer's kernel has the shape {shape}: rows, columns, {_axes(geometry)}."


def _axes(geometry: Geometry) -> str:
    if geometry.kind == "conv":
        return "input channels" + (" of a group" if geometry.groups > 1 else "") + ", filters"
    return "filters, input channels" if geometry.kind == "transpose" else "input channels, depth multiplier"
