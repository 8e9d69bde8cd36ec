"""What becomes of lenses when the cell that made them runs again.

ipywidgets keeps every widget that is not closed, and IPython the results of cells, so that each run of a cell would add
a lens with its layer, picture and maps. A lens of an earlier run is no longer shown in its cell, but a variable or
another output may still have it: it is not closed, but releases what it can make again until it is used.
"""

from __future__ import annotations

import weakref
from typing import Protocol

from convlens.widget.jupyter_internals import running_cell


class Suspendable(Protocol):
    """A lens."""

    def suspend(self, newer: Suspendable) -> None:
        """Release what can be made again, and share with `newer` what is the same."""


#: Lenses by the cell that made them, each with the run of the cell that made it.
_made: dict[str, weakref.WeakKeyDictionary[Suspendable, str]] = {}


def suspend_older(lens: Suspendable) -> None:
    """Note which cell makes `lens`, and suspend those of the cell's earlier runs."""
    cell = running_cell()
    if cell is None:
        return
    name, run = cell
    made = _made.setdefault(name, weakref.WeakKeyDictionary())
    for older, its_run in list(made.items()):
        if its_run != run:
            older.suspend(lens)
    made[lens] = run
