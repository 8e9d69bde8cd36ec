"""What a front end may ask of a lens on a model: layers, predictions, statistics, input planes, snapshots."""

from __future__ import annotations

import json
import threading
from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from convlens.protocol import records
from convlens.state.session import Session
from tests.deadlines import SECONDS
from tests.unit.keras_sweep import close, from_keras, numpy
from tests.unit.model_kinds import IMAGE, MODELS, functional, sequential
from tests.unit.test_requests import Browser

layers = keras.layers


def floats(data: bytes) -> Any:
    return np.frombuffer(data, "<f4")


def opened(path: str, model: Any = None) -> Browser:
    return Browser(ConvLens(IMAGE, model=model or functional(), layer=path))


def test_the_layers_cross_with_their_shapes_in_the_order_of_the_calls() -> None:
    model = sequential()
    lens = ConvLens(IMAGE, model=model)
    assert [record["path"] for record in lens._layers] == MODELS["sequential"][1]
    for record in lens._layers:
        layer = model.get_layer(record["path"])
        assert record["class_name"] == type(layer).__name__
        assert record["input_shape"] == list(layer.input.shape[1:])
        assert record["output_shape"] == list(layer.output.shape[1:])
        assert record["kernel_size"] == list(layer.kernel_size)
        assert record["filters"] == layer.output.shape[-1]
    assert ConvLens(IMAGE)._layers == []


def test_the_browser_opens_another_layer() -> None:
    browser = opened("stem")
    generation, uids = browser.lens._state["generation"], browser.lens._state["order"]
    answer = browser.ask("set", name="layer_path", value="block/conv")
    assert answer["ok"] and browser.lens.layer_path == "block/conv"
    assert browser.lens.get_state("layer_path") == {"layer_path": "block/conv"}
    assert answer["generation"] > generation and not set(uids) & set(browser.lens._state["order"])
    assert [f["uid"] for f in answer["filters"]] == browser.lens._state["order"]
    assert answer["history"] == {"undo": 0, "redo": 0}
    refused = browser.ask("set", name="layer_path", value="block/con")
    assert not refused["ok"] and "Did you mean 'block/conv'" in refused["error"]["text"]
    assert browser.lens.layer_path == "block/conv"


def predictions(browser: Browser) -> list[dict[str, Any]]:
    for thread in threading.enumerate():
        if thread.name == "convlens: predictions":
            thread.join()
    return [message for message in browser.heard if message["type"] == "predictions"]


def test_predictions_are_answered_at_once_with_nothing_and_follow_by_themselves() -> None:
    browser = opened("stem")
    browser.lens.set_kernel(0, np.zeros((3, 3, 3)))
    answer = browser.ask("predict")
    assert answer["ok"] and "predictions" not in answer
    (message,) = predictions(browser)
    assert (message["client"], message["seq"]) == ("test", answer["seq"])
    before, after = browser.lens.predictions
    close(floats(message["predictions"]["before"]), before)
    close(floats(message["predictions"]["after"]), after)
    assert message["filters"] == []


def test_an_edit_does_not_wait_for_a_prediction_and_the_newest_request_is_answered_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started, released = threading.Event(), threading.Event()
    predict = Session.predict

    def slow(session: Session) -> Any:
        started.set()
        assert released.wait(SECONDS)
        return predict(session)

    monkeypatch.setattr(Session, "predict", slow)
    browser = opened("stem")
    first = browser.ask("predict")["seq"]
    assert started.wait(SECONDS)
    assert browser.tap(0, 0, 5.0)["ok"], "answered while the model runs"
    browser.ask("predict")
    newest = browser.ask("predict")["seq"]
    released.set()
    assert [message["seq"] for message in predictions(browser)] == [first, newest]
    close(floats(predictions(browser)[-1]["predictions"]["after"]), predict(browser.lens._session).after)


def test_an_exception_in_the_model_is_told_with_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: Session) -> Any:
        raise RuntimeError("no such luck")

    monkeypatch.setattr(Session, "predict", failing)
    browser = opened("stem")
    browser.ask("predict")
    (message,) = predictions(browser)
    assert message["predictions"] is None
    assert message["error"] == {"title": "RuntimeError", "text": "no such luck"}


def test_statistics_are_those_of_the_maps_and_kernels() -> None:
    browser = opened("shared")
    browser.lens.set_kernel(1, np.zeros((1, 1, 4)))
    browser.lens.bias = browser.lens.bias * [1, 0, 1, 1]
    stats = {name: floats(data) for name, data in browser.ask("stats")["stats"].items()}
    maps = browser.lens.activations.astype(np.float64)
    np.testing.assert_allclose(stats["energy"], (maps**2).mean(axis=(1, 2)), rtol=1e-6)
    np.testing.assert_allclose(stats["dead"], (maps == 0).mean(axis=(1, 2)), rtol=1e-6)
    np.testing.assert_allclose(stats["norm"], [np.linalg.norm(k) for k in browser.lens.kernels], rtol=1e-6)
    assert stats["dead"][1] == 1 and stats["norm"][1] == 0
    at = browser.ask("stats", pixel=[2, 3])["stats"]["pixel"]
    np.testing.assert_array_equal(floats(at), browser.lens.activations[:, 2, 3])
    assert "pixel" not in stats and not browser.ask("stats", pixel=[99, 0])["ok"]


@pytest.mark.parametrize("stage", ["activation", "pre_activation"])
def test_ranges_are_those_of_every_map_of_the_stage_and_follow_an_edit(stage: str) -> None:
    model = keras.Sequential([keras.Input(IMAGE.shape), layers.Conv2D(3, 1, activation="relu", name="conv")])
    # Each filter has the picture's first channel times its weight; two are what no eye finds in the map of the third.
    weights = np.zeros((1, 1, 3, 3), np.float32)
    weights[0, 0, 0] = [1e-34, -1e-34, 2]
    model.layers[0].set_weights([weights, np.zeros(3, np.float32)])
    browser = opened("conv", model)
    x = IMAGE[..., 0]

    def ranges() -> Any:
        return floats(browser.ask("ranges", stage=stage)["ranges"]).reshape(-1, 2)

    ends = np.array([x.min(), x.max()])
    below = ends[::-1] * -1e-34 if stage == "pre_activation" else np.zeros(2)
    np.testing.assert_allclose(ranges(), [ends * 1e-34, below, ends * 2], rtol=1e-6)
    browser.lens.set_kernel(0, np.array([5, 0, 0], np.float32).reshape(1, 1, 3))
    np.testing.assert_allclose(ranges()[0], ends * 5, rtol=1e-6)
    assert not browser.ask("ranges", stage="sum")["ok"]


def test_deep_brings_what_the_linear_update_takes() -> None:
    model = functional()
    browser = opened("block/conv", model)
    lens = browser.lens
    lens.set_kernel(3, np.ones((3, 3, 2)))
    deep = browser.ask("deep", uid=browser.uid(3), channels=[3])["deep"]
    np.testing.assert_array_equal(floats(deep["pre_activation"]), lens.pre_activations[3].ravel())
    x = numpy(model.get_layer("shared")(model.get_layer("stem")(IMAGE[np.newaxis] / 255)))[0]
    (plane,) = deep["planes"]
    assert plane["channel"] == 3
    close(floats(plane["data"]), x[..., 3].ravel())
    assert deep["rev"] == lens._session.engine.rev(browser.uid(3))
    # Filter 3 is of the second of two groups, which reads channels 2 and 3.
    expected = 3 * np.sqrt((x[..., 2:] ** 2).mean(axis=(0, 1)))
    # Of a channel that the activation almost removes, the rounding of the earlier sums remains.
    np.testing.assert_allclose(floats(deep["contribution"]), expected, rtol=1e-5, atol=1e-6)
    # A tap of the plane changed by d moves the pre-activation by d × the plane, shifted by the tap: here the centre.
    before, kernel = lens.pre_activations[3], np.array(lens.kernels[3])
    kernel[1, 1, 1] += 2
    lens.set_kernel(3, kernel)
    close(lens.pre_activations[3], before + 2 * floats(plane["data"]).reshape(before.shape))


def test_the_contribution_bounds_what_a_plane_adds_to_the_pre_activation() -> None:
    browser = opened("depthwise", sequential())
    deep = browser.ask("deep", uid=browser.uid(0), channels=[])["deep"]
    assert deep["planes"] == []
    added = browser.lens.pre_activations[0] - browser.lens.bias[0]  # of one plane: depthwise
    taps, inner = browser.lens.kernels[0].size, added.size
    outer = np.prod(browser.lens._state["geometry"]["input_shape"][:2])
    assert np.sqrt((added**2).mean()) <= floats(deep["contribution"])[0] * np.sqrt(taps * outer / inner)


def test_a_patch_is_what_the_layer_is_fed_under_the_kernel_with_the_padding_marked() -> None:
    model = functional()
    browser = opened("block/conv", model)
    lens = browser.lens
    x = numpy(model.get_layer("shared")(model.get_layer("stem")(IMAGE[np.newaxis] / 255)))[0]
    rows, cols = lens._state["geometry"]["output_shape"]
    for row, col in [(0, 0), (rows - 1, cols - 1), (rows // 2, cols // 2)]:
        patch = browser.ask("patch", uid=browser.uid(3), row=row, col=col)["patch"]
        expected = lens.explain(3, row, col)
        assert patch["rows"] == expected.window.rows.tolist() and patch["cols"] == expected.window.cols.tolist()
        values = floats(patch["values"]).reshape(expected.patch.shape)
        np.testing.assert_array_equal(values, expected.patch)
        # Filter 3 is of the second of two groups, which reads channels 2 and 3.
        for r, at_row in enumerate(patch["rows"]):
            for c, at_col in enumerate(patch["cols"]):
                inside = 0 <= at_row < x.shape[0] and 0 <= at_col < x.shape[1]
                close(values[r, c], x[at_row, at_col, 2:] if inside else np.zeros(2))


def test_with_a_patch_comes_the_part_of_the_image_that_the_pixel_depends_on() -> None:
    inputs = keras.Input((16, 18, 1))
    x = layers.AveragePooling2D(2)(layers.Conv2D(3, 3, padding="same")(inputs))
    model = keras.Model(inputs, layers.Conv2D(2, 2, name="last")(x))
    browser = Browser(ConvLens(IMAGE, model=model, layer="last"))
    # Rows 0 and 1 of the pooled map are rows 0 to 3 of the first one, and rows -1 to 4 of the image.
    told = browser.ask("patch", uid=browser.uid(0), row=0, col=3)["patch"]["field"]
    assert json.loads(json.dumps(told)) == {
        "rows": [-1, 4],
        "cols": [5, 10],
        "inside": [[*range(5)], [*range(5, 11)]],
        "note": "",
    }
    field = browser.lens.explain(0, 0, 3).receptive_field
    assert (field.rows, field.cols, field.inside) == ((-1, 4), (5, 10), (tuple(range(5)), tuple(range(5, 11))))


def test_a_channel_of_the_layers_input_crosses_as_a_picture() -> None:
    model = functional()
    browser = opened("block/conv", model)
    x = numpy(model.get_layer("shared")(model.get_layer("stem")(IMAGE[np.newaxis] / 255)))[0][..., 1]
    plane = browser.ask("plane", channel=1)["plane"]
    assert plane["shape"] == list(x.shape) and plane["flags"] is None
    close(plane["range"], np.array([x.min(), x.max()]))
    levels = np.frombuffer(plane["levels"], np.uint8).reshape(x.shape)
    low, high = plane["range"]
    # A level stands for a 256th of the range.
    np.testing.assert_allclose(low + (levels + 0.5) / 256 * (high - low), x, atol=0.51 / 256 * (high - low))


@pytest.mark.parametrize(
    "message",
    [
        {"type": "patch", "uid": -1, "row": 0, "col": 0},
        {"type": "patch", "row": -1, "col": 0},
        {"type": "patch", "row": 0, "col": 10_000},
        {"type": "patch", "row": "0", "col": 0},
        {"type": "plane", "channel": 4},
        {"type": "plane", "channel": None},
        {"type": "deep", "uid": -1, "channels": []},
        {"type": "deep", "channels": [4]},
        {"type": "deep", "channels": [-1]},
        {"type": "deep", "channels": ["0"]},
        {"type": "deep", "channels": 0},
        {"type": "set", "name": "layer_path", "value": 3},
        {"type": "set", "name": "labels", "value": ["a"]},
        {"type": "scrub", "index": 0},
        {"type": "scrub", "index": "0"},
    ],
    ids=str,
)
def test_a_forged_request_is_refused_and_changes_nothing(message: dict[str, Any]) -> None:
    browser = opened("block/conv")
    before = browser.lens.get_weights()
    if message["type"] in ("deep", "patch"):
        message = {"uid": browser.uid(0)} | message
    answer = browser.ask(message.pop("type"), **message)
    assert not answer["ok"] and answer["error"]["text"]
    for ours, own in zip(browser.lens.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, own)


def test_a_filter_of_a_separable_layer_crosses_as_one_kernel_that_may_be_set_to_zero_but_not_edited() -> None:
    browser = opened("separable", sequential())
    lens = browser.lens
    depthwise, pointwise, _ = lens.get_weights()
    shape = (*lens._state["geometry"]["kernel_size"], lens._state["geometry"]["kernel_channels"])
    browser.ask("need", uids=lens._state["order"])
    records = browser.heard[-1]["filters"]
    assert len(records) == lens._state["geometry"]["filters"] == 6
    for i, record in enumerate(records):
        # What a separable layer amounts to: each input channel's depthwise kernels, weighted and added up.
        expected = np.zeros(shape)
        for channel in range(4):
            for m in range(2):
                expected[..., channel] += depthwise[:, :, channel, m] * pointwise[0, 0, 2 * channel + m, i]
        close(floats(record["kernel"]).reshape(shape), expected)
        assert record["first_channel"] == 0
    assert not browser.tap(2, 0, 1.0)["ok"]
    zeros = np.zeros((1, *shape), np.float32).tobytes()
    assert browser.ask("replace", uids=[browser.uid(2)], shape=list(shape), kernels=zeros, gesture="")["ok"]
    np.testing.assert_array_equal(lens.pointwise_kernels[2], 0)
    np.testing.assert_array_equal(lens.pre_activations[2], 0)


def test_both_kernels_of_a_separable_layer_are_edited_tap_by_tap() -> None:
    browser = opened("separable", sequential())
    lens = browser.lens
    depthwise, pointwise, bias = (weight.copy() for weight in lens.get_weights())
    factors = browser.ask("factors", uid=browser.uid(2))["factors"]
    assert factors["multiplier"] == 2
    np.testing.assert_array_equal(floats(factors["depthwise"]).reshape(3, 3, 4, 2), depthwise)
    np.testing.assert_array_equal(floats(factors["pointwise"]), pointwise[0, 0, :, 2])

    def edit(part: str, tap: int, value: float) -> dict[str, Any]:
        taps = {"part": part, "index": [tap], "value": [value]}
        return browser.ask("factors", uid=browser.uid(2), edit=taps, gesture="drag")

    # Row 1, column 2 of the second kernel of channel 3: shared, so that every map is another.
    depthwise[1, 2, 3, 1] = 5
    answer = edit("depthwise", (1 * 3 + 2) * 8 + 3 * 2 + 1, 5)
    np.testing.assert_array_equal(floats(answer["factors"]["depthwise"]).reshape(3, 3, 4, 2), depthwise)
    assert [f["uid"] for f in answer["filters"]] == lens._state["order"]
    np.testing.assert_array_equal(lens.kernels[7][1, 2], 5)
    # The third filter's weight of that kernel's map.
    pointwise[0, 0, 7, 2] = -2
    answer = edit("pointwise", 7, -2)
    assert answer["history"] == {"undo": 1, "redo": 0}, "one gesture"
    np.testing.assert_array_equal(lens.pointwise_kernels[2], pointwise[0, 0, :, 2])

    for ours, expected in zip(lens.get_weights(), [depthwise, pointwise, bias], strict=True):
        np.testing.assert_array_equal(ours, expected)
    x = lens._session.engine.layer.input
    close(lens.activations, from_keras(lens.layer, [depthwise, pointwise, bias], x)[1], relative=1e-4)
    # ‖kernel‖ × |weight| × the input's root mean square bounds what a depthwise map adds.
    rms = np.sqrt((x**2).mean(axis=(0, 1)))
    norms = np.linalg.norm(depthwise.reshape(9, 8), axis=0)
    expected = norms * np.abs(pointwise[0, 0, :, 2]) * np.repeat(rms, 2)
    np.testing.assert_allclose(floats(answer["factors"]["contribution"]), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("path", "edit"),
    [
        ("separable", {"part": "depthwise", "index": [72], "value": [1]}),
        ("separable", {"part": "pointwise", "index": [8], "value": [1]}),
        ("separable", {"part": "both", "index": [0], "value": [1]}),
        ("separable", {"part": "pointwise", "index": [0], "value": ["1"]}),
        ("separable", []),
        ("first", None),
    ],
)
def test_a_forged_edit_of_a_separable_layer_is_refused(path: str, edit: Any) -> None:
    browser = opened(path, sequential())
    before = browser.lens.get_weights()
    answer = browser.ask("factors", uid=browser.uid(0), edit=edit, gesture="")
    assert not answer["ok"] and answer["error"]["title"] == "Refused"
    for ours, own in zip(browser.lens.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, own)


def test_of_thousands_of_filters_only_the_first_screen_crosses_by_itself() -> None:
    model = keras.Sequential([keras.Input((7, 7, 512)), layers.Conv2D(2048, 3, padding="same")])
    x = np.random.default_rng(0).standard_normal((8, 8, 3)).astype(np.float32)
    lens = ConvLens(x, model=model, preprocess=lambda x: np.resize(x, (7, 7, 512)))
    browser = Browser(lens)
    content, buffers = records.pack({k: v for k, v in lens.get_state().items() if k not in ("_esm", "_bundle", "_css")})
    assert sum(map(len, buffers)) < 3 * 2**20
    assert len(json.dumps(content, default=str)) < 100_000
    assert len(lens._state["order"]) == len(lens.names) == 2048
    last = lens._state["order"][-1]
    browser.ask("need", uids=[last])
    assert [f["uid"] for f in browser.heard[-1]["filters"]] == [last]
    assert len(browser.heard[-1]["filters"][0]["kernel"]) == 4 * 3 * 3 * 512


def test_a_change_of_thousands_of_filters_sends_those_on_screen_and_says_that_the_others_are_out_of_date() -> None:
    lens = ConvLens(np.zeros((9, 9)), [np.full((3, 3), i, np.float32) for i in range(300)])
    browser = Browser(lens)
    on_screen = lens._state["order"][200:230]
    browser.ask("need", uids=on_screen)
    browser.heard.clear()
    lens.kernels = [kernel + 1 for kernel in lens.kernels]
    (message,) = browser.heard
    assert [f["uid"] for f in message["filters"]] == on_screen
    assert sorted([*on_screen, *message["outdated"]]) == lens._state["order"]
    answer = browser.ask("need", uids=message["outdated"][:3])
    assert "outdated" not in answer
    for record, i in zip(answer["filters"], range(3), strict=True):
        np.testing.assert_array_equal(floats(record["kernel"]), i + 1)


def test_losses_in_parts_are_those_of_ablation_and_of_keras() -> None:
    browser = opened("stem")
    lens = browser.lens
    lens.set_kernel(0, lens.kernels[0] * 2)
    found = dict(lens.ablation())
    count = len(found)
    parts = [browser.ask("losses", start=start, count=3)["losses"] for start in range(0, count, 3)]
    values = np.concatenate([floats(part["values"]) for part in parts])
    np.testing.assert_allclose(values, [found[i] for i in range(count)], rtol=1e-5, atol=1e-6)
    after = lens.predictions.after
    assert after is not None
    assert {part["target"] for part in parts} == {int(np.argmax(after))}


def test_losses_after_an_edit_are_of_the_new_weights() -> None:
    browser = opened("stem")
    browser.ask("losses", start=0, count=1)
    browser.lens.set_kernel(0, np.zeros((3, 3, 3)))
    browser.lens.bias = np.zeros_like(browser.lens.bias)
    # A filter whose map is 0 already loses nothing.
    assert floats(browser.ask("losses", start=0, count=1)["losses"]["values"]) == pytest.approx([0], abs=1e-6)


@pytest.mark.parametrize(("start", "count"), [(-1, 1), (10**6, 1), (0, 0), (0, 10**6)])
def test_losses_of_filters_that_are_not_there_are_refused(start: int, count: int) -> None:
    assert "numbered from 0" in opened("stem").ask("losses", start=start, count=count)["error"]["text"]
