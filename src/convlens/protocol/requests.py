"""The browser's requests: each is checked, carried out and answered exactly once."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from traitlets import TraitError

from convlens.layers.error_text import plain_text
from convlens.maths.arrays import shortened
from convlens.maths.limits import SENT_PIXELS
from convlens.protocol import records
from convlens.protocol.check_incoming import check_incoming
from convlens.protocol.decode import (
    Handler,
    Refused,
    checked,
    floats,
    handler_of,
    index_of,
    known_uids,
    shape_of,
    sides_of,
    window_of,
    with_taps,
)
from convlens.protocol.interpretations import Interpretations
from convlens.protocol.lens_actions import LensActions
from convlens.protocol.outbox import Outbox
from convlens.protocol.output_maps import described
from convlens.protocol.prediction_worker import PredictionWorker
from convlens.protocol.queries import Queries
from convlens.protocol.request_log import Outcome, RequestLog
from convlens.protocol.request_types import (
    Add,
    CloseUp,
    Configure,
    EditRequest,
    Factors,
    Hello,
    LeaveMap,
    Move,
    OfFilter,
    OfFilters,
    Picture,
    Rename,
    Replace,
    Request,
    Screen,
    Scrub,
    SetTrait,
    ShowExcited,
    Vector,
)
from convlens.state import edits
from convlens.state.filters import Array, FilterList, read_only
from convlens.state.separable_filters import SeparableFilters
from convlens.state.session import Session

_log = logging.getLogger("convlens")


class Requests:
    """Carries out the requests of one lens's browsers.

    Parameters
    ----------
    lens
        The widget; its public methods do the work where there is one, so that Python and browser mean the same.
    session
        What the lens holds.
    outbox
        Sends the answers.
    run
        Calls a function when no cell is running with which it might interfere.
    """

    def __init__(
        self, lens: LensActions, session: Session, outbox: Outbox, run: Callable[[Callable[[], None]], None]
    ) -> None:
        self._lens = lens
        self._session = session
        self._outbox = outbox
        self._run = run
        self._request_log = RequestLog()
        self._worker = PredictionWorker(
            session.predict, lambda message: outbox.send(message, ()), lambda found: described(session, found)
        )
        self._queries = Queries(lens, session)
        self._interpretations = Interpretations(lens, session)
        #: Requests that change nothing, by type.
        self._reading = self._queries.handlers | self._interpretations.handlers

    def __call__(self, _widget: object, content: Any, buffers: Any = ()) -> None:
        """Handle one custom message (the signature of `ipywidgets.Widget.on_msg`)."""
        if isinstance(content, dict):
            self._run(lambda: self._handle(content, buffers or ()))

    def close(self) -> None:
        """Stop what runs beside the main thread, and let go of what answers: a notebook keeps closed lenses."""
        self._interpretations.close()
        for handlers in (self._reading, self._queries.handlers, self._interpretations.handlers):
            handlers.clear()
        self._request_log = RequestLog()

    def _handle(self, content: dict[str, Any], buffers: Any) -> None:
        client, seq = content.get("client"), content.get("seq")
        if self._request_log.outdated(client, seq):
            return
        outcome = self._request_log.outcome(client, seq)
        if outcome is None:
            if self._changes(content):
                with self._session.lock:
                    outcome = self._outcome(content, buffers)
            else:
                outcome = self._outcome(content, buffers)
            self._request_log.keep(client, seq, outcome if self._changes(content) else None)
        head = {"type": "answer", "client": client, "seq": seq}
        try:
            self._outbox.send(head | outcome.answer, outcome.touched)
        except Exception as error:  # without an answer the widget would show Python as busy for ever
            _log.exception("A request of the widget could not be answered")
            self._outbox.send(head | _failure(error), ())

    def _changes(self, content: dict[str, Any]) -> bool:
        """Whether a request may change something; others are carried out again, so that no large answer is kept."""
        kind = content.get("type")
        return kind not in ("hello", "need", "predict", "screen", "close_up", *self._reading)

    def _outcome(self, content: dict[str, Any], buffers: Any) -> Outcome:
        """Carry a request out."""
        try:
            self._session.require_open()
            check_incoming(content, buffers)
            if content.get("type") == "image":
                _picture_shape(content.get("shape"))  # before its bytes are copied
            message = records.unpack(content, buffers)
            handler = self._handler(message.get("type"))
            if message["type"] != "hello":
                self._session.resume()
            self._outbox.seen(self._addressed(content))
            with self._outbox.collecting() as touched:
                return Outcome({"ok": True, **(handler(message) or {})}, touched)
        except Exception as error:  # whatever it is, the widget must show it
            _note(error)
            return Outcome(_failure(error), self._mentioned(content))

    def _handler(self, kind: Any) -> Handler:
        lens = self._lens
        handlers: dict[str, Handler] = {
            **self._reading,
            "hello": handler_of(Hello, self._hello),
            "edit": handler_of(EditRequest, self._edit),
            "replace": handler_of(Replace, self._replace),
            "add": handler_of(Add, self._add),
            "remove": handler_of(OfFilter, lambda m: lens.remove_kernel(index_of(self._session, m["uid"]))),
            "move": handler_of(Move, self._move),
            "rename": handler_of(Rename, self._rename),
            "undo": handler_of(Request, lambda m: lens.undo()),
            "redo": handler_of(Request, lambda m: lens.redo()),
            "reset": handler_of(Request, lambda m: lens.reset()),
            "set": handler_of(SetTrait, lambda m: lens.set_from_browser(m["name"], m["value"])),
            "configure": handler_of(Configure, lambda m: edits.configure(self._session, m["settings"])),
            "need": handler_of(OfFilters, self._need),
            "screen": handler_of(Screen, lambda m: self._outbox.look_at(sides_of(m["shape"], "shape"))),
            "close_up": handler_of(CloseUp, self._close_up),
            "image": handler_of(Picture, self._image),
            "vector": handler_of(Vector, self._vector),
            "use_map": handler_of(OfFilter, lambda m: lens.use_map(index_of(self._session, m["uid"]))),
            "leave_map": handler_of(LeaveMap, lambda m: lens.leave_map(m["steps"])),
            "show_excited": handler_of(ShowExcited, self._interpretations.show),
            "predict": handler_of(Request, self._predict),
            "factors": handler_of(Factors, self._factors),
            "scrub": handler_of(Scrub, lambda m: lens.scrub(m["index"])),
        }
        if kind not in handlers:
            raise Refused(
                f"The widget sent a request of type {shortened(kind)}; known types are {', '.join(handlers)}."
            )
        return handlers[kind]

    # -- state ---------------------------------------------------------------------------------------------------------

    def _hello(self, message: Hello) -> dict[str, Any]:
        outbox, filters = self._outbox, self._session.filters
        outbox.connected = True
        held: dict[Any, Any] = {}
        if message["generation"] == outbox.generation:
            held = dict(checked(message["revs"], list, "revs"))
        self._lens.greet(message["picture"], message["image"], bool(message["again"]))
        rev = self._session.engine.rev
        screen = outbox.first_screen()
        # Of what was sent on demand, only those of which the browser holds an older version.
        others = [uid for uid in held if uid in filters and uid not in screen and held[uid] >= 0]
        outbox.push([uid for uid in [*screen, *others] if held.get(uid) != rev(uid)])
        return {"model": self._lens.model_id}

    def _predict(self, message: Request) -> None:
        self._session.catch_up(self._session.filters)  # the thread that predicts must not change what the lens holds
        self._worker.ask(message["client"], message["seq"])

    def _need(self, message: OfFilters) -> None:
        uids = known_uids(self._session, message["uids"])
        self._outbox.seen(uids)
        self._outbox.push(uids)

    def _close_up(self, message: CloseUp) -> dict[str, Any]:
        index = index_of(self._session, message["uid"])
        window = window_of(message["window"], *self._session.geometry.output_shape)
        return {"close_up": self._outbox.close_up(index, window, sides_of(message["shape"], "shape"))}

    # -- edits ---------------------------------------------------------------------------------------------------------

    def _edit(self, message: EditRequest) -> None:
        filters = self._session.filters
        kernels: dict[int, Array] = {}
        bias: dict[int, float] = {}
        for edit in message["edits"]:
            index = index_of(self._session, edit["uid"])
            if (taps := edit["taps"]) is not None:
                kernels[index] = with_taps(kernels.get(index, filters.kernel_at(index)), taps)
            if (new := edit["bias"]) is not None:
                bias[index] = new
        if bias:
            self._session.source.require_bias()
        self._session.commit(_with_shown(filters, kernels).with_bias(bias), self._gesture(message))

    def _replace(self, message: Replace) -> None:
        filters = self._session.filters
        shape, uids = shape_of(message["shape"]), message["uids"]
        if self._session.geometry.rank == 1 and shape[0] != 1:
            raise Refused(f"The widget sent a kernel of shape {shape} for a signal, which has one row.")
        indices = [index_of(self._session, uid) for uid in uids]
        stack = floats(message["kernels"], (len(uids), *shape))
        if shape != filters.kernel_shape and sorted(indices) != list(range(len(filters))):
            raise Refused(
                f"A kernel of shape {shape} cannot join others of shape {filters.kernel_shape}. "
                "Replace all of them at once."
            )
        new = {index: read_only(kernel) for index, kernel in zip(indices, stack, strict=True)}
        self._session.commit(_with_shown(filters, new), self._gesture(message))

    def _add(self, message: Add) -> None:
        filters, at, bias = self._session.filters, message["at"], message["bias"] or 0
        kernel = floats(message["kernel"], filters.kernel_shape)
        self._session.source.require_own_list("number of filters")
        if not 0 <= at <= len(filters):
            raise Refused(f"Position {at} is outside the list, which has {len(filters)} filters.")
        if bias:
            self._session.source.require_bias()
        self._session.commit(filters.added(read_only(kernel), message["name"], at, bias))

    def _factors(self, message: Factors) -> dict[str, Any]:
        index, filters = index_of(self._session, message["uid"]), self._session.filters
        if not isinstance(filters, SeparableFilters):
            raise Refused("Only the filters of a separable layer are made of a depthwise and a pointwise kernel.")
        if (edit := message["edit"]) is not None:
            part = edit["part"]
            if part == "depthwise":
                changed = filters.with_stacked(with_taps(filters.stacked, edit))
            elif part == "pointwise":
                changed = filters.with_column(index, with_taps(filters.pointwise[:, index], edit))
            else:
                raise Refused(f"The widget sent part={shortened(part)}; expected 'depthwise' or 'pointwise'.")
            self._session.commit(changed, self._gesture(message))
            filters = self._session.filters
            assert isinstance(filters, SeparableFilters)
        _, rms = self._queries.layer_input(self._session.engine.layer)
        return {"factors": records.factors_record(filters, index, self._session.engine.rev(filters[index].uid), rms)}

    def _move(self, message: Move) -> None:
        self._lens.move_kernel(index_of(self._session, message["uid"]), message["to"])

    def _rename(self, message: Rename) -> None:
        index = index_of(self._session, message["uid"])
        edits.rename(self._session, self._session.filters[index].uid, message["name"], self._gesture(message))

    def _image(self, message: Picture) -> None:
        rows, cols, channels = _picture_shape(message["shape"])
        data = message["data"]
        if not isinstance(data, bytes) or len(data) != rows * cols * channels:
            raise Refused(f"A picture of shape {(rows, cols, channels)} needs {rows * cols * channels} bytes.")
        self._lens.image = np.frombuffer(data, np.uint8).reshape(rows, cols, channels).copy()

    def _vector(self, message: Vector) -> None:
        image, data = self._session.image, message["data"]
        if not image.latent:
            raise Refused("A latent vector was sent, but this lens was given an image.")
        self._lens.image = floats(data, (image.values.size,))

    # -- reading -------------------------------------------------------------------------------------------------------

    def _gesture(self, message: EditRequest | Replace | Rename | Factors) -> str | None:
        gesture = message["gesture"]
        return f"{message['client']}/{gesture}" if isinstance(gesture, str) and gesture else None

    def _addressed(self, content: dict[str, Any]) -> list[int]:
        """Return the filters that a request is about, one by one."""
        said = content.get("edits") if isinstance(content.get("edits"), list) else [content]
        return self._present(one.get("uid") for one in said if isinstance(one, dict))  # type: ignore[union-attr]

    def _mentioned(self, content: dict[str, Any]) -> list[int]:
        """Return the filters whose true state the browser gets again after a refusal."""
        uids = content.get("uids")
        return self._addressed(content) + self._present(uids if isinstance(uids, list) else ())

    def _present(self, uids: Iterable[Any]) -> list[int]:
        return [uid for uid in uids if isinstance(uid, int) and uid in self._session.filters]


def _picture_shape(shape: object) -> tuple[int, int, int]:
    """Return the shape of a picture that the browser sends."""
    rows, cols, channels = shape_of(shape)
    if channels not in (1, 3, 4):
        raise Refused(f"The widget sent a picture of {shortened(channels)} channels; expected 1, 3 or 4.")
    if rows * cols > SENT_PIXELS:
        step = math.ceil(math.sqrt(rows * cols / SENT_PIXELS))
        raise Refused(
            f"The widget sent a picture of {rows} × {cols} (rows × cols), {rows * cols / 1e6:,.1f} million pixels; "
            f"from the page a lens takes {SENT_PIXELS / 1e6:.1f} million at most. Make it smaller first, e.g. "
            f"{rows // step} × {cols // step}, or set lens.image in Python."
        )
    return rows, cols, channels


def _note(error: Exception) -> None:
    """Log how a request ended, unless it was refused for what the browser sent."""
    if not isinstance(error, Refused):
        # A value that Python's own methods refuse is shown in the widget, which is enough in the ordinary case.
        level = logging.INFO if isinstance(error, (ValueError, TypeError, IndexError, TraitError)) else logging.ERROR
        _log.log(level, "A request of the widget failed", exc_info=error)


def _failure(error: Exception) -> dict[str, Any]:
    title = "Refused" if isinstance(error, Refused) else type(error).__name__
    return {"ok": False, "error": {"title": title, "text": plain_text(error)}}


def _with_shown(filters: FilterList, kernels: dict[int, Array]) -> FilterList:
    """Replace kernels as the browser shows them."""
    if filters.pointwise is None:
        return filters.with_kernels(kernels)
    if any(kernel.any() for kernel in kernels.values()):
        raise Refused(
            "A separable layer's filter is made of its depthwise kernels, which all filters share, and of a pointwise "
            "kernel: change one of these. As a whole it can only be set to 0."
        )
    return filters.zeroed(kernels)
