"""The built-in layer's settings, under Keras's argument names, checked before Keras is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from convlens.geometry import PREVIEWABLE, Pair


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

    @classmethod
    def read(cls, **given: Any) -> Settings:
        """Check what a user gave; unknown names are a ``TypeError``."""
        return cls().changed(**given)

    def changed(self, **given: Any) -> Settings:
        """Return other settings with some arguments exchanged."""
        readers: dict[str, Callable[[Any], Any]] = {
            "activation": _activation,
            "strides": lambda v: _pair(v, "strides"),
            "dilation_rate": lambda v: _pair(v, "dilation_rate"),
            "padding": _padding,
            "use_bias": bool,
        }
        unknown = set(given) - set(readers)
        if unknown:
            raise TypeError(
                f"{', '.join(sorted(unknown))}: not a setting of the layer. Settings are {', '.join(readers)}."
            )
        new = replace(self, **{name: readers[name](value) for name, value in given.items()})
        if max(new.strides) > 1 and max(new.dilation_rate) > 1:
            raise ValueError(
                f"strides={new.strides} and dilation_rate={new.dilation_rate} were given, but Keras allows only one of "
                "them to be greater than 1. Set the other to 1."
            )
        return new

    @property
    def activation_name(self) -> str:
        """The activation function's name, as Keras spells it."""
        if isinstance(self.activation, str):
            return self.activation
        return str(getattr(self.activation, "__name__", None) or getattr(self.activation, "name", "activation"))


def _pair(value: Any, name: str) -> Pair:
    try:
        pair = (value, value) if isinstance(value, int) and not isinstance(value, bool) else tuple(value)
        rows, cols = (int(v) for v in pair)
        if (rows, cols) != pair or min(rows, cols) < 1:
            raise ValueError
    except (TypeError, ValueError):
        raise ValueError(
            f"{name}={value!r} was given; expected a positive whole number, or two of them for rows and columns, "
            f"such as {name}=2 or {name}=(2, 1)."
        ) from None
    return (rows, cols)


def _padding(value: Any) -> str:
    if isinstance(value, str) and value.lower() in ("valid", "same"):
        return value.lower()
    raise ValueError(f"padding={value!r} was given; expected 'valid' (no padding) or 'same' (zeros at the borders).")


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
                f"activation={value!r} is not one that Keras knows. Examples are {', '.join(sorted(PREVIEWABLE))}; "
                "a function of your own may be given as well."
            ) from error
        return value
    if callable(value):
        return value
    raise TypeError(f"activation={value!r} was given; expected a name such as 'relu', a callable, or None for linear.")
