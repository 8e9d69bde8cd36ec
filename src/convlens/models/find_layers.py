"""Which convolution layers a model has, under which paths, and what the model takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from convlens._layer_kinds import geometry_of, kind_of
from convlens.layers import check_output

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Found:
    """One call of a convolution layer.

    Parameters
    ----------
    path
        Names of the blocks around the layer and its own, "block/conv"; a layer that is called again has "(use 2)" after
        it, one that shares its path with another layer "[2]".
    input_shape, output_shape
        ``(rows, cols, channels)``, whatever the data format.
    use
        1 for the layer's first call, 2 for its second...
    batch
        How many inputs it was called with at once. The first one is shown.
    """

    path: str
    layer: keras.layers.Layer
    class_name: str
    input_shape: tuple[int, int, int]
    output_shape: tuple[int, int, int]
    use: int
    batch: int


def expected_input(model: keras.Model) -> tuple[int | None, int | None, int | None]:
    """Return the ``(rows, cols, channels)`` that a model takes; None for each that it leaves open or does not say.

    Raises
    ------
    TypeError
        When `model` is not a Keras model.
    ValueError
        When it takes several inputs, or one that is not an image.
    """
    check_model(model)
    inputs = getattr(model, "inputs", None)
    known = bool(inputs)
    if inputs:
        if len(inputs) != 1:
            names = ", ".join(repr(tensor.name) for tensor in inputs)
            raise ValueError(
                f"Model {model.name!r} has {len(inputs)} inputs ({names}), but the lens feeds it one image. Wrap it in "
                "a model of one input that makes the others."
            )
        shape = tuple(inputs[0].shape)
    else:
        shape = tuple((model.get_build_config() or {}).get("input_shape") or (None,) * 4)
    if len(shape) != 4:
        raise ValueError(
            f"Model {model.name!r} takes an input of shape {shape}, which is not a batch of images "
            "(None, rows, cols, channels)."
        )
    rows, cols, channels = (shape[2], shape[3], shape[1]) if channels_first(paths_of(model)) else shape[1:]
    # A subclassed model remembers the size of its first input, which need not be the only one that it takes.
    return (rows, cols, channels) if known else (None, None, channels)


def check_model(model: Any) -> None:
    """Raise where `model` is not a Keras model, or not built."""
    import keras

    if not isinstance(model, keras.Model):
        raise TypeError(
            f"model is of type {type(model).__name__}; expected a keras.Model. One layer alone goes into layer=."
        )
    if not model.built:
        raise ValueError(
            f"Model {model.name!r} is not built, so its layers have no weights yet. Call it once on an image, such as "
            "model(np.zeros((1, rows, cols, channels))), or load its weights."
        )


def paths_of(model: keras.Model) -> list[tuple[Any, str]]:
    """Return the convolution layers, each with a path of its own."""
    found: list[tuple[Any, str]] = []
    seen: set[int] = {id(model)}
    taken: dict[str, int] = {}

    def visit(owner: Any, prefix: str) -> None:
        for layer in owner._layers:
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            path = f"{prefix}{layer.name}"
            if kind_of(layer) is None:
                visit(layer, f"{path}/")
                continue
            taken[path] = taken.get(path, 0) + 1
            found.append((layer, path if taken[path] == 1 else f"{path} [{taken[path]}]"))

    visit(model, "")
    return found


def channels_first(paths: Sequence[tuple[Any, str]]) -> bool:
    """Whether a model with these convolution layers eats ``(batch, channels, rows, cols)``."""
    return bool(paths) and all(layer.data_format == "channels_first" for layer, _ in paths)


def found_call(layer: keras.layers.Layer, path: str, inputs: Any, use: int) -> Found:
    """Describe a call of a convolution layer; a ``ValueError`` where its kernel does not fit into `inputs`."""
    batch, *shape = (int(n) for n in inputs.shape)
    rows, cols, channels = (*shape[1:], shape[0]) if layer.data_format == "channels_first" else shape
    geometry = geometry_of(layer, (rows, cols, channels), path)
    check_output(geometry)
    return Found(
        path=path if use == 1 else f"{path} (use {use})",
        layer=layer,
        class_name=type(layer).__name__,
        input_shape=(rows, cols, channels),
        output_shape=(*geometry.output_shape, geometry.filters),
        use=use,
        batch=batch,
    )
