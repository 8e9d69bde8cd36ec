"""Anything a user may call a signal → a picture of one row, or an error that says how to mend it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from convlens.inputs.image_containers import refuse_container, shape_of
from convlens.inputs.image_values import scaled
from convlens.inputs.images import Image
from convlens.inputs.kernel_items import as_sequence, items_of
from convlens.inputs.pictures import Draft
from convlens.maths.arrays import as_array, frozen
from convlens.maths.limits import check_pixels

_EXPECTED = "(steps,) or (steps, channels), with or without a leading 1"


def is_signal(image: Any, kernels: Any) -> bool:
    """Whether an image and kernels that come without a layer can only be a signal and its kernels.

    They are where either has fewer axes than pictures and their kernels have, and the other allows it: ``(steps,)``
    with kernels ``(k,)`` or ``(k, 1)``, and ``(steps, 1)`` with kernels ``(k,)``.
    """
    shape, kernel = given_shape(image), _shape_of_first(kernels)
    if shape is None or kernel is None:
        return False
    alone = len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)
    return alone and (len(kernel) < 2 or (len(shape) == 1 and len(kernel) == 2 and kernel[1] == 1))


def read_signal(value: Any, *, channels: int | None, steps: int | None = None) -> Image:
    """Read a signal from an array, a tensor of any library or a list of numbers.

    Parameters
    ----------
    value
        ``(steps,)`` or ``(steps, channels)``, or either with a leading 1. Values go in as they are, whatever their
        type: unlike an image's, they have no range of their own.
    channels
        How many channels the layer takes; None for as many as there are.
    steps
        How many steps the model takes; None for any number.

    Returns
    -------
    Image
        A copy, ``(1, steps, channels)``.

    Raises
    ------
    ValueError, TypeError
        For anything else, with the mend.
    """
    if value is None:
        raise TypeError("The signal is None; expected an array of shape (steps,) or (steps, channels).")
    if isinstance(value, (str, os.PathLike, bytes, bytearray)):
        raise TypeError(
            "The signal is a file, but a lens reads only picture files. Read it into an array first, such as "
            "with np.load, np.loadtxt or scipy.io.wavfile.read."
        )
    refuse_container(value, (channels or 1,))
    array = as_array(value, "The signal")
    shape = array.shape
    if 0 in shape:
        raise ValueError(f"The signal has shape {shape}: it is empty. Expected at least one step.")
    along = _along(shape, channels)
    if along is None:
        raise ValueError(f"The signal has shape {shape}; expected {_wanted(channels)}.{_mend(shape, channels)}")
    if steps not in (None, along[0]):
        mend = f"Give {steps} of them, signal[:{steps}]" if along[0] > steps else f"Pad it to {steps} (np.pad)"
        raise ValueError(
            f"The signal has {along[0]} steps, but the model takes {steps}. {mend}, or resample it: a lens does not "
            "stretch signals, which would change how long a step lasts."
        )
    check_pixels(1, *along, "The signal", "signal[::{step}]")
    draft = Draft(array.reshape(1, *along), 1.0, integers=False)
    values, _ = scaled(draft, False)
    return Image(values=frozen(values), notes=tuple(draft.notes), signal=True)


def load_signal(value: Any) -> Any:
    """Return the array in a NumPy file, where a path of one is given; anything else as it is.

    Raises
    ------
    FileNotFoundError, ValueError
        For a file that is not there, or is no NumPy file.
    """
    if not isinstance(value, (str, os.PathLike)):
        return value
    path = Path(value)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}. The working directory is {Path.cwd()}.")
    try:
        found = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"{str(path)!r} is not a file of one array, as np.save writes it: {error}") from error
    if not isinstance(found, np.ndarray):
        raise ValueError(f"{str(path)!r} holds several arrays; expected one, as np.save writes it.")
    return found


def _along(shape: tuple[int, ...], channels: int | None) -> tuple[int, int] | None:
    """Return ``(steps, channels)`` of a shape, None where it is not a signal with this many channels."""
    if (len(shape) == 3 and shape[0] == 1) or (len(shape) == 2 and shape[0] == 1 and channels in (None, 1)):
        shape = shape[1:]
    if len(shape) == 1:
        shape = (shape[0], 1)
    return (shape[0], shape[1]) if len(shape) == 2 and channels in (None, shape[1]) else None


def _wanted(channels: int | None) -> str:
    if channels is None:
        return _EXPECTED
    return "(steps,) or (steps, 1)" if channels == 1 else f"(steps, {channels})"


def _mend(shape: tuple[int, ...], channels: int | None) -> str:
    if len(shape) == 0:
        return " A single number is not a signal."
    if len(shape) == 2 and channels == shape[0]:
        return " If its channels come first, turn it: signal.T."
    if len(shape) == 2 and channels == 1:
        return f" Choose one of its {shape[1]} channels, e.g. signal[:, 0]."
    if len(shape) == 1 and channels is not None:
        return f" To repeat it in {channels} channels: np.stack([signal] * {channels}, axis=-1)."
    if len(shape) == 3:
        return f" This is a batch of {shape[0]} signals: give one of them, signal[0]."
    return ""


def given_shape(value: Any) -> tuple[int, ...] | None:
    """Return the shape of an array, or of a list of numbers or of lists; None of anything else."""
    found = () if isinstance(value, (int, float)) else shape_of(value)
    if found is not None:
        return found
    if not isinstance(value, (list, tuple)) or not value:
        return None
    if all(isinstance(item, (int, float)) for item in value):
        return (len(value),)
    below = given_shape(value[0])
    return None if below is None else (len(value), *below)


def _shape_of_first(kernels: Any) -> tuple[int, ...] | None:
    try:
        items = items_of(as_sequence(kernels))
        return given_shape(items[0])
    except (TypeError, ValueError, IndexError):
        return None
