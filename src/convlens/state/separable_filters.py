"""The filters of a separable layer: depthwise kernels that all filters share, and a pointwise kernel for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from convlens.maths.explanation import separable_kernel
from convlens.state.filters import Array, FilterList, read_only


@dataclass(frozen=True, eq=False)
class SeparableFilters(FilterList):
    """Filters of a ``SeparableConv2D``.

    A filter's own `kernel` is its column of the pointwise kernel, ``(1, 1, depthwise channels)``. What it applies to
    the layer's input is the product of that with the depthwise kernels (`kernel_at`), which is made only when it is
    shown.

    Parameters
    ----------
    depthwise
        ``(kh, kw, 1)`` each, in the order of the depthwise channels; read-only.
    multiplier
        Depthwise kernels per input channel.
    """

    depthwise: tuple[Array, ...] = ()
    multiplier: int = 1

    @classmethod
    def separable(
        cls, depthwise: Sequence[Array], pointwise: Array, multiplier: int, bias: npt.ArrayLike, names: Sequence[str]
    ) -> SeparableFilters:
        """Make filters of depthwise kernels and of a pointwise kernel ``(depthwise channels, filters)``."""
        columns = [read_only(column[np.newaxis, np.newaxis]) for column in pointwise.T]
        return cls(FilterList.make(columns, bias, names).filters, tuple(depthwise), multiplier)

    @property
    def kernels(self) -> tuple[Array, ...]:
        """Depthwise kernels, ``(kh, kw, 1)`` each."""
        return self.depthwise

    @property
    def shared(self) -> tuple[Array, ...]:
        """All depthwise kernels."""
        return self.depthwise

    @cached_property
    def pointwise(self) -> Array:
        """``(depthwise channels, filters)``, read-only."""
        return read_only(np.stack([one.kernel[0, 0] for one in self.filters], axis=-1))

    @property
    def kernel_shape(self) -> tuple[int, int, int]:
        """Shape of `kernel_at`, ``(kh, kw, channels)``."""
        kh, kw, _ = self.depthwise[0].shape
        return (kh, kw, len(self.depthwise) // self.multiplier)

    def kernel_at(self, index: int) -> Array:
        """Depthwise kernels times the pointwise column of filter `index`, added up over each input channel's."""
        return read_only(separable_kernel(self._by_channel, self.pointwise, index))

    def same_weights(self, other: FilterList) -> bool:
        """Whether `other` has the very same kernels, pointwise and depthwise, and biases in the same order."""
        return super().same_weights(other) and all(a is b for a, b in zip(self.depthwise, other.kernels, strict=True))

    def with_kernels(self, kernels: Mapping[int, Array]) -> FilterList:
        """Replace the depthwise kernels at some indices; equal ones stay the same objects."""
        new = {i: k for i, k in kernels.items() if k.tobytes() != self.depthwise[i].tobytes()}
        if not new:
            return self
        return replace(self, depthwise=tuple(new.get(i, k) for i, k in enumerate(self.depthwise)))

    def with_pointwise(self, pointwise: Array) -> FilterList:
        """Replace the pointwise kernel; filters whose column is equal stay the same objects."""
        return self._changed(
            (i, replace(one, kernel=read_only(column[np.newaxis, np.newaxis])))
            for i, (one, column) in enumerate(zip(self.filters, pointwise.T, strict=True))
            if column.tobytes() != one.kernel.tobytes()
        )

    def with_column(self, index: int, column: Array) -> FilterList:
        """Replace the pointwise weights of one filter, ``(depthwise channels,)``."""
        kernel = read_only(np.asarray(column)[np.newaxis, np.newaxis])
        if kernel.tobytes() == self[index].kernel.tobytes():
            return self
        return self._changed([(index, replace(self[index], kernel=kernel))])

    @property
    def stacked(self) -> Array:
        """Depthwise kernels side by side, ``(kh, kw, depthwise channels)``."""
        return np.concatenate(self.depthwise, axis=2)

    def with_stacked(self, stack: Array) -> FilterList:
        """Replace the depthwise kernels, ``(kh, kw, depthwise channels)``; equal ones stay the same objects."""
        return self.with_kernels({k: read_only(stack[:, :, k : k + 1]) for k in range(stack.shape[2])})

    def with_count(self, kernels: Sequence[Array]) -> FilterList:
        """Replace all depthwise kernels, as many as there are."""
        return self.with_kernels(dict(enumerate(kernels)))

    @cached_property
    def _by_channel(self) -> Array:
        kh, kw, _ = self.depthwise[0].shape
        return self.stacked.reshape(kh, kw, -1, self.multiplier)
