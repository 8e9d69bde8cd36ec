"""What a layer of the user's own class is called with besides the image, where it is alone."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from convlens.maths.nearest import nearest

if TYPE_CHECKING:
    import keras

#: Arguments of a layer's ``call`` that Keras fills in.
_OF_KERAS = ("training", "mask")


def read_arguments(layer: keras.layers.Layer, given: Any) -> dict[str, Any]:
    """Return the arguments of a layer's ``call`` besides its input, arrays as tensors.

    Parameters
    ----------
    given
        By name, as the call takes them: arrays with their batch axis. None for none.

    Raises
    ------
    TypeError, ValueError
        For one that the call does not take, and where one is missing that it needs; with the call that works.
    """
    import keras

    if given is not None and not isinstance(given, Mapping):
        raise TypeError(
            f"inputs is of type {type(given).__name__}; for a layer alone expected a dictionary of what its call takes "
            'besides the image, such as inputs={"name": array}.'
        )
    _, *others = inspect.signature(layer.call).parameters.values()
    named = [one for one in others if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    known = [one.name for one in named if one.name not in _OF_KERAS]
    any_name = any(one.kind is one.VAR_KEYWORD for one in others)
    for name in given or ():
        if name not in known and not any_name:
            near = nearest(name, known, 0.5)
            hint = f" Did you mean {near!r}?" if near else ""
            takes = f"takes {', '.join(map(repr, known))}" if known else "takes nothing"
            raise ValueError(
                f"inputs= has {name!r}, but layer {layer.name!r} ({type(layer).__name__}) {takes} besides the "
                f"image.{hint}"
            )
    missing = [
        one.name for one in named if one.name in known and one.default is one.empty and one.name not in (given or {})
    ]
    if missing:
        call = ", ".join(f"{name!r}: ..." for name in missing)
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}) is called with {', '.join(map(repr, missing))} besides the "
            f"image. Give it as the layer's call takes it: ConvLens(image, layer=layer, inputs={{{call}}})."
        )

    def tensor(value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return value
        return keras.ops.convert_to_tensor(value.astype(np.float32) if value.dtype == np.float64 else value)

    return {name: keras.tree.map_structure(tensor, value) for name, value in (given or {}).items()}
