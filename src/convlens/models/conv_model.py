"""A user's model: recording what a convolution layer in it is fed, and predicting with edited weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from convlens.layers.conv_layer import ConvLayer
from convlens.layers.error_text import plain_text
from convlens.layers.keras_internals import layers_within
from convlens.layers.layer_kinds import kind_of, unwrap
from convlens.layers.run_layer import first_of_batch
from convlens.layers.stateless_call import (
    is_symbolic,
    shadowed,
    unchanged,
    uncompiled,
    without_gradients,
)
from convlens.maths.arrays import shortened
from convlens.maths.nearest import nearest
from convlens.maths.receptive_field import ReceptiveField
from convlens.models.edited_kernel import EditedKernel
from convlens.models.find_layers import FoundCall, channels_first, found_call, paths_of, rank_of
from convlens.models.image_input import as_fed, expected_input, is_vector, numbers_taken, takes_signal
from convlens.models.model_inputs import ModelInputs, read_inputs
from convlens.models.outputs import OutputForm, as_picture, chosen, form_of, named_outputs, without_batch
from convlens.models.predictor import Predictor
from convlens.models.reading_rules import ReceptiveFieldUnknown
from convlens.models.receptive_graph import Graph
from convlens.models.weight_snapshot import WeightSnapshot, consistent

if TYPE_CHECKING:
    import keras

__all__ = ["ConvModel", "FoundCall", "Predictions"]

Array = npt.NDArray[np.float32]


class Predictions(NamedTuple):
    """One of a model's outputs with its original and with edited weights, each in the output's own shape.

    ``(classes,)`` for a classifier, ``(rows, cols, channels)`` for a segmentation. None without a model, and where the
    output has no batch axis.
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
        Built; takes an image or a signal, alone or with other inputs.
    x
        ``(1, rows, cols, channels)``: the model's input, preprocessed; for a signal ``(1, 1, steps, channels)``, for a
        latent vector ``(1, 1, numbers, 1)``.
    inputs
        Where `x` goes, and the other inputs; None for a model of one.

    Raises
    ------
    TypeError
        When `model` is not a Keras model.
    ValueError
        When it is not built, calls no convolution, runs them inside a compiled function, or cannot run on `x`.
    """

    def __init__(self, model: keras.Model, x: np.ndarray, inputs: ModelInputs | None = None) -> None:
        import keras

        self._inputs = inputs or read_inputs(model)
        size = expected_input(model, self._inputs)
        self.model = model
        self._paths = paths_of(model)
        if not self._paths:
            raise ValueError(f"Model {model.name!r} has no convolution layer that can be shown.")
        x = np.asarray(x, dtype=np.float32)
        numbers = numbers_taken(model, self._inputs)
        self._vector = is_vector(x.shape, model, self._inputs)
        fits = all(want in (None, n) for want, n in zip(size, x.shape[1:], strict=False))
        fits = fits or self._vector or (size == (1, numbers, 1) and x.size == numbers)
        if x.ndim != 4 or len(x) != 1 or not fits:
            *leading, _, _ = x.shape
            wanted = ", ".join("any" if n is None else str(n) for n in size)
            what = "an image"
            if takes_signal(model, self._inputs):
                what, wanted = "a signal", wanted.partition(", ")[2]
                leading = leading[:-1]
            given = (*leading, *x.shape[-2:])
            raise ValueError(f"Model {model.name!r} takes {what} as (1, {wanted}), but was given {given}.")
        self._data_format = "channels_first" if channels_first(self._paths) else "channels_last"
        #: Rows and columns of the image that the model was fed.
        self.input_size = (x.shape[1], x.shape[2])
        self._rank = len(self._inputs.shape)
        self._signal = takes_signal(model, self._inputs)
        #: How its outputs are read as pictures.
        signal = self._signal or (numbers is not None and all(rank_of(layer) == 1 for layer, _ in self._paths))
        self._axes = {"signal": signal, "channels_first": self._data_format == "channels_first"}
        first = self._data_format == "channels_first"
        fed = as_fed(x, self._rank, channels_first=first, signal=self._signal)
        self._fed = self._inputs.tensors(keras.ops.convert_to_tensor(fed))
        self._predictor = Predictor(model, [layer for layer, _ in self._paths], self._inputs)
        self.found: tuple[FoundCall, ...] = ()
        self._graph: Graph | None = None
        self._edited = EditedKernel()
        self._snapshot, self._before = consistent(lambda: WeightSnapshot(model.weights), self._look)

    @property
    def outputs(self) -> dict[str, OutputForm]:
        """The model's outputs by name, in their order."""
        return {name: form_of(whole, **self._axes) for name, whole in self._before.items()}

    def output(self, choice: str | int | None = None) -> Array | None:
        """Return one of the model's outputs without edits, in its own shape; None where it has no batch axis.

        Weights that the lens itself wrote count as edits, until the model is recorded anew or trained.
        """
        if not self._snapshot.holds(self.model.weights):
            # The model has been trained since: that change must not count as the edit's.
            self._snapshot = WeightSnapshot(self.model.weights)
            self._before = named_outputs(self.model, self._predictor(self._fed, {}))
        return without_batch(chosen(self._before, choice))

    def as_picture(self, values: Array) -> Array | None:
        """Return an output of the model as ``(rows, cols, channels)``, None where it is not a picture."""
        return as_picture(values, **self._axes)

    def like(self, other: ConvModel) -> ConvModel:
        """Run the same model as `other` with its trace, if that was made for inputs of the same shapes."""
        if other.model is self.model and other._inputs.traced_as(self._inputs) and other._shapes() == self._shapes():
            self._predictor, self._edited = other._predictor, other._edited
        return self

    def accept(self, layer: keras.layers.Layer) -> None:
        """Keep the output from before the edits as the original one, although the lens wrote into this layer."""
        self._snapshot.accept(layer.weights)

    @property
    def layers(self) -> list[str]:
        """Paths of the convolution layers, in the order in which the model calls them."""
        return [one.path for one in self.found]

    def find(self, path: str) -> FoundCall:
        """Return the call with that path; a ``ValueError`` with the nearest spelling where there is none."""
        for one in self.found:
            if one.path == path:
                return one
        paths = self.layers
        near = nearest(path, paths, 0.5)
        hint = f" Did you mean {near!r}?" if near else ""
        raise ValueError(
            f"Model {self.model.name!r} has no convolution layer {shortened(path)}.{hint} It has "
            f"{', '.join(map(repr, paths))}."
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
        for one in wanted:
            self._check_opens(one)
        convs = {(id(one.layer), one.use): ConvLayer.of(one.layer, one.input_shape, one.path) for one in wanted}
        missing = set(convs)
        uses: dict[int, int] = {}

        def feeding(layer: keras.layers.Layer) -> Callable[..., Any]:
            original = layer.call

            def feed(inputs: Any, *args: Any, **kwargs: Any) -> Any:
                uses[id(layer)] = uses.get(id(layer), 0) + 1
                call = (id(layer), uses[id(layer)])
                if call in missing:
                    more_args, more = first_of_batch((args, kwargs), len(inputs))
                    convs[call].feed(_picture(layer, inputs[:1]), *more_args, **more)
                    missing.remove(call)
                    if not missing:
                        raise _Stopped
                return original(inputs, *args, **kwargs)

            return feed

        try:
            with self._watched({one.layer: feeding(one.layer) for one in wanted}):
                self._inputs.call(self.model, self._fed)
        except _Stopped:
            # Outside the run, in which the layers' calls are shadowed.
            for conv in convs.values():
                conv.try_once()
            return [convs[id(one.layer), one.use] for one in wanted]
        lost = next(one.path for one in wanted if (id(one.layer), one.use) in missing)
        raise RuntimeError(f"Model {self.model.name!r} did not call {lost!r} again: its calls differ from run to run.")

    def _check_opens(self, call: FoundCall) -> None:
        """Raise where a layer that the model calls cannot be opened, naming those that can."""
        try:
            unwrap(call.layer)
        except TypeError as error:
            others = [one.path for one in self.found if not getattr(one.layer, "lora_enabled", False)]
            if not others:
                raise
            raise TypeError(
                f"{error} Other layers of model {self.model.name!r} can be opened as they are: give layer= one of "
                f"{', '.join(map(repr, others))}."
            ) from None

    def predict(
        self,
        path: str,
        kernels: Sequence[np.ndarray],
        bias: np.ndarray,
        pointwise: np.ndarray | None = None,
        output: str | int | None = None,
    ) -> Predictions:
        """Return the model's output with its original weights, and with these in one layer (in all of its uses).

        Parameters
        ----------
        kernels, bias, pointwise
            As for `ConvLayer.run`.
        output
            Name or index of one of several outputs; the first where none is chosen.
        """
        if self.output(output) is None:
            return Predictions(None, None)
        found = self.find(path)
        conv = ConvLayer.of(found.layer, found.input_shape, path)
        whole = self._edited.tensor(path, found.layer.weights[0], kernels)
        weights = conv.weights(kernels, bias, pointwise, whole=whole)
        edited = {id(own): value for own, value in zip(found.layer.weights, weights, strict=True)}

        def run() -> Predictions:
            after = chosen(named_outputs(self.model, self._predictor(self._fed, edited)), output)
            return Predictions(self.output(output), without_batch(after))

        _, predictions = consistent(lambda: WeightSnapshot(self.model.weights), run)
        return predictions

    def receptive_field(self, path: str, row: int, col: int) -> ReceptiveField:
        """Return the part of what the model is fed that a pixel of a layer's maps may depend on."""
        found = self.find(path)
        try:
            if self._rank != 4 and not (self._signal and self._rank == 3) and not self._vector:
                raise ReceptiveFieldUnknown("the model reshapes its input before the first convolution.")
            if self._graph is None:
                shapes = [shape[1:] for shape in self._shapes()]
                self._graph = Graph(self.model, shapes, self._inputs.image, self._data_format, self.found)
            return self._graph.field(found, row, col)
        except ReceptiveFieldUnknown as reason:
            parts = "numbers of the vector this pixel" if self._vector else "pixels of the image this one"
            return ReceptiveField(note=f"It is not known which {parts} depends on: {reason}")

    def _shapes(self) -> list[tuple[int, ...]]:
        return [tuple(int(n) for n in tensor.shape) for tensor in self._fed]

    def _look(self) -> dict[str, Any]:
        """Run the model, noting every call of a convolution; return its outputs by name."""
        calls: list[FoundCall] = []
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
                output = self._inputs.call(self.model, self._fed)
        except _Stopped as stopped:
            assert stopped.error is not None
            raise stopped.error from None
        except Exception as error:
            what = ", ".join(map(str, self._shapes()))
            raise ValueError(
                f"Model {self.model.name!r} could not be run on {'inputs' if self._inputs.several else 'an input'} of "
                f"shape {what}: {plain_text(error)}\n{self._way_out()}"
            ) from error
        if not calls:
            raise ValueError(
                f"Model {self.model.name!r} ran, but no call of its convolution layers could be seen. "
                "Either they are not used, or " + _inside_compiled(self.model, self._paths[0][1])
            )
        self.found = tuple(calls)
        return named_outputs(self.model, output)

    def _way_out(self) -> str:
        import keras

        if channels_first(self._paths) and keras.backend.backend() == "tensorflow":
            return (
                "Its layers are channels_first, which TensorFlow computes on a GPU only. Open it there or with "
                "KERAS_BACKEND=torch or jax, or build it with data_format='channels_last': the weights are the same."
            )
        return (
            "If it needs another size or range, give preprocess= a function that converts the image to the model's "
            f"input{', and inputs= the other inputs as its call takes them' if self._inputs.several else ''}."
        )

    @contextmanager
    def _watched(self, watchers: dict[Any, Callable[..., Any]]) -> Iterator[None]:
        """Shadow the ``call`` of layers while the model runs, and undo afterwards what the run changed."""
        import keras

        layers = layers_within(self.model)
        with ExitStack() as stack:
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


def _picture(layer: keras.layers.Layer, inputs: Any) -> Any:
    """Return what a layer is fed as a batch of pictures, also for a layer over signals."""
    kind = kind_of(layer)
    assert kind is not None
    return kind.from_layer(inputs, channels_first=layer.data_format == "channels_first")


class _Stopped(BaseException):
    """Ends a run that has, or cannot get, all it was made for; not an ``Exception``, so that no layer rewrites it."""

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
        "around call), which would keep edited weights for good. Remove the decorator; Keras compiles fit and "
        "predict by itself."
    )
