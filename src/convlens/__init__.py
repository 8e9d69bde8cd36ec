"""An editable lens on a convolution layer, inside the notebook.

>>> from convlens import ConvLens
>>> ConvLens("photo.jpg")                                    # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convlens.inputs.kernel_json import dump as dump_kernels
    from convlens.inputs.kernel_json import load as load_kernels
    from convlens.inputs.presets import presets
    from convlens.interpretation.maximize import Maximized, maximize
    from convlens.maths.explanation import Explanation
    from convlens.surveys.results import Excitation, Survey
    from convlens.surveys.survey import open_survey, survey
    from convlens.tutorial import apply_filter
    from convlens.widget.lens import ConvLens

__version__ = "0.2.0"

__all__ = [
    "ConvLens",
    "Excitation",
    "Explanation",
    "Maximized",
    "Survey",
    "__version__",
    "apply_filter",
    "dump_kernels",
    "load_kernels",
    "maximize",
    "open_survey",
    "presets",
    "survey",
]

_HOMES = {
    "ConvLens": ("convlens.widget.lens", "ConvLens"),
    "Excitation": ("convlens.surveys.results", "Excitation"),
    "Explanation": ("convlens.maths.explanation", "Explanation"),
    "Maximized": ("convlens.interpretation.maximize", "Maximized"),
    "Survey": ("convlens.surveys.results", "Survey"),
    "apply_filter": ("convlens.tutorial", "apply_filter"),
    "dump_kernels": ("convlens.inputs.kernel_json", "dump"),
    "load_kernels": ("convlens.inputs.kernel_json", "load"),
    "maximize": ("convlens.interpretation.maximize", "maximize"),
    "open_survey": ("convlens.surveys.survey", "open_survey"),
    "presets": ("convlens.inputs.presets", "presets"),
    "survey": ("convlens.surveys.survey", "survey"),
}


def __getattr__(name: str) -> object:
    # Importing the package costs nothing; what is used is loaded when it is first named (PEP 562).
    if name not in _HOMES:
        raise AttributeError(f"module 'convlens' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    value = getattr(importlib.import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
