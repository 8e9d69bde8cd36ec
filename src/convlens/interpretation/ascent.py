"""Gradient ascent on the input of a model for filters of one of its layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.interpretation.gradients_backend import value_and_gradient
from convlens.interpretation.parameters import Parameters
from convlens.interpretation.subject import Subject
from convlens.interpretation.transformations import moved, no_movement, random_movement
from convlens.layers.stateless_call import compiled, to_numpy, without_gradients
from convlens.maths.one_row import signal_shown
from convlens.models.layer_outputs import LayerOutputs

Array = npt.NDArray[np.float32]

#: Adam's (Kingma and Ba 2015), as Lucid uses it.
_FIRST, _SECOND, _TINY = 0.9, 0.999, 1e-8
#: Lucid's rate for images of 224 pixels. In smaller ones fewer frequencies move together, so that each must move more.
_RATE, _PIXELS = 0.05, 224


@dataclass(frozen=True, eq=False)
class Step:
    """An ascent after one of its steps.

    Parameters
    ----------
    number
        Steps done, from 1.
    steps
        Steps in all.
    activations
        ``(filters,)``: what was maximised, on the images before this step, as they were moved for it.
    """

    number: int
    steps: int
    activations: Array
    _ascent: Ascent

    def images(self) -> Array:
        """Return the images as they are now, ``(filters, rows, cols, channels)``; valid until the next step.

        Signals are ``(filters, steps)``, or ``(filters, steps, channels)`` of several channels.
        """
        images = self._ascent.images()
        return np.stack([signal_shown(one) for one in images]) if self._ascent.signal else images


class Ascent:
    """Images of several filters during an ascent, in one batch.

    Parameters
    ----------
    subject
        The layer and the weights to run with; its input only says what size the model is run at.
    filters
        Indices of the filters, one image each.
    parameters
        Coordinates of the images.
    start
        ``(filters, rows, cols, channels)`` coordinates to begin with.
    seed
        Of the movements.
    pixel
        The pixel of the map whose activation counts; None for the map's mean.
    smoothness
        Weight of the total variation (Nguyen et al. 2016, Mahendran and Vedaldi 2015) of the image, its values from 0
        to 1: the mean magnitude of the difference between neighbours.
    """

    def __init__(
        self,
        subject: Subject,
        filters: Sequence[int],
        parameters: Parameters,
        start: Array,
        *,
        seed: int = 0,
        pixel: tuple[int, int] | None = None,
        smoothness: float = 0.1,
    ) -> None:
        import keras

        self._subject, self._parameters, self._pixel, self._smoothness = subject, parameters, pixel, smoothness
        self._run = LayerOutputs(subject.model, [subject.call], inputs=subject.inputs)
        self.signal = subject.signal
        self._chosen = np.eye(subject.call.output_shape[2], dtype=np.float32)[:, list(filters)].T
        self._random = np.random.default_rng((seed, 1))
        tensor = keras.ops.convert_to_tensor
        self._state, self._values = self._run.state(), subject.values()
        self._coordinates = tensor(start)
        self._means = [tensor(np.zeros_like(start)), tensor(np.zeros_like(start))]
        self._gradient = value_and_gradient(self._objective)
        self._advance = compiled(_advance)
        self._measure = compiled(lambda *arguments: self._objective(*arguments)[1])
        self._draw = compiled(lambda x: parameters.in_range(parameters.unit_images(x)))

    def run(self, steps: int) -> Iterator[Step]:
        """Ascend, and yield after every step."""
        import keras

        rows, cols, _ = self._parameters.shape
        for number in range(1, steps + 1):
            moves = random_movement(rows, cols, self._random)
            _, activations, (gradient,) = self._gradient([self._coordinates], *self._given(moves))
            with without_gradients():
                rate = keras.ops.convert_to_tensor(np.array(_rate(number, max(rows, cols)), np.float32))
                self._coordinates, *self._means = self._advance(self._coordinates, *self._means, gradient, rate)
            yield Step(number, steps, np.array(to_numpy(activations)), self)

    def images(self) -> Array:
        """Return the images in the model's range, ``(filters, rows, cols, channels)``."""
        with without_gradients():
            return np.array(to_numpy(self._draw(self._coordinates)))

    def activations(self) -> Array:
        """Return what was maximised, on the images as they are, ``(filters,)``."""
        rows, cols, _ = self._parameters.shape
        with without_gradients():
            return np.array(to_numpy(self._measure([self._coordinates], *self._given(no_movement(rows, cols)))))

    def _given(self, moves: Any) -> tuple[Any, ...]:
        import keras

        tensor = keras.ops.convert_to_tensor
        return tensor(moves.indices), tensor(moves.shares), self._state, self._values

    def _objective(
        self, coordinates: list[Any], indices: Any, shares: Any, state: list[Any], values: list[Any]
    ) -> tuple[Any, Any]:
        import keras

        ops = keras.ops
        unit = self._parameters.unit_images(coordinates[0])
        x = self._parameters.in_range(moved(unit, indices, shares))
        x = self._run.as_tensor_input(x)
        (output,) = self._run(x, state, self._subject.replaced(values)).layers
        activation, pre = (self._of_filter(one) for one in (output.activation, output.pre_activation))
        # Where a rectifier returns 0 in the whole map, its gradient is 0; that of its argument is not.
        silent = ops.stop_gradient(ops.cast(ops.equal(activation, 0), pre.dtype))
        climbed = ops.sum(activation + silent * pre)
        rows, cols, _ = self._parameters.shape
        # The one row of a signal has no neighbour.
        differences = [unit[:, 1:] - unit[:, :-1]] if rows > 1 else []
        differences += [unit[:, :, 1:] - unit[:, :, :-1]] if cols > 1 else []
        for one in differences:
            climbed -= self._smoothness * ops.sum(ops.mean(ops.abs(one), axis=(1, 2, 3)))
        return climbed, activation

    def _of_filter(self, maps: Any) -> Any:
        """Return each image's activation of its own filter, ``(filters,)``."""
        import keras

        ops = keras.ops
        maps = ops.cast(maps, "float32")
        each = ops.mean(maps, axis=(1, 2)) if self._pixel is None else maps[:, self._pixel[0], self._pixel[1], :]
        return ops.sum(ops.multiply(each, self._chosen), axis=-1)


def _rate(number: int, side: int) -> float:
    """Return Adam's rate with its correction for the averages' beginning at zero."""
    return float(_RATE * np.sqrt(_PIXELS / side) * np.sqrt(1 - _SECOND**number) / (1 - _FIRST**number))


def _advance(coordinates: Any, first: Any, second: Any, gradient: Any, rate: Any) -> tuple[Any, Any, Any]:
    import keras

    first = _FIRST * first + (1 - _FIRST) * gradient
    second = _SECOND * second + (1 - _SECOND) * gradient * gradient
    return coordinates + rate * first / (keras.ops.sqrt(second) + _TINY), first, second
