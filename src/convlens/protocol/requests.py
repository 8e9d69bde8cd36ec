"""What the browser asks for: each request checked, carried out and answered exactly once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from convlens import wire
from convlens.courier import Courier
from convlens.fields import Refused, checked, floats, index_of, known_uids, number, shape_of, whole, with_taps
from convlens.filters import Array, FilterList, read_only
from convlens.inquiries import Inquiries
from convlens.mainthread import between_cells
from convlens.predicting import Predicting
from convlens.repeats import Outcome, Repeats
from convlens.separable import SeparableFilters
from convlens.session import Session

if TYPE_CHECKING:
    from convlens.widget import ConvLens

#: Longest side of a picture that the browser may send.
IMAGE_SIDE = 8192


class Requests:
    """Carries out what one lens's browsers ask for.

    Parameters
    ----------
    lens
        The widget; its public methods do the work where there is one, so that Python and browser mean the same.
    session
        What the lens holds.
    courier
        Brings the answers.
    """

    def __init__(self, lens: ConvLens, session: Session, courier: Courier) -> None:
        self._lens = lens
        self._session = session
        self._courier = courier
        self._repeats = Repeats()
        self._predicting = Predicting(lambda: lens.predictions, lambda message: courier.send(message, ()))
        self._inquiries = Inquiries(lens, session)

    def __call__(self, _widget: object, content: Any, buffers: Any = ()) -> None:
        """Handle one custom message (the signature of `ipywidgets.Widget.on_msg`)."""
        if isinstance(content, dict):
            between_cells(lambda: self._handle(content, buffers or ()))

    def _handle(self, content: dict[str, Any], buffers: Any) -> None:
        client, seq = content.get("client"), content.get("seq")
        if self._repeats.outdated(client, seq):
            return
        outcome = self._repeats.outcome(client, seq)
        if outcome is None:
            outcome = self._outcome(content, buffers)
            self._repeats.keep(client, seq, outcome if self._changes(content) else None)
        head = {"type": "answer", "client": client, "seq": seq}
        try:
            self._courier.send(head | outcome.answer, outcome.touched)
        except Exception as error:  # no answer at all would be a kernel that is busy for ever
            self._courier.send(head | _failure(error), ())

    def _changes(self, content: dict[str, Any]) -> bool:
        """Whether a request may change something; others are carried out again, so that no large answer is kept."""
        kind = content.get("type")
        return kind not in ("hello", "need", "predict", *self._inquiries.handlers)

    def _outcome(self, content: dict[str, Any], buffers: Any) -> Outcome:
        """Carry a request out."""
        try:
            message = wire.unpack(content, buffers)
            handler = self._handler(message.get("type"))
            self._courier.seen(self._addressed(content))
            with self._courier.holding() as touched:
                return Outcome({"ok": True} | (handler(message) or {}), touched)
        except Exception as error:  # whatever it is, the person at the widget must see it
            return Outcome(_failure(error), self._mentioned(content))

    def _handler(self, kind: Any) -> Callable[[dict[str, Any]], dict[str, Any] | None]:
        handlers = self._inquiries.handlers | {
            "hello": self._hello,
            "edit": self._edit,
            "replace": self._replace,
            "add": self._add,
            "remove": lambda m: self._lens.remove_kernel(index_of(self._session, m)),
            "move": self._move,
            "rename": self._rename,
            "undo": lambda m: self._lens.undo(),
            "redo": lambda m: self._lens.redo(),
            "reset": lambda m: self._lens.reset(),
            "set": self._set,
            "configure": self._configure,
            "need": self._need,
            "image": self._image,
            "predict": lambda m: self._predicting.ask(m.get("client"), m.get("seq")),
            "factors": self._factors,
            "scrub": lambda m: self._lens.scrub(whole(m.get("index"), "index")),
        }
        if kind not in handlers:
            raise Refused(f"The widget sent a request of type {kind!r}; known types are {', '.join(handlers)}.")
        return handlers[kind]

    # -- state ---------------------------------------------------------------------------------------------------------

    def _hello(self, message: dict[str, Any]) -> dict[str, Any]:
        courier, filters = self._courier, self._session.filters
        courier.connected = True
        self._lens._fallback.greeted(message.get("picture"))
        held: dict[Any, Any] = {}
        if message.get("generation") == courier.generation:
            held = dict(checked(message.get("revs"), list, "revs"))
        if message.get("again"):
            self._lens._tell_again(message.get("image") != courier.image_version)
        rev = self._session.engine.rev
        screen = courier.first_screen()
        # Of what was sent on demand, only what the browser holds an older version of.
        others = [uid for uid in held if uid in filters and uid not in screen and held[uid] >= 0]
        courier.push([uid for uid in [*screen, *others] if held.get(uid) != rev(uid)])
        return {"model": self._lens.model_id}

    def _need(self, message: dict[str, Any]) -> None:
        uids = known_uids(self._session, message)
        self._courier.seen(uids)
        self._courier.push(uids)

    # -- edits ---------------------------------------------------------------------------------------------------------

    def _edit(self, message: dict[str, Any]) -> None:
        filters = self._session.filters
        kernels: dict[int, Array] = {}
        bias: dict[int, float] = {}
        for edit in checked(message.get("edits"), list, "edits"):
            index = index_of(self._session, checked(edit, dict, "edit"))
            taps = edit.get("taps")
            if taps is not None:
                kernels[index] = with_taps(kernels.get(index, filters.kernel_at(index)), checked(taps, dict, "taps"))
            if edit.get("bias") is not None:
                bias[index] = number(edit["bias"], "bias")
        if bias:
            self._session.source.require_bias()
        self._session.commit(_with_shown(filters, kernels).with_bias(bias), self._gesture(message))

    def _replace(self, message: dict[str, Any]) -> None:
        filters = self._session.filters
        shape = shape_of(message.get("shape"))
        uids = checked(message.get("uids"), list, "uids")
        indices = [index_of(self._session, {"uid": uid}) for uid in uids]
        stack = floats(message.get("kernels"), (len(uids), *shape))
        if shape != filters.kernel_shape and sorted(indices) != list(range(len(filters))):
            raise Refused(
                f"A kernel of shape {shape} cannot stand beside others of shape {filters.kernel_shape}. "
                "Replace all of them at once."
            )
        new = {index: read_only(kernel) for index, kernel in zip(indices, stack, strict=True)}
        self._session.commit(_with_shown(filters, new), self._gesture(message))

    def _add(self, message: dict[str, Any]) -> None:
        name = message.get("name")
        kernel = floats(message.get("kernel"), self._session.filters.kernel_shape)
        at = whole(message.get("at"), "at")
        filters = self._session.filters
        self._session.source.require_own_list("number of filters")
        if not 0 <= at <= len(filters):
            raise Refused(f"Position {at} is outside the list, which has {len(filters)} filters.")
        title = None if name is None else checked(name, str, "name")
        bias = number(message.get("bias", 0), "bias")
        if bias:
            self._session.source.require_bias()
        self._session.commit(filters.added(read_only(kernel), title, at, bias))

    def _factors(self, message: dict[str, Any]) -> dict[str, Any]:
        index, filters = index_of(self._session, message), self._session.filters
        if not isinstance(filters, SeparableFilters):
            raise Refused("Only the filters of a separable layer are made of a depthwise and a pointwise kernel.")
        if (edit := message.get("edit")) is not None:
            taps = checked(edit, dict, "edit")
            part = taps.get("part")
            if part == "depthwise":
                changed = filters.with_stacked(with_taps(filters.stacked, taps))
            elif part == "pointwise":
                changed = filters.with_column(index, with_taps(filters.pointwise[:, index], taps))
            else:
                raise Refused(f"The widget sent part={part!r}; expected 'depthwise' or 'pointwise'.")
            self._session.commit(changed, self._gesture(message))
            filters = self._session.filters
            assert isinstance(filters, SeparableFilters)
        _, rms = self._inquiries.layer_input(self._session.engine.layer)
        return {"factors": wire.factors_record(filters, index, self._session.engine.rev(filters[index].uid), rms)}

    def _configure(self, message: dict[str, Any]) -> None:
        settings = checked(message.get("settings"), dict, "settings")
        source = self._session.source.configured(settings)
        filters = self._session.filters
        if settings.get("use_bias") is False:
            # A layer without a bias has zeros, and not those of before.
            filters = filters.with_bias(dict.fromkeys(range(len(filters)), 0.0))
        self._session.commit(filters, source=source)

    def _move(self, message: dict[str, Any]) -> None:
        self._lens.move_kernel(index_of(self._session, message), whole(message.get("to"), "to"))

    def _rename(self, message: dict[str, Any]) -> None:
        names = list(self._lens.names)
        names[index_of(self._session, message)] = checked(message.get("name"), str, "name")
        self._lens.names = names

    def _set(self, message: dict[str, Any]) -> None:
        name, value = message.get("name"), message.get("value")
        if name not in ("cmap", "value_range", "stage", "selected", "pixel", "layer_path", "_problem"):
            raise Refused(f"{name!r} is not something that the widget may set.")
        if name == "_problem" and value is not None:
            raise Refused("The widget may dismiss a problem, not make one.")
        if isinstance(value, list):
            value = tuple(value)
        setattr(self._lens, name, value)

    def _image(self, message: dict[str, Any]) -> None:
        rows, cols, channels = shape_of(message.get("shape"))
        data = message.get("data")
        if max(rows, cols) > IMAGE_SIDE or channels not in (1, 3, 4):
            raise Refused(
                f"A picture of shape {(rows, cols, channels)} came; expected at most {IMAGE_SIDE} rows and columns, "
                "and 1, 3 or 4 channels."
            )
        if not isinstance(data, bytes) or len(data) != rows * cols * channels:
            raise Refused(f"A picture of shape {(rows, cols, channels)} needs {rows * cols * channels} bytes.")
        self._lens.image = np.frombuffer(data, np.uint8).reshape(rows, cols, channels).copy()

    # -- reading -------------------------------------------------------------------------------------------------------

    def _gesture(self, message: dict[str, Any]) -> str | None:
        gesture = message.get("gesture")
        return f"{message.get('client')}/{gesture}" if isinstance(gesture, str) and gesture else None

    def _addressed(self, content: dict[str, Any]) -> list[int]:
        """Return the filters that a request is about, one by one."""
        said = content.get("edits") if isinstance(content.get("edits"), list) else [content]
        return self._present(one.get("uid") for one in said if isinstance(one, dict))  # type: ignore[union-attr]

    def _mentioned(self, content: dict[str, Any]) -> list[int]:
        """Return the filters whose true state the browser must be told again after a refusal."""
        uids = content.get("uids")
        return self._addressed(content) + self._present(uids if isinstance(uids, list) else ())

    def _present(self, uids: Iterable[Any]) -> list[int]:
        return [uid for uid in uids if isinstance(uid, int) and uid in self._session.filters]


def _failure(error: Exception) -> dict[str, Any]:
    title = "Refused" if isinstance(error, Refused) else type(error).__name__
    return {"ok": False, "error": {"title": title, "text": str(error)}}


def _with_shown(filters: FilterList, kernels: dict[int, Array]) -> FilterList:
    """Exchange kernels as the browser shows them."""
    if filters.pointwise is None:
        return filters.with_kernels(kernels)
    if any(kernel.any() for kernel in kernels.values()):
        raise Refused(
            "A separable layer's filter is made of its depthwise kernels, which all filters share, and of a pointwise "
            "kernel: change one of these. As a whole it can only be set to 0."
        )
    return filters.zeroed(kernels)
