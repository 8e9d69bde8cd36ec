"""What the browser asks for: each request checked, carried out and answered exactly once."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from convlens import wire
from convlens.courier import Courier
from convlens.explain import read_patch
from convlens.filters import Array, FilterList, read_only
from convlens.mainthread import between_cells
from convlens.predicting import Predicting
from convlens.repeats import Outcome, Repeats
from convlens.separable import SeparableFilters
from convlens.session import Session
from convlens.statistics import contribution, plane_rms, statistics

if TYPE_CHECKING:
    from convlens.layers import ConvLayer
    from convlens.widget import ConvLens

#: Longest side of a picture that the browser may send.
IMAGE_SIDE = 8192
#: Requests that change nothing: a repeated one is carried out again, so that no large answer need be kept.
READING = ("hello", "need", "probe", "diagnose", "code", "predict", "stats", "deep", "patch", "plane")


class Refused(ValueError):
    """A request that is forged, out of date or wrong; the lens stays as it was."""


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
        # Gone with the layer: what is large must not outlive a closed lens.
        self._inputs: weakref.WeakKeyDictionary[ConvLayer, tuple[Array, Array]] = weakref.WeakKeyDictionary()

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
            self._repeats.keep(client, seq, None if content.get("type") in READING else outcome)
        head = {"type": "answer", "client": client, "seq": seq}
        try:
            self._courier.send(head | outcome.answer, outcome.touched)
        except Exception as error:  # no answer at all would be a kernel that is busy for ever
            self._courier.send(head | _failure(error), ())

    def _outcome(self, content: dict[str, Any], buffers: Any) -> Outcome:
        """Carry a request out."""
        try:
            message = wire.unpack(content, buffers)
            handler = self._handler(message.get("type"))
            with self._courier.holding() as touched:
                return Outcome({"ok": True} | (handler(message) or {}), touched)
        except Exception as error:  # whatever it is, the person at the widget must see it
            return Outcome(_failure(error), self._mentioned(content))

    def _handler(self, kind: Any) -> Callable[[dict[str, Any]], dict[str, Any] | None]:
        handlers = {
            "hello": self._hello,
            "edit": self._edit,
            "replace": self._replace,
            "add": self._add,
            "remove": lambda m: self._lens.remove_kernel(self._index(m)),
            "move": self._move,
            "rename": self._rename,
            "undo": lambda m: self._lens.undo(),
            "redo": lambda m: self._lens.redo(),
            "reset": lambda m: self._lens.reset(),
            "set": self._set,
            "configure": self._configure,
            "need": self._need,
            "probe": self._probe,
            "image": self._image,
            "diagnose": self._diagnose,
            "code": self._code,
            "predict": lambda m: self._predicting.ask(m.get("client"), m.get("seq")),
            "stats": self._stats,
            "deep": self._deep,
            "patch": self._patch,
            "plane": self._plane,
            "factors": self._factors,
            "scrub": lambda m: self._lens.scrub(_whole(m.get("index"), "index")),
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
            held = dict(_is(message.get("revs"), list, "revs"))
        if message.get("again"):
            self._lens._tell_again(message.get("image") != courier.image_version)
        rev = self._session.engine.rev
        screen = courier.first_screen()
        # Of what was sent on demand, only what the browser holds an older version of.
        others = [uid for uid in held if uid in filters and uid not in screen and held[uid] >= 0]
        courier.push([uid for uid in [*screen, *others] if held.get(uid) != rev(uid)])
        return {"model": self._lens.model_id}

    def _need(self, message: dict[str, Any]) -> None:
        uids = self._known(message)
        self._courier.seen(uids)
        self._courier.push(uids)

    def _probe(self, message: dict[str, Any]) -> dict[str, Any]:
        row, col = self._pixel(message)
        engine = self._session.engine
        if not engine.ready:
            return {"values": []}
        uids = self._known(message)
        engine.compute(uids)
        return {
            "values": [
                {
                    "uid": uid,
                    "rev": engine.rev(uid),
                    "activation": wire.number(maps.activation[row, col]),
                    "pre_activation": wire.number(maps.pre_activation[row, col]),
                }
                for uid in uids
                if (maps := engine.current(uid)) is not None
            ]
        }

    def _diagnose(self, message: dict[str, Any]) -> dict[str, Any]:
        index = self._index(message)
        channel = _whole(message.get("channel", 0), "channel")
        channels = self._session.filters.kernel_shape[2]
        if not 0 <= channel < channels:
            raise Refused(f"There is no channel {channel}: the kernel has {channels}, numbered from 0.")
        uid = self._session.filters[index].uid
        found = self._lens.diagnose(index)
        return {"diagnostics": wire.diagnostics_record(found, uid, self._session.engine.rev(uid), channel)}

    def _code(self, message: dict[str, Any]) -> dict[str, Any]:
        return {"code": self._lens.to_code(_is(message.get("framework"), str, "framework"))}

    # -- inside a model ------------------------------------------------------------------------------------------------

    def _stats(self, message: dict[str, Any]) -> dict[str, Any]:
        engine = self._session.engine
        _ = engine.layer  # waited for before the lock is taken, which the thread that brings it needs
        with engine.lock:
            filters = self._session.filters
            engine.compute()
            maps = [maps.activation for uid in filters.uids if (maps := engine.current(uid)) is not None]
            found = statistics(maps, [filters.kernel_at(i) for i in range(len(filters))])
        return {"stats": {name: values.tobytes() for name, values in found._asdict().items()}}

    def _deep(self, message: dict[str, Any]) -> dict[str, Any]:
        index = self._index(message)
        engine, filters = self._session.engine, self._session.filters
        x, rms = self._layer_input(engine.layer)
        wanted = sorted({_whole(channel, "channels") for channel in _is(message.get("channels"), list, "channels")})
        if wanted and not 0 <= wanted[0] <= wanted[-1] < len(rms):
            raise Refused(f"Channels {wanted} were asked for: the input has {len(rms)}, numbered from 0.")
        pre_activation, _ = self._session.maps(index)
        kernel = filters.kernel_at(index)
        first = 0 if filters.pointwise is not None else self._session.geometry.first_channel(index)
        return {
            "deep": {
                "uid": filters[index].uid,
                "rev": engine.rev(filters[index].uid),
                "pre_activation": pre_activation.tobytes(),
                "planes": [{"channel": channel, "data": x[..., channel].tobytes()} for channel in wanted],
                "contribution": contribution(kernel, rms[first : first + kernel.shape[2]]).tobytes(),
            }
        }

    def _patch(self, message: dict[str, Any]) -> dict[str, Any]:
        index, (row, col) = self._index(message), self._pixel(message)
        geometry, depth = self._session.geometry, self._session.filters.kernel_shape[2]
        patch, window, _ = read_patch(geometry, self._session.engine.layer.input, index, depth, row, col)
        return {"patch": {"rows": window.rows.tolist(), "cols": window.cols.tolist(), "values": patch.tobytes()}}

    def _plane(self, message: dict[str, Any]) -> dict[str, Any]:
        x, channel = self._session.engine.layer.input, _whole(message.get("channel"), "channel")
        if not 0 <= channel < x.shape[2]:
            raise Refused(f"There is no channel {channel}: the layer's input has {x.shape[2]}, numbered from 0.")
        return {"plane": wire.picture_record(x[..., channel])}

    def _factors(self, message: dict[str, Any]) -> dict[str, Any]:
        index, filters = self._index(message), self._session.filters
        if not isinstance(filters, SeparableFilters):
            raise Refused("Only the filters of a separable layer are made of a depthwise and a pointwise kernel.")
        if (edit := message.get("edit")) is not None:
            taps = _is(edit, dict, "edit")
            part = taps.get("part")
            if part == "depthwise":
                changed = filters.with_stacked(_with_taps(filters.stacked, taps))
            elif part == "pointwise":
                changed = filters.with_column(index, _with_taps(filters.pointwise[:, index], taps))
            else:
                raise Refused(f"The widget sent part={part!r}; expected 'depthwise' or 'pointwise'.")
            self._session.commit(changed, self._gesture(message))
            filters = self._session.filters
            assert isinstance(filters, SeparableFilters)
        _, rms = self._layer_input(self._session.engine.layer)
        return {"factors": wire.factors_record(filters, index, self._session.engine.rev(filters[index].uid), rms)}

    def _layer_input(self, layer: ConvLayer) -> tuple[Array, Array]:
        """Return the layer's input and the root mean square of its channels, found once for an input."""
        if layer not in self._inputs:
            x = layer.input
            self._inputs[layer] = (x, plane_rms(x))
        return self._inputs[layer]

    # -- edits ---------------------------------------------------------------------------------------------------------

    def _edit(self, message: dict[str, Any]) -> None:
        filters = self._session.filters
        kernels: dict[int, Array] = {}
        bias: dict[int, float] = {}
        for edit in _is(message.get("edits"), list, "edits"):
            index = self._index(_is(edit, dict, "edit"))
            taps = edit.get("taps")
            if taps is not None:
                kernels[index] = _with_taps(kernels.get(index, filters.kernel_at(index)), _is(taps, dict, "taps"))
            if edit.get("bias") is not None:
                bias[index] = _number(edit["bias"], "bias")
        if bias:
            self._session.source.require_bias()
        self._session.commit(_with_shown(filters, kernels).with_bias(bias), self._gesture(message))

    def _replace(self, message: dict[str, Any]) -> None:
        filters = self._session.filters
        shape = _shape(message.get("shape"))
        uids = _is(message.get("uids"), list, "uids")
        indices = [self._index({"uid": uid}) for uid in uids]
        stack = _floats(message.get("kernels"), (len(uids), *shape))
        if shape != filters.kernel_shape and sorted(indices) != list(range(len(filters))):
            raise Refused(
                f"A kernel of shape {shape} cannot stand beside others of shape {filters.kernel_shape}. "
                "Replace all of them at once."
            )
        new = {index: read_only(kernel) for index, kernel in zip(indices, stack, strict=True)}
        self._session.commit(_with_shown(filters, new), self._gesture(message))

    def _add(self, message: dict[str, Any]) -> None:
        name = message.get("name")
        kernel = _floats(message.get("kernel"), self._session.filters.kernel_shape)
        at = _whole(message.get("at"), "at")
        filters = self._session.filters
        self._session.source.require_own_list("number of filters")
        if not 0 <= at <= len(filters):
            raise Refused(f"Position {at} is outside the list, which has {len(filters)} filters.")
        title = None if name is None else _is(name, str, "name")
        bias = _number(message.get("bias", 0), "bias")
        if bias:
            self._session.source.require_bias()
        self._session.commit(filters.added(read_only(kernel), title, at, bias))

    def _configure(self, message: dict[str, Any]) -> None:
        settings = _is(message.get("settings"), dict, "settings")
        source = self._session.source.configured(settings)
        filters = self._session.filters
        if settings.get("use_bias") is False:
            # A layer without a bias has zeros, and not those of before.
            filters = filters.with_bias(dict.fromkeys(range(len(filters)), 0.0))
        self._session.commit(filters, source=source)

    def _move(self, message: dict[str, Any]) -> None:
        self._lens.move_kernel(self._index(message), _whole(message.get("to"), "to"))

    def _rename(self, message: dict[str, Any]) -> None:
        names = list(self._lens.names)
        names[self._index(message)] = _is(message.get("name"), str, "name")
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
        rows, cols, channels = _shape(message.get("shape"))
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

    def _index(self, message: dict[str, Any]) -> int:
        uid = message.get("uid")
        try:
            index = self._session.filters.index_of(uid)  # type: ignore[arg-type]
            self._courier.seen([self._session.filters[index].uid])
            return index
        except (KeyError, TypeError):
            raise Refused("That filter is no longer in the list; the widget shows the list as it is now.") from None

    def _pixel(self, message: dict[str, Any]) -> tuple[int, int]:
        row, col = _whole(message.get("row"), "row"), _whole(message.get("col"), "col")
        rows, cols = self._session.geometry.output_shape
        if not (0 <= row < rows and 0 <= col < cols):
            raise Refused(f"Pixel ({row}, {col}) is outside the maps, which have {rows} rows and {cols} columns.")
        return row, col

    def _known(self, message: dict[str, Any]) -> list[int]:
        uids = _is(message.get("uids"), list, "uids")
        return [uid for uid in uids if isinstance(uid, int) and uid in self._session.filters]

    def _gesture(self, message: dict[str, Any]) -> str | None:
        gesture = message.get("gesture")
        return f"{message.get('client')}/{gesture}" if isinstance(gesture, str) and gesture else None

    def _mentioned(self, content: dict[str, Any]) -> list[int]:
        """Return the filters whose true state the browser must be told again after a refusal."""
        said = content.get("edits") if isinstance(content.get("edits"), list) else [content]
        uids = [one.get("uid") for one in said if isinstance(one, dict)]  # type: ignore[union-attr]
        uids += content["uids"] if isinstance(content.get("uids"), list) else []
        return [uid for uid in uids if isinstance(uid, int) and uid in self._session.filters]


def _failure(error: Exception) -> dict[str, Any]:
    title = "Refused" if isinstance(error, Refused) else type(error).__name__
    return {"ok": False, "error": {"title": title, "text": str(error)}}


def _is(value: Any, kind: type, name: str) -> Any:
    if not isinstance(value, kind):
        raise Refused(f"The widget sent {name}={value!r}; expected a {kind.__name__}.")
    return value


def _whole(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(f"The widget sent {name}={value!r}; expected a whole number.")
    return value


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not (isinstance(value, (int, float)) or value in ("NaN", "Infinity", "-Infinity")):
        raise Refused(f"The widget sent {name}={value!r}; expected a number.")
    number = float(value)
    if math.isfinite(number) and abs(number) > float(np.finfo(np.float32).max):
        raise Refused(f"{number:g} is too large for float32, which ends at 3.4e38.")
    return number


def _shape(value: Any) -> tuple[int, int, int]:
    if not isinstance(value, list) or len(value) != 3:
        raise Refused(f"The widget sent shape={value!r}; expected three whole numbers.")
    rows, cols, channels = (_whole(v, "shape") for v in value)
    if min(rows, cols, channels) < 1:
        raise Refused(f"The widget sent shape={value!r}; every size must be at least 1.")
    return rows, cols, channels


def _floats(data: Any, shape: tuple[int, ...]) -> Array:
    if not isinstance(data, bytes) or len(data) != 4 * math.prod(shape):
        raise Refused(f"Kernels of shape {shape} need {4 * math.prod(shape)} bytes of float32.")
    return np.frombuffer(data, "<f4").reshape(shape).astype(np.float32)


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


def _with_taps(kernel: Array, taps: dict[str, Any]) -> Array:
    index, value = _is(taps.get("index"), list, "index"), _is(taps.get("value"), list, "value")
    if len(index) != len(value):
        raise Refused(f"{len(index)} taps came with {len(value)} values.")
    new = kernel.copy()
    flat = new.reshape(-1)
    for i, v in zip(index, value, strict=True):
        if not 0 <= _whole(i, "tap") < flat.size:
            raise Refused(f"Tap {i} is outside the kernel, which has {flat.size} values.")
        flat[i] = _number(v, "value")
    new.flags.writeable = False
    return new
