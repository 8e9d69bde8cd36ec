"""Traits that the browser shares: no wrong value is ever kept, whichever side it comes from."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import ipywidgets
import numpy as np
import pytest
import traitlets

from convlens import ConvLens

WRONG = [
    *[("selected", value) for value in (99, -99, True, "a", None, 0.5, [0])],
    *[("pixel", value) for value in (True, "a", 7, [999, 999], [-1, 0], [True, False], [0], [0, 0, 0], [0.5, 1])],
    *[("cmap", value) for value in (None, 3, "no such map", "")],
    *[("kernel_cmap", value) for value in (3, "no such map", "")],
    *[("value_range", value) for value in (None, True, "mine", [1, 0], [0], [0, "b"], [0, float("inf")])],
    *[("stage", value) for value in (None, 1, "relu")],
    *[("view", value) for value in (None, 1, "list")],
    *[("overlay", value) for value in (None, True, "a", -0.1, 1.1, float("nan"))],
    *[("names", value) for value in (3, ["one"], [1, 2], ["a", "\ud800"])],
    *[("labels", value) for value in (3, "ab", [1], ["\ud800"])],
    *[("layer_path", value) for value in (3, "conv", None)],
]


@pytest.fixture
def lens() -> ConvLens:
    image = np.random.default_rng(0).random((6, 5)).astype(np.float32)
    return ConvLens(image, [np.eye(2), np.ones((2, 2))], names=["a", "b"])


def shared(lens: ConvLens) -> dict[str, Any]:
    return {name: lens.get_state([name])[name] for name in lens.shared_names()}


def sent(lens: ConvLens, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Collect the states that leave."""
    states: list[dict[str, Any]] = []

    def take(message: Any, buffers: Any = None) -> None:
        if message.get("method") == "update":
            states.append(message["state"])

    monkeypatch.setattr(lens, "_send", take)
    return states


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_refused_from_both_sides_and_the_browser_gets_the_true_one(
    lens: ConvLens, monkeypatch: pytest.MonkeyPatch, name: str, value: Any
) -> None:
    before = shared(lens)
    with pytest.raises(traitlets.TraitError):
        setattr(lens, name, value)
    assert shared(lens) == before
    states = sent(lens, monkeypatch)
    lens.set_state({name: value})
    assert shared(lens) == before
    assert [state[name] for state in states if name in state] == [before[name]]
    assert lens._problem is not None and lens._problem["text"]


def test_true_values_from_the_browser_are_kept(lens: ConvLens) -> None:
    lens.set_state({"selected": 1, "pixel": [2, 3], "value_range": [0, 2], "view": "focus", "overlay": 0.5})
    assert (lens.selected, lens.pixel, lens.value_range) == (1, (2, 3), (0.0, 2.0))
    assert (lens.view, lens.overlay) == ("focus", 0.5)
    assert lens._problem is None


def test_one_wrong_value_among_others_keeps_none_of_the_others_out(lens: ConvLens) -> None:
    lens.set_state({"pixel": [99, 99], "selected": 1})
    assert (lens.pixel, lens.selected) == (None, 1)


@pytest.mark.parametrize(
    "name", ["_state", "_image", "_problem", "_layers", "_status", "_cmaps", "_presets", "_esm", "_bundle", "_css"]
)
def test_the_browser_cannot_write_private_traits(lens: ConvLens, name: str) -> None:
    before = lens.get_state([name])
    texts = ("_esm", "_bundle", "_css")
    lens.set_state({name: "forged" if name in texts else [] if name in ("_layers", "_presets") else {"id": 7}})
    assert lens.get_state([name]) == before


def test_a_slider_that_is_linked_cannot_take_the_lens_outside_its_list(lens: ConvLens) -> None:
    slider = ipywidgets.IntSlider(max=100)
    traitlets.link((slider, "value"), (lens, "selected"))
    slider.value = 1
    assert lens.selected == 1
    with pytest.raises(traitlets.TraitError, match="no filter 99"):
        slider.value = 99
    assert lens.selected == 1


def test_a_refused_value_is_also_the_error_that_it_was_before_it_was_a_traits(lens: ConvLens) -> None:
    with pytest.raises(IndexError):
        lens.selected = 99
    with pytest.raises(ValueError, match="outside the maps"):
        lens.pixel = (99, 0)


@pytest.mark.parametrize("trait", ["kernels", "bias", "_state", traitlets.All])
def test_an_edit_is_whole_though_an_observer_raises(lens: ConvLens, trait: Any) -> None:
    heard = []

    def broken(change: Any) -> None:
        heard.append(change)
        raise RuntimeError("observer")

    lens.observe(broken, trait)
    with pytest.raises(RuntimeError, match="observer"):
        lens.set_weights([np.full((2, 2, 1, 2), 3, np.float32), np.array([1, 2], np.float32)])
        lens.add_kernel(np.ones((2, 2)))
    lens.unobserve_all()
    assert heard
    assert lens.kernels[0][0, 0] == 3 and lens.bias[1] == 2
    assert len(lens._state["order"]) == len(lens.kernels) == len(lens.activations)
    assert lens._state["order"] == lens._session.filters.uids
    lens.undo()
    lens.redo()


def test_what_cannot_be_pickled_or_copied_says_what_can_be_kept(lens: ConvLens) -> None:
    for attempt in (pickle.dumps, copy.deepcopy, copy.copy):
        with pytest.raises(TypeError, match=r"get_weights\(\).*save_html"):
            attempt(lens)
