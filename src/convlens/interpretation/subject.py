"""What an interpretation is about: one convolution of a model, an input, the weights to run with and a score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.layers.stateless_call import to_numpy
from convlens.models.image_input import is_vector, takes_signal
from convlens.models.outputs import output_names

if TYPE_CHECKING:
    import keras

    from convlens.models.find_layers import FoundCall
    from convlens.models.layer_outputs import Outputs
    from convlens.models.model_inputs import ModelInputs

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Subject:
    """One call of a convolution layer inside a model.

    Parameters
    ----------
    model
        The user's model; it is not changed.
    call
        The call of the layer.
    x
        ``(1, rows, cols, channels)`` float32: what the model is fed; a signal is ``(1, 1, steps, channels)``, a latent
        vector ``(1, 1, numbers, 1)``.
    weights
        One array for each of the layer's variables, used in the place of its own; None for its own.
    inputs
        Where `x` goes, and the other inputs; None for a model of one.
    """

    model: keras.Model
    call: FoundCall
    x: Array
    weights: tuple[np.ndarray, ...] | None = None
    inputs: ModelInputs | None = None

    def __post_init__(self) -> None:
        """Refuse layers that convolve along other axes than those of what the model takes."""
        if (self.call.rank == 1) != self.signal:
            reads, takes = ("pictures", "signals") if self.signal else ("signals", "pictures")
            raise ValueError(
                f"Layer {self.call.path!r} ({self.call.class_name}) reads {reads} that the model makes of the {takes} "
                f"that it takes, so that its maps have no place in them. Open a layer that reads {takes}. Kernels, "
                "maps, explanations and predictions work for this layer too."
            )

    @property
    def signal(self) -> bool:
        """Whether the model takes a signal."""
        return takes_signal(self.model, self.inputs)

    @property
    def of_vector(self) -> bool:
        """Whether the model is fed a latent vector."""
        return is_vector(self.x.shape, self.model, self.inputs)

    def replaced(self, values: Sequence[Any]) -> list[tuple[Any, Any]]:
        """Return the layer's variables, each with the value to use."""
        return list(zip(self.call.layer.weights, values, strict=True))

    def values(self) -> list[Any]:
        """Return the values that the layer's variables have here, as tensors."""
        import keras

        variables = self.call.layer.weights
        own = [v.value for v in variables] if self.weights is None else self.weights
        return [keras.ops.convert_to_tensor(value, dtype=v.dtype) for v, value in zip(variables, own, strict=True)]


@dataclass(frozen=True)
class Target:
    """Which number of a model's outputs is the score.

    Parameters
    ----------
    output
        Position among the model's outputs.
    unit
        Class, or channel where the output is a map, whose pixels are then summed.
    """

    output: int
    unit: int

    def score(self, outputs: Outputs) -> Any:
        """Return the score of each input in the batch: before a final softmax or sigmoid."""
        import keras

        scores = outputs.scores[self.output]
        one = scores[..., self.unit]
        axes = tuple(range(1, len(one.shape)))
        return keras.ops.sum(one, axis=axes) if axes else one


def find_target(model: keras.Model, outputs: Outputs, target: int | None, output: int | str | None) -> Target:
    """Find the score that a user names.

    Parameters
    ----------
    outputs
        Of a run of the model on one image.
    target
        Class; None for that of the greatest score.
    output
        Name or position among the model's outputs; None for the first.

    Raises
    ------
    ValueError
        For a class or an output that the model does not have.
    """
    names = output_names(model, outputs.whole)
    if isinstance(output, str):
        if output not in names:
            raise ValueError(f"Model {model.name!r} has no output {output!r}. It has {', '.join(map(repr, names))}.")
        position = names.index(output)
    else:
        position = 0 if output is None else int(output)
        if not 0 <= position < len(names):
            raise ValueError(f"Model {model.name!r} has {len(names)} outputs; output={output} counts from 0.")
    scores = to_numpy(outputs.scores[position])
    if scores.ndim < 2:
        raise ValueError(
            f"Output {names[position]!r} has the shape {scores.shape}; expected (batch, classes), "
            "(batch, rows, cols, channels) or (batch, steps, channels)."
        )
    units = scores.shape[-1]
    if target is None:
        return Target(position, int(np.argmax(scores[0].reshape(-1, units).sum(axis=0))))
    if not -units <= target < units:
        raise ValueError(
            f"target={target} was given; output {names[position]!r} has {units} classes, 0 to {units - 1}."
        )
    return Target(position, int(target) % units)
