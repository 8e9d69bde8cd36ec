"""`maximize`: the image that excites a filter most."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from convlens.inputs.images import read_image, resize
from convlens.inputs.signals import read_signal
from convlens.interpretation.ascent import Ascent, Step
from convlens.interpretation.parameters import Parameters
from convlens.interpretation.subject import Subject
from convlens.layers.keras_internals import layers_within
from convlens.maths.one_row import signal_shown
from convlens.models.conv_model import ConvModel
from convlens.models.image_input import Size, check_takes_pictures, expected_input, takes_signal
from convlens.models.model_inputs import read_inputs

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[np.float32]
#: Called at every step; returning False ends the ascent with what it has.
Callback = Callable[[Step], Any]

#: Rows and columns, or steps, where neither the model nor the caller says how many.
_SIZE = 128
#: A signal has no range of its own; layers are initialised for inputs around 0 whose variance is 1.
_SIGNAL_RANGE = (-1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Maximized:
    """An image that excites a filter.

    Parameters
    ----------
    image
        ``(rows, cols, channels)`` float32, in the model's own input range. A signal is ``(steps,)``, or
        ``(steps, channels)`` of several channels.
    activation
        Of the filter on that image: the mean of its map, or the chosen pixel.
    history
        ``(steps,)``: the same before each step, on the image as it was moved for that step.
    """

    image: Array
    activation: float
    history: Array


@overload
def maximize(
    model: keras.Model,
    layer: str,
    filters: int,
    *,
    steps: int = ...,
    start: Any = ...,
    seed: int = ...,
    pixel: tuple[int, int] | int | None = ...,
    size: tuple[int, int] | int | None = ...,
    value_range: Any = ...,
    smoothness: float = ...,
    callback: Callback | None = ...,
    inputs: Any = ...,
) -> Maximized: ...
@overload
def maximize(
    model: keras.Model,
    layer: str,
    filters: Sequence[int],
    *,
    steps: int = ...,
    start: Any = ...,
    seed: int = ...,
    pixel: tuple[int, int] | int | None = ...,
    size: tuple[int, int] | int | None = ...,
    value_range: Any = ...,
    smoothness: float = ...,
    callback: Callback | None = ...,
    inputs: Any = ...,
) -> list[Maximized]: ...
def maximize(
    model: keras.Model,
    layer: str,
    filters: int | Sequence[int],
    *,
    steps: int = 256,
    start: Any = "noise",
    seed: int = 0,
    pixel: tuple[int, int] | int | None = None,
    size: tuple[int, int] | int | None = None,
    value_range: Any = None,
    smoothness: float = 0.1,
    callback: Callback | None = None,
    inputs: Any = None,
) -> Maximized | list[Maximized]:
    """Find the image, or the signal, that excites a filter most, by gradient ascent on the model's input.

    The image is found in decorrelated coordinates and moved a little before every step (C. Olah, A. Mordvintsev and
    L. Schubert, "Feature Visualization", Distill 2017, doi:10.23915/distill.00007); neighbours that differ are
    penalised (A. Nguyen, J. Yosinski and J. Clune, "Multifaceted Feature Visualization", 2016, arXiv:1602.03616). A
    signal is moved along its steps and stretched, and its channels are no colours. The model is not changed.

    Parameters
    ----------
    model
        A built Keras model that takes an image or a signal.
    layer
        Path of one of its convolution layers, "block/conv".
    filters
        Index of a filter, or several, whose images are found in one batch.
    steps
        Steps of the ascent.
    start
        ``"noise"``, or an image or a signal as `ConvLens` takes it.
    seed
        Of the noise and the movements. The same seed gives the same image on one back end.
    pixel
        ``(row, col)`` of the map whose activation is maximised, or a step of a signal's; the mean of the map when left
        out.
    size
        ``(rows, cols)`` of the image where the model leaves them open: the start image's, or 128 × 128. Of a signal the
        number of steps: the start signal's, or 128.
    value_range
        ``(low, high)``: the values that the model is made for, numbers or one for each channel. When left out 0 to 255
        for a model with a ``Rescaling`` or ``Normalization`` layer or an image whose values pass 1, otherwise 0 to 1.
        Of a signal the least and the greatest value of the start signal, or -1 to 1.
    smoothness
        Weight of the total variation.
    callback
        Called with a `Step` after every step; it may take the images of it, and end the ascent by returning False.
    inputs
        What the model takes besides the image, as `ConvLens` has it.

    Returns
    -------
    Maximized or list of Maximized
        A list where several filters were given.

    Raises
    ------
    ValueError, IndexError, TypeError
        For a layer, filter or pixel that does not exist, and for settings that cannot be used.
    """
    others = read_inputs(model, inputs)
    check_takes_pictures(model, others, "what is found here")
    expected = expected_input(model, others)
    signal = takes_signal(model, others)
    if isinstance(start, str) and start != "noise":
        raise ValueError(f'start={start!r} was given; expected "noise", or an image as ConvLens takes it.')
    open_size = _open_size(size, signal=signal)
    image = None if isinstance(start, str) else _start_image(expected, start, open_size, signal=signal)
    rows, cols, channels = expected
    if image is None:
        most = open_size or (_SIZE, _SIZE)
        image = np.zeros((rows or most[0], cols or most[1], channels or 3), np.float32)
        values = _SIGNAL_RANGE if signal else default_range(model, None)
    else:
        values = range_of_signal(image) if signal else default_range(model, image)
    call = ConvModel(model, image[np.newaxis], others).find(layer)
    subject = Subject(model, call, image[np.newaxis], inputs=others)
    return maximized(
        subject,
        filters,
        steps=steps,
        start=None if isinstance(start, str) else image,
        seed=seed,
        pixel=pixel,
        value_range=values if value_range is None else value_range,
        smoothness=smoothness,
        callback=callback,
    )


def maximized(
    subject: Subject,
    filters: int | Sequence[int],
    *,
    steps: int,
    start: Array | None,
    seed: int,
    pixel: tuple[int, int] | int | None,
    value_range: Any,
    smoothness: float = 0.1,
    callback: Callback | None = None,
) -> Maximized | list[Maximized]:
    """Do what `maximize` does, for a layer with weights other than its own where wanted.

    Parameters
    ----------
    start
        ``(rows, cols, channels)`` as the model takes it; None for noise.
    value_range
        ``(low, high)``, numbers or ``(channels,)`` each.
    """
    alone = isinstance(filters, (int, np.integer))
    chosen = [_index(subject, one) for one in ([filters] if isinstance(filters, (int, np.integer)) else filters)]
    if not chosen:
        raise ValueError("filters is empty: give the index of at least one filter.")
    if int(steps) < 1:
        raise ValueError(f"steps={steps} was given; expected at least 1.")
    ascent = _prepared(subject, chosen, start, seed, pixel, value_range, smoothness)
    history = list(_followed(ascent.run(int(steps)), callback))
    activations, images = ascent.activations(), ascent.images()
    found = [
        Maximized(
            signal_shown(images[i]) if subject.signal else images[i],
            float(activations[i]),
            np.array([step[i] for step in history], np.float32),
        )
        for i in range(len(chosen))
    ]
    return found[0] if alone else found


def default_range(model: keras.Model, image: Array | None) -> tuple[float, float]:
    """Return the range of values that a model seems to be made for; see `maximize`."""
    import keras

    scaling = (keras.layers.Rescaling, keras.layers.Normalization)
    rescales = any(isinstance(layer, scaling) for layer in layers_within(model))
    wide = rescales or (image is not None and float(image.max(initial=0)) > 1)
    return (0.0, 255.0) if wide else (0.0, 1.0)


def range_of_signal(signal: Array) -> tuple[float, float]:
    """Return the least and the greatest value of a signal, which is more than the first."""
    finite = signal[np.isfinite(signal)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else _SIGNAL_RANGE
    return (low, high) if low < high else (low, low + 1)


def _prepared(
    subject: Subject,
    filters: Sequence[int],
    start: Array | None,
    seed: int,
    pixel: tuple[int, int] | int | None,
    value_range: Any,
    smoothness: float,
) -> Ascent:
    shape = subject.x.shape[1:]
    assert len(shape) == 3
    low, high = (np.asarray(one, np.float32) for one in value_range)
    if not (np.all(np.isfinite(low)) and np.all(np.isfinite(high)) and np.all(low < high)):
        raise ValueError(f"value_range={value_range!r} was given; expected (low, high) with low below high.")
    parameters = Parameters(shape, low, high, signal=subject.signal)
    count = len(filters)
    coordinates = (
        parameters.random(count, seed) if start is None else np.repeat(parameters.of_image(start)[None], count, axis=0)
    )
    return Ascent(
        subject,
        filters,
        parameters,
        coordinates,
        seed=seed,
        pixel=None if pixel is None else _pixel(subject, pixel),
        smoothness=smoothness,
    )


def _followed(steps: Iterator[Step], callback: Callback | None) -> Iterator[Array]:
    for step in steps:
        yield step.activations
        if callback is not None and callback(step) is False:
            return


def _index(subject: Subject, one: Any) -> int:
    index, count = operator.index(one), int(subject.call.output_shape[2])
    if not -count <= index < count:
        raise IndexError(
            f"Layer {subject.call.path!r} has {count} filters, 0 to {count - 1}; filter {index} was given."
        )
    return index % count


def _pixel(subject: Subject, pixel: tuple[int, int] | int) -> tuple[int, int]:
    rows, cols = subject.call.output_shape[:2]
    given = [pixel] if isinstance(pixel, (int, np.integer)) else list(pixel)
    # A step alone, or with the one row that a signal has inside.
    one_row = [0] if subject.signal and len(given) == 1 else []
    row, col = (operator.index(one) for one in one_row + given)
    if not (0 <= row < rows and 0 <= col < cols):
        size = f"{cols} steps" if subject.signal else f"{rows} × {cols} pixels"
        raise IndexError(f"pixel={pixel!r} was given; the maps of layer {subject.call.path!r} have {size}.")
    return row, col


def _open_size(size: Any, *, signal: bool) -> tuple[int, int] | None:
    """Return the ``(rows, cols)`` that a user gave, of a signal as its number of steps."""
    if size is None:
        return None
    wanted, count = ("the number of steps, such as size=256", 1) if signal else ("(rows, cols)", 2)
    given = (size,) if np.ndim(size) == 0 else tuple(size)
    if len(given) != count or not all(isinstance(n, (int, np.integer)) and n > 0 for n in given):
        raise ValueError(f"size={size!r} was given; expected {wanted}.")
    return (1, int(given[0])) if signal else (int(given[0]), int(given[1]))


def _start_image(expected: Size, start: Any, size: tuple[int, int] | None, *, signal: bool) -> Array:
    rows, cols, channels = expected
    if signal:
        return read_signal(start, channels=channels, steps=cols).values
    image = read_image(start, channels=channels, scale=False)
    if rows is not None and cols is not None:
        return resize(image, rows, cols).values
    return (image if size is None else resize(image, *size)).values
