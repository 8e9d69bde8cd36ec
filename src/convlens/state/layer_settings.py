"""The built-in layer's settings, under Keras's argument names, checked before Keras is imported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from convlens.maths.activations import PREVIEWABLE
from convlens.maths.arrays import shortened
from convlens.maths.geometry import Geometry, Pair


@dataclass(frozen=True)
class Settings:
    """The arguments of the built-in layer, under Keras's names.

    Errors are raised here, before Keras is imported, in the words of Keras's own argument names.
    """

    activation: Any = "relu"
    strides: Pair = (1, 1)
    padding: str = "valid"
    dilation_rate: Pair = (1, 1)
    use_bias: bool = True
    rank: int = 2

    @classmethod
    def read(cls, rank: int = 2, **given: Any) -> Settings:
        """Check what a user gave; unknown names are a ``TypeError``. `rank` is 1 for a Conv1D."""
        return cls(rank=rank).changed(**given)

    @classmethod
    def of(cls, geometry: Geometry) -> Settings:
        """Return the settings of an existing layer, its activation function by name."""
        return cls(
            activation=geometry.activation,
            strides=geometry.strides,
            padding=geometry.padding,
            dilation_rate=geometry.dilation_rate,
            use_bias=geometry.use_bias,
            rank=geometry.rank,
        )

    def beside(self, other: Settings) -> dict[str, Any]:
        """Return those arguments that differ in `other`, as they are here."""
        return {name: value for name, value in vars(self).items() if value != getattr(other, name)}

    def changed(self, **given: Any) -> Settings:
        """Return a copy with some arguments replaced."""
        readers: dict[str, Callable[[Any], Any]] = {
            "activation": _activation,
            "strides": lambda v: _pair(v, "strides", self.rank),
            "dilation_rate": lambda v: _pair(v, "dilation_rate", self.rank),
            "padding": lambda v: _padding(v, self.rank),
            "use_bias": _use_bias,
        }
        unknown = set(given) - set(readers)
        if unknown:
            raise TypeError(
                f"The layer has no setting {', '.join(sorted(unknown))}. Its settings are {', '.join(readers)}."
            )
        new = replace(self, **{name: readers[name](value) for name, value in given.items()})
        if max(new.strides) > 1 and max(new.dilation_rate) > 1:
            strides, dilation = (pair if self.rank == 2 else pair[1] for pair in (new.strides, new.dilation_rate))
            raise ValueError(
                f"strides={strides} and dilation_rate={dilation} were given, but Keras allows only one of "
                "them to be greater than 1. Set the other to 1."
            )
        return new

    @property
    def activation_name(self) -> str:
        """The activation function's name, as Keras spells it."""
        if isinstance(self.activation, str):
            return self.activation
        return str(getattr(self.activation, "__name__", None) or getattr(self.activation, "name", "activation"))


def _pair(value: Any, name: str, rank: int) -> Pair:
    """Read a setting for rows and columns; for a signal, which has one row, for its steps."""
    try:
        one = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        pair = (value, value)[-rank:] if one else tuple(value)
        if rank == 1 and len(pair) == 1:
            pair = (1, *pair)
        rows, cols = (int(v) for v in pair)
        if rank == 1 and rows != 1:
            raise ValueError
        if (rows, cols) != tuple(pair) or min(rows, cols) < 1:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        both = f", or two of them for rows and columns, such as {name}=2 or {name}=(2, 1)" if rank == 2 else ""
        raise ValueError(f"{name}={shortened(value)} was given; expected a positive whole number{both}.") from None
    return (rows, cols)


def _use_bias(value: Any) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"use_bias={shortened(value)} was given; expected True or False.")
    return bool(value)


def _padding(value: Any, rank: int) -> str:
    known = {"valid": "no padding", "same": "zeros at the borders"}
    if rank == 1:
        known["causal"] = "zeros before the first step"
    if isinstance(value, str) and value.lower() in known:
        return value.lower()
    *others, last = (f"{name!r} ({what})" for name, what in known.items())
    raise ValueError(f"padding={shortened(value)} was given; expected {', '.join(others)} or {last}.")


def _activation(value: Any) -> Any:
    if value is None:
        return "linear"
    if isinstance(value, str):
        if value in PREVIEWABLE:
            return value
        import keras

        try:
            keras.activations.get(value)
        except ValueError as error:
            raise ValueError(
                f"activation={shortened(value)} is not one that Keras knows. Examples are "
                f"{', '.join(sorted(PREVIEWABLE))}; "
                "a function of your own may be given as well."
            ) from error
        return value
    if callable(value):
        return value
    raise TypeError(
        f"activation={shortened(value)} was given; expected a name such as 'relu', a callable, or None for linear."
    )
