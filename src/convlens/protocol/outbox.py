"""What crosses from Python to the browser: the values of the private traits, and messages with records."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from convlens import wire
from convlens.session import Session

#: Messages are split at this size, which every host passes in one piece.
MESSAGE_BYTES = 256 * 1024
#: What a fresh view gets at once, in bytes and in filters; the rest of a longer list follows when it comes on screen.
FIRST_SCREEN_BYTES = 2 * 1024 * 1024
FIRST_SCREEN = 64


class Courier:
    """Brings what changed to the browser, and nothing else.

    Parameters
    ----------
    session
        What is shown.
    send
        Sends one custom message with its buffers.
    drawn
        Returns the stage and the value range that the maps are drawn with.
    failed
        Told of an exception that Keras raised while a map was computed.
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
        #: Whether a browser has said hello; nobody is certain to listen before.
        self.connected = False
        #: Whether the lens was displayed. The hello of a view that the running cell made waits until that cell ends.
        self.displayed = False
        self._session = session
        self._send = send
        self._drawn = drawn
        self._failed = failed
        # Filters that a browser asked for or spoke of, the latest last.
        self._seen: dict[int, None] = {}
        #: Of each thread: a layer that arrives in another must not be put into an answer that is on its way.
        self._held = threading.local()
        self._serial = 0
        self._posting = threading.Lock()

    # -- values of traits ----------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """``LensState``."""
        session = self._session
        return {
            "generation": self.generation,
            "geometry": session.geometry.to_wire(),
            "order": session.filters.uids,
            "image_version": self.image_version,
            "image_is_input": session.plan.feeds_image,
        }

    def image(self) -> dict[str, Any]:
        """``ImageRecord``."""
        return wire.image_record(self._session.image, self.image_version)

    def table(self, uids: list[int] | None = None) -> dict[str, Any]:
        """``FilterTable`` of these filters, or of the first screen."""
        chosen = self.first_screen() if uids is None else uids
        return {"generation": self.generation, "filters": list(self._records(chosen))}

    def layers(self) -> list[dict[str, Any]]:
        """One ``LayerRecord`` for each convolution layer of the model."""
        return [wire.layer_record(found) for found in self._session.source.found(self._session.image)]

    def status(self) -> dict[str, str]:
        """``Status``."""
        engine = self._session.engine
        if engine.failure is not None:
            return {"keras": "failed", "detail": str(engine.failure)}
        if not engine.ready:
            return {"keras": "loading", "detail": ""}
        import keras

        backends = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
        name = backends.get(keras.backend.backend(), keras.backend.backend())
        return {"keras": "ready", "detail": f"Keras {keras.__version__}, {name}"}

    def first_screen(self) -> list[int]:
        """Uids of as many filters as a fresh view gets at once."""
        return self._session.filters.uids[: self._screenful()]

    def _screenful(self) -> int:
        rows, cols = self._session.geometry.output_shape
        each = 2 * rows * cols + 4 * math.prod(self._session.filters.kernel_shape)
        return max(4, min(FIRST_SCREEN, FIRST_SCREEN_BYTES // each))

    def seen(self, uids: Iterable[int]) -> None:
        """Note which filters a browser has on screen."""
        for uid in uids:
            self._seen.pop(uid, None)
            self._seen[uid] = None
        for uid in list(self._seen)[:-FIRST_SCREEN]:
            del self._seen[uid]

    # -- messages ------------------------------------------------------------------------------------------------------

    def push(self, uids: Iterable[int]) -> None:
        """Send these filters to every browser; while an answer is being made, they ride along with it."""
        held: list[int] | None = getattr(self._held, "uids", None)
        if held is not None:
            held += uids
        elif self.connected or self.displayed:
            self.send({"type": "filters"}, uids)

    @contextmanager
    def holding(self) -> Iterator[list[int]]:
        """Collect what is pushed meanwhile, for the answer to carry."""
        held: list[int] = []
        self._held.uids = held
        try:
            yield held
        finally:
            self._held.uids = None

    def send(self, message: dict[str, Any], uids: Iterable[int]) -> None:
        """Send a message with these filters' records; what would be too large goes ahead in messages of its own.

        Of more filters than fit on a screen only those cross that a browser was last seen to show. Of the others it is
        told that what it has is out of date, and asks for them when they come on screen.
        """
        uids, outdated = self._on_screen(list(dict.fromkeys(uids)))
        message = message | {"outdated": outdated} if outdated else message
        batch: list[dict[str, Any]] = []
        size = 0
        for record in self._records(uids):
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

    def _post(self, message: dict[str, Any], records: list[dict[str, Any]]) -> None:
        envelope = {"generation": self.generation, "history": self._session.history.counts, "filters": records}
        with self._posting:  # in the order of their numbers
            self._serial += 1
            self._send(*wire.pack(message | envelope | {"serial": self._serial}))

    def _records(self, uids: list[int]) -> Iterator[dict[str, Any]]:
        session = self._session
        engine = session.engine
        stage, value_range = self._drawn()
        fixed = value_range if isinstance(value_range, tuple) else None
        with engine.lock:
            filters = session.filters
            uids = [uid for uid in uids if uid in filters]
            if engine.ready:
                try:
                    engine.compute(uids)
                except Exception as error:  # shown in the widget; the kernels cross all the same
                    self._failed(error)
            for uid in uids:
                index = filters.index_of(uid)
                maps = engine.current(uid)
                drawn = None if maps is None else wire.map_record(maps.pre_activation, maps.activation, stage, fixed)
                yield wire.filter_record(filters, index, engine.rev(uid), session.geometry, drawn)
