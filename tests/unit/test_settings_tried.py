"""Settings are tried before anything changes: Keras computes what is accepted, and what is refused leaves no trace."""

from __future__ import annotations

import re
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convlens import ConvLens
from convlens.layers.conv_layer import ConvLayer
from convlens.maths.geometry import Geometry
from tests.unit.keras_sweep import close, maps, short
from tests.unit.test_requests import Browser

IMAGE = np.random.default_rng(0).random((9, 8)).astype(np.float32)
KERNELS = list(np.random.default_rng(1).standard_normal((2, 3, 2)).astype(np.float32))
BIAS = np.array([0.5, -0.25], np.float32)


def lens_of(**arguments: Any) -> ConvLens:
    lens = ConvLens(IMAGE, KERNELS, bias=BIAS, **arguments)
    _ = lens.activations
    return lens


@pytest.fixture(scope="module")
def browser() -> Browser:
    return Browser(lens_of())


def held(lens: ConvLens) -> tuple[Any, ...]:
    """All that can be seen of a lens."""
    session = lens._session
    return lens.get_state(), session.history.present, session.plan, lens.activations.tobytes()


BAD = {
    "strides that a 32-bit count cannot hold": ({"strides": 2**31}, r"strides=\(2147483648, .*2,147,483,647"),
    "strides of 1e300": ({"strides": [1e300, 1]}, r"about 1e300.*2,147,483,647"),
    "infinite strides": ({"strides": [float("inf"), 1]}, "positive whole number"),
    "a dilation that pads without end": (
        {"dilation_rate": 10_000, "padding": "same"},
        r"pad the input of 9 × 8 to 20,009 × 10,008, which is 200,250,072 values; expected at most 67,108,864",
    ),
    "use_bias of 0": ({"use_bias": 0}, "use_bias=0 was given; expected True or False"),
    "use_bias of nothing": ({"use_bias": ""}, "expected True or False"),
    "use_bias of no": ({"use_bias": "no"}, "expected True or False"),
    "an activation that halves the filters": ({"activation": "glu"}, r"activation='glu'.*returns \(1, 7, 7, 1\)"),
    "an activation that needs more": ({"activation": "threshold"}, "threshold"),
}


@pytest.mark.parametrize(("asked", "why"), BAD.values(), ids=BAD)
def test_settings_that_cannot_be_computed_are_refused_with_the_bound(
    browser: Browser, asked: dict[str, Any], why: str
) -> None:
    before = held(browser.lens)
    answer = browser.ask("configure", settings=asked)
    assert not answer["ok"]
    assert re.search(why, answer["error"]["text"])
    assert held(browser.lens) == before
    if "use_bias" not in asked:
        with pytest.raises(ValueError, match=why):
            lens_of(**asked)


def test_a_function_that_returns_other_maps_is_refused() -> None:
    def doubled(x: Any) -> Any:
        return keras.ops.concatenate([x, -x], axis=-1)

    with pytest.raises(ValueError, match=r"activation='doubled' cannot be used here.*returns one value for each"):
        lens_of(activation=doubled)


def test_the_same_bounds_hold_for_a_layer_of_the_users() -> None:
    layer = keras.layers.Conv2DTranspose(1, 2, strides=20_000)
    layer.build((None, 9, 8, 1))
    with pytest.raises(ValueError, match=r"make maps of 180,000 × 160,000 from an input of 9 × 8"):
        ConvLens(IMAGE, layer=layer)
    with pytest.raises(ValueError, match="at most 67,108,864"):
        ConvLayer.built_in(Geometry((9, 8, 1), 1, (3, 3), dilation_rate=(10_000, 10_000), padding="same"))


@pytest.mark.parametrize("shape", [(3, 2, 2), (2, 2, 3)])
def test_kernels_of_another_depth_are_refused(browser: Browser, shape: tuple[int, int, int]) -> None:
    before = held(browser.lens)
    stack = np.ones((2, *shape), np.float32)
    uids = [browser.uid(0), browser.uid(1)]
    answer = browser.ask("replace", uids=uids, shape=list(shape), kernels=stack.tobytes(), gesture="")
    assert not answer["ok"] and f"kernels have shape {shape}" in answer["error"]["text"]
    assert held(browser.lens) == before


def test_kernels_of_another_size_are_refused_inside_a_model() -> None:
    model = keras.Sequential([keras.Input((9, 8, 1)), keras.layers.Conv2D(2, (3, 2))])
    model.layers[0].set_weights([np.stack(KERNELS, -1)[:, :, np.newaxis], BIAS])
    browser = Browser(ConvLens(IMAGE, model=model))
    before = held(browser.lens)
    uids, stack = [browser.uid(0), browser.uid(1)], np.ones((2, 2, 2, 1), np.float32)
    answer = browser.ask("replace", uids=uids, shape=[2, 2, 1], kernels=stack.tobytes(), gesture="")
    assert not answer["ok"]
    assert held(browser.lens) == before


STEPS = st.one_of(st.integers(-1, 5), st.sampled_from([8, 9, 100, 2**31 - 1, 2**31, 2**63, 10**40, 1e300, 1.5]))
PAIRS = st.one_of(STEPS, st.lists(STEPS, min_size=1, max_size=3))
ASKED = st.fixed_dictionaries(
    {},
    optional={
        "strides": PAIRS,
        "dilation_rate": PAIRS,
        "padding": st.sampled_from(["valid", "same", "SAME", "causal", 3]),
        "use_bias": st.sampled_from([True, False, 0, 1, None, ""]),
        "activation": st.sampled_from([None, "relu", "tanh", "softmax", "glu", "threshold", "no such", "sparsemax", 7]),
    },
)


@settings(
    max_examples=short(60),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(asked=ASKED)
def test_what_is_accepted_keras_computes_and_what_is_refused_changes_nothing(
    browser: Browser, asked: dict[str, Any]
) -> None:
    lens = browser.lens
    before = held(lens)
    if not browser.ask("configure", settings=asked)["ok"]:
        assert held(lens) == before
        return
    chosen = lens._session.source.settings  # type: ignore[attr-defined]
    layer = keras.layers.Conv2D(
        2,
        (3, 2),
        strides=chosen.strides,
        padding=chosen.padding,
        dilation_rate=chosen.dilation_rate,
        use_bias=chosen.use_bias,
        activation=chosen.activation,
    )
    layer.build((None, 9, 8, 1))
    layer.set_weights([np.stack(KERNELS, -1)[:, :, np.newaxis], *([lens.bias] if chosen.use_bias else [])])
    for name, value in asked.items():
        own = getattr(layer, name)
        if name in ("strides", "dilation_rate"):
            assert tuple(own) == (tuple(value) if isinstance(value, list) else (value, value))
        elif name == "padding":
            assert own == value.lower()
        elif name == "use_bias":
            assert own is value
    close(lens.activations, maps(layer(IMAGE[np.newaxis, :, :, np.newaxis])))
