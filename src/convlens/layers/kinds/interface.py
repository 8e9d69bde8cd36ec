"""The interface of a kind of layer; a new kind is a subclass in a file beside this one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from convlens.maths.kind import Channels, Kind

if TYPE_CHECKING:
    import keras

    from convlens.maths.geometry import Geometry, Pair


class LayerKind(ABC):
    """One class of Keras convolution layers: how it is recognised, made, and keeps its weights.

    None of the methods imports Keras unless a layer or a class is asked for, and none changes a layer.
    """

    #: How it reads its input.
    arithmetic: ClassVar[Kind]
    #: Keras's own class.
    class_name: ClassVar[str]
    #: What it is fed, in words, and the sizes of that.
    thing: ClassVar[str] = "image"
    sizes: ClassVar[str] = "rows, cols"
    #: Name of the variable that holds the kernels.
    kernel_name: ClassVar[str] = "kernel"
    #: The class's argument that says how many filters it has for one set of input channels.
    count_argument: ClassVar[str] = "filters"
    #: Whether the number of kernels is free, rather than tied to the input's channels.
    count_is_free: ClassVar[bool] = True
    #: Arguments that initialise its weights.
    initializers: ClassVar[tuple[str, ...]] = ("kernel_initializer",)
    #: The axes of a kernel, in words, and those that its variable has after them.
    axes_in_words: ClassVar[str] = "rows, columns"
    kernel_axes: ClassVar[str]
    #: NumPy source that makes the kernel variable of ``kernels``, a list of ``(kh, kw, channels)``; "" where it is
    #: made by `to_weight`'s reshaping.
    stacking: ClassVar[str] = ""

    @property
    def rank(self) -> int:
        """Axes that it convolves along: 2 for an image, or 1 for a signal, which is a picture of one row."""
        return self.arithmetic.rank

    @property
    def keras_class(self) -> type[keras.layers.Layer]:
        """Keras's own class; subclasses of it are of this kind too."""
        import keras

        found: type[keras.layers.Layer] = getattr(keras.layers, self.class_name)
        return found

    def pair(self, value: Any, of_row: int = 1) -> Pair:
        """Read a setting of the layer as ``(rows, cols)``; `of_row` is that of the one row of a signal."""
        rows, cols = (value, value) if isinstance(value, int) else value
        return (int(rows), int(cols))

    def setting(self, pair: Pair) -> tuple[int, ...]:
        """Write ``(rows, cols)`` as the class takes it."""
        return pair

    def to_layer(self, picture: Any, *, channels_first: bool) -> Any:
        """Return a batch of pictures, in a data format, as the layer takes it."""
        return picture

    def from_layer(self, tensor: Any, *, channels_first: bool) -> Any:
        """Return what the layer returned as a batch of pictures."""
        return tensor

    def batch_shape(
        self, rows: int | None, cols: int | None, channels: int, *, channels_first: bool
    ) -> tuple[Any, ...]:
        """Shape of the layer's input for ``build``."""
        return (None, channels, rows, cols) if channels_first else (None, rows, cols, channels)

    def to_pointwise(self, columns: np.ndarray) -> np.ndarray:
        """Return ``(depthwise channels, filters)`` as the pointwise kernel variable."""
        return columns[np.newaxis, np.newaxis]

    def channels(self, layer: Any, input_channels: int) -> Channels:
        """Read a layer's numbers of filters, groups and kernels per channel."""
        return Channels(input_channels, int(layer.filters))

    def arguments(self, channels: Channels) -> dict[str, Any]:
        """Return the class's arguments through which these numbers are given."""
        return {"filters": channels.filters}

    def input_channels(self, weight_shape: Sequence[int], layer: Any) -> int:
        """Channels of the input that a layer whose kernel variable has this shape was built for."""
        return int(weight_shape[2])

    def to_kernels(self, weight: np.ndarray) -> np.ndarray:
        """Split a kernel variable: ``(kernels, kh, kw, kernel_channels)``, in the order of the output channels."""
        return self.arithmetic.to_kernels(weight)

    @abstractmethod
    def to_weight(self, kernels: Sequence[np.ndarray], multiplier: int) -> np.ndarray:
        """Join kernels to the kernel variable: the inverse of `to_kernels`."""

    def weight_names(self, use_bias: bool) -> list[str]:
        """Names of a layer's weights in Keras's order."""
        return [self.kernel_name, *(["bias"] if use_bias else [])]

    def sibling(self, geometry: Geometry) -> tuple[int, dict[str, Any]]:
        """Return the input channels of a small layer that computes some filters, and its further arguments."""
        return geometry.kernel_channels, {}

    def may_be_traced(self, channels: Channels) -> bool:
        """Whether a small layer of these numbers can be traced by the back end."""
        return True

    def why_list_is_fixed(self) -> str:
        """Return why filters can be neither added, removed nor moved; "" where they can."""
        return ""

    def numpy_lines(self, geometry: Geometry) -> list[str] | None:
        """Return NumPy source that makes ``x`` of ``image`` and ``kernels``; None for windows that slide."""
        return None

    def mend_kernel(self, given: tuple[int, ...], shape: tuple[int, ...]) -> str:
        """Return how to convert an array to the kernel variable of that shape; "" where this kind has no advice."""
        return ""


def filters_on_an_axis(
    given: tuple[int, ...], shape: tuple[int, ...], one: tuple[int, int, int], filters: int, stack: str, flat: str
) -> str:
    """Return how to join kernels that lack the axis of the filters, or have it first.

    Parameters
    ----------
    given, shape
        The array's shape, and the kernel variable's.
    one
        ``(kh, kw, channels)`` of a kernel.
    filters
        How many there are.
    stack, flat
        NumPy source that stacks kernels ``(kh, kw, channels)``, and kernels ``(kh, kw)``.
    """
    if filters < 2:
        return ""
    is_flat = one[2] == 1 and len(given) in (2, 3) and given[-2:] == one[:2]
    how = flat if is_flat else stack
    if given == (filters, *one) or (is_flat and given == (filters, *one[:2])):
        return f"Put the filters on their own axis with {how}, as {shape}; np.reshape would scramble the numbers."
    if given == one or (is_flat and len(given) == 2):
        return f"That is one kernel of {filters}. Stack as many as there are filters with {how}, as {shape}."
    return ""
