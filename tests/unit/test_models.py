"""Any convolution of any model opens, computes what the model computes, and leaves the model as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from convlens.models.conv_model import ConvModel
from convlens.models.image_input import expected_input
from tests.unit.keras_sweep import close, maps, numpy, reseed, snapshot

layers = keras.layers
IMAGE = np.random.default_rng(0).random((1, 16, 18, 3), dtype=np.float32)


class Block(keras.layers.Layer):  # type: ignore[misc,unused-ignore]
    """A block that is not a model, with a convolution in a list."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.convolutions = [layers.Conv2D(4, 3, padding="same", name=f"conv_{i}") for i in range(2)]
        self.norm = layers.BatchNormalization()

    def build(self, shape: Any) -> None:
        for conv in self.convolutions:
            conv.build(shape)
            shape = conv.compute_output_shape(shape)
        self.norm.build(shape)

    def call(self, x: Any, training: bool = False) -> Any:
        for conv in self.convolutions:
            x = conv(x)
        return self.norm(x, training=training)


class Subclassed(keras.Model):  # type: ignore[misc,unused-ignore]
    """A model with blocks of one name, called in another order than they were made."""

    def __init__(self) -> None:
        super().__init__()
        self.second = Block(name="block")
        self.first = Block(name="block")
        self.drop = layers.Dropout(0.5)
        self.noise = layers.GaussianNoise(1.0)
        self.head = layers.Dense(5, activation="softmax")

    def call(self, x: Any, training: bool = False) -> Any:
        x = self.noise(self.second(self.first(x, training=training), training=training), training=training)
        return self.head(keras.ops.mean(self.drop(x, training=training), axis=(1, 2)))


def sequential() -> Any:
    return keras.Sequential(
        [
            keras.Input((16, 18, 3)),
            layers.Conv2D(4, 3, activation="relu", name="first"),
            layers.MaxPooling2D(),
            layers.DepthwiseConv2D(3, name="depthwise"),
            layers.SeparableConv2D(6, 3, padding="same", name="separable"),
            layers.Conv2DTranspose(2, 2, strides=2, name="transpose"),
            layers.Flatten(),
            layers.Dense(5, activation="softmax"),
        ]
    )


def nested() -> Any:
    inner = keras.Sequential(
        [keras.Input((None, None, 4)), layers.Conv2D(4, 3, padding="same", name="conv")], name="block"
    )
    shared = layers.Conv2D(4, 1, activation="relu", name="shared")
    image = keras.Input((16, 18, 3))
    x = layers.SpectralNormalization(layers.Conv2D(4, 3, name="conv"), name="normed")(image)
    x = shared(inner(shared(x)))
    x = layers.Dense(5)(layers.GlobalAveragePooling2D()(inner(x)))
    return keras.Model(image, x)


def subclassed() -> Any:
    model = Subclassed()
    model(IMAGE)
    return model


def loaded(tmp_path: Any) -> Any:
    path = tmp_path / "model.keras"
    sequential().save(path)
    return keras.models.load_model(path)


MODELS: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "sequential": (sequential, ["first", "depthwise", "separable", "transpose"]),
    "nested": (nested, ["normed/conv", "shared", "block/conv", "shared (use 2)", "block/conv (use 2)"]),
    "subclassed": (subclassed, ["block/conv_0 [2]", "block/conv_1 [2]", "block/conv_0", "block/conv_1"]),
}


@pytest.mark.parametrize("kind", list(MODELS))
def test_convolutions_are_listed_in_the_order_in_which_the_model_calls_them(kind: str) -> None:
    make, paths = MODELS[kind]
    conv_model = ConvModel(make(), IMAGE)
    assert conv_model.layers == paths
    for path in paths:
        found, conv = conv_model.find(path), conv_model.open(path)
        assert found.input_shape == conv.geometry.input_shape
        assert found.output_shape == (*conv.geometry.output_shape, conv.geometry.filters)
        assert found.layer is conv.layer and conv.geometry.path == path


def test_an_opened_layer_is_fed_with_what_it_gets_in_the_model_and_returns_what_it_returns_there() -> None:
    model = sequential()
    conv_model = ConvModel(model, IMAGE)
    x: Any = IMAGE
    for layer in model.layers:
        y = layer(x)
        if layer.name in conv_model.layers:
            conv = conv_model.open(layer.name)
            np.testing.assert_array_equal(conv.input, numpy(keras.ops.convert_to_tensor(x))[0])
            close(conv.run(*conv.read(), range(conv.geometry.filters))[1], maps(y))
        x = y


def test_each_use_of_a_shared_layer_has_its_own_input() -> None:
    model = nested()
    conv_model = ConvModel(model, IMAGE)
    shared, block = model.get_layer("shared"), model.get_layer("block")
    inputs = [model.get_layer("normed")(IMAGE)]
    inputs.append(block(shared(inputs[0])))
    for path, expected in zip(["shared", "shared (use 2)"], inputs, strict=True):
        np.testing.assert_allclose(conv_model.open(path).input, numpy(expected)[0], rtol=1e-6)


def predicted(conv_model: ConvModel, *arguments: Any) -> tuple[Any, Any]:
    return conv_model.predict(*arguments)


@pytest.mark.parametrize("kind", list(MODELS))
def test_predictions_equal_those_of_the_model_with_the_weights_set_by_hand(kind: str) -> None:
    model = MODELS[kind][0]()
    conv_model = ConvModel(model, IMAGE)
    rng = np.random.default_rng(1)
    for path in conv_model.layers:
        layer = conv_model.find(path).layer
        conv = conv_model.open(path)
        for _ in range(3):  # a repeated prediction takes another way on TensorFlow
            weights = [rng.standard_normal(w.shape).astype(np.float32) for w in layer.get_weights()]
            kernels, bias = conv.from_weights(weights)
            pointwise = weights[1][0, 0] if conv.geometry.kind.pointwise else None
            before, after = predicted(conv_model, path, kernels, bias, pointwise)
            own = layer.get_weights()
            np.testing.assert_allclose(before, numpy(model(IMAGE))[0], rtol=1e-5, atol=1e-6)
            layer.set_weights(weights)
            close(after, numpy(model(IMAGE))[0], relative=1e-4)
            layer.set_weights(own)


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(MODELS))
def test_nothing_of_the_model_changes(kind: str) -> None:
    model = MODELS[kind][0]()
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    model.layers[1].trainable = False
    reseed(5)
    expected = [numpy(keras.random.normal((2,))) for _ in range(2)]
    reseed(5)
    drawn = [numpy(keras.random.normal((2,)))]
    before, optimizer = snapshot(model), [v.numpy().tobytes() for v in model.optimizer.variables]
    conv_model = ConvModel(model, IMAGE)
    for path in conv_model.layers:
        conv = conv_model.open(path)
        kernels, bias = conv.read()
        conv.run(kernels, bias, [0])
        conv.run(kernels, bias, range(conv.geometry.filters))
        for _ in range(2):
            conv_model.predict(path, kernels, bias + 1)
    assert snapshot(model) == before
    assert [v.numpy().tobytes() for v in model.optimizer.variables] == optimizer
    assert model.predict_function is None and model.train_function is None
    drawn.append(numpy(keras.random.normal((2,))))
    np.testing.assert_array_equal(drawn, expected)


def test_a_loaded_model_that_was_never_called_opens_and_stays_so(tmp_path: Any) -> None:
    model = loaded(tmp_path)
    before = snapshot(model)
    conv_model = ConvModel(model, IMAGE)
    conv_model.open("separable")
    assert snapshot(model) == before


def test_an_exception_in_the_model_leaves_no_trace_either() -> None:
    class Failing(keras.layers.Layer):  # type: ignore[misc,unused-ignore]
        fails = False

        def call(self, x: Any) -> Any:
            if self.fails:
                raise RuntimeError("out of luck")
            return x

    failing = Failing()
    model = keras.Sequential([keras.Input((16, 18, 3)), layers.Conv2D(1, 3), failing])
    failing.fails = True
    before = snapshot(model)
    with pytest.raises(ValueError, match=r"(?s)\(1, 16, 18, 3\).*out of luck.*preprocess="):
        ConvModel(model, IMAGE)
    assert snapshot(model) == before


def test_apply_is_seen_by_the_model() -> None:
    model = sequential()
    conv = ConvModel(model, IMAGE).open("first")
    kernels, bias = conv.read()
    conv.write([k * 2 for k in kernels], bias)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], np.moveaxis(np.stack(kernels) * 2, 0, -1))


def test_mixed_precision_computes_as_the_model_does() -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = sequential()
    finally:
        keras.config.set_dtype_policy("float32")
    conv_model = ConvModel(model, IMAGE)
    conv = conv_model.open("first")
    kernels, bias = conv.read()
    close(conv.run(kernels, bias, range(4))[1], maps(model.layers[0](IMAGE)), relative=1e-6)
    before, after = predicted(conv_model, "first", kernels, bias)
    np.testing.assert_allclose(after, before, rtol=1e-2)


def test_time_distributed_layers_are_opened_step_by_step() -> None:
    image = keras.Input((16, 18, 3))
    x = layers.Reshape((2, 8, 18, 3))(image)
    x = layers.TimeDistributed(layers.Conv2D(2, 3, name="conv"), name="steps")(x)
    conv_model = ConvModel(keras.Model(image, x), IMAGE)
    assert conv_model.layers == ["steps/conv", "steps/conv (use 2)"]
    for step, path in enumerate(conv_model.layers):
        np.testing.assert_array_equal(conv_model.open(path).input, IMAGE[0].reshape(2, 8, 18, 3)[step])


def test_a_path_that_does_not_exist_is_refused_with_the_nearest_and_the_list() -> None:
    conv_model = ConvModel(sequential(), IMAGE)
    with pytest.raises(ValueError, match=r"'frist'.*Did you mean 'first'\?.*'depthwise', 'separable'"):
        conv_model.open("frist")


def test_a_model_that_is_not_built_is_refused_and_stays_so() -> None:
    for model in (Subclassed(), keras.Sequential([layers.Conv2D(1, 3)])):
        with pytest.raises(ValueError, match=r"not built.*model\(np\.zeros"):
            ConvModel(model, IMAGE)
        assert not model.built


def test_a_layer_that_is_not_built_is_not_built_by_looking() -> None:
    class Lazy(keras.Model):  # type: ignore[misc,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.conv = layers.Conv2D(1, 3, name="conv")

        def build(self, shape: Any) -> None:
            self.built = True

        def call(self, x: Any) -> Any:
            return self.conv(x)

    model = Lazy()
    model.build(IMAGE.shape)
    with pytest.raises(ValueError, match=r"'conv'.*not built yet.*Call the model once"):
        ConvModel(model, IMAGE)
    assert not model.conv.built and not model.conv.weights


@pytest.mark.parametrize("merge", [layers.Concatenate, layers.Add, layers.Multiply], ids=lambda merge: merge.__name__)
def test_a_layer_that_merges_has_nothing_to_build_and_is_not_built_by_looking(merge: Any) -> None:
    class Block(keras.layers.Layer):  # type: ignore[misc,unused-ignore]
        """Tells its shapes itself, so that building a model of it calls none of its layers."""

        def __init__(self) -> None:
            super().__init__()
            self.first, self.merge = layers.Conv2D(3, 1, name="first"), merge(name="merge")
            self.last = layers.Conv2D(2, 3, name="last")

        def build(self, shape: Any) -> None:
            self.first.build(shape)
            self.last.build((*shape[:3], 6 if merge is layers.Concatenate else 3))

        def compute_output_shape(self, shape: Any) -> Any:
            return (None, shape[1] - 2, shape[2] - 2, 2)

        def call(self, x: Any) -> Any:
            return self.last(self.merge([x, self.first(x)]))

    block = Block()
    image = keras.Input(IMAGE.shape[1:])
    model = keras.Model(image, block(image))
    assert not block.merge.built
    before = snapshot(model)
    opened = ConvModel(model, IMAGE)
    (found,) = opened.open_all(opened.layers[-1:])
    kernels, bias = found.read()
    own, after = found.run(kernels, bias, range(2))[1], opened.predict(opened.layers[-1], [2 * kernels[0]] * 2, bias)
    assert not block.merge.built and snapshot(model) == before
    x = keras.ops.convert_to_tensor(IMAGE)
    expected = maps(block.last(merge()([x, block.first(x)])))
    close(own, expected)
    assert after.after is not None
    close(after.after, np.stack([2 * expected[0]] * 2, axis=-1))


@pytest.mark.parametrize(
    ("model", "error", "words"),
    [
        (lambda: layers.Conv2D(1, 3), TypeError, "layer="),
        (lambda: keras.Sequential([keras.Input((16, 18, 3)), layers.Flatten()]), ValueError, "no convolution"),
        (lambda: keras.Sequential([keras.Input((8,)), layers.Dense(2)]), ValueError, "has no convolution layer"),
        (lambda: keras.Sequential([keras.Input((9, 9, 3)), layers.Conv2D(1, 3)]), ValueError, r"\(1, 9, 9, 3\)"),
        (
            lambda: keras.Sequential(
                [keras.Input((None, None, 3)), layers.MaxPooling2D(8), layers.Conv2D(1, 3, name="c")]
            ),
            ValueError,
            r"'c' has a kernel of \(3, 3\).*\(2, 2\)",
        ),
    ],
)
def test_models_that_cannot_be_shown_are_refused_with_the_reason(model: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        ConvModel(model(), IMAGE)


def test_what_a_model_takes_is_read_from_it() -> None:
    assert expected_input(sequential()) == (16, 18, 3)
    assert expected_input(keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(1, 3)])) == (None, None, 3)
    assert expected_input(subclassed()) == (None, None, 3)
    one, two = keras.Input((8, 8, 1), name="one"), keras.Input((8, 8, 1), name="two")
    with pytest.raises(ValueError, match=r"2 inputs \('one', 'two'\)"):
        expected_input(keras.Model([one, two], layers.Conv2D(1, 3)(layers.Add()([one, two]))))


def compiled(function: Callable[..., Any]) -> Any:
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    if keras.backend.backend() == "torch":
        import torch

        return torch.compile(function, backend="eager")
    import tensorflow as tf

    return tf.function(function)


class Compiled(keras.Model):  # type: ignore[misc,unused-ignore]
    """A model whose author compiles its call."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = layers.Conv2D(2, 3, name="conv")
        self.compiled_call = compiled(lambda x: keras.ops.mean(self.conv(x), axis=(1, 2)))

    def build(self, shape: Any) -> None:
        self.conv.build(shape)

    def call(self, x: Any) -> Any:
        return self.compiled_call(x)


#: A trace keeps the weights it was made with. PyTorch compiles none that it cannot leave: there the model can be shown.
KEEPS_WHAT_IT_TRACED = keras.backend.backend() != "torch"


@pytest.mark.parametrize("called", [False, True], ids=["before its first call", "after it"])
def test_a_compiled_call_is_refused_where_it_would_keep_an_edit_and_shown_where_not(called: bool) -> None:
    model = Compiled()
    model.build((None, 16, 18, 3))
    if called:
        model(IMAGE)
    if KEEPS_WHAT_IT_TRACED:
        with pytest.raises(ValueError, match=r"'conv'.*@tf\.function.*Remove the decorator"):
            ConvModel(model, IMAGE)
    else:
        conv_model = ConvModel(model, IMAGE)
        kernels, bias = conv_model.open("conv").read()
        before, after = conv_model.predict("conv", [np.zeros_like(kernels[0]), kernels[1]], bias)
        assert before is not None and after is not None
        close(after, [0, before[1]])
        close(before, numpy(model(IMAGE))[0])
    # Either way nothing of the lens has stayed in what was compiled.
    close(numpy(model(IMAGE))[0], maps(model.conv(IMAGE)).mean(axis=(1, 2)))
