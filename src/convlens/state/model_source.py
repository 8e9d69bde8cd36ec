"""A layer inside the user's model, and what one recording of the model gives to all of its layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from convlens.inputs.images import Image, read_image, resize
from convlens.inputs.kernels import read_names
from convlens.inputs.signals import read_signal
from convlens.inputs.starting_picture import noted, zone_plate
from convlens.inputs.vectors import is_row, of_pixels, read_vector, starting_vector
from convlens.maths.arrays import as_array
from convlens.state.filters import Array, FilterList
from convlens.state.layer_source import LayerSource, Plan, filters_of
from convlens.state.written import Written

if TYPE_CHECKING:
    from convlens.interpretation.subject import Subject
    from convlens.layers.conv_layer import ConvLayer
    from convlens.maths.geometry import Geometry
    from convlens.maths.receptive_field import ReceptiveField
    from convlens.models.conv_model import ConvModel, FoundCall, Predictions
    from convlens.models.model_inputs import ModelInputs
    from convlens.models.outputs import OutputForm
    from convlens.models.weight_snapshot import WeightSnapshot

_IN_PLACE = "This assumes that preprocess= leaves every pixel in its place."


class Feeding:
    """A model, and what happened when it last ran: one recording serves every layer that is opened on that image.

    Parameters
    ----------
    model
        A Keras model that takes an image, a signal or a latent vector, alone or with other inputs.
    preprocess
        From a float32 copy of the image, ``(rows, cols, channels)``, or of a signal or vector as ``lens.image`` is, to
        what the model takes, with or without the batch axis. None where the model takes the image as it is.
    inputs
        The model's inputs that are not the image, by name, or a list of all with None in the image's place.
    """

    def __init__(self, model: Any, preprocess: Callable[[Any], Any] | None, inputs: Any = None) -> None:
        from convlens.models.model_inputs import read_inputs

        self.model = model
        self._inputs = read_inputs(model, inputs, made=preprocess is not None)
        self._preprocess = preprocess
        self._last: tuple[Image, ConvModel] | None = None
        self._fingerprint: tuple[WeightSnapshot, str] | None = None
        #: Whether the model was recorded with weights that the lens had written, and whether it has written since.
        self._last_written = False
        self._written_since = False
        self._written = Written()

    def read_image(self, value: Any) -> Image:
        """Read an image, a signal or a vector, unscaled, with the channels and the size that the model takes."""
        from convlens.models.image_input import expected_input, numbers_taken, takes_signal, takes_vector

        numbers = numbers_taken(self.model, self._inputs)
        rows, cols, channels = expected_input(self.model, self._inputs)
        if numbers is not None and is_row(value):
            vector = read_vector(value, numbers if self._preprocess is None else None)
            pixels = self._preprocess is None and channels in (1, 3) and not takes_vector(self.model, self._inputs)
            return of_pixels(vector, (rows, cols, channels)) if pixels else vector
        if self._preprocess is not None and takes_vector(self.model, self._inputs):
            return read_image(value, channels=None, scale=False)
        if numbers is not None and (rows, cols, channels) == (1, numbers, 1):
            return read_vector(value, numbers)
        if takes_signal(self.model, self._inputs):
            if self._preprocess is not None:
                return read_signal(value, channels=None)
            return read_signal(value, channels=channels, steps=cols)
        image = read_image(value, channels=None if self._preprocess else channels, scale=False)
        if self._preprocess is not None and _fits(np.shape(self.prepared(image))[1:], (rows, cols, channels)):
            return image
        if self._preprocess is not None and channels is not None and image.shape[2] != channels:
            image = read_image(value, channels=channels, scale=False)
        if rows is not None and cols is not None:
            image = resize(image, rows, cols)
        return image

    def starting_image(self) -> Image:
        """Return the picture, or the vector, to start from where the user gave none; its notes say what it is."""
        from convlens.models.image_input import expected_input, numbers_taken, takes_vector

        numbers = numbers_taken(self.model, self._inputs)
        rows, cols, channels = expected_input(self.model, self._inputs)
        # Pixels of more channels than a picture has are a generator's first feature map.
        if numbers is not None and (takes_vector(self.model, self._inputs) or (channels or 0) > 4):
            return starting_vector(numbers)
        if rows is None or cols is None or channels is None:
            size = ", ".join("any" if n is None else str(n) for n in (rows, cols, channels))
            raise ValueError(
                f"Model {self.model.name!r} takes images of (rows, cols, channels) = ({size}). A lens starts without "
                "an image only where all three are fixed: ConvLens(image, model=model)."
            )
        return noted(self.read_image(zone_plate(rows, cols, channels)))

    def record(self, image: Image) -> ConvModel:
        """Run the model on an image, once."""
        from convlens.models.conv_model import ConvModel

        if self._last is None or self._last[0] is not image:
            recorded = ConvModel(self.model, *self.fed(image))
            self._last = (image, recorded.like(self._last[1]) if self._last else recorded)
            self._last_written, self._written_since = bool(self._written), False
        return self._last[1]

    def first_layer(self, image: Image) -> str:
        """Return the path of the first convolution that the image reaches; of the first of all where none is known."""
        from convlens.maths.receptive_field import NOTHING

        recorded = self.record(image)
        if not self._inputs.several:
            return recorded.layers[0]
        reached = (path for path in recorded.layers if recorded.receptive_field(path, 0, 0).note != NOTHING)
        return next(reached, recorded.layers[0])

    def forget(self) -> None:
        """Release the recording; the next one is made with the weights that the model has then."""
        self._last = None

    def receptive_field(self, image: Image, path: str, row: int, col: int) -> ReceptiveField:
        """Return the part of the image that a pixel of a layer's maps may depend on."""
        from convlens.maths.receptive_field import ReceptiveField

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
            "that preprocess= makes of the image. Only preprocess knows which pixels of the image those are."
        )

    def fingerprint(self) -> str:
        """Return the fingerprint of all of the model's weights as they are, which is kept until they change."""
        from convlens.models.fingerprint import fingerprint
        from convlens.models.weight_snapshot import WeightSnapshot, consistent

        if self._fingerprint is None or not self._fingerprint[0].holds(self.model.weights):
            self._fingerprint = consistent(lambda: WeightSnapshot(self.model.weights), lambda: fingerprint(self.model))
        return self._fingerprint[1]

    def snapshot(self, layer: Any) -> WeightSnapshot:
        """Take a snapshot of all of the model's weights; those of one layer are compared at every look."""
        from convlens.models.weight_snapshot import WeightSnapshot

        return WeightSnapshot(self.model.weights, layer.weights)

    @property
    def unwritten(self) -> bool:
        """Whether the lens has written into no layer since the model was recorded."""
        return not self._written_since

    def apply(self, layer: Any, base: Sequence[np.ndarray], edited: Sequence[np.ndarray]) -> None:
        """Write what was edited into a layer."""
        self._written.write(layer, base, edited)
        self._written_since = True
        if self._last:
            self._last[1].accept(layer)

    def restore(self) -> list[Any]:
        """Put back what the lens replaced in the model's layers, which are returned."""
        layers = self._written.restore()
        if self._last and self._last_written:
            self._last = None
        elif self._last:
            for layer in layers:
                self._last[1].accept(layer)
            self._written_since = False
        return layers

    @property
    def preprocesses(self) -> bool:
        """Whether the model is fed something other than the image itself."""
        return self._preprocess is not None

    def prepared(self, image: Image) -> Any:
        """Return what the model is fed for an image, a batch of one ``(1, rows, cols, channels)``."""
        return self.fed(image)[0]

    def fed(self, image: Image) -> tuple[Any, ModelInputs]:
        """Return what the model is fed for an image, ``(1, rows, cols, channels)``, and what goes with it."""
        if self._preprocess is None:
            return image.values.copy()[np.newaxis], self._inputs
        made, inputs = self._inputs.split(self._preprocess((image.shown if image.signal else image.values).copy()))
        if image.signal and not image.latent:
            return read_signal(made, channels=None).values[np.newaxis], inputs
        from convlens.models.image_input import as_pictures

        return as_pictures(as_array(made, "what preprocess returned"), self.model, inputs), inputs


class InModel(LayerSource):
    """A convolution layer inside the user's model, fed with what the layers before it return for the image."""

    def __init__(self, feeding: Feeding, image: Image, path: str) -> None:
        from convlens.models.weight_snapshot import consistent

        recorded = feeding.record(image)
        self.layers = tuple(recorded.layers)
        self.path = recorded.find(path).path
        self._feeding = feeding
        self._layer = recorded.find(path).layer
        self._image = image
        self._open: tuple[Image, ConvLayer] | None = None
        self.takes_signal = image.signal

        def read() -> FilterList:
            self._open = (image, recorded.open(self.path))
            return filters_of(self._open[1])

        self._snapshot, self._base = consistent(lambda: feeding.snapshot(self._layer), read)

    def found(self, image: Image) -> Sequence[FoundCall]:
        """See `LayerSource.found`."""
        return self._feeding.record(image).found

    @property
    def layer(self) -> Any:
        """See `LayerSource.layer`."""
        return self._layer

    @property
    def base(self) -> FilterList | None:
        """See `LayerSource.base`."""
        return self._base

    def has_weights(self, fingerprint: str) -> bool:
        """Whether the model has the weights of a fingerprint now; not while a training has taken them away."""
        from convlens.models.weight_snapshot import BeingTrained

        try:
            return self._feeding.fingerprint() == fingerprint
        except BeingTrained:
            return False

    def outdated(self, thorough: bool) -> bool:
        """See `LayerSource.outdated`."""
        if thorough:
            return not self._snapshot.holds(self._feeding.model.weights)
        return not self._snapshot.seems_to_hold()

    def refreshed(self, image: Image) -> LayerSource:
        """See `LayerSource.refreshed`."""
        source = InModel(self._feeding, image, self.path)
        source._base = self._base.with_weights(source._base)
        return source

    def conv(self, image: Image) -> ConvLayer:
        """Return the layer, fed with its input on this image."""
        if self._open is None or self._open[0] is not image:
            self._open = (image, self._feeding.record(image).open(self.path))
            self._image = image
        return self._open[1]

    def forget_input(self) -> None:
        """See `LayerSource.forget_input`."""
        self._open = None
        self._feeding.forget()

    def own_filters(self, image: Image, names: Any = None) -> FilterList:
        """See `LayerSource.own_filters`."""
        return self._base.with_names(read_names(names, len(self._base)))

    def trained_filters(self, image: Image) -> FilterList:
        """See `LayerSource.trained_filters`."""
        return filters_of(self.conv(image))

    def plan(self, image: Image, filters: FilterList) -> Plan:
        """See `LayerSource.plan`."""
        conv = self.conv(image)
        return Plan(conv.geometry, lambda: conv, np.array_equal(conv.input, image.values, equal_nan=True))

    def read_image(self, value: Any, channels: int | None) -> Image:
        """Read an image as the model takes it; `channels` is ignored: the model decides."""
        return self._feeding.read_image(value)

    def receptive_field(self, image: Image, geometry: Geometry, row: int, col: int) -> ReceptiveField:
        """See `LayerSource.receptive_field`."""
        return self._feeding.receptive_field(image, self.path, row, col)

    def require_bias(self) -> None:
        """Raise where the layer has no bias."""
        if not self._layer.use_bias:
            raise ValueError(f"Layer {self.path!r} has use_bias=False, so there is no bias to set.")

    def require_own_list(self, what: str) -> None:
        """Raise: other layers of the model need the number and order of the filters as they are."""
        raise ValueError(
            f"The {what} cannot be changed inside a model: the next layer depends on it. "
            "To switch a filter off, set its kernel and its bias to 0."
        )

    def opened(self, path: str) -> LayerSource:
        """Return the source that looks at another layer of the model, on the image last recorded."""
        return InModel(self._feeding, self._image, path)

    @property
    def preprocesses(self) -> bool:
        """Whether the model is fed something other than the image itself."""
        return self._feeding.preprocesses

    def model_input(self, image: Image) -> Array:
        """Return what the model is fed for an image, ``(1, rows, cols, channels)`` float32."""
        return np.asarray(self._feeding.prepared(image), dtype=np.float32)

    def subject(self, image: Image, filters: FilterList | None) -> Subject:
        """Return the subject of an interpretation: this layer, with these weights or its own."""
        from convlens.interpretation.subject import Subject

        call = self._feeding.record(image).find(self.path)
        conv = self.conv(image)
        weights = None if filters is None else tuple(conv.weights(filters.kernels, filters.bias, filters.pointwise))
        x, inputs = self._feeding.fed(image)
        return Subject(self._feeding.model, call, np.asarray(x, dtype=np.float32), weights, inputs)

    @property
    def outputs(self) -> dict[str, OutputForm]:
        """See `LayerSource.outputs`."""
        return self._feeding.record(self._image).outputs

    def as_picture(self, values: Array) -> Array | None:
        """See `LayerSource.as_picture`."""
        return self._feeding.record(self._image).as_picture(values)

    def predict(self, filters: FilterList, output: str | int | None = None) -> Predictions:
        """See `LayerSource.predict`."""
        from convlens.models.conv_model import Predictions

        recorded = self._feeding.record(self._image)
        # The model has already run with these very weights; running it again would return the same.
        if self._feeding.unwritten and filters.same_values(self._base) and self._snapshot.holds():
            same = recorded.output(output)
            return Predictions(same, same)
        return recorded.predict(self.path, filters.kernels, filters.bias, filters.pointwise, output)

    def apply(self, conv: ConvLayer, filters: FilterList) -> None:
        """See `LayerSource.apply`."""
        packed = (conv.weights(one.kernels, one.bias, one.pointwise) for one in (self._base, filters))
        self._feeding.apply(self._layer, *packed)
        self._base = filters
        self._snapshot.accept(self._layer.weights)

    def restore(self) -> None:
        """See `LayerSource.restore`; in all layers of the model that the lens wrote into."""
        for layer in self._feeding.restore():
            self._snapshot.accept(layer.weights)
            if layer is self._layer and self._open is not None:
                self._base = self._base.with_weights(filters_of(self._open[1]))


def _fits(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    return all(want is None or have == want for have, want in zip(shape, expected, strict=True))
