"""Models that take an image with other inputs are fed the same everywhere, however they take them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import convlens
from convlens import ConvLens
from convlens.layers.stateless_call import to_numpy
from tests.unit.keras_sweep import close, maps

pytestmark = pytest.mark.slow

layers = keras.layers
RNG = np.random.default_rng(3)
PHOTO = RNG.random((8, 9, 3), dtype=np.float32)
META = RNG.random(4, dtype=np.float32)
PAIR = (PHOTO[np.newaxis], META[np.newaxis])


def functional(arrange: Callable[[Any, Any], Any]) -> keras.Model:
    """A gate made of numbers opens the maps of a convolution that another reads."""
    keras.utils.set_random_seed(4)
    photo, meta = keras.Input(PHOTO.shape, name="photo"), keras.Input(META.shape, name="meta")
    gated = layers.Conv2D(3, 3, name="first")(photo) * layers.Dense(3, name="gate")(meta)[:, None, None]
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 2, name="second")(gated))
    return keras.Model(arrange(photo, meta), pooled, name="gated")


class Written(keras.Model):  # type: ignore[misc,name-defined,unused-ignore]
    """The same with a call of its own."""

    def __init__(self) -> None:
        super().__init__(name="gated")
        self.first, self.second = layers.Conv2D(3, 3, name="first"), layers.Conv2D(2, 2, name="second")
        self.gate, self.pool = layers.Dense(3, name="gate"), layers.GlobalAveragePooling2D()

    def run(self, photo: Any, meta: Any) -> Any:
        return self.pool(self.second(self.first(photo) * self.gate(meta)[:, None, None]))


class TakesDict(Written):
    def call(self, inputs: Any) -> Any:
        return self.run(inputs["photo"], inputs["meta"])


class TakesTuple(Written):
    def call(self, inputs: Any) -> Any:
        photo, meta = inputs
        return self.run(photo, meta)


class TakesArguments(Written):
    def call(self, photo: Any, meta: Any, strength: Any = None) -> Any:
        return self.run(photo, meta if strength is None else meta * strength)


def called(model: keras.Model, *args: Any) -> keras.Model:
    keras.utils.set_random_seed(4)
    model(*args)
    return model


#: How to make a model, how to call it with a photo and numbers, and the numbers as `inputs=` takes them.
MODELS: dict[str, tuple[Callable[[], Any], Callable[..., Any], Any]] = {
    "list": (lambda: functional(lambda p, m: [p, m]), lambda f, p, m: f([p, m]), {"meta": META}),
    "the image last": (lambda: functional(lambda p, m: [m, p]), lambda f, p, m: f([m, p]), {0: META[np.newaxis]}),
    "dict": (
        lambda: functional(lambda p, m: {"photo": p, "meta": m}),
        lambda f, p, m: f({"photo": p, "meta": m}),
        {"meta": META, "photo": None},
    ),
    "nested": (lambda: functional(lambda p, m: [p, [m]]), lambda f, p, m: f([p, [m]]), {"meta": META}),
    "a call of a dict": (
        lambda: called(TakesDict(), dict(zip(("photo", "meta"), PAIR, strict=True))),
        lambda f, p, m: f({"photo": p, "meta": m}),
        {"meta": META},
    ),
    "a call of a tuple": (lambda: called(TakesTuple(), PAIR), lambda f, p, m: f((p, m)), [None, META]),
    "a call of arguments": (
        lambda: called(TakesArguments(), *PAIR),
        lambda f, p, m: f(p, meta=m),
        {"meta": META},
    ),
}


def one(tensor: Any) -> np.ndarray:
    return np.asarray(to_numpy(tensor)[0])


def layer_of(model: Any, name: str) -> Any:
    return getattr(model, name) if isinstance(model, Written) else model.get_layer(name)


def input_of_second(model: Any, photo: np.ndarray = PHOTO, meta: np.ndarray = META) -> Any:
    first, gate = layer_of(model, "first"), layer_of(model, "gate")
    return first(photo[np.newaxis]) * gate(meta[np.newaxis])[:, None, None]


@pytest.mark.backend
@pytest.mark.parametrize("kind", list(MODELS))
def test_maps_and_predictions_are_those_of_the_model_with_all_its_inputs(kind: str) -> None:
    make, call, others = MODELS[kind]
    model = make()
    before = [np.array(weight) for weight in model.get_weights()]
    lens = ConvLens(PHOTO, model=model, inputs=others)
    assert (lens.layers, lens.layer_path) == (["first", "second"], "first")
    close(lens.activations, maps(layer_of(model, "first")(PHOTO[np.newaxis])), 1e-5)
    lens.layer_path = "second"
    close(lens.activations, maps(layer_of(model, "second")(input_of_second(model))), 1e-5)
    close(lens.predictions.before, one(call(model, *PAIR)), 1e-5)
    lens.set_kernel(1, np.ones((2, 2, 3)))
    clone = make()
    clone.set_weights(model.get_weights())
    layer_of(clone, "second").set_weights(lens.get_weights())
    close(lens.predictions.after, one(call(clone, *PAIR)), 1e-5)
    close(lens.predictions.before, one(call(model, *PAIR)), 1e-5)
    for weight, was in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, was)


@pytest.mark.backend
@pytest.mark.parametrize("kind", ["list", "a call of a dict", "a call of arguments"])
def test_another_image_and_another_layer_see_the_same_other_inputs(kind: str) -> None:
    make, call, others = MODELS[kind]
    model = make()
    lens = ConvLens(PHOTO, model=model, inputs=others, layer="second")
    other = np.ascontiguousarray(PHOTO[::-1])
    lens.image = other
    close(lens.activations, maps(layer_of(model, "second")(input_of_second(model, other))), 1e-5)
    close(lens.predictions.before, one(call(model, other[np.newaxis], META[np.newaxis])), 1e-5)


@pytest.mark.backend
def test_what_preprocess_makes_is_whatever_the_call_takes() -> None:
    """Numbers that preprocess makes of each image reach the maps and the predictions, also through an old trace."""

    def with_mean(photo: np.ndarray) -> Any:
        return {"photo": photo * 2, "meta": np.full(4, photo.mean(), np.float32)}

    for kind in ("dict", "a call of a dict"):
        make, call, _ = MODELS[kind]
        model = make()
        lens = ConvLens(PHOTO, model=model, preprocess=with_mean, layer="second")
        for photo in (PHOTO, PHOTO[::-1] ** 2):
            lens.image = photo
            lens.set_kernel(0, np.ones((2, 2, 3)))
            meta = np.full(4, photo.mean(), np.float32)
            close(lens.predictions.before, one(call(model, 2 * photo[np.newaxis], meta[np.newaxis])), 1e-5)
            close(
                lens.activations[1], maps(model.get_layer("second")(input_of_second(model, 2 * photo, meta)))[1], 1e-5
            )
            clone = make()
            clone.set_weights(model.get_weights())
            layer_of(clone, "second").set_weights(lens.get_weights())
            close(lens.predictions.after, one(call(clone, 2 * photo[np.newaxis], meta[np.newaxis])), 1e-5)
    model = MODELS["list"][0]()
    for made in ([PHOTO, META], (PHOTO[np.newaxis], META[np.newaxis])):
        lens = ConvLens(PHOTO, model=model, preprocess=lambda _, made=made: made)
        close(lens.predictions.before, one(model(list(PAIR))), 1e-5)
    # A part of it from inputs=, the image alone from preprocess.
    lens = ConvLens(PHOTO, model=model, preprocess=lambda photo: photo * 2, inputs={"meta": META})
    close(lens.predictions.before, one(model([2 * PAIR[0], PAIR[1]])), 1e-5)


def test_what_preprocess_leaves_out_is_named() -> None:
    model = MODELS["list"][0]()
    for made, words in (
        (lambda photo: photo, "'meta' is missing"),
        (lambda photo: {"meta": META}, "nothing for 'photo'"),
        (lambda photo: {"photo": photo, "metta": META}, "Did you mean 'meta'"),
        (lambda photo: [photo], "1 entry"),
        (lambda photo: [photo, META[:3]], r"\(3,\); expected \(4,\)"),
    ):
        with pytest.raises(ValueError, match=words):
            ConvLens(PHOTO, model=model, preprocess=made)


@pytest.mark.backend
def test_questions_about_the_output_are_asked_with_all_inputs() -> None:
    model = MODELS["list"][0]()
    # The numbers determine the gate, so this is the model with one input.
    photo = keras.Input(PHOTO.shape, name="photo")
    gate = np.array(keras.ops.convert_to_numpy(model.get_layer("gate")(META[np.newaxis])))[0]
    first, second = layers.Conv2D(3, 3, name="first"), layers.Conv2D(2, 2, name="second")
    alone = keras.Model(photo, layers.GlobalAveragePooling2D()(second(first(photo) * gate)))
    for layer, name in ((first, "first"), (second, "second")):
        layer.set_weights(model.get_layer(name).get_weights())
    lens = ConvLens(PHOTO, model=model, inputs={"meta": META}, layer="first")
    same = ConvLens(PHOTO, model=alone, layer="first")
    for method in ("gradcam", "gradients", "ablation", "smoothgrad"):
        close(lens.attribution(1, method), same.attribution(1, method), 1e-4)
    close(lens.gradients.maps, same.gradients.maps, 1e-5)
    # The second layer's maps rest on the gate.
    lens.layer_path = same.layer_path = "second"
    close(lens.maximize(0, steps=3).image, same.maximize(0, steps=3).image, 1e-3)


@pytest.mark.backend
def test_a_survey_and_an_ascent_feed_every_image_with_the_same_other_inputs() -> None:
    model = MODELS["list"][0]()
    images = RNG.random((5, *PHOTO.shape), dtype=np.float32)
    found = convlens.survey(
        model, images, ["first", "second"], top=1, batch_size=2, inputs={"meta": META}, progress=False
    )
    highest = [maps(model.get_layer("second")(input_of_second(model, image))).max(axis=(1, 2)) for image in images]
    for i in range(2):
        (best,) = found.top("second", i)
        assert best.image == int(np.argmax([values[i] for values in highest]))
        assert best.value == pytest.approx(max(values[i] for values in highest), abs=1e-4)
    lens = ConvLens(PHOTO, model=model, layer="second", inputs={"meta": META}, survey=found)
    options: dict[str, Any] = {"steps": 2, "start": PHOTO, "value_range": (0, 1)}
    image = convlens.maximize(model, "second", 1, inputs={"meta": META}, **options).image
    close(image, lens.maximize(1, **options).image, 1e-4)
    for call in (lambda: convlens.survey(model, images, progress=False), lambda: convlens.maximize(model, "second", 1)):
        with pytest.raises(ValueError, match=r"'meta' is missing.*inputs="):
            call()


def test_a_receptive_field_is_in_the_image_and_none_in_another_input() -> None:
    left, right = keras.Input((8, 8, 1), name="left"), keras.Input((10, 10, 1), name="right")
    deep = layers.Conv2D(1, 3, name="deep")(layers.Conv2D(1, 3, name="of_left")(left))
    both = deep + layers.Conv2D(1, 7, name="of_right")(right)
    model = keras.Model([left, right], both)
    one, two = RNG.random((8, 8, 1)), RNG.random((10, 10, 1))
    lens = ConvLens(one, model=model, inputs={"right": two}, layer="deep")
    field = lens.explain(0, 1, 2).receptive_field
    assert (field.rows, field.cols) == ((1, 5), (2, 6))
    lens.layer_path = "of_right"
    close(lens.activations, maps(model.get_layer("of_right")(two[np.newaxis].astype(np.float32))), 1e-5)
    assert lens.explain(0, 0, 0).receptive_field.note == "The pixel depends on no pixel of the image."
    # The layer that is opened first is one that the image reaches.
    assert ConvLens(one, model=model, inputs={"right": two}).layer_path == "of_left"
    assert ConvLens(two, model=model, inputs={"left": one}).layer_path == "of_right"


def refusal(image: Any, **given: Any) -> str:
    with pytest.raises((TypeError, ValueError)) as raised:
        ConvLens(image, **given)
    return str(raised.value)


@pytest.mark.parametrize("kind", ["list", "dict", "a call of a dict", "a call of a tuple"])
@pytest.mark.parametrize(
    "given",
    [None, {}, {"metta": META}, {"photo": PHOTO}, {"photo": PHOTO, "meta": META}, {0: PHOTO, 1: META}],
    ids=["nothing", "none", "misspelt", "the image", "all by name", "all by position"],
)
def test_a_refusal_names_the_inputs_and_shows_a_call_that_works(kind: str, given: Any) -> None:
    model = MODELS[kind][0]()
    text = refusal(PHOTO, model=model, inputs=given)
    names = "(0, 1)" if kind == "a call of a tuple" else "('photo', 'meta')"
    assert f"2 inputs {names}" in text or "2 inputs ('meta', 'photo')" in text
    (call,) = re.findall(r"ConvLens\(.*\)", text)
    lens = eval(call, {"ConvLens": ConvLens, "np": np, "image": PHOTO, "model": model})
    close(lens.activations, maps(layer_of(model, "first")(PHOTO[np.newaxis])), 1e-5)


def test_an_array_of_another_shape_is_refused_with_one_that_is_taken() -> None:
    model = MODELS["list"][0]()
    text = refusal(PHOTO, model=model, inputs={"meta": META[:3]})
    assert "'meta'" in text and "(3,)" in text and "(4,)" in text
    batch = RNG.random((5, 4))
    text = refusal(PHOTO, model=model, inputs={"meta": batch})
    assert "inputs={'meta': array[0]}" in text
    lens = ConvLens(PHOTO, model=model, inputs={"meta": batch[0]})
    close(lens.predictions.before, one(model([PAIR[0], batch[:1]])), 1e-5)


def test_two_pictures_are_told_apart_by_the_one_that_is_left_out() -> None:
    left, right = keras.Input((8, 8, 1), name="left"), keras.Input((8, 8, 1), name="right")
    shared = layers.Conv2D(2, 3, name="shared")
    model = keras.Model([left, right], layers.Flatten()(shared(left) - shared(right)), name="twins")
    image, other = (RNG.random((8, 8, 1), dtype=np.float32) for _ in range(2))
    text = refusal(image, model=model)
    assert "'left' or 'right'" in text
    (call,) = re.findall(r"ConvLens\(.*\)", text)
    assert eval(call, {"ConvLens": ConvLens, "np": np, "image": image, "model": model}).layer_path == "shared"
    for inputs, pair in (({"right": other}, (image, other)), ([other, None], (other, image))):
        lens = ConvLens(image, model=model, inputs=inputs)
        assert lens.layer_path == ("shared" if pair[0] is image else "shared (use 2)")
        close(lens.activations, maps(shared(image[np.newaxis])), 1e-5)
        close(lens.predictions.before, one(model([part[np.newaxis] for part in pair])), 1e-5)


def test_words_by_number_go_in_as_integers() -> None:
    photo, words = keras.Input((8, 8, 1), name="photo"), keras.Input((None,), dtype="int32", name="words")
    read = layers.GlobalAveragePooling1D()(layers.Embedding(5, 2)(words))
    model = keras.Model([photo, words], layers.Conv2D(2, 3)(photo) + read[:, None, None])
    image = RNG.random((8, 8, 1), dtype=np.float32)
    lens = ConvLens(image, model=model, inputs={"words": [3, 1, 4]})
    close(lens.predictions.before, one(model([image[np.newaxis], np.array([[3, 1, 4]])])), 1e-5)
    assert "'int32'" in refusal(image, model=model)


def test_an_argument_that_may_be_left_out_is_fed_where_it_is_given() -> None:
    model = MODELS["a call of arguments"][0]()
    lens = ConvLens(PHOTO, model=model, inputs={"meta": META, "strength": 3.0})
    close(lens.predictions.before, one(model(PAIR[0], PAIR[1], strength=3.0)), 1e-5)


def test_inputs_without_a_model_and_of_a_model_of_one_input_are_refused() -> None:
    assert "model=" in refusal(PHOTO, inputs={"meta": META})
    model = keras.Sequential([keras.Input(PHOTO.shape, name="photo"), layers.Conv2D(1, 3)])
    assert "Leave inputs= out" in refusal(PHOTO, model=model, inputs={0: PHOTO})
    assert "ndarray" in refusal(PHOTO, model=MODELS["list"][0](), inputs=META)
