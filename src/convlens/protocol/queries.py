"""What the browser asks to be told: requests that change nothing."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from convlens import wire
from convlens.explain import read_patch
from convlens.fields import Refused, checked, index_of, known_uids, pixel_of, whole
from convlens.filters import Array
from convlens.session import Session
from convlens.statistics import contribution, plane_rms, statistics

if TYPE_CHECKING:
    from convlens.layers import ConvLayer
    from convlens.widget import ConvLens


class Inquiries:
    """Answers one lens's browsers.

    Parameters
    ----------
    lens
        The widget; its public methods do the work where there is one, so that Python and browser mean the same.
    session
        What the lens holds.
    """

    def __init__(self, lens: ConvLens, session: Session) -> None:
        self._lens = lens
        self._session = session
        # Gone with the layer: what is large must not outlive a closed lens.
        self._inputs: weakref.WeakKeyDictionary[ConvLayer, tuple[Array, Array]] = weakref.WeakKeyDictionary()
        #: By type of request.
        self.handlers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "probe": self._probe,
            "diagnose": self._diagnose,
            "code": self._code,
            "stats": self._stats,
            "deep": self._deep,
            "patch": self._patch,
            "plane": self._plane,
        }

    def _probe(self, message: dict[str, Any]) -> dict[str, Any]:
        row, col = pixel_of(self._session, message)
        engine = self._session.engine
        if not engine.ready:
            return {"values": []}
        uids = known_uids(self._session, message)
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
        index = index_of(self._session, message)
        channel = whole(message.get("channel", 0), "channel")
        channels = self._session.filters.kernel_shape[2]
        if not 0 <= channel < channels:
            raise Refused(f"There is no channel {channel}: the kernel has {channels}, numbered from 0.")
        uid = self._session.filters[index].uid
        found = self._lens.diagnose(index)
        return {"diagnostics": wire.diagnostics_record(found, uid, self._session.engine.rev(uid), channel)}

    def _code(self, message: dict[str, Any]) -> dict[str, Any]:
        return {"code": self._lens.to_code(checked(message.get("framework"), str, "framework"))}

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
        index = index_of(self._session, message)
        engine, filters = self._session.engine, self._session.filters
        x, rms = self.layer_input(engine.layer)
        wanted = sorted({whole(channel, "channels") for channel in checked(message.get("channels"), list, "channels")})
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
        index, (row, col) = index_of(self._session, message), pixel_of(self._session, message)
        geometry, depth = self._session.geometry, self._session.filters.kernel_shape[2]
        patch, window, _ = read_patch(geometry, self._session.engine.layer.input, index, depth, row, col)
        return {
            "patch": {
                "rows": window.rows.tolist(),
                "cols": window.cols.tolist(),
                "values": patch.tobytes(),
                "field": asdict(self._session.receptive_field(row, col)),
            }
        }

    def _plane(self, message: dict[str, Any]) -> dict[str, Any]:
        x, channel = self._session.engine.layer.input, whole(message.get("channel"), "channel")
        if not 0 <= channel < x.shape[2]:
            raise Refused(f"There is no channel {channel}: the layer's input has {x.shape[2]}, numbered from 0.")
        return {"plane": wire.picture_record(x[..., channel])}

    def layer_input(self, layer: ConvLayer) -> tuple[Array, Array]:
        """Return the layer's input and the root mean square of its channels, found once for an input."""
        if layer not in self._inputs:
            x = layer.input
            self._inputs[layer] = (x, plane_rms(x))
        return self._inputs[layer]
