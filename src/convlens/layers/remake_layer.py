"""Making another layer like one: with another number or size of kernels, another data format or another activation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convlens.layers.kinds import all_kinds
from convlens.layers.layer_kinds import is_own_class

if TYPE_CHECKING:
    import keras


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
    names = sorted({name for kind in all_kinds() for name in kind.initializers})
    present = owner if isinstance(owner, dict) else vars(owner)
    return {name: "zeros" for name in names if name in present}
