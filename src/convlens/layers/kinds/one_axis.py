"""What the kinds over one axis have in common: a signal of `steps` is a picture of one row and `steps` columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from convlens.layers.kinds.interface import LayerKind
from convlens.maths.geometry import Pair
from convlens.maths.kind import Channels, Kind


class OneAxis(Kind):
    """Arithmetic whose kernel variable has no axis for rows, in front of that of the same kind over images."""

    rank = 1

    def weight_shape(self, kernel_size: Pair, channels: Channels) -> tuple[int, ...]:
        """Shape of the kernel variable, in Keras's order."""
        return super().weight_shape(kernel_size, channels)[1:]


class OneAxisLayer(LayerKind):
    """A class over ``(batch, steps, channels)``, in front of the class of the same kind over images."""

    thing, sizes = "signal", "steps"
    axes_in_words = "steps"

    def pair(self, value: Any, of_row: int = 1) -> Pair:
        (steps,) = (value,) if isinstance(value, int) else value
        return (of_row, int(steps))

    def setting(self, pair: Pair) -> tuple[int, ...]:
        return pair[1:]

    def to_layer(self, picture: Any, *, channels_first: bool) -> Any:
        return picture[:, :, 0] if channels_first else picture[:, 0]

    def from_layer(self, tensor: Any, *, channels_first: bool) -> Any:
        import keras

        if len(getattr(tensor, "shape", ())) != 3:
            return tensor
        return keras.ops.expand_dims(tensor, 2 if channels_first else 1)

    def batch_shape(
        self, rows: int | None, cols: int | None, channels: int, *, channels_first: bool
    ) -> tuple[Any, ...]:
        return (None, channels, cols) if channels_first else (None, cols, channels)

    def input_channels(self, weight_shape: Sequence[int], layer: Any) -> int:
        return super().input_channels((1, *weight_shape), layer)

    def to_kernels(self, weight: np.ndarray) -> np.ndarray:
        return super().to_kernels(weight[np.newaxis])

    def to_weight(self, kernels: Sequence[np.ndarray], multiplier: int) -> np.ndarray:
        weight: np.ndarray = super().to_weight(kernels, multiplier)[0]  # type: ignore[safe-super]
        return weight

    def to_pointwise(self, columns: np.ndarray) -> np.ndarray:
        return columns[np.newaxis]

    def mend_kernel(self, given: tuple[int, ...], shape: tuple[int, ...]) -> str:
        return ""
