"""The private names of others that the lens uses: each test fails when a new version removes one."""

from __future__ import annotations

import inspect

import ipywidgets
import traitlets
from ipykernel.kernelbase import Kernel

from convlens import ConvLens
from convlens.widget import jupyter_internals
from convlens.widget.base import LensBase


class Watched(traitlets.HasTraits):
    one = traitlets.Int()
    two = traitlets.Int()


def test_traitlets_keeps_observers_in_trait_notifiers() -> None:
    watched = Watched()
    assert isinstance(watched._trait_notifiers, dict), "traitlets has no HasTraits._trait_notifiers any more"
    watched.observe(lambda change: None, "one")
    assert jupyter_internals.observed(watched, "one")
    assert not jupyter_internals.observed(watched, "two")
    watched.observe(lambda change: None)
    assert jupyter_internals.observed(watched, "two"), "traitlets keeps observers of all traits elsewhere now"


def test_without_trait_notifiers_every_change_is_announced() -> None:
    class Without:
        pass

    assert jupyter_internals.observed(Without(), "kernels")  # type: ignore[arg-type]


def test_ipywidgets_lists_the_widgets_that_are_not_closed() -> None:
    widget = ipywidgets.HTML()
    assert widget in jupyter_internals.open_widgets(), "ipywidgets keeps its open widgets elsewhere now"
    widget.close()
    assert widget not in jupyter_internals.open_widgets()
    widget.layout.close()


def test_ipywidgets_sends_everything_by_send() -> None:
    parameters = list(inspect.signature(ipywidgets.Widget._send).parameters)
    assert parameters[:3] == ["self", "msg", "buffers"], "ipywidgets.Widget._send takes other arguments now"
    lens = ConvLens([[0.0, 1.0], [1.0, 0.0]], [[[1.0]]])
    sent: list[object] = []
    lens._outgoing._send = lambda message, _: sent.append(message["method"])
    lens.view = "focus"
    lens.send({"type": "any"})
    # ipywidgets 7 sends no state where there is no kernel.
    expected = ["update", "custom"] if int(ipywidgets.__version__.split(".")[0]) > 7 else ["custom"]
    assert sent == expected, "ipywidgets sends messages by something else than Widget._send"
    assert jupyter_internals.sender_of(lens, LensBase).__func__ is ipywidgets.Widget._send  # type: ignore[attr-defined]


def test_ipykernel_says_who_can_answer_and_which_loop_runs_cells() -> None:
    assert hasattr(Kernel, "_allow_stdin"), "ipykernel has no Kernel._allow_stdin any more"
    assert "self.io_loop =" in inspect.getsource(Kernel.start), "ipykernel has no Kernel.io_loop any more"


def test_outside_a_kernel_there_is_no_loop_and_with_no_name_somebody_may_answer() -> None:
    class Shell:
        kernel = object()

    assert jupyter_internals.kernel_loop() is None
    assert jupyter_internals.person_can_answer(Shell())
