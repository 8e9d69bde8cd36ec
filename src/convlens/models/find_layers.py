"""Which convolution layers a model has, and under which paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from convlens.layers.conv_layer import check_output
from convlens.layers.keras_internals import layers_within, sublayers
from convlens.layers.layer_kinds import class_names, geometry_of, kind_of

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class FoundCall:
    """One call of a convolution layer.

    Parameters
    ----------
    path
        Names of the blocks around the layer and its own, "block/conv"; a layer that is called again has "(use 2)" after
        it, one that shares its path with another layer "[2]".
    input_shape, output_shape
        ``(rows, cols, channels)``, whatever the data format; for a layer over signals ``(1, steps, channels)``.
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

    @property
    def rank(self) -> int:
        """Axes that the layer convolves along: 1 for a signal, 2 for a picture."""
        return rank_of(self.layer)


def rank_of(layer: keras.layers.Layer) -> int:
    """Return the axes that a layer convolves along: 1 for a signal, 2 for a picture."""
    kind = kind_of(layer)
    return 2 if kind is None else kind.rank


def no_convolution(model: keras.Model) -> str:
    """Return the error that a model has no layer to show, with the layers that come nearest."""
    import keras

    kinds = keras.layers
    other = {
        "volumes": (kinds.Conv3D, kinds.Conv3DTranspose),
        "clips": (kinds.ConvLSTM1D, kinds.ConvLSTM2D, kinds.ConvLSTM3D),
    }
    *others, last = class_names()
    text = f"Model {model.name!r} has no convolution layer that can be shown ({', '.join(others)} or {last})."
    for layer in layers_within(model):
        for what, classes in other.items():
            if isinstance(layer, classes):
                text += f" Its layer {layer.name!r} ({type(layer).__name__}) convolves {what}"
                return f"{text}, which is out of scope: a lens shows single images and signals."
    return text


def check_model(model: Any) -> None:
    """Raise where `model` is not a Keras model, or not built."""
    import keras

    if isinstance(model, keras.layers.Layer) and not isinstance(model, keras.Model) and paths_of(model):
        raise TypeError(
            f"model={model.name!r} is of type {type(model).__name__}, a layer made of others. Make a model of it: "
            "i = keras.Input((rows, cols, channels)); ConvLens(image, model=keras.Model(i, layer(i)))."
            if kind_of(model) is None
            else f"model={model.name!r} is of type {type(model).__name__}, one layer alone; expected a keras.Model. "
            "Give it as a layer: ConvLens(image, layer=layer)."
        )
    if not isinstance(model, keras.Model):
        raise TypeError(
            f"model is of type {type(model).__name__}; expected a keras.Model. Give one layer alone as a layer: "
            "ConvLens(image, layer=layer)."
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
        for layer in sublayers(owner):
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
    """Whether a model with these convolution layers takes ``(batch, channels, rows, cols)``."""
    return bool(paths) and all(layer.data_format == "channels_first" for layer, _ in paths)


def found_call(layer: keras.layers.Layer, path: str, inputs: Any, use: int) -> FoundCall:
    """Describe a call of a convolution layer; a ``ValueError`` where its kernel does not fit into `inputs`."""
    batch, *shape = (int(n) for n in inputs.shape)
    *rows, cols, channels = (*shape[1:], shape[0]) if layer.data_format == "channels_first" else shape
    whole = (rows[0] if rows else 1, cols, channels)
    geometry = geometry_of(layer, whole, path)
    check_output(geometry)
    return FoundCall(
        path=path if use == 1 else f"{path} (use {use})",
        layer=layer,
        class_name=type(layer).__name__,
        input_shape=whole,
        output_shape=(*geometry.output_shape, geometry.filters),
        use=use,
        batch=batch,
    )
