"""Keras's list of weights, split into kernels and bias, and joined again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.layers.kinds import kind_of_geometry
from convlens.layers.reordered import filter_by_filter
from convlens.layers.stateless_call import to_numpy
from convlens.maths.geometry import Geometry

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
    *,
    whole: Any = None,
) -> list[Any]:
    """Return kernels and bias as the layer's ``get_weights()`` would: its list, order, shapes and types.

    Weights beyond those (a subclass's, or a pointwise kernel that is left out) keep the layer's own values. `whole` is
    the first of them, where there is a tensor of it already; it is returned as it is.
    """
    kind = kind_of_geometry(geometry)
    new: dict[str, np.ndarray] = {"bias": np.asarray(bias)}
    if whole is None:
        new[kind.kernel_name] = kind.to_weight(kernels, geometry.depth_multiplier)
    if pointwise is not None:
        new["pointwise_kernel"] = kind.to_pointwise(np.asarray(pointwise))
    values: list[Any] = []
    for own in layer.weights:
        if whole is not None and own.name == kind.kernel_name:
            values.append(whole)
            continue
        value = new[own.name] if own.name in new else stored(own)
        shape = tuple(own.shape)
        if value.shape != shape:
            raise ValueError(
                f"Layer {layer.name!r} stores its {own.name} as {shape}, but the given weights make it {value.shape}."
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
    return _apart(layer, geometry, arrays)


def read(layer: keras.layers.Layer, geometry: Geometry) -> tuple[tuple[Array, ...], Array]:
    """Return the kernels and bias that a layer has, copied once."""
    return _apart(layer, geometry, [to_numpy(variable.value) for variable in layer.weights], read=True)


def _apart(
    layer: keras.layers.Layer, geometry: Geometry, arrays: Sequence[np.ndarray] | np.ndarray, *, read: bool = False
) -> tuple[tuple[Array, ...], Array]:
    """Take weights apart; where they were `read` for this alone, one that owns its memory is a copy already."""
    given = {v.name: array for v, array in zip(layer.weights, arrays, strict=True)}
    kind = kind_of_geometry(geometry)
    kernel = given[kind.kernel_name]
    owned = read and kernel.flags.owndata and kernel.flags.writeable
    stack = filter_by_filter(kind.to_kernels(kernel), owned=owned)
    bias = given["bias"] if geometry.use_bias else np.zeros(geometry.filters)
    return tuple(stack), read_only(bias)


def read_only(values: npt.ArrayLike) -> Array:
    """Return a float32 copy that cannot be written to."""
    array = np.array(values, dtype=np.float32, order="C")
    array.flags.writeable = False
    return array


def _how_to_mend(geometry: Geometry, weights: Any, expected: Sequence[tuple[int, ...]]) -> str:
    """Return how to make a list of weights fit."""
    wanted = f"[{', '.join(kind_of_geometry(geometry).weight_names(geometry.use_bias))}]"
    shapes = ", ".join(str(shape) for shape in expected)
    if isinstance(weights, np.ndarray) or len(weights) != len(expected):
        bias = ""
        if geometry.use_bias and len(weights) == len(expected) - 1 and not isinstance(weights, np.ndarray):
            bias = f" A bias of zeros is np.zeros({geometry.filters})."
        return f"Pass the list {wanted}, of shapes {shapes}.{bias}"
    for given, shape in zip((np.shape(w) for w in weights), expected, strict=True):
        if given != shape:
            return _mend_kernel(geometry, given, shape) if len(shape) > 1 else _mend_bias(given, shape)
    return f"Expected {wanted}, of shapes {shapes}."


def _mend_bias(given: tuple[int, ...], shape: tuple[int, ...]) -> str:
    if np.prod(given) == shape[0] and given:
        return f"Reshape it: np.reshape(bias, {shape})."
    return f"The bias has one number for each of the {shape[0]} filters: shape {shape}."


def _mend_kernel(geometry: Geometry, given: tuple[int, ...], shape: tuple[int, ...]) -> str:
    kind = kind_of_geometry(geometry)
    if how := kind.mend_kernel(given, shape):
        return how
    if [n for n in given if n != 1] == [n for n in shape if n != 1]:
        return f"Reshape it: np.reshape(kernel, {shape})."
    if len(given) == len(shape) and sorted(given) == sorted(shape):
        return f"Move the axes into Keras's order {shape} with np.transpose; np.reshape would scramble the numbers."
    groups = f" The input channels are those of one of its {geometry.groups} groups." if geometry.groups > 1 else ""
    return f"This layer's kernel has the shape {shape}: {kind.axes_in_words}, {kind.kernel_axes}.{groups}"
