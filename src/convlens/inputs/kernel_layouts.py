"""Kernels in one array of four dimensions: whose order of axes it is, and the expression for what it may be instead.

Keras keeps a layer's kernels as ``(kh, kw, in_channels, filters)``, a stacked list of kernels is
``(filters, kh, kw, in_channels)``, and PyTorch keeps ``(filters, in_channels, kh, kw)``. The channels that the layer
reads tell Keras's order from a stack; PyTorch's is never guessed, only recognised where it is neither.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from convlens.maths.kind import CONVOLUTION, Kind

Layout = Literal["keras", "stack"]
Shape = tuple[int, ...]

_TORCH = "PyTorch's (filters, in_channels, kh, kw)"


def split(array: NDArray[Any], channels: int, kind: Kind = CONVOLUTION, own: Shape | None = None) -> NDArray[Any]:
    """Return the kernels of one four-dimensional array, ``(kernels, kh, kw, channels)``.

    Parameters
    ----------
    array
        In Keras's order or a stack.
    channels
        Channels of the layer's input that one kernel reads.
    kind
        The layer's kind.
    own
        Shape of the layer's own kernel variable, where there is a layer.

    Raises
    ------
    ValueError
        If it is neither, or could be both; with the expression for each meaning.
    """
    layouts = _layouts(array.shape, channels, kind, own)
    if layouts == ["keras"]:
        return kind.to_kernels(array)
    if layouts == ["stack"]:
        return array
    if layouts:
        raise _two_ways(array.shape, kind, torch=kind.filters_axis == 3 and array.shape[1] == channels)
    raise _no_way(array.shape, channels, kind, own)


def depth_of(shape: Shape, image_channels: int) -> int:
    """Return how many channels the kernels of a four-dimensional array read, where there is no layer to tell.

    Parameters
    ----------
    shape
        Of the array.
    image_channels
        Channels that the image has: a picture can be made grey, or grey be repeated, but not without reason.

    Raises
    ------
    ValueError
        If the array has several meanings, or none.
    """
    other = 1 if image_channels != 1 else 3
    exact = _layouts(shape, image_channels, CONVOLUTION, None)
    converted = _layouts(shape, other, CONVOLUTION, None)
    if image_channels == 1 and exact:
        return 1
    # (3, 3, 3, 1) is one filter of a colour layer; (8, 3, 3, 1), with kernels of 8 × 3, may be a stack of eight.
    if exact == ["keras"] and (shape[0] == shape[1] or "stack" not in _fits(shape, other)):
        return image_channels
    if exact == ["stack"] and "keras" not in converted:
        return image_channels
    if exact:
        raise _two_ways(shape, CONVOLUTION, torch=shape[1] in (image_channels, other))
    # PyTorch's order takes precedence where it fits the image and the others fit another image.
    # Kernels are square more often than not: (3, 3, 1, 8) is Keras's on a colour image, too.
    square = converted == ["keras"] and shape[0] == shape[1] and shape[2] != shape[3]
    if not converted or (shape[1] == image_channels and not square):
        raise _no_way(shape, image_channels, CONVOLUTION, None)
    if len(converted) > 1 and other != 1:
        raise _two_ways(shape, CONVOLUTION, torch=shape[1] in (image_channels, other))
    return other


def stack_depth(shape: Shape) -> int | None:
    """Return how many channels a stack of kernels reads whatever the image, None where the image decides."""
    if shape[2] in (1, 3) or (shape[1] == 1 and shape[3] != 1) or shape[3] not in (1, 3):
        return None
    return shape[3]


def check_keras_layout(shape: Shape, channels: int, kind: Kind, own: Shape | None, biases: int | None) -> None:
    """Raise if the first of a list of weights is not Keras's kernel variable for this layer.

    `biases` is how many numbers the list's bias has, None where it has none.
    """
    biased = biases is not None
    torch = biased and kind.filters_axis == 3 and biases == shape[0] != shape[3]
    fits = not torch and "keras" in _fits(shape, channels, kind, own)
    if not fits and kind.filters_axis == 3 and (torch or shape[1] == channels):
        raise ValueError(
            f"kernels[0] has shape {shape}, {_TORCH}; expected Keras's (kh, kw, {channels}, filters). Give "
            "np.moveaxis(kernels[0], 1, -1)" + (", and bias=kernels[1]." if torch else ".")
        )
    if not fits:
        raise _no_way(shape, channels, kind, own, "kernels[0] has shape")
    if own is None and not biased and shape[1] in (1, 3) and shape[0] != shape[1] and shape[2] == shape[3] > 1:
        raise ValueError(
            f"kernels[0] has shape {shape}, which can be read in two ways. If it is Keras's (kh, kw, in_channels, "
            f"filters), give list(np.moveaxis(kernels[0], -1, 0)); if it is {_TORCH}, give "
            "list(np.moveaxis(kernels[0], 1, -1))."
        )


def channels_first_hint(shape: Shape) -> str:
    """Return what mends one kernel ``(channels, kh, kw)`` of a list, such as ``list(weight)`` of PyTorch's."""
    return (
        f" If its {shape[0]} channel{'s come' if shape[0] > 1 else ' comes'} first, as in {_TORCH}, put "
        f"{'them' if shape[0] > 1 else 'it'} last: np.moveaxis(kernel, 0, -1), "
        "for all of them [np.moveaxis(kernel, 0, -1) for kernel in kernels]."
    )


def _fits(shape: Shape, channels: int, kind: Kind = CONVOLUTION, own: Shape | None = None) -> list[Layout]:
    fits: dict[Layout, bool] = {"keras": shape[2] == channels, "stack": shape[3] == channels}
    if kind.filters_axis == 2:
        fits["keras"] = shape[3] == channels
    elif kind.filters_axis is None:
        # One kernel for each of the input's channels: the layer says how many there are.
        fits["keras"] = own is None or shape[2:] == own[2:]
        fits["stack"] = shape[3] == 1 and (own is None or shape[0] == own[2] * own[3])
    return [layout for layout in ("keras", "stack") if fits[layout]]


def _layouts(shape: Shape, channels: int, kind: Kind, own: Shape | None) -> list[Layout]:
    """Return the layouts that an array may have, only one where that is clear."""
    layouts = _fits(shape, channels, kind, own)
    if len(layouts) < 2:
        return layouts
    if own is not None:
        stacked = kind.to_kernels(np.broadcast_to(0.0, own)).shape
        if (shape == own) != (shape == stacked):
            return ["keras"] if shape == own else ["stack"]
    if kind.filters_axis == 3 and channels == 1:
        return ["keras"]
    return layouts


def _two_ways(shape: Shape, kind: Kind, torch: bool) -> ValueError:
    if kind.filters_axis == 3:
        ours, keras = "(kh, kw, in_channels, filters)", "list(np.moveaxis(kernels, -1, 0))"
    elif kind.filters_axis == 2:
        ours, keras = "(kh, kw, filters, in_channels)", "list(np.moveaxis(kernels, 2, 0))"
    else:
        ours, keras = "(kh, kw, in_channels, depth_multiplier)", "[kernels]"
    meanings = f"If it is Keras's {ours}, give {keras}; if it is (filters, kh, kw, channels), give list(kernels)"
    if torch:
        meanings += f"; if it is {_TORCH}, give list(np.moveaxis(kernels, 1, -1))"
    count = "three" if torch else "two"
    return ValueError(f"kernels is one array of shape {shape}, which can be read in {count} ways. {meanings}.")


def _no_way(
    shape: Shape, channels: int, kind: Kind, own: Shape | None, what: str = "kernels is one array of shape"
) -> ValueError:
    if kind.filters_axis == 3 and (shape[1] == channels or (channels == 3 and shape[1] == 1 and own is None)):
        return ValueError(
            f"{what} {shape}, {_TORCH}; expected Keras's (kh, kw, {channels}, filters), or "
            f"(filters, kh, kw, {channels}): np.moveaxis(kernels, 1, -1)."
        )
    if kind.filters_axis == 3 and channels == 1 and shape[1] == 3:
        return ValueError(
            f"{what} {shape}. If it is {_TORCH}, of a layer for colour images, give "
            "np.moveaxis(kernels, 1, -1), and the image's grey is repeated in three channels."
        )
    expected = {3: f"(kh, kw, {channels}, filters)", 2: f"(kh, kw, filters, {channels})"}.get(kind.filters_axis or 0)
    if expected is None:
        inputs, multiplier = own[2:] if own else ("in_channels", "depth_multiplier")
        expected = f"(kh, kw, {inputs}, {multiplier})"
    return ValueError(
        f"{what} {shape}; expected Keras's {expected}, or the filters first, "
        f"(filters, kh, kw, {channels}), where one kernel reads {channels} channel{'s' * (channels != 1)}. "
        "np.moveaxis puts axes into another order."
    )
