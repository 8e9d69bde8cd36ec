"""How a model takes an image: ``(rows, cols, channels)``, ``(rows, cols)``, its pixels in a row; a signal; a vector."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from convlens.models.find_layers import channels_first, paths_of, rank_of
from convlens.models.input_slots import of_whole_numbers
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
    if len(inputs.shape) == 2 and _first_mixes(model):
        return False
    ranks = [rank_of(layer) for layer, _ in paths_of(model)]
    # Of several inputs another may be the picture that the first layer reads.
    return len(inputs.shape) in (2, 3) and 1 in (ranks if inputs.several else ranks[:1])


def numbers_taken(model: keras.Model, inputs: ModelInputs | None = None) -> int | None:
    """Return how many numbers a model takes in one row, pixels or a latent vector; None for one that does not.

    Whether they are pixels, what is given decides: an array that is longer along several axes is a picture.

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
    if len(inputs.shape) != 2 or takes_signal(model, inputs):
        return None
    # Whole numbers name words or classes.
    return None if of_whole_numbers(inputs.slots[inputs.image]) else inputs.shape[1]


def takes_vector(model: keras.Model, inputs: ModelInputs | None = None) -> bool:
    """Whether a model takes numbers in one row that are no pixels, for all that its layers tell: a latent vector.

    They are pixels where the first layer reshapes them to more than one.
    """
    inputs = inputs or read_inputs(model)
    size = size_of_pixels(model, inputs.shape)
    return numbers_taken(model, inputs) is not None and (size is None or size[:2] == (1, 1))


def is_vector(shape: Sequence[int], model: keras.Model, inputs: ModelInputs | None = None) -> bool:
    """Whether a batch of this shape, ``(batch, rows, cols, channels)``, is of latent vectors."""
    return tuple(shape[1:]) == (1, numbers_taken(model, inputs), 1)


def check_takes_pictures(model: keras.Model, inputs: ModelInputs, what: str) -> None:
    """Raise where a model takes numbers that are no pixels, of which `what` knows nothing."""
    if takes_vector(model, inputs):
        numbers = inputs.shape[1]
        raise ValueError(
            f"Model {model.name!r} takes a vector of {numbers} numbers, and {what} are pictures. A lens shows what "
            "its filters make of one vector after another: lens.image = z; lens.activations. If the numbers are "
            "pixels, put a layer before it that says so: keras.Sequential([keras.Input((rows, cols, channels)), "
            "keras.layers.Flatten(), model])."
        )


def expected_input(model: keras.Model, inputs: ModelInputs | None = None) -> Size:
    """Return the ``(rows, cols, channels)`` that a model takes; None for each that it leaves open or does not say.

    ``(1, steps, channels)`` for one that takes a signal, ``(1, numbers, 1)`` for one that takes a latent vector. Such a
    model runs on any ``(rows, cols, channels)`` of as many numbers.

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
        if size is None and (numbers := numbers_taken(model, inputs)) is not None:
            return (1, numbers, 1)
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
    if (numbers := numbers_taken(model, inputs)) is not None and made.ndim <= 2 and made.size == numbers:
        vector = takes_vector(model, inputs) or None in size
        return made.reshape((1, 1, numbers, 1) if vector else (1, *(n for n in size if n)))
    if made.ndim == 4 and made.shape[0] == 1:
        return made
    if made.ndim == rank == 3 and made.shape[0] == 1 and _fits((*made.shape[1:], 1), size):
        return made[..., np.newaxis]
    if made.ndim == 3:
        return made[np.newaxis]
    if rank == 3 and made.ndim == 2:
        return made[np.newaxis, ..., np.newaxis]
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


def _first_mixes(model: keras.Model) -> bool:
    """Whether a dense layer reads a model's numbers before a convolution does: then they have no order."""
    import keras

    if not getattr(model, "inputs", None):
        return False
    convolutions = {id(layer) for layer, _ in paths_of(model)}
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dense) or id(layer) in convolutions:
            return isinstance(layer, keras.layers.Dense)
        if isinstance(layer, keras.layers.Reshape):
            return False
    return False


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
