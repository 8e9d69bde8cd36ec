"""The records that are sent to the browser, each declared once; js/protocol has the same for TypeScript.

Bytes are C-ordered: row, column, channel. A number that JSON cannot express is sent as a word (`Num`).
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

#: A finite float, or "NaN", "Infinity" or "-Infinity".
Num = float | str


class LensState(TypedDict):
    """Trait `_state`. `generation` grows whenever geometry, image, order or the choice of an output changes.

    `output` are rows, columns and channels of the model's output where it is a picture, else None. `own` is the
    geometry of the user's layer itself, where the lens computes with a copy of it that differs.
    """

    generation: int
    geometry: dict[str, Any]
    own: dict[str, Any] | None
    order: list[int]
    image_version: int
    image_is_input: bool
    output: list[int] | None


class ReducedRecord(TypedDict):
    """What a large picture was reduced to, and the range and the number of unusual values of the whole picture."""

    shape: list[int]
    range: list[float]
    not_finite: int


class ImageRecord(TypedDict):
    """Trait `_image`: the image that is shown, and the layer's input where `image_is_input`.

    `shape` is that of the image; `data` has the rows and columns of `reduced`, where that is not None. Where it is a
    map of the lens's own, `through` names the filters that it went through, in their order.
    """

    version: int
    shape: list[int]
    dtype: Literal["uint8", "float32"]
    scale: float
    data: bytes
    reduced: ReducedRecord | None
    notes: list[str]
    signal: bool
    latent: bool
    through: list[str]


class MapCounts(TypedDict):
    """How many values of a map are not finite, and how many activations are exactly 0."""

    nan: int
    posinf: int
    neginf: int
    zeros: int


class MapRecord(TypedDict):
    """One activation map, or a part of it, in 8 bits; `flags` is None where every value is an ordinary number.

    `shape` are the rows and columns of `levels`: where the map has more, each is the level of a mean. Range and counts
    are those of all values of the map.
    """

    stage: str
    range: list[float]
    shape: list[int]
    levels: bytes
    flags: bytes | None
    counts: MapCounts


class PictureRecord(TypedDict):
    """One plane to look at, in 8 bits like a map."""

    range: list[float]
    levels: bytes
    flags: bytes | None
    shape: list[int]


class CloseUpRecord(TypedDict):
    """A part of one filter's map, and the `rev` that it belongs to; None as long as Keras has no map."""

    rev: int
    map: MapRecord | None


class Status(TypedDict):
    """Trait `_status`: whether Keras is there, and its version or why it failed."""

    keras: Literal["loading", "ready", "failed"]
    detail: str


class Problem(TypedDict):
    """Trait `_problem`: the last thing that went wrong, or that is to be noted, shown until it is dismissed."""

    id: int
    title: str
    text: str
    tone: Literal["error", "note"]


class LayerRecord(TypedDict):
    """One convolution layer of a model."""

    path: str
    class_name: str
    input_shape: list[int]
    output_shape: list[int]
    kernel_size: list[int]
    rank: int
    filters: int


class PresetRecord(TypedDict):
    """One named kernel, under its name in Python and in words."""

    name: str
    title: str
    group: str
    shape: list[int]
    values: list[float]


class LossesRecord(TypedDict):
    """What the score of a class loses without each of some filters: float32."""

    values: bytes
    target: int


class FactorsRecord(TypedDict):
    """What one filter of a separable layer is made of."""

    uid: int
    rev: int
    multiplier: int
    depthwise: bytes
    pointwise: bytes
    contribution: bytes


class _FilterRecord(TypedDict):
    uid: int
    rev: int
    kernel: bytes
    bias: Num
    first_channel: int
    map: MapRecord | None


class FilterRecord(_FilterRecord, total=False):
    """One filter; `map` is None until Keras has computed the map of this `rev`.

    `factors` are included while a training is followed.
    """

    factors: FactorsRecord


class FilterTable(TypedDict):
    """Trait `_filters`."""

    generation: int
    filters: list[FilterRecord]


class ResponseRecord(TypedDict):
    """A frequency response in 8 bits, from 0 to `max`."""

    shape: list[int]
    max: float
    levels: bytes


class PlaneRecord(TypedDict):
    """What was found out about one plane of a kernel; None where it needs finite numbers."""

    channel: int
    sum: Num
    norm: Num
    rank: int | None
    separable: bool | None
    vertical: list[float] | None
    horizontal: list[float] | None
    remaining: float | None
    response: ResponseRecord | None


class DiagnosticsRecord(TypedDict):
    """What was found out about a kernel."""

    uid: int
    rev: int
    sum: Num
    norm: Num
    symmetry: str | None
    left_right: bool | None
    up_down: bool | None
    ranks: list[int | None]
    note: str
    plane: PlaneRecord


class PixelValue(TypedDict):
    """One filter's values at a pixel."""

    uid: int
    rev: int
    activation: Num
    pre_activation: Num


class InputPlane(TypedDict):
    """One channel of a layer's input."""

    channel: int
    data: bytes


class DeepRecord(TypedDict):
    """What the linear update of one filter needs inside a model."""

    uid: int
    rev: int
    pre_activation: bytes
    planes: list[InputPlane]
    contribution: bytes


class PatchRecord(TypedDict):
    """What lies under the kernel at one output pixel, and the pixel's receptive field in the image."""

    rows: list[int]
    cols: list[int]
    values: bytes
    field: dict[str, Any]


class SurveyRecord(TypedDict):
    """Trait `_survey`: which layers were surveyed, on how many images.

    `version` counts surveys, and changes of the model's weights since.
    """

    version: int
    layers: list[str]
    images: int


class _ExcitationRecord(TypedDict):
    filter: int
    rank: int
    image: str
    value: Num
    pixel: list[int]
    window: list[int]
    picture: bytes


class ExcitationRecord(_ExcitationRecord, total=False):
    """One stored image: `rank` counts from 0 in the list of `filter`; `window` is first and last row, then column.

    The picture of a signal draws its curves, whose height is the `range`.
    """

    range: list[Num]


class ExcitedRecord(TypedDict):
    """What a survey holds for one filter, best first, and the model's own weights: float32 kernel, and bias.

    `current` is whether all weights of the model are those that ranked the images.
    """

    uid: int
    original: bytes
    bias: Num
    current: bool
    best: list[ExcitationRecord]


class PredictionRecord(TypedDict):
    """The model's output, one vector, with the original and with the edited weights: float32."""

    before: bytes
    after: bytes


class OutputMapsRecord(TypedDict):
    """One channel of an output that is a picture of `size` rows and columns: before, after, and after minus before."""

    channel: int
    size: list[int]
    before: MapRecord
    after: MapRecord
    difference: MapRecord


class SavedOutputRecord(OutputMapsRecord, total=False):
    """The same in a saved page: with all of before, then of after, as float32 where they are few."""

    values: bytes


class SnapshotWeights(TypedDict):
    """All filters of a snapshot in list order: float32 ``(filters, kh, kw, channels)``, and ``(filters,)``."""

    kernels: bytes
    bias: bytes


class SavedAnswers(TypedDict):
    """``_saved`` of a saved page: what Keras computed and a training kept, and in words what is there and what is not.

    The input of a layer inside a model is float32 ``(channels, rows, cols)``.
    """

    input: bytes | None
    predictions: PredictionRecord | None
    outputs: list[SavedOutputRecord]
    snapshots: list[SnapshotWeights]
    excited: list[ExcitedRecord]
    held: str
    left_out: str


class ErrorRecord(TypedDict):
    """Why a request was refused or failed."""

    title: str
    text: str


class HistoryCounts(TypedDict):
    """How many steps can be undone and redone."""

    undo: int
    redo: int
