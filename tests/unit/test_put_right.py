"""A refused value is kept nowhere: links take it back, and what hosts save is what Python holds."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

import ipywidgets
import numpy as np
import pytest
import traitlets

from convlens import ConvLens
from convlens.widget import kernel_thread, notebook_picture

IMAGE = np.random.default_rng(0).random((6, 5)).astype(np.float32)


class Loop:
    """Stands for the kernel's loop: runs what it was given when the test says that the cell has ended."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], Any]] = []

    def add_callback(self, call: Callable[..., Any], *given: Any) -> None:
        self.waiting.append(lambda: call(*given))

    def call_later(self, seconds: float, call: Callable[[], Any]) -> Callable[[], Any]:
        self.waiting.append(call)
        return call

    def remove_timeout(self, call: Callable[[], Any]) -> None:
        self.waiting.remove(call)

    def run(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    loop = Loop()
    for module in (kernel_thread, notebook_picture):
        monkeypatch.setattr(module, "kernel_loop", lambda: loop)
    return loop


def test_a_linked_slider_goes_back_to_what_the_lens_has(loop: Loop) -> None:
    lens = ConvLens(IMAGE, [np.eye(2), np.ones((2, 2))])
    slider = ipywidgets.IntSlider(max=99)
    traitlets.link((slider, "value"), (lens, "selected"))
    slider.value = 1
    assert lens.selected == 1
    with pytest.raises(traitlets.TraitError):
        slider.value = 99
    loop.run()
    assert (slider.value, lens.selected) == (1, 1)
    slider.value = 0
    loop.run()
    assert (slider.value, lens.selected) == (0, 0)


def test_a_number_that_counts_from_the_end_is_kept_as_the_one_that_it_stands_for_on_both_ends(loop: Loop) -> None:
    lens = ConvLens(IMAGE, [np.eye(2), np.ones((2, 2))])
    slider = ipywidgets.IntSlider(min=-5)
    traitlets.link((slider, "value"), (lens, "selected"))
    slider.value = -1
    loop.run()
    assert slider.value == lens.selected == 1


#: A value that each trait takes, and one that it refuses.
LINKED = {
    "selected": (1, 99),
    "pixel": ((1, 2), (999, 999)),
    "names": (["a", "b"], ["a"]),
    "stage": ("pre_activation", "x"),
    "value_range": ("shared", "x"),
    "cmap": ("viridis", "nope"),
    "view": ("focus", "x"),
    "overlay": (0.5, 3),
    "labels": (["cat"], 3),
}


@pytest.mark.parametrize("name", LINKED)
@pytest.mark.parametrize("from_lens", [True, False])
def test_in_plain_python_a_refused_value_is_raised_and_the_next_one_makes_both_ends_equal(
    name: str, from_lens: bool
) -> None:
    class Other(traitlets.HasTraits):
        value = traitlets.Any()

    lens = ConvLens(IMAGE, [np.eye(2), np.ones((2, 2))])
    before, (good, bad) = getattr(lens, name), LINKED[name]
    other = Other(value=before)
    traitlets.link((other, "value"), (lens, name))
    with pytest.raises(traitlets.TraitError):
        other.value = bad
    assert getattr(lens, name) == before
    setattr(*((lens, name, good) if from_lens else (other, "value", good)))
    assert other.value == getattr(lens, name) == good


def test_a_linked_text_goes_back_to_the_layer_that_is_open(loop: Loop) -> None:
    lens = ConvLens(IMAGE, [np.eye(2)])
    text = ipywidgets.Text()
    traitlets.link((text, "value"), (lens, "layer_path"))
    with pytest.raises(traitlets.TraitError):
        text.value = "block/conv"
    loop.run()
    assert (text.value, lens.layer_path) == ("", "")


def test_where_no_kernel_runs_the_lens_alone_keeps_its_value() -> None:
    lens = ConvLens(IMAGE, [np.eye(2), np.ones((2, 2))])
    slider = ipywidgets.IntSlider(max=99)
    traitlets.link((slider, "value"), (lens, "selected"))
    with pytest.raises(traitlets.TraitError):
        slider.value = 99
    assert lens.selected == 0


@pytest.mark.parametrize("colab", [True, False])
def test_colab_is_sent_the_filters_that_it_saves_when_nothing_changes_any_more(
    loop: Loop, colab: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if colab:
        monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    lens = ConvLens(IMAGE, [np.eye(2)])
    lens._session.engine.wait()
    loop.run()
    lens._picture._shell = types.SimpleNamespace(events=types.SimpleNamespace(unregister=lambda *_: None))
    sent: list[dict[str, Any]] = []
    lens._outgoing._send = lambda message, buffers: sent.append(message | {"bytes": buffers})
    for value in (2, 3):
        lens.set_kernel(0, value * np.eye(2))
    loop.run()
    states = [message for message in sent if "_filters" in message.get("state", {})]
    assert len(states) == colab  # once for both edits
    if colab:
        kernel = np.float32(3 * np.eye(2)).tobytes()
        assert kernel in [bytes(one) for one in states[0]["bytes"]]
    lens._picture._shell = None
