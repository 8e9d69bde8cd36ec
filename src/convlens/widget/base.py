"""The lens's traits: what each holds, which values it takes, and where it is kept."""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets
from traitlets import Bunch

from convlens.layers.error_text import plain_text
from convlens.maths.arrays import shortened
from convlens.maths.one_row import kernel_shown, maps_shown
from convlens.output.colormaps import (
    Stage,
    check_cmap,
    check_kernel_cmap,
    check_overlay,
    check_range,
    check_stage,
    check_view,
    cmap_table,
)
from convlens.protocol.check_incoming import check_incoming
from convlens.protocol.outbox import Outbox
from convlens.state import edits
from convlens.state.exports import Look
from convlens.state.filters import Array, FilterList
from convlens.state.interpreted import check_survey
from convlens.state.session import Session
from convlens.widget.labels import Labels, labels_of, read_labels
from convlens.widget.trait_types import Checked, Computed, LiveList, Owned, refusals

if TYPE_CHECKING:
    from convlens.models.conv_model import Predictions
    from convlens.state.training import Follower


#: Where the build puts the front end.
STATIC = pathlib.Path(__file__).parent.parent / "static"


@functools.cache
def _front_end(name: str) -> str:
    """Return the text of a file of the front end; read once, and only when a lens is made."""
    return (STATIC / name).read_text("utf-8")


class LensBase(anywidget.AnyWidget):
    """What a lens holds.

    A public trait that the browser shares is either `Checked`, or kept in the session and tagged ``shared``.
    """

    _session: Session
    _outbox: Outbox
    _follower: Follower

    image = Owned(
        help="What the layer, or the model, is fed: (rows, cols, channels) float32; a signal is (steps,), or "
        "(steps, channels), and a generator's latent vector (numbers,)."
    )
    kernels = Owned(
        help="The kernels in list order: (kh, kw), or (kh, kw, in_channels) for several input channels; for signals "
        "(k,) or (k, in_channels). The arrays are read-only; the list takes others, ``lens.kernels[0] = kernel``."
    )
    pointwise_kernels = Owned(
        help="A separable layer's second list: for each filter its weights of the depthwise channels, (channels,) "
        "float32, read-only; None for other layers."
    )
    bias = Owned(help="(filters,) float32, read-only.")
    names = Owned(help="Title of each filter.").tag(sync=True, shared=True)
    activations = Computed(help="(filters, rows, cols) float32, for signals (filters, steps), as Keras returned them.")
    pre_activations = Computed(help="The same before the activation function.")
    layer_path = Owned(help="Path of the layer that is open, one of `layers`; assign another to open it.").tag(
        sync=True, shared=True
    )
    labels = Checked(
        [],
        lambda lens, value: lens._labels_of(value),
        "Names of the classes or channels of the model's output, in their order; for several outputs, a dict of such "
        "lists by the outputs' names.",
    ).tag(to_json=lambda _, lens: lens._labels_shown())
    cmap = Checked("gray", lambda lens, name: lens._offered(check_cmap(name)), "Name of a Matplotlib colour map.")
    value_range = Checked(
        "per_map", lambda _, value: check_range(value), "'per_map', 'shared', 'symmetric' or (low, high)."
    )
    stage = Checked("activation", lambda _, value: check_stage(value), "'activation' or 'pre_activation'.")
    kernel_cmap = Checked(
        None,
        lambda lens, name: lens._offered(check_kernel_cmap(name)),
        "Name of the Matplotlib colour map of the kernels, or None for the widget's own.",
    )
    view = Checked("grid", lambda _, value: check_view(value), "'grid' for all filters, 'focus' for one, large.")
    overlay = Checked(0.0, lambda _, value: check_overlay(value), "Opacity of the maps over the image, 0 (off) to 1.")
    selected = Checked(
        0, lambda lens, index: lens._session.filters.check_position(index), "Index of the filter in focus."
    )
    pixel = Checked(
        None,
        lambda lens, at: None if at is None else lens._pixel_shown(lens._session.geometry.check_pixel(at)),
        "The pinned output pixel, (row, col), or the step of a signal; or None.",
    ).tag(to_json=lambda at, lens: at if at is None or isinstance(at, tuple) else (0, at))

    output = Owned(help="The model's output that `predictions` shows, by name or index; None for the first.")
    survey = Checked(
        None,
        lambda lens, value: check_survey(lens._session, value),
        "A `Survey` of this model, or None: the images of a data set that excite each filter most.",
        shared=False,
    )

    # The first imports the second, once per page: what anywidget itself imports, it imports anew for each model, and a
    # page keeps every copy.
    _esm = traitlets.Unicode().tag(sync=True)
    _bundle = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    _state = traitlets.Dict().tag(sync=True)
    _image = traitlets.Dict().tag(sync=True)
    # Made whenever the state is read; an edit sends one record instead of this table.
    _filters = traitlets.Any(None).tag(sync=True, to_json=lambda _value, lens: lens._outbox.table())
    _cmaps = traitlets.Dict().tag(sync=True)
    _presets: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    _status = traitlets.Dict().tag(sync=True)
    _layers: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    _survey = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)
    _training = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)
    _problem = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)

    @traitlets.default("_esm")
    def _default_esm(self) -> str:
        return _front_end("loader.js")

    @traitlets.default("_bundle")
    def _default_bundle(self) -> str:
        return _front_end("widget.js")

    @traitlets.default("_css")
    def _default_css(self) -> str:
        return _front_end("widget.css")

    @classmethod
    def shared_names(cls) -> list[str]:
        """Names of the public traits that are sent to the browser, are saved, and may be set there."""
        return list(cls.class_traits(shared=True))

    @property
    def _open(self) -> Session:
        """The session, unless the lens was closed."""
        self._session.require_open()
        return self._session

    # -- what the traits read and write ------------------------------------------------------------------------------

    def _read_image(self) -> Array:
        return self._session.image.shown

    def _write_image(self, value: Any) -> None:
        edits.set_image(self._session, value)

    def _read_kernels(self) -> list[Array]:
        rank = self._session.geometry.rank
        values = (kernel_shown(kernel, rank) for kernel in self._session.current().kernels)
        return self._live("kernels", values, lambda i, kernel: edits.set_kernel(self._session, i, kernel))

    def _write_kernels(self, value: Any) -> None:
        edits.set_kernels(self._session, value)

    def _read_pointwise_kernels(self) -> list[Array] | None:
        return self._columns(self._session.current())

    def _write_pointwise_kernels(self, value: Any) -> None:
        edits.set_pointwise_kernels(self._session, value)

    def _pixel_shown(self, at: tuple[int, int]) -> tuple[int, int] | int:
        return at[1] if self._session.geometry.rank == 1 else at

    def _read_bias(self) -> Array:
        return self._session.current().bias

    def _write_bias(self, value: Any) -> None:
        edits.set_bias(self._session, value)

    def _read_names(self) -> list[str]:
        return self._live("names", self._session.filters.names)

    def _write_names(self, value: Any) -> None:
        edits.set_names(self._session, value)

    def _read_activations(self) -> Array:
        return self._maps("activation")

    def _read_pre_activations(self) -> Array:
        return self._maps("pre_activation")

    def _maps(self, stage: Stage) -> Array:
        self._session.current(thorough=True)
        return maps_shown(self._session.engine.stack(stage), self._session.geometry.rank)

    def _read_output(self) -> str | int | None:
        return self._session.output

    def _write_output(self, value: Any) -> None:
        old = self._session.output
        with refusals():
            new = self._session.choose_output(value)
        if new != old:
            self.announce("output", old, new)
            if self.labels:
                self.send_state("labels")

    def _read_layer_path(self) -> str:
        return self._session.source.path

    def _write_layer_path(self, value: Any) -> None:
        old = self._read_layer_path()
        if value != old:
            self._session.open(value)
            self.announce("layer_path", old, self._read_layer_path())

    @property
    def layer(self) -> Any:
        """The user's Keras layer, or the built-in one with the weights as they are now."""
        _ = self._session.engine.layer  # waited for before the lock is taken
        filters, conv = self._session.current(), self._session.engine.layer
        if self._session.source.builtin:
            conv.write(filters.kernels, filters.bias)
        return conv.layer

    @property
    def layers(self) -> list[str]:
        """Paths of the model's convolution layers, in the order in which it calls them; empty without a model."""
        self._session.require_open()
        return list(self._session.source.layers)

    @property
    def predictions(self) -> Predictions:
        """One of the model's outputs with its original and with the edited kernels, each in its own shape.

        `output` chooses it. ``(classes,)``, or ``(rows, cols, channels)`` for an output that is an image; both are
        None without a model.
        """
        self._session.require_open()
        self._session.current(thorough=True)
        return self._session.predict()

    @property
    def look(self) -> Look:
        """How maps are drawn."""
        return Look(self.cmap, self.value_range, self.stage)

    def announce(self, name: str, old: Any, new: Any) -> None:
        """Tell observers, and the browser where it shares the trait, that a trait kept in the session changed."""
        self.notify_change(Bunch(name=name, old=old, new=new, owner=self, type="change"))

    def _offered(self, name: str | None) -> str | None:
        """Send the browser the table of a colour map before its name."""
        if name is not None and name not in self._cmaps:
            self._cmaps = {**self._cmaps, name: cmap_table(name)}
        return name

    @traitlets.observe("survey")
    def _tell_survey(self, change: Bunch) -> None:
        survey, version = change["new"], (self._survey or {"version": 0})["version"] + 1
        self._survey = survey and {"version": version, "layers": survey.layers, "images": survey.images}

    def _weights_changed(self) -> None:
        """Have the browser ask again what it knows of the survey, since the model has other weights."""
        if self._survey:
            self._survey = {**self._survey, "version": self._survey["version"] + 1}

    def _labels_of(self, value: Any) -> Labels:
        self._session.require_open()
        return read_labels(value, self._session.source.outputs, self._session.output)

    def _labels_shown(self) -> list[str]:
        """Return the labels of the output that is chosen: the browser draws no other."""
        if self._session.closed or not (labels := self.labels):
            return []
        return labels_of(labels, self._session.source.outputs, self._session.output)

    def _live(self, name: str, values: Iterable[Any], set_item: Any = None) -> LiveList[Any]:
        return LiveList(values, lambda: getattr(self, name), lambda value: setattr(self, name, value), set_item)

    def _columns(self, filters: FilterList) -> list[Array] | None:
        if filters.pointwise is None:
            return None
        return self._live("pointwise_kernels", (one.kernel[0, 0] for one in filters.filters))

    # -- what the browser sends --------------------------------------------------------------------------------------

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take values of shared traits from the browser; private ones are Python's to set and are ignored.

        Each is checked before anything is told to other browsers. One that is refused is shown as a problem in the
        widget, and every browser is sent the value as it is.
        """
        self.between_cells(lambda: self._take(sync_data))

    def set_from_browser(self, name: Any, value: Any) -> None:
        """Set one shared trait, or dismiss the problem that is shown; after a refusal the present value is sent."""
        if name == "_problem" and value is None:
            self.set_trait("_problem", None)
            return
        if name not in self.shared_names():
            raise ValueError(f"{shortened(name)} is not something that the widget may set.")
        try:
            with self._session.lock, refusals():
                self._session.require_open()
                setattr(self, name, value)
        except Exception:
            self.send_state(name)
            raise

    def between_cells(self, call: Any) -> None:
        """Call when no cell is running; a subclass says how."""
        call()

    def put_right(self, name: str) -> None:
        """Tell observers the value of a trait once more, after another was refused; a subclass says when."""

    def report(self, error: BaseException, title: str | None = None) -> None:
        """Show an exception in the widget; a subclass logs it."""
        self._tell(title or type(error).__name__, plain_text(error), "error")

    def notify(self, text: str, title: str) -> None:
        """Show a sentence in the widget, where problems are shown, as a note."""
        self._tell(title, text, "note")

    def _tell(self, title: str, text: str, tone: str) -> None:
        number = (self._problem or {"id": 0})["id"] + 1
        self._problem = {"id": number, "title": title, "text": text, "tone": tone}

    def _take(self, sync_data: dict[str, Any]) -> None:
        shared = self.shared_names()
        for name, value in sync_data.items():
            if name in shared:
                try:
                    check_incoming(value)
                    with self._session.lock:
                        self._session.require_open()
                        if isinstance(trait := self.traits()[name], Checked):
                            trait.validate(self, value)
                        super().set_state({name: value})
                except Exception as error:
                    self.report(error, f"{name} was refused")
                    self.send_state(name)
            elif name in self.keys and not name.startswith("_"):
                super().set_state({name: value})
            elif name in self.keys:
                self.send_state(name)
