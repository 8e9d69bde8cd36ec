"""From the arguments of `ConvLens` to a picture, filters and a source."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from convlens.filters import Array, FilterList
from convlens.images import Image
from convlens.kernels import kernel_depth, read_bias, read_kernels, read_names
from convlens.model_source import Feeding, InModel
from convlens.named_kernels import TUTORIAL, presets
from convlens.settings import Settings
from convlens.sources import BuiltIn, Source, StandAlone


class Opened(NamedTuple):
    """What a lens begins with."""

    image: Image
    filters: FilterList
    source: Source


def open_lens(
    image: Any,
    kernels: Any,
    bias: Any,
    names: Any,
    *,
    layer: Any,
    model: Any,
    preprocess: Any,
    settings: dict[str, Any],
) -> Opened:
    """Read all that a user gave; nothing of it is changed or kept, but for the layer and the model.

    Parameters
    ----------
    image, kernels, bias, names, layer, model, preprocess
        As `ConvLens` takes them.
    settings
        Arguments of the built-in layer.

    Raises
    ------
    ValueError, TypeError, FileNotFoundError
        Naming what came, what was expected, and the mend.
    """
    if preprocess is not None and model is None:
        raise ValueError(
            "preprocess= was given without model=. It makes of the image what a model takes; give the model too."
        )
    if layer is None and model is None:
        return _built_in(image, kernels, bias, names, Settings.read(**settings))
    own = Settings()
    given = [
        name for name, value in settings.items() if getattr(Settings.read(**{name: value}), name) != getattr(own, name)
    ]
    if given:
        raise ValueError(
            f"{', '.join(given)} was given together with {'layer' if model is None else 'model'}=, but a layer brings "
            "its own. Leave it out, or give neither layer= nor model= and let the lens build a layer."
        )
    if model is not None:
        return _in_model(image, kernels, bias, names, model, layer, preprocess)
    return _stand_alone(image, kernels, bias, names, layer)


def _built_in(image: Any, kernels: Any, bias: Any, names: Any, settings: Settings) -> Opened:
    given = [presets[name] for name in TUTORIAL] if kernels is None else kernels
    channels = kernel_depth(given)
    source = BuiltIn(settings)
    # Kernels of another depth are read_kernels's to refuse, by their index.
    picture = source.read_image(image, channels if channels in (1, 3, 4) else None)
    read = read_kernels(given, picture.shape[2])
    return Opened(picture, _filters(read, bias, names), source)


def _stand_alone(image: Any, kernels: Any, bias: Any, names: Any, layer: Any) -> Opened:
    from convlens.layers import ConvLayer

    source = StandAlone(layer)
    # A layer that is not built takes the depth of the kernels it is given.
    channels = ConvLayer.of(layer, None).geometry.input_shape[2] or kernel_depth(kernels)
    picture = source.read_image(image, channels)
    conv = ConvLayer.of(layer, picture.shape)
    if kernels is None:
        return Opened(picture, _with_bias(source.own_filters(picture, names), bias, source), source)
    given = read_kernels(kernels, conv.geometry.kernel_channels)
    if conv.geometry.kind == "separable":
        filters = _with_own_list(source.own_filters(picture, names), given, repr(layer.name))
        return Opened(picture, _with_bias(filters, bias, source), source)
    if bias is not None:
        source.require_bias()
    return Opened(picture, _filters(given, bias, names), source)


def _in_model(image: Any, kernels: Any, bias: Any, names: Any, model: Any, layer: Any, preprocess: Any) -> Opened:
    feeding = Feeding(model, preprocess)
    picture = feeding.read_image(image)
    source = InModel(feeding, picture, _path_of(layer, feeding, picture))
    filters = source.own_filters(picture, names)
    if kernels is not None:
        given = read_kernels(kernels, filters.kernels[0].shape[2])
        filters = _with_own_list(filters, given, f"{source.path!r} of the model")
    return Opened(picture, _with_bias(filters, bias, source), source)


def _path_of(layer: Any, feeding: Feeding, picture: Image) -> str:
    """Path of the layer that `layer` names: a path, a layer object of the model, or None for the first."""
    recorded = feeding.record(picture)
    if layer is None:
        return recorded.layers[0]
    if isinstance(layer, str):
        return layer
    for found in recorded.found:
        if found.layer is layer:
            return found.path
    raise ValueError(
        f"layer={getattr(layer, 'name', layer)!r} is not a convolution layer of the model. "
        f"It has {', '.join(recorded.layers)}."
    )


def _with_own_list(filters: FilterList, given: tuple[Array, ...], layer: str) -> FilterList:
    """Take other kernels for a layer whose list is as long as it is."""
    own = filters.kernels
    if (len(given), given[0].shape) != (len(own), own[0].shape):
        raise ValueError(
            f"{len(given)} kernels of shape {given[0].shape} were given, but layer {layer} has {len(own)} of shape "
            f"{own[0].shape}. Neither can change there."
        )
    return filters.with_kernels(dict(enumerate(given)))


def _with_bias(filters: FilterList, bias: Any, source: Source) -> FilterList:
    if bias is None:
        return filters
    source.require_bias()
    return filters.with_bias(dict(enumerate(read_bias(bias, len(filters)))))


def _filters(kernels: Any, bias: Any, names: Any) -> FilterList:
    n = len(kernels)
    values = np.zeros(n, np.float32) if bias is None else read_bias(bias, n)
    return FilterList.make(kernels, values, read_names(names, n))
