"""The browser's requests, each declared once; js/protocol/requests.ts declares them for TypeScript.

A request has the fields of its type once `decode.read` has read it: a field that was left out is None, a number that
was sent as a word is a float. A field of type `object` is checked where it is used, against the lens as it is then.
"""

from __future__ import annotations

from typing import Any, TypedDict


class Request(TypedDict):
    """What every request has; undo, redo, reset and predict have nothing else."""

    type: str
    client: object
    seq: object


class Hello(Request):
    """What the browser holds, as `(uid, rev)`, and whether it missed messages."""

    generation: object
    revs: object
    image: object
    again: object
    picture: object


class Taps(TypedDict):
    """New values of some taps, by flat index in C order."""

    index: list[int]
    value: list[float]


class Edit(TypedDict):
    """One changed filter."""

    uid: object
    taps: Taps | None
    bias: float | None


class EditRequest(Request):
    """Edits of one gesture, which `undo` takes back at once."""

    edits: list[Edit]
    gesture: object


class LeaveMap(Request):
    """Back to what the layer was fed this many maps earlier."""

    steps: int


class Statistics(Request):
    """One number per filter, to sort by; with a pinned pixel the maps' values there as well."""

    pixel: object


class Ranges(Request):
    """The range of every filter's map of one stage."""

    stage: str


class Replace(Request):
    """Whole new kernels, float32 `(n, *shape)`."""

    uids: list[object]
    shape: object
    kernels: object
    gesture: object


class Add(Request):
    """A new filter at a position of the list."""

    kernel: object
    bias: float | None
    name: str | None
    at: int


class OfFilter(Request):
    """A request about one filter, without further fields."""

    uid: object


class Move(OfFilter):
    """Another position in the list."""

    to: int


class Rename(OfFilter):
    """Another name."""

    name: str
    gesture: object


class SetTrait(Request):
    """The value of a trait that both sides set."""

    name: object
    value: object


class Configure(Request):
    """Settings of the built-in layer, or of a copy of the user's, by Keras's names of its arguments."""

    settings: dict[str, Any]


class OfFilters(Request):
    """Filters whose kernels and maps are wanted; those that no longer exist are skipped."""

    uids: list[object]


class Screen(Request):
    """Rows and columns of device pixels that a whole map has on screen."""

    shape: object


class CloseUp(OfFilter):
    """A part of a map, reduced to at most `shape`."""

    window: object
    shape: object


class Pixels(Request):
    """A part of the image at its full size."""

    window: object


class Pixel(Request):
    """An output pixel."""

    row: int
    col: int


class Probe(Pixel):
    """Keras's own values of filters at a pixel."""

    uids: list[object]


class Patch(Pixel):
    """The layer's input under a filter's kernel at a pixel."""

    uid: object


class Picture(Request):
    """A new image, uint8 `(rows, cols, channels)`."""

    shape: object
    data: object


class Vector(Request):
    """Another latent vector, float32 as long as the one that there is."""

    data: object


class Diagnose(OfFilter):
    """What a kernel does; `channel` is the plane that is looked at closely, 0 unless given."""

    channel: int | None


class Losses(Request):
    """What the output loses without each of `count` filters from `start` on."""

    start: int
    count: int


class OutputMaps(Request):
    """A channel of the model's output, or a part of it, reduced to at most `shape`."""

    channel: int
    window: object
    shape: object


class OutputValues(Pixel):
    """The model's output at a pixel of one channel."""

    channel: int


class Code(Request):
    """A program that computes what is shown."""

    framework: str


class Deep(OfFilter):
    """What the linear update takes for a filter inside a model."""

    channels: list[int]


class Page(Request):
    """The lens as a page that needs no Python."""


class Plane(Request):
    """One channel of the layer's input."""

    channel: int


class PartEdit(Taps):
    """Taps of one part of a separable filter."""

    part: object


class Factors(OfFilter):
    """The parts of a separable layer's filter, after an edit of one where one is given."""

    edit: PartEdit | None
    gesture: object


class ShowExcited(Request):
    """A stored image of a survey; without a rank, what was shown before the first of them."""

    filter: int | None
    rank: int | None


class Run(Request):
    """Begin, check or stop what takes seconds: `what` is maximize, attribution or rank."""

    what: str
    act: str
    uid: object
    target: int | None
    method: str | None


class Scrub(Request):
    """The kernels of a snapshot of the training."""

    index: int
