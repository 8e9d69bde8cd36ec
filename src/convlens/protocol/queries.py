"""Requests from the browser that change nothing: values, statistics, patches, planes, outputs, programs, pages."""

from __future__ import annotations

import weakref
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from convlens.maths.arrays import json_number
from convlens.maths.block_means import fitted
from convlens.maths.explanation import read_patch
from convlens.maths.filter_statistics import contribution, plane_rms, statistics
from convlens.output.colormaps import check_stage, limits
from convlens.protocol import records
from convlens.protocol.decode import Handler, Refused, handler_of, index_of, known_uids, pixel_of, sides_of, window_of
from convlens.protocol.lens_actions import LensActions
from convlens.protocol.outbox import SCREEN_PIXELS
from convlens.protocol.output_maps import output_maps_record, output_pictures
from convlens.protocol.record_types import (
    DeepRecord,
    DiagnosticsRecord,
    LossesRecord,
    Num,
    OutputMapsRecord,
    PatchRecord,
    PictureRecord,
    PixelValue,
)
from convlens.protocol.request_types import (
    Code,
    Deep,
    Diagnose,
    Losses,
    OutputMaps,
    OutputValues,
    Page,
    Patch,
    Pixels,
    Plane,
    Probe,
    Ranges,
    Statistics,
)
from convlens.state.filters import Array
from convlens.state.interpreted import LossesInTurn
from convlens.state.session import Session

if TYPE_CHECKING:
    from convlens.layers.conv_layer import ConvLayer

#: Filters whose losses are found for one request: the front end asks again, so that it can stop and edits go on.
MOST_LOSSES = 64


class Queries:
    """Answers one lens's browsers.

    Parameters
    ----------
    lens
        The widget; its public methods do the work where there is one, so that Python and browser mean the same.
    session
        What the lens holds.
    """

    def __init__(self, lens: LensActions, session: Session) -> None:
        self._lens = lens
        self._session = session
        # Released with the layer: what is large must not outlive a closed lens.
        self._inputs: weakref.WeakKeyDictionary[ConvLayer, tuple[Array, Array]] = weakref.WeakKeyDictionary()
        self._losses_in_turn = LossesInTurn(session)
        #: By type of request.
        self.handlers: dict[str, Handler] = {
            "probe": handler_of(Probe, self._probe),
            "diagnose": handler_of(Diagnose, self._diagnose),
            "code": handler_of(Code, self._code),
            "page": handler_of(Page, self._page),
            "stats": handler_of(Statistics, self._stats),
            "ranges": handler_of(Ranges, self._ranges),
            "losses": handler_of(Losses, self._losses),
            "deep": handler_of(Deep, self._deep),
            "patch": handler_of(Patch, self._patch),
            "plane": handler_of(Plane, self._plane),
            "pixels": handler_of(Pixels, self._pixels),
            "output_maps": handler_of(OutputMaps, self._output_maps),
            "output_values": handler_of(OutputValues, self._output_values),
        }

    def _probe(self, message: Probe) -> dict[str, list[PixelValue]]:
        row, col = pixel_of(self._session, message)
        engine = self._session.engine
        if not engine.ready:
            return {"values": []}
        uids = known_uids(self._session, message["uids"])
        engine.compute(uids)
        values: list[PixelValue] = []
        for uid in uids:
            if (maps := engine.current(uid)) is not None:
                before, after = map(json_number, maps.at(row, col))
                values.append({"uid": uid, "rev": engine.rev(uid), "activation": after, "pre_activation": before})
        return {"values": values}

    def _diagnose(self, message: Diagnose) -> dict[str, DiagnosticsRecord]:
        index = index_of(self._session, message["uid"])
        channel = message["channel"] or 0
        channels = self._session.filters.kernel_shape[2]
        if not 0 <= channel < channels:
            raise Refused(f"There is no channel {channel}: the kernel has {channels}, numbered from 0.")
        uid = self._session.filters[index].uid
        found = self._lens.diagnose(index)
        return {"diagnostics": records.diagnostics_record(found, uid, self._session.engine.rev(uid), channel)}

    def _code(self, message: Code) -> dict[str, str]:
        return {"code": self._lens.to_code(message["framework"])}

    def _page(self, message: Page) -> dict[str, bytes]:
        return {"page": self._lens.to_html().encode()}

    def _stats(self, message: Statistics) -> dict[str, dict[str, bytes]]:
        engine, pixel = self._session.engine, message["pixel"]
        at = None if pixel is None else self._session.geometry.check_pixel(pixel)
        _ = engine.layer  # waited for before the lock is taken, which the thread that brings it needs
        with engine.lock:
            filters = engine.filters
            engine.compute()
            maps = [maps.activation for uid in filters.uids if (maps := engine.current(uid)) is not None]
            found = statistics(maps, [filters.kernel_at(i) for i in range(len(filters))])
        answer = found._asdict()
        if at is not None:
            answer["pixel"] = np.array([one[at] for one in maps], np.float32)
        return {"stats": {name: values.tobytes() for name, values in answer.items()}}

    def _ranges(self, message: Ranges) -> dict[str, bytes]:
        maps = self._session.engine.stack(check_stage(message["stage"]))
        return {"ranges": np.array(limits(maps, "per_map"), np.float32).tobytes()}

    def _losses(self, message: Losses) -> dict[str, LossesRecord]:
        start, count = message["start"], message["count"]
        filters = len(self._session.filters)
        if not (0 <= start < filters and 1 <= count <= MOST_LOSSES):
            raise Refused(
                f"Filters {start} to {start + count} were requested: there are {filters}, numbered from 0, and at most "
                f"{MOST_LOSSES} are answered at a time."
            )
        values, target = self._losses_in_turn.some(start, count)
        return {"losses": {"values": values.astype("<f4").tobytes(), "target": target}}

    def _deep(self, message: Deep) -> dict[str, DeepRecord]:
        index = index_of(self._session, message["uid"])
        engine, filters = self._session.engine, self._session.filters
        x, rms = self.layer_input(engine.layer)
        wanted = sorted(set(message["channels"]))
        if wanted and not 0 <= wanted[0] <= wanted[-1] < len(rms):
            raise Refused(f"Channels {wanted} were requested, but the input has {len(rms)}, numbered from 0.")
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

    def _patch(self, message: Patch) -> dict[str, PatchRecord]:
        index, (row, col) = index_of(self._session, message["uid"]), pixel_of(self._session, message)
        geometry, depth = self._session.geometry, self._session.filters.kernel_shape[2]
        field = asdict(self._session.receptive_field(row, col))
        del field["steps"]  # internally, a signal's steps are its columns
        patch, window, _ = read_patch(geometry, self._session.engine.layer.input, index, depth, row, col)
        return {
            "patch": {
                "rows": window.rows.tolist(),
                "cols": window.cols.tolist(),
                "values": patch.tobytes(),
                "field": field,
            }
        }

    def _plane(self, message: Plane) -> dict[str, PictureRecord]:
        x, channel = self._session.engine.layer.input, message["channel"]
        if not 0 <= channel < x.shape[2]:
            raise Refused(f"There is no channel {channel}: the layer's input has {x.shape[2]}, numbered from 0.")
        return {"plane": records.picture_record(x[..., channel])}

    def _pixels(self, message: Pixels) -> dict[str, bytes]:
        image = self._session.image
        return {"pixels": records.pixels_record(image, window_of(message["window"], *image.shape[:2]))}

    def _output_maps(self, message: OutputMaps) -> dict[str, OutputMapsRecord]:
        pictures = self._output(message["channel"])
        if pictures is None:
            return {}
        window, shape = message["window"], message["shape"]
        return {
            "output_maps": output_maps_record(
                pictures,
                message["channel"],
                None if shape is None else fitted(*sides_of(shape, "shape"), SCREEN_PIXELS),
                None if window is None else window_of(window, *pictures[0].shape[:2]),
            )
        }

    def _output_values(self, message: OutputValues) -> dict[str, list[Num]]:
        channel, row, col = message["channel"], message["row"], message["col"]
        pictures = self._output(channel)
        if pictures is None:
            return {}
        rows, cols, _ = pictures[0].shape
        if not (0 <= row < rows and 0 <= col < cols):
            raise Refused(f"Pixel ({row}, {col}) is outside the output, which has {rows} rows and {cols} columns.")
        return {"output_values": [json_number(picture[row, col, channel]) for picture in pictures]}

    def _output(self, channel: int) -> tuple[Array, Array] | None:
        """Return the output that the browser was sent last; None where that is of other weights, or not a picture."""
        pictures = output_pictures(self._session.source, self._session.predicted)
        if pictures is not None and not 0 <= channel < pictures[0].shape[2]:
            raise Refused(f"There is no channel {channel}: the output has {pictures[0].shape[2]}, numbered from 0.")
        return pictures

    def layer_input(self, layer: ConvLayer) -> tuple[Array, Array]:
        """Return the layer's input and the root mean square of its channels, found once for an input."""
        if layer not in self._inputs:
            x = layer.input
            self._inputs[layer] = (x, plane_rms(x))
        return self._inputs[layer]
