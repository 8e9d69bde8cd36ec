"""Changing kernels, bias and weights from Python: the editing half of `ConvLens`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.kernels import read_kernel
from convlens.separable import SeparableFilters
from convlens.session import Session


class Editing:
    """Methods that change what a lens holds, each one step of its history."""

    _session: Session

    def get_weights(self) -> list[npt.NDArray[Any]]:
        """Return the weights in Keras's own list and order.

        Returns
        -------
        list of ndarray
            ``[kernel (kh, kw, in_channels, filters), bias (filters,)]``, or what the layer's class has instead, so that
            ``layer.set_weights(lens.get_weights())`` works.
        """
        filters = self._session.filters
        return self._session.engine.layer.weights(filters.kernels, filters.bias, filters.pointwise)

    def set_weights(self, weights: Sequence[npt.ArrayLike]) -> None:
        """Take weights in Keras's own list and order.

        Parameters
        ----------
        weights
            As `get_weights` returns them.

        Raises
        ------
        ValueError
            Keras's own text for a wrong shape, followed by what mends it.
        """
        kernels, bias = self._session.engine.layer.from_weights(weights)
        filters = self._session.filters.with_kernels(dict(enumerate(kernels))).with_bias(dict(enumerate(bias)))
        if isinstance(filters, SeparableFilters):
            filters = filters.with_pointwise(np.asarray(weights[1], np.float32)[0, 0])
        self._session.commit(filters)

    def set_kernel(self, i: int, kernel: npt.ArrayLike) -> None:
        """Exchange ``kernels[i]`` by one of the same shape."""
        filters = self._session.filters
        index = filters.check_index(i, len(filters.kernels))
        kh, kw, channels = filters.kernels[0].shape
        self._session.commit(filters.with_kernels({index: read_kernel(kernel, (kh, kw, channels), index)}))

    def add_kernel(self, kernel: npt.ArrayLike, name: str | None = None) -> None:
        """Append a filter with this kernel, of the same shape as the others, and a bias of 0."""
        self._session.source.require_own_list("number of filters")
        filters = self._session.filters
        self._session.commit(filters.added(read_kernel(kernel, filters.kernel_shape, len(filters)), name, len(filters)))

    def remove_kernel(self, i: int) -> None:
        """Take filter `i` out of the list; the last one stays."""
        index = self._checked(i)
        self._session.source.require_own_list("number of filters")
        if len(self._session.filters) == 1:
            raise ValueError("This is the last filter, and a layer needs at least one. Set its kernel instead.")
        self._session.commit(self._session.filters.removed(index))

    def move_kernel(self, i: int, j: int) -> None:
        """Take filter `i` out of the list and put it back as filter `j`."""
        index, to = self._checked(i), self._checked(j)
        self._session.source.require_own_list("order of the filters")
        if index != to:
            self._session.commit(self._session.filters.moved(index, to))

    def undo(self) -> None:
        """Take back the last edit, whichever side made it; does nothing where there is none."""
        self._session.undo()

    def redo(self) -> None:
        """Make the edit again that `undo` took back; does nothing where there is none."""
        self._session.redo()

    def reset(self) -> None:
        """Go back to the filters and settings that the lens was made with, as one step that can be undone."""
        self._session.reset()

    def apply(self) -> None:
        """Write the edited weights into the user's layer."""
        filters = self._session.filters
        self._session.engine.layer.write(filters.kernels, filters.bias, filters.pointwise)
        self._session.source.applied()

    def restore(self) -> None:
        """Put back the weights that the user's layer had when the lens was made, or when the callback saw it trained.

        In a model that is every layer that `apply` has written into.
        """
        self._session.source.restore()

    def _checked(self, i: Any) -> int:
        return self._session.filters.check_index(i)
