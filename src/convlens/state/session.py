"""The state behind one lens: image, filters with their history, geometry and maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from convlens.inputs.images import Image
from convlens.maths.geometry import Geometry
from convlens.state.change import Change, Document, differ, needs_plan, plan_of, same_maps
from convlens.state.edit_lock import EditLock
from convlens.state.filters import Array, FilterList
from convlens.state.history import History
from convlens.state.layer_source import Closed, LayerSource, Plan
from convlens.state.map_cache import LensClosed, MapCache, make_nothing
from convlens.state.rebase import rebased

if TYPE_CHECKING:
    from convlens.layers.conv_layer import ConvLayer
    from convlens.maths.receptive_field import ReceptiveField
    from convlens.models.conv_model import Predictions

CHANGED = (
    "The weights of the model have changed since the lens read them, by training, set_weights or load_weights. "
    "Kernels, maps and predictions are those of the model as it is now, with your edits on top."
)


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
        Called when Keras, imported in another thread, is ready or has failed.
    """

    def __init__(
        self,
        image: Image,
        filters: FilterList,
        source: LayerSource,
        on_change: Callable[[Change], None],
        on_ready: Callable[[], None],
    ) -> None:
        #: Held from reading what an edit begins with until everything that follows from the edit is done.
        self.lock = EditLock()
        self._image: Image | None = image
        self.plan = plan_of(image, filters, source)
        self.history = History(Document(filters, source))
        self.engine = MapCache(self.plan.make_layer, filters, on_ready)
        self._on_change = on_change
        #: Whether a training is followed, during which changed weights are expected.
        self.following = False
        #: The model's output that predictions show: its name or index, None for the first.
        self.output: str | int | None = None
        #: What a prediction was made from, and the prediction.
        self._predicted: tuple[Document, Image | None, str | int | None, Predictions] | None = None
        #: Called before the layer's weights are looked at: a training that was followed may have ended.
        self.settle: Callable[[], None] | None = None

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
    def source(self) -> LayerSource:
        """Where the layer comes from, with its settings as they are now."""
        return self.history.present.source

    @property
    def closed(self) -> bool:
        """Whether the lens was closed."""
        return self._image is None

    def require_open(self) -> None:
        """Raise a ``RuntimeError`` when the lens was closed."""
        if self.closed:
            raise LensClosed()

    @contextmanager
    def editing(self) -> Iterator[FilterList]:
        """Hold the lock while filters are read, changed and committed; gives the filters as they are now."""
        with self.lock:
            self.require_open()
            self.resume()
            yield self.filters

    # -- steps ---------------------------------------------------------------------------------------------------------

    def commit(self, filters: FilterList, gesture: str | None = None, source: LayerSource | None = None) -> None:
        """Make these filters, and this source, the present, as one step of history.

        Commits of one `gesture` are one step. What does not fit is refused before anything changes.
        """
        with self.editing():
            filters = self.catch_up(filters, thorough=False)
            old = self.history.present
            new = Document(filters, source or old.source)
            if new.filters is old.filters and new.source is old.source:
                return
            self._step(lambda: self.history.push(new, gesture))

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
        """Replace the picture; this is not a step of history."""
        with self.editing() as filters:
            filters = self.catch_up(filters)
            old, old_plan = self.image, self.plan
            plan = plan_of(image, filters, self.source)
            try:
                self._image = image
                self._replan(plan, keep_maps=False)
            except BaseException:
                self._image, self.plan = old, old_plan
                raise
            self._on_change(Change(filters, filters, tuple(filters.uids), layout=True, old_image=old))

    def open(self, path: str) -> None:
        """Open another layer of the model: its filters begin a history of their own."""
        with self.editing() as before:
            before = self.catch_up(before)
            source, rank = self.source.opened(path), self.geometry.rank
            filters = source.own_filters(self.image)
            self._begin(Document(filters, source), plan_of(self.image, filters, source))
            self._on_change(Change(before, filters, tuple(filters.uids), layout=True, old_rank=rank))

    def catch_up(self, filters: FilterList, *, thorough: bool = True) -> FilterList:
        """Take over what the user's layer and model hold now, with the edits on top, where their weights have changed.

        History stays: in each of its states, what was not edited becomes what the layer has now.

        Parameters
        ----------
        filters
            Made of the filters that the lens holds.
        thorough
            Whether to check every weight of a model, which takes 20 µs each on TensorFlow. Otherwise those of the
            open layer are checked, and at times one of the others in rotation.

        Returns
        -------
        FilterList
            `filters`, likewise on top of what the layer holds now.
        """
        with self.lock:
            if self._image is None:
                return filters
            held, old = self.filters, self.source
            if self.settle is not None:
                self.settle()
            if self.source is not old:
                filters, old = rebased(filters, held, self.filters), self.source
            if not old.outdated(thorough):
                return filters
            source = old.refreshed(self._image)
            base, fresh = old.base, source.base

            def on_top(edited: FilterList) -> FilterList:
                return edited if base is None or fresh is None else rebased(edited, base, fresh)

            before = self.filters
            plan = plan_of(self._image, on_top(before), source)
            self.history.map(lambda one: Document(on_top(one.filters), source if one.source is old else one.source))
            self._replan(plan, keep_maps=False)
            layout = not plan.feeds_image
            # Where only the layer's settings are used, with filters of the lens's own, its weights are not shown.
            seen = bool(source.layers) or layout or differ(before.kernels, self.filters.kernels)
            seen = seen or not np.array_equal(before.bias, self.filters.bias, equal_nan=True)
            notice = CHANGED if seen and not self.following else ""
            self._on_change(Change(before, self.filters, tuple(self.filters.uids), layout, notice=notice))
            return on_top(filters)

    def current(self, *, thorough: bool = False) -> FilterList:
        """Return the filters, after checking whether the user's layer has changed; see `catch_up`."""
        with self.lock:
            return self.catch_up(self.filters, thorough=thorough)

    def follow(self, filters: FilterList) -> None:
        """Take over what somebody else wrote into the user's layer: history begins anew with these weights of its own.

        Parameters
        ----------
        filters
            The weights.
        """
        with self.editing() as before:
            source = self.source.refreshed(self.image)
            plan = plan_of(self.image, filters, source)
            self._begin(Document(filters, source), plan)
            # Inside a model the layer's input has changed as well; the browser must not mistake it for the one it has.
            layout = not plan.feeds_image or filters.uids != before.uids
            self._on_change(Change(before, filters, tuple(filters.uids), layout))

    # -- memory --------------------------------------------------------------------------------------------------------

    def suspend(self, like: Session | None = None) -> None:
        """Release the layer, its input and the maps; they are made again when they are needed.

        Parameters
        ----------
        like
            Another lens, whose picture is kept in place of this one's where both have the same values.
        """
        with self.lock:
            if self._image is None or not self.engine.ready:
                return
            if like is not None and like._image is not None:
                self._image = self._image.shared_with(like._image)
            self.plan = self.plan._replace(make_layer=self._make_again)
            self.engine.suspend(self.plan.make_layer)
            for document in (self.history.initial, self.history.present):
                document.source.forget_input()

    def resume(self) -> None:
        """Make again what `suspend` released."""
        if self.engine.suspended:
            _ = self.engine.layer

    def _make_again(self) -> ConvLayer:
        plan = plan_of(self.image, self.filters, self.source)
        self.plan = plan
        return plan.make_layer()

    def close(self) -> None:
        """Release the layer, the model, the picture and the maps; the kernels can still be read."""
        with self.lock:
            self._image = self._predicted = None
            self.engine.close()
            self.history = History(Document(self.filters, Closed()))
            self.plan = Plan(self.geometry, make_nothing)

    def maps(self, index: int) -> tuple[Array, Array]:
        """Pre-activation and activation of one filter, ``(rows, cols)`` each, as Keras returned them."""
        _ = self.engine.layer  # waited for before the lock is taken, which the thread that brings it needs
        self.catch_up(self.filters, thorough=False)
        with self.engine.lock:
            uid = self.engine.filters[index].uid
            self.engine.compute([uid])
            maps = self.engine.current(uid)
        assert maps is not None
        return maps.pre_activation, maps.activation

    def receptive_field(self, row: int, col: int) -> ReceptiveField:
        """Return the part of the image that pixel (`row`, `col`) of the maps may depend on."""
        return self.source.receptive_field(self.image, self.geometry, row, col)

    def predict(self) -> Predictions:
        """Return the model's output with its own and with the edited weights; in any thread."""
        present, image, output = self.history.present, self._image, self.output
        found = present.source.predict(present.filters, output)
        self._predicted = (present, image, output, found)
        return found

    @property
    def predicted(self) -> Predictions | None:
        """What `predict` found last, if that belongs to the present weights, picture and output; else None."""
        if self._predicted is None:
            return None
        document, image, output, found = self._predicted
        now = self.history.present
        same = document.source is now.source and image is self._image and output == self.output
        return found if same and document.filters.same_weights(now.filters) else None

    def choose_output(self, choice: Any) -> str | int | None:
        """Choose the output that predictions show, by name or index; None is the first."""
        from convlens.models.outputs import check_output

        with self.editing() as filters:
            new = check_output(self.source.outputs, choice)
            if new != self.output:
                self.output = new
                self._on_change(Change(filters, filters, (), layout=True))
            return new

    def apply(self) -> None:
        """Write the edited weights, and no others, into the user's layer."""
        _ = self.engine.layer  # waited for before the lock is taken
        with self.editing() as filters:
            filters = self.catch_up(filters)
            self.source.apply(self.engine.layer, filters)

    def restore(self) -> None:
        """Put back what `apply` replaced."""
        with self.editing() as filters:
            self.catch_up(filters)
            self.source.restore()

    def _travel(self, step: Callable[[], Any]) -> None:
        """Take a step of history on top of what the layer is now."""
        with self.editing() as filters:
            self.catch_up(filters, thorough=False)
            self._step(step)

    def _step(self, step: Callable[[], Any]) -> None:
        """Take a step of history, or none of it where the layer cannot be what the step needs."""
        old, before = self.history.present, self.history.saved()
        step()
        new = self.history.present
        if new is old:
            return
        try:
            plan = plan_of(self.image, new.filters, new.source) if needs_plan(old, new) else None
            self._show(old, plan)
        except BaseException:
            self.history.load(before)
            raise
        self._announce(old, plan)

    def _begin(self, document: Document, plan: Plan) -> None:
        """Begin a history with this document, or keep the one that there is where the layer cannot be made."""
        old = self.history
        self.history = History(document)
        try:
            self._replan(plan, keep_maps=False)
        except BaseException:
            self.history = old
            raise

    def _show(self, old: Document, plan: Plan | None) -> None:
        new = self.history.present
        if plan is not None:
            self._replan(plan, keep_maps=same_maps(old, new))
        else:
            self.engine.filters = new.filters

    def _announce(self, old: Document, plan: Plan | None) -> None:
        new = self.history.present
        stale = self.engine.changed(old.filters) if same_maps(old, new) else new.filters.uids
        layout = plan is not None or new.filters.uids != old.filters.uids
        self._on_change(Change(old.filters, new.filters, tuple(stale), layout))

    def _replan(self, plan: Plan, *, keep_maps: bool) -> None:
        with self.engine.lock:
            # First, because it may fail: the layer of the plan is made here.
            self.engine.relayer(plan.make_layer, self.filters, keep_maps=keep_maps)
            self.plan = plan
            self._predicted = None
