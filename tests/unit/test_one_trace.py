"""Predictions with edited weights in any layer of a model run by one trace of it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from tests.unit.keras_sweep import close, numpy
from tests.unit.model_kinds import IMAGE, MODELS

layers = keras.layers
TRACES = keras.backend.backend() in ("tensorflow", "jax")


class Counting(keras.layers.Layer):  # type: ignore[misc,unused-ignore]
    """Counts how often Python runs it: each time, or only while the model is traced."""

    def __init__(self) -> None:
        super().__init__(name="counting")
        self.runs = [0]

    def call(self, x: Any) -> Any:
        self.runs[0] += 1
        return x


def counted(kind: str) -> tuple[Any, Counting]:
    inner, counting = MODELS[kind][0](), Counting()
    image = keras.Input(IMAGE.shape)
    return keras.Model(image, counting(inner(image))), counting


@pytest.mark.skipif(not TRACES, reason="PyTorch runs the model's Python code every time")
@pytest.mark.parametrize("kind", list(MODELS))
def test_all_layers_of_a_model_share_one_trace_whatever_the_image_of_its_size(kind: str) -> None:
    model, counting = counted(kind)
    lens = ConvLens(IMAGE, model=model)

    def edit_everywhere() -> None:
        for path in lens.layers:
            lens.layer_path = path
            lens.set_kernel(0, np.asarray(lens.kernels[0]) + 1)
            before = counting.runs[0]
            _ = lens.predictions
            runs.append(counting.runs[0] - before)

    runs: list[int] = []
    edit_everywhere()
    assert runs == [1] + [0] * (len(lens.layers) - 1)
    lens.image = IMAGE[::-1].copy()
    runs.clear()
    edit_everywhere()
    assert set(runs) == {0}


@pytest.mark.parametrize("kind", list(MODELS))
def test_what_the_trace_does_not_take_as_an_argument_is_the_models_own_at_every_run(kind: str) -> None:
    model, _ = counted(kind)
    lens = ConvLens(IMAGE, model=model)
    rng = np.random.default_rng(5)
    for _ in range(2):
        lens.set_kernel(0, rng.standard_normal(lens.kernels[0].shape))
        _ = lens.predictions
        # Every weight of the model, of layers that are no convolutions as well.
        model.set_weights([np.abs(w + rng.uniform(0, 0.1, w.shape)).astype(np.float32) for w in model.get_weights()])
        own, edited = [np.array(w) for w in model.get_weights()], lens.get_weights()
        before, after = lens.predictions
        close(before, numpy(model(IMAGE[np.newaxis]))[0], 1e-4)
        lens.apply()
        close(after, numpy(model(IMAGE[np.newaxis]))[0], 1e-4)
        assert any(np.array_equal(edited[0], w) for w in model.get_weights())
        lens.restore()
        for ours, expected in zip(model.get_weights(), own, strict=True):
            np.testing.assert_array_equal(ours, expected)


class Deciding(keras.layers.Layer):  # type: ignore[misc,unused-ignore]
    """Looks at values, so that it cannot be traced."""

    def compute_output_shape(self, shape: Any) -> Any:
        return shape

    def call(self, x: Any) -> Any:
        if isinstance(x, keras.KerasTensor):
            return x
        return x if float(keras.ops.stop_gradient(keras.ops.max(x))) > 0 else -x


def test_a_model_that_cannot_be_traced_is_run_instead() -> None:
    conv = layers.Conv2D(2, 3, name="conv")
    model = keras.Sequential([keras.Input(IMAGE.shape), conv, Deciding(), layers.GlobalAveragePooling2D()])
    lens = ConvLens(IMAGE, model=model)
    lens.set_kernel(0, np.full((3, 3, 3), -1))
    after = lens.predictions.after
    lens.apply()
    close(after, numpy(model(IMAGE[np.newaxis]))[0], 1e-5)
