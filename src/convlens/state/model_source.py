"""A layer inside the user's model, and what one recording of the model gives to all of its layers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from convlens.arrays import as_array
from convlens.filters import FilterList
from convlens.images import Image, read_image, resize
from convlens.sources import Plan, Source, filters_of, weights_of

if TYPE_CHECKING:
    from convlens.geometry import Geometry
    from convlens.layers import ConvLayer
    from convlens.models import ConvModel, Found, Predictions
    from convlens.receptive import ReceptiveField

_IN_PLACE = "This takes it that preprocess= leaves every pixel in its place."


class Feeding:
    """A model, and what happened when it was last fed: one recording serves every layer that is opened on that image.

    Parameters
    ----------
    model
        A Keras model that takes one image.
    preprocess
        From a float32 copy of the image, ``(rows, cols, channels)``, to what the model takes, with or without the batch
        axis. None where the model takes the image as it is.
    """

    def __init__(self, model: Any, preprocess: Callable[[Any], Any] | None) -> None:
        self.model = model
        self._preprocess = preprocess
        self._last: tuple[Image, ConvModel] | None = None
        #: Whether the model was recorded with weights in it that the lens had written.
        self._last_written = False
        self._before: dict[int, tuple[Any, list[np.ndarray]]] = {}
        self._applied: set[int] = set()

    def read_image(self, value: Any) -> Image:
        """Read an image in the values it has, with the channels and the size that the model takes."""
        from convlens.models import expected_input

        rows, cols, channels = expected_input(self.model)
        image = read_image(value, channels=None if self._preprocess else channels, scale=False)
        if self._preprocess is not None and _fits(np.shape(self._prepared(image))[1:], (rows, cols, channels)):
            return image
        if self._preprocess is not None and channels is not None and image.shape[2] != channels:
            image = read_image(value, channels=channels, scale=False)
        if rows is not None and cols is not None:
            image = resize(image, rows, cols)
        return image

    def record(self, image: Image) -> ConvModel:
        """Run the model on an image, once."""
        from convlens.models import ConvModel

        if self._last is None or self._last[0] is not image:
            self._last = (image, ConvModel(self.model, self._prepared(image)))
            self._last_written = bool(self._applied)
        return self._last[1]

    def receptive_field(self, image: Image, path: str, row: int, col: int) -> ReceptiveField:
        """Return the part of the image that a pixel of a layer's maps may depend on."""
        from convlens.receptive import ReceptiveField

        recorded = self.record(image)
        field = recorded.receptive_field(path, row, col)
        if self._preprocess is None or field.rows is None or field.cols is None:
            return field
        rows, cols = recorded.input_size
        if (rows, cols) == image.shape[:2]:
            return replace(field, note=f"{field.note} {_IN_PLACE}".strip())
        (top, bottom), (left, right) = field.rows, field.cols
        return ReceptiveField(
            note=f"The pixel depends on rows {top} to {bottom}, cols {left} to {right} of the {rows} × {cols} pixels "
            "that preprocess= makes of the image. Which pixels of the image those are, preprocess alone knows."
        )

    def opened(self, layer: Any) -> None:
        """Remember the weights that a layer has when it is opened first."""
        self._before.setdefault(id(layer), (layer, weights_of(layer)))

    def unedited(self, layer: Any, weights: Sequence[np.ndarray]) -> bool:
        """Whether a layer had these weights when it was opened first, and the lens has written into none since."""
        opened = self._before.get(id(layer))
        if opened is None or self._applied:
            return False
        return all(map(functools.partial(np.array_equal, equal_nan=True), opened[1], weights))

    def applied(self, layer: Any) -> None:
        """Note that the lens wrote into a layer."""
        self._applied.add(id(layer))

    def restore(self, layer: Any) -> None:
        """Put back the weights of a layer, and of every other that the lens wrote into."""
        for key in {id(layer), *self._applied}:
            written, weights = self._before[key]
            written.set_weights(weights)
        self._applied.clear()
        if self._last_written:
            self._last = None

    def forget(self) -> None:
        """Look at the model as it is now."""
        self._last = None
        self._before.clear()
        self._applied.clear()

    def _prepared(self, image: Image) -> Any:
        copy = image.values.copy()
        made = copy if self._preprocess is None else as_array(self._preprocess(copy), "what preprocess returned")
        batch = made[np.newaxis] if made.ndim == 3 else made
        if batch.ndim != 4 or batch.shape[0] != 1:
            raise ValueError(
                f"preprocess returned an array of shape {made.shape}; expected (rows, cols, channels), "
                "or (1, rows, cols, channels)."
            )
        return batch


class InModel(Source):
    """A convolution layer inside the user's model, fed with what the model makes of the image on its way there."""

    def __init__(self, feeding: Feeding, image: Image, path: str) -> None:
        recorded = feeding.record(image)
        self.layers = tuple(recorded.layers)
        self.path = recorded.find(path).path
        self._feeding = feeding
        self._layer = recorded.find(path).layer
        feeding.opened(self._layer)
        self._open: tuple[Image, ConvLayer] | None = None

    def found(self, image: Image) -> Sequence[Found]:
        """See `Source.found`."""
        return self._feeding.record(image).found

    @property
    def layer(self) -> Any:
        """See `Source.layer`."""
        return self._layer

    def again(self, image: Image, anew: bool) -> Source:
        """See `Source.again`."""
        if anew:
            self._feeding.forget()
        return InModel(self._feeding, image, self.path)

    def conv(self, image: Image) -> ConvLayer:
        """Return the layer, fed with its input on this image."""
        if self._open is None or self._open[0] is not image:
            self._open = (image, self._feeding.record(image).open(self.path))
        return self._open[1]

    def own_filters(self, image: Image, names: Any = None) -> FilterList:
        """See `Source.own_filters`."""
        return filters_of(self.conv(image), names)

    def plan(self, image: Image, filters: FilterList) -> Plan:
        """See `Source.plan`."""
        conv = self.conv(image)
        return Plan(conv.geometry, lambda: conv, np.array_equal(conv.input, image.values, equal_nan=True))

    def read_image(self, value: Any, channels: int | None) -> Image:
        """Read an image as the model takes it; `channels` are the model's own affair."""
        return self._feeding.read_image(value)

    def receptive_field(self, image: Image, geometry: Geometry, row: int, col: int) -> ReceptiveField:
        """See `Source.receptive_field`."""
        return self._feeding.receptive_field(image, self.path, row, col)

    def require_bias(self) -> None:
        """Raise where the layer has no bias."""
        if not self._layer.use_bias:
            raise ValueError(f"Layer {self.path!r} has use_bias=False, so there is no bias to set.")

    def require_own_list(self, what: str) -> None:
        """Raise: other layers of the model count on the filters as they are."""
        raise ValueError(
            f"The {what} cannot be changed inside a model: the next layer counts on it. "
            "To switch a filter off, set its kernel and its bias to 0."
        )

    def opened(self, path: str) -> Source:
        """Return the source that looks at another layer of the model, on the image last recorded."""
        assert self._open is not None
        return InModel(self._feeding, self._open[0], path)

    def predict(self, filters: FilterList) -> Predictions:
        """Return the model's output with its own and with these weights."""
        from convlens.models import Predictions

        assert self._open is not None
        image, conv = self._open
        recorded = self._feeding.record(image)
        # Then the model has run with these very weights, and would take as long again to return the same.
        if self._feeding.unedited(self._layer, conv.weights(filters.kernels, filters.bias, filters.pointwise)):
            return Predictions(recorded.output, recorded.output)
        return recorded.predict(self.path, filters.kernels, filters.bias, filters.pointwise)

    def applied(self) -> None:
        """See `Source.applied`."""
        self._feeding.applied(self._layer)

    def restore(self) -> None:
        """Put back the weights that this layer, and others that the lens wrote into, had when they were opened."""
        self._feeding.restore(self._layer)


def _fits(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    return all(want is None or have == want for have, want in zip(shape, expected, strict=True))
