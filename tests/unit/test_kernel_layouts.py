"""Kernels in the layouts that exist: each read in the one way it is meant, or refused with the ways it may be meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convlens import ConvLens
from convlens.inputs.kernels import KernelsAndBias, as_sequence, kernel_depth, read_kernels_and_bias
from tests.unit.mends import evaluate, expressions

RNG = np.random.default_rng(15)
GREY = RNG.random((28, 28), dtype=np.float32)
COLOUR = RNG.random((28, 28, 3), dtype=np.float32)


def numbers(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def read(kernels: Any, image_channels: int) -> KernelsAndBias:
    """Read kernels as a lens without a layer does, for an image of so many channels."""
    kernels = as_sequence(kernels)
    depth = kernel_depth(kernels) or kernel_depth(kernels, image_channels) or image_channels
    return read_kernels_and_bias(kernels, depth)


def stack(kernels: KernelsAndBias) -> np.ndarray:
    return np.stack(kernels.kernels)


def refusal(kernels: Any, image_channels: int) -> str:
    with pytest.raises(ValueError, match=r"kernels") as caught:
        read(kernels, image_channels)
    return str(caught.value)


# -- Keras's own array and list of weights -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "image_channels"),
    [
        ((5, 5, 1, 3), 1),
        *((shape, n) for shape in ((4, 4, 1, 4), (4, 4, 1, 1), (3, 3, 1, 8), (3, 2, 1, 1)) for n in (1, 3)),
    ],
)
def test_keras_array_for_one_channel_is_its_filters(shape: tuple[int, ...], image_channels: int) -> None:
    weight = numbers(*shape)
    np.testing.assert_array_equal(stack(read(weight, image_channels)), np.moveaxis(weight, -1, 0))


@pytest.mark.parametrize(("shape", "image_channels"), [((3, 3, 3, 8), 3), ((3, 3, 3, 1), 3), ((3, 3, 3, 8), 1)])
def test_keras_array_for_colour_is_its_filters(shape: tuple[int, ...], image_channels: int) -> None:
    weight = numbers(*shape)
    np.testing.assert_array_equal(stack(read(weight, image_channels)), np.moveaxis(weight, -1, 0))


@pytest.mark.parametrize("shape", [(6, 4, 4, 1), (3, 3, 3, 1), (2, 3, 5, 3), (7, 5, 5, 3)])
def test_a_stack_of_kernels_is_read_along_its_first_axis(shape: tuple[int, ...]) -> None:
    array = numbers(*shape)
    np.testing.assert_array_equal(stack(read(array, 1)), array)


@pytest.mark.parametrize("shape", [(5, 5, 1, 3), (3, 3, 3, 8)])
def test_get_weights_is_taken_whole_with_its_bias(shape: tuple[int, ...]) -> None:
    weights = [numbers(*shape), numbers(shape[3])]
    given = read(weights, shape[2])
    np.testing.assert_array_equal(stack(given), np.moveaxis(weights[0], -1, 0))
    np.testing.assert_array_equal(given.bias, weights[1])
    alone = read(weights[:1], shape[2])
    np.testing.assert_array_equal(stack(alone), np.moveaxis(weights[0], -1, 0))
    assert alone.bias is None


def test_a_lens_of_a_layers_weights_computes_what_the_layer_computes() -> None:
    import keras

    layer = keras.layers.Conv2D(3, 5, activation="relu", bias_initializer="ones")
    expected = np.moveaxis(np.asarray(layer(GREY[None, :, :, None]))[0], -1, 0)
    for image, weights in ((GREY, layer.get_weights()), (GREY, layer.weights), (GREY[:, :, None], layer.get_weights())):
        np.testing.assert_allclose(ConvLens(image, weights).activations, expected, atol=1e-5)
    lens = ConvLens(GREY, layer.get_weights()[0], bias=[1, 1, 1])
    np.testing.assert_allclose(lens.activations, expected, atol=1e-5)
    lens.kernels = [np.zeros((5, 5))] * 3
    lens.kernels = layer.get_weights()
    np.testing.assert_allclose(lens.activations, expected, atol=1e-5)
    lens.kernels = layer.kernel
    np.testing.assert_allclose(lens.activations, expected, atol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda layers: layers.Conv2D(5, 3),
        lambda layers: layers.Conv2D(6, (2, 3), groups=3, use_bias=False),
        lambda layers: layers.DepthwiseConv2D(3, depth_multiplier=2),
        lambda layers: layers.Conv2DTranspose(3, 3),
        lambda layers: layers.Conv2DTranspose(4, (2, 3)),
        lambda layers: layers.SeparableConv2D(4, 3),
    ],
    ids=["conv", "groups", "depthwise", "transpose, three filters", "transpose", "separable"],
)
def test_the_weights_of_a_layer_like_it_go_into_a_lens_on_it(make: Callable[[Any], Any]) -> None:
    import keras

    layer, like = make(keras.layers), make(keras.layers)
    layer(COLOUR[None])
    like(COLOUR[None])
    like.set_weights([numbers(*weight.shape) for weight in like.get_weights()])
    expected = like.get_weights()
    for lens in (ConvLens(COLOUR, like.get_weights(), layer=layer), ConvLens(COLOUR, layer=layer)):
        lens.kernels = like.get_weights()
        for weight, wanted in zip(lens.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(weight, wanted)


def test_a_layer_that_is_not_built_takes_the_weights_of_one_that_is() -> None:
    import keras

    built = keras.layers.Conv2D(3, 5)
    expected = np.moveaxis(np.asarray(built(GREY[None, :, :, None]))[0], -1, 0)
    for weights in (built.get_weights(), built.get_weights()[0]):
        lens = ConvLens(GREY, weights, layer=keras.layers.Conv2D(3, 5))
        np.testing.assert_allclose(lens.activations, expected, atol=1e-5)


def test_kernels_for_a_layer_inside_a_model_are_read_by_its_channels() -> None:
    import keras

    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3), keras.layers.Conv2D(4, 3)])
    weight = numbers(3, 3, 4, 4)  # Keras's and, but for its count, a stack
    image = RNG.random((8, 8, 3), dtype=np.float32)
    lens = ConvLens(image, weight, model=model, layer=model.layers[1].name)
    np.testing.assert_array_equal(lens.get_weights()[0], weight)
    lens.kernels = list(np.moveaxis(weight[::-1], -1, 0))
    np.testing.assert_array_equal(lens.get_weights()[0], weight[::-1])


def test_two_biases_are_refused_and_each_mend_works() -> None:
    weights = [numbers(3, 3, 1, 2), numbers(2)]
    with pytest.raises(ValueError, match=r"bias= was given too.*kernels\[0\]"):
        ConvLens(GREY, weights, bias=[1, 2])
    np.testing.assert_array_equal(ConvLens(GREY, weights).bias, weights[1])
    np.testing.assert_array_equal(ConvLens(GREY, weights[0], bias=[1, 2]).bias, [1, 2])


# -- refused by name, with what mends it -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "image_channels"),
    [((8, 1, 3, 3), 1), ((30, 1, 5, 5), 1), ((8, 3, 5, 5), 3), ((8, 3, 5, 5), 1), ((30, 1, 5, 5), 3)],
)
@pytest.mark.parametrize("form", ["array", "list", "with bias"])
def test_pytorchs_layout_is_refused_by_name_and_its_mend_is_accepted(
    shape: tuple[int, ...], image_channels: int, form: str
) -> None:
    weight = numbers(*shape)
    kernels: Any = {"array": weight, "list": list(weight), "with bias": [weight, numbers(shape[0])]}[form]
    text = refusal(kernels, image_channels)
    assert "PyTorch" in text
    mend = next(one for one in reversed(expressions(text)) if "np.moveaxis" in one)
    mended = read(evaluate(mend, kernels=kernels), image_channels)
    np.testing.assert_array_equal(stack(mended), np.moveaxis(weight, 1, -1))


@pytest.mark.parametrize("image_channels", [1, 3])
def test_kernels_of_three_channels_that_fit_both_ways_are_refused_and_every_mend_works(image_channels: int) -> None:
    for shape in ((3, 3, 3, 3), (8, 3, 3, 3)):
        weight = numbers(*shape)
        keras_, stacked, torch = expressions(refusal(weight, image_channels))
        for mend, meant in (
            (keras_, np.moveaxis(weight, -1, 0)),
            (stacked, weight),
            (torch, np.moveaxis(weight, 1, -1)),
        ):
            np.testing.assert_array_equal(stack(read(evaluate(mend, kernels=weight), image_channels)), meant)


@pytest.mark.parametrize("shape", [(4, 4, 1, 3), (8, 3, 3, 1), (8, 1, 3, 3)])
def test_on_a_colour_image_an_array_that_also_fits_its_luminance_is_refused(shape: tuple[int, ...]) -> None:
    weight = numbers(*shape)
    found = expressions(refusal(weight, 3))
    np.testing.assert_array_equal(stack(read(evaluate(found[0], kernels=weight), 3)), np.moveaxis(weight, -1, 0))
    np.testing.assert_array_equal(stack(read(evaluate(found[1], kernels=weight), 3)), weight)


@pytest.mark.parametrize("shape", [(5, 5, 1, 3), (3, 3, 1, 8), (3, 3, 3, 8)])
def test_a_list_of_keras_array_is_put_together_again(shape: tuple[int, ...]) -> None:
    weight = numbers(*shape)
    text = refusal(list(weight), 1)
    assert "np.stack(kernels)" in text
    np.testing.assert_array_equal(stack(read(np.stack(list(weight)), 1)), np.moveaxis(weight, -1, 0))


@pytest.mark.parametrize("image_channels", [1, 3])
@pytest.mark.parametrize(
    "kernels", [[-1, 0, 1], [5], np.array(3.0), np.array([-1, 0, 1]), np.array([2], np.float32), list(range(20))]
)
def test_numbers_without_rows_are_refused_with_a_row_and_a_column(kernels: Any, image_channels: int) -> None:
    text = refusal(kernels, image_channels)
    assert "expected a list of arrays of shape (kh, kw" in text
    forms = [piece.split(" or ")[0].rstrip(".") for piece in text.split("kernels=")[1:]]
    values = np.ravel(kernels)
    for form, shape in zip(forms, ((1, -1, 1), (-1, 1, 1)), strict=False):
        np.testing.assert_array_equal(
            read(evaluate(form, kernels=kernels), image_channels).kernels[0], values.reshape(shape)
        )


def test_a_row_in_one_list_is_refused_and_its_mend_works() -> None:
    kernels = [[-1, 0, 1]]
    assert "put it in a list: [kernel]" in refusal(kernels, 1)
    np.testing.assert_array_equal(read([kernels], 1).kernels[0][:, :, 0], kernels)


@pytest.mark.parametrize("array", [(3, 3, 3), (4, 4, 3)])
def test_on_a_colour_image_one_colour_kernel_or_several_grey_ones_is_asked(array: tuple[int, ...]) -> None:
    kernels = numbers(*array)
    text = refusal(kernels, 3)
    assert "[kernel]" in text
    assert "list(kernels)" in text
    np.testing.assert_array_equal(read([kernels], 3).kernels[0], kernels)
    np.testing.assert_array_equal(stack(read(list(kernels), 3))[..., 0], kernels)
    np.testing.assert_array_equal(stack(read(kernels, 1))[..., 0], kernels)


# -- any iterable ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrap",
    [
        lambda pair: (kernel for kernel in pair),
        lambda pair: map(np.asarray, pair),
        lambda pair: dict(enumerate(pair)).values(),
        lambda pair: np.array([*pair, None], dtype=object)[:2],
        lambda pair: np.array([kernel.tolist() for kernel in pair], dtype=object),
    ],
    ids=["generator", "map", "dict values", "objects", "numbers as objects"],
)
def test_any_iterable_of_kernels_is_read(wrap: Callable[[list[np.ndarray]], Any]) -> None:
    pair = [numbers(3, 3), numbers(3, 3)]
    lens = ConvLens(GREY, wrap(pair))
    np.testing.assert_array_equal(np.stack(lens.kernels), np.stack(pair))
    lens.kernels = wrap(pair[::-1])
    np.testing.assert_array_equal(np.stack(lens.kernels), np.stack(pair[::-1]))


class TensorLike:
    """A tensor of another library: a shape of its own kind, and a way to become an array."""

    def __init__(self, values: np.ndarray) -> None:
        self._values, self.shape, self.dtype = values, list(values.shape), "float32"

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self._values

    def __iter__(self) -> Any:
        return map(TensorLike, self._values)

    def __len__(self) -> int:
        return len(self._values)


@pytest.mark.parametrize("shape", [(5, 5, 1, 3), (6, 4, 4, 1), (3, 4, 4)])
def test_tensors_are_read_as_arrays_are(shape: tuple[int, ...]) -> None:
    import tensorflow as tf

    values = numbers(*shape)
    expected = stack(read(values, 1))
    for tensor in (
        TensorLike(values),
        tf.constant(values),
        values[::-1][::-1],
        values.astype(">f4"),
        values.astype("f8"),
    ):
        np.testing.assert_array_equal(stack(read(tensor, 1)), expected)
    assert "PyTorch" in refusal(TensorLike(numbers(8, 1, 3, 3)), 1)


# -- one meaning, and Keras's maps -------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 5)] * 4),
    image_channels=st.sampled_from([1, 3]),
    form=st.sampled_from(["array", "list", "weights"]),
)
def test_what_is_accepted_has_one_meaning(shape: tuple[int, ...], image_channels: int, form: str) -> None:
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    kernels: Any = {"array": array, "list": list(array), "weights": [array]}[form]
    try:
        result = stack(read(kernels, image_channels))
    except ValueError:
        return
    keras_, stacked = np.moveaxis(array, -1, 0), array
    if form == "weights":
        meant = [keras_]
    elif form == "list":
        meant = [stacked]
    else:
        meant = (
            [keras_] if shape[2] == result.shape[3] and (shape[3] != result.shape[3] or result.shape[3] == 1) else []
        )
        meant += [stacked] if shape[3] == result.shape[3] and shape[2] != result.shape[3] else []
    assert len(meant) == 1
    np.testing.assert_array_equal(result, meant[0])


@settings(max_examples=12, deadline=None)
@given(
    rows=st.integers(1, 4),
    cols=st.integers(1, 4),
    channels=st.sampled_from([1, 3]),
    filters=st.integers(1, 4),
    layout=st.sampled_from(["keras", "weights", "stack", "list"]),
)
def test_keras_given_the_same_array_computes_the_same_maps(
    rows: int, cols: int, channels: int, filters: int, layout: str
) -> None:
    import keras

    weight = np.random.default_rng(rows * 64 + cols * 16 + filters).normal(size=(rows, cols, channels, filters))
    weight = weight.astype(np.float32)
    stacked = np.moveaxis(weight, -1, 0)
    kernels = {"keras": weight, "weights": [weight], "stack": stacked, "list": list(stacked)}[layout]
    image = GREY[:9, :9, None] if channels == 1 else COLOUR[:9, :9]
    try:
        lens = ConvLens(image, kernels)
    except ValueError as error:
        assume(channels > 1 or layout in ("stack", "list"))
        assert "can be read in" in str(error) or "first" in str(error) or "np.stack" in str(error)
        return
    result = lens.get_weights()[0]
    # A stack of kernels of one column may as well be Keras's, which then is meant.
    meant = stacked if layout == "stack" and result.shape != weight.shape else weight
    layer = keras.layers.Conv2D(result.shape[3], result.shape[:2], activation="relu", use_bias=False)
    layer.build((1, 9, 9, channels))
    layer.set_weights([meant])
    expected = np.moveaxis(np.asarray(layer(image[None]))[0], -1, 0)
    np.testing.assert_allclose(lens.activations, expected, atol=1e-5)
