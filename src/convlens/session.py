"""What one lens holds: picture, filters with their history, geometry and maps; and what changed when something did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from convlens.engine import Engine, LensClosed, make_nothing
from convlens.filters import Array, FilterList
from convlens.geometry import Geometry
from convlens.history import History
from convlens.images import Image
from convlens.kernels import check_fits
from convlens.sources import Closed, Plan, Source

if TYPE_CHECKING:
    from convlens.receptive import ReceptiveField


@dataclass(frozen=True, eq=False)
class Document:
    """What history remembers: the filters, and the source with its settings."""

    filters: FilterList
    source: Source


@dataclass(frozen=True, eq=False)
class Change:
    """What a step changed, for whoever shows it.

    `stale` lists the filters whose map is not what it was.
    """

    before: FilterList
    after: FilterList
    stale: tuple[int, ...]
    layout: bool
    old_image: Image | None = None

    @property
    def kernels(self) -> bool:
        """Whether any kernel, or their number or order, changed."""
        return _differ(self.before.kernels, self.after.kernels)

    @property
    def pointwise_kernels(self) -> bool:
        """Whether a separable layer's pointwise kernel changed, or another layer has one or none."""
        before, after = (
            tuple(one.kernel for one in filters.filters) if filters.pointwise is not None else ()
            for filters in (self.before, self.after)
        )
        return _differ(before, after)


class Session:
    """The state behind one lens. It knows neither traits nor messages.

    Parameters
    ----------
    image
        What the layer's source is fed.
    filters
        The filters to begin with.
    source
        Where the layer comes from.
    on_change
        Called after every step with what it changed.
    on_ready
        Called when Keras, imported behind the scenes, has arrived or failed.
    """

    def __init__(
        self,
        image: Image,
        filters: FilterList,
        source: Source,
        on_change: Callable[[Change], None],
        on_ready: Callable[[], None],
    ) -> None:
        self._image: Image | None = image
        self.plan = _plan(image, filters, source)
        self.history = History(Document(filters, source))
        self.engine = Engine(self.plan.make_layer, filters, on_ready)
        self._on_change = on_change

    @property
    def image(self) -> Image:
        """The picture; a ``RuntimeError`` when the lens was closed."""
        if self._image is None:
            raise LensClosed()
        return self._image

    @property
    def filters(self) -> FilterList:
        """The filters as they are now."""
        return self.history.present.filters

    @property
    def geometry(self) -> Geometry:
        """How the layer reads its input."""
        return self.plan.geometry

    @property
    def source(self) -> Source:
        """Where the layer comes from, with its settings as they are now."""
        return self.history.present.source

    # -- steps ---------------------------------------------------------------------------------------------------------

    def commit(self, filters: FilterList, gesture: str | None = None, source: Source | None = None) -> None:
        """Make these filters, and this source, the present, as one step of history.

        Commits of one `gesture` are one step. What does not fit is refused before anything changes.
        """
        old = self.history.present
        new = Document(filters, source or old.source)
        if new.filters is old.filters and new.source is old.source:
            return
        plan = _plan(self.image, new.filters, new.source) if _needs_plan(old, new) else None
        self.history.push(new, gesture)
        self._arrive(old, plan)

    def undo(self) -> None:
        """Step back, where there is a step."""
        self._travel(self.history.undo)

    def redo(self) -> None:
        """Step forward again, where there is a step."""
        self._travel(self.history.redo)

    def reset(self) -> None:
        """Go back to the beginning, as one step."""
        self._travel(lambda: self.history.push(self.history.initial))

    def set_image(self, image: Image) -> None:
        """Exchange the picture; it is no step of history."""
        old = self.image
        plan = _plan(image, self.filters, self.source)
        self._image = image
        self._replan(plan, keep_maps=False)
        self._on_change(Change(self.filters, self.filters, tuple(self.filters.uids), layout=True, old_image=old))

    def open(self, path: str) -> None:
        """Look at another layer of the model: its filters begin a history of their own."""
        source = self.source.opened(path)
        filters = source.own_filters(self.image)
        plan = _plan(self.image, filters, source)
        before = self.filters
        self.history = History(Document(filters, source))
        self._replan(plan, keep_maps=False)
        self._on_change(Change(before, filters, tuple(filters.uids), layout=True))

    def follow(self, filters: FilterList, *, anew: bool = False) -> None:
        """Hold what the user's layer was made by somebody else: history begins anew with these weights of its own.

        Parameters
        ----------
        filters
            The weights.
        anew
            Whether the whole model may be another now, and these weights what `restore` goes back to.
        """
        source = self.source.again(self.image, anew)
        plan = _plan(self.image, filters, source)
        before = self.filters
        self.history = History(Document(filters, source))
        self._replan(plan, keep_maps=False)
        # Inside a model the layer's input is another as well, which the browser must not mistake for the one it has.
        layout = not plan.feeds_image or filters.uids != before.uids
        self._on_change(Change(before, filters, tuple(filters.uids), layout))

    def close(self) -> None:
        """Let go of the layer, the model, the picture and the maps; the kernels can still be read."""
        self._image = None
        self.engine.close()
        self.history = History(Document(self.filters, Closed()))
        self.plan = Plan(self.geometry, make_nothing)

    def maps(self, index: int) -> tuple[Array, Array]:
        """Pre-activation and activation of one filter, ``(rows, cols)`` each, as Keras returned them."""
        uid = self.filters[index].uid
        self.engine.compute([uid])
        maps = self.engine.current(uid)
        assert maps is not None
        return maps.pre_activation, maps.activation

    def receptive_field(self, row: int, col: int) -> ReceptiveField:
        """Return the part of the image that pixel (`row`, `col`) of the maps may depend on."""
        return self.source.receptive_field(self.image, self.geometry, row, col)

    def _travel(self, step: Callable[[], Any]) -> None:
        old = self.history.present
        step()
        new = self.history.present
        if new is not old:
            self._arrive(old, _plan(self.image, new.filters, new.source) if _needs_plan(old, new) else None)

    def _arrive(self, old: Document, plan: Plan | None) -> None:
        new = self.history.present
        same_maps = new.source is old.source and new.filters.kernel_shape == old.filters.kernel_shape
        if plan is not None:
            self._replan(plan, keep_maps=same_maps)
        else:
            self.engine.filters = new.filters
        stale = self.engine.changed(old.filters) if same_maps else new.filters.uids
        layout = plan is not None or new.filters.uids != old.filters.uids
        self._on_change(Change(old.filters, new.filters, tuple(stale), layout))

    def _replan(self, plan: Plan, *, keep_maps: bool) -> None:
        with self.engine.lock:
            self.plan = plan
            self.engine.relayer(plan.make_layer, self.filters, keep_maps=keep_maps)


def _differ(before: Sequence[Array], after: Sequence[Array]) -> bool:
    return len(before) != len(after) or any(a is not b for a, b in zip(before, after, strict=True))


def _plan(image: Image, filters: FilterList, source: Source) -> Plan:
    plan = source.plan(image, filters)
    check_fits(plan.geometry)
    return plan


def _needs_plan(old: Document, new: Document) -> bool:
    """Whether the layer itself must change, not only its weights."""
    return (
        new.source is not old.source
        or new.filters.kernel_shape != old.filters.kernel_shape
        or len(new.filters) != len(old.filters)
    )
