"""Which activation maps are out of date, and having Keras compute them, now or behind its import."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from convlens.filters import Array, Filter, FilterList

if TYPE_CHECKING:
    from convlens.layers import ConvLayer


class LensClosed(RuntimeError):
    """The lens was closed and let go of what was asked for."""

    def __init__(self) -> None:
        super().__init__("This lens was closed. Make another.")


class Source(NamedTuple):
    """The weights that one filter's map is computed from."""

    own: Filter
    #: Kernels that the maps of all filters are computed from.
    shared: tuple[Array, ...] | None
    #: All filters, where each has a say in the others' maps.
    among: FilterList | None

    def same(self, other: Source) -> bool:
        """Whether `other` is of the very same weights, and so of the same map."""
        if self.among is not None and other.among is not None:
            return self.among.same_weights(other.among)
        return self.shared is other.shared and self.own.same_weights(other.own)


class Maps(NamedTuple):
    """One filter's maps and the weights they belong to."""

    source: Source
    pre_activation: Array
    activation: Array


class Engine:
    """Keeps the maps of a list of filters in step with their weights and the layer's input.

    Keras takes seconds to import. Where it is not yet imported, that happens in a thread of its own, so that the cell
    returns at once; whoever needs a map waits for it.

    Parameters
    ----------
    make_layer
        Imports Keras and returns the layer, fed with its input. Called once for each `relayer`.
    filters
        The filters to begin with.
    on_ready
        Called when a layer that was made behind the import is there, or could not be made, from the thread that made
        it.
    """

    def __init__(
        self, make_layer: Callable[[], ConvLayer], filters: FilterList, on_ready: Callable[[], None] | None = None
    ) -> None:
        self.lock = threading.RLock()
        self.failure: BaseException | None = None
        self._filters = filters
        self._maps: dict[int, Maps] = {}
        self._revs: dict[int, tuple[int, Source]] = {}
        self._layer: ConvLayer | None = None
        self._make_layer = make_layer
        self._thread: threading.Thread | None = None
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
        except BaseException as error:  # whoever asks for a map gets to see it
            self.failure = error
        if on_ready is not None:
            on_ready()

    @property
    def ready(self) -> bool:
        """Whether the layer is there, so that asking for a map does not wait for an import."""
        return self._layer is not None

    @property
    def layer(self) -> ConvLayer:
        """The layer, waited for; raises what its making raised. Not to be asked for under the lock while it loads."""
        if self._layer is None:
            self.wait()
        if isinstance(self.failure, LensClosed):
            raise self.failure
        if self._layer is None:
            raise RuntimeError(
                f"Keras could not be loaded, so no activations can be computed: {self.failure}"
            ) from self.failure
        return self._layer

    def wait(self) -> None:
        """Return when the layer is there, or could not be made."""
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

    def relayer(self, make_layer: Callable[[], ConvLayer], filters: FilterList, *, keep_maps: bool = False) -> None:
        """Exchange the layer (another geometry, input or number of filters) together with its filters.

        All maps are out of date, unless `keep_maps` says that only the number of filters is another.
        """
        with self.lock:
            if self._layer is not None:
                self._layer = make_layer()
            self._make_layer = make_layer
            if not keep_maps:
                self._maps.clear()
            self.filters = filters

    def rev(self, uid: int) -> int:
        """Return a number that grows whenever this filter's map does, back to older ones included."""
        with self.lock:
            now = self._source(self._filters.index_of(uid))
            rev, seen = self._revs.get(uid, (0, now))
            if not now.same(seen):
                rev += 1
            self._revs[uid] = (rev, now)
            return rev

    def changed(self, older: FilterList) -> list[int]:
        """Uids whose weights are not what they are in `older`."""
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
        return maps if self._source(self._filters.index_of(uid)).same(maps.source) else None

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
            pre, act = layer.run(filters.kernels, filters.bias, stale, filters.pointwise)
            for position, index in enumerate(stale):
                self._maps[filters[index].uid] = Maps(self._source(index), pre[position], act[position])

    def stack(self, stage: str) -> Array:
        """All maps of one stage, ``(filters, rows, cols)``, read-only."""
        _ = self.layer  # waited for before the lock is taken, which the thread that brings it needs
        with self.lock:
            self.compute()
            maps = [self._maps[uid] for uid in self._filters.uids]
            stacked = np.stack([m.activation if stage == "activation" else m.pre_activation for m in maps])
            stacked.flags.writeable = False
            return stacked

    def _source(self, index: int) -> Source:
        filters = self._filters
        return Source(filters[index], filters.shared, filters if self._together else None)

    @property
    def _together(self) -> bool:
        """Whether a change of one filter may change the maps of others. Of a layer not yet there, no map exists."""
        return self._layer is not None and not self._layer.independent

    def close(self) -> None:
        """Let go of the layer and all maps."""
        with self.lock:
            self._maps.clear()
            self._revs.clear()
            self._layer = None
            self._make_layer = make_nothing
            self._thread = None
            self.failure = LensClosed()


def _imported(name: str) -> bool:
    """Whether a module is there to its last line: while it is being imported, it already stands among the modules."""
    module = sys.modules.get(name)
    return module is not None and not getattr(module.__spec__, "_initializing", False)


def make_nothing() -> ConvLayer:
    """Stand in for what makes the layer, once the lens was closed."""
    raise LensClosed()
