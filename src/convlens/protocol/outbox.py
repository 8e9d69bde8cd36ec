"""What is sent from Python to the browser: the values of the private traits, and messages with records."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from convlens.inputs.images import Image, averaged
from convlens.layers.error_text import plain_text
from convlens.maths.block_means import fitted
from convlens.maths.filter_statistics import plane_rms
from convlens.maths.geometry import Geometry
from convlens.models.outputs import chosen
from convlens.protocol import records
from convlens.protocol.record_types import (
    CloseUpRecord,
    FilterRecord,
    FilterTable,
    ImageRecord,
    LayerRecord,
    LensState,
    MapRecord,
    Status,
)
from convlens.state.change import FEWEST_SHOWN
from convlens.state.edit_lock import EditLock
from convlens.state.map_cache import Maps
from convlens.state.separable_filters import SeparableFilters
from convlens.state.session import Session

#: Messages are split at this size, which every host passes in one piece.
MESSAGE_BYTES = 256 * 1024
#: What a fresh view gets at once, in bytes and in filters; the rest of a longer list follows when it comes on screen.
FIRST_SCREEN_BYTES = 2 * 1024 * 1024
FIRST_SCREEN = 64
#: Pixels of a reduced map before a browser has reported how large it shows one: about those of a large card.
UNTOLD_PIXELS = 400 * 400
#: Pixels of the largest map that a browser is sent, whatever it asks for: those of a 4K display.
SCREEN_PIXELS = 3840 * 2160


class Outbox:
    """Makes the messages and the values of private traits that tell the browser what changed.

    Parameters
    ----------
    session
        What is shown.
    send
        Takes one custom message with its buffers, to be sent in this order.
    drawn
        Returns the stage and the value range that the maps are drawn with.
    failed
        Called with an exception that Keras raised while a map was computed.
    """

    def __init__(
        self,
        session: Session,
        send: Callable[[Any, list[bytes]], None],
        drawn: Callable[[], tuple[str, Any]],
        failed: Callable[[BaseException], None],
    ) -> None:
        self.generation = 1
        self.image_version = 1
        #: Whether a browser has said hello; before that, nothing may be listening.
        self.connected = False
        #: Whether the lens was displayed. The hello of a view that the running cell made waits until that cell ends.
        self.displayed = False
        #: Device pixels, rows and columns, of a whole map on the screen that was reported last.
        self.screen: tuple[int, int] | None = None
        self._session = session
        self._send = send
        self._drawn = drawn
        self._failed = failed
        # Filters that a browser requested or edited, the latest last.
        self._seen: dict[int, None] = {}
        #: One list per thread: what another thread pushes does not belong in the answer that this one makes.
        self._collected = threading.local()
        self._serial = 0
        #: Held while a message gets its number and its place in the queue.
        self.numbering = EditLock()

    # -- values of traits ----------------------------------------------------------------------------------------------

    def state(self) -> LensState:
        """``LensState``."""
        session = self._session
        output = chosen(session.source.outputs, session.output)
        return {
            "generation": self.generation,
            "geometry": session.geometry.to_wire(),
            "own": None if session.closed else self._own(session.image, session.geometry),
            "order": session.filters.uids,
            "image_version": self.image_version,
            "image_is_input": session.plan.feeds_image,
            "output": list(output.picture) if output and output.picture else None,
        }

    def _own(self, image: Image, geometry: Geometry) -> dict[str, Any] | None:
        own = self._session.source.own_beside(image, geometry)
        return None if own is None else own.to_wire()

    def image(self) -> ImageRecord:
        """``ImageRecord``."""
        return records.image_record(self._session.image, self.image_version)

    def table(self, uids: list[int] | None = None) -> FilterTable:
        """``FilterTable`` of these filters, or of the first screen."""
        chosen = self.first_screen() if uids is None else uids
        return {"generation": self.generation, "filters": list(self._records(chosen))}

    def page(self) -> dict[str, Any]:
        """Return the values of ``_state``, ``_image`` and ``_filters`` for a page without Python.

        Such a page computes its maps itself, from a picture that it holds. A large one is reduced for it; then geometry
        and maps are those of the reduced picture.
        """
        session = self._session
        table, image, geometry = self.table(session.filters.uids), session.image, session.geometry
        rows, cols, _ = image.shape
        if not (rows * cols > records.WHOLE_PIXELS and geometry.to_wire()["previewable"] and session.plan.feeds_image):
            return {"_state": self.state(), "_image": self.image(), "_filters": table}
        image = averaged(image, *fitted(rows, cols, records.WHOLE_PIXELS))
        geometry = session.source.plan(image, session.filters).geometry
        return {
            "_state": self.state() | {"geometry": geometry.to_wire(), "own": self._own(image, geometry)},
            "_image": records.image_record(image, self.image_version),
            "_filters": table | {"filters": [one | {"map": None} for one in table["filters"]]},
            "pixel": None,
        }

    def layers(self) -> list[LayerRecord]:
        """One ``LayerRecord`` for each convolution layer of the model."""
        return [records.layer_record(found) for found in self._session.source.found(self._session.image)]

    def status(self) -> Status:
        """``Status``."""
        engine = self._session.engine
        if engine.failure is not None:
            return {"keras": "failed", "detail": plain_text(engine.failure)}
        if not engine.ready:
            return {"keras": "loading", "detail": ""}
        return {"keras": "ready", "detail": engine.computes_with}

    def first_screen(self) -> list[int]:
        """Uids of as many filters as a fresh view gets at once."""
        return self._session.filters.uids[: self._screenful()]

    def _screenful(self) -> int:
        rows, cols = self._shape_on_screen()
        each = 2 * rows * cols + 4 * math.prod(self._session.filters.kernel_shape)
        return max(FEWEST_SHOWN, min(FIRST_SCREEN, FIRST_SCREEN_BYTES // each))

    def _shape_on_screen(self) -> tuple[int, int]:
        """Rows and columns at which a whole map is sent."""
        rows, cols = self._session.geometry.output_shape
        if rows * cols <= records.WHOLE_PIXELS:
            return rows, cols
        if self.screen is None:
            return fitted(rows, cols, UNTOLD_PIXELS)
        return min(rows, self.screen[0]), min(cols, self.screen[1])

    def look_at(self, shape: tuple[int, int]) -> None:
        """Note how many device pixels a whole map has on a screen; maps are sent at that size from then on."""
        self.screen = fitted(*shape, SCREEN_PIXELS)

    def close_up(self, index: int, window: records.Window, shape: tuple[int, int]) -> CloseUpRecord:
        """``CloseUpRecord`` of a part of one filter's map, reduced to at most `shape`."""
        engine, uid = self._session.engine, self._session.filters[index].uid
        with engine.lock:
            if engine.ready:
                engine.compute([uid])
            rev, maps = engine.rev(uid), engine.current(uid)
        if maps is None:
            return {"rev": rev, "map": None}
        rows, cols = fitted(*shape, SCREEN_PIXELS)
        size = min(rows, window[1] - window[0]), min(cols, window[3] - window[2])
        return {"rev": rev, "map": self._drawn_map(maps, size, window)}

    def _drawn_map(self, maps: Maps, shape: tuple[int, int], window: records.Window | None = None) -> MapRecord:
        stage, value_range = self._drawn()
        fixed = value_range if isinstance(value_range, tuple) else None
        return records.map_record(maps.pre_activation, maps.activation, stage, fixed, shape, window)

    def seen(self, uids: Iterable[int]) -> None:
        """Note which filters a browser has on screen."""
        for uid in uids:
            self._seen.pop(uid, None)
            self._seen[uid] = None
        for uid in list(self._seen)[:-FIRST_SCREEN]:
            del self._seen[uid]

    # -- messages ------------------------------------------------------------------------------------------------------

    def push(self, uids: Iterable[int]) -> None:
        """Send these filters to every browser; while this thread makes an answer, they go with the answer."""
        collected: list[int] | None = getattr(self._collected, "uids", None)
        if collected is not None:
            collected += uids
        elif self.connected or self.displayed:
            self.send({"type": "filters"}, uids)

    @contextmanager
    def collecting(self) -> Iterator[list[int]]:
        """Collect what this thread pushes meanwhile, for the answer to carry."""
        collected: list[int] = []
        self._collected.uids = collected
        try:
            yield collected
        finally:
            self._collected.uids = None

    @property
    def answering(self) -> bool:
        """Whether this thread is carrying out a request from the browser."""
        return getattr(self._collected, "uids", None) is not None

    def send(self, message: dict[str, Any], uids: Iterable[int]) -> None:
        """Send a message with these filters' records; what would be too large goes ahead in messages of its own.

        Of more filters than fit on a screen, only those that a browser showed last are sent. The others are listed as
        out of date; the browser requests them when they come on screen.
        """
        uids, outdated = self._on_screen(list(dict.fromkeys(uids)))
        message = message | {"outdated": outdated} if outdated else message
        batch: list[FilterRecord] = []
        size = 0
        for record in self._with_factors(self._records(uids)):
            weight = len(record["kernel"]) + (len(record["map"]["levels"]) if record["map"] else 0)
            if batch and size + weight > MESSAGE_BYTES:
                self._post({"type": "filters"}, batch)
                batch, size = [], 0
            batch.append(record)
            size += weight
        self._post(message, batch)

    def _on_screen(self, uids: list[int]) -> tuple[list[int], list[int]]:
        most = self._screenful()
        if len(uids) <= most:
            return uids, []
        latest = [uid for uid in self._seen if uid in self._session.filters][-most:] or self.first_screen()
        shown = set(latest)
        return [uid for uid in uids if uid in shown], [uid for uid in uids if uid not in shown]

    def _post(self, message: dict[str, Any], filters: list[FilterRecord]) -> None:
        envelope = {"generation": self.generation, "history": self._session.history.counts, "filters": filters}
        with self.numbering:
            self._serial += 1
            self._send(*records.pack(message | envelope | {"serial": self._serial}))

    def _records(self, uids: list[int]) -> Iterator[FilterRecord]:
        session = self._session
        engine = session.engine
        with engine.lock:
            failure = self._compute(uids)
            filters, geometry, shape = engine.filters, session.geometry, self._shape_on_screen()
            found = [(filters.index_of(uid), engine.rev(uid), engine.current(uid)) for uid in uids if uid in filters]
        if failure is not None:  # shown in the widget; the kernels are sent all the same
            self._failed(failure)
        # Outside the lock: the caller sends between two records, and sending may block.
        for index, rev, maps in found:
            drawn = None if maps is None else self._drawn_map(maps, shape)
            yield records.filter_record(filters, index, rev, geometry, drawn)

    def _with_factors(self, found: Iterator[FilterRecord]) -> Iterator[FilterRecord]:
        """Add what a separable layer's filters are made of, while ``fit`` runs, during which no request is answered."""
        filters = self._session.filters
        if not self._session.following or not isinstance(filters, SeparableFilters):
            yield from found
            return
        rms, depthwise = plane_rms(self._session.engine.layer.input), filters.stacked.tobytes()
        for record in found:
            factors = records.factors_record(filters, filters.index_of(record["uid"]), record["rev"], rms)
            # The same object for all, so that it is sent once per message.
            factors["depthwise"] = depthwise
            record["factors"] = factors
            yield record

    def _compute(self, uids: list[int]) -> Exception | None:
        """Have Keras compute these filters' maps if it has loaded; return what it raised."""
        engine = self._session.engine
        # A suspended lens sends only its kernels: the browser requests the maps of what it shows.
        if engine.ready and not engine.suspended:
            try:
                engine.compute(uids)
            except Exception as error:
                return error
        return None
