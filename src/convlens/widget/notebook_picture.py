"""What an output shows where widgets are not shown (GitHub, a PDF, a page without Python), kept up to date."""

from __future__ import annotations

import base64
import importlib
import logging
import os
import sys
import threading
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

from convlens.maths.one_row import kernel_shown
from convlens.protocol.outbox import Outbox
from convlens.state.exports import Look
from convlens.state.session import Session
from convlens.widget.jupyter_internals import kernel_loop, person_can_answer

_log = logging.getLogger("convlens")

#: How long nothing must have changed before a picture is drawn, which takes Python a quarter of a second.
SETTLED_SECONDS = 1.0
#: Pixels per inch; the tutorial's four maps take 110 kB.
DPI = 72
#: A picture of more filters would cost a notebook more than it is worth.
MOST_FILTERS = 8
#: Python is not told when running a cell again replaces an output; so only the last ones are kept up to date.
MOST_OUTPUTS = 8

#: How a picture gets into the notebook: the front end puts it there, `update_display_data` does, or neither.
Way = Literal["keep", "update", "none"]


class NotebookPicture:
    """Keeps the picture and the text of a lens's outputs as they would be if displayed now.

    A picture is drawn by Matplotlib from Keras's own maps, on the main thread, and never before a lens is shown: it
    is drawn once Keras has loaded and nothing has changed for a second. Where `update_display_data` would make the host
    draw the widget anew, the front end is sent the picture instead and puts it into the notebook by itself.

    Parameters
    ----------
    session, outbox
        What is shown, and what brings it to the front ends.
    bundle
        Returns the widget's own MIME bundle and its metadata.
    look
        Returns how maps are drawn.
    save
        Gives the front ends the filters as they are now, for hosts that save what they were last sent.
    """

    def __init__(
        self,
        session: Session,
        outbox: Outbox,
        bundle: Callable[[], Any],
        look: Callable[[], Look],
        save: Callable[[], None],
    ) -> None:
        self._session = session
        self._outbox = outbox
        self._bundle = bundle
        self._look = look
        self._save = save
        # Not one for all: JupyterLab draws every output of a display id anew when one more is displayed.
        self._display_ids: deque[str] = deque(maxlen=MOST_OUTPUTS)
        self._ways: set[Way] = set()
        self._shell: Any = None
        self._timer: Any = None
        self._arming = False
        self._version = 0
        self._kept: tuple[int, dict[str, str]] | None = None
        self._told = 0

    # -- what is displayed -------------------------------------------------------------------------------------------

    def bundle(self, *, draw: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return an output's MIME bundle and its metadata; a picture is drawn for it if `draw` and Keras is there."""
        data, metadata = self._bundle()
        if draw and self._session.engine.ready:
            return data | self._pictures(), metadata
        kept = self._kept
        return data | (kept[1] if kept is not None and kept[0] == self._version else {}), metadata

    def display(self) -> None:
        """Publish an output that can be brought up to date."""
        shell = kernel_shell()
        if shell is not None and self._shell is None:
            self._shell = shell
            shell.events.register("post_run_cell", self._after_cell)
        # Colab is the only host known in which `update_display_data` would make the lens be drawn anew.
        data, metadata = self.bundle(draw=_in_colab())
        self._told = -1
        self._display_ids.append(uuid.uuid4().hex)
        publish(data, metadata, self._display_ids[-1])
        self._later()

    # -- what keeps it up to date --------------------------------------------------------------------------------------

    def changed(self) -> None:
        """Something that the picture shows has changed, or can be drawn now."""
        self._version += 1
        self._later()

    def greeted(self, way: Any) -> None:
        """Note how a front end puts a picture into the notebook."""
        if way in ("keep", "update"):
            self._ways.add(way)
            self._told = -1
            # It takes half a second, for which the first picture should not wait.
            threading.Thread(target=_import_matplotlib, name="convlens: import matplotlib").start()
            self._later()

    def suspend(self) -> None:
        """Release the picture; none is drawn before the next change."""
        self._kept, self._told = None, self._version

    def close(self) -> None:
        """Stop."""
        if self._shell is not None:
            self._shell.events.unregister("post_run_cell", self._after_cell)
        self._shell, self._kept, self._ways = None, None, set()

    def _later(self) -> None:
        # From any thread: the kernel's loop runs on the main thread, when no cell does.
        loop = kernel_loop() if self._shell is not None else None
        if loop is not None and (self._ways or _in_colab()) and not self._arming:
            self._arming = True
            loop.add_callback(self._arm, loop)

    def _arm(self, loop: Any) -> None:
        self._arming = False
        if self._timer is not None:
            loop.remove_timeout(self._timer)
        self._timer = loop.call_later(SETTLED_SECONDS, self._settled)

    def _settled(self) -> None:
        self._timer = None
        if self._told == self._version or not self._session.engine.ready:
            return
        if _in_colab():
            # The notebook saves traits, but edits are sent as messages.
            self._save()
            self._told = self._version
        if "keep" in self._ways:
            data, _ = self.bundle(draw=True)
            self._outbox.send({"type": "outputs", "data": data}, ())
            self._told = self._version
        if "update" in self._ways:
            self._update()

    def _after_cell(self, *_: object) -> None:
        """Bring the outputs up to date at once where a notebook is run by a program, so that no person waits."""
        # Voila shows what it runs, and saves nothing.
        if self._shell is None or person_can_answer(self._shell) or "VOILA_REQUEST_URL" in os.environ:
            return
        if self._told != self._version:
            self._session.engine.wait()
            self._update()

    def _update(self) -> None:
        data, metadata = self.bundle(draw=True)
        for display_id in self._display_ids:
            publish(data, metadata, display_id, update=True)
        self._told = self._version

    def _pictures(self) -> dict[str, str]:
        """Return ``image/png`` of what is shown now, or nothing where it cannot be drawn."""
        version = self._version
        if self._kept is None or self._kept[0] != version:
            try:
                pictures = {"image/png": base64.b64encode(self._draw()).decode()}
            except Exception:  # the widget shows what is wrong with the layer; no picture is better than an old one
                _log.exception("The picture beside the widget could not be drawn")
                pictures = {}
            self._kept = (version, pictures)
        return self._kept[1]

    def _draw(self) -> bytes:
        from convlens.output.figures import png

        cmap, value_range, stage = self._look()
        engine = self._session.engine
        with engine.lock:
            filters = engine.filters
            shown = filters.uids[:MOST_FILTERS]
            engine.compute(shown)
            # A shared range is that of all maps that exist; as in the browser, none is computed for it alone.
            others = filters.uids[MOST_FILTERS:] if value_range == "shared" else []
            uids = shown + [uid for uid in others if engine.current(uid) is not None]
            found = [engine.current(uid) for uid in uids]
            indices = [filters.index_of(uid) for uid in uids]
            rank = self._session.geometry.rank
            kernels = [kernel_shown(filters.kernel_at(i), rank) for i in indices]
            names = [filters.names[i] for i in indices]
            total = len(filters)
        before = stage == "pre_activation"
        maps = [one.pre_activation if before else one.activation for one in found if one is not None]
        maps = maps if rank == 2 else [values[0] for values in maps]
        return png(
            *(kernels, maps, names),
            cmap=cmap,
            value_range=value_range,
            form="compact",
            dpi=DPI,
            most=MOST_FILTERS,
            total=total,
        )


def _in_colab() -> bool:
    return "google.colab" in sys.modules


def _import_matplotlib() -> None:
    try:
        importlib.import_module("matplotlib.backends.backend_agg")
    except Exception:
        _log.exception("Matplotlib could not be imported, so no picture is drawn beside the widget")


def publish(data: dict[str, Any], metadata: dict[str, Any], display_id: str, update: bool = False) -> None:
    """Display a MIME bundle, or replace what was displayed under this id."""
    from IPython.display import publish_display_data

    publish_display_data(data, metadata, transient={"display_id": display_id}, update=update)


def kernel_shell() -> Any:
    """Return IPython's shell where it runs in a Jupyter kernel, else None."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell if getattr(shell, "kernel", None) is not None else None
