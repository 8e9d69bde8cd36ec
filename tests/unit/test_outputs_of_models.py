"""Predictions show any of a model's outputs, in the output's own shape, and equal a clone with the edited weights."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from traitlets import TraitError

from convlens import ConvLens
from convlens.layers.stateless_call import to_numpy
from tests.unit.test_model_requests import floats, predictions
from tests.unit.test_requests import Browser

SIZE = (12, 10, 1)


def image() -> np.ndarray:
    return np.random.default_rng(5).random(SIZE, dtype=np.float32)


def segmenting() -> keras.Model:
    """An encoder and a decoder: its output is an image of two channels."""
    keras.utils.set_random_seed(1)
    x = inputs = keras.Input(SIZE)
    x = keras.layers.Conv2D(3, 3, padding="same", activation="relu", name="inner")(x)
    x = keras.layers.Conv2D(2, 1, activation="softmax", name="mask")(x)
    return keras.Model(inputs, x)


def several() -> keras.Model:
    """A vector, a picture and one number, in a list."""
    keras.utils.set_random_seed(2)
    inputs = keras.Input(SIZE)
    maps = keras.layers.Conv2D(3, 3, padding="same", name="inner")(inputs)
    vector = keras.layers.Dense(4, name="classes")(keras.layers.GlobalAveragePooling2D()(maps))
    mask = keras.layers.Conv2D(2, 1, name="mask")(maps)
    return keras.Model(inputs, [vector, mask])


class ByName(keras.Model):  # type: ignore[misc]
    """Returns a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = keras.layers.Conv2D(3, 3, name="inner")
        self.pool = keras.layers.GlobalAveragePooling2D()

    def call(self, x: Any) -> dict[str, Any]:
        maps = self.inner(x)
        return {"pooled": self.pool(maps), "maps": maps}


def after(lens: ConvLens) -> np.ndarray:
    """What the lens predicts with its edits."""
    values = lens.predictions.after
    assert values is not None
    return values


def edited_clone(model: keras.Model, make: Any, lens: ConvLens) -> Any:
    """What the same model returns once the edited weights are set in it by hand."""
    clone = make()
    clone(image()[None])
    clone.set_weights(model.get_weights())
    layer = clone.inner if isinstance(clone, ByName) else clone.get_layer("inner")
    layer.set_weights(lens.get_weights())
    return clone(image()[None])


def test_an_output_that_is_an_image_keeps_its_shape_before_and_after() -> None:
    model = segmenting()
    lens = ConvLens(image(), model=model, layer="inner")
    before = to_numpy(model(image()[None]))[0]
    assert lens.predictions.before is not None and lens.predictions.before.shape == (12, 10, 2)
    np.testing.assert_allclose(lens.predictions.before, before, atol=1e-6)
    lens.set_kernel(0, np.ones((3, 3)))
    np.testing.assert_allclose(lens.predictions.before, before, atol=1e-6)
    np.testing.assert_allclose(after(lens), to_numpy(edited_clone(model, segmenting, lens))[0], atol=1e-6)
    assert np.abs(after(lens) - before).max() > 1e-3


def test_one_of_several_outputs_is_chosen_by_name_or_index() -> None:
    model = several()
    lens = ConvLens(image(), model=model, layer="inner")
    lens.set_kernel(1, np.full((3, 3), 0.5))
    vector, mask = (to_numpy(one)[0] for one in edited_clone(model, several, lens))
    assert lens.output is None
    np.testing.assert_allclose(after(lens), vector, atol=1e-5)
    seen: list[Any] = []
    lens.observe(lambda change: seen.append(change["new"]), "output")
    for choice in (1, -1, model.output_names[1]):
        lens.output = choice
        assert lens.output == choice
        np.testing.assert_allclose(after(lens), mask, atol=1e-5)
    assert seen == [1, -1, model.output_names[1]]
    assert ConvLens(image(), model=model, output=1).predictions.before.shape == mask.shape  # type: ignore[union-attr]


def test_outputs_in_a_dictionary_go_by_their_keys() -> None:
    model = ByName()
    model(image()[None])
    lens = ConvLens(image(), model=model, output="pooled")
    lens.set_kernel(0, np.ones((3, 3)))
    expected = edited_clone(model, ByName, lens)
    np.testing.assert_allclose(after(lens), to_numpy(expected["pooled"])[0], atol=1e-5)
    lens.output = "maps"
    np.testing.assert_allclose(after(lens), to_numpy(expected["maps"])[0], atol=1e-5)


@pytest.mark.parametrize("choice", ["classe", 2, -3, True, 1.5])
def test_an_output_that_does_not_exist_is_refused_with_those_that_do(choice: Any) -> None:
    model = several()
    lens = ConvLens(image(), model=model, layer="inner", output=1)
    with pytest.raises(TraitError, match=model.output_names[0]):
        lens.output = choice
    assert lens.output == 1
    with pytest.raises(ValueError, match=model.output_names[0]):
        ConvLens(image(), model=model, output=choice)


def test_without_a_model_there_is_no_output_to_choose() -> None:
    lens = ConvLens(image(), [np.eye(2)])
    assert lens.predictions == (None, None)
    with pytest.raises(TraitError, match="none"):
        lens.output = 0


def test_labels_count_the_classes_of_a_vector_and_the_channels_of_an_image() -> None:
    lens = ConvLens(image(), model=several(), output=1)
    lens.labels = ["background", "object"]
    with pytest.raises(TraitError, match="2 channels"):
        lens.labels = ["one", "two", "three"]


def test_each_output_has_its_own_labels_by_name_or_position() -> None:
    lens = ConvLens(image(), model=several())
    first, second = lens._session.source.outputs
    classes, channels = ["a", "b", "c", "d"], ["background", "object"]
    for given in ({second: channels, first: classes}, [classes, channels]):
        lens.labels = given
        assert lens.labels == {first: classes, second: channels}
        # The browser gets those of the chosen output, and so does a saved page.
        assert lens.get_state("labels") == {"labels": classes}
        lens.output = 1
        assert lens.get_state("labels") == {"labels": channels}
        lens.output = None
    lens.labels = [None, channels]
    assert lens.labels == {second: channels}
    assert lens.get_state("labels") == {"labels": []}


def test_a_list_of_labels_names_no_output_that_has_another_number_of_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    lens = ConvLens(image(), model=several())
    lens.labels = ["a", "b", "c", "d"]
    told: list[Any] = []
    monkeypatch.setattr(lens, "send_state", lambda name: told.append(lens.get_state(name)))
    lens.output = 1
    lens.output = 0
    assert [one["labels"] for one in told if "labels" in one] == [[], ["a", "b", "c", "d"]]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"mas": ["a", "b"]}, "Did you mean 'mask'"),
        ({"mask": ["a"]}, "1 labels were given for 'mask', but the model's output has 2 channels"),
        ([["a"], None], "1 labels were given for 'classes', but the model's output has 4 numbers"),
        ([None, None, ["a"]], "'classes', 'mask'"),
        ({"mask": "ab"}, "expected a list of names"),
    ],
)
def test_labels_that_fit_no_output_are_refused_with_the_outputs_that_there_are(given: Any, why: str) -> None:
    lens = ConvLens(image(), model=several())
    assert list(lens._session.source.outputs) == ["classes", "mask"]
    with pytest.raises(TraitError, match=why):
        lens.labels = given
    assert lens.labels == []
    with pytest.raises(TraitError, match="none"):
        ConvLens(image(), [np.eye(2)]).labels = {"classes": ["a"]}


def test_the_widget_is_sent_a_vector_whole_and_told_of_an_output_that_it_cannot_show() -> None:
    inputs = keras.Input(SIZE)
    maps = keras.layers.Conv2D(3, 3, padding="same", name="inner")(inputs)
    vector = keras.layers.GlobalAveragePooling2D(name="pooled")(maps)
    blocks = keras.layers.Reshape((4, 3, 10, 3), name="blocks")(maps)
    lens = ConvLens(image(), model=keras.Model(inputs, [vector, blocks]), layer="inner")
    browser = Browser(lens)
    browser.ask("predict")
    (message,) = predictions(browser)
    before = lens.predictions.before
    assert before is not None and len(floats(message["predictions"]["before"])) == len(before)
    browser.heard.clear()
    lens.output = 1
    browser.ask("predict")
    (message,) = predictions(browser)
    assert message["predictions"] is None
    # The shape, and the way back to the vector.
    assert "4 × 3 × 10 × 3" in message["note"] and "lens.predictions.before" in message["note"]
    assert all(repr(name) in message["note"] for name in lens._session.source.outputs)
