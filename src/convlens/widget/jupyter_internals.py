"""Private names of ipykernel, ipywidgets and traitlets, each behind a function that says what is wanted.

Where a new version removes a name, the function returns what it states, and tests/unit/test_jupyter_internals.py fails.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import traitlets
from ipywidgets.widgets import widget as base_widget


def kernel_loop() -> Any:
    """Return the loop (`tornado.ioloop.IOLoop`) that runs the kernel's cells (ipykernel: ``Kernel.io_loop``).

    None outside a kernel, or without the name: messages are then handled in the thread that they arrive in, and the
    picture beside the widget is not brought up to date.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(getattr(shell, "kernel", None), "io_loop", None)


def person_can_answer(shell: Any) -> bool:
    """Whether the notebook is run by a person, who could answer input() (ipykernel: ``Kernel._allow_stdin``).

    True without the name: outputs are then brought up to date between cells only.
    """
    return bool(getattr(shell.kernel, "_allow_stdin", True))


def observed(owner: traitlets.HasTraits, name: str) -> bool:
    """Whether anybody observes a trait (traitlets: ``HasTraits._trait_notifiers``).

    True without the name: changes are then announced even if nothing observes them, at the cost of making the values.
    """
    notifiers = getattr(owner, "_trait_notifiers", None)
    return notifiers is None or any(notifiers.get(one) for one in (name, traitlets.All))


def open_widgets() -> list[Any]:
    """Return all widgets that are not closed (ipywidgets 8: ``widgets.widget._instances``; 7: ``Widget.widgets``).

    Empty without the names: closing a lens then also closes its layout where another widget was given that as well.
    """
    found: Any = getattr(base_widget, "_instances", None)
    if found is None:
        found = getattr(base_widget.Widget, "widgets", {})
    return list(found.values())


def sender_of(widget: Any, base: Any) -> Callable[[Any, Any], None]:
    """Return what sends a message of a widget's comm (ipywidgets: ``Widget._send``, as `base` inherits it)."""
    send: Callable[[Any, Any], None] = super(base, widget)._send
    return send


def running_cell() -> tuple[str, str] | None:
    """Return which cell runs, and which of its runs this is (ipykernel: ``Kernel.get_parent``).

    Hosts name their cells in the metadata of a request; where one does not, the cell's code stands for it. None
    outside a kernel, or without the name: lenses of cells that run again then keep their maps.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    get_parent = getattr(getattr(shell, "kernel", None), "get_parent", None)
    parent = get_parent("shell") if get_parent is not None else None
    if not parent or "code" not in parent.get("content", {}):
        return None
    cell = parent.get("metadata", {}).get("cellId") or parent["content"]["code"]
    return str(cell), str(parent.get("header", {}).get("msg_id", ""))
