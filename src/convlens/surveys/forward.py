"""A traced run of a model that answers with numbers for each image and filter, so that no map leaves the back end."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.layers.stateless_call import compiled, to_numpy, without_gradients
from convlens.maths.arrays import as_array
from convlens.models.conv_model import ConvModel
from convlens.models.image_input import expected_input, takes_signal
from convlens.models.layer_outputs import LayerOutputs
from convlens.models.model_inputs import ModelInputs
from convlens.surveys.windows import Windows

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[np.float32]
Statistic = str | Callable[[Any], Any]


@dataclass(frozen=True)
class Settings:
    """What a survey counts and keeps.

    Parameters
    ----------
    layers
        Paths; None for every convolution.
    top
        Images kept for each filter.
    statistic
        ``"max"``, ``"mean"``, or from ``(batch, rows, cols, filters)``, of signals ``(batch, steps, filters)``, to
        ``(batch, filters)``.
    batch_size
        Images in a batch.
    preprocess
        From ``(rows, cols, channels)`` float32, or a signal as a lens has it, to what the model takes; None for the
        image as it is.
    inputs
        What the model takes besides the image, as `ConvLens` has it; the same for every image.
    """

    layers: tuple[str, ...] | None
    top: int
    statistic: Statistic
    batch_size: int
    preprocess: Callable[[Any], Any] | None
    inputs: Any = None


@dataclass(frozen=True, eq=False)
class Answers:
    """A layer's response to images.

    Parameters
    ----------
    values
        ``(images, filters)``: the statistic.
    places
        ``(images, filters)``: where the map is greatest, counted through its rows.
    """

    values: Array
    places: npt.NDArray[np.int32]


class Forward:
    """A traced run of the model to the deepest of the layers, for images of one shape.

    Parameters
    ----------
    x
        One image as the model takes it, ``(rows, cols, channels)``; of a signal ``(1, steps, channels)``.
    inputs
        Where it goes, and what goes with it.
    """

    def __init__(self, model: keras.Model, settings: Settings, x: Array, inputs: ModelInputs) -> None:
        self._recorded = ConvModel(model, x[np.newaxis], inputs)
        paths = self._recorded.layers if settings.layers is None else list(settings.layers)
        calls = [self._recorded.find(path) for path in paths]
        self.signal = takes_signal(model, inputs)
        # What a layer over signals reads is not a part of an image that could be shown, and the other way round.
        rank, takes, reads = (1, "signals", "images") if self.signal else (2, "images", "signals")
        others = [call.path for call in calls if call.rank != rank]
        calls = [call for call in calls if call.rank == rank]
        if others and (settings.layers is not None or not calls):
            raise ValueError(
                f"The model takes {takes}, and {', '.join(map(repr, others))} read {reads} that it makes of them, "
                "which are not part of the data set. Leave them out of layer=."
            )
        if several := next((call for call in calls if call.batch != 1), None):
            raise ValueError(
                f"Layer {several.path!r} is called with {several.batch} inputs for one image, which cannot be ranked. "
                "Leave it out of layer=."
            )
        self.paths = [call.path for call in calls]
        self._outputs, self._settings = LayerOutputs(model, calls, inputs=inputs), settings
        self._shapes = [(call.output_shape[0], call.output_shape[1]) for call in calls]
        # Of a model that takes any size there may be many traces.
        self._constants = _constants(model) if None not in expected_input(model, inputs) else []
        self._run = compiled(self._reduced)
        self._windows: dict[str, Windows] = {}
        self.shape = x.shape[:2]

    def run(self, x: Array, count: int) -> dict[str, Answers]:
        """Return each layer's response to the first `count` images of a full batch."""
        import keras

        with without_gradients():
            found = self._run(keras.ops.convert_to_tensor(self._outputs.as_input(x)), self._outputs.state())
        answers = {}
        for path, (values, places) in zip(self.paths, found, strict=True):
            numbers = to_numpy(values)
            if callable(self._settings.statistic):
                numbers = self._own_statistic(path, numbers)
            answers[path] = Answers(numbers[:count], to_integers(places)[:count])
        return answers

    def read(self, path: str, places: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Return ``(n, 6)``: row and column of places in a layer's maps, and the windows of what the model is fed."""
        if path not in self._windows:
            shape = self._shapes[self.paths.index(path)]
            self._windows[path] = Windows(partial(self._recorded.receptive_field, path), shape, self.shape)
        rows, cols = np.divmod(places, self._shapes[self.paths.index(path)][1])
        return np.column_stack([rows, cols, self._windows[path].of(rows, cols)])

    def _reduced(self, x: Any, state: list[Any]) -> list[tuple[Any, Any]]:
        import keras

        ops, statistic, found = keras.ops, self._settings.statistic, []
        for layer in self._outputs(x, state, self._constants).layers:
            maps = ops.cast(layer.activation, "float32")
            greatest, places = _greatest(maps)
            means = ops.mean(maps, axis=(1, 2)) if statistic == "mean" else None
            values = maps if callable(statistic) else greatest if means is None else means
            found.append((values, places))
        return found

    def _own_statistic(self, path: str, maps: Array) -> Array:
        assert callable(self._settings.statistic)
        maps, axes = (maps[:, 0], 1) if self.signal else (maps, (1, 2))
        values = as_array(self._settings.statistic(maps), "what statistic returned").astype(np.float32)
        if values.shape != (maps.shape[0], maps.shape[-1]):
            raise StatisticError(
                f"statistic returned shape {values.shape} for the maps of {path!r}, {maps.shape}; expected "
                f"(batch, filters), {(maps.shape[0], maps.shape[-1])}, such as maps.max(axis={axes})."
            )
        return values


#: Bytes of a model's weights up to which they are constants of its trace: TensorFlow keeps several copies of a graph,
#: and none may have more than 2 GB.
_MOST_CONSTANTS = 2**27


def _constants(model: keras.Model) -> list[tuple[Any, npt.NDArray[Any]]]:
    """Return a model's variables with their values where a trace is faster for knowing them.

    TensorFlow then scales a kernel once by the batch normalisation after it, instead of every map. What comes out
    differs from the layer's by rounding alone.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return []
    variables = list(model.variables)
    size = sum(math.prod(variable.shape) * np.dtype(np.float32).itemsize for variable in variables)
    return [(variable, variable.numpy()) for variable in variables] if size <= _MOST_CONSTANTS else []


class StatisticError(ValueError):
    """The user's statistic does not give a number for each image and filter."""


def _greatest(maps: Any) -> tuple[Any, Any]:
    """Return the greatest value of each map, and where it is: the first place of several, counted through its rows.

    The row is looked for by its greatest value, and the place in that row alone.
    """
    from keras import ops

    batch, height, width, filters = (int(n) for n in maps.shape)
    rows = ops.max(maps, axis=2)
    greatest = ops.max(rows, axis=1)
    row = _first(rows, greatest)
    start = (ops.expand_dims(ops.arange(batch, dtype="int32"), 1) * height + row) * (width * filters)
    along = ops.expand_dims(ops.arange(width, dtype="int32") * filters, 1) + ops.arange(filters, dtype="int32")
    line = ops.take(ops.reshape(maps, (-1,)), ops.expand_dims(start, 1) + along)
    return greatest, row * width + _first(line, greatest)


def _first(values: Any, greatest: Any) -> Any:
    """Return the first place along the second axis where `values` are the greatest.

    By comparing: TensorFlow's ``argmax`` takes several times as long.
    """
    from keras import ops

    places = int(values.shape[1])
    left = ops.reshape(ops.arange(places, 0, -1, dtype="float32"), (1, places, 1))
    # Where nothing is equal, which NaN is not even to itself, it is the last place.
    best = ops.max(ops.where(values == ops.expand_dims(greatest, 1), left, ops.ones_like(left)), axis=1)
    return places - ops.cast(best, "int32")


def to_integers(tensor: Any) -> npt.NDArray[np.int32]:
    """Return a tensor of integers as NumPy's."""
    import keras

    return np.asarray(keras.ops.convert_to_numpy(tensor)).astype(np.int32)
