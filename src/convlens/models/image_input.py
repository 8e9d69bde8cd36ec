"""How a model takes an image, as ``(rows, cols, channels)``, ``(rows, cols)`` or its pixels in one row, or a signal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from convlens.layers.layer_kinds import kind_of
from convlens.models.find_layers import channels_first, paths_of
from convlens.models.model_inputs import ModelInputs, read_inputs

if TYPE_CHECKING:
    import keras

Size = tuple["int | None", "int | None", "int | None"]


def takes_signal(model: keras.Model, inputs: ModelInputs | None = None) -> bool:
    """Whether what a model takes is a signal: an input without an axis for rows, which a layer over signals reads.

    Parameters
    ----------
    inputs
        Which of its inputs is meant; None for a model of one.

    Raises
    ------
    TypeError, ValueError
        As `expected_input`.
    """
    inputs = inputs or read_inputs(model)
    kinds = [kind_of(layer) for layer, _ in paths_of(model)]
    # Of several inputs another may be the picture that the first layer reads.
    read = kinds if inputs.several else kinds[:1]
    return len(inputs.shape) in (2, 3) and any(kind is not None and kind.rank == 1 for kind in read)


def expected_input(model: keras.Model, inputs: ModelInputs | None = None) -> Size:
    """Return the ``(rows, cols, channels)`` that a model takes; None for each that it leaves open or does not say.

    ``(1, steps, channels)`` for one that takes a signal.

    Parameters
    ----------
    inputs
        Which of its inputs is meant; None for a model of one.

    Raises
    ------
    TypeError
        When `model` is not a Keras model.
    ValueError
        When it takes several inputs and these were not given, or one that is not an image.
    """
    inputs = inputs or read_inputs(model)
    shape, known = inputs.shape, inputs.known
    if takes_signal(model, inputs):
        steps, signal_channels = (shape[1], 1) if len(shape) == 2 else shape[1:]
        if len(shape) == 3 and channels_first(paths_of(model)):
            steps, signal_channels = signal_channels, steps
        return (1, steps if known else None, signal_channels)
    if len(shape) != 4:
        size = size_of_pixels(model, shape)
        if size is None:
            raise ValueError(_no_image(model, shape))
        return size if known or len(shape) == 2 else (None, None, size[2])
    rows, cols, channels = (shape[2], shape[3], shape[1]) if channels_first(paths_of(model)) else shape[1:]
    # A subclassed model remembers the size of its first input, which need not be the only one that it takes.
    return (rows, cols, channels) if known else (None, None, channels)


def size_of_pixels(model: keras.Model, shape: Sequence[int | None]) -> Size | None:
    """Return ``(rows, cols, channels)`` of the image that a model takes without an axis of its own for each.

    Parameters
    ----------
    shape
        Of the model's input, with the batch axis.

    Returns
    -------
    tuple or None
        Of an input ``(batch, rows, cols)`` its size and one channel. Of an input ``(batch, pixels)`` what the first
        layer reshapes it to: without such a layer the numbers need not be pixels, and None is returned.
    """
    if len(shape) == 3:
        return (shape[1], shape[2], 1)
    if len(shape) != 2 or shape[1] is None:
        return None
    target = _first_reshape(model)
    if target is None or len(target) not in (2, 3) or math.prod(target) != shape[1]:
        return None
    return (target[0], target[1], target[2] if len(target) == 3 else 1)


def as_pictures(made: np.ndarray, model: keras.Model, inputs: ModelInputs) -> np.ndarray:
    """Return an image that preprocess= made as a batch ``(1, rows, cols, channels)``.

    Parameters
    ----------
    made
        ``(rows, cols, channels)``, or as the model's input takes it, with or without a batch axis of 1.

    Raises
    ------
    ValueError
        For any other shape.
    """
    rank, size = len(inputs.shape), expected_input(model, inputs)
    if made.ndim == 4 and made.shape[0] == 1:
        return made
    if made.ndim == rank == 3 and made.shape[0] == 1 and _fits((*made.shape[1:], 1), size):
        return made[..., np.newaxis]
    if made.ndim == 3:
        return made[np.newaxis]
    if rank == 3 and made.ndim == 2:
        return made[np.newaxis, ..., np.newaxis]
    if rank == 2 and made.ndim <= 2 and None not in size and made.size == math.prod(n for n in size if n):
        return made.reshape(1, *(n for n in size if n))
    own = ", ".join("any" if n is None else str(n) for n in inputs.shape[1:])
    also = "" if rank == 4 else f", or as the model takes it, ({own})"
    raise ValueError(
        f"preprocess returned an array of shape {made.shape}; expected (rows, cols, channels), "
        f"or (1, rows, cols, channels){also}."
    )


def _fits(shape: Sequence[int], size: Size) -> bool:
    return all(want in (None, have) for have, want in zip(shape, size, strict=True))


def as_fed(x: np.ndarray, rank: int, *, channels_first: bool, signal: bool = False) -> np.ndarray:
    """Return a batch ``(batch, rows, cols, channels)`` as a model takes it, float32.

    Parameters
    ----------
    rank
        Number of axes of the model's input, the batch included.
    channels_first
        Whether the model's layers have the channels before the rows.
    signal
        Whether it is a batch of signals, ``(batch, 1, steps, channels)``.
    """
    if rank == 3 and signal:
        shaped = np.moveaxis(x[:, 0], -1, 1) if channels_first else x[:, 0]
    elif rank == 3:
        shaped = x[..., 0]
    elif rank == 2:
        shaped = x.reshape(len(x), -1)
    else:
        shaped = np.moveaxis(x, -1, 1) if channels_first else x
    return np.ascontiguousarray(shaped, dtype=np.float32)


def _first_reshape(model: keras.Model) -> tuple[int, ...] | None:
    """Return what the model's input is reshaped to before anything else, None where that is not known."""
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        if not isinstance(layer, keras.layers.Reshape):
            return None
        target = tuple(layer.target_shape)
        return target if all(n is not None and n > 0 for n in target) else None
    return None


def _no_image(model: keras.Model, shape: Sequence[int | None]) -> str:
    """Return the error that a model does not take a batch of images, with a way to open its convolutions."""
    import keras

    text = (
        f"Model {model.name!r} takes an input of shape {tuple(shape)}, which is not a batch of images "
        "(None, rows, cols, channels)."
    )
    first = paths_of(model)[0][0]
    if len(shape) == 5:
        for position, layer in enumerate(model.layers):
            if isinstance(layer, keras.layers.Wrapper) and layer.layer is first:
                return (
                    f"{text} Clips are out of scope. To see one frame, give the layer in {layer.name!r} alone: "
                    f"ConvLens(x[0, t], layer=model.layers[{position}].layer)."
                )
        return f"{text} Clips and volumes are out of scope: a lens shows single images and signals."
    if any(layer is first for layer in model.layers) and getattr(model, "inputs", None):
        return (
            f"{text} Compute what its first convolution is fed, and give that with the layer: features = "
            f"keras.Model(model.inputs[0], model.get_layer({first.name!r}).input)(x); "
            f"ConvLens(features[0], layer=model.get_layer({first.name!r}))."
        )
    return (
        f"{text} Give one of its convolution layers alone, with the image that it is fed: ConvLens(image, layer=...)."
    )
