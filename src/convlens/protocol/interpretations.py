"""Requests about what a filter looks for and what the model's output rests on; long ones run in a thread."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.maths.arrays import json_number, shortened
from convlens.maths.block_means import block_means, fitted
from convlens.maths.curve_picture import curve_picture
from convlens.output.colormaps import cmap_table
from convlens.protocol.decode import Handler, Refused, checked, handler_of, index_of, whole
from convlens.protocol.lens_actions import LensActions
from convlens.protocol.long_runs import LongRun
from convlens.protocol.record_types import ExcitationRecord, ExcitedRecord
from convlens.protocol.request_types import OfFilter, Run, ShowExcited
from convlens.state import interpreted, surveyed
from convlens.state.filters import Array
from convlens.state.model_source import InModel
from convlens.state.session import Session

if TYPE_CHECKING:
    from convlens.interpretation.ascent import Step
    from convlens.surveys.results import Survey

#: Steps of an ascent in the widget, and seconds between two of its pictures.
STEPS, BETWEEN = 256, 0.2
#: Pixels of a picture that is found or laid over the image.
PIXELS = 256 * 256
#: Rows and columns of the curves of a signal that is found.
CURVE = (160, 320)
#: Colours of an attribution, and its opacity, of 255, where it is greatest.
COLOURS, OPACITY = "inferno", 200


class Interpretations:
    """Answers one lens's browsers.

    Parameters
    ----------
    lens
        The widget.
    session
        What the lens holds.
    """

    def __init__(self, lens: LensActions, session: Session) -> None:
        self._lens = lens
        self._session = session
        self._runs: dict[str, LongRun] = {}
        #: The attribution before the edits: what it shows, the map, and the objects that identify it.
        self._before: tuple[Any, Array, Any] | None = None
        #: The image and the pixel that the first stored image replaced, and the image shown since.
        self._replaced: tuple[Any, Any, Any] | None = None
        #: Requests that change nothing, by type.
        self.handlers: dict[str, Handler] = {
            "excited": handler_of(OfFilter, self._excited),
            "run": handler_of(Run, self._run),
        }

    def close(self) -> None:
        """Stop what runs, and release what was found."""
        for run in self._runs.values():
            run.stop()
        self._runs, self._before, self._replaced = {}, None, None

    def show(self, message: ShowExcited) -> dict[str, Any]:
        """Show a stored image with its pixel pinned, or what was shown before the first of them (`rank` None)."""
        session, now = self._session, self._session.image
        if message["rank"] is None:
            if self._replaced is not None:
                before, pixel, _ = self._replaced
                session.set_image(before)
                self._pin(pixel)
                self._replaced = None
            return {"replaced": False}
        survey, i, rank = self._survey, whole(message["filter"], "filter"), message["rank"]
        if not 0 <= i < len(session.filters) or not 0 <= rank < len(surveyed.best(session, survey, i)):
            raise Refused("The survey does not hold that image: the survey was replaced, or another layer is open.")
        kept = (now, self._lens.pixel)
        if self._replaced is not None and self._replaced[2] is now:
            kept = self._replaced[:2]
        pixel = surveyed.show(session, survey, i, rank)
        self._replaced = (*kept, session.image)
        self._pin(pixel)
        return {"replaced": True}

    def _pin(self, pixel: Any) -> None:
        rows, cols = self._session.geometry.output_shape
        # Of a signal a lens has the step alone.
        at = [0, pixel] if isinstance(pixel, int) else pixel
        if at is None or (at[0] < rows and at[1] < cols):
            self._lens.set_from_browser("pixel", at if at is None else list(at))

    @property
    def _survey(self) -> Survey:
        if self._lens.survey is None:
            raise Refused("This lens has no survey. Set lens.survey in Python.")
        survey: Survey = self._lens.survey
        return survey

    def _excited(self, message: OfFilter) -> dict[str, Any]:
        return {"excited": excited_record(self._session, self._survey, index_of(self._session, message["uid"]))}

    # -- what takes long -----------------------------------------------------------------------------------------------

    def _run(self, message: Run) -> dict[str, Any]:
        what, act = message["what"], message["act"]
        prepare = {"maximize": self._maximize, "attribution": self._attribution, "rank": self._rank}
        if what not in prepare:
            raise Refused(f"The widget sent what={shortened(what)}; expected one of {', '.join(prepare)}.")
        now, key = self._runs.get(what), (message["client"], message["seq"])
        if act == "start" and (now is None or now.key != key):
            if now is not None:
                now.stop()
            self._session.catch_up(self._session.filters)  # a thread must not change what the lens holds
            now = self._runs[what] = LongRun(key, prepare[what](message))
            now.start()
        elif act == "stop" and now is not None:
            now.stop()
        elif act not in ("start", "look", "stop"):
            raise Refused(f"The widget sent act={shortened(act)}; expected start, look or stop.")
        return {"run": {"running": False, "error": None} if now is None else now.record()}

    def _maximize(self, message: Run) -> Callable[[LongRun], None]:
        run, (low, high) = interpreted.prepare_maximize(self._session, index_of(self._session, message["uid"]))
        draw = _draw_signal if self._session.image.signal else _draw_image(_channel_order(self._session))

        def note(run: LongRun, number: int, activation: Any, image: Array) -> None:
            run.found = {
                "step": number,
                "steps": STEPS,
                "activation": json_number(activation),
                **draw(image, low, high),
            }

        def work(long: LongRun) -> None:
            done, told = 0, 0.0

            def step(step: Step) -> bool:
                nonlocal done, told
                done = step.number
                if time.monotonic() >= told:
                    note(long, done, step.activations[0], step.images()[0])
                    told = time.monotonic() + BETWEEN
                return long.goes_on()

            found = run(steps=STEPS, seed=0, pixel=None, smoothness=0.1, callback=step)
            note(long, done, found.activation, found.image)

        return work

    def _attribution(self, message: Run) -> Callable[[LongRun], None]:
        session = self._session
        target, method = whole(message["target"], "target"), checked(message["method"], str, "method")
        if session.image.latent:
            raise Refused(
                "The image is a latent vector, over which no map is drawn. In Python, "
                f'lens.attribution({target}, "gradients") returns one value for each of its numbers.'
            )
        objects = (session.image, session.source.base)
        about = (*map(id, objects), session.source.path, session.output, target, method)
        known = self._before[1] if self._before is not None and self._before[0] == about else None
        prepared = [
            interpreted.prepare_attribution(session, target, method, session.output, edited=edited)
            for edited in (False, True)
        ]

        def work(run: LongRun) -> None:
            before = prepared[0]() if known is None else known
            self._before = (about, before, objects)
            after = prepared[1]()
            most = float(max(before.max(), after.max()))
            run.found = {
                "target": target,
                "most": most,
                "before": _over(before, most),
                "after": _over(after, most),
            }

        return work

    def _rank(self, message: Run) -> Callable[[LongRun], None]:
        survey, path = self._survey, self._session.source.path
        ranking = surveyed.prepare_ranking(self._session, survey, index_of(self._session, message["uid"]))

        def work(run: LongRun) -> None:
            run.found = {"best": [_record(survey, path, one) for one in ranking(run.goes_on)]}

        return work


def excited_record(session: Session, survey: Survey, i: int) -> ExcitedRecord:
    """Return the images that a survey holds for filter `i`, and whether the model's weights still are those of then."""
    found = surveyed.best(session, survey, i)
    base = session.source.base
    filters = session.filters if base is None else base
    return {
        "uid": session.filters[i].uid,
        "original": filters.kernel_at(i).tobytes(),
        "bias": json_number(filters[i].bias),
        "current": surveyed.is_current(session, survey),
        "best": [_record(survey, session.source.path, one) for one in found],
    }


def _record(survey: Survey, path: str, one: surveyed.Stored) -> ExcitationRecord:
    (top, bottom), (left, right) = one.entry.window
    patch = one.entry.patch
    record: ExcitationRecord = {
        "filter": one.filter,
        "rank": one.rank,
        "image": str(one.entry.image),
        "value": json_number(one.value),
        "pixel": list(one.entry.pixel),
        "window": [top, bottom, left, right],
        "picture": survey.png(path, one.filter, one.rank),
    }
    return {**record, "range": [json_number(patch.low), json_number(patch.high)]} if patch.signal else record


def _draw_image(order: list[int]) -> Callable[[Array, Any, Any], dict[str, Any]]:
    """Return what draws an image over the model's range, as fields of a ``RunRecord``."""

    def draw(image: Array, low: Any, high: Any) -> dict[str, Any]:
        unit = np.clip((image - low) / (np.asarray(high) - low), 0, 1)
        return {"picture": _png(np.rint(255 * unit[..., order]).astype(np.uint8))}

    return draw


def _draw_signal(signal: Array, low: Any, high: Any) -> dict[str, Any]:
    curves = curve_picture(signal.reshape(len(signal), -1), low, high, CURVE)
    return {"picture": _png(curves), "range": [json_number(low), json_number(high)]}


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Return ``(rows, cols, channels)`` as a PNG file; other channels than 1, 3 or 4 as their mean."""
    import PIL.Image

    if pixels.shape[2] not in (1, 3, 4):
        pixels = pixels.mean(axis=2, keepdims=True).astype(np.uint8)
    picture = PIL.Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    rows, cols = fitted(picture.height, picture.width, PIXELS)
    if (rows, cols) != pixels.shape[:2]:
        picture = picture.resize((cols, rows), PIL.Image.Resampling.BOX)
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _over(values: Array, most: float) -> bytes:
    """Return a map of values from 0 to `most` as a picture that is more opaque where they are greater."""
    drawn = block_means(values, fitted(values.shape[0], values.shape[1], PIXELS))
    share = drawn / most if most > 0 else np.zeros_like(drawn)
    levels = np.clip(255 * share, 0, 255).astype(np.uint8)
    table = np.frombuffer(cmap_table(COLOURS), np.uint8).reshape(256, 3)
    return _png(np.dstack([table[levels], (levels * (OPACITY / 255)).astype(np.uint8)]))


def _channel_order(session: Session) -> list[int]:
    """Return where red, green and blue of the image are in what the model is fed, which `preprocess` may swap."""
    source, image = session.source, session.image
    channels = list(range(image.shape[2]))
    if not (isinstance(source, InModel) and source.preprocesses and len(channels) == 3):
        return channels
    fed = interpreted.one_colour_inputs(session)
    order = [int(np.abs(fed[c] - fed[3]).argmax()) for c in channels]
    return order if sorted(order) == channels else channels
