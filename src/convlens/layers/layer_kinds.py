"""The classes of Keras convolution layers: which can be opened, their geometry, and making another like one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convlens._activations import describe
from convlens.geometry import Geometry, Kind

if TYPE_CHECKING:
    import keras

#: Keras's own classes and what they are; subclasses count as their base.
CLASSES: dict[str, Kind] = {
    "Conv2D": "conv",
    "DepthwiseConv2D": "depthwise",
    "SeparableConv2D": "separable",
    "Conv2DTranspose": "transpose",
}

_WORKING = "Conv2D, DepthwiseConv2D, SeparableConv2D and Conv2DTranspose can be opened"


def kind_of(layer: Any) -> Kind | None:
    """Return the kind of a convolution layer, None for anything else."""
    import keras

    for name, kind in CLASSES.items():
        if isinstance(layer, getattr(keras.layers, name)):
            return kind
    return None


def is_own_class(layer: keras.layers.Layer) -> bool:
    """Whether the layer's class is Keras's itself, and so computes what its settings say."""
    import keras

    return type(layer) in [getattr(keras.layers, name) for name in CLASSES]


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
        return f"layer is of type {name}, not a Keras layer. {_WORKING}."
    one_axis = (
        keras.layers.Conv1D,
        keras.layers.Conv1DTranspose,
        keras.layers.DepthwiseConv1D,
        keras.layers.SeparableConv1D,
    )
    if isinstance(layer, one_axis):
        why = "convolves along one axis. Its 2-D class with kernel_size=(1, k) does the same to an image of one row"
    elif isinstance(layer, (keras.layers.Conv3D, keras.layers.Conv3DTranspose)):
        why = "convolves volumes, not images. One of its kernel planes can be looked at in a Conv2D of your own"
    elif name.startswith("ConvLSTM"):
        why = "has no convolution layer inside: its kernels belong to gates that are computed together"
    elif isinstance(layer, keras.layers.Dense):
        why = "has no kernel to lay over an image. Applied to every pixel, it equals a Conv2D with kernel_size=1"
    else:
        why = "is not a convolution layer"
    return f"Layer {layer.name!r} ({name}) cannot be shown: it {why}. {_WORKING}."


def input_channels(layer: Any) -> int | None:
    """Channels of the input that a layer is built for; None while it is not built."""
    inner = unwrap(layer)
    if not inner.built:
        return None
    shape = variable(inner, kernel_name(inner)).shape
    kind = kind_of(inner)
    if kind == "transpose":
        return int(shape[3])
    return int(shape[2]) * (int(inner.groups) if kind == "conv" else 1)


def kernel_name(layer: keras.layers.Layer) -> str:
    """Name of the variable that holds the kernels."""
    return "depthwise_kernel" if kind_of(layer) == "separable" else "kernel"


def variable(layer: keras.layers.Layer, name: str) -> Any:
    """Return a layer's variable by its public name; ``KeyError`` where there is none."""
    for candidate in layer.weights:
        if candidate.name == name:
            return candidate
    raise KeyError(name)


def policy_of(layer: keras.layers.Layer) -> str:
    """Name of the data type policy that a layer computes under."""
    same = layer.compute_dtype == layer.variable_dtype
    return str(layer.compute_dtype) if same else f"mixed_{layer.compute_dtype}"


def remade(layer: keras.layers.Layer, **changes: Any) -> keras.layers.Layer:
    """Make another layer of the same class and configuration, some of it changed; not built.

    Draws no random numbers and takes no automatic name, so that Keras's global state stays as it is.
    """
    layer_class: Any = type(layer)
    if is_own_class(layer):
        # By attribute rather than get_config(), which cannot carry every activation function.
        arguments = {name: getattr(layer, name) for name in _ARGUMENTS if hasattr(layer, name)}
        config = {**arguments, **_zero_initializers(layer), "dtype": policy_of(layer), "name": layer.name, **changes}
        return layer_class(**config)
    try:
        config = {**layer.get_config(), **changes}
        config.update(_zero_initializers(config))
        return layer_class.from_config(config)
    except Exception as error:
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}) could not be made again with {changes}, which its class's "
            f"get_config() and from_config() must allow: {error}"
        ) from error


_ARGUMENTS = [
    *("filters", "groups", "depth_multiplier", "kernel_size", "strides", "padding", "output_padding", "dilation_rate"),
    *("data_format", "use_bias", "activation"),
]


def _zero_initializers(owner: Any) -> dict[str, str]:
    names = ("kernel_initializer", "depthwise_initializer", "pointwise_initializer")
    present = owner if isinstance(owner, dict) else vars(owner)
    return {name: "zeros" for name in names if name in present}


def geometry_of(layer: keras.layers.Layer, input_shape: tuple[int, int, int], path: str) -> Geometry:
    """Read a convolution layer's settings."""
    kind = kind_of(layer)
    assert kind is not None
    multiplier = int(getattr(layer, "depth_multiplier", None) or 1)
    filters = input_shape[2] * multiplier if kind == "depthwise" else int(layer.filters)
    activation = describe(layer.activation)
    output_padding = getattr(layer, "output_padding", None)
    return Geometry(
        input_shape=input_shape,
        filters=filters,
        kernel_size=_pair(layer.kernel_size),
        strides=_pair(layer.strides),
        dilation_rate=_pair(layer.dilation_rate),
        padding=str(layer.padding),
        groups=int(layer.groups) if kind == "conv" else 1,
        depth_multiplier=multiplier,
        use_bias=bool(layer.use_bias),
        activation=activation.name,
        activation_params=activation.params,
        kind=kind,
        class_name=type(layer).__name__,
        name=str(layer.name),
        path=path,
        builtin=False,
        data_format=str(layer.data_format),
        output_padding=None if output_padding is None else _pair(output_padding),
        exact=is_own_class(layer) and activation.known and layer.compute_dtype == "float32",
    )


def _pair(value: Any) -> tuple[int, int]:
    rows, cols = (value, value) if isinstance(value, int) else value
    return (int(rows), int(cols))
