"""Telling the browser and Python's observers what a step of the session changed."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from convlens.maths.one_row import kernel_shown
from convlens.output.colormaps import CURATED, cmap_table
from convlens.state.change import Change
from convlens.state.session import Session
from convlens.state.training import Follower
from convlens.widget.base import LensBase
from convlens.widget.jupyter_internals import observed
from convlens.widget.notebook_picture import NotebookPicture

_log = logging.getLogger("convlens")


class Announcements:
    """Announces one lens's changes.

    An observer that raises does not stop others from being told: the change has happened. The first exception
    reaches the caller in Python afterwards; for a change that the browser requested, the widget shows it.

    Parameters
    ----------
    lens
        Whose traits are announced.
    """

    def __init__(self, lens: LensBase) -> None:
        self._lens = lens
        self._errors: list[Exception] = []
        self._base: Any = None

    def changed(self, session: Session, picture: NotebookPicture, follower: Follower, change: Change) -> None:
        """Announce a step of the session."""
        lens, outbox = self._lens, self._lens._outbox
        self._errors = []
        with lens.hold_sync():
            if change.layout:
                outbox.generation += 1
                outbox.image_version += change.old_image is not None
                self._set("_state", outbox.state())
            if change.old_image is not None:
                self._set("_image", outbox.image())
                self._set("_layers", outbox.layers())
                self._announce("image", change.old_image.shown, lens.image)
            if session.source.base is not self._base:
                self._base = session.source.base
                self._attempt(lens._weights_changed)
            self._keep_inside(session)
            if change.before.names != change.after.names:
                self._announce("names", change.before.names, lens.names)
        # Making thousands of arrays costs more than the edit.
        if change.kernels and observed(lens, "kernels"):
            rank = change.old_rank or session.geometry.rank
            before = (kernel_shown(kernel, rank) for kernel in change.before.kernels)
            self._announce("kernels", lens._live("kernels", before), lens.kernels)
        if change.pointwise_kernels:
            self._announce("pointwise_kernels", lens._columns(change.before), lens.pointwise_kernels)
        if not np.array_equal(change.before.bias, change.after.bias, equal_nan=True):
            self._announce("bias", change.before.bias, lens.bias)
        self._set("_training", follower.record())
        outbox.push(change.stale)
        picture.changed()
        if change.notice:
            self._attempt(lambda: lens.notify(change.notice, "The model has changed"))
        if change.stale or change.layout:
            self._announce_maps(session)
        self._raise_first()

    def ready(self, session: Session, picture: NotebookPicture) -> None:
        """Announce that Keras has loaded, or failed to load."""
        self._lens.set_trait("_status", self._lens._outbox.status())
        if session.engine.ready:
            self._lens._outbox.push(self._lens._outbox.first_screen())
        self.offer_cmaps()
        picture.changed()

    def offer_cmaps(self) -> None:
        """Send the tables of the colour maps that the widget offers, in a thread if Matplotlib is not imported yet."""
        # Importing Matplotlib takes half a second, for which the first display does not wait.
        if "matplotlib" in sys.modules:
            self._offer_cmaps()
        else:
            threading.Thread(target=self._offer_cmaps, name="convlens: colour maps").start()

    def _offer_cmaps(self) -> None:
        try:
            tables = {name: cmap_table(name) for name in CURATED}
        except Exception as error:
            self._lens.report(error, "The colour maps could not be made")
            return
        lens = self._lens
        lens.between_cells(lambda: lens.set_trait("_cmaps", tables | lens._cmaps))

    def _keep_inside(self, session: Session) -> None:
        lens = self._lens
        self._set("selected", min(lens.selected, len(session.filters) - 1))
        if lens.pixel is not None:
            try:
                session.geometry.check_pixel(lens.pixel)
            except (TypeError, ValueError):
                self._set("pixel", None)

    def _announce_maps(self, session: Session) -> None:
        # Stacking all maps costs as much as computing one, so it is done only for observers.
        for name in ("activations", "pre_activations"):
            if observed(self._lens, name) and session.engine.ready:
                self._attempt(partial(self._announce_map, name))

    def _announce_map(self, name: str) -> None:
        self._lens.announce(name, None, getattr(self._lens, name))

    def _set(self, name: str, value: Any) -> None:
        self._attempt(lambda: self._lens.set_trait(name, value))

    def _announce(self, name: str, old: Any, new: Any) -> None:
        self._attempt(lambda: self._lens.announce(name, old, new))

    def _attempt(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:
            self._errors.append(error)

    def _raise_first(self) -> None:
        errors, self._errors = self._errors, []
        for error in errors[1:]:
            _log.error("An observer of the lens raised", exc_info=error)
        if not errors:
            return
        if not self._lens._outbox.answering:
            raise errors[0]
        self._lens.report(errors[0], f"An observer raised {type(errors[0]).__name__}")
