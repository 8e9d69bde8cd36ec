"""A lens's survey: the images that excite its filters most, shown in the lens, and ranked again by edited filters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from convlens.inputs.images import Image, resize
from convlens.inputs.signals import load_signal
from convlens.maths.block_means import block_starts
from convlens.state.filters import Array, read_only
from convlens.state.interpreted import subject_of
from convlens.state.model_source import InModel

if TYPE_CHECKING:
    from convlens.state.session import Session
    from convlens.surveys.best import Entry
    from convlens.surveys.results import Survey

#: Stored patches that an edited filter is tried on, its own first, and how many are run at once.
MOST_TRIED, BATCH = 512, 32


@dataclass(frozen=True, eq=False)
class Stored:
    """One image that a survey keeps.

    Parameters
    ----------
    filter, rank
        Whose list it is in, and where, from 0.
    entry
        What is kept of it.
    value
        What it is ranked by: the survey's own, or that of an edited filter.
    """

    filter: int
    rank: int
    entry: Entry
    value: float


def best(session: Session, survey: Survey, i: int) -> list[Stored]:
    """Return the images that excite filter `i` most, in the survey, best first; none for a layer not in it."""
    path = session.source.path
    if path not in survey.layers:
        return []
    return [Stored(i, rank, one, one.value) for rank, one in enumerate(_entries(survey, path, i))]


def is_current(session: Session, survey: Survey) -> bool:
    """Whether the model has the weights that ranked the survey's images."""
    from convlens.surveys.results import weights_of

    return isinstance(session.source, InModel) and session.source.has_weights(weights_of(survey))


def _entries(survey: Survey, path: str, i: int) -> list[Entry]:
    from convlens.surveys.results import entries_of

    return entries_of(survey, path, i)


def show(session: Session, survey: Survey, i: int, rank: int) -> tuple[int, int]:
    """Make a stored image the lens's own, and return the pixel of the maps that excites filter `i` most.

    The image is read again where it can be found. Otherwise the patch is put where it was, surrounded by its mean.
    """
    one = _entries(survey, session.source.path, i)[rank]
    found = survey.image(one.image)
    if one.patch.signal:
        found = load_signal(found)
    if found is not None:
        image = session.source.read_image(found, session.geometry.input_shape[2])
    else:
        what = "signal" if one.patch.signal else "image"
        note = f"The survey holds only this patch of {what} {one.image}; what is around it is set to its mean."
        image = replace(_placed(one, _canvas(session, [one])), notes=(note,))
    session.set_image(image)
    return one.pixel


def prepare_ranking(session: Session, survey: Survey, i: int) -> Callable[[Callable[[], bool]], list[Stored]]:
    """Read from the lens what ranking the stored images by filter `i`, as it is edited, takes.

    Returns
    -------
    callable
        Runs the model in any thread, asking before each batch whether to go on. The patches that the survey keeps for
        any filter of the layer are ranked by the activation at their pixel; as many are returned as it keeps for one.
    """
    source, path = session.source, session.source.path
    assert isinstance(source, InModel)
    subject, own = subject_of(session), best(session, survey, i)
    others = (best(session, survey, other) for other in range(survey.filters(path)) if other != i)
    tried: dict[Any, Stored] = {}
    for one in chain(own, chain.from_iterable(others)):
        if len(tried) == MOST_TRIED:
            break
        tried.setdefault((one.entry.image, one.entry.pixel), one)
    canvas = _canvas(session, [one.entry for one in tried.values()])

    def run(goes_on: Callable[[], bool]) -> list[Stored]:
        found: list[Stored] = []
        inputs = (source.model_input(_placed(one.entry, canvas)) for one in tried.values())
        stored = iter(tried.values())
        for maps in _activations(subject, i, inputs):
            for one, map_ in zip(islice(stored, len(maps)), maps, strict=True):
                found.append(replace(one, value=float(map_[one.entry.pixel])))
            if not goes_on():
                break
        # An image is in the list once, as it is in the survey's.
        order = sorted(found, key=lambda one: (-one.value, one.filter, one.rank))
        once = {one.entry.image: one for one in reversed(order)}
        return sorted(once.values(), key=lambda one: (-one.value, one.filter, one.rank))[: len(own)]

    return run


def _activations(subject: Any, i: int, inputs: Iterator[Array]) -> Iterator[Array]:
    """Yield the maps of a filter for batches of inputs, ``(batch, rows, cols)``."""
    import keras

    from convlens.layers.stateless_call import compiled, to_numpy, without_gradients
    from convlens.models.layer_outputs import LayerOutputs

    outputs = LayerOutputs(subject.model, [subject.call], inputs=subject.inputs)

    def maps(x: Any, state: list[Any], values: list[Any]) -> Any:
        return outputs(x, state, subject.replaced(values)).layers[0].activation[..., i]

    run = compiled(maps)
    while batch := list(islice(inputs, BATCH)):
        # Filled up, so that one trace serves all.
        x = np.concatenate(batch + batch[-1:] * (BATCH - len(batch)))
        with without_gradients():
            found = run(keras.ops.convert_to_tensor(outputs.as_input(x)), outputs.state(), subject.values())
            yield np.array(to_numpy(found)[: len(batch)])


def _canvas(session: Session, entries: list[Entry]) -> tuple[int, int, int]:
    """Return the size of an image in which every patch has room where it was."""
    rows, cols, channels = session.image.shape
    return (
        max(rows, *(one.window[0][1] + 1 for one in entries)),
        max(cols, *(one.window[1][1] + 1 for one in entries)),
        channels,
    )


def _placed(one: Entry, canvas: tuple[int, int, int]) -> Image:
    """Return a patch at its place in an image whose other pixels are its mean."""
    (top, bottom), (left, right) = one.window
    patch = one.patch.values()
    patch = (
        _stretched(patch, right + 1 - left) if one.patch.signal else _sized(patch, bottom + 1 - top, right + 1 - left)
    )
    if patch.shape[2] not in (1, canvas[2]):
        patch = patch.mean(axis=2, keepdims=True)
    values = np.empty(canvas, np.float32)
    values[...] = patch.mean(axis=(0, 1))
    values[top : bottom + 1, left : right + 1] = patch
    return Image(read_only(values), signal=one.patch.signal)


def _sized(patch: Array, rows: int, cols: int) -> Array:
    return resize(Image(patch), rows, cols).values


def _stretched(patch: Array, steps: int) -> Array:
    """Return a part of a signal ``(1, n, channels)`` with as many steps as it had, those that were averaged alike."""
    starts = block_starts(steps, patch.shape[1])
    return np.repeat(patch, np.diff(starts, append=steps), axis=1)
