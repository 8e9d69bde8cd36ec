"""Packages that only surveys need: imported where they are used, and what to install where they are missing."""

from __future__ import annotations

import importlib
from typing import Any

#: The ``survey`` extra of pyproject.toml, by the names of its packages: nobody owns the name of this one in a registry.
PACKAGES = ("dask[distributed]>=2024.8", "pandas>=2.2", "pyarrow>=17", "tqdm>=4.66")


def needed(module: str, what_for: str, without: str = "") -> Any:
    """Import a module of the ``survey`` extra.

    Parameters
    ----------
    module
        Its name.
    what_for
        What needs it, the beginning of a sentence.
    without
        How to do without it, a sentence.

    Raises
    ------
    ImportError
        With the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise ImportError(
            f"{what_for} needs the package {package}, which is not installed. Install all that surveys need with "
            f"pip install {' '.join(map(repr, PACKAGES))}. {without}".rstrip()
        ) from error
