"""From the arguments of `ConvLens` to a picture, filters and a source."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from convlens.inputs.image_files import read_stream
from convlens.inputs.images import Image
from convlens.inputs.kernels import (
    KernelsAndBias,
    as_sequence,
    kernel_depth,
    read_bias,
    read_kernels_and_bias,
    read_names,
    read_pointwise,
)
from convlens.inputs.presets import TUTORIAL, presets
from convlens.inputs.signal_kernels import DEFAULT_KERNELS, read_signal_kernels, signal_kernel_depth
from convlens.inputs.signals import is_signal
from convlens.inputs.starting_picture import NOT_GIVEN
from convlens.maths.arrays import shortened
from convlens.maths.geometry import Geometry
from convlens.state.built_in_source import BuiltIn
from convlens.state.filters import FilterList
from convlens.state.layer_settings import Settings
from convlens.state.layer_source import LayerSource
from convlens.state.model_source import Feeding, InModel
from convlens.state.separable_filters import SeparableFilters
from convlens.state.stand_alone_source import StandAlone
from convlens.widget.model_arguments import check_model_and_layer


class Opened(NamedTuple):
    """What a lens begins with."""

    image: Image
    filters: FilterList
    source: LayerSource


def open_lens(
    image: Any,
    kernels: Any,
    bias: Any,
    names: Any,
    *,
    layer: Any,
    model: Any,
    preprocess: Any,
    inputs: Any = None,
    settings: dict[str, Any],
    ndim: int | None = None,
) -> Opened:
    """Read everything that a user gave; none of it is changed or kept, except the layer and the model.

    Parameters
    ----------
    image, kernels, bias, names, layer, model, preprocess, inputs
        As `ConvLens` takes them.
        Where `kernels` is a layer's whole list of weights, which has a bias, `bias` must be None.
    settings
        Arguments of the built-in layer.
    ndim
        1 for a signal, 2 for a picture; None where the layer, the model or the shapes tell.

    Raises
    ------
    ValueError, TypeError, FileNotFoundError
        Naming what was given, what was expected, and how to mend it.
    """
    if image is NOT_GIVEN and model is None:
        raise TypeError("The image is missing: ConvLens(image). Only a model of fixed size can be opened without one.")
    check_model_and_layer(kernels, layer, model)
    image, kernels = read_stream(image), as_sequence(kernels)
    if preprocess is not None and model is None:
        raise ValueError(
            "preprocess= was given without model=. It converts the image to a model's input; give the model too."
        )
    if inputs is not None and model is None and layer is None:
        raise ValueError(
            "inputs= was given without model=. It holds what a model takes besides the image; give the model too."
        )
    if image is NOT_GIVEN and inputs is not None and model is not None and preprocess is None:
        image, inputs = _from_whole_call(model, inputs)
    if ndim is not None and (isinstance(ndim, bool) or ndim not in (1, 2)):
        raise ValueError(f"ndim={shortened(ndim)} was given; expected 1 for a signal or 2 for a picture.")
    if layer is None and model is None:
        if ndim == 1 or (ndim is None and is_signal(image, kernels)):
            return _signal(image, kernels, bias, names, Settings.read(rank=1, **settings))
        return _built_in(image, kernels, bias, names, Settings.read(**settings))
    own = Settings()
    given = [
        name for name, value in settings.items() if getattr(Settings.read(**{name: value}), name) != getattr(own, name)
    ]
    if given:
        raise ValueError(
            f"{', '.join(given)} was given together with {'layer' if model is None else 'model'}=, but a layer has "
            "its own. Leave it out, or give neither layer= nor model= and let the lens build a layer."
        )
    opened = (
        _stand_alone(image, kernels, bias, names, layer, inputs)
        if model is None
        else _in_model(image, kernels, bias, names, Feeding(model, preprocess, inputs), layer)
    )
    if ndim not in (None, 1 if opened.image.signal else 2):
        takes = "a vector" if opened.image.latent else "a signal" if opened.image.signal else "a picture"
        raise ValueError(
            f"ndim={ndim} was given, but the {'layer' if model is None else 'model'} takes {takes}. Leave it out."
        )
    return opened


def _built_in(image: Any, kernels: Any, bias: Any, names: Any, settings: Settings) -> Opened:
    given = [presets[name] for name in TUTORIAL] if kernels is None else kernels
    source = BuiltIn(settings)
    channels = kernel_depth(given)
    picture = None
    if channels is None:  # the image's own channels decide
        picture = source.read_image(image, None)
        channels = kernel_depth(given, picture.shape[2])
    # read_kernels refuses kernels of another depth, and names their index.
    wanted = channels if channels in (1, 3, 4) else None
    if picture is None or wanted not in (None, picture.shape[2]):
        picture = source.read_image(image, wanted)
    read = read_kernels_and_bias(given, picture.shape[2])
    return Opened(picture, _filters(read, bias, names), source)


def _signal(image: Any, kernels: Any, bias: Any, names: Any, settings: Settings) -> Opened:
    source = BuiltIn(settings)
    if kernels is None:
        signal = source.read_image(image, None)
        names = list(DEFAULT_KERNELS) if names is None else names
        kernels = [np.repeat(np.array(taps)[:, None], signal.shape[2], 1) for taps in DEFAULT_KERNELS.values()]
    else:
        signal = source.read_image(image, signal_kernel_depth(kernels))
    return Opened(signal, _filters(read_signal_kernels(kernels, signal.shape[2]), bias, names), source)


def _from_whole_call(model: Any, inputs: Any) -> tuple[Any, Any]:
    """Return the image and the other inputs where inputs= has all that the model is called with."""
    from convlens.models.model_inputs import taken_apart

    image, others = taken_apart(model, inputs)
    return (NOT_GIVEN if image is None else image), others or None


def _stand_alone(image: Any, kernels: Any, bias: Any, names: Any, layer: Any, inputs: Any) -> Opened:
    from convlens.layers.conv_layer import ConvLayer

    source = StandAlone(layer, inputs)
    depth = signal_kernel_depth if source.takes_signal else kernel_depth
    # A layer that is not built takes the depth of the kernels it is given.
    channels = ConvLayer.of(layer, None).geometry.input_shape[2] or depth(kernels)
    picture = source.read_image(image, channels)
    if channels is None and kernels is not None and not source.takes_signal:
        channels = kernel_depth(kernels, picture.shape[2])
        if channels in (1, 3, 4) and channels != picture.shape[2]:
            picture = source.read_image(image, channels)
    conv = ConvLayer.of(layer, picture.shape)
    if kernels is None:
        return Opened(picture, _with_bias(source.own_filters(picture, names), bias, source), source)
    geometry = conv.geometry
    given = _read_kernels(kernels, geometry)
    if geometry.kind.pointwise:
        return Opened(picture, _with_own_list(source, picture, given, bias, names, repr(layer.name)), source)
    if bias is not None or given.bias is not None:
        source.require_bias()
    return Opened(picture, _filters(given, bias, names), source)


def _in_model(image: Any, kernels: Any, bias: Any, names: Any, feeding: Feeding, layer: Any) -> Opened:
    picture = feeding.starting_image() if image is NOT_GIVEN else feeding.read_image(image)
    source = InModel(feeding, picture, _path_of(layer, feeding, picture))
    if kernels is None:
        return Opened(picture, _with_bias(source.own_filters(picture, names), bias, source), source)
    geometry = source.conv(picture).geometry
    given = _read_kernels(kernels, geometry)
    filters = _with_own_list(source, picture, given, bias, names, f"{source.path!r} of the model")
    return Opened(picture, filters, source)


def _read_kernels(kernels: Any, geometry: Geometry) -> KernelsAndBias:
    read = read_signal_kernels if geometry.rank == 1 else read_kernels_and_bias
    return read(kernels, geometry.kernel_channels, geometry.kind, geometry.weight_shape)


def _path_of(layer: Any, feeding: Feeding, picture: Image) -> str:
    """Path of the layer that `layer` names: a path, a layer object of the model, or None for the first."""
    recorded = feeding.record(picture)
    if layer is None:
        return feeding.first_layer(picture)
    if isinstance(layer, str):
        return layer
    for found in recorded.found:
        if found.layer is layer:
            return found.path
    raise ValueError(
        f"layer={getattr(layer, 'name', layer)!r} is not a convolution layer of the model. "
        f"It has {', '.join(recorded.layers)}."
    )


def _with_own_list(
    source: StandAlone | InModel, picture: Image, given: KernelsAndBias, bias: Any, names: Any, layer: str
) -> FilterList:
    """Take other kernels for a layer whose list is as long as it is."""
    filters = source.own_filters(picture, names)
    own, new = filters.kernels, given.kernels
    if (len(new), new[0].shape) != (len(own), own[0].shape):
        raise ValueError(
            f"{len(new)} kernels of shape {new[0].shape} were given, but layer {layer} has {len(own)} of shape "
            f"{own[0].shape}. Neither can change there."
        )
    filters = filters.with_kernels(dict(enumerate(new)))
    if given.pointwise is not None and isinstance(filters, SeparableFilters):
        filters = filters.with_pointwise(read_pointwise(given.pointwise.T, filters.pointwise.shape))
    return _with_bias(filters, _one_bias(given, bias), source)


def _with_bias(filters: FilterList, bias: Any, source: LayerSource) -> FilterList:
    if bias is None:
        return filters
    source.require_bias()
    return filters.with_bias(dict(enumerate(read_bias(bias, len(filters)))))


def _filters(given: KernelsAndBias, bias: Any, names: Any) -> FilterList:
    n = len(given.kernels)
    return FilterList.make(given.kernels, read_bias(_one_bias(given, bias), n), read_names(names, n))


def _one_bias(given: KernelsAndBias, bias: Any) -> Any:
    if given.bias is not None and bias is not None:
        raise ValueError(
            "kernels is a layer's whole list of weights, which has a bias, and bias= was given too. Leave out "
            "bias=, or give the kernels alone: kernels[0]."
        )
    return given.bias if bias is None else bias
