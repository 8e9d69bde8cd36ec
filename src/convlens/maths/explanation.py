"""One output pixel taken apart: which input values, times which weights, make it."""

from __future__ import annotations

import operator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from convlens.maths.arrays import shortened
from convlens.maths.geometry import Geometry, Pair
from convlens.maths.receptive_field import ReceptiveField, of_layer

Array = npt.NDArray[np.float32]


class Window(NamedTuple):
    """Input rows and columns that an output pixel reads, one for each row and column of the kernel.

    Numbers below 0 or past the last row or column lie in the padding, where there is no image.
    """

    rows: npt.NDArray[np.intp]
    cols: npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Explanation:
    """How one pixel of one activation map comes about.

    ``products.sum() + bias`` is the pre-activation, and the layer's activation function turns it into the activation.

    For a layer over signals there is a step instead of a row and a column, and ``k`` instead of ``kh, kw``.

    Parameters
    ----------
    filter
        Index of the filter.
    pixel
        ``(row, col)`` in the activation map; the step of a signal's.
    patch
        ``(kh, kw, in_channels)``: the input under the kernel, 0 in the padding.
    kernel
        ``(kh, kw, in_channels)``, as it lies on the patch: Keras does not flip it.
    products
        ``(kh, kw, in_channels)``: patch times kernel.
    bias
        The filter's bias.
    pre_activation, activation
        What Keras computed.
    window
        Input rows and columns of the patch; for a signal, an array of its ``(k,)`` input steps.
    inside
        ``(kh, kw)``: False for taps that lie in the padding.
    receptive_field
        What part of the image the pixel may depend on, through all layers before this one.
    """

    filter: int
    pixel: Pair | int
    patch: Array
    kernel: Array
    products: Array
    bias: float
    pre_activation: float
    activation: float
    window: Any
    inside: npt.NDArray[np.bool_]
    receptive_field: ReceptiveField

    @property
    def total(self) -> float:
        """The sum of all products and the bias, added up in float64."""
        return float(self.products.sum(dtype=np.float64) + self.bias)

    @property
    def agrees(self) -> bool:
        """Whether the sum is Keras's pre-activation, to 1e-5 of the largest partial sum that rounding can act on.

        False for a layer that does not compute what its settings describe, such as a subclass with a ``call`` of its
        own, and for one that computes in less than float32.
        """
        total, keras_value = self.total, self.pre_activation
        if not (np.isfinite(total) and np.isfinite(keras_value)):
            return bool(np.array_equal([total], [keras_value], equal_nan=True))
        scale = float(np.abs(self.products).sum(dtype=np.float64)) + abs(self.bias)
        return abs(total - keras_value) <= 1e-5 * max(scale, abs(keras_value))

    def along_steps(self) -> Explanation:
        """Return the explanation of a step, made from that of a pixel in a picture of one row."""
        assert isinstance(self.pixel, tuple)
        assert isinstance(self.window, Window)
        one_row = {name: getattr(self, name)[0] for name in ("patch", "kernel", "products", "inside")}
        return replace(self, pixel=self.pixel[1], window=self.window.cols, **one_row)

    def __repr__(self) -> str:
        """Describe the sum in words."""
        size = "×".join(map(str, self.kernel.shape))
        taps = self.inside.size
        padding = int(taps - self.inside.sum())
        sign = "=" if self.agrees else "≠"
        products = self.products.sum(dtype=np.float64)
        return (
            f"Explanation of filter {self.filter} at {self.pixel}: {size} products, "
            f"{padding} of {taps} taps in the padding\n"
            f"  sum {products:.7g} + bias {self.bias:.7g} {sign} pre-activation {self.pre_activation:.7g} "
            f"→ activation {self.activation:.7g}\n"
            f"  {self.receptive_field}"
        )


def explain(
    geometry: Geometry,
    x: np.ndarray,
    kernel: np.ndarray,
    bias: float,
    index: int,
    row: int,
    col: int,
    pre_activation: np.ndarray,
    activation: np.ndarray,
) -> Explanation:
    """Take one output pixel apart; its receptive field is that in `x`.

    Parameters
    ----------
    geometry
        The layer, for the input `x`.
    x
        ``(rows, cols, channels)``: what the layer is fed.
    kernel
        ``(kh, kw, kernel_channels)`` of filter `index`; for a separable layer ``(kh, kw, channels)``, the depthwise and
        pointwise kernels multiplied (`separable_kernel`).
    bias
        Of that filter.
    index
        The filter; it determines which channels its group reads.
    row, col
        The pixel in the map; negative ones count from the end, as in NumPy.
    pre_activation, activation
        ``(rows, cols)``: the filter's maps as Keras computed them.

    Raises
    ------
    IndexError
        When the pixel is outside the map, with the ranges that are inside.
    ValueError
        When the layer's settings do not determine what the pixel is computed from.
    TypeError
        When row or col is not a whole number.
    """
    row, col = _resolve(geometry, row, col)
    if not geometry.explainable:
        raise ValueError(geometry.note)
    patch, window, inside = read_patch(geometry, x, index, kernel.shape[2], row, col)
    weights = np.array(kernel, dtype=np.float32)
    with np.errstate(invalid="ignore", over="ignore"):
        products = patch * weights
    for array in (patch, weights, products, inside, *window):
        array.flags.writeable = False
    return Explanation(
        filter=index,
        pixel=(row, col),
        patch=patch,
        kernel=weights,
        products=products,
        bias=float(bias),
        pre_activation=float(pre_activation[row, col]),
        activation=float(activation[row, col]),
        window=window,
        inside=inside,
        receptive_field=of_layer(geometry, row, col),
    )


def read_patch(
    geometry: Geometry, x: np.ndarray, index: int, depth: int, row: int, col: int
) -> tuple[Array, Window, npt.NDArray[np.bool_]]:
    """Read what lies under the kernel at one output pixel.

    Parameters
    ----------
    geometry
        The layer, for the input `x`.
    x
        ``(rows, cols, channels)``: what the layer is fed.
    index
        The filter; it determines which channels its group reads.
    depth
        How many channels its kernel reads.
    row, col
        A pixel in the map.

    Returns
    -------
    patch, window, inside
        As in `Explanation`.
    """
    rows, cols = (np.asarray(entries, dtype=np.intp) for entries in geometry.window(row, col))
    inside = ((rows >= 0) & (rows < x.shape[0]))[:, np.newaxis] & ((cols >= 0) & (cols < x.shape[1]))
    first = geometry.filter_start(index)
    clipped = np.ix_(
        np.clip(rows, 0, x.shape[0] - 1), np.clip(cols, 0, x.shape[1] - 1), np.arange(first, first + depth)
    )
    # Where there is no image, 0; not 0 times the border, which may be infinite.
    patch = np.where(inside[:, :, np.newaxis], np.asarray(x, dtype=np.float32)[clipped], np.float32(0))
    return patch, Window(rows, cols), inside


def separable_kernel(depthwise: np.ndarray, pointwise: np.ndarray, index: int) -> Array:
    """Return the one kernel that a separable layer's two amount to for filter `index`.

    Parameters
    ----------
    depthwise
        ``(kh, kw, channels, depth_multiplier)``, as Keras keeps it.
    pointwise
        ``(channels * depth_multiplier, filters)``.

    Returns
    -------
    numpy.ndarray
        ``(kh, kw, channels)``.
    """
    channels, multiplier = depthwise.shape[2:]
    shares = pointwise[:, index].reshape(channels, multiplier)
    kernel: Array = np.einsum("rscm,cm->rsc", depthwise, shares).astype(np.float32)
    return kernel


def _resolve(geometry: Geometry, row: Any, col: Any) -> Pair:
    """Return ``(row, col)`` counted from the start, or raise what `explain` raises."""
    resolved = []
    names = ("row", "col") if geometry.rank == 2 else ("row", "step")
    for name, value, size in zip(names, (row, col), geometry.output_shape, strict=True):
        try:
            number = operator.index(value)
        except TypeError:
            raise TypeError(
                f"{name}={shortened(value)} was given; expected a whole number from 0 to {size - 1}."
            ) from None
        if not -size <= number < size:
            rows, cols = geometry.output_shape
            sizes = f"{cols} steps" if geometry.rank == 1 else f"{rows} rows and {cols} columns"
            raise IndexError(
                f"{name}={number} is outside the activation map of {sizes}: {name} may be 0 to "
                f"{size - 1}, or -{size} to -1 counted from the end."
            )
        resolved.append(number % size)
    return (resolved[0], resolved[1])
