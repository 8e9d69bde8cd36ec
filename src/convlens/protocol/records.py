"""Arrays and what crosses to the browser; the other declaration is js/model/types.ts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.diagnostics import Diagnostics
from convlens.filters import Array, FilterList
from convlens.geometry import Geometry
from convlens.images import Image
from convlens.named_kernels import presets
from convlens.separable import SeparableFilters
from convlens.statistics import contribution

if TYPE_CHECKING:
    from convlens.models import Found

Levels = npt.NDArray[np.uint8]

#: What a flag of a map's pixel says; 0 is an ordinary number.
NAN, POSINF, NEGINF, BELOW, ABOVE = 1, 2, 3, 4, 5


def pack(content: Any) -> tuple[Any, list[bytes]]:
    """Take the bytes out of a message: each becomes ``{"$buffer": i}`` and buffer `i`."""
    buffers: list[bytes] = []

    def walk(value: Any) -> Any:
        if isinstance(value, bytes):
            buffers.append(value)
            return {"$buffer": len(buffers) - 1}
        if isinstance(value, dict):
            return {key: walk(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [walk(item) for item in value]
        return value

    return walk(content), buffers


def unpack(content: Any, buffers: Sequence[Any]) -> Any:
    """Put the buffers of a message back where ``{"$buffer": i}`` stands."""
    if isinstance(content, dict):
        if set(content) == {"$buffer"}:
            index = content["$buffer"]
            if not isinstance(index, int) or not 0 <= index < len(buffers):
                raise ValueError(f"The message names buffer {index!r}, but brought {len(buffers)} buffers.")
            return bytes(buffers[index])
        return {key: unpack(item, buffers) for key, item in content.items()}
    if isinstance(content, list):
        return [unpack(item, buffers) for item in content]
    return content


def number(value: float) -> float | str:
    """Write a number so that JSON can carry it: what is not finite becomes a word that JavaScript's Number() reads."""
    value = float(value)
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def image_record(image: Image, version: int) -> dict[str, Any]:
    """Return the picture as ``ImageRecord``: bytes where they are exact, else float32."""
    exact = image.bytes_ is not None and image.byte_scale is not None
    return {
        "version": version,
        "shape": list(image.values.shape),
        "dtype": "uint8" if exact else "float32",
        "scale": image.byte_scale if exact else 1.0,
        "data": (image.bytes_ if exact else image.values).tobytes(),  # type: ignore[union-attr]
        "notes": list(image.notes),
    }


def filter_record(
    filters: FilterList, index: int, rev: int, geometry: Geometry, map_: dict[str, Any] | None
) -> dict[str, Any]:
    """Return one filter as ``FilterRecord``."""
    one = filters[index]
    return {
        "uid": one.uid,
        "rev": rev,
        "kernel": filters.kernel_at(index).tobytes(),
        "bias": number(one.bias),
        # A separable layer's filter reads all channels, though each of its depthwise kernels reads one.
        "first_channel": 0 if geometry.kind == "separable" else geometry.first_channel(index),
        "map": map_,
    }


def factors_record(filters: SeparableFilters, index: int, rev: int, rms: Array) -> dict[str, Any]:
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


def layer_record(found: Found) -> dict[str, Any]:
    """Return one convolution layer of a model as ``LayerRecord``."""
    return {
        "path": found.path,
        "class_name": found.class_name,
        "input_shape": list(found.input_shape),
        "output_shape": list(found.output_shape),
        "kernel_size": [int(n) for n in found.layer.kernel_size],
        "filters": found.output_shape[2],
    }


def preset_records() -> list[dict[str, Any]]:
    """Return the named kernels as ``PresetRecord``."""
    return [
        {"name": name, "shape": list(kernel.shape), "values": [float(v) for v in kernel.ravel()]}
        for name, kernel in presets.items()
    ]


def diagnostics_record(found: Diagnostics, uid: int, rev: int, channel: int) -> dict[str, Any]:
    """Return what was found out about a kernel, and about its plane `channel` closely, as ``DiagnosticsRecord``."""
    plane = found.planes[channel]
    response = None
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
        "sum": number(found.sum),
        "norm": number(found.norm),
        "symmetry": found.symmetry,
        "left_right": found.left_right,
        "up_down": found.up_down,
        "ranks": list(found.ranks),
        "note": found.note,
        "plane": {
            "channel": channel,
            "sum": number(plane.sum),
            "norm": number(plane.norm),
            "rank": plane.rank,
            "separable": plane.separable,
            "vertical": None if plane.vertical is None else plane.vertical.tolist(),
            "horizontal": None if plane.horizontal is None else plane.horizontal.tolist(),
            "remaining": plane.remaining,
            "response": response,
        },
    }


def map_record(
    pre_activation: Array, activation: Array, stage: str, fixed: tuple[float, float] | None = None
) -> dict[str, Any]:
    """Quantise one map to 8 bits, by the formula with which Matplotlib indexes its colour tables.

    Parameters
    ----------
    pre_activation, activation
        ``(rows, cols)`` float32, as Keras returned them.
    stage
        Which of the two is drawn.
    fixed
        Limits of a fixed value range. Values outside are flagged, the levels span what is inside.

    Returns
    -------
    dict
        ``MapRecord``; its ``range`` is that of the finite values, within `fixed` where one is given.
    """
    values = activation if stage == "activation" else pre_activation
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    counts = {"nan": 0, "posinf": 0, "neginf": 0, "zeros": int(activation.size - np.count_nonzero(activation))}
    flags: Levels | None = None
    if not (math.isfinite(low) and math.isfinite(high)):
        flags = np.zeros(values.shape, np.uint8)
        flags[np.isnan(values)] = NAN
        flags[np.isposinf(values)] = POSINF
        flags[np.isneginf(values)] = NEGINF
        counts |= {
            "nan": int(np.count_nonzero(flags == NAN)),
            "posinf": int(np.count_nonzero(flags == POSINF)),
            "neginf": int(np.count_nonzero(flags == NEGINF)),
        }
        finite = values[flags == 0]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if fixed is not None and (low < fixed[0] or high > fixed[1]):
        flags = np.zeros(values.shape, np.uint8) if flags is None else flags
        flags[(values < fixed[0]) & (flags == 0)] = BELOW
        flags[(values > fixed[1]) & (flags == 0)] = ABOVE
        low, high = min(max(low, fixed[0]), fixed[1]), max(min(high, fixed[1]), fixed[0])
    return {
        "stage": stage,
        "range": [low, high],
        "levels": quantise(values, low, high, exact=flags is None).tobytes(),
        "flags": None if flags is None else flags.tobytes(),
        "counts": counts,
    }


def picture_record(values: Array) -> dict[str, Any]:
    """Return one plane ``(rows, cols)`` to look at, in 8 bits as a map's: ``PictureRecord``."""
    drawn = map_record(values, values, "activation")
    return {name: drawn[name] for name in ("range", "levels", "flags")} | {"shape": list(values.shape)}


def quantise(values: Array, low: float, high: float, *, exact: bool = True) -> Levels:
    """Levels 0 to 255: ``min(255, floor((v - low) / (high - low) * 256))``.

    `exact` says that every value lies within the limits, so that nothing needs clipping.
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
