"""The activation maps that Keras computed, and which of them are out of date."""

from __future__ import annotations

import importlib
import logging
import math
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from convlens.maths.limits import check_maps
from convlens.state.filters import Array, Filter, FilterList

if TYPE_CHECKING:
    from convlens.layers.conv_layer import ConvLayer


#: Pixels of a map above which the activation is computed again from the pre-activation whenever it is needed.
LARGE_MAP = 2**19

_log = logging.getLogger("convlens")


class LensClosed(RuntimeError):
    """The lens was closed and no longer has what was requested."""

    def __init__(self) -> None:
        super().__init__("This lens was closed. Make another.")


class MapKey(NamedTuple):
    """What determines one filter's map."""

    own: Filter
    #: Kernels that the maps of all filters are computed from.
    shared: tuple[Array, ...] | None
    #: All filters, where the weights of each change the maps of the others.
    among: FilterList | None

    def same(self, other: MapKey) -> bool:
        """Whether `other` has the very same weights, and so the same map."""
        if self.among is not None and other.among is not None:
            return self.among.same_weights(other.among)
        return self.shared is other.shared and self.own.same_weights(other.own)


@dataclass(frozen=True)
class Maps:
    """One filter's maps and the weights they belong to."""

    key: MapKey
    pre_activation: Array
    #: The map after the activation, or Keras's function that makes it, so that a large map is kept once.
    after: Array | Callable[[Array], Array]

    @property
    def activation(self) -> Array:
        """``(rows, cols)``."""
        return self.after(self.pre_activation) if callable(self.after) else self.after

    def at(self, row: int, col: int) -> tuple[float, float]:
        """Pre-activation and activation of a pixel."""
        before = self.pre_activation[row : row + 1, col : col + 1]
        after = self.after(before) if callable(self.after) else self.after[row : row + 1, col : col + 1]
        return float(before[0, 0]), float(after[0, 0])


class MapCache:
    """Keeps the maps of a list of filters in step with their weights and the layer's input.

    Keras takes seconds to import. Where it is not yet imported, it is imported in a thread of its own, so that the cell
    returns at once; whoever needs a map waits for it.

    Parameters
    ----------
    make_layer
        Imports Keras and returns the layer, fed with its input. Called once for each `relayer`.
    filters
        The filters to begin with.
    on_ready
        Called when a layer that was made after the import exists, or could not be made, in the thread that made it.
    """

    def __init__(
        self, make_layer: Callable[[], ConvLayer], filters: FilterList, on_ready: Callable[[], None] | None = None
    ) -> None:
        self.lock = threading.RLock()
        self.failure: BaseException | None = None
        self._filters = filters
        self._maps: dict[int, Maps] = {}
        # The number of each filter's map, and the weights it belongs to: None for filters that are gone.
        self._revs: dict[int, tuple[int, MapKey | None]] = {}
        self._layer: ConvLayer | None = None
        self._make_layer = make_layer
        self._thread: threading.Thread | None = None
        #: Whether `suspend` released the layer, which is made again for the next map that is needed.
        self.suspended = False
        self._was_independent = True
        if _imported("keras"):
            self._layer = make_layer()
        else:
            # Not a daemon: an interpreter that ends while TensorFlow is half imported would crash.
            self._thread = threading.Thread(target=self._load, args=(on_ready,), name="convlens: import keras")

    def start(self) -> None:
        """Begin the import, where one is needed."""
        if self._thread is not None and self._thread.ident is None:
            self._thread.start()

    def _load(self, on_ready: Callable[[], None] | None) -> None:
        try:
            importlib.import_module("keras")
            with self.lock:
                self._layer = self._make_layer()
        except BaseException as error:  # raised again for the first map that is needed
            self.failure = error
            if not isinstance(error, LensClosed):
                _log.exception("Keras could not be loaded")
        if on_ready is not None:
            on_ready()

    @property
    def ready(self) -> bool:
        """Whether the layer exists, so that computing a map does not wait for an import."""
        return self._layer is not None or self.suspended

    @property
    def layer(self) -> ConvLayer:
        """The layer, once it exists; raises what making it raised. Do not use it under the lock while Keras loads."""
        if self._layer is None:
            self.wait()
        self._resume()
        if isinstance(self.failure, LensClosed):
            raise self.failure
        if self._layer is None:
            raise RuntimeError(
                f"Keras could not be loaded, so no activations can be computed: {self.failure}"
            ) from self.failure
        return self._layer

    @property
    def computes_with(self) -> str:
        """Keras's version and back end, such as "Keras 3.15.1, TensorFlow"."""
        import keras

        backends = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
        name = backends.get(keras.backend.backend(), keras.backend.backend())
        return f"Keras {keras.__version__}, {name}"

    def wait(self) -> None:
        """Return when the layer exists, or could not be made."""
        if self._thread is not None and threading.current_thread() is not self._thread:
            self.start()
            self._thread.join()

    @property
    def filters(self) -> FilterList:
        """The filters that the maps are kept for."""
        return self._filters

    @filters.setter
    def filters(self, filters: FilterList) -> None:
        with self.lock:
            self._filters = filters
            present = set(filters.uids)
            for uid in [u for u in self._maps if u not in present]:
                del self._maps[uid]
            for uid, (rev, key) in self._revs.items():
                if key is not None and uid not in present:
                    # The number grows on when `undo` brings the filter back; its weights need not be kept for that.
                    self._revs[uid] = (rev, None)

    def relayer(self, make_layer: Callable[[], ConvLayer], filters: FilterList, *, keep_maps: bool = False) -> None:
        """Replace the layer (another geometry, input or number of filters) together with its filters.

        All maps are out of date, unless `keep_maps` says that only the number of filters differs.
        """
        with self.lock:
            if self.ready:
                self._layer = make_layer()
                self.suspended = False
            self._make_layer = make_layer
            if not keep_maps:
                self._maps.clear()
            self.filters = filters

    def rev(self, uid: int) -> int:
        """Return a number that grows whenever this filter's map does, back to older ones included."""
        with self.lock:
            now = self._key(self._filters.index_of(uid))
            rev, seen = self._revs.get(uid, (0, now))
            if seen is None or not now.same(seen):
                rev += 1
            self._revs[uid] = (rev, now)
            return rev

    def changed(self, older: FilterList) -> list[int]:
        """Uids whose weights differ from those in `older`."""
        if self._filters.shared is not older.shared or (self._together and not self._filters.same_weights(older)):
            return self._filters.uids
        before = {f.uid: f for f in older.filters}
        was = ((f, before.get(f.uid)) for f in self._filters.filters)
        return [f.uid for f, old in was if f is not old and not f.same_weights(old)]

    def current(self, uid: int) -> Maps | None:
        """Return the maps of a filter, if they belong to its present weights."""
        maps = self._maps.get(uid)
        if maps is None:
            return None
        return maps if self._key(self._filters.index_of(uid)).same(maps.key) else None

    def compute(self, uids: Iterable[int] | None = None) -> None:
        """Have Keras compute the maps that are out of date, of `uids` or of all filters."""
        layer = self.layer
        with self.lock:
            filters = self._filters
            # An edit asks for one of thousands.
            wanted = (
                range(len(filters)) if uids is None else sorted({filters.index_of(u) for u in uids if u in filters})
            )
            stale = [i for i in wanted if self.current(filters[i].uid) is None]
            if not stale:
                return
            check_maps(len(stale), *layer.geometry.output_shape)
            # Large maps one by one: all at once would take the room of all of them several times.
            large = math.prod(layer.geometry.output_shape) > LARGE_MAP and layer.independent
            for some in [[index] for index in stale] if large else [stale]:
                pre, act = layer.run(filters.kernels, filters.bias, some, filters.pointwise)
                again = layer.activation if large and act is not pre else None
                for position, index in enumerate(some):
                    after = act[position] if again is None else again
                    self._maps[filters[index].uid] = Maps(self._key(index), pre[position], after)

    def stack(self, stage: str) -> Array:
        """All maps of one stage, ``(filters, rows, cols)``, read-only."""
        _ = self.layer  # waited for before the lock is taken, which the thread that brings it needs
        with self.lock:
            self.compute()
            maps = [self._maps[uid] for uid in self._filters.uids]
            stacked = np.stack([m.activation if stage == "activation" else m.pre_activation for m in maps])
            stacked.flags.writeable = False
            return stacked

    def _key(self, index: int) -> MapKey:
        filters = self._filters
        return MapKey(filters[index], filters.shared, filters if self._together else None)

    @property
    def _together(self) -> bool:
        """Whether a change of one filter may change the maps of others. A layer that does not exist yet has no maps."""
        if self._layer is None:
            return self.suspended and not self._was_independent
        return not self._layer.independent

    def suspend(self, make_layer: Callable[[], ConvLayer]) -> None:
        """Release the layer and all maps until one is needed; `make_layer` then makes the layer."""
        with self.lock:
            if self._layer is not None:
                self._was_independent = self._layer.independent
                self._maps.clear()
                self._layer, self._make_layer, self.suspended = None, make_layer, True

    def _resume(self) -> None:
        with self.lock:
            if self.suspended:
                self._layer = self._make_layer()
                self.suspended = False

    def close(self) -> None:
        """Release the layer and all maps."""
        with self.lock:
            self._maps.clear()
            self._revs.clear()
            self._layer = None
            self._make_layer = make_nothing
            self._thread = None
            self.suspended = False
            self.failure = LensClosed()


def _imported(name: str) -> bool:
    """Whether a module is imported completely: `sys.modules` has it from the beginning of its import."""
    module = sys.modules.get(name)
    return module is not None and not getattr(module.__spec__, "_initializing", False)


def make_nothing() -> ConvLayer:
    """Raise: the lens was closed, and makes no layer."""
    raise LensClosed()
