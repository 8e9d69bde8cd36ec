"""Interpretation with a lens's weights: maximising images, attributions, ablation and gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from convlens.maths.arrays import shortened
from convlens.maths.one_row import kernel_shown, maps_shown
from convlens.state.filters import Array
from convlens.state.model_source import InModel

if TYPE_CHECKING:
    from convlens.interpretation.maximize import Callback, Maximized
    from convlens.interpretation.subject import Subject
    from convlens.state.session import Session


@dataclass(frozen=True, eq=False)
class LayerGradients:
    """Derivatives of one score of a model, with the lens's weights: how much it changes with each tap and each map.

    Parameters
    ----------
    kernels
        As `ConvLens.kernels`: one array per kernel, ``(kh, kw)`` or ``(kh, kw, in_channels)``; of a layer over signals
        ``(k,)`` or ``(k, in_channels)``.
    bias
        ``(filters,)``; zeros for a layer without one.
    maps
        With respect to the maps, ``(filters, rows, cols)`` or ``(filters, steps)``, at this use of the layer.
    score
        Before a final softmax or sigmoid.
    target
        Its class.
    """

    kernels: tuple[Array, ...]
    bias: Array
    maps: Array
    score: float
    target: int


def maximize_filter(
    session: Session,
    i: int,
    *,
    steps: int,
    start: Any,
    seed: int,
    pixel: tuple[int, int] | int | None,
    value_range: Any,
    smoothness: float,
    callback: Callback | None,
) -> Maximized:
    """Find the image that excites a filter most, through the weights that the lens holds; see `convlens.maximize`."""
    run, _ = prepare_maximize(session, i, start, value_range)
    return run(steps=steps, seed=seed, pixel=pixel, smoothness=smoothness, callback=callback)


def prepare_maximize(
    session: Session, i: int, start: Any = "noise", value_range: Any = None
) -> tuple[Callable[..., Maximized], tuple[Any, Any]]:
    """Read from the lens what `maximize_filter` takes.

    Returns
    -------
    run
        Runs with the weights of this moment, in any thread; takes the other arguments of `convlens.maximize`.
    value_range
        ``(low, high)``, numbers or one for each channel of what the model is fed.
    """
    from convlens.interpretation.maximize import maximized

    subject = subject_of(session) if isinstance(session.source, InModel) else _alone(session)
    if subject.of_vector:
        shape = subject.call.input_shape
        raise ValueError(
            f"Model {subject.model.name!r} takes a vector of {subject.x.size} numbers, but maximize() finds "
            f"pictures. To find what excites the filter in the layer's own input of {shape}, use the layer alone: "
            f"ConvLens(np.zeros({shape}), layer=lens.layer).maximize({i})."
        )
    begun: Array | None = None
    if not isinstance(start, str):
        begun = _input_of(session, session.source.read_image(start, session.geometry.input_shape[2]))
        if begun.shape != subject.x.shape[1:]:
            given, has = ((one[1:] if subject.signal else one) for one in (begun.shape, subject.x.shape[1:]))
            raise ValueError(f"start has shape {given}, but the {'signal' if subject.signal else 'image'} has {has}.")
    elif start == "image":
        begun = subject.x[0]
    elif start != "noise":
        raise ValueError(f'start={shortened(start)} was given; expected "noise", "image", or an image.')
    ends = _range(session, subject) if value_range is None else value_range

    def run(**options: Any) -> Maximized:
        found = maximized(subject, i, start=begun, value_range=ends, **options)
        assert not isinstance(found, list)
        return found

    return run, ends


def attribution(
    session: Session,
    target: int | None,
    method: str,
    output: int | str | None,
    *,
    edited: bool = True,
    seed: int = 0,
) -> Array:
    """Return which parts of the image the output depends on; see `Attribution.map`.

    ``(rows, cols)`` of the image; ``(steps,)`` of a signal, ``(numbers,)`` of a latent vector.
    """
    found = prepare_attribution(session, target, method, output, edited=edited, seed=seed)()
    return found[0] if session.image.signal and not session.image.latent else found


def prepare_attribution(
    session: Session,
    target: int | None,
    method: str,
    output: int | str | None,
    *,
    edited: bool = True,
    seed: int = 0,
) -> Callable[[], Array]:
    """Read from the lens what `attribution` takes; what is returned runs the model, in any thread.

    It returns ``(rows, cols)`` of the image, of a signal with its one row.
    """
    subject, image = subject_of(session, edited=edited), session.image
    if subject.of_vector:
        _check_of_vector(method, own=image.latent and image.shape == subject.x.shape[1:])

    def run() -> Array:
        from convlens.interpretation.attribution import Attribution, enlarge

        found = Attribution(subject, target, output).map(method, seed)
        return found[0] if image.latent else enlarge(found, *image.shape[:2])

    return run


def _check_of_vector(method: str, *, own: bool) -> None:
    """Refuse the methods that make a map of a latent vector, and all where preprocess= makes the vector."""
    if not own:
        raise ValueError(
            "The model is fed a vector that preprocess= makes of the image, and a vector has no map to lay over the "
            'image. Give the vector as the image, without preprocess=, and lens.attribution(method="gradients").'
        )
    if method not in ("gradients", "smoothgrad"):
        raise ValueError(
            f"method={shortened(method)} lays a layer's map over the image, which is a latent vector here. "
            'lens.attribution(method="gradients"), or "smoothgrad", returns how much the score changes with each of '
            "the vector's numbers."
        )


def filter_losses(
    session: Session, target: int | None, output: int | str | None, *, edited: bool = True
) -> list[tuple[int, float]]:
    """Return each filter with what the score loses without it, the greatest loss first."""
    from convlens.interpretation.attribution import Attribution

    losses = Attribution(subject_of(session, edited=edited), target, output).losses()
    return [(int(i), float(losses[i])) for i in np.argsort(-losses, kind="stable")]


@dataclass(eq=False)
class LossesInTurn:
    """What the output loses without each filter, some filters at a time, with one trace for all of them."""

    session: Session
    _of: tuple[object, ...] = ()
    _attribution: Any = None

    def some(self, start: int, count: int) -> tuple[Array, int]:
        """Return the losses of filters `start` to `start + count`, as `filter_losses` has them, and the class."""
        from convlens.interpretation.attribution import Attribution

        session = self.session
        of = (session.filters, session.source, session.image)
        if self._attribution is None or any(a is not b for a, b in zip(of, self._of, strict=False)):
            self._attribution, self._of = Attribution(subject_of(session)), of
        chosen = range(start, min(start + count, len(session.filters)))
        found, target = self._attribution.losses(chosen), self._attribution.target.unit
        if chosen.stop == len(session.filters):
            # The trace is large: it is not kept beyond the last filter.
            self._attribution, self._of = None, ()
        return found, int(target)


def gradients(session: Session, target: int | None = None, output: int | str | None = None) -> LayerGradients:
    """Return the derivatives of a score with respect to the layer's weights and maps."""
    from convlens.interpretation.attribution import Attribution

    found = Attribution(subject_of(session), target, output).gradients()
    kernels, bias = session.engine.layer.from_weights(found.weights)
    rank = session.geometry.rank
    shown = tuple(kernel_shown(kernel, rank) for kernel in kernels)
    return LayerGradients(shown, bias, maps_shown(found.maps, rank), found.score, found.target)


def check_survey(session: Session, value: Any) -> Any:
    """Return a survey of the lens's model, or None; a ``ValueError`` for anything else."""
    if value is None:
        return None
    from convlens.surveys.results import Survey

    if not isinstance(value, Survey):
        raise ValueError(f"survey is of type {type(value).__name__}; expected what convlens.survey(...) returned.")
    if not isinstance(session.source, InModel):
        raise ValueError("A survey belongs to a model: make the lens with ConvLens(image, model=model, survey=survey).")
    if not set(value.layers) & set(session.source.layers):
        raise ValueError(
            f"The survey covers the layers {', '.join(map(repr, value.layers))}, none of which this model has. Survey "
            "the lens's own model."
        )
    return value


def subject_of(session: Session, *, edited: bool = True) -> Subject:
    """Return the open layer as questions are asked of it, with the lens's weights or the model's own."""
    source = session.source
    if not isinstance(source, InModel):
        raise ValueError("This needs a model: make the lens with ConvLens(image, model=model, layer=path).")
    return source.subject(session.image, session.filters if edited else None)


def _alone(session: Session) -> Subject:
    """Return a layer that is not in a model, as the only layer of one."""
    import keras

    from convlens.interpretation.subject import Subject
    from convlens.layers.kinds import kind_of_geometry
    from convlens.layers.remake_layer import remade
    from convlens.models.conv_model import ConvModel

    conv, filters = session.engine.layer, session.filters
    if names := getattr(session.source, "arguments", None):
        raise ValueError(
            f"Layer {conv.layer.name!r} is called with {', '.join(map(repr, names))} besides the image, which "
            "cannot be given here. Put the layer into a model that has it: i = keras.Input(image.shape); "
            f"ConvLens(image, model=keras.Model(i, layer(i, {', '.join(f'{name}=...' for name in names)})))."
        )
    geometry, image = conv.geometry, session.image.values
    kind = kind_of_geometry(geometry)
    layer = remade(conv.layer, kernel_size=kind.setting(geometry.kernel_size), **kind.arguments(geometry.channels))
    shape = kind.batch_shape(*image.shape, channels_first=geometry.data_format == "channels_first")
    model = keras.Sequential([keras.Input(shape[1:], name="image"), layer], name="convlens")
    weights = tuple(conv.weights(filters.kernels, filters.bias, filters.pointwise))
    x = image[np.newaxis]
    return Subject(model, ConvModel(model, x).found[0], x, weights)


def _input_of(session: Session, image: Any) -> Array:
    source = session.source
    found: Array = source.model_input(image)[0] if isinstance(source, InModel) else image.values
    return found


def _range(session: Session, subject: Subject) -> tuple[Any, Any]:
    """Return the range of values that the model's input has."""
    from dataclasses import replace

    from convlens.interpretation.maximize import default_range, range_of_signal

    image, source = session.image, session.source
    if image.signal:
        return range_of_signal(subject.x)
    low, high = default_range(subject.model, image.values)
    if not (isinstance(source, InModel) and source.preprocesses):
        least = float(image.values.min())
        return (low, high) if least >= 0 else (least, max(float(image.values.max()), least + 1))
    # Black and white as preprocess= converts them.
    ends = [
        source.model_input(replace(image, values=np.full_like(image.values, value))).reshape(-1, subject.x.shape[-1])
        for value in (0.0, 255.0 if float(image.values.max()) > 1 else 1.0)
    ]
    both = np.concatenate(ends)
    return both.min(axis=0), both.max(axis=0)


def one_colour_inputs(session: Session) -> Array:
    """Return what a model is fed, as the mean of each channel, for red, green, blue and black: ``(4, channels)``."""
    from dataclasses import replace

    image, source = session.image, session.source
    assert isinstance(source, InModel)
    full = 255.0 if float(image.values.max()) > 1 else 1.0
    colours = full * np.eye(4, 3, dtype=np.float32)
    pictures = (replace(image, values=np.broadcast_to(one, image.shape).copy()) for one in colours)
    return np.stack([source.model_input(one).mean(axis=(0, 1, 2)) for one in pictures])
