"""A generator is opened on the vector that it is fed, and everything else on it works, or is refused with a way out."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import convlens
from convlens import ConvLens
from tests.unit.keras_sweep import close, maps, numpy
from tests.unit.test_requests import Browser

layers: Any = keras.layers
Z = np.random.default_rng(5).standard_normal(8).astype(np.float32)
OTHER = Z[::-1].copy()


def generator(*before: Any) -> Any:
    keras.utils.set_random_seed(6)
    first = [keras.Input((8,)), layers.Dense(3 * 4 * 2, activation="relu"), layers.Reshape((3, 4, 2))]
    up = layers.Conv2DTranspose(3, 3, strides=2, padding="same", activation="relu", name="up")
    out = layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="out")
    return keras.Sequential([*(before or first), up, out], name="generator")


class Written(keras.Model):  # type: ignore[misc,name-defined,unused-ignore]
    """The same with a call of its own."""

    def __init__(self) -> None:
        super().__init__(name="generator")
        keras.utils.set_random_seed(6)
        self.dense, self.shaped = layers.Dense(24, activation="relu"), layers.Reshape((3, 4, 2))
        self.up = layers.Conv2DTranspose(3, 3, strides=2, padding="same", activation="relu", name="up")
        self.out = layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="out")
        self(np.zeros((1, 8), np.float32))

    def call(self, z: Any) -> Any:
        return self.out(self.up(self.shaped(self.dense(z))))


#: How to make of a vector, by hand, what the transposed convolution is fed.
FIRST: dict[str, Callable[[Any, Any], Any]] = {
    "dense": lambda m, z: m.layers[1](m.layers[0](z[np.newaxis])),
    "call of its own": lambda m, z: m.shaped(m.dense(z[np.newaxis])),
    "reshaped to channels of one pixel": lambda _, z: z.reshape(1, 1, 1, 8),
    "reshaped to a map": lambda _, z: z.reshape(1, 2, 2, 2),
}
MODELS: dict[str, Callable[[], Any]] = {
    "dense": generator,
    "call of its own": Written,
    "reshaped to channels of one pixel": lambda: generator(keras.Input((8,)), layers.Reshape((1, 1, 8))),
    "reshaped to a map": lambda: generator(keras.Input((8,)), layers.Reshape((2, 2, 2))),
}


@pytest.mark.parametrize("kind", list(MODELS))
def test_maps_and_output_are_the_generators_own_with_its_weights_and_with_edited_ones(kind: str) -> None:
    model = MODELS[kind]()
    lens = ConvLens(Z, model=model)
    assert lens.layers == ["up", "out"] and lens.layer_path == "up"
    for z in (Z, OTHER):
        lens.image = z
        np.testing.assert_array_equal(lens.image, z)
        assert lens.image.dtype == np.float32
        fed = FIRST[kind](model, z)
        close(lens.activations, maps(model.get_layer("up")(fed)), 1e-5)
        lens.layer_path = "out"
        close(lens.activations, maps(model.get_layer("out")(model.get_layer("up")(fed))), 1e-5)
        lens.layer_path = "up"
        lens.set_kernel(1, np.full((3, 3, lens.kernels[1].shape[2]), 0.5))
        clone = MODELS[kind]()
        clone.set_weights(model.get_weights())
        clone.get_layer("up").set_weights(lens.get_weights())
        close(lens.predictions.before, numpy(model(z[np.newaxis]))[0], 1e-5)
        close(lens.predictions.after, numpy(clone(z[np.newaxis]))[0], 1e-5)
        lens.reset()


def test_a_vector_is_read_from_whatever_holds_its_numbers_in_one_row() -> None:
    model = generator()
    doubles = Z.astype(np.float64)
    for given in (Z, Z[np.newaxis], Z[:, np.newaxis], Z.tolist(), doubles, keras.ops.convert_to_tensor(Z)):
        lens = ConvLens(given, model=model)
        np.testing.assert_array_equal(lens.image, Z)
    lens.image = [1, 2, 3, 4, 5, 6, 7, 8]
    np.testing.assert_array_equal(lens.image, np.arange(1, 9))
    with pytest.raises(ValueError, match="read-only"):
        lens.image[0] = 1


def test_a_lens_starts_from_a_stated_vector_and_says_so() -> None:
    lens = ConvLens(model=generator())
    (note,) = lens._image["notes"]
    (stated,) = re.findall(r"np\.random\S+", note)
    np.testing.assert_array_equal(lens.image, eval(stated.rstrip("."), {"np": np}).astype(np.float32))
    lens.image = Z
    assert lens._image["notes"] == []
    # Numbers that the first layer reshapes to a picture are pixels: the picture that models of pictures start from.
    pixels = keras.Sequential([keras.Input((36,)), layers.Reshape((6, 6, 1)), layers.Conv2D(1, 3)])
    assert ConvLens(model=pixels).image.shape == (6, 6, 1)


def test_what_is_given_decides_whether_numbers_in_one_row_are_pixels_or_a_vector() -> None:
    x = np.random.default_rng(2).random((6, 6), dtype=np.float32)
    first = [layers.Rescaling(0.5), layers.Reshape((6, 6, 1))]
    for model in (
        keras.Sequential([keras.Input((36,)), layers.Reshape((6, 6, 1)), layers.Conv2D(2, 3, name="conv")]),
        keras.Sequential([keras.Input((36,)), *first, layers.Conv2D(2, 3, name="conv")]),
    ):
        expected = maps(model(x.reshape(1, 36)))
        for given, shape in ((x, (6, 6, 1)), (x.reshape(36), (36,))):
            lens = ConvLens(given, model=model)
            assert lens.image.shape == shape
            close(lens.activations, expected, 1e-5)
    # Where the first layer tells that they are pixels, it is said how to see them as such.
    model = keras.Sequential([keras.Input((36,)), layers.Reshape((6, 6, 1)), layers.Conv2D(2, 3)])
    lens = ConvLens(x.reshape(36), model=model)
    (line,) = re.findall(r"lens\.image = .*?\)", lens._image["notes"][0])
    exec(line, {"lens": lens})
    np.testing.assert_array_equal(lens.image[..., 0], x)
    assert ConvLens(Z, model=generator())._image["notes"] == []
    # The pixels of a picture go in one row after another, wherever the numbers go.
    lens = ConvLens(Z.reshape(2, 4), model=generator())
    close(lens.predictions.before, numpy(generator()(Z[np.newaxis]))[0], 1e-5)
    assert lens.image.shape == (2, 4, 1) and lens.attribution(method="gradients").shape == (2, 4)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (Z[:5], r"\(5,\).*8 numbers, \(8,\)"),
        (np.stack([Z, Z]), r"\(2, 8\).*batch of 2.*z\[0\]"),
        (np.zeros((28, 28)), r"\(28, 28\).*8 numbers"),
        ("photo.jpg", r"8 numbers.*np\.asarray\(PIL\.Image\.open\(path\)\)"),
        (None, r"None.*8 numbers"),
        (np.zeros(0), r"\(0,\).*8 numbers"),
        ([1, 2, "a"], "numbers"),
        (Z.astype(complex), r"\.real"),
        ({"z": Z}, r"\['z'\]"),
    ],
    ids=["short", "batch", "picture", "file", "none", "empty", "text", "complex", "dict"],
)
def test_anything_else_is_refused_and_the_lens_stays_as_it_was(given: Any, words: str) -> None:
    lens = ConvLens(Z, model=generator())
    for call in (lambda: ConvLens(given, model=generator()), lambda: setattr(lens, "image", given)):
        with pytest.raises((TypeError, ValueError)) as raised:
            call()
        assert re.search(words, str(raised.value), re.DOTALL)
    np.testing.assert_array_equal(lens.image, Z)


def test_a_pixel_depends_on_the_whole_vector_or_on_the_numbers_that_are_told() -> None:
    lens = ConvLens(Z, model=generator())
    for path in ("up", "out"):
        lens.layer_path = path
        field = lens.explain(0, 1, 2).receptive_field
        assert str(field) == "The pixel depends on all 8 numbers of the vector." and field.rows is None
    model = keras.Sequential(
        [keras.Input((24,)), layers.Reshape((3, 4, 2)), layers.Conv2D(1, 2, name="conv"), layers.Flatten()]
    )
    lens = ConvLens(np.arange(24), model=model)
    told = str(lens.explain(0, 1, 1).receptive_field)
    # Rows 1 and 2, cols 1 and 2, both channels: number (4 row + col) 2 + channel.
    assert told == "The pixel depends on 8 of the 24 numbers of the vector, from 10 to 21."
    before = lens.activations[0, 1, 1]
    for number in range(24):
        lens.image = np.arange(24) + (np.arange(24) == number)
        inside = number in {(4 * row + col) * 2 + channel for row in (1, 2) for col in (1, 2) for channel in (0, 1)}
        assert (lens.activations[0, 1, 1] != before) == inside
    assert "not known" in str(ConvLens(Z, model=Written()).explain(0, 1, 1).receptive_field)


def test_attribution_is_how_much_the_score_changes_with_each_number() -> None:
    model = generator()
    lens = ConvLens(Z, model=model)
    found = lens.attribution(method="gradients")
    # The score of an output that is a map is the sum of a channel before its last sigmoid.
    out = model.get_layer("out")

    def score(z: np.ndarray) -> float:
        fed = model.get_layer("up")(model.layers[1](model.layers[0](z[np.newaxis])))
        values = numpy(out(fed)).astype(np.float64)
        return float(np.log(values / (1 - values)).sum())

    step = 1e-2 * np.eye(8, dtype=np.float32)
    slopes = [abs(score(Z + one) - score(Z - one)) / 2e-2 for one in step]
    assert found.shape == (8,)
    np.testing.assert_allclose(found, slopes, rtol=0.05, atol=0.02)
    assert lens.attribution(method="smoothgrad").shape == (8,)
    with pytest.raises(ValueError, match=r'lens\.attribution\(method="gradients"\)'):
        lens.attribution()
    assert len(lens.ablation()) == 3 and lens.gradients.maps.shape == lens.activations.shape


def test_what_is_made_for_pictures_is_refused_with_what_works_instead() -> None:
    model = generator()
    lens = ConvLens(Z, model=model)
    with pytest.raises(ValueError, match="vector of 8 numbers") as raised:
        lens.maximize(1)
    (line,) = re.findall(r"ConvLens\(np.*\.maximize\(1", str(raised.value))
    assert eval(f"{line}, steps=1)", {"ConvLens": ConvLens, "np": np, "lens": lens}).image.shape == (3, 4, 2)
    for call in (
        lambda: convlens.survey(model, np.zeros((2, 6, 6), np.float32), progress=False),
        lambda: convlens.maximize(model, "up", 0),
    ):
        with pytest.raises(ValueError, match=r"vector of 8 numbers.*lens\.image = z"):
            call()
    # The way that is offered where the numbers are pixels.
    rows, cols, channels = 2, 4, 1
    pictures = keras.Sequential([keras.Input((rows, cols, channels)), layers.Flatten(), model])
    found = convlens.survey(pictures, np.zeros((2, rows, cols), np.float32), progress=False)
    assert found.layers == ["generator/up", "generator/out"]


def test_figures_programs_and_pages_are_those_of_the_layer(tmp_path: Path) -> None:
    lens = ConvLens(Z, model=generator(), overlay=0.5)
    assert len(lens.plot(overlay=0.5).axes) >= 6
    scope: dict[str, Any] = {}
    exec(lens.to_code().replace("plt.show()", ""), scope)
    close(scope["activations"], lens.activations, 1e-5)
    lens.save_html(tmp_path / "lens.html")
    assert (tmp_path / "lens.html").stat().st_size > 100_000


def test_a_generator_of_signals_is_fed_a_vector_too() -> None:
    keras.utils.set_random_seed(1)
    dense, shaped = layers.Dense(12), layers.Reshape((6, 2))
    up = layers.Conv1DTranspose(2, 3, strides=2, padding="same", name="up")
    model = keras.Sequential([keras.Input((8,)), dense, shaped, up])
    lens = ConvLens(Z, model=model)
    close(lens.activations, np.moveaxis(numpy(up(shaped(dense(Z[np.newaxis]))))[0], -1, 0), 1e-5)
    assert lens._image["latent"] and lens._state["output"] == [1, 12, 2]
    assert "all 8 numbers" in str(lens.explain(0, 3).receptive_field)
    # Numbers that no dense layer mixes are a signal, as before.
    signals = keras.Sequential([keras.Input((8,)), layers.Reshape((8, 1)), layers.Conv1D(1, 3)])
    assert not ConvLens(Z, model=signals)._image["latent"]


def test_the_vector_of_a_generator_that_is_told_a_class_is_the_image() -> None:
    keras.utils.set_random_seed(1)
    z, label = keras.Input((8,), name="z"), keras.Input((1,), dtype="int32", name="label")
    both = layers.Concatenate()([z, layers.Flatten()(layers.Embedding(10, 4)(label))])
    up = layers.Conv2DTranspose(2, 3, name="up")(layers.Reshape((2, 2, 2))(layers.Dense(8)(both)))
    model = keras.Model([z, label], up)
    expected = numpy(model([Z[np.newaxis], np.array([[3]])]))[0]
    for lens in (
        ConvLens(Z, model=model, inputs={"label": [3]}),
        ConvLens(model=model, inputs={"z": Z, "label": [3]}),
        ConvLens(model=model, inputs=[Z[np.newaxis], np.array([[3]])]),
    ):
        np.testing.assert_array_equal(lens.image, Z)
        close(lens.predictions.before, expected, 1e-5)
    with pytest.raises(ValueError, match="'label' is missing"):
        ConvLens(Z, model=model)


def test_an_encoder_may_make_the_vector_of_a_picture() -> None:
    keras.utils.set_random_seed(1)
    encoder = keras.Sequential([keras.Input((6, 6, 1)), layers.Flatten(), layers.Dense(8)])
    model, x = generator(), np.random.default_rng(3).random((6, 6), dtype=np.float32)
    lens = ConvLens(x, model=model, preprocess=lambda picture: encoder(picture[np.newaxis]))
    assert lens.image.shape == (6, 6, 1)
    close(lens.predictions.before, numpy(model(encoder(x.reshape(1, 6, 6, 1))))[0], 1e-5)
    with pytest.raises(ValueError, match="without preprocess="):
        lens.attribution(method="gradients")


def test_the_page_sends_a_vector_and_is_answered_as_python_is() -> None:
    model = generator()
    lens = ConvLens(Z, model=model)
    browser = Browser(lens)
    assert lens._image["latent"] and lens._image["shape"] == [1, 8, 1]
    assert browser.ask("vector", data=OTHER.tobytes())["ok"]
    np.testing.assert_array_equal(lens.image, OTHER)
    np.testing.assert_array_equal(np.frombuffer(lens._image["data"], np.float32), OTHER)
    close(lens.predictions.before, numpy(model(OTHER[np.newaxis]))[0], 1e-5)
    for data in (OTHER[:7].tobytes(), b"", None, [1, 2]):
        assert not browser.ask("vector", data=data)["ok"]
    np.testing.assert_array_equal(lens.image, OTHER)
    run = browser.ask("run", what="attribution", act="start", target=0, method="gradcam")
    assert not run["ok"] and 'lens.attribution(0, "gradients")' in run["error"]["text"]
    lens = ConvLens(np.zeros((6, 6), np.float32))
    assert not Browser(lens).ask("vector", data=OTHER.tobytes())["ok"] and not lens._image["latent"]
