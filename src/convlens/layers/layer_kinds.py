"""Which layers can be opened, and the geometry of those."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convlens.layers.keras_internals import layers_within
from convlens.layers.kinds import class_names, kind_of
from convlens.layers.recognise_activation import describe
from convlens.maths.geometry import Geometry

if TYPE_CHECKING:
    import keras

__all__ = [
    "class_names",
    "geometry_of",
    "input_channels",
    "is_own_class",
    "kind_of",
    "unwrap",
    "variable",
]


def is_own_class(layer: keras.layers.Layer) -> bool:
    """Whether the layer's class is Keras's own, and so computes what its settings say."""
    kind = kind_of(layer)
    return kind is not None and type(layer) is kind.keras_class


def unwrap(layer: Any) -> keras.layers.Layer:
    """Return the convolution layer that `layer` is or wraps.

    Raises
    ------
    TypeError
        When there is none, with the reason and the way out.
    """
    import keras

    inner = layer
    while isinstance(inner, keras.layers.Wrapper):
        inner = inner.layer
    if kind_of(inner) is None:
        raise TypeError(_why_not(inner))
    if getattr(inner, "lora_enabled", False):
        raise TypeError(
            f"Layer {inner.name!r} has LoRA enabled: its kernel is a sum of several variables, so that an edited "
            "kernel could not be written back. Give a layer without lora_rank that has the merged kernel, "
            "keras.ops.convert_to_numpy(layer.kernel), as its weights."
        )
    return inner  # type: ignore[no-any-return,unused-ignore]


def _why_not(layer: Any) -> str:
    import keras

    name = type(layer).__name__
    if isinstance(layer, keras.Model):
        return (
            f"layer={layer.name!r} is a whole model. Pass ConvLens(image, model=model, layer=...) to choose one of its "
            "convolution layers, or the layer itself, such as model.layers[0]."
        )
    if not isinstance(layer, keras.layers.Layer):
        return f"layer is of type {name}, not a Keras layer. {_openable()}."
    if isinstance(layer, (keras.layers.Conv3D, keras.layers.Conv3DTranspose)):
        why = "convolves volumes, not images. One of its kernel planes can be looked at in a Conv2D of your own"
    elif name.startswith("ConvLSTM"):
        why = "has no convolution layer inside: its kernels belong to gates that are computed together"
    elif isinstance(layer, keras.layers.Dense):
        why = "has no kernel to lay over an image. Applied to every pixel, it equals a Conv2D with kernel_size=1"
    elif any(kind_of(one) for one in layers_within(layer)):
        return (
            f"layer={layer.name!r} is of type {name}, a layer made of others, convolutions among them. Make a model of "
            "it: i = keras.Input((rows, cols, channels)); ConvLens(image, model=keras.Model(i, layer(i)))."
        )
    else:
        why = "is not a convolution layer"
    return f"Layer {layer.name!r} ({name}) cannot be shown: it {why}. {_openable()}."


def _openable() -> str:
    *others, last = class_names()
    return f"{', '.join(others)} and {last} can be opened"


def input_channels(layer: Any) -> int | None:
    """Channels of the input that a layer is built for; None while it is not built."""
    inner = unwrap(layer)
    if not inner.built:
        return None
    kind = kind_of(inner)
    assert kind is not None
    return kind.input_channels(variable(inner, kind.kernel_name).shape, inner)


def variable(layer: keras.layers.Layer, name: str) -> Any:
    """Return a layer's variable by its public name; ``KeyError`` where there is none."""
    for candidate in layer.weights:
        if candidate.name == name:
            return candidate
    raise KeyError(name)


def geometry_of(layer: keras.layers.Layer, input_shape: tuple[int, int, int], path: str) -> Geometry:
    """Read a convolution layer's settings."""
    kind = kind_of(layer)
    assert kind is not None
    channels = kind.channels(layer, input_shape[2])
    activation = describe(layer.activation)
    output_padding = getattr(layer, "output_padding", None)
    return Geometry(
        input_shape=input_shape,
        filters=channels.filters,
        kernel_size=kind.pair(layer.kernel_size),
        strides=kind.pair(layer.strides),
        dilation_rate=kind.pair(layer.dilation_rate),
        padding=str(layer.padding),
        groups=channels.groups,
        depth_multiplier=channels.multiplier,
        use_bias=bool(layer.use_bias),
        activation=activation.name,
        activation_params=activation.params,
        kind=kind.arithmetic,
        class_name=type(layer).__name__,
        name=str(layer.name),
        path=path,
        builtin=False,
        data_format=str(layer.data_format),
        output_padding=None if output_padding is None else kind.pair(output_padding, of_row=0),
        exact=is_own_class(layer) and activation.known and layer.compute_dtype == "float32",
    )
