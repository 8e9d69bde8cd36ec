"""A receptive field is what Keras reads: a change outside leaves the pixel as it is, one at its edges does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from convlens.models import ConvModel, Found
from convlens.receptive import Graph, ReceptiveField
from tests.unit.keras_sweep import COMPILES_EVERY_SHAPE, Array, numpy, snapshot

layers = keras.layers
#: TensorFlow's convolutions read channels_first on a GPU only.
DATA_FORMATS = ["channels_last"] + ["channels_first"] * (keras.backend.backend() != "tensorflow")
MODELS = 8 if COMPILES_EVERY_SHAPE else 40
#: Far above the pixels of the images, so that it shows through a maximum and in a sum of thousands.
LOUD = 1e5


def settings(rng: np.random.Generator) -> dict[str, Any]:
    stretched = str(rng.choice(["strides", "dilation_rate"]))
    # Keras's depthwise layers stride by as many rows as columns.
    return {"padding": str(rng.choice(["valid", "same"])), stretched: int(rng.integers(1, 4))}


def sides(rng: np.random.Generator) -> Any:
    return tuple(tuple(int(n) for n in rng.integers(0, 3, 2)) for _ in range(2))


def size(rng: np.random.Generator) -> Any:
    return tuple(int(n) for n in rng.integers(1, 5, 2))


def pooled(rng: np.random.Generator) -> dict[str, Any]:
    return {"pool_size": size(rng), "strides": size(rng), "padding": str(rng.choice(["valid", "same"]))}


POSITIVE = keras.initializers.RandomUniform(0.5, 1.0)
#: One kind of layer each; all sums of these have positive weights.
STEPS: dict[str, Callable[[np.random.Generator], Any]] = {
    "conv": lambda rng: layers.Conv2D(2, size(rng), kernel_initializer=POSITIVE, **settings(rng)),
    "depthwise": lambda rng: layers.DepthwiseConv2D(size(rng), depthwise_initializer=POSITIVE, **settings(rng)),
    "separable": lambda rng: layers.SeparableConv2D(
        2, size(rng), depthwise_initializer=POSITIVE, pointwise_initializer=POSITIVE, **settings(rng)
    ),
    "transpose": lambda rng: layers.Conv2DTranspose(
        2, size(rng), strides=size(rng), kernel_initializer=POSITIVE, padding=str(rng.choice(["valid", "same"]))
    ),
    "max": lambda rng: layers.MaxPooling2D(**pooled(rng)),
    "average": lambda rng: layers.AveragePooling2D(**pooled(rng)),
    "pad": lambda rng: layers.ZeroPadding2D(sides(rng)),
    "crop": lambda rng: layers.Cropping2D(sides(rng)),
    "nearest": lambda rng: layers.UpSampling2D(size(rng)),
    "bilinear": lambda rng: layers.UpSampling2D(size(rng), interpolation="bilinear"),
    "pointwise": lambda rng: layers.Activation(str(rng.choice(["relu", "linear", "softplus"]))),
    "norm": lambda rng: layers.BatchNormalization(),
    "drop": lambda rng: layers.Dropout(0.5),
    "dense": lambda rng: layers.Dense(2, kernel_initializer=POSITIVE),
}


def chains(seed: int, number: int, data_format: str) -> Iterator[Any]:
    """Yield models of one path, of random layers; the last one is a convolution called "last"."""
    rng = np.random.default_rng(seed)
    first = data_format == "channels_first"
    keras.backend.set_image_data_format(data_format)
    while number:
        rows, cols = (int(n) for n in rng.integers(9, 24, 2))
        try:
            chosen = [str(name) for name in rng.choice(list(STEPS), int(rng.integers(1, 6)))]
            steps = [STEPS[name](rng) for name in chosen if not (first and name == "dense")]
            x = inputs = keras.Input((2, rows, cols) if first else (rows, cols, 2))
            for step in [
                *steps,
                layers.Conv2D(1, size(rng), kernel_initializer=POSITIVE, name="last", **settings(rng)),
            ]:
                x = step(x)
                if min(x.shape[1:]) < 1 or max(x.shape[1:]) > 60:
                    raise ValueError("too small or too large")
        except ValueError:  # a window larger than its input
            continue
        number -= 1
        yield keras.Model(inputs, x)


@pytest.fixture(autouse=True)
def own_data_format() -> Iterator[None]:
    yield
    keras.backend.set_image_data_format("channels_last")


def answer(model: Any, image: Array, pixel: tuple[int, int], data_format: str) -> Any:
    """What the model itself makes of an image, (rows, cols, channels), at one pixel of its output."""
    first = data_format == "channels_first"
    out = numpy(model(np.moveaxis(image, -1, 0)[np.newaxis] if first else image[np.newaxis], training=False))[0]
    return (out[:, pixel[0], pixel[1]] if first else out[pixel[0], pixel[1]]).copy()


def loud(image: Array, rows: slice, cols: slice) -> Array:
    changed = image.copy()
    changed[rows, cols] += LOUD
    return changed


def ends(field: ReceptiveField) -> tuple[int, int, int, int]:
    """First and last row, first and last column of the image that are read."""
    assert field.inside is not None
    rows, cols = field.inside
    return rows[0], rows[-1], cols[0], cols[-1]


def check(
    model: Any, image: Array, pixel: tuple[int, int], field: ReceptiveField, data_format: str, corners: bool
) -> None:
    """Compare a field with what changes of the image do to the pixel."""
    before = answer(model, image, pixel, data_format)
    outside = np.random.default_rng(1).random(image.shape, dtype=np.float32) + 1
    if field.inside is None:
        np.testing.assert_array_equal(answer(model, outside, pixel, data_format), before)
        return
    top, bottom, left, right = ends(field)
    assert 0 <= top <= bottom < image.shape[0] and 0 <= left <= right < image.shape[1]
    read = np.ix_(*field.inside)
    outside[read] = image[read]
    np.testing.assert_array_equal(answer(model, outside, pixel, data_format), before)
    rows, cols = slice(top, bottom + 1), slice(left, right + 1)
    first, last = slice(top, top + 1), slice(bottom, bottom + 1)
    near, far = slice(left, left + 1), slice(right, right + 1)
    places = [(r, c) for r in (first, last) for c in (near, far)] if corners else []
    for place in [*places, (first, cols), (last, cols), (rows, near), (rows, far)]:
        assert (answer(model, loud(image, *place), pixel, data_format) != before).any(), (place, field)


@pytest.mark.parametrize("data_format", DATA_FORMATS)
def test_through_a_chain_of_layers_it_is_just_what_keras_reads(data_format: str) -> None:
    rng = np.random.default_rng(3)
    padded = 0
    for model in chains(8, MODELS, data_format):
        shape = model.input_shape[1:]
        rows, cols = shape[1:] if data_format == "channels_first" else shape[:2]
        image = rng.random((rows, cols, 2), dtype=np.float32) + 1
        seen = ConvModel(model, image[np.newaxis])
        height, width, _ = seen.find("last").output_shape
        for pixel in [(0, 0), (height - 1, width - 1), (int(rng.integers(height)), int(rng.integers(width)))]:
            field = seen.receptive_field("last", *pixel)
            check(model, image, pixel, field, data_format, corners=True)
            padded += field.rows is not None and field.rows[0] < 0
    assert padded > MODELS / 10


def told(model: Any, name: str, row: int, col: int) -> ReceptiveField:
    """The field of a layer's first call, of a model that need not run."""
    layer = model.get_layer(name)
    last = layer.data_format == "channels_last"
    rows, cols, channels = layer.input.shape[1:] if last else np.roll(layer.input.shape[1:], -1).tolist()
    found = Found(name, layer, "Conv2D", (rows, cols, channels), (1, 1, 1), use=1, batch=1)
    return Graph(model, tuple(model.input_shape[1:]), layer.data_format, [found]).field(found, row, col)


def test_the_data_format_changes_where_the_channels_are_and_nothing_else() -> None:
    both = [list(chains(5, 30, data_format)) for data_format in ("channels_last", "channels_first")]
    for last, first in zip(*both, strict=True):
        pixel = (last.output_shape[1] // 2, last.output_shape[2] // 2)
        assert told(last, "last", *pixel) == told(first, "last", *pixel)


# -- figures that are published, or worked out by hand -----------------------------------------------------------------


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


# -- what cannot be told -----------------------------------------------------------------------------------------------


class Own(keras.layers.Layer):  # type: ignore[misc,unused-ignore]
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conv = layers.Conv2D(2, 3, name="last")

    def build(self, shape: Any) -> None:
        self.conv.build(shape)

    def call(self, x: Any) -> Any:
        return self.conv(x)

    def compute_output_shape(self, shape: Any) -> Any:
        return self.conv.compute_output_shape(shape)


class Cropped(keras.layers.MaxPooling2D):  # type: ignore[misc,unused-ignore]
    pass


class Whole(keras.Model):  # type: ignore[misc,unused-ignore]
    def __init__(self) -> None:
        super().__init__()
        self.conv = layers.Conv2D(2, 3, name="last")

    def call(self, x: Any) -> Any:
        return self.conv(x)


def after(*steps: Any) -> Any:
    return keras.Sequential([keras.Input((12, 12, 2)), *steps, layers.Conv2D(1, 1, name="last")])


def between(function: Callable[[Any], Any]) -> Any:
    inputs = keras.Input((12, 12, 2))
    return keras.Model(inputs, layers.Conv2D(1, 1, name="last")(function(inputs)))


def subclassed() -> Any:
    model = Whole()
    model(np.zeros((1, 12, 12, 2), np.float32))
    return model


UNTOLD: dict[str, tuple[Callable[[], Any], str]] = {
    "a Lambda": (lambda: after(layers.Lambda(lambda x: keras.ops.flip(x, 1), name="turn")), "turn"),
    "a class of the user's": (lambda: after(Cropped(name="mine")), "mine"),
    "a function of the user's": (
        lambda: after(layers.Conv2D(2, 3, activation=lambda x: x - keras.ops.mean(x), name="odd")),
        "odd",
    ),
    "other interpolation": (lambda: after(layers.UpSampling2D(2, interpolation="bicubic", name="up")), "bicubic"),
    "an operation of a layer's name": (lambda: between(lambda x: x + keras.ops.average(x, axis=1)), "verage"),
    "pixels that are moved": (lambda: after(layers.Permute((2, 1, 3), name="swap")), "swap"),
    "a layer within a layer": (lambda: keras.Sequential([keras.Input((12, 12, 2)), Own(name="own")]), "'last'"),
    "a subclassed model": (subclassed, "Whole"),
}


@pytest.mark.parametrize("case", list(UNTOLD))
def test_what_runs_code_of_its_own_is_not_told_and_says_why(case: str) -> None:
    make, named = UNTOLD[case]
    seen = ConvModel(make(), np.zeros((1, 12, 12, 2), np.float32))
    (path,) = [path for path in seen.layers if path.endswith("last")]
    field = seen.receptive_field(path, 0, 0)
    assert field.rows is None and field.cols is None and field.inside is None
    assert "not known" in field.note and named in field.note


def test_a_functional_model_that_only_trains_in_its_own_way_is_told() -> None:
    class Trained(keras.Model):  # type: ignore[misc,unused-ignore]
        def train_step(self, data: Any) -> Any:
            return {}

    inputs = keras.Input((12, 12, 2))
    model = Trained(inputs, layers.Conv2D(1, 3, name="last")(inputs))
    assert told(model, "last", 1, 2) == ReceptiveField((1, 3), (2, 4), ((1, 2, 3), (2, 3, 4)))


# -- in the image that a lens shows ------------------------------------------------------------------------------------


def strided() -> Any:
    return keras.Sequential(
        [keras.Input((12, 14, 1)), layers.Conv2D(2, 3, strides=2, name="first"), layers.Conv2D(1, 2, name="last")]
    )


def in_image(image: Array, **given: Any) -> ReceptiveField:
    field = ConvLens(image, model=strided(), layer="last", **given).explain(0, 1, 2).receptive_field
    assert field == ConvLens(image, model=strided(), layer="last", **given).explain(0, -3, -3).receptive_field
    return field


FIELD = ReceptiveField((2, 6), (4, 8), (tuple(range(2, 7)), tuple(range(4, 9))))


def test_a_lens_tells_it_in_the_image_as_it_shows_it_resized_for_the_model() -> None:
    assert in_image(np.zeros((12, 14), np.float32)) == FIELD
    assert in_image(np.zeros((40, 50), np.float32)) == FIELD


def test_with_a_preprocess_that_keeps_the_size_it_says_what_it_relies_on() -> None:
    field = in_image(np.zeros((12, 14), np.float32), preprocess=lambda x: x / 2)
    assert (field.rows, field.cols, field.inside) == (FIELD.rows, FIELD.cols, FIELD.inside)
    assert "preprocess= leaves every pixel in its place" in field.note


def test_with_a_preprocess_that_makes_another_size_it_is_not_told_in_the_image() -> None:
    field = in_image(np.zeros((20, 20), np.float32), preprocess=lambda x: x[:12, 3:17])
    assert field.rows is None and field.cols is None and field.inside is None
    assert "rows 2 to 6, cols 4 to 8 of the 12 × 14 pixels that preprocess= makes of the image" in field.note


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_outside_a_model_it_is_the_layers_own_window(padding: str) -> None:
    layer = layers.Conv2D(1, (3, 2), padding=padding, dilation_rate=2)
    layer.build((None, 9, 9, 1))
    one = ConvLens(np.zeros((9, 9), np.float32), layer=layer).explain(0, 0, 4)
    rows, cols = (entries.tolist() for entries in one.window)
    assert one.receptive_field.rows == (rows[0], rows[-1]) and one.receptive_field.cols == (cols[0], cols[-1])
    assert one.receptive_field.inside == (tuple(row for row in rows if row >= 0), tuple(cols))
    assert f"depends on rows {rows[0]} to {rows[-1]}" in repr(one)
