"""Edits of a session's filters, each read, changed and committed under one lock as one step of history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.inputs.kernels import read_bias, read_kernel, read_kernels_and_bias, read_names, read_pointwise
from convlens.inputs.signal_kernels import read_signal_kernel, read_signal_kernels
from convlens.state.filters import Array
from convlens.state.separable_filters import SeparableFilters
from convlens.state.session import Session


def get_weights(session: Session) -> list[npt.NDArray[Any]]:
    """Return the weights in Keras's own list and order."""
    _ = session.engine.layer  # waited for before the lock is taken
    with session.editing():
        filters, layer = session.current(thorough=True), session.engine.layer
    return layer.weights(filters.kernels, filters.bias, filters.pointwise)


def set_weights(session: Session, weights: Sequence[npt.ArrayLike]) -> None:
    """Set the weights from Keras's own list, in its order."""
    layer = session.engine.layer  # waited for before the lock is taken
    kernels, bias = layer.from_weights(weights)
    with session.editing() as filters:
        changed = filters.with_kernels(dict(enumerate(kernels))).with_bias(dict(enumerate(bias)))
        if isinstance(changed, SeparableFilters):
            pointwise = np.asarray(weights[1], np.float32)
            changed = changed.with_pointwise(pointwise.reshape(pointwise.shape[-2:]))
        session.commit(changed)


def set_kernels(session: Session, value: Any) -> None:
    """Replace all kernels; their number may change where the layer allows that."""
    with session.editing() as filters:
        geometry, source = session.geometry, session.source
        own = None if source.builtin else geometry.weight_shape
        read = read_signal_kernels if geometry.rank == 1 else read_kernels_and_bias
        given = read(value, filters.kernels[0].shape[2], geometry.kind, own)
        if len(given.kernels) != len(filters.kernels):
            source.require_own_list("number of filters")
        if given.bias is not None:
            source.require_bias()
        filters = filters.with_count(given.kernels)
        if given.pointwise is not None and isinstance(filters, SeparableFilters):
            filters = filters.with_pointwise(read_pointwise(given.pointwise.T, filters.pointwise.shape))
        session.commit(filters if given.bias is None else filters.with_bias(dict(enumerate(given.bias))))


def set_kernel(session: Session, i: int, kernel: npt.ArrayLike) -> None:
    """Replace the kernel at an index by one of the same shape."""
    with session.editing() as filters:
        index = filters.check_index(i, len(filters.kernels))
        kh, kw, channels = filters.kernels[0].shape
        session.commit(filters.with_kernels({index: _read_one(session, kernel, (kh, kw, channels), index)}))


def set_pointwise_kernels(session: Session, value: Any) -> None:
    """Replace the pointwise kernels of a separable layer."""
    with session.editing() as filters:
        if not isinstance(filters, SeparableFilters):
            raise ValueError("Only a separable layer has pointwise kernels. Assign `kernels` instead.")
        session.commit(filters.with_pointwise(read_pointwise(value, filters.pointwise.shape)))


def set_bias(session: Session, value: Any) -> None:
    """Replace the bias of every filter."""
    with session.editing() as filters:
        session.source.require_bias()
        session.commit(filters.with_bias(dict(enumerate(read_bias(value, len(filters))))))


def set_names(session: Session, value: Any) -> None:
    """Rename every filter."""
    with session.editing() as filters:
        session.commit(filters.with_names(read_names(value, len(filters))))


def rename(session: Session, uid: int, name: str, gesture: str | None = None) -> None:
    """Rename one filter."""
    with session.editing() as filters:
        names = list(filters.names)
        names[filters.index_of(uid)] = name
        session.commit(filters.with_names(names), gesture)


def add_kernel(session: Session, kernel: npt.ArrayLike, name: str | None) -> None:
    """Append a filter with this kernel and a bias of 0."""
    with session.editing() as filters:
        session.source.require_own_list("number of filters")
        new = _read_one(session, kernel, filters.kernel_shape, len(filters))
        session.commit(filters.added(new, name, len(filters)))


def remove_kernel(session: Session, i: int) -> None:
    """Remove a filter; the last one cannot be removed."""
    with session.editing() as filters:
        index = filters.check_index(i)
        session.source.require_own_list("number of filters")
        if len(filters) == 1:
            raise ValueError("This is the last filter, and a layer needs at least one. Set its kernel instead.")
        session.commit(filters.removed(index))


def move_kernel(session: Session, i: int, j: int) -> None:
    """Move filter `i`, which becomes filter `j`."""
    with session.editing() as filters:
        index, to = filters.check_index(i), filters.check_index(j)
        session.source.require_own_list("order of the filters")
        if index != to:
            session.commit(filters.moved(index, to))


def configure(session: Session, settings: Mapping[str, Any]) -> None:
    """Change the built-in layer's settings, or try others on a copy of the user's layer."""
    with session.editing() as filters:
        source = session.source.configured(dict(settings))
        if settings.get("use_bias") is False:
            # Without a bias the values are 0, not those from before.
            filters = filters.with_bias(dict.fromkeys(range(len(filters)), 0.0))
        session.commit(filters, source=source)


def set_image(session: Session, value: Any) -> None:
    """Replace the image."""
    with session.editing():
        session.set_image(session.source.read_image(value, session.geometry.input_shape[2]))


def _read_one(session: Session, kernel: npt.ArrayLike, shape: tuple[int, int, int], index: int) -> Array:
    read = read_signal_kernel if session.geometry.rank == 1 else read_kernel
    return read(kernel, shape, index)
