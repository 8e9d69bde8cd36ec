"""Running a whole model with other weights in some of its layers: one trace serves every layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from convlens.layers.keras_internals import layers_within
from convlens.layers.stateless_call import compiled, unchanged, uncompiled, without_gradients

if TYPE_CHECKING:
    import keras

    from convlens.models.model_inputs import ModelInputs


class Predictor:
    """A model as a function of its input and of the weights of its convolutions, traced once where a back end traces.

    One trace per layer would take 2 to 6 seconds and 34 to 76 MB each on networks of `keras.applications`. The trace
    never holds an edited weight, because all weights that can be edited are its arguments. It is made after the model
    was recorded, so that functions which the model compiles by itself are traced with the model's own weights.

    Parameters
    ----------
    model
        Built, and recorded on an input of the shape that this will be called with.
    layers
        Those whose weights may be replaced.
    inputs
        How the model is called.
    """

    def __init__(self, model: keras.Model, layers: Sequence[keras.layers.Layer], inputs: ModelInputs) -> None:
        import keras

        self._model, self._inputs = model, inputs
        jax = keras.backend.backend() == "jax"
        # A function that JAX compiled would keep values that are not passed to it.
        variables = model.variables if jax else [variable for layer in layers for variable in layer.weights]
        self._variables = list({id(variable): variable for variable in variables}.values())
        # PyTorch runs the model's Python code every time.
        self._traces = keras.backend.backend() in ("tensorflow", "jax")
        self._traced: Callable[..., Any] | None = None

    def __call__(self, x: list[Any], weights: Mapping[int, Any]) -> Any:
        """Return the model's output.

        Parameters
        ----------
        x
            The inputs, as `ModelInputs.tensors` has them: a batch of one.
        weights
            By id of the variable; all others have the values that the model has now.
        """
        values = [weights.get(id(variable), variable.value) for variable in self._variables]
        if self._traced is not None:
            with without_gradients():
                return self._traced(x, values)
        with unchanged(layers_within(self._model)), without_gradients(), uncompiled():
            if self._traces:
                traced = compiled(self._run)
                try:
                    output = traced(x, values)
                except Exception:
                    # Code that reads values can be run, but not traced. Any other error is raised by the run as well.
                    self._traces = False
                else:
                    self._traced = traced
                    return output
            return self._run(x, values)

    def _run(self, x: Sequence[Any], values: Sequence[Any]) -> Any:
        import keras

        with keras.StatelessScope(list(zip(self._variables, values, strict=True))):
            return self._inputs.call(self._model, x)
