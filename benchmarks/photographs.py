"""Crops of the photographs that scikit-image and scikit-learn carry."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

#: Of scikit-image, whose other photographs are fetched from a network.
_NAMES = ("astronaut", "chelsea", "coffee", "rocket")


@functools.cache
def photographs() -> list[npt.NDArray[np.uint8]]:
    """Return photographs in colour, ``(rows, cols, 3)`` each."""
    import skimage.data
    from sklearn.datasets import load_sample_images

    return [*(getattr(skimage.data, name)()[:, :, :3] for name in _NAMES), *load_sample_images().images]


def crops(count: int, side: int) -> Iterator[tuple[int, Any]]:
    """Yield pairs of a number and a crop ``(side, side, 3)``, the same at every run, each taken when it is needed."""
    for i in range(count):
        random = np.random.default_rng(i)
        photograph = photographs()[i % len(photographs())]
        top, left = (int(random.integers(n - side)) for n in photograph.shape[:2])
        yield i, photograph[top : top + side, left : left + side].copy()
