"""The weights of a model change behind the lens: it is never silently out of date, and writes only what was edited."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from convlens.models.weight_snapshot import ATTEMPTS
from tests.deadlines import SECONDS
from tests.unit.keras_sweep import Array, close, maps, numpy
from tests.unit.test_requests import Browser

layers = keras.layers
RNG = np.random.default_rng(0)
IMAGES = RNG.random((8, 9, 8, 1), dtype=np.float32)
CLASSES = np.array([0, 1] * 4)


def make() -> Any:
    model = keras.Sequential(
        [
            keras.Input((9, 8, 1)),
            layers.Conv2D(3, 3, activation="relu", name="first"),
            layers.SeparableConv2D(4, 3, padding="same", name="second"),
            layers.Flatten(),
            layers.Dense(2, activation="softmax", name="head"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def fit(model: Any) -> None:
    model.fit(IMAGES, CLASSES, batch_size=4, epochs=2, verbose=0)


def set_all(model: Any) -> None:
    rng = np.random.default_rng(3)
    model.set_weights([rng.standard_normal(w.shape).astype(np.float32) for w in model.get_weights()])


def load(model: Any) -> None:
    other = make()
    set_all(other)
    path = f"{model.name}.weights.h5"
    other.save_weights(path)
    model.load_weights(path)


def step(model: Any) -> None:
    """One step of an optimizer, by hand."""
    optimizer = keras.optimizers.Adam(0.1)
    optimizer.build(model.trainable_variables)
    values = [keras.ops.ones(v.shape) for v in model.trainable_variables]
    optimizer.apply(values, model.trainable_variables)


def one_value(model: Any) -> None:
    """The least that can change."""
    conv = model.get_layer("first")
    kernel, bias = conv.get_weights()
    kernel[1, 1, 0, 2] += 1
    conv.set_weights([kernel, bias])


CHANGES: dict[str, Callable[[Any], None]] = {
    "fit": fit,
    "set_weights": set_all,
    "load_weights": load,
    "optimizer": step,
    "one value": one_value,
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    keras.utils.set_random_seed(1)


def by_hand(model: Any, path: str, edit: Callable[[list[Array]], None]) -> tuple[Array, Array]:
    """Maps of a layer, and the output, of a clone that has the edit in its weights."""
    clone = make()
    clone.set_weights(model.get_weights())
    weights = [np.array(w) for w in clone.get_layer(path).get_weights()]
    edit(weights)
    clone.get_layer(path).set_weights(weights)
    x = IMAGES[:1]
    for layer in clone.layers[: 1 + [one.name for one in clone.layers].index(path)]:
        x = layer(x)
    return maps(x), numpy(clone(IMAGES[:1]))[0]


def edit_first(weights: list[Array]) -> None:
    weights[0][0, 0, 0, 1] = 2


def edit_second(weights: list[Array]) -> None:
    weights[0][0, 1, 2, 0] = 2


@pytest.mark.parametrize("change", list(CHANGES))
@pytest.mark.parametrize(("path", "edit"), [("first", edit_first), ("second", edit_second)])
def test_maps_and_predictions_are_of_the_model_as_it_is_with_the_edit_on_top(
    change: str, path: str, edit: Callable[[list[Array]], None]
) -> None:
    model = make()
    lens = ConvLens(IMAGES[0], model=model, layer=path)
    weights = lens.get_weights()
    edit(weights)
    lens.set_weights(weights)
    _ = lens.activations, lens.predictions
    CHANGES[change](model)
    expected_maps, expected_output = by_hand(model, path, edit)
    close(lens.activations, expected_maps, 1e-5)
    before, after = lens.predictions
    close(before, numpy(model(IMAGES[:1]))[0], 1e-5)
    close(after, expected_output, 1e-5)


def test_the_widget_is_told_once_and_the_next_edit_from_the_browser_is_on_top() -> None:
    model = make()
    browser = Browser(lens := ConvLens(IMAGES[0], model=model, layer="first"))
    lens.set_kernel(0, np.ones((3, 3)))
    fit(model)
    trained = [w.copy() for w in model.get_layer("first").get_weights()]
    answer = browser.ask("edit", edits=[{"uid": lens._state["order"][1], "taps": {"index": [0], "value": [5.0]}}])
    assert answer["ok"], answer
    problem = lens._problem
    assert problem["title"] == "The model has changed" and "your edits on top" in problem["text"]
    expected = trained[0][..., 0, :].copy()
    expected[..., 0] = 1
    expected[0, 0, 1] = 5
    np.testing.assert_array_equal(np.stack(lens.kernels, -1), expected)
    _ = lens.activations, lens.predictions
    assert lens._problem == problem
    lens.undo()
    lens.undo()
    np.testing.assert_array_equal(np.stack(lens.kernels, -1), trained[0][..., 0, :])
    lens.redo()
    assert lens.kernels[0].tolist() == np.ones((3, 3)).tolist()


@pytest.mark.parametrize("change", list(CHANGES))
def test_apply_writes_what_was_edited_and_restore_puts_that_back_and_nothing_else(change: str) -> None:
    model = make()
    lens = ConvLens(IMAGES[0], model=model, layer="first")
    lens.set_kernel(1, np.full((3, 3), 7))
    CHANGES[change](model)
    before = [w.copy() for w in model.get_weights()]
    lens.apply()
    expected = [w.copy() for w in before]
    expected[0][:, :, 0, 1] = 7
    for ours, own in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(ours, own)
    # Other weights are trained: they stay when the edit is taken back.
    head = model.get_layer("head")
    head.set_weights([w + 1 for w in head.get_weights()])
    lens.restore()
    for ours, own in zip(model.get_weights()[:-2], before[:-2], strict=True):
        np.testing.assert_array_equal(ours, own)
    for ours, own in zip(model.get_weights()[-2:], before[-2:], strict=True):
        np.testing.assert_array_equal(ours, own + 1)


def test_restore_refuses_where_what_was_applied_has_been_trained() -> None:
    model = make()
    lens = ConvLens(IMAGES[0], model=model, layer="first")
    lens.set_kernel(1, np.full((3, 3), 7))
    lens.apply()
    step(model)
    trained = [w.copy() for w in model.get_weights()]
    with pytest.raises(ValueError, match="Layer 'first' has changed since the lens wrote into it"):
        lens.restore()
    for ours, own in zip(model.get_weights(), trained, strict=True):
        np.testing.assert_array_equal(ours, own)
    np.testing.assert_array_equal(np.stack(lens.kernels, -1), trained[0][..., 0, :])


def test_what_two_applies_replaced_goes_back_to_the_beginning() -> None:
    model = make()
    before = [w.copy() for w in model.get_weights()]
    lens = ConvLens(IMAGES[0], model=model, layer="first")
    for value in (7, 8):
        lens.set_kernel(1, np.full((3, 3), value))
        lens.apply()
    assert not lens._problem, "its own writes are no change of the model"
    lens.restore()
    for ours, own in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, own)
    assert lens.kernels[1].max() == 8, "the edit stays in the lens"


def test_a_layer_on_its_own_that_was_trained() -> None:
    model = make()
    layer = model.get_layer("first")
    lens = ConvLens(IMAGES[0], layer=layer)
    lens.set_kernel(1, np.full((3, 3), 7))
    fit(model)
    trained = [w.copy() for w in layer.get_weights()]
    expected = [w.copy() for w in trained]
    expected[0][:, :, 0, 1] = 7
    for ours, own in zip(lens.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(ours, own)
    lens.apply()
    for ours, own in zip(layer.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(ours, own)
    close(lens.activations, maps(layer(IMAGES[:1])))
    lens.restore()
    for ours, own in zip(layer.get_weights(), trained, strict=True):
        np.testing.assert_array_equal(ours, own)


def test_another_image_and_another_layer_find_the_model_as_it_is() -> None:
    model = make()
    lens = ConvLens(IMAGES[0], model=model, layer="second")
    fit(model)
    lens.image = IMAGES[1]
    x = IMAGES[1:2]
    for layer in model.layers[:2]:
        x = layer(x)
    close(lens.activations, maps(x), 1e-5)
    fit(model)
    lens.layer_path = "first"
    np.testing.assert_array_equal(lens.get_weights()[0], model.get_layer("first").get_weights()[0])
    close(lens.activations, maps(model.get_layer("first")(IMAGES[1:2])), 1e-5)


def test_a_second_lens_sees_what_the_first_has_written() -> None:
    model = make()
    first, second = (ConvLens(IMAGES[0], model=model, layer=path) for path in ("first", "second"))
    first.set_kernel(0, np.ones((3, 3)))
    first.apply()
    close(second.activations, by_hand(model, "second", lambda weights: None)[0], 1e-5)


class Changing(keras.layers.Layer):  # type: ignore[misc,unused-ignore]
    """Has another thread change the model's weights in the middle of a run, a number of times."""

    left = 0
    change: Callable[[], None] = staticmethod(lambda: None)

    def call(self, x: Any) -> Any:
        if self.left and not isinstance(x, keras.KerasTensor):
            self.left -= 1
            thread = threading.Thread(target=self.change)
            thread.start()
            thread.join(SECONDS)
        return x


def changing() -> tuple[Any, Changing]:
    changing = Changing(name="changing")
    model = keras.Sequential(
        [
            keras.Input((9, 8, 1)),
            layers.Conv2D(2, 3, name="before"),
            changing,
            layers.Conv2D(2, 3, name="after"),
            layers.GlobalAveragePooling2D(),
        ]
    )
    changing.change = lambda: model.set_weights([w + 1 for w in model.get_weights()])
    return model, changing


def expected_of(model: Any) -> tuple[Array, Array]:
    x = IMAGES[:1]
    for layer in model.layers[:-1]:
        x = layer(x)
    return maps(x), numpy(model(IMAGES[:1]))[0]


@pytest.mark.parametrize("times", [1, 2, ATTEMPTS + 2])
def test_maps_and_output_belong_to_one_state_of_weights_that_change_while_they_are_computed(times: int) -> None:
    model, layer = changing()
    layer.left = times
    lens = ConvLens(IMAGES[0], model=model, layer="after")
    layer.left = 0
    activations, predictions = lens.activations, lens.predictions
    expected = expected_of(model)
    close(activations, expected[0], 1e-5)
    close(predictions.before, expected[1], 1e-5)
    np.testing.assert_array_equal(lens.get_weights()[0], model.get_layer("after").get_weights()[0])


def test_a_layer_that_lends_only_its_settings_may_be_given_weights_without_a_word() -> None:
    # As in the tutorial: the lens has four filters of its own, and the layer gets the first by set_weights.
    layer = keras.layers.Conv2D(1, 2)
    layer.build((None, 8, 8, 1))
    lens = ConvLens(np.eye(8, dtype=np.float32), [np.eye(2), np.ones((2, 2))], layer=layer)
    before = lens.activations
    layer.set_weights([np.full((2, 2, 1, 1), 7.0), np.zeros(1)])
    np.testing.assert_array_equal(lens.activations, before)
    assert not lens._problem
