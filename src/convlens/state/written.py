"""What the lens wrote into the user's layers, and putting it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convlens.layers.stateless_call import RUNNING
from convlens.layers.weights import stored


@dataclass
class _Entry:
    """Of one layer, for each of its variables: where the lens wrote, what was there, and what it wrote."""

    layer: Any
    where: list[np.ndarray]
    before: list[np.ndarray]
    after: list[np.ndarray]

    def trained(self, values: Sequence[np.ndarray]) -> bool:
        """Whether something else has changed what the lens wrote."""
        return any(
            not same(value, after)[where].all()
            for value, after, where in zip(values, self.after, self.where, strict=True)
        )


class Written:
    """The writes of one lens into layers of the user's."""

    def __init__(self) -> None:
        self._entries: dict[int, _Entry] = {}

    def __bool__(self) -> bool:
        """Return whether there is something to put back."""
        return bool(self._entries)

    @property
    def layers(self) -> list[Any]:
        """Those with something that the lens wrote."""
        return [entry.layer for entry in self._entries.values()]

    def write(self, layer: Any, base: Sequence[np.ndarray], edited: Sequence[np.ndarray]) -> None:
        """Write those values into a layer that were edited, and leave all others as they are in the layer now.

        Parameters
        ----------
        layer
            Built.
        base, edited
            The layer's weights without and with the edits, as ``get_weights()`` orders them.
        """
        with RUNNING:
            now = values_of(layer)
            where = [~same(old, new) for old, new in zip(base, edited, strict=True)]
            new = [np.where(at, after, value) for at, after, value in zip(where, edited, now, strict=True)]
            _set(layer, new, now)
            known = self._entries.get(id(layer))
            if known is not None:
                # The values from before the first write are the ones to put back.
                now = [np.where(at, old, value) for at, old, value in zip(known.where, known.before, now, strict=True)]
                after = [np.where(at, b, a) for at, a, b in zip(where, known.after, new, strict=True)]
                where, new = [a | b for a, b in zip(known.where, where, strict=True)], after
            if any(at.any() for at in where):
                self._entries[id(layer)] = _Entry(layer, where, now, new)

    def restore(self) -> list[Any]:
        """Put back what was there before the lens wrote, and nothing else; return the layers.

        Raises
        ------
        ValueError
            Where that has been changed since, by training or ``set_weights``. Nothing is put back then.
        """
        with RUNNING:
            values = {key: values_of(entry.layer) for key, entry in self._entries.items()}
            for key, entry in self._entries.items():
                if entry.trained(values[key]):
                    raise ValueError(
                        f"Layer {entry.layer.name!r} has changed since the lens wrote into it, by training or "
                        "set_weights, so its earlier weights are not restored. To restore them all the same, keep "
                        "model.get_weights() before you train, and pass them to model.set_weights."
                    )
            for key, entry in self._entries.items():
                old = [
                    np.where(at, before, value)
                    for at, before, value in zip(entry.where, entry.before, values[key], strict=True)
                ]
                _set(entry.layer, old, values[key])
            layers = self.layers
            self._entries.clear()
            return layers


def values_of(layer: Any) -> list[np.ndarray]:
    """Return copies of a layer's weights, as ``get_weights()`` gives them on every back end."""
    return [stored(variable) for variable in layer.weights]


def same(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Where two arrays have the same number, or neither has one."""
    found: np.ndarray = (one == other) | ((one != one) & (other != other))
    return found


def _set(layer: Any, new: Sequence[np.ndarray], before: Sequence[np.ndarray]) -> None:
    """Set all weights of a layer, or none when anything is wrong."""
    try:
        layer.set_weights(list(new))
    except BaseException:
        layer.set_weights(list(before))
        raise
