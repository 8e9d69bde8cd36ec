"""A user's model: recording what a convolution layer in it is fed, and predicting with edited weights."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from convlens._calls import (
    SHADOWING,
    compiled,
    is_symbolic,
    shadowed,
    to_numpy,
    unchanged,
    uncompiled,
    without_gradients,
)
from convlens._model_layers import Found, channels_first, expected_input, found_call, paths_of
from convlens._reach import spatial_axes
from convlens.layers import ConvLayer
from convlens.receptive import Graph, ReceptiveField, Untold

if TYPE_CHECKING:
    import keras

__all__ = ["ConvModel", "Found", "Predictions", "expected_input"]

Array = npt.NDArray[np.float32]


class Predictions(NamedTuple):
    """A model's output with its original and with edited weights, ``(classes,)`` each.

    None where the output is not one vector for an image, such as a segmentation or several outputs.
    """

    before: Array | None
    after: Array | None


class ConvModel:
    """A Keras model of any kind, seen as the convolution layers that it calls for one input.

    Nothing of the model is changed: it runs inside ``keras.StatelessScope``, with the ``call`` of its convolution
    layers shadowed for that time.

    Parameters
    ----------
    model
        Built; one input, an image.
    x
        ``(1, rows, cols, channels)``: what the model eats, already preprocessed.

    Raises
    ------
    TypeError
        When `model` is not a Keras model.
    ValueError
        When it is not built, calls no convolution, runs them inside a compiled function, or cannot run on `x`.
    """

    def __init__(self, model: keras.Model, x: np.ndarray) -> None:
        import keras

        size = expected_input(model)
        self.model = model
        self._paths = paths_of(model)
        if not self._paths:
            raise ValueError(
                f"Model {model.name!r} has no convolution layer that can be shown (Conv2D, DepthwiseConv2D, "
                "SeparableConv2D or Conv2DTranspose)."
            )
        x = np.asarray(x, dtype=np.float32)
        if x.ndim != 4 or len(x) != 1 or any(want not in (None, n) for want, n in zip(size, x.shape[1:], strict=True)):
            wanted = ", ".join("any" if n is None else str(n) for n in size)
            raise ValueError(f"Model {model.name!r} takes an image as (1, {wanted}), but was given {x.shape}.")
        self._data_format = "channels_first" if channels_first(self._paths) else "channels_last"
        self._x = keras.ops.convert_to_tensor(np.moveaxis(x, -1, 1) if self._data_format == "channels_first" else x)
        self._predictors: dict[int, Callable[..., Any]] = {}
        self.found: tuple[Found, ...] = ()
        self._graph: Graph | None = None
        self._before = self._look()

    @property
    def output(self) -> Array | None:
        """What the model returned when it was recorded, ``(classes,)``; None where that is not one vector."""
        return self._before

    @property
    def layers(self) -> list[str]:
        """Paths of the convolution layers, in the order in which the model calls them."""
        return [one.path for one in self.found]

    def find(self, path: str) -> Found:
        """Return the call with that path; a ``ValueError`` with the nearest spelling where there is none."""
        for one in self.found:
            if one.path == path:
                return one
        paths = self.layers
        near = difflib.get_close_matches(str(path), paths, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"Model {self.model.name!r} has no convolution layer {path!r}.{hint} It has {', '.join(map(repr, paths))}."
        )

    def open(self, path: str) -> ConvLayer:
        """Return a convolution layer, fed with what it gets inside the model.

        Runs the model up to that layer, once.
        """
        (conv,) = self.open_all([path])
        return conv

    def open_all(self, paths: Sequence[str]) -> list[ConvLayer]:
        """Return several convolution layers, each fed with what it gets inside the model.

        Runs the model up to the last of them, once.
        """
        wanted = [self.find(path) for path in paths]
        convs = {(id(one.layer), one.use): ConvLayer.of(one.layer, one.input_shape, one.path) for one in wanted}
        missing = set(convs)
        uses: dict[int, int] = {}

        def feeding(layer: keras.layers.Layer) -> Callable[..., Any]:
            original = layer.call

            def feed(inputs: Any, *args: Any, **kwargs: Any) -> Any:
                uses[id(layer)] = uses.get(id(layer), 0) + 1
                call = (id(layer), uses[id(layer)])
                if call in missing:
                    convs[call].feed(inputs[:1])
                    missing.remove(call)
                    if not missing:
                        raise _Stopped
                return original(inputs, *args, **kwargs)

            return feed

        try:
            with self._watched({one.layer: feeding(one.layer) for one in wanted}):
                self.model(self._x, training=False)
        except _Stopped:
            return [convs[id(one.layer), one.use] for one in wanted]
        lost = next(one.path for one in wanted if (id(one.layer), one.use) in missing)
        raise RuntimeError(f"Model {self.model.name!r} did not call {lost!r} again: its calls differ from run to run.")

    def predict(
        self, path: str, kernels: Sequence[np.ndarray], bias: np.ndarray, pointwise: np.ndarray | None = None
    ) -> Predictions:
        """Return the model's output with its original weights, and with these in one layer (in all of its uses).

        Parameters
        ----------
        kernels, bias, pointwise
            As for `ConvLayer.run`.
        """
        if self._before is None:
            return Predictions(None, None)
        found = self.find(path)
        weights = ConvLayer.of(found.layer, found.input_shape, path).weights(kernels, bias, pointwise)
        with unchanged(self.model._flatten_layers()), without_gradients(), uncompiled():
            after = self._predictor(found.layer)(self._x, weights)
        return Predictions(self._before, _vector(after))

    @property
    def input_size(self) -> tuple[int, int]:
        """Rows and columns of what the model was fed."""
        rows, cols = (int(self._x.shape[1 + axis]) for axis in spatial_axes(self._data_format))
        return rows, cols

    def receptive_field(self, path: str, row: int, col: int) -> ReceptiveField:
        """Return the part of what the model is fed that a pixel of a layer's maps may depend on."""
        found = self.find(path)
        try:
            if self._graph is None:
                self._graph = Graph(self.model, tuple(self._x.shape[1:]), self._data_format, self.found)
            return self._graph.field(found, row, col)
        except Untold as reason:
            return ReceptiveField(note=f"Which pixels of the image this one depends on is not known: {reason}")

    def _predictor(self, layer: keras.layers.Layer) -> Callable[[Any, Any], Any]:
        import keras

        def run(x: Any, weights: Any) -> Any:
            with keras.StatelessScope(list(zip(layer.weights, weights, strict=True))):
                return self.model(x, training=False)

        predictor = self._predictors.get(id(layer))
        if predictor is None:
            # On TensorFlow a traced ResNet50 takes a fifth of the time, but tracing costs some ten runs. It pays once a
            # layer is edited again; and every trace inside the model exists by then, none is made with edited weights.
            self._predictors[id(layer)] = compiled(run) if keras.backend.backend() == "tensorflow" else run
            return run
        return predictor

    def _look(self) -> Array | None:
        """Run the model once, noting every call of a convolution; return its output."""
        calls: list[Found] = []
        uses: dict[int, int] = {}

        def noting(layer: keras.layers.Layer, path: str) -> Callable[..., Any]:
            original = layer.call

            def note(inputs: Any, *args: Any, **kwargs: Any) -> Any:
                if is_symbolic(inputs):
                    raise _Stopped(error=ValueError(_inside_compiled(self.model, path)))
                use = uses[id(layer)] = uses.get(id(layer), 0) + 1
                try:
                    calls.append(found_call(layer, path, inputs, use))
                except ValueError as error:
                    raise _Stopped(error=error) from None
                return original(inputs, *args, **kwargs)

            return note

        try:
            with self._watched({layer: noting(layer, path) for layer, path in self._paths}):
                output = self.model(self._x, training=False)
        except _Stopped as stopped:
            assert stopped.error is not None
            raise stopped.error from None
        except Exception as error:
            raise ValueError(
                f"Model {self.model.name!r} could not be run on an input of shape {tuple(self._x.shape)}: "
                f"{_plain(error)}\n{self._way_out()}"
            ) from error
        if not calls:
            raise ValueError(
                f"Model {self.model.name!r} ran without calling any of its convolution layers where that could be "
                "seen. Either they are not used, or " + _inside_compiled(self.model, self._paths[0][1])
            )
        self.found = tuple(calls)
        return _vector(output)

    def _way_out(self) -> str:
        import keras

        if channels_first(self._paths) and keras.backend.backend() == "tensorflow":
            return (
                "Its layers are channels_first, which TensorFlow computes on a GPU only. Open it there or with "
                "KERAS_BACKEND=torch or jax, or build it with data_format='channels_last': the weights are the same."
            )
        return "If it needs another size or range, give preprocess= a function that makes what it eats of the image."

    @contextmanager
    def _watched(self, watchers: dict[Any, Callable[..., Any]]) -> Iterator[None]:
        """Shadow the ``call`` of layers while the model runs, and see to it that the run leaves no trace."""
        import keras

        layers = self.model._flatten_layers()
        with ExitStack() as stack:
            stack.enter_context(SHADOWING)
            stack.enter_context(unchanged(layers))
            for layer in layers:
                if not layer.built:
                    stack.enter_context(shadowed(layer, "build", _refuse_to_build(self.model, layer)))
            for layer, watcher in watchers.items():
                stack.enter_context(shadowed(layer, "call", watcher))
            stack.enter_context(without_gradients())
            stack.enter_context(uncompiled())
            stack.enter_context(keras.StatelessScope())
            yield


class _Stopped(BaseException):
    """The run has given what was wanted of it, or cannot; no ``Exception``, so that nothing on its way rewrites it."""

    def __init__(self, error: ValueError | None = None) -> None:
        self.error = error


def _refuse_to_build(model: keras.Model, layer: keras.layers.Layer) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> None:
        error = (
            f"Layer {layer.name!r} of model {model.name!r} is not built yet, and looking at the model must not build "
            "it. Call the model once on an image first: model(np.zeros((1, rows, cols, channels)))."
        )
        raise _Stopped(error=ValueError(error))

    return refuse


def _inside_compiled(model: keras.Model, path: str) -> str:
    return (
        f"layer {path!r} of model {model.name!r} is called inside a compiled function (such as @tf.function "
        "around call), which would keep edited weights for good. Take the decorator off; Keras compiles fit and "
        "predict by itself."
    )


def _plain(error: Exception) -> str:
    """Return the words of an error of Keras's, which come in bold for a terminal."""
    return re.sub(r"\x1b\[[0-9;]*m", "", str(error))


def _vector(output: Any) -> Array | None:
    """Return an output ``(1, classes)`` as a vector, None for any other."""
    shape = getattr(output, "shape", None)
    if shape is None or len(shape) != 2 or shape[0] != 1:
        return None
    vector: Array = to_numpy(output)[0]
    return vector
