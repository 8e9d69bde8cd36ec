"""What a call takes besides the image, of a model or a layer, is given as the call takes it and replayed with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import convlens
from convlens import ConvLens
from tests.unit.keras_sweep import close, maps, numpy

layers = keras.layers
RNG = np.random.default_rng(7)
PHOTO = RNG.random((8, 9, 3), dtype=np.float32)
CONTEXT, OTHER = RNG.random((2, 4), dtype=np.float32)
GATE = RNG.random((1, 6, 7, 2), dtype=np.float32)


class Conditioned(keras.Model):  # type: ignore[misc,name-defined,unused-ignore]
    """A convolution whose maps a context weighs, however a subclass is called with it."""

    def __init__(self) -> None:
        super().__init__(name="conditioned")
        keras.utils.set_random_seed(2)
        self.conv, self.dense = layers.Conv2D(2, 3, name="conv"), layers.Dense(2)
        self.drop = layers.Dropout(0.5)

    def run(self, x: Any, context: Any, training: Any = None) -> Any:
        return self.drop(self.conv(x) * self.dense(context)[:, None, None], training=training)


class Positional(Conditioned):
    def call(self, x: Any, context: Any, training: Any = None) -> Any:
        return self.run(x, context, training)


class KeywordOnly(Conditioned):
    def call(self, x: Any, *, context: Any, training: Any = None) -> Any:
        return self.run(x, context, training)


class AnyName(Conditioned):
    def build(self, shape: Any) -> None:
        self.conv.build(shape)
        self.dense.build((None, 4))

    def call(self, x: Any, **more: Any) -> Any:
        return self.run(x, more["context"])


class TakesDict(Conditioned):
    def call(self, x: Any, context: Any = None) -> Any:
        return self.run(x, context["a"]) + self.run(x, context["b"])


class TakesList(Conditioned):
    def call(self, x: Any, context: Any = None) -> Any:
        return self.run(x, context[0]) + self.run(x, context[1])


class LooksAtIt(Conditioned):
    """Its code asks what a name and numbers are, which no tensor could tell it in a trace."""

    def call(self, x: Any, context: Any, mode: str = "once", times: int = 1, flip: bool = False) -> Any:
        y = self.run(x, context)
        for _ in range(times):
            y = 2 * y if mode == "double" else y + 1
        return -y if flip else y


CALLS: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "an argument": (Positional, {"context": CONTEXT}),
    "a keyword": (KeywordOnly, {"context": CONTEXT}),
    "any keyword": (AnyName, {"context": CONTEXT}),
    "a dictionary": (TakesDict, {"context": {"a": CONTEXT, "b": OTHER}}),
    "a list": (TakesList, {"context": [CONTEXT, OTHER]}),
    "names and numbers": (LooksAtIt, {"context": CONTEXT, "mode": "double", "times": 3, "flip": True}),
}


def batched(value: Any) -> Any:
    return keras.tree.map_structure(lambda one: one[np.newaxis] if isinstance(one, np.ndarray) else one, value)


@pytest.mark.parametrize("kind", list(CALLS))
def test_a_models_call_is_replayed_with_all_that_it_was_given(kind: str) -> None:
    make, more = CALLS[kind]
    model, clone = make(), make()
    for one in (model, clone):
        one(PHOTO[np.newaxis], **batched(more))
    for given in (more, batched(more)):  # with the batch axis or without
        lens = ConvLens(PHOTO, model=model, inputs=given)
        close(lens.activations, maps(model.conv(PHOTO[np.newaxis])), 1e-5)
        close(lens.predictions.before, numpy(model(PHOTO[np.newaxis], **batched(more)))[0], 1e-5)
    lens.set_kernel(1, np.ones((3, 3, 3)))
    clone.set_weights(model.get_weights())
    clone.conv.set_weights(lens.get_weights())
    for photo in (PHOTO, PHOTO[::-1].copy()):
        lens.image = photo
        close(lens.predictions.after, numpy(clone(photo[np.newaxis], **batched(more)))[0], 1e-5)
    assert lens.attribution(0).shape == (8, 9)


def test_without_an_image_inputs_has_the_whole_call() -> None:
    model = Positional()
    call = (PHOTO[np.newaxis], CONTEXT[np.newaxis])
    expected = numpy(model(*call))[0]
    a, b = keras.Input(PHOTO.shape, name="a"), keras.Input(CONTEXT.shape, name="b")
    graph = keras.Model([b, a], layers.Conv2D(2, 3)(a) * layers.Dense(2)(b)[:, None, None])
    for lens in (
        ConvLens(model=model, inputs=call),
        ConvLens(model=model, inputs={"x": PHOTO, "context": CONTEXT}),
        ConvLens(PHOTO, model=model, inputs={"context": CONTEXT}),
    ):
        np.testing.assert_array_equal(lens.image, PHOTO)
        close(lens.predictions.before, expected, 1e-5)
    lens = ConvLens(model=graph, inputs=[CONTEXT, PHOTO])
    np.testing.assert_array_equal(lens.image, PHOTO)
    close(lens.predictions.before, numpy(graph([CONTEXT[np.newaxis], PHOTO[np.newaxis]]))[0], 1e-5)
    # Of a model of one input it is the image alone.
    alone = keras.Sequential([keras.Input(PHOTO.shape), layers.Conv2D(1, 3)])
    np.testing.assert_array_equal(ConvLens(model=alone, inputs=[PHOTO]).image, PHOTO)
    # The starting picture, where the image is not in it.
    assert "No image was given" in ConvLens(model=graph, inputs={"b": CONTEXT})._image["notes"][0]
    twins = keras.Model([a, keras.Input(PHOTO.shape, name="c")], layers.Conv2D(1, 3)(a))
    with pytest.raises(ValueError, match="'a' or 'c'"):
        ConvLens(model=twins, inputs=[PHOTO, PHOTO])


def test_what_preprocess_makes_may_change_what_no_trace_can_hold() -> None:
    model = LooksAtIt()
    model(PHOTO[np.newaxis], CONTEXT[np.newaxis])

    def made(photo: Any) -> Any:
        return {"x": photo, "context": CONTEXT, "mode": "double" if photo.mean() > 0.5 else "once", "times": 2}

    lens = ConvLens(PHOTO * 0.1, model=model, preprocess=made)
    for photo in (PHOTO * 0.1, PHOTO * 0.1 + 0.8, PHOTO * 0.2):
        lens.image = photo
        lens.set_kernel(0, np.zeros((3, 3, 3)))
        more = {"mode": made(photo)["mode"], "times": 2}
        close(lens.predictions.before, numpy(model(photo[np.newaxis], CONTEXT[np.newaxis], **more))[0], 1e-5)
        lens.reset()


def test_a_survey_sees_every_image_with_the_same_arguments_and_knows_them_again(tmp_path: Any) -> None:
    pytest.importorskip("pyarrow")
    model = TakesDict()
    model(PHOTO[np.newaxis], context=batched({"a": CONTEXT, "b": OTHER}))
    images, options = np.stack([PHOTO, PHOTO[::-1]]), {"store": tmp_path, "progress": False, "top": 1}
    found = convlens.survey(model, images, inputs={"context": {"a": CONTEXT, "b": OTHER}}, **options)
    highest = [maps(model.conv(image[np.newaxis])).max(axis=(1, 2)) for image in images]
    for i in range(2):
        assert found.top("conv", i)[0].value == pytest.approx(max(values[i] for values in highest), abs=1e-5)
    convlens.survey(model, images, inputs={"context": {"a": CONTEXT, "b": OTHER}}, **options)
    with pytest.raises(ValueError, match="inputs"):
        convlens.survey(model, images, inputs={"context": {"a": OTHER, "b": OTHER}}, **options)


class Gated(keras.layers.Conv2D):  # type: ignore[misc,unused-ignore]
    """A convolution whose maps a second tensor opens and closes."""

    def call(self, x: Any, gate: Any) -> Any:
        return super().call(x) * gate


class GatedOrNot(Gated):
    def call(self, x: Any, gate: Any = None) -> Any:
        return super().call(x, 1.0 if gate is None else gate)


@pytest.mark.parametrize("kind", [Gated, GatedOrNot])
def test_a_layer_in_a_graph_is_replayed_with_its_second_tensor(kind: Any) -> None:
    def graph() -> Any:
        keras.utils.set_random_seed(3)
        x = keras.Input(PHOTO.shape)
        gate = layers.Conv2D(2, 3, activation="sigmoid", name="gate")(x)
        return keras.Model(x, kind(2, 3, name="gated")(x, gate=gate))

    model, clone = graph(), graph()
    lens = ConvLens(PHOTO, model=model, layer="gated")
    lens.set_kernel(0, 2 * lens.kernels[0])
    clone.get_layer("gated").set_weights(lens.get_weights())
    after = numpy(clone(PHOTO[np.newaxis]))[0]
    close(lens.activations, np.moveaxis(after, -1, 0), 1e-5)
    close(lens.predictions.after, after, 1e-5)
    assert "'gated'" in str(lens.explain(0, 1, 1).receptive_field)
    lens.layer_path = "gate"
    assert lens.explain(0, 1, 1).receptive_field.rows == (1, 3)


@pytest.mark.parametrize("kind", [Gated, GatedOrNot])
def test_a_layer_alone_gets_by_name_what_its_call_takes(kind: Any) -> None:
    keras.utils.set_random_seed(3)
    layer = kind(2, 3, name="gated")
    layer(PHOTO[np.newaxis], gate=GATE)
    lens = ConvLens(PHOTO, layer=layer, inputs={"gate": GATE.astype(np.float64)})
    close(lens.activations, maps(layer(PHOTO[np.newaxis], gate=GATE)), 1e-5)
    lens.set_kernel(1, np.ones((3, 3, 3)))
    lens.image = PHOTO[::-1]
    lens.apply()
    close(lens.activations, maps(layer(PHOTO[np.newaxis, ::-1], gate=GATE)), 1e-5)
    # Trained elsewhere, it is still called with the same.
    layer.set_weights([weight * 2 for weight in layer.get_weights()])
    close(lens.activations, maps(layer(PHOTO[np.newaxis, ::-1], gate=GATE)), 1e-5)
    with pytest.raises(ValueError, match=r"keras\.Model\(i, layer\(i, gate=\.\.\.\)\)"):
        lens.maximize(0)


def test_what_a_layer_is_not_given_or_does_not_take_is_named_with_the_call() -> None:
    layer = Gated(2, 3, name="gated")
    layer(PHOTO[np.newaxis], gate=GATE)
    with pytest.raises(ValueError, match="'gate'") as raised:
        ConvLens(PHOTO, layer=layer)
    (call,) = re.findall(r"ConvLens\(.*\)", str(raised.value))
    lens = eval(call.replace("...", "gate"), {"ConvLens": ConvLens, "image": PHOTO, "layer": layer, "gate": GATE})
    close(lens.activations, maps(layer(PHOTO[np.newaxis], gate=GATE)), 1e-5)
    plain = layers.Conv2D(2, 3)
    plain.build((None, 8, 9, 3))
    for one, given, words in (
        (layer, {"gaet": GATE}, "Did you mean 'gate'"),
        (layer, GATE, "dictionary"),
        (plain, {"gate": GATE}, "takes nothing besides the image"),
    ):
        with pytest.raises((TypeError, ValueError), match=words):
            ConvLens(PHOTO, layer=one, inputs=given)
