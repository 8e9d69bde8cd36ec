"""The kinds of convolution layers that can be opened: one file each, found automatically."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

from convlens.layers.kinds.interface import LayerKind

if TYPE_CHECKING:
    from convlens.maths.geometry import Geometry

__all__ = ["LayerKind", "all_kinds", "class_names", "kind_by_name", "kind_of", "kind_of_geometry"]


@functools.cache
def all_kinds() -> tuple[LayerKind, ...]:
    """Return the ``KIND`` of every file here that has one, in the order of their class names."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    kinds: list[LayerKind] = [vars(module)["KIND"] for module in modules if "KIND" in vars(module)]
    return tuple(sorted(kinds, key=lambda kind: kind.class_name))


@functools.cache
def _by_class() -> dict[type, LayerKind]:
    return {kind.keras_class: kind for kind in all_kinds()}


def kind_of(layer: Any) -> LayerKind | None:
    """Return the kind of a convolution layer, None for anything else; a subclass is of the kind of its nearest base."""
    by_class = _by_class()
    return next((by_class[base] for base in type(layer).__mro__ if base in by_class), None)


def kind_by_name(name: str) -> LayerKind:
    """Return the kind whose arithmetic has that name; ``KeyError`` where there is none."""
    for kind in all_kinds():
        if kind.arithmetic.name == name:
            return kind
    raise KeyError(name)


def kind_of_geometry(geometry: Geometry) -> LayerKind:
    """Return the Keras side of a geometry's kind."""
    return kind_by_name(geometry.kind.name)


def class_names() -> list[str]:
    """Return the names of Keras's own classes that can be opened."""
    return [kind.class_name for kind in all_kinds()]
