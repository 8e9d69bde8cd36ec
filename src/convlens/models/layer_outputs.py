"""A model as a function of tensors that can be traced and differentiated: what it and its layers return."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from convlens.layers.keras_internals import layers_within
from convlens.layers.layer_kinds import kind_of
from convlens.layers.stateless_call import shadowed, unchanged, uncompiled
from convlens.models.find_layers import FoundCall, channels_first, paths_of
from convlens.models.image_input import as_fed, takes_signal
from convlens.models.model_inputs import ModelInputs, read_inputs

if TYPE_CHECKING:
    import keras

#: Activation functions of a last layer whose argument is the score that the published methods differentiate.
_LAST_ACTIVATIONS = ("softmax", "sigmoid")


class LayerOutput(NamedTuple):
    """What a call of a layer returned, ``(batch, rows, cols, filters)``, and what its activation function was given.

    A layer over signals has one row, whose columns are the steps.
    """

    pre_activation: Any
    activation: Any


class Outputs(NamedTuple):
    """What a run of a model returned.

    Parameters
    ----------
    layers
        One for each call that was requested.
    whole
        The model's own output, in the structure that it returns; None where the run ended at the last requested layer.
    scores
        For each tensor among the model's outputs the argument of the softmax or sigmoid that made it, or the tensor.
    """

    layers: tuple[LayerOutput, ...]
    whole: Any
    scores: tuple[Any, ...]


class LayerOutputs:
    """A model run up to some of its layers, or through to its end, with weights other than its own where wanted.

    Nothing of the model is changed. Instances may be called inside a trace of any back end. A signal is a picture of
    one row here.

    Parameters
    ----------
    model
        Built.
    calls
        The calls of convolution layers whose outputs are wanted, as `ConvModel.found` has them.
    to_the_end
        Whether the model's own output is wanted too. Without it the run ends after the last of the calls.
    inputs
        Where images go, and the other inputs, which accompany each image; None for a model of one.
    """

    def __init__(
        self,
        model: keras.Model,
        calls: Sequence[FoundCall],
        *,
        to_the_end: bool = False,
        inputs: ModelInputs | None = None,
    ) -> None:
        self.model = model
        self.calls = tuple(calls)
        self._to_the_end = to_the_end
        self.channels_first = channels_first(paths_of(model))
        self._inputs = inputs or read_inputs(model)
        self._rank = len(self._inputs.shape)
        #: Whether the model takes a signal.
        self.signal = takes_signal(model, self._inputs)

    @property
    def captured(self) -> list[Any]:
        """Variables whose values a trace would keep, and which must therefore be its arguments: all of them on JAX."""
        import keras

        return list(self.model.variables) if keras.backend.backend() == "jax" else []

    def state(self) -> list[Any]:
        """Return the values of `captured`."""
        return [variable.value for variable in self.captured]

    def as_input(self, x: np.ndarray) -> np.ndarray:
        """Return a batch ``(batch, rows, cols, channels)`` as the model takes it, float32."""
        return as_fed(x, self._rank, channels_first=self.channels_first, signal=self.signal)

    def as_tensor_input(self, x: Any) -> Any:
        """Return a tensor ``(batch, rows, cols, channels)`` as the model takes it, for gradients to go through."""
        from keras import ops

        if self._rank == 3 and self.signal:
            return ops.moveaxis(x[:, 0], -1, 1) if self.channels_first else x[:, 0]
        if self._rank == 3:
            return x[..., 0]
        if self._rank == 2:
            return ops.reshape(x, (x.shape[0], -1))
        return ops.moveaxis(x, -1, 1) if self.channels_first else x

    def as_image(self, fed: np.ndarray, shape: Sequence[int]) -> np.ndarray:
        """Return an array of the model's input shape as a batch of images: the inverse of `as_input`.

        Parameters
        ----------
        shape
            ``(batch, rows, cols, channels)``.
        """
        moved = self.channels_first and (self._rank == 4 or (self._rank == 3 and self.signal))
        return (np.moveaxis(fed, 1, -1) if moved else fed).reshape(shape)

    def __call__(
        self,
        x: Any,
        state: Sequence[Any] = (),
        weights: Sequence[tuple[Any, Any]] = (),
        change: Callable[[int, Any], Any] | None = None,
    ) -> Outputs:
        """Run the model.

        Parameters
        ----------
        x
            A batch of images in the model's own data format; see `as_input`.
        state
            Values of `captured`.
        weights
            Pairs of a variable and the value to use in its place.
        change
            Called with the position of a call and what its layer returned, in the layer's own data format; the model
            goes on with what it returns.
        """
        import keras

        layers = layers_within(self.model)
        found: dict[int, LayerOutput] = {}
        last: list[tuple[Any, Any]] = []
        replaced = [*zip(self.captured, state, strict=True), *weights]
        whole = None
        with ExitStack() as stack:
            stack.enter_context(unchanged(layers))
            self._watch(stack, found, change)
            if self._to_the_end:
                _note_last(stack, layers, last)
            stack.enter_context(uncompiled())
            stack.enter_context(keras.StatelessScope(replaced))
            stack.enter_context(suppress(_Enough))
            whole = self._inputs.call(self.model, self._inputs.tensors(x))
        if missing := [call.path for position, call in enumerate(self.calls) if position not in found]:
            raise RuntimeError(
                f"Model {self.model.name!r} did not call {missing[0]!r}: its calls differ from run to run."
            )
        tensors = [] if whole is None else keras.tree.flatten(whole)
        scores = tuple(next((before for before, after in last if after is one), one) for one in tensors)
        return Outputs(tuple(found[position] for position in range(len(self.calls))), whole, scores)

    def _watch(self, stack: ExitStack, found: dict[int, LayerOutput], change: Callable[[int, Any], Any] | None) -> None:
        wanted = {(id(call.layer), call.use): position for position, call in enumerate(self.calls)}
        uses: dict[int, int] = {}

        def watch(layer: Any) -> None:
            original: Callable[..., Any] = layer.call
            original_activation: Any = getattr(layer, "activation", None)
            given: list[Any] = []

            def activate(tensor: Any) -> Any:
                given.append(tensor)
                return original_activation(tensor)

            def call(*args: Any, **kwargs: Any) -> Any:
                use = uses[id(layer)] = uses.get(id(layer), 0) + 1
                given.clear()
                result = original(*args, **kwargs)
                position = wanted.get((id(layer), use))
                if position is None:
                    return result
                if change is not None:
                    result = change(position, result)
                found[position] = LayerOutput(
                    *(_channels_last(layer, tensor) for tensor in (given[-1] if given else result, result))
                )
                if len(found) == len(wanted) and not self._to_the_end:
                    raise _Enough
                return result

            if original_activation is not None:
                stack.enter_context(shadowed(layer, "activation", activate))
            stack.enter_context(shadowed(layer, "call", call))

        for layer in {id(call.layer): call.layer for call in self.calls}.values():
            watch(layer)


class _Enough(BaseException):
    """Ends a run that has all it was made for; not an ``Exception``, so that no layer catches and rewrites it."""


def _channels_last(layer: Any, tensor: Any) -> Any:
    import keras

    first, kind = layer.data_format == "channels_first", kind_of(layer)
    if kind is not None:
        tensor = kind.from_layer(tensor, channels_first=first)
    return keras.ops.moveaxis(tensor, 1, -1) if first else tensor


def _note_last(stack: ExitStack, layers: Sequence[Any], last: list[tuple[Any, Any]]) -> None:
    """Record the input and the output of every softmax and sigmoid."""
    import keras

    functions = [getattr(keras.activations, name) for name in _LAST_ACTIVATIONS]

    def noting(function: Callable[..., Any]) -> Callable[..., Any]:
        def note(tensor: Any, *args: Any, **kwargs: Any) -> Any:
            result = function(tensor, *args, **kwargs)
            last.append((tensor, result))
            return result

        return note

    for layer in layers:
        if isinstance(layer, keras.layers.Softmax):
            stack.enter_context(shadowed(layer, "call", noting(layer.call)))
        elif vars(layer).get("activation") in functions and not isinstance(layer, keras.Model):
            stack.enter_context(shadowed(layer, "activation", noting(layer.activation)))
