"""An editable lens on a convolution layer, inside the notebook.

>>> from convlens import ConvLens
>>> ConvLens("photo.jpg")                                    # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convlens.explain import Explanation
    from convlens.named_kernels import presets
    from convlens.tutorial import apply_filter
    from convlens.widget import ConvLens

__version__ = "0.1.0"

__all__ = ["ConvLens", "Explanation", "__version__", "apply_filter", "presets"]

_HOMES = {
    "ConvLens": "convlens.widget",
    "Explanation": "convlens.explain",
    "apply_filter": "convlens.tutorial",
    "presets": "convlens.named_kernels",
}


def __getattr__(name: str) -> object:
    # Importing the package costs nothing; what is used is loaded when it is first named (PEP 562).
    if name not in _HOMES:
        raise AttributeError(f"module 'convlens' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
