"""Mistakes with the arguments `layer` and `model` that their types give away, before Keras is asked."""

from __future__ import annotations

import os
from typing import Any

_FILES = (".keras", ".h5", ".hdf5")


def check_model_and_layer(kernels: Any, layer: Any, model: Any) -> None:
    """Raise where a model, a layer, a file or a name was given in the place of another.

    Raises
    ------
    TypeError, ValueError
        With the call that was meant.
    """
    if _is_layer(kernels):
        keyword = _keyword(kernels)
        raise TypeError(
            f"kernels is a Keras {'model' if keyword == 'model' else 'layer'} ({_described(kernels)}). Give it by its "
            f"keyword: ConvLens(image, {keyword}={keyword})."
        )
    for name, value in (("model", model), ("layer", layer)):
        if isinstance(value, (str, os.PathLike)) and (name == "model" or _is_file(value)):
            raise _not_loaded(name, os.fspath(value))
        if isinstance(value, type):
            kind = value.__name__
            raise TypeError(f"{name}={kind} is a class; expected an instance of it, such as {kind}(...).")
    if isinstance(layer, str) and model is None:
        raise ValueError(
            f"layer={layer!r} is the name of a layer, but model= is missing. Give the model that has it: "
            f"ConvLens(image, model=model, layer={layer!r})."
        )
    if _is_layer(layer) and _keyword(layer) == "model" and model is None:
        raise TypeError(f"layer is a Keras model ({_described(layer)}). Give it as one: ConvLens(image, model=model).")


def _not_loaded(name: str, path: str | bytes) -> Exception:
    text = os.fsdecode(path)
    if _is_file(text):
        load = f"keras.models.load_model({text!r})"
        return TypeError(f"{name}={text!r} is the path of a file; expected a keras.Model. Load it first: model={load}.")
    return TypeError(f"{name}={text!r} is text; expected a keras.Model, such as keras.models.load_model(path) returns.")


def _is_file(value: Any) -> bool:
    return os.fsdecode(os.fspath(value)).lower().endswith(_FILES)


def _is_layer(value: Any) -> bool:
    # Without importing Keras, which takes seconds; nothing else has both.
    return callable(getattr(value, "get_weights", None)) and callable(getattr(value, "get_config", None))


def _keyword(value: Any) -> str:
    return "model" if hasattr(value, "layers") and hasattr(value, "summary") else "layer"


def _described(value: Any) -> str:
    return f"{type(value).__name__} {getattr(value, 'name', '')!r}"
