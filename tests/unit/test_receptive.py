"""A receptive field is what Keras reads: a change outside leaves the pixel as it is, one at its edges does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from convlens.maths.receptive_field import ReceptiveField
from convlens.models.conv_model import ConvModel
from tests.unit.keras_sweep import snapshot
from tests.unit.receptive_fields import POSITIVE, check, ends, told

layers = keras.layers


# -- figures that are published, or worked out by hand -----------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "published"),
    # github.com/google-research/receptive_field, the table of A. Araujo, W. Norris and J. Sim, Distill 2019.
    [("VGG16", 212), ("MobileNet", 315), ("ResNet50", 483), ("InceptionV3", 1311)],
)
def test_a_networks_last_feature_map_has_the_published_receptive_field(network: str, published: int) -> None:
    base = getattr(keras.applications, network)(weights=None, include_top=False, input_shape=(224, 224, 3))
    model = keras.Sequential([keras.Input((224, 224, 3)), base, layers.Conv2D(1, 1, name="probe")])
    field = told(model, "probe", 2, 3)
    assert field.rows is not None and field.cols is not None
    assert [last - first + 1 for first, last in (field.rows, field.cols)] == [published, published]


def of(steps: list[Any], row: int, col: int, size: tuple[int, int] = (20, 24)) -> ReceptiveField:
    x = inputs = keras.Input((*size, 2))
    for step in [*steps, layers.Conv2D(1, 1, name="last")]:
        x = step(x)
    return told(keras.Model(inputs, x), "last", row, col)


def test_two_padded_layers_reach_two_pixels_past_the_corner() -> None:
    convs = [layers.Conv2D(1, 3, padding="same") for _ in range(2)]
    assert of(convs, 0, 23) == ReceptiveField((-2, 2), (21, 25), ((0, 1, 2), (21, 22, 23)))


def test_stride_and_dilation_of_later_layers_count_in_pixels_of_the_earlier_ones() -> None:
    steps = [layers.Conv2D(1, 3, strides=2), layers.Conv2D(1, (2, 3), dilation_rate=(3, 1))]
    # Rows 1 and 1 + 3 of the first map, so 2 to 4 and 8 to 10 of the image. Columns 2 to 4, so 4 to 10.
    assert of(steps, 1, 2) == ReceptiveField((2, 10), (4, 10), ((2, 3, 4, 8, 9, 10), tuple(range(4, 11))))


def test_rows_that_were_cut_off_are_not_read_where_padding_takes_their_place() -> None:
    steps = [layers.Cropping2D(((3, 0), (0, 0))), layers.Conv2D(1, 3, padding="same")]
    # The window reaches one row above the cropped map, and finds a zero there instead of row 2 of the image.
    field = of(steps, 0, 5)
    assert field.rows == (2, 4) and field.inside == ((3, 4), (4, 5, 6))


def test_a_pixel_made_of_padding_alone_depends_on_nothing() -> None:
    field = of([layers.ZeroPadding2D(2)], 0, 0)
    assert field.rows == (-2, -2) and field.inside is None and "no pixel of the image" in field.note


def test_a_transposed_layer_without_an_input_for_a_pixel_depends_on_nothing() -> None:
    field = of([layers.Conv2DTranspose(1, 1, strides=2)], 1, 0)
    assert field.rows is None and field.inside is None and "no pixel of the image" in field.note


# -- graphs ------------------------------------------------------------------------------------------------------------


def conv(size: int, **settings: Any) -> Any:
    return layers.Conv2D(2, size, kernel_initializer=POSITIVE, padding="same", **settings)


def residual(x: Any) -> Any:
    return layers.Add()([conv(5)(x), layers.Dropout(0.2)(conv(1)(x))])


def merged(x: Any) -> Any:
    tall, wide = layers.MaxPooling2D((7, 1), 1, "same")(x), layers.AveragePooling2D((1, 5), 1, "same")(x)
    return conv(1)(layers.Concatenate()([tall, 2.0 * wide + x]))


def squeezed(x: Any) -> Any:
    weights = layers.Dense(2, activation="sigmoid")(layers.GlobalAveragePooling2D()(x))
    return layers.Multiply()([x, layers.Reshape((1, 1, 2))(1e-6 * weights)])


def averaged(x: Any) -> Any:
    return x + keras.ops.mean(x, axis=(1, 2), keepdims=True)


def normalised(x: Any) -> Any:
    return layers.LayerNormalization()(conv(3)(x))


def grouped(x: Any) -> Any:
    return layers.GroupNormalization(1)(x)


def chosen(x: Any) -> Any:
    return layers.Softmax(axis=-1)(x)


def nested(x: Any) -> Any:
    # Open sizes, and a model within a model, which is called twice.
    inner = keras.Sequential([keras.Input((None, None, 2)), conv(3, strides=2), layers.UpSampling2D(2)])
    part = keras.Input((None, None, 2))
    block = keras.Model(part, layers.Maximum()([inner(part), conv(3)(part)]))
    return block(block(x))


def wrapped(x: Any) -> Any:
    return layers.SpectralNormalization(conv(3))(x)


def augmented(x: Any) -> Any:
    return layers.Rescaling(0.5)(layers.RandomZoom(0.5)(layers.RandomFlip()(x)))


GRAPHS = [residual, merged, squeezed, averaged, normalised, grouped, chosen, nested, wrapped, augmented]
#: Those that take the whole image together.
WHOLE = {squeezed, averaged, grouped}


@pytest.mark.parametrize("graph", GRAPHS, ids=lambda graph: str(graph.__name__))
def test_through_branches_and_models_within_it_is_just_what_keras_reads(graph: Callable[[Any], Any]) -> None:
    inputs = keras.Input((None, None, 2))
    last = layers.Conv2D(1, 2, kernel_initializer=POSITIVE, name="last")
    model = keras.Model(inputs, last(graph(inputs)))
    image = np.random.default_rng(2).random((16, 18, 2), dtype=np.float32) + 1
    seen = ConvModel(model, image[np.newaxis])
    for pixel in [(0, 0), (7, 9), (14, 16)]:
        field = seen.receptive_field("last", *pixel)
        assert (ends(field) == (0, 15, 0, 17)) is (graph in WHOLE)
        # Where branches meet, no branch need read the corners around both; what is normalised may hide a change.
        check(model, image, pixel, field, "channels_last", corners=graph in (residual, wrapped, augmented))


def test_each_call_of_a_shared_layer_has_a_field_of_its_own() -> None:
    shared, inputs = layers.Conv2D(2, 3, padding="same", name="shared"), keras.Input((12, 12, 2))
    model = keras.Model(inputs, shared(layers.AveragePooling2D(2)(shared(inputs))))
    seen = ConvModel(model, np.zeros((1, 12, 12, 2), np.float32))
    assert seen.layers == ["shared", "shared (use 2)"]
    assert seen.receptive_field("shared", 4, 4).rows == (3, 5)
    # Rows 3 to 5 of the pooled map are rows 6 to 11 of the first one, and rows 5 to 12 of the image.
    assert seen.receptive_field("shared (use 2)", 4, 4).rows == (5, 12)


def test_a_model_that_leaves_sizes_open_is_left_as_it_was() -> None:
    inputs = keras.Input((None, None, 2))
    model = keras.Model(inputs, layers.Conv2D(1, 2, name="last")(nested(inputs)))
    seen = ConvModel(model, np.zeros((1, 16, 18, 2), np.float32))
    before = snapshot(model)
    assert seen.receptive_field("last", 0, 0).rows is not None
    assert snapshot(model) == before
