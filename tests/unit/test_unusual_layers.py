"""Layers that do not return what their settings say: shown as Keras computes them, or refused with the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from convlens.layers.conv_layer import ConvLayer
from tests.unit.keras_sweep import Array, close, maps, numpy, snapshot
from tests.unit.test_requests import Browser

X = np.random.default_rng(0).standard_normal((8, 9, 3)).astype(np.float32)


class Reflecting(keras.layers.Conv2D):  # type: ignore[misc,unused-ignore]
    """Pads by reflection, so that its maps are as large as its input, whatever ``padding`` says."""

    def call(self, inputs: Any) -> Any:
        rows, cols = (size // 2 for size in self.kernel_size)
        padded = keras.ops.pad(inputs, ((0, 0), (rows, rows), (cols, cols), (0, 0)), mode="reflect")
        return super().call(padded)


class TwoValues(keras.layers.Conv2D):  # type: ignore[misc,unused-ignore]
    def call(self, inputs: Any) -> Any:
        result = super().call(inputs)
        return keras.ops.mean(result), result


class Gated(keras.layers.Conv2D):  # type: ignore[misc,unused-ignore]
    def call(self, inputs: Any, gate: Any) -> Any:
        return super().call(inputs) * gate


class Concatenated(keras.layers.Conv2D):  # type: ignore[misc,unused-ignore]
    """CReLU (Shang et al., 2016): the positive and the negative part of every map."""

    def call(self, inputs: Any) -> Any:
        result = super().call(inputs)
        return keras.ops.concatenate([keras.ops.relu(result), keras.ops.relu(-result)], axis=-1)


def crelu(tensor: Any) -> Any:
    return keras.ops.concatenate([keras.ops.relu(tensor), keras.ops.relu(-tensor)], axis=-1)


def built(layer: Any, x: Array = X) -> Any:
    layer.build((None, *x.shape))
    rng = np.random.default_rng(1)
    layer.set_weights([rng.standard_normal(w.shape).astype(np.float32) for w in layer.get_weights()])
    return layer


def with_prelu(**options: Any) -> Any:
    layer = built(keras.layers.Conv2D(4, 3, activation=keras.layers.PReLU(**options)))
    layer(X[np.newaxis])
    layer.activation.set_weights([np.full(layer.activation.alpha.shape, 0.3, np.float32)])
    return layer


def test_a_prelu_of_the_layers_own_weights_is_computed_with_them() -> None:
    layer = with_prelu()
    lens = ConvLens(X, layer=layer)
    close(lens.activations, maps(layer(X[np.newaxis])))


@pytest.mark.parametrize(
    "change",
    [
        lambda lens: lens.add_kernel(np.ones((3, 3, 3))),
        lambda lens: lens.remove_kernel(0),
        lambda lens: setattr(lens, "image", np.ones((12, 12, 3), np.float32)),
        lambda lens: setattr(lens, "kernels", [np.ones((2, 2, 3))] * 4),
    ],
    ids=["add", "remove", "image", "size"],
)
def test_what_a_prelu_has_no_weights_for_is_refused_before_anything_changes(change: Callable[[ConvLens], Any]) -> None:
    layer = with_prelu()
    lens = ConvLens(X, layer=layer)
    before, state, maps_before = snapshot(layer), lens.get_state(), lens.activations
    with pytest.raises(ValueError, match=r"cannot compute .* as a trial showed: .*alpha \(6, 7, 4\)") as refused:
        change(lens)
    assert "\x1b" not in str(refused.value)
    assert snapshot(layer) == before and lens.get_state() == state
    np.testing.assert_array_equal(lens.activations, maps_before)
    lens.set_kernel(0, np.ones((3, 3, 3)))
    assert np.isfinite(lens.activations).all()


def test_a_prelu_that_shares_its_weights_takes_another_image() -> None:
    layer = with_prelu(shared_axes=[1, 2])
    lens = ConvLens(X, layer=layer)
    other = np.random.default_rng(2).standard_normal((12, 5, 3)).astype(np.float32)
    lens.image = other
    close(lens.activations, maps(layer(other[np.newaxis])))


def test_a_prelu_that_is_not_built_is_left_so() -> None:
    layer = built(keras.layers.Conv2D(4, 3, activation=keras.layers.PReLU()))
    with pytest.raises(ValueError, match=r"PReLU\), which is not built yet.*layer\(np\.zeros"):
        ConvLens(X, layer=layer)
    assert not layer.activation.built and len(layer.weights) == 2


@pytest.mark.parametrize("make", [lambda: keras.layers.Conv2D(4, 3, activation=crelu), lambda: Concatenated(4, 3)])
def test_maps_that_are_not_one_a_filter_are_named_and_those_before_them_shown(make: Callable[[], Any]) -> None:
    layer = built(make())
    lens = ConvLens(X, layer=layer)
    positive_and_negative = maps(layer(X[np.newaxis]))
    expected = positive_and_negative[:4] - positive_and_negative[4:]
    close(lens.activations, expected)
    close(lens.pre_activations, expected)
    geometry = lens._session.geometry
    assert "returns (1, 6, 7, 8)" in geometry.note and not geometry.previewable
    assert lens.explain(1, 0, 0).agrees


def test_glu_halves_the_maps_and_is_named() -> None:
    layer = built(keras.layers.Conv2D(4, 3, activation="glu"))
    lens = ConvLens(X, layer=layer)
    linear = built(keras.layers.Conv2D(4, 3))
    close(lens.activations, maps(linear(X[np.newaxis])))
    assert "returns (1, 6, 7, 2)" in lens._session.geometry.note
    with pytest.raises(ValueError, match="cannot compute 3 filters"):
        lens.remove_kernel(0)
    assert len(lens.kernels) == 4


def test_maps_of_another_size_are_followed_and_their_pixels_not_explained() -> None:
    layer = built(Reflecting(3, 3, activation="relu"))
    lens = ConvLens(X, layer=layer)
    expected = maps(layer(X[np.newaxis]))
    close(lens.activations, expected)
    assert lens.activations.shape == (3, 8, 9)
    assert lens._session.geometry.to_wire()["output_shape"] == [8, 9]
    lens.pixel = (7, 8)
    assert lens.pixel == (7, 8)
    with pytest.raises(ValueError, match=r"maps of 8 × 9, where its settings give 6 × 7.*cannot be explained"):
        lens.explain(0, -1, -1)
    assert "6 × 7" in lens._session.receptive_field(7, 8).note
    lens.image = X[:5]
    close(lens.activations, maps(layer(X[np.newaxis, :5])))


def test_of_several_values_the_maps_are_shown() -> None:
    layer = built(TwoValues(3, 3, activation="relu"))
    lens = ConvLens(X, layer=layer)
    close(lens.activations, maps(layer(X[np.newaxis])[1]))
    assert "2 values, of which number 2 is shown" in repr(lens)


def test_a_layer_without_maps_is_refused() -> None:
    class Mean(keras.layers.Conv2D):  # type: ignore[misc,unused-ignore]
        def call(self, inputs: Any) -> Any:
            return keras.ops.mean(inputs)

    with pytest.raises(ValueError, match="not one map for each of its 3 filters"):
        ConvLens(X, layer=built(Mean(3, 3)))


def test_what_else_a_layer_was_called_with_is_given_to_it_again() -> None:
    gate = np.random.default_rng(3).random((6, 7, 4)).astype(np.float32)
    inputs = keras.Input(X.shape)
    layer = Gated(4, 3)
    model = keras.Model(inputs, layer(inputs, gate=keras.ops.convert_to_tensor(gate[np.newaxis])))
    lens = ConvLens(X, model=model)
    close(lens.activations, maps(model(X[np.newaxis])))
    kernel, bias = layer.get_weights()
    lens.set_kernel(2, 2 * kernel[..., 2])
    clone = built(keras.layers.Conv2D(4, 3))
    clone.set_weights([kernel * [1, 1, 2, 1], bias])
    close(lens.activations, maps(clone(X[np.newaxis])) * np.moveaxis(gate, -1, 0))


def test_a_layer_that_needs_more_than_an_image_says_so() -> None:
    with pytest.raises(ValueError, match=r"called with 'gate' besides the image.*inputs=\{'gate': \.\.\.\}"):
        ConvLens(X, layer=built(Gated(4, 3)))


def test_of_a_batch_the_first_is_given_again() -> None:
    class Halves(keras.Model):  # type: ignore[misc,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.gated = Gated(2, 3)

        def call(self, x: Any) -> Any:
            both = keras.ops.concatenate([x, 2 * x])
            return self.gated(both, gate=keras.ops.reshape(keras.ops.convert_to_tensor([3.0, 5.0]), (2, 1, 1, 1)))

    model = Halves()
    model(X[np.newaxis])
    conv = ConvLens(X, model=model)
    close(conv.activations, maps(model(X[np.newaxis])))


@pytest.mark.parametrize("make", [keras.layers.ZeroPadding2D, keras.layers.UpSampling2D])
def test_layers_without_weights_need_not_be_built(make: Callable[[], Any]) -> None:
    class Fresh(keras.Model):  # type: ignore[misc,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.first, self.conv = make(), keras.layers.Conv2D(2, 3)

        def call(self, x: Any) -> Any:
            return self.conv(self.first(x))

    model = Fresh()
    model.conv.build((None, None, None, 3))
    model.built = True
    before = snapshot(model)
    lens = ConvLens(X, model=model)
    shown = lens.activations
    predicted = lens.predictions.before
    assert snapshot(model) == before and not model.first.built
    close(shown, maps(model(X[np.newaxis])))
    close(predicted, numpy(model(X[np.newaxis]))[0])


def test_weights_that_are_missing_are_still_refused() -> None:
    model = keras.Sequential([keras.layers.Conv2D(2, 3), keras.layers.Conv2D(2, 3)])
    model.layers[0].build((None, None, None, 3))
    model.built = True
    with pytest.raises(ValueError, match="not built"):
        ConvLens(X, model=model)


@pytest.mark.parametrize("make", [lambda: keras.layers.Conv2D(4, 3, activation="softmax"), lambda: Reflecting(4, 3)])
def test_looking_at_a_layer_changes_nothing(make: Callable[[], Any]) -> None:
    layer = built(make())
    before = snapshot(layer)
    conv = ConvLayer.of(layer, X.shape)
    conv.feed(X)
    conv.try_once()
    assert snapshot(layer) == before


def test_an_error_while_an_edit_is_computed_comes_without_escape_codes() -> None:
    class Failing(keras.layers.Conv2D):  # type: ignore[misc,unused-ignore]
        fails = False

        def call(self, inputs: Any) -> Any:
            result = super().call(inputs)
            return keras.layers.Reshape((5, 5))(result) if self.fails else result

    browser = Browser(ConvLens(X, layer=built(Failing(2, 3))))
    Failing.fails = True
    answer = browser.tap(0, 0, 2.0)
    told = [answer.get("error", {}).get("text", ""), (browser.lens._problem or {"text": ""})["text"]]
    word = "" if keras.__version__.startswith("3.9.") else "reshape"  # Keras 3.9 words it differently
    assert any(text and word in text.lower() for text in told)
    assert not any("\x1b" in text for text in told)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow" or keras.__version__.startswith("3.9."),
    reason="the other back ends compute such a layer; Keras 3.9 takes an output padding of 0 for none given",
)
def test_a_kernel_size_that_an_output_padding_does_not_allow_is_refused() -> None:
    layer = built(keras.layers.Conv2DTranspose(2, 3, strides=2, padding="same", output_padding=0))
    lens = ConvLens(X, layer=layer)
    close(lens.activations, maps(layer(X[np.newaxis])))
    before = lens.get_state()
    with pytest.raises(ValueError, match="cannot compute 2 filters of"):
        lens.kernels = [np.ones((4, 4, 3), np.float32)] * 2
    assert lens.get_state() == before
