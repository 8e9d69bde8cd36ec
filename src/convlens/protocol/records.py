"""From the lens's values to the records that are sent to the browser (`convlens.protocol.record_types`)."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.inputs.images import Image
from convlens.inputs.presets import presets
from convlens.inputs.signal_kernels import DEFAULT_KERNELS
from convlens.maths.arrays import json_number, shortened
from convlens.maths.block_means import block_means, fitted
from convlens.maths.diagnostics import Diagnostics
from convlens.maths.filter_statistics import contribution
from convlens.maths.geometry import Geometry
from convlens.protocol.record_types import (
    DiagnosticsRecord,
    FactorsRecord,
    FilterRecord,
    ImageRecord,
    LayerRecord,
    MapCounts,
    MapRecord,
    PictureRecord,
    PredictionRecord,
    PresetRecord,
    ReducedRecord,
    ResponseRecord,
)
from convlens.state.filters import Array, FilterList
from convlens.state.separable_filters import SeparableFilters

if TYPE_CHECKING:
    from convlens.models.conv_model import FoundCall, Predictions

Levels = npt.NDArray[np.uint8]

#: Pixels of an image or a map that is sent whole. A larger one is sent reduced, since no screen shows it all at once.
WHOLE_PIXELS = 2**19

#: First row, row past the last, first column and column past the last of a part of a map.
Window = tuple[int, int, int, int]

#: Flags of a map's pixels; 0 is an ordinary number.
NAN, POSINF, NEGINF, BELOW, ABOVE = 1, 2, 3, 4, 5


def pack(content: Any) -> tuple[Any, list[bytes]]:
    """Take the bytes out of a message: each object of bytes becomes ``{"$buffer": i}`` and buffer `i`."""
    buffers: list[bytes] = []
    places: dict[int, int] = {}

    def walk(value: Any) -> Any:
        if isinstance(value, bytes):
            if id(value) not in places:
                places[id(value)] = len(buffers)
                buffers.append(value)
            return {"$buffer": places[id(value)]}
        if isinstance(value, dict):
            return {key: walk(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [walk(item) for item in value]
        return value

    return walk(content), buffers


def unpack(content: Any, buffers: Sequence[Any]) -> Any:
    """Put the buffers of a message back where ``{"$buffer": i}`` is."""
    if isinstance(content, dict):
        if set(content) == {"$buffer"}:
            index = content["$buffer"]
            if not isinstance(index, int) or not 0 <= index < len(buffers):
                raise ValueError(f"The message names buffer {shortened(index)}, but brought {len(buffers)} buffers.")
            return bytes(buffers[index])
        return {key: unpack(item, buffers) for key, item in content.items()}
    if isinstance(content, list):
        return [unpack(item, buffers) for item in content]
    return content


def image_record(image: Image, version: int) -> ImageRecord:
    """Return the picture as ``ImageRecord``: bytes where they are exact, else float32; reduced where it is large."""
    values, bytes_, scale = image.values, image.bytes_, image.byte_scale
    rows, cols, _ = image.shape
    drawn, reduced = (rows, cols), None
    if rows * cols > WHOLE_PIXELS and not image.latent:  # every number of a vector may be edited
        drawn = fitted(rows, cols, WHOLE_PIXELS)
        reduced = _reduced(image.values, drawn)
        values = block_means(values, drawn)
        bytes_ = None if bytes_ is None or scale is None else np.rint(values / scale).astype(np.uint8)
    exact = bytes_ is not None and scale is not None
    return {
        "version": version,
        "shape": list(image.shape),
        "dtype": "uint8" if exact else "float32",
        "scale": scale if bytes_ is not None and scale is not None else 1.0,
        "data": (bytes_ if exact else values).tobytes(),  # type: ignore[union-attr]
        "reduced": reduced,
        "notes": list(image.notes),
        "signal": image.signal,
        "latent": image.latent,
        "through": [name for name, _ in image.through],
    }


def _reduced(values: Array, drawn: tuple[int, int]) -> ReducedRecord:
    """Return what the whole picture holds, where the browser gets a smaller one."""
    low, high, not_finite = float(values.min()), float(values.max()), 0
    if not (math.isfinite(low) and math.isfinite(high)):
        finite = values[np.isfinite(values)]
        not_finite = values.size - finite.size
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    return {"shape": list(drawn), "range": [low, high], "not_finite": not_finite}


def pixels_record(image: Image, window: Window) -> bytes:
    """Return a part of the picture at its full size, as ``ImageRecord`` has it: bytes where they are exact."""
    top, bottom, left, right = window
    exact = image.bytes_ is not None and image.byte_scale is not None
    part = (image.bytes_ if exact else image.values)[top:bottom, left:right]  # type: ignore[index]
    return part.tobytes()


def filter_record(
    filters: FilterList, index: int, rev: int, geometry: Geometry, map_: MapRecord | None
) -> FilterRecord:
    """Return one filter as ``FilterRecord``."""
    one = filters[index]
    return {
        "uid": one.uid,
        "rev": rev,
        "kernel": filters.kernel_at(index).tobytes(),
        "bias": json_number(one.bias),
        "first_channel": geometry.filter_start(index),
        "map": map_,
    }


def factors_record(filters: SeparableFilters, index: int, rev: int, rms: Array) -> FactorsRecord:
    """Return what one filter of a separable layer is made of as ``FactorsRecord``; `rms` is of the input's channels."""
    stack, weights = filters.stacked, filters.pointwise[:, index]
    return {
        "uid": filters[index].uid,
        "rev": rev,
        "multiplier": filters.multiplier,
        "depthwise": stack.tobytes(),
        "pointwise": np.ascontiguousarray(weights).tobytes(),
        "contribution": contribution(stack * weights, np.repeat(rms, filters.multiplier)).tobytes(),
    }


def layer_record(found: FoundCall) -> LayerRecord:
    """Return one convolution layer of a model as ``LayerRecord``."""
    return {
        "path": found.path,
        "class_name": found.class_name,
        "input_shape": list(found.input_shape),
        "output_shape": list(found.output_shape),
        "kernel_size": [1, *(int(n) for n in found.layer.kernel_size)][-2:],
        "rank": found.rank,
        "filters": found.output_shape[2],
    }


@functools.cache
def preset_records(rank: int = 2) -> list[PresetRecord]:
    """Return the named kernels, those of pictures or, for `rank` 1, of signals, as ``PresetRecord``; for all lenses."""
    if rank == 1:
        return [
            {"name": name, "title": name, "group": "Signals", "shape": [1, len(taps)], "values": list(taps)}
            for name, taps in DEFAULT_KERNELS.items()
        ]
    return [
        {
            "name": name,
            "title": one.title,
            "group": one.group,
            "shape": list(one.kernel.shape),
            "values": [float(v) for v in one.kernel.ravel()],
        }
        for name, one in presets.titled()
    ]


def diagnostics_record(found: Diagnostics, uid: int, rev: int, channel: int) -> DiagnosticsRecord:
    """Return what was found out about a kernel, and in detail about its plane `channel`, as ``DiagnosticsRecord``."""
    plane = found.planes[channel]
    response: ResponseRecord | None = None
    if plane.response is not None:
        peak = float(plane.response.max())
        response = {
            "shape": list(plane.response.shape),
            "max": peak,
            "levels": quantise(plane.response, 0.0, peak).tobytes(),
        }
    return {
        "uid": uid,
        "rev": rev,
        "sum": json_number(found.sum),
        "norm": json_number(found.norm),
        "symmetry": found.symmetry,
        "left_right": found.left_right,
        "up_down": found.up_down,
        "ranks": list(found.ranks),
        "note": found.note,
        "plane": {
            "channel": channel,
            "sum": json_number(plane.sum),
            "norm": json_number(plane.norm),
            "rank": plane.rank,
            "separable": plane.separable,
            "vertical": None if plane.vertical is None else plane.vertical.tolist(),
            "horizontal": None if plane.horizontal is None else plane.horizontal.tolist(),
            "remaining": plane.remaining,
            "response": response,
        },
    }


def map_record(
    pre_activation: Array,
    activation: Array,
    stage: str,
    fixed: tuple[float, float] | None = None,
    shape: tuple[int, int] | None = None,
    window: Window | None = None,
) -> MapRecord:
    """Quantise one map to 8 bits, by the formula with which Matplotlib indexes its colour tables.

    Parameters
    ----------
    pre_activation, activation
        ``(rows, cols)`` float32, as Keras returned them.
    stage
        Which of the two is drawn.
    fixed
        Limits of a fixed value range. Values outside are flagged, the levels span what is inside.
    shape
        Rows and columns of the levels, each the level of the mean of the values that it covers; as many as the map, or
        the window, has when left out.
    window
        The part that the levels cover, the whole map when left out.

    Returns
    -------
    dict
        ``MapRecord``; its ``range`` is that of the finite values of the whole map, within `fixed` where one is given,
        and its ``counts`` are those of the whole map.
    """
    values = activation if stage == "activation" else pre_activation
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    counts: MapCounts = {
        "nan": 0,
        "posinf": 0,
        "neginf": 0,
        "zeros": int(activation.size - np.count_nonzero(activation)),
    }
    odd = not (math.isfinite(low) and math.isfinite(high))
    if odd:
        finite = values[np.isfinite(values)]
        counts["nan"] = int(np.count_nonzero(np.isnan(values)))
        counts["posinf"] = int(np.count_nonzero(np.isposinf(values)))
        counts["neginf"] = int(np.count_nonzero(np.isneginf(values)))
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if window is not None:
        top, bottom, left, right = window
        values = values[top:bottom, left:right]
    if shape is not None:
        values = block_means(values, shape)
    flags: Levels | None = None
    if odd:
        flags = np.zeros(values.shape, np.uint8)
        flags[np.isnan(values)] = NAN
        flags[np.isposinf(values)] = POSINF
        flags[np.isneginf(values)] = NEGINF
    if fixed is not None and (low < fixed[0] or high > fixed[1]):
        flags = np.zeros(values.shape, np.uint8) if flags is None else flags
        flags[(values < fixed[0]) & (flags == 0)] = BELOW
        flags[(values > fixed[1]) & (flags == 0)] = ABOVE
        low, high = min(max(low, fixed[0]), fixed[1]), max(min(high, fixed[1]), fixed[0])
    return {
        "stage": stage,
        "range": [low, high],
        "shape": list(values.shape),
        "levels": quantise(values, low, high, exact=flags is None).tobytes(),
        "flags": None if flags is None else flags.tobytes(),
        "counts": counts,
    }


def picture_record(values: Array) -> PictureRecord:
    """Return one plane ``(rows, cols)`` to look at, in 8 bits like a map: ``PictureRecord``."""
    drawn = map_record(values, values, "activation")
    return {
        "range": drawn["range"],
        "levels": drawn["levels"],
        "flags": drawn["flags"],
        "shape": list(values.shape),
    }


def prediction_record(found: Predictions) -> PredictionRecord | None:
    """Return the model's output before and after the edits; None where it is not one vector of classes.

    The widget compares numbers of classes; other outputs are Python's to read.
    """
    before, after = found
    if before is None or after is None or before.ndim != 1:
        return None
    return {"before": before.tobytes(), "after": after.tobytes()}


def quantise(values: Array, low: float, high: float, *, exact: bool = True) -> Levels:
    """Levels 0 to 255: ``min(255, floor((v - low) / (high - low) * 256))``.

    `exact` means that every value lies within the limits, so that nothing needs clipping.
    """
    span = high - low
    if not span > 0:
        return np.zeros(values.shape, np.uint8)
    if exact and 1e-30 < span < 1e38:
        scaled = (values - np.float32(low)) * np.float32(256 / span)
        levels: Levels = np.minimum(scaled, np.float32(255), out=scaled).astype(np.uint8)
        return levels
    with np.errstate(invalid="ignore"):
        wide = np.nan_to_num((values.astype(np.float64) - low) * (256 / span))
    return np.clip(wide, 0, 255).astype(np.uint8)
