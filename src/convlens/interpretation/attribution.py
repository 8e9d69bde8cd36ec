"""What a model's output depends on, by published methods, at one of its convolution layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.interpretation.gradients_backend import value_and_gradient
from convlens.interpretation.subject import Subject, Target, find_target
from convlens.layers.stateless_call import compiled, to_numpy, without_gradients
from convlens.models.layer_outputs import LayerOutputs

Array = npt.NDArray[np.float32]

#: SmoothGrad's own recommendation: the noise's standard deviation as a part of the input's range.
_NOISE = 0.15
_SAMPLES = 25
_BATCH = 8


@dataclass(frozen=True, eq=False)
class Gradients:
    """Derivatives of one score of a model; those of a signal have one row.

    Parameters
    ----------
    score
        Before a final softmax or sigmoid.
    target
        Its class.
    weights
        With respect to each of the layer's variables, in Keras's order and shapes, all uses of the layer together.
    maps
        With respect to the layer's maps, ``(filters, rows, cols)``, at this call alone.
    activations
        The maps, ``(filters, rows, cols)``.
    image
        With respect to the model's input, ``(rows, cols, channels)``.
    """

    score: float
    target: int
    weights: tuple[Array, ...]
    maps: Array
    activations: Array
    image: Array


class Attribution:
    """The methods, on one subject and one score.

    Parameters
    ----------
    subject
        What is interpreted.
    target
        Class; None for that of the greatest score.
    output
        Name or position among the model's outputs; None for the first.
    """

    def __init__(self, subject: Subject, target: int | None = None, output: int | str | None = None) -> None:
        self._subject = subject
        self._gradients: Gradients | None = None
        self._scores: Callable[..., Any] | None = None
        self._run = LayerOutputs(subject.model, [subject.call], to_the_end=True, inputs=subject.inputs)
        with without_gradients():
            outputs = self._run(self._input(subject.x), self._run.state(), subject.replaced(subject.values()))
        if outputs.layers[0].activation.shape[0] != 1:
            raise ValueError(
                f"Layer {subject.call.path!r} is called with {outputs.layers[0].activation.shape[0]} inputs for one "
                "image, and it is not known which of them the score depends on."
            )
        self.target: Target = find_target(subject.model, outputs, target, output)

    def gradients(self) -> Gradients:
        """Return the derivatives of the score with respect to weights, maps and image."""
        if self._gradients is None:
            self._gradients = self._differentiated()
        return self._gradients

    def _differentiated(self) -> Gradients:
        import keras

        shape = self._maps_shape()
        x, zeros = self._input(self._subject.x), keras.ops.zeros(shape, dtype=self._dtype())

        def score(tensors: list[Any], state: list[Any]) -> tuple[Any, Any]:
            image, added, *values = tensors
            outputs = self._run(image, state, self._subject.replaced(values), change=lambda _, maps: maps + added)
            return keras.ops.sum(self.target.score(outputs)), outputs.layers[0].activation

        differentiate = value_and_gradient(score)
        value, maps, found = differentiate([x, zeros, *self._subject.values()], self._run.state())
        by_image, by_maps, *by_weights = (to_numpy(one) for one in found)
        return Gradients(
            score=float(to_numpy(value)),
            target=self.target.unit,
            weights=tuple(np.array(one) for one in by_weights),
            maps=self._maps_of(by_maps)[0],
            activations=np.array(np.moveaxis(to_numpy(maps)[0], -1, 0)),
            image=self._image_of(by_image)[0],
        )

    def map(self, method: str, seed: int = 0) -> Array:
        """Return a map of what the score depends on.

        Parameters
        ----------
        method
            ``"gradcam"`` (Selvaraju et al. 2017), ``"gradcam++"`` (Chattopadhay et al. 2018) and ``"ablation"``
            (Ablation-CAM: Desai and Ramaswamy 2020) weigh the layer's maps, and are of the maps' size;
            ``"gradients"`` (Simonyan et al. 2014: the largest magnitude among the channels) and ``"smoothgrad"``
            (Smilkov et al. 2017: 25 samples of noise of 15 % of the input's range) are of the input's size.
        seed
            Of SmoothGrad's noise.

        Returns
        -------
        numpy.ndarray
            ``(rows, cols)`` float32, none below 0; of a signal ``(1, steps)``.

        Raises
        ------
        ValueError
            For another method.
        """
        methods: dict[str, Callable[[], Array]] = {
            "gradcam": self._gradcam,
            "gradcam++": self._gradcam_plus_plus,
            "gradients": lambda: np.asarray(np.abs(self.gradients().image).max(axis=-1)),
            "smoothgrad": lambda: self._smoothgrad(seed),
            "ablation": self._ablation_cam,
        }
        if method not in methods:
            raise ValueError(f"method={method!r} was given; expected one of {', '.join(map(repr, methods))}.")
        return np.ascontiguousarray(methods[method](), dtype=np.float32)

    def losses(self, chosen: range | None = None) -> Array:
        """Return what the score loses when a filter's map is set to zero, one filter at a time: all, or `chosen`."""
        filters = self._subject.call.output_shape[2]
        shape = [1] * len(self._maps_shape())
        shape[1 if self._first else -1] = filters

        def score(x: Any, kept: Any, state: list[Any], values: list[Any]) -> Any:
            outputs = self._run(x, state, self._subject.replaced(values), change=lambda _, maps: maps * kept)
            return self.target.score(outputs)

        if self._scores is None:
            self._scores = compiled(score)
        run, state, values = self._scores, self._run.state(), self._subject.values()
        chosen = range(filters) if chosen is None else chosen
        # One row of masks more, which keeps all filters.
        masks = np.ones((len(chosen) + 1, filters), np.float32)
        masks[np.arange(len(chosen)), list(chosen)] = 0
        count = min(_BATCH, filters + 1)
        x = self._input(np.repeat(self._subject.x, count, axis=0))
        scores: list[Array] = []
        with without_gradients():
            for start in range(0, len(masks), count):
                rows = np.minimum(np.arange(start, start + count), len(chosen))
                kept = masks[rows].reshape(count, *shape[1:])
                scores.append(to_numpy(run(x, self._tensor(kept), state, values)))
        found = np.concatenate(scores)
        return np.array(found[len(chosen)] - found[: len(chosen)])

    def _gradcam(self) -> Array:
        one = self.gradients()
        weights = one.maps.mean(axis=(1, 2), dtype=np.float64)
        return _rectified(weights, one.activations)

    def _gradcam_plus_plus(self) -> Array:
        one = self.gradients()
        g, maps = one.maps.astype(np.float64), one.activations.astype(np.float64)
        # The paper's derivatives of exp(score) have a common factor, exp(score), which only scales the map.
        below = 2 * g**2 + maps.sum(axis=(1, 2), keepdims=True) * g**3
        shares = np.divide(g**2, below, out=np.zeros_like(g), where=below != 0)
        weights = (shares * np.maximum(g, 0)).sum(axis=(1, 2))
        return _rectified(weights, maps)

    def _ablation_cam(self) -> Array:
        one = self.gradients()
        # The paper divides by the score, which may be 0 or negative before a softmax: that only scales the map.
        return _rectified(self.losses().astype(np.float64), one.activations)

    def _smoothgrad(self, seed: int) -> Array:
        import keras

        def score(tensors: list[Any], state: list[Any], values: list[Any]) -> tuple[Any, Any]:
            outputs = self._run(tensors[0], state, self._subject.replaced(values))
            scores = self.target.score(outputs)
            return keras.ops.sum(scores), scores

        differentiate, values = value_and_gradient(score), self._subject.values()
        total = np.zeros(self._subject.x.shape[1:], dtype=np.float64)
        for noise in smoothgrad_noise(self._subject.x, seed):
            _, _, (gradient,) = differentiate([self._input(self._subject.x + noise)], self._run.state(), values)
            total += self._image_of(to_numpy(gradient))[0]
        return np.asarray(np.abs(total / _SAMPLES).max(axis=-1), dtype=np.float32)

    def _maps_shape(self) -> tuple[int, ...]:
        """Return the shape of the layer's maps as it returns them."""
        rows, cols, filters = self._subject.call.output_shape
        along = (cols,) if self._subject.call.rank == 1 else (rows, cols)
        return (1, filters, *along) if self._first else (1, *along, filters)

    def _maps_of(self, maps: np.ndarray) -> Array:
        """Return maps as the layer returns them as ``(batch, filters, rows, cols)``."""
        maps = np.moveaxis(maps, 1 if self._first else -1, 1)
        return np.array(maps[:, :, np.newaxis] if self._subject.call.rank == 1 else maps)

    @property
    def _first(self) -> bool:
        return bool(self._subject.call.layer.data_format == "channels_first")

    def _dtype(self) -> str:
        return str(self._subject.call.layer.compute_dtype)

    def _input(self, x: np.ndarray) -> Any:
        return self._tensor(self._run.as_input(x))

    def _tensor(self, values: np.ndarray) -> Any:
        import keras

        return keras.ops.convert_to_tensor(values)

    def _image_of(self, x: np.ndarray) -> Array:
        """Return a gradient with respect to the model's input as ``(batch, rows, cols, channels)``."""
        return np.array(self._run.as_image(x, self._subject.x.shape))


def _rectified(weights: npt.NDArray[np.float64], maps: np.ndarray) -> Array:
    """Return the weighted sum of maps ``(filters, rows, cols)``, what is below 0 set to 0."""
    return np.asarray(np.maximum(np.tensordot(weights, maps, 1), 0), dtype=np.float32)


def smoothgrad_noise(x: np.ndarray, seed: int) -> list[Array]:
    """Return the noise of SmoothGrad's samples, each shaped as `x`."""
    spread = _NOISE * float(x.max() - x.min())
    random = np.random.default_rng(seed)
    return [random.normal(0, spread, x.shape).astype(np.float32) for _ in range(_SAMPLES)]


def enlarge(values: Array, rows: int, cols: int) -> Array:
    """Return a map resampled to ``rows × cols``, bilinear."""
    import PIL.Image

    if values.shape == (rows, cols):
        return values
    picture = PIL.Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.array(picture.resize((cols, rows), PIL.Image.Resampling.BILINEAR), dtype=np.float32)
