"""Filters one after another: a map of the lens as its own input, and the way back."""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import Any

import numpy as np

from convlens.maths.arrays import shortened
from convlens.state.session import Session


def use_map(session: Session, i: int) -> None:
    """Feed the layer with the map of filter `i` as it is now."""
    _ = session.engine.layer  # waited for before the lock is taken
    with session.editing() as filters:
        index = filters.check_index(i)
        if session.source.layers:
            raise ValueError(
                "The next layer of the model already reads this map: open that layer with layer_path. To "
                "put filters one after another, make a lens of kernels, or of a layer alone."
            )
        name, before = filters.names[index], session.image
        _, map_ = session.maps(index)
        read = session.source.read_image(map_[0] if before.signal else map_, session.geometry.input_shape[2])
        session.set_image(replace(read, through=(*before.through, (name, before))))


def leave_map(session: Session, steps: int = 1) -> None:
    """Feed the layer again what it was fed before the last `use_map`, or before the last `steps` of them."""
    with session.editing():
        through, count = session.image.through, _count(steps)
        if through and count:
            session.set_image(through[-min(count, len(through))][1])


def _count(steps: Any) -> int:
    try:
        count = -1 if isinstance(steps, (bool, np.bool_)) else operator.index(steps)
    except TypeError:
        count = -1
    if count < 0:
        raise ValueError(f"steps={shortened(steps)} was given; expected the number of maps to go back, a whole number.")
    return count
