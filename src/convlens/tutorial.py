"""The tutorial's function, with its bug fixed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from convlens.inputs.images import read_image
from convlens.inputs.kernels import check_fits, read_kernels
from convlens.maths.arrays import FloatArray, as_array
from convlens.maths.geometry import Geometry

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from convlens.layers.conv_layer import ConvLayer


def apply_filter(
    img: Any, index: int, filter_list: Sequence[Any], ax: Axes | None = None, layer: Any = None
) -> FloatArray:
    """Draw the activation map of one filter of a list, as Keras computes it.

    The tutorial's function of this name reads the variable of the loop around it instead of its own `index`, and
    leaves its filter in the layer. This one draws ``filter_list[index]`` and leaves the layer as it was.

    Parameters
    ----------
    img
        The image, as :class:`convlens.ConvLens` takes it: in the tutorial ``(rows, cols)`` in [0, 1].
    index
        Which filter of the list.
    filter_list
        Filters, ``(kh, kw)`` each, or ``(kh, kw, channels)``.
    ax
        Matplotlib axes to draw on; pyplot's current ones if None.
    layer
        A Keras convolution layer to compute with, its bias taken as 0, as the tutorial sets it. Where it has
        another number or size of filters, its other settings are used. If None,
        ``Conv2D(1, (kh, kw), activation="relu")``.

    Returns
    -------
    numpy.ndarray
        The activation map, ``(rows, cols)`` float32.

    Raises
    ------
    IndexError
        If the list has no filter `index`.
    ValueError, TypeError
        If the image, the filter or the layer cannot be used; the text says how to mend it.
    """
    if not -len(filter_list) <= index < len(filter_list):
        raise IndexError(f"There is no filter {index}: filter_list has {len(filter_list)}, numbered from 0.")
    kernel = as_array(filter_list[index], f"filter_list[{index}]")
    image = read_image(img, channels=kernel.shape[2] if kernel.ndim == 3 else 1, scale=True)
    kernel = read_kernels([kernel], image.shape[2])[0]
    conv = _conv(layer, image.shape, (kernel.shape[0], kernel.shape[1]))
    check_fits(conv.geometry)
    conv.feed(image.values)
    _, activations = conv.run([kernel], np.zeros(1, np.float32), [0])
    map_: FloatArray = activations[0]
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.gca()
    ax.imshow(map_, cmap="gray")
    return map_


def _conv(layer: Any, input_shape: tuple[int, int, int], kernel_size: tuple[int, int]) -> ConvLayer:
    from convlens.layers.conv_layer import ConvLayer

    if layer is not None:
        return ConvLayer.of(layer, input_shape).with_filters(1, kernel_size)
    geometry = Geometry(input_shape=input_shape, filters=1, kernel_size=kernel_size)
    check_fits(geometry)
    return ConvLayer.built_in(geometry)
