"""`ConvLens`: the widget, made of its arguments and wired together."""

from __future__ import annotations

import difflib
import inspect
import logging
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from convlens.inputs.starting_picture import NOT_GIVEN, NotGiven
from convlens.models.outputs import check_output
from convlens.protocol.outbox import Outbox
from convlens.protocol.outgoing import Outgoing
from convlens.protocol.records import preset_records
from convlens.protocol.requests import Requests
from convlens.state.session import Session
from convlens.state.training import Follower
from convlens.widget.analysis_methods import AnalysisMethods
from convlens.widget.announcements import Announcements
from convlens.widget.base import STATIC, LensBase
from convlens.widget.constructor import open_lens
from convlens.widget.edit_methods import EditMethods
from convlens.widget.jupyter_internals import observed, open_widgets, sender_of
from convlens.widget.kernel_thread import CellOfOrigin, after_this, between_cells
from convlens.widget.notebook_picture import NotebookPicture
from convlens.widget.output_methods import OutputMethods
from convlens.widget.rerun_cells import suspend_older

if TYPE_CHECKING:
    from traitlets import Bunch

    from convlens.inputs.images import ImageLike

_log = logging.getLogger("convlens")

#: Keywords of every ipywidget that displays something.
_WIDGET_KEYWORDS = ("layout", "tooltip", "tabbable")


class ConvLens(EditMethods, AnalysisMethods, OutputMethods):
    """An editable lens on a convolution layer.

    Parameters
    ----------
    image : path, bytes, open file, PIL image, array, tensor or FileUpload, optional
        An array has the shape ``(rows, cols)``, ``(rows, cols, 1 | 3 | 4)``, or either with a leading 1. Integers are
        scaled by their type's maximum, floats stay as they are; with `model`, values go in as given. For a layer over
        signals an array or tensor ``(steps,)`` or ``(steps, channels)``, and for a generator a latent vector
        ``(numbers,)``, whose values always go in as given. A model of a fixed size can be opened without one: the lens
        then starts from a test picture or from random numbers, and says so.
    kernels : sequence of arrays, optional
        List of ``(kh, kw)`` arrays where the layer's input has one channel, else ``(kh, kw, in_channels)``; for a
        signal ``(k,)``, or ``(k, in_channels)``. Without it the layer's own, or the tutorial's four 4×4 edge filters.
    bias : array, optional
        ``(filters,)``. Zeros by default, or the layer's own.
    names : sequence of str, optional
        One title for each filter.
    activation : str, callable or None
        Activation function of the built-in ``Conv2D``, or ``Conv1D`` for a signal: a name that Keras knows, a function
        of tensors, or None for none; not together with `layer`.
    strides, dilation_rate : int or (int, int)
        As Keras takes them; not together with `layer`.
    padding : str
        ``"valid"`` or ``"same"``, or ``"causal"`` for a signal; not together with `layer`.
    ndim : int, optional
        1 for a signal, 2 for a picture, where shapes leave it open: ``(steps, channels)`` may be a grey picture, and
        kernels ``(k, channels)`` those of one. ``(steps,)`` with kernels ``(k,)`` is taken as a signal anyway. With
        `layer` or `model`, these decide.
    layer : Keras layer or str, optional
        A Keras convolution layer; with `model`, its name or path there.
    model : Keras model, optional
        A Keras model. The lens opens one of its convolution layers, at any depth, and feeds the model with the image.
    preprocess : callable, optional
        Callable from a float32 copy of the image, ``(rows, cols, channels)``, or the signal, to what the model takes:
        an array, or a list, tuple or dictionary of all its inputs.
    inputs : dict or sequence of arrays, optional
        What the model takes besides the image: ``{"name": array}``, each for one image, with or without the batch axis.
        The image goes to the input that is left out, or None. Names are those of the inputs, the keys of a dictionary
        or the arguments of the model's ``call``; positions serve as well, and a list has all inputs in their order.
        Without `image` it has a whole call, the image with the others. With `layer` alone, what the ``call`` of a class
        of your own takes besides the image, by name.
    cmap : str
        Name of a Matplotlib colour map.
    value_range : str or (float, float)
        ``"per_map"``, ``"shared"``, ``"symmetric"`` or ``(low, high)``: what the ends of the colour map stand for.
    stage : str
        ``"activation"`` or ``"pre_activation"``: which of the two is drawn.
    kernel_cmap : str, optional
        Name of the Matplotlib colour map that kernels are drawn with; None for the widget's own colours of signed
        numbers.
    view : str
        ``"grid"`` shows all filters, ``"focus"`` the selected one, large.
    overlay : float
        Opacity of the maps over the image, 0 (off) to 1.
    survey : Survey, optional
        A `Survey` of the model: the images of a data set that excite each filter most.
    output : str or int, optional
        Name or index of the model's output that `predictions` shows; the first by default.

    Raises
    ------
    ValueError, TypeError, FileNotFoundError, traitlets.TraitError
        For input that cannot be used; the text says what was expected and how to mend it.

    Notes
    -----
    Activations are computed by the Keras layer itself. Nothing that was passed in is changed, except by `apply`.
    """

    if os.environ.get("ANYWIDGET_HMR") == "1":
        # anywidget then watches the files for developers, and keeps every lens alive to tell it of changes.
        # The bundle takes the loader's place, so that a change to it is noticed.
        _esm = STATIC / "widget.js"  # type: ignore[assignment]
        _css = STATIC / "widget.css"  # type: ignore[assignment]

    def __init__(
        self,
        image: ImageLike | NotGiven = NOT_GIVEN,
        kernels: Any = None,
        *,
        bias: Any = None,
        names: Sequence[str] | None = None,
        activation: str | Callable[..., Any] | None = "relu",
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        dilation_rate: int | Sequence[int] = 1,
        layer: Any = None,
        model: Any = None,
        preprocess: Any = None,
        inputs: Any = None,
        cmap: str = "gray",
        value_range: str | tuple[float, float] = "per_map",
        stage: str = "activation",
        kernel_cmap: str | None = None,
        view: str = "grid",
        overlay: float = 0.0,
        survey: Any = None,
        output: str | int | None = None,
        ndim: int | None = None,
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
            inputs=inputs,
            ndim=ndim,
            settings={
                "activation": activation,
                "strides": strides,
                "padding": padding,
                "dilation_rate": dilation_rate,
            },
        )
        self._announcements = Announcements(self)
        self._session = Session(
            *opened,
            on_change=lambda change: self._announcements.changed(self._session, self._picture, self._follower, change),
            on_ready=lambda: between_cells(lambda: self._announcements.ready(self._session, self._picture)),
        )
        if output is not None:
            self._session.output = check_output(self._session.source.outputs, output)
        self._outbox = Outbox(
            self._session,
            send=self.send,
            drawn=lambda: (self.stage, self.value_range),
            failed=lambda error: self.report(error, f"Keras: {type(error).__name__}"),
        )
        self._outgoing = Outgoing(
            lambda message, buffers: self._origin.call(sender_of(self, LensBase), message, buffers),
            waits=lambda: self._session.lock.held or self._outbox.numbering.held,
        )
        self._session.lock.released = self._outbox.numbering.released = self._outgoing.flush
        self._picture = NotebookPicture(
            self._session,
            self._outbox,
            bundle=super()._repr_mimebundle_,
            look=lambda: self.look,
            save=lambda: self.send_state("_filters"),
        )
        super().__init__(
            cmap=cmap,
            value_range=value_range,
            stage=stage,
            kernel_cmap=kernel_cmap,
            view=view,
            overlay=overlay,
            survey=survey,
            _presets=preset_records(self._session.geometry.rank),
            _image=self._outbox.image(),
            _state=self._outbox.state(),
            _layers=self._outbox.layers(),
            _status=self._outbox.status(),
            **widget,
        )
        # As a dict, or not at all: else it is the caller's.
        self._own_layout = None if widget.get("layout") is self.layout else self.layout
        self._follower = Follower(
            self._session,
            shown=lambda: self._outbox.connected or self._outbox.displayed,
            tell=lambda record: self.set_trait("_training", record),
        )
        self._requests = Requests(self, self._session, self._outbox, run=between_cells)
        self.on_msg(self._requests)
        self.observe(self._on_look, ["cmap", "stage", "value_range"])
        self._session.engine.start()
        if self._session.engine.ready:
            self._announcements.offer_cmaps()
        suspend_older(self)

    def close(self) -> None:
        """Release the model and all buffers, and remove every view."""
        super().close()
        # ipywidgets 8 sets the first of these to None, 7 the second; a closed lens still has its text.
        for display in ("_repr_mimebundle_", "_ipython_display_"):
            self.__dict__.pop(display, None)
        if "_follower" in vars(self):  # else the constructor refused its arguments
            self._picture.close()
            self._follower.close()
            self._requests.close()
            self._session.close()
            self._origin.close()
            # A notebook keeps what its cells returned, closed lenses among them.
            self._image = self._cmaps = {}
            self._close_layout()

    def _close_layout(self) -> None:
        """Close the layout that was made for this lens: ipywidgets closes none, and keeps what is not closed."""
        layout, self._own_layout = self._own_layout, None
        if layout is not None and not any(getattr(one, "layout", None) is layout for one in open_widgets()):
            layout.close()

    def suspend(self, newer: ConvLens) -> None:
        """Release what is large and can be made again, and share the picture with a newer lens; see `rerun_cells`."""
        with self._session.lock:
            if self._session.closed or self._session.following:
                return
            self._session.suspend(newer._session)
            self._picture.suspend()
            if self._image.get("data") == newer._image.get("data"):
                self._image["data"] = newer._image["data"]  # the same bytes: nothing is sent

    # -- what the widget does as a widget ----------------------------------------------------------------------------

    def _ipython_display_(self) -> None:
        """Display the lens; unlike what `_repr_mimebundle_` returns, such an output can be updated."""
        if self._session.closed:
            print(self)
            return
        self._outbox.displayed = True
        self._picture.display()

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the widget, and the picture and the text that are shown where widgets are not."""
        if self._session.closed:
            return {"text/plain": repr(self)}, {}
        self._outbox.displayed = True
        return self._picture.bundle(draw=True)

    def __repr__(self) -> str:
        """Describe the layer and its input in a line; a page without widgets shows this."""
        geometry = self._session.geometry
        where = f" {geometry.path!r}" if geometry.path else ""
        axes = slice(2 - geometry.rank, None)  # without the one row of a signal
        all_sizes: list[tuple[int, ...]] = [geometry.input_shape, geometry.kernel_size, geometry.output_shape]
        shape, kernel, maps = (" × ".join(map(str, sizes[axes])) for sizes in all_sizes)
        filters = f"{geometry.filters} filter" + ("s" if geometry.filters != 1 else "")
        closed = "This lens was closed; make another to show it." if self._session.closed else ""
        more = "".join(f". {sentence}" for sentence in (geometry.note, closed) if sentence)
        return (
            f"ConvLens: {geometry.class_name}{where}, {filters} of {kernel} on {shape} "
            f"→ maps of {maps} ({geometry.activation}){more}"
        )

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Refuse to be copied and pickled, and name what can be."""
        raise TypeError(
            "A ConvLens cannot be pickled or copied: it is tied to a view in the notebook and to a Keras layer. Keep "
            "its weights with lens.get_weights(), or the whole lens as a page with lens.save_html('lens.html')."
        )

    def __copy__(self) -> Any:
        """Refuse, as `__reduce_ex__` does."""
        return self.__reduce_ex__(4)

    def __deepcopy__(self, memo: Any) -> Any:
        """Refuse, as `__reduce_ex__` does."""
        return self.__reduce_ex__(4)

    def _send(self, msg: Any, buffers: Any = None) -> None:
        self._outgoing.put(msg, buffers)

    def between_cells(self, call: Callable[[], None]) -> None:
        """Call at once on the main thread, from another thread between two cells."""
        between_cells(call)

    def put_right(self, name: str) -> None:
        """Tell observers the value of a trait once more, after the code that assigned a refused one has ended.

        A link ignores changes while it passes a value on, so its other end would keep the refused value.
        """
        if observed(self, name):
            after_this(lambda: None if self._session.closed else self.announce(name, None, getattr(self, name)))

    def report(self, error: BaseException, title: str | None = None) -> None:
        """Show an exception in the widget, and log it with its traceback."""
        level = logging.INFO if isinstance(error, (ValueError, TypeError, IndexError)) else logging.ERROR
        _log.log(level, title or "The lens failed", exc_info=error)
        super().report(error, title)

    def greet(self, picture: Any, image_version: Any, resend: bool) -> None:
        """Take note of a front end: how it keeps pictures, and whether it missed messages."""
        self._picture.greeted(picture)
        if resend:
            bulk = {"_esm", "_bundle", "_css", "_filters", "_presets"}
            if image_version == self._outbox.image_version:
                bulk.add("_image")
            self.send_state([name for name in self.class_traits(sync=True) if name in _OWN and name not in bulk])

    def _on_look(self, change: Bunch) -> None:
        self._picture.changed()
        # Levels are of one stage, and flags of one fixed range; every other range is the browser's arithmetic.
        fixed = isinstance(change["old"], tuple) or isinstance(change["new"], tuple)
        if change["name"] == "stage" or (change["name"] == "value_range" and fixed):
            self._outbox.push(self._outbox.first_screen())


#: Traits of the lens itself, and not of every widget.
_OWN = frozenset(LensBase.class_own_traits(sync=True))


def _check_keywords(given: dict[str, Any]) -> None:
    known = [*inspect.signature(ConvLens.__init__).parameters][1:-1] + list(_WIDGET_KEYWORDS)
    for name in given:
        if name not in _WIDGET_KEYWORDS:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Keywords are {', '.join(known)}."
            raise TypeError(f"ConvLens got an unexpected keyword argument {name!r}. {hint}")
