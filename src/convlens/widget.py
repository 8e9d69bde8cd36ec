"""`ConvLens`: the widget's traits and wiring."""

from __future__ import annotations

import difflib
import inspect
import pathlib
import sys
import threading
from collections.abc import Sequence
from typing import Any

import anywidget
import numpy as np
import traitlets
from traitlets import Bunch

from convlens.colors import CURATED, check_cmap, check_range, check_stage, cmap_table
from convlens.courier import Courier
from convlens.editing import Editing
from convlens.fallback import Fallback
from convlens.holding import Holding, shown
from convlens.mainthread import CellOfOrigin, between_cells
from convlens.opening import open_lens
from convlens.requests import Requests
from convlens.session import Change, Session
from convlens.taking import Taking
from convlens.training import Follower
from convlens.traits import Computed, Owned
from convlens.watching import Watching
from convlens.wire import preset_records

_STATIC = pathlib.Path(__file__).parent / "static"
#: Keywords of every ipywidget that displays something.
_WIDGET_KEYWORDS = ("layout", "tooltip", "tabbable")


class ConvLens(Holding, Editing, Watching, Taking, anywidget.AnyWidget):
    """An editable lens on a convolution layer.

    Parameters
    ----------
    image
        Path, bytes of a file, PIL image, array or tensor: ``(rows, cols)``, ``(rows, cols, 1 | 3 | 4)``, or either with
        a leading 1. Integers are scaled by their type's maximum, floats stay as they are; with `model`, values go in as
        given.
    kernels
        List of ``(kh, kw)`` arrays where the layer's input has one channel, else ``(kh, kw, in_channels)``. Without it
        the layer's own, or the tutorial's four 4×4 edge filters.
    bias
        ``(filters,)``. Zeros by default, or the layer's own.
    names
        One title a filter.
    activation, strides, padding, dilation_rate
        Keras's arguments of the built-in ``Conv2D``; not together with `layer`.
    layer
        A Keras convolution layer; with `model`, its name or path there.
    model
        A Keras model. The lens opens one of its convolution layers, at any depth, and feeds the model with the image.
    preprocess
        Callable from a float32 copy of the image, ``(rows, cols, channels)``, to what the model takes.
    cmap
        Name of a Matplotlib colour map.
    value_range
        ``"per_map"``, ``"shared"``, ``"symmetric"`` or ``(low, high)``: what the ends of the colour map stand for.
    stage
        ``"activation"`` or ``"pre_activation"``: which of the two is drawn.

    Raises
    ------
    ValueError, TypeError, FileNotFoundError, traitlets.TraitError
        For input that cannot be used; the text says what was expected and how to mend it.

    Notes
    -----
    Activations are computed by the Keras layer itself. Nothing that was passed in is changed, except by `apply`.
    """

    _esm = _STATIC / "widget.js"
    _css = _STATIC / "widget.css"

    image = Owned(help="What the layer, or the model, is fed: (rows, cols, channels) float32.")
    kernels = Owned(
        help="The kernels in list order: (kh, kw), or (kh, kw, in_channels) for several input channels. The arrays are "
        "read-only; the list takes others, ``lens.kernels[0] = kernel``."
    )
    pointwise_kernels = Owned(
        help="A separable layer's second list: for each filter its weights of the depthwise channels, (channels,) "
        "float32, read-only; None for other layers."
    )
    bias = Owned(help="(filters,) float32, read-only.")
    names = Owned(help="Title of each filter.").tag(sync=True)
    activations = Computed(help="(filters, rows, cols) float32, as Keras returned them.")
    pre_activations = Computed(help="The same before the activation function.")
    layer_path = Owned(help="Path of the layer that is open, one of `layers`; assign another to open it.").tag(
        sync=True
    )
    labels: traitlets.List[str] = traitlets.List(
        traitlets.Unicode(), help="What the model's classes are called, in the order of its output."
    ).tag(sync=True)
    cmap = traitlets.Unicode("gray", help="Name of a Matplotlib colour map.").tag(sync=True)
    value_range = traitlets.Any("per_map", help="'per_map', 'shared', 'symmetric' or (low, high).").tag(sync=True)
    stage = traitlets.Unicode("activation", help="'activation' or 'pre_activation'.").tag(sync=True)
    selected = traitlets.Int(0, help="Index of the filter in focus.").tag(sync=True)
    pixel = traitlets.Any(None, help="The pinned output pixel, (row, col) or None.").tag(sync=True)

    _state = traitlets.Dict().tag(sync=True)
    _image = traitlets.Dict().tag(sync=True)
    # Made when the state is asked for; an edit sends one record instead of this table.
    _filters = traitlets.Any(None).tag(sync=True, to_json=lambda _value, lens: lens._courier.table())
    _cmaps = traitlets.Dict().tag(sync=True)
    _presets: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    _status = traitlets.Dict().tag(sync=True)
    _layers: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    _training = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)
    _problem = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)

    def __init__(
        self,
        image: Any,
        kernels: Any = None,
        *,
        bias: Any = None,
        names: Sequence[str] | None = None,
        activation: Any = "relu",
        strides: Any = 1,
        padding: str = "valid",
        dilation_rate: Any = 1,
        layer: Any = None,
        model: Any = None,
        preprocess: Any = None,
        cmap: str = "gray",
        value_range: Any = "per_map",
        stage: str = "activation",
        **widget: Any,
    ) -> None:
        _check_keywords(widget)
        self._origin = CellOfOrigin()
        opened = open_lens(
            image,
            kernels,
            bias,
            names,
            layer=layer,
            model=model,
            preprocess=preprocess,
            settings={
                "activation": activation,
                "strides": strides,
                "padding": padding,
                "dilation_rate": dilation_rate,
            },
        )
        drawn = {"cmap": check_cmap(cmap), "value_range": check_range(value_range), "stage": check_stage(stage)}
        self._session = Session(*opened, on_change=self._on_change, on_ready=lambda: between_cells(self._on_ready))
        self._courier = Courier(
            self._session,
            send=self.send,
            drawn=lambda: (self.stage, self.value_range),
            failed=self._report,
        )
        self._fallback = Fallback(
            self._session,
            self._courier,
            bundle=super()._repr_mimebundle_,
            drawn=lambda: (self.cmap, self.value_range, self.stage),
        )
        super().__init__(
            **drawn,
            _cmaps={cmap: cmap_table(cmap)},
            _presets=preset_records(),
            _image=self._courier.image(),
            _state=self._courier.state(),
            _layers=self._courier.layers(),
            _status=self._courier.status(),
            **widget,
        )
        self._follower = Follower(
            self._session,
            shown=lambda: self._courier.connected or self._courier.displayed,
            tell=lambda record: self.set_trait("_training", record),
        )
        self.on_msg(Requests(self, self._session, self._courier))
        self._session.engine.start()
        if self._session.engine.ready:
            self._offer_cmaps_later()

    def close(self) -> None:
        """Let go of the model and all buffers, and remove every view."""
        super().close()
        if "_session" in vars(self):  # else the constructor refused its arguments
            self._fallback.close()
            self._follower.close()
            self._session.close()

    def _ipython_display_(self) -> None:
        """Display the lens; unlike what `_repr_mimebundle_` returns, such an output can be brought up to date."""
        self._courier.displayed = True
        self._fallback.display()

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the widget, and the picture and the text that are shown where widgets are not."""
        self._courier.displayed = True
        return self._fallback.bundle(draw=True)

    def __repr__(self) -> str:
        """Say in a line what is looked at; it is what a page without widgets shows."""
        geometry = self._session.geometry
        (kh, kw), (rows, cols) = geometry.kernel_size, geometry.output_shape
        where = f" {geometry.path!r}" if geometry.path else ""
        shape = " × ".join(map(str, geometry.input_shape))
        filters = f"{geometry.filters} filter" + ("s" if geometry.filters != 1 else "")
        return (
            f"ConvLens: {geometry.class_name}{where}, {filters} of {kh} × {kw} on {shape} "
            f"→ maps of {rows} × {cols} ({geometry.activation})"
        )

    # -- wiring --------------------------------------------------------------------------------------------------------

    def _send(self, msg: Any, buffers: Any = None) -> None:
        self._origin.call(super()._send, msg, buffers)

    @traitlets.validate("cmap")
    def _check_cmap(self, proposal: Bunch) -> str:
        name = check_cmap(proposal["value"])
        if name not in self._cmaps:
            self._cmaps = {**self._cmaps, name: cmap_table(name)}
        return name

    @traitlets.validate("value_range")
    def _check_range(self, proposal: Bunch) -> Any:
        return check_range(proposal["value"])

    @traitlets.validate("stage")
    def _check_stage(self, proposal: Bunch) -> str:
        return check_stage(proposal["value"])

    @traitlets.validate("selected")
    def _check_selected(self, proposal: Bunch) -> int:
        return self._checked(proposal["value"])

    @traitlets.validate("labels")
    def _check_labels(self, proposal: Bunch) -> list[str]:
        labels: list[str] = proposal["value"]
        output = self.predictions.before if labels else None
        if output is not None and len(labels) != len(output):
            raise traitlets.TraitError(
                f"{len(labels)} labels were given, but the model's output has {len(output)} numbers; expected one "
                "label for each, in their order."
            )
        return labels

    @traitlets.validate("pixel")
    def _check_pixel(self, proposal: Bunch) -> tuple[int, int] | None:
        pixel = proposal["value"]
        return None if pixel is None else self._session.geometry.check_pixel(pixel)

    @traitlets.observe("cmap", "stage", "value_range")
    def _on_looks(self, _change: Bunch) -> None:
        self._fallback.changed()

    @traitlets.observe("stage", "value_range")
    def _on_drawn(self, change: Bunch) -> None:
        # Levels are of one stage, and flags of one fixed range; every other range is the browser's arithmetic.
        fixed = isinstance(change["old"], tuple) or isinstance(change["new"], tuple)
        if change["name"] == "stage" or fixed:
            self._courier.push(self._courier.first_screen())

    def _on_change(self, change: Change) -> None:
        """Tell the browser and Python's observers what a step changed."""
        courier = self._courier
        with self.hold_sync():
            if change.layout:
                courier.generation += 1
                courier.image_version += change.old_image is not None
                self._state = courier.state()
            if change.old_image is not None:
                self._image = courier.image()
                self._layers = courier.layers()
                self._tell("image", change.old_image.values, self.image)
            self._keep_inside()
            if change.before.names != change.after.names:
                self._tell("names", change.before.names, self.names)
        # To make thousands of arrays costs more than the edit.
        if change.kernels and self._heard("kernels"):
            self._tell("kernels", self._live("kernels", map(shown, change.before.kernels)), self.kernels)
        if change.pointwise_kernels:
            self._tell("pointwise_kernels", self._columns(change.before), self.pointwise_kernels)
        if not np.array_equal(change.before.bias, change.after.bias, equal_nan=True):
            self._tell("bias", change.before.bias, self.bias)
        self.set_trait("_training", self._follower.record())
        courier.push(change.stale)
        self._fallback.changed()
        if change.stale or change.layout:
            self._tell_maps()

    def _on_ready(self) -> None:
        """Keras has arrived, or failed."""
        self._status = self._courier.status()
        if self._session.engine.ready:
            self._courier.push(self._courier.first_screen())
        self._offer_cmaps_later()
        self._fallback.changed()

    def _offer_cmaps_later(self) -> None:
        # Importing Matplotlib takes half a second, which the first sight does not wait for.
        if "matplotlib" in sys.modules:
            self._offer_cmaps()
        else:
            threading.Thread(target=self._offer_cmaps, name="convlens: colour maps").start()

    def _offer_cmaps(self) -> None:
        tables = {name: cmap_table(name) for name in CURATED}
        between_cells(lambda: setattr(self, "_cmaps", tables | self._cmaps))

    def _tell_again(self, image: bool) -> None:
        """Send every small trait to a browser that missed messages, and the picture where it has another."""
        bulk = {"_esm", "_css", "_filters", "_presets"} | (set() if image else {"_image"})
        own = [name for name in ConvLens.class_own_traits(sync=True) if name not in bulk]
        self.send_state(own)

    def _keep_inside(self) -> None:
        self.selected = min(self.selected, len(self._session.filters) - 1)
        rows, cols = self._session.geometry.output_shape
        if self.pixel is not None and not (self.pixel[0] < rows and self.pixel[1] < cols):
            self.pixel = None

    def _tell(self, name: str, old: Any, new: Any) -> None:
        self.notify_change(Bunch(name=name, old=old, new=new, owner=self, type="change"))

    def _tell_maps(self) -> None:
        # Stacking all maps costs as much as computing one, so it waits for somebody who listens.
        for name in ("activations", "pre_activations"):
            if self._heard(name) and self._session.engine.ready:
                self._tell(name, None, getattr(self, name))

    def _heard(self, name: str) -> bool:
        """Whether anybody observes a trait."""
        return any(self._trait_notifiers.get(one) for one in (name, traitlets.All))

    def _report(self, error: BaseException) -> None:
        number = (self._problem or {"id": 0})["id"] + 1
        self._problem = {"id": number, "title": f"Keras: {type(error).__name__}", "text": str(error)}


def _check_keywords(given: dict[str, Any]) -> None:
    known = [*inspect.signature(ConvLens.__init__).parameters][1:-1] + list(_WIDGET_KEYWORDS)
    for name in given:
        if name not in _WIDGET_KEYWORDS:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Keywords are {', '.join(known)}."
            raise TypeError(f"ConvLens got an unexpected keyword argument {name!r}. {hint}")
