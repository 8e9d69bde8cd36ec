"""A call or a request that is refused changes nothing: the whole saved state is the same before and after."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convlens import ConvLens
from convlens.protocol import records

IMAGE = np.random.default_rng(0).random((6, 5)).astype(np.float32)

junk: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**33), 2**33)
    | st.floats()
    | st.text(max_size=4)
    | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
arrays = st.tuples(*[st.integers(0, 4)] * 3).flatmap(
    lambda shape: st.integers(1, 3).map(lambda axes: np.ones(shape[:axes], np.float32))
)
anything = junk | arrays

CALLS: dict[str, int] = {
    "set_weights": 1,
    "set_kernel": 2,
    "add_kernel": 2,
    "remove_kernel": 1,
    "move_kernel": 2,
    "explain": 3,
    "diagnose": 1,
    "to_code": 1,
    "scrub": 1,
    "use_map": 1,
    "leave_map": 1,
    "callback": 1,
    "apply": 0,
    "restore": 0,
}
TRAITS = [
    *("kernels", "bias", "names", "image", "pointwise_kernels", "layer_path", "labels", "cmap", "kernel_cmap"),
    *("value_range", "stage", "view", "overlay", "selected", "pixel", "activations"),
]
REQUESTS = [
    *("edit", "replace", "add", "remove", "move", "rename", "set", "configure", "need", "image", "factors", "scrub"),
    *("probe", "diagnose", "code", "deep", "patch", "plane", "no such request"),
]
FIELDS = [
    *("uid", "uids", "edits", "shape", "kernels", "kernel", "at", "to", "name", "value", "settings", "data", "index"),
    *("row", "col", "channel", "channels", "framework", "bias", "edit"),
]


@pytest.fixture(scope="module")
def lens() -> ConvLens:
    lens = ConvLens(IMAGE, [np.eye(2), np.ones((2, 2))], bias=[1, 2])
    lens._outbox.connected = True
    _ = lens.activations  # waits for Keras, whose arrival is told in the state
    return lens


def saved(lens: ConvLens) -> dict[str, Any]:
    """All that a notebook would keep, and the history; not the problem that reports a refusal."""
    state = {
        name: value
        for name, value in lens.get_state().items()
        if name not in ("_problem", "_cmaps", "_esm", "_bundle", "_css")
    }
    return state | {"history": lens._session.history.counts, "image": lens.image.tobytes()}


def unchanged_if_refused(lens: ConvLens, before: dict[str, Any], error: Any) -> None:
    if error is not None:
        assert saved(lens) == before
    else:  # accepted: another starting point for the next
        lens.reset()


many = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@many
@given(st.sampled_from(sorted(CALLS)), st.lists(anything, min_size=3, max_size=3))
def test_a_refused_call_changes_nothing(lens: ConvLens, name: str, arguments: list[Any]) -> None:
    before, error = saved(lens), None
    try:
        getattr(lens, name)(*arguments[: CALLS[name]])
    except Exception as raised:
        error = raised
    unchanged_if_refused(lens, before, error)


@many
@given(st.sampled_from(TRAITS), anything)
def test_a_refused_assignment_changes_nothing(lens: ConvLens, name: str, value: Any) -> None:
    before, error = saved(lens), None
    try:
        setattr(lens, name, value)
    except Exception as raised:
        error = raised
    unchanged_if_refused(lens, before, error)


@many
@given(st.sampled_from(REQUESTS), st.dictionaries(st.sampled_from(FIELDS), junk, max_size=5), st.integers(0, 3))
def test_a_refused_request_changes_nothing(lens: ConvLens, kind: str, fields: dict[str, Any], which: int) -> None:
    answers: list[Any] = []
    lens._outgoing._send = lambda message, _: answers.append(message.get("content"))
    uids = lens._session.filters.uids
    if which < len(uids) and "uid" in fields:  # so that what comes after the filter is reached
        fields["uid"] = uids[which]
    before = saved(lens)
    content, buffers = records.pack({**fields, "type": kind})
    lens._handle_custom_msg(content, buffers)
    (answer,) = [one for one in answers if one and one.get("type") == "answer"]
    unchanged_if_refused(lens, before, None if answer["ok"] else answer["error"])
