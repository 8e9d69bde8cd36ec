"""Numbers by which many filters are put in order, and the input planes of one filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


class Statistics(NamedTuple):
    """One number per filter, ``(filters,)`` each; NaN where the maps or kernels are.

    Parameters
    ----------
    energy
        Mean square of the activation map.
    dead
        Share of exact zeros in the activation map, 0 to 1.
    norm
        Euclidean norm of the kernel.
    """

    energy: Array
    dead: Array
    norm: Array


def statistics(activations: Sequence[Array], kernels: Sequence[Array]) -> Statistics:
    """Compute the statistics of some filters.

    Parameters
    ----------
    activations
        ``(rows, cols)`` each.
    kernels
        ``(kh, kw, channels)`` each.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # maps and kernels may hold what is not finite
        return Statistics(
            np.array([np.mean(np.square(a, dtype=np.float64)) for a in activations], np.float32),
            np.array([1 - np.count_nonzero(a) / a.size for a in activations], np.float32),
            np.array([np.sqrt(np.sum(np.square(k, dtype=np.float64))) for k in kernels], np.float32),
        )


def plane_rms(x: Array) -> Array:
    """Root mean square of every channel of an input ``(rows, cols, channels)``."""
    return np.asarray(np.sqrt(np.mean(np.square(x, dtype=np.float64), axis=(0, 1))), np.float32)


def contribution(kernel: Array, rms: Array) -> Array:
    """Estimate how much each plane of a kernel may add to the pre-activation.

    ``‖kernel plane‖ × rms(input plane)``. Up to a factor common to all planes, it bounds the root mean square of what
    the plane adds (by the Cauchy-Schwarz inequality), and costs one pass over the kernel; the exact number would take a
    convolution for each plane.

    Parameters
    ----------
    kernel
        ``(kh, kw, channels)``.
    rms
        ``(channels,)``: of the input planes that the kernel reads.

    Returns
    -------
    numpy.ndarray
        ``(channels,)``.
    """
    norms = np.sqrt(np.sum(np.square(kernel, dtype=np.float64), axis=(0, 1)))
    return np.asarray(norms * rms, np.float32)
