"""A lens on a convolution inside a model: what it shows is what the model computes, and the model is left alone."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import traitlets

from convlens import ConvLens
from convlens.layers.run_layer import Runner
from convlens.models.conv_model import ConvModel
from tests.unit.keras_sweep import Array, close, numpy, reseed, snapshot
from tests.unit.model_kinds import IMAGE, MODELS, functional, outputs, predicted, sequential, subclassed

layers = keras.layers


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """What is run from now on: whole models, layers within them, filters of one layer."""
    counted: dict[str, list[Any]] = {"looks": [], "openings": [], "filters": []}
    look, opening, run = ConvModel.__init__, ConvModel.open, Runner.run

    def counting_look(self: Any, *arguments: Any) -> None:
        counted["looks"].append(self)
        look(self, *arguments)

    def counting_opening(self: Any, path: str) -> Any:
        counted["openings"].append(path)
        return opening(self, path)

    def counting_run(self: Any, kernels: Any, bias: Any, indices: Any, pointwise: Any) -> Any:
        counted["filters"].append(list(indices))
        return run(self, kernels, bias, indices, pointwise)

    monkeypatch.setattr(ConvModel, "__init__", counting_look)
    monkeypatch.setattr(ConvModel, "open", counting_opening)
    monkeypatch.setattr(Runner, "run", counting_run)
    return counted


# -- what is shown -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(MODELS))
def test_every_convolution_of_a_model_opens_with_the_activations_that_it_has_there(kind: str) -> None:
    make, paths = MODELS[kind]
    model = make()
    lens = ConvLens(IMAGE, model=model)
    assert lens.layers == paths and lens.layer_path == paths[0]
    for path, (layer, expected) in zip(paths, outputs(model, IMAGE[np.newaxis]), strict=True):
        lens.layer_path = path
        assert lens.layer is layer
        close(lens.activations, expected)
        close(ConvLens(IMAGE, model=model, layer=path).activations, expected)
        for ours, own in zip(lens.get_weights(), layer.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, own)


def test_a_model_loaded_from_a_file_opens(tmp_path: Any) -> None:
    model = functional()
    model.save(tmp_path / "model.keras")
    lens = ConvLens(IMAGE, model=keras.models.load_model(tmp_path / "model.keras"), layer="block/conv")
    expected = dict(zip(MODELS["functional"][1], outputs(model, IMAGE[np.newaxis]), strict=True))["block/conv"][1]
    close(lens.activations, expected)


def test_a_layer_object_of_the_model_names_itself() -> None:
    model = functional()
    assert ConvLens(IMAGE, model=model, layer=model.get_layer("shared")).layer_path == "shared"
    with pytest.raises(ValueError, match="'stranger' is not a convolution layer of the model"):
        ConvLens(IMAGE, model=model, layer=layers.Conv2D(1, 3, name="stranger"))


def test_a_layer_that_does_not_exist_is_answered_with_the_nearest_and_all_that_do() -> None:
    model = functional()
    with pytest.raises(ValueError, match=r"Did you mean 'block/conv'\?.*'stem', 'shared'"):
        ConvLens(IMAGE, model=model, layer="block/con")
    lens = ConvLens(IMAGE, model=model)
    with pytest.raises(ValueError, match="Did you mean 'shared'"):
        lens.layer_path = "sharde"
    assert lens.layer_path == "stem"


def test_what_is_no_model_or_not_built_is_refused() -> None:
    with pytest.raises(TypeError, match=r"expected a keras\.Model"):
        ConvLens(IMAGE, model=layers.Conv2D(1, 3))
    with pytest.raises(ValueError, match="not built"):
        ConvLens(IMAGE, model=keras.Sequential([layers.Conv2D(1, 3)]))
    with pytest.raises(ValueError, match="no model"):
        ConvLens(IMAGE).layer_path = "stem"


def test_filters_of_a_model_can_be_neither_added_nor_removed_nor_moved_and_the_error_says_what_can() -> None:
    lens = ConvLens(IMAGE, model=functional())
    attempts: list[Callable[[], None]] = [
        lambda: lens.add_kernel(lens.kernels[0]),
        lambda: lens.remove_kernel(0),
        lambda: lens.move_kernel(0, 1),
        lambda: setattr(lens, "kernels", lens.kernels[:2]),
    ]
    for forbidden in attempts:
        with pytest.raises(ValueError, match=r"the next layer depends on it.*kernel and its bias to 0"):
            forbidden()


# -- the image ---------------------------------------------------------------------------------------------------------


def test_bytes_go_into_a_model_as_they_are_and_the_picture_stays() -> None:
    photograph = IMAGE.astype(np.uint8)
    model = functional()
    lens = ConvLens(photograph, model=model)
    np.testing.assert_array_equal(lens.image, photograph)
    close(lens.activations, outputs(model, photograph[np.newaxis].astype(np.float32))[0][1])


def test_preprocess_may_change_the_array_that_it_is_given() -> None:
    def preprocess(x: Array) -> Array:
        x -= 100
        x *= 2
        return x

    model = functional()
    before = IMAGE.copy()
    lens = ConvLens(IMAGE, model=model, preprocess=preprocess)
    np.testing.assert_array_equal(IMAGE, before)
    np.testing.assert_array_equal(lens.image, before)
    close(lens.activations, outputs(model, (IMAGE[np.newaxis] - 100) * 2)[0][1])


def test_preprocess_may_make_another_size_of_the_image_which_is_shown_as_it_is() -> None:
    large = np.random.default_rng(1).uniform(0, 255, (40, 41, 3)).astype(np.float32)
    model = functional()
    lens = ConvLens(large, model=model, preprocess=lambda x: x[:16, :18])
    np.testing.assert_array_equal(lens.image, large)
    close(lens.activations, outputs(model, large[np.newaxis, :16, :18])[0][1])


def test_an_image_of_another_size_is_resized_and_that_is_said() -> None:
    lens = ConvLens(np.full((40, 41), 7, np.uint8), model=functional())
    assert lens.image.shape == (16, 18, 3)
    np.testing.assert_allclose(lens.image, 7, atol=1e-5)
    assert any("16" in note and "18" in note for note in lens._image["notes"])
    model = subclassed()  # which does not say what size it takes
    assert ConvLens(np.zeros((20, 21, 3)), model=model).image.shape == (20, 21, 3)


def test_another_image_runs_the_model_once(runs: dict[str, list[Any]]) -> None:
    model = functional()
    lens = ConvLens(IMAGE, model=model, layer="block/conv")
    _ = lens.activations
    other = IMAGE[::-1].copy()
    runs["looks"].clear()
    runs["openings"].clear()
    lens.image = other
    close(lens.activations, outputs(model, other[np.newaxis])[2][1])
    _ = lens.pre_activations, lens.explain(0, 1, 1)
    assert len(runs["looks"]) == 1 and runs["openings"] == ["block/conv"]


# -- another layer -----------------------------------------------------------------------------------------------------


def test_another_layer_begins_a_history_of_its_own() -> None:
    lens = ConvLens(IMAGE, model=sequential(), layer="first")
    lens.set_kernel(0, np.ones((3, 3, 3)))
    seen: list[str] = []
    lens.observe(lambda change: seen.append(change["new"]), "layer_path")
    lens.layer_path = "depthwise"
    assert seen == ["depthwise"] and lens._state["geometry"]["path"] == "depthwise"
    own = [np.array(kernel) for kernel in lens.kernels]
    lens.undo()
    assert lens.layer_path == "depthwise"
    np.testing.assert_array_equal(lens.kernels, own)
    lens.kernels = [2 * kernel for kernel in own]
    lens.undo()
    np.testing.assert_array_equal(lens.kernels, own)
    lens.layer_path = "first"
    assert not np.array_equal(lens.kernels[0], np.ones((3, 3, 3))), "an edit that was not applied is gone"


def test_the_layer_that_is_open_need_not_be_opened_again(runs: dict[str, list[Any]]) -> None:
    lens = ConvLens(IMAGE, model=sequential(), layer="first")
    lens.set_kernel(0, np.ones((3, 3, 3)))
    runs["openings"].clear()
    lens.layer_path = "first"
    assert runs["openings"] == [] and lens.kernels[0][0, 0, 0] == 1


# -- edits -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["stem", "block/conv", "block/conv (use 2)"])
def test_an_edit_computes_one_filter_of_one_layer_wherever_it_is(path: str, runs: dict[str, list[Any]]) -> None:
    lens = ConvLens(IMAGE, model=functional(), layer=path)
    _ = lens.activations
    for counted in runs.values():
        counted.clear()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(keras.Model, "__call__", _forbidden)
        lens.set_kernel(2, np.ones(lens.kernels[2].shape))
        _ = lens.activations
    assert runs == {"looks": [], "openings": [], "filters": [[2]]}


def _forbidden(*_: Any, **__: Any) -> None:
    raise AssertionError("the model ran")


@pytest.mark.parametrize("kind", list(MODELS))
def test_activations_and_predictions_are_those_of_a_clone_with_the_edited_weights(kind: str) -> None:
    make, paths = MODELS[kind]
    model = make()
    clone = _twin(make, model)
    rng = np.random.default_rng(2)
    lens = ConvLens(IMAGE, model=model)
    for number, path in enumerate(paths):
        lens.layer_path = path
        weights = [rng.standard_normal(w.shape).astype(np.float32) for w in lens.get_weights()]
        lens.set_weights(weights)
        before, after = lens.predictions
        close(before, numpy(model(IMAGE[np.newaxis]))[0])
        calls = outputs(clone, IMAGE[np.newaxis])
        layer = calls[number][0]
        own = layer.get_weights()
        layer.set_weights(weights)
        if "use 2" not in path:  # the first use feeds the second, so that a real change reaches its input as well
            close(lens.activations, outputs(clone, IMAGE[np.newaxis])[number][1], relative=1e-4)
        close(after, numpy(clone(IMAGE[np.newaxis]))[0], relative=1e-4)
        layer.set_weights(own)


def _twin(make: Callable[[], Any], model: Any) -> Any:
    twin = make()
    twin.set_weights(model.get_weights())
    return twin


def test_a_filter_that_is_set_to_zero_is_gone_from_the_prediction() -> None:
    model = keras.Sequential(
        [keras.Input((16, 18, 3)), layers.Conv2D(3, 3, activation="relu"), layers.GlobalAveragePooling2D()]
    )
    model.layers[0].set_weights([np.abs(w) + 0.1 for w in model.layers[0].get_weights()])
    lens = ConvLens(IMAGE, model=model)
    lens.set_kernel(1, np.zeros((3, 3, 3)))
    lens.bias = lens.bias * [1, 0, 1]
    before, after = predicted(lens)
    assert before[1] > 0 and after[1] == 0
    np.testing.assert_allclose(after[[0, 2]], before[[0, 2]], rtol=1e-6)
    lens.reset()
    np.testing.assert_allclose(predicted(lens)[1], before, rtol=1e-6)


def test_both_kernels_of_a_separable_layer_can_be_edited_and_undone() -> None:
    model = sequential()
    lens = ConvLens(IMAGE, model=model, layer="separable")
    assert [k.shape for k in lens.kernels] == [(3, 3)] * 8
    assert [k.shape for k in lens.pointwise_kernels] == [(8,)] * 6
    assert len(lens.names) == len(lens.bias) == len(lens.activations) == 6
    own = lens.get_weights()
    np.testing.assert_array_equal(np.stack(lens.pointwise_kernels, -1), own[1][0, 0])
    seen: list[str] = []
    lens.observe(lambda change: seen.append(change["name"]), ["kernels", "pointwise_kernels"])
    lens.set_kernel(5, np.ones((3, 3)))
    lens.pointwise_kernels = [np.full(8, i) for i in range(6)]
    assert seen == ["kernels", "pointwise_kernels"]
    edited = [own[0].copy(), np.broadcast_to(np.arange(6), (1, 1, 8, 6)), own[2]]
    edited[0][:, :, 5 // 2, 5 % 2] = 1
    for ours, expected in zip(lens.get_weights(), edited, strict=True):
        np.testing.assert_array_equal(ours, expected)
    clone = _twin(sequential, model)
    clone.get_layer("separable").set_weights(edited)
    close(lens.activations, outputs(clone, IMAGE[np.newaxis])[1][1], relative=1e-4)
    lens.undo()
    lens.undo()
    for ours, expected in zip(lens.get_weights(), own, strict=True):
        np.testing.assert_array_equal(ours, expected)
    with pytest.raises(ValueError, match=r"\(1, 1, 8, 6\); expected \(6, 8\).*list\(kernel\[0, 0\]\.T\)"):
        lens.pointwise_kernels = edited[1]
    with pytest.raises(ValueError, match="Only a separable layer"):
        ConvLens(IMAGE).pointwise_kernels = []


# -- what is left alone ------------------------------------------------------------------------------------------------


def everything(model: Any) -> dict[str, Any]:
    state = snapshot(model)
    state["optimizer"] = [numpy(v).tobytes() for v in model.optimizer.variables]
    state["compiled"] = [model.train_function, model.test_function, model.predict_function]
    state["keys"] = [sorted(vars(part)) for part in model._flatten_layers()]
    return state


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(MODELS))
def test_looking_editing_and_predicting_leave_the_model_as_it_was(kind: str) -> None:
    make, paths = MODELS[kind]
    model = make()
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    model.layers[-1].trainable = False
    reseed(3)
    expected = numpy(keras.random.normal((3,)))
    reseed(3)
    before = everything(model)
    lens = ConvLens(IMAGE, model=model)
    for path in paths:
        lens.layer_path = path
        lens.kernels = [kernel + 1 for kernel in lens.kernels]
        _ = lens.activations, lens.predictions, lens.predictions
        lens.explain(0, 1, 1)
        lens.undo()
    lens.image = IMAGE + 1
    lens.close()
    assert everything(model) == before
    np.testing.assert_array_equal(numpy(keras.random.normal((3,))), expected)


def test_apply_writes_and_restore_puts_back_in_every_layer_that_was_written() -> None:
    model = sequential()
    before = [w.copy() for w in model.get_weights()]
    lens = ConvLens(IMAGE, model=model, layer="first")
    lens.set_kernel(0, np.ones((3, 3, 3)))
    lens.apply()
    np.testing.assert_array_equal(model.get_layer("first").get_weights()[0][..., 0], 1)
    lens.layer_path = "separable"
    close(lens.activations, outputs(model, IMAGE[np.newaxis])[1][1])
    lens.pointwise_kernels = [np.ones(8)] * 6
    lens.apply()
    np.testing.assert_array_equal(model.get_layer("separable").get_weights()[1], 1)
    lens.restore()
    for ours, own in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, own)


def test_close_lets_go_of_the_model() -> None:
    model = subclassed()
    lens = ConvLens(IMAGE, model=model)
    _ = lens.predictions, lens.predictions
    gone = weakref.ref(model)
    lens.close()
    del model
    gc.collect()
    assert gone() is None


# -- labels ------------------------------------------------------------------------------------------------------------


def test_labels_are_one_for_each_class() -> None:
    lens = ConvLens(IMAGE, model=functional())
    lens.labels = list("abcde")
    with pytest.raises(traitlets.TraitError, match="3 labels were given, but the model's output has 5 numbers"):
        lens.labels = list("abc")
    assert lens.labels == list("abcde")
    lens.labels = []


class Counting(keras.layers.Layer):  # type: ignore[misc,unused-ignore]
    """Counts its calls with numbers."""

    runs = 0

    def call(self, x: Any) -> Any:
        self.runs += not isinstance(x, keras.KerasTensor)
        return x


def test_the_prediction_of_what_was_not_edited_takes_no_run_of_the_model() -> None:
    counting = Counting()
    model = keras.Sequential(
        [keras.Input((16, 18, 3)), layers.Conv2D(4, 3, name="conv"), counting, layers.Flatten(), layers.Dense(5)]
    )
    lens = ConvLens(IMAGE, model=model, layer="conv")
    runs = counting.runs
    before, after = predicted(lens)
    assert counting.runs == runs
    np.testing.assert_array_equal(before, after)
    close(before, numpy(model(IMAGE[np.newaxis]))[0], 1e-5)

    lens.set_kernel(1, np.zeros((3, 3, 3)))
    runs = counting.runs
    _, edited = predicted(lens)
    assert counting.runs > runs
    assert not np.allclose(before, edited)
    lens.apply()
    lens.undo()
    before_again, after = predicted(lens)
    np.testing.assert_array_equal(before_again, before)
    close(after, before, 1e-5)


def test_the_predictions_after_apply_another_image_and_restore_are_those_of_the_restored_model() -> None:
    model = keras.Sequential(
        [keras.Input((16, 18, 3)), layers.Conv2D(4, 3, name="conv"), layers.Flatten(), layers.Dense(5)]
    )
    lens = ConvLens(IMAGE, model=model, layer="conv")
    lens.set_kernel(1, np.zeros((3, 3, 3)))
    lens.apply()
    lens.image = IMAGE[::-1]
    lens.restore()
    lens.undo()
    expected = numpy(model(IMAGE[np.newaxis, ::-1]))[0]
    for output in predicted(lens):
        close(output, expected, 1e-5)
