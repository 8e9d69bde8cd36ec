"""Which activation maps are in what a layer returned, when its settings do not tell."""

from __future__ import annotations

from typing import Any, NamedTuple

from convlens.maths.geometry import Geometry, Pair


class ReturnedMaps(NamedTuple):
    """A filter's maps before and after the activation function, as far as a layer has one of each for every filter.

    Parameters
    ----------
    pre_activation, activation
        Tensors of one shape, ``(1, rows, cols, filters)`` or in the layer's data format; one tensor where there is only
        one for each filter.
    size
        Their rows and columns.
    note
        What the lens cannot show or do because of it, in sentences; "" where there is nothing.
    """

    pre_activation: Any
    activation: Any
    size: Pair
    note: str


def find_maps(pre_activation: Any, returned: Any, geometry: Geometry) -> ReturnedMaps:
    """Find the maps of each filter.

    Parameters
    ----------
    pre_activation
        What the layer gave its activation function, or what it returned where it called none.
    returned
        What it returned: a tensor, or tensors in a tuple, list or dictionary.
    geometry
        Its settings, for the input that it was called with.

    Raises
    ------
    ValueError
        When there is no map for each filter in either.
    """
    import keras

    layer = f"Layer {geometry.name!r} ({geometry.class_name})"
    tensors = keras.tree.flatten(returned)
    after = [tensor for tensor in tensors if _filters(tensor, geometry) == geometry.filters]
    before = [tensor for tensor in keras.tree.flatten(pre_activation) if _filters(tensor, geometry) == geometry.filters]
    notes = []
    if after:
        activation = after[0]
        if len(tensors) > 1:
            position = next(at for at, tensor in enumerate(tensors) if tensor is activation)
            notes.append(f"{layer} returns {len(tensors)} values, of which number {position + 1} is shown.")
        same = bool(before) and tuple(before[0].shape) == tuple(activation.shape)
        if before and not same:
            notes.append(
                f"{layer} passes maps of {_size(before[0], geometry)} to its activation function, but returns maps of "
                f"{_size(activation, geometry)} (rows, cols): only the latter are shown."
            )
        pre = before[0] if same else activation
    elif before:
        pre = activation = before[0]
        shapes = " and ".join(str(tuple(getattr(tensor, "shape", ()))) for tensor in tensors)
        notes.append(
            f"{layer} returns {shapes}, which is not one map for each of its {geometry.filters} filters: its "
            f"activation function, {geometry.activation}, combines filters or makes several maps from one. The "
            "maps before it are shown."
        )
    else:
        shapes = " and ".join(str(tuple(getattr(tensor, "shape", ()))) for tensor in tensors)
        raise ValueError(
            f"{layer} returns {shapes}, which is not one map for each of its {geometry.filters} filters, so the lens "
            "cannot show it. Open the layer that computes its maps, or one that returns "
            f"{'(1, filters, rows, cols)' if _channels_first(geometry) else '(1, rows, cols, filters)'}."
        )
    size = _size(activation, geometry)
    if size != geometry.output_shape:
        rows, cols = geometry.output_shape
        notes.append(
            f"{layer} returns maps of {size[0]} × {size[1]}, where its settings give {rows} × {cols}: it runs code "
            "of its own, so it is not known which part of its input a pixel depends on. Pixels cannot be explained."
        )
    return ReturnedMaps(pre, activation, size, " ".join(notes))


def _filters(tensor: Any, geometry: Geometry) -> int | None:
    shape = getattr(tensor, "shape", None)
    if shape is None or len(shape) != 4:
        return None
    return int(shape[1 if _channels_first(geometry) else 3])


def _size(tensor: Any, geometry: Geometry) -> Pair:
    rows, cols = tensor.shape[2:] if _channels_first(geometry) else tensor.shape[1:3]
    return (int(rows), int(cols))


def _channels_first(geometry: Geometry) -> bool:
    return geometry.data_format == "channels_first"
