"""A model that was inspected, edited and predicted with is, byte for byte, one that never was."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from tests.unit.keras_sweep import numpy, reseed
from tests.unit.model_kinds import IMAGE, MODELS

pytestmark = pytest.mark.slow

layers = keras.layers
IMAGES = np.random.default_rng(1).uniform(0, 255, (4, *IMAGE.shape)).astype(np.float32)
CLASSES = np.array([0, 1, 2, 3])


class Watched(keras.layers.Layer):  # type: ignore[misc,unused-ignore]
    """Draws random numbers while training, and notes when Python runs it: eagerly, or while a function is traced."""

    def __init__(self, runs: list[bool]) -> None:
        super().__init__(name="watched")
        self.generator = keras.random.SeedGenerator(7)
        self.note: Callable[[], None] = lambda: runs.append(True)  # Keras would copy a list

    def call(self, x: Any, training: bool = False) -> Any:
        self.note()
        return x + keras.random.normal(keras.ops.shape(x), stddev=0.1, seed=self.generator) if training else x


def trained(kind: str, runs: list[bool]) -> Any:
    """A model with a random layer, batches seen, optimizer slots filled and its functions compiled."""
    inner = MODELS[kind][0]()
    image = keras.Input(IMAGE.shape)
    x = layers.Dense(5, activation="softmax")(layers.BatchNormalization()(Watched(runs)(inner(image))))
    model = keras.Model(image, x)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(IMAGES, CLASSES, epochs=1, batch_size=2, verbose=0)
    model.predict(IMAGES, batch_size=2, verbose=0)
    model.evaluate(IMAGES, CLASSES, batch_size=2, verbose=0)
    return model


def use_a_lens_in_every_way(model: Any) -> None:
    lens = ConvLens(IMAGE, model=model)
    for path in lens.layers:
        lens.layer_path = path
        lens.set_kernel(0, np.asarray(lens.kernels[0]) + 1)
        lens.kernels = [kernel * 2 for kernel in lens.kernels]
        _ = lens.activations, lens.pre_activations, lens.predictions, lens.predictions
        lens.explain(0, 1, 1)
        lens.undo()
    lens.image = IMAGE[::-1].copy()
    _ = lens.activations
    lens.close()


def next_numbers() -> list[Any]:
    """What every generator of random numbers would give next."""
    found = [random.random(), np.random.random(), numpy(keras.random.normal((3,))).tolist()]
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        found.append(float(tf.random.uniform([])))
    if keras.backend.backend() == "torch":
        import torch

        found.append(float(torch.rand(1)))
    return found


def variables(model: Any) -> dict[str, bytes]:
    optimizer = {f"optimizer {i}": numpy(v).tobytes() for i, v in enumerate(model.optimizer.variables)}
    return optimizer | {f"{i} {v.path}": numpy(v).tobytes() for i, v in enumerate(model.variables)}


@pytest.mark.parametrize("kind", list(MODELS))
def test_weights_optimizer_and_generators_are_what_they_were(kind: str) -> None:
    model = trained(kind, [])
    before = variables(model)
    assert any("seed_generator_state" in name for name in before) and any("optimizer" in name for name in before)
    reseed(3)
    expected = next_numbers()
    reseed(3)
    use_a_lens_in_every_way(model)
    assert next_numbers() == expected
    assert variables(model) == before


def test_compiled_functions_stay_the_ones_they_are_and_give_the_same_bits() -> None:
    runs: list[bool] = []
    model = trained("functional", runs)
    functions = [model.train_function, model.test_function, model.predict_function]
    before = model.predict(IMAGES, batch_size=2, verbose=0)
    assert before.tobytes() == model.predict(IMAGES, batch_size=2, verbose=0).tobytes()
    use_a_lens_in_every_way(model)
    assert [model.train_function, model.test_function, model.predict_function] == functions
    runs.clear()
    assert model.predict(IMAGES, batch_size=2, verbose=0).tobytes() == before.tobytes()
    # PyTorch runs Python at every batch; the others only if they had to trace the model again.
    assert len(runs) == (2 if keras.backend.backend() == "torch" else 0)


def test_training_goes_on_as_if_nobody_had_looked() -> None:
    def weights_after(look: Callable[[Any], None]) -> list[bytes]:
        reseed(5)
        model = trained("functional", [])
        look(model)
        model.fit(IMAGES, CLASSES, epochs=2, batch_size=2, verbose=0)
        return list(variables(model).values())

    assert weights_after(use_a_lens_in_every_way) == weights_after(lambda model: None)


def test_a_model_that_was_never_called_stays_so_and_trainable_flags_as_they_are() -> None:
    model = keras.Sequential([keras.Input(IMAGE.shape), layers.Conv2D(2, 3, name="conv"), layers.Dropout(0.5)])
    model.get_layer("conv").trainable = False
    model.compile("adam", "mse")
    called = [layer._called for layer in model.layers]
    use_a_lens_in_every_way(model)
    assert not model.optimizer.built and model.predict_function is None and model.train_function is None
    assert [layer.trainable for layer in model.layers] == [False, True]
    assert [layer._called for layer in model.layers] == called
