"""Attribution, gradients and maximising work on signals as on pictures, by the same published formulas along steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import convlens
from convlens import ConvLens
from convlens.interpretation.parameters import Parameters
from convlens.interpretation.transformations import moved, no_movement, random_movement

pytestmark = pytest.mark.slow

layers = keras.layers
STEPS, CHANNELS = 20, 2
SIGNAL = np.random.default_rng(3).normal(size=(STEPS, CHANNELS)).astype(np.float32)
KERNEL = np.random.default_rng(4).normal(size=(3, CHANNELS, 4)).astype(np.float32)
BIAS = np.array([0.1, -0.2, 0.3, 0.0], np.float32)
HEAD = np.random.default_rng(5).normal(size=(4, 3)).astype(np.float32)
#: TensorFlow computes channels_first on a GPU only.
FORMATS = ["channels_last"] if keras.backend.backend() == "tensorflow" else ["channels_last", "channels_first"]


def make_model(data_format: str = "channels_last", channels: int = CHANNELS, *, flat: bool = False) -> Any:
    """A rectified convolution along the steps, the mean of each map, and classes; `flat` takes ``(steps,)``."""
    shape = (STEPS, channels) if data_format == "channels_last" else (channels, STEPS)
    model = keras.Sequential(
        [
            *([keras.Input((STEPS,)), layers.Reshape((STEPS, 1))] if flat else [keras.Input(shape)]),
            layers.Conv1D(4, 3, activation="relu", data_format=data_format, name="conv"),
            layers.GlobalAveragePooling1D(data_format=data_format),
            layers.Dense(3, activation="softmax", name="classes"),
        ]
    )
    model.set_weights([KERNEL[:, :channels], BIAS, HEAD, np.array([0.5, 0.0, -0.5], np.float32)])
    return model


class ByHand:
    """The same network in NumPy, forward and backward."""

    def __init__(self, kernel: np.ndarray = KERNEL, signal: np.ndarray = SIGNAL) -> None:
        self.signal, self.kernel = signal.astype(np.float64), kernel.astype(np.float64)
        self.steps = len(signal) - 2
        self.pre = sum((self.signal[k : k + self.steps] @ self.kernel[k] for k in range(3)), BIAS.astype(np.float64))
        self.maps = np.maximum(self.pre, 0)

    def d_maps(self, target: int) -> np.ndarray:
        return np.array(np.broadcast_to(HEAD[:, target].astype(np.float64) / self.steps, self.maps.shape))

    def d_pre(self, target: int) -> np.ndarray:
        return np.asarray(self.d_maps(target) * (self.pre > 0))

    def d_signal(self, target: int) -> np.ndarray:
        found = np.zeros_like(self.signal)
        for k in range(3):
            found[k : k + self.steps] += self.d_pre(target) @ self.kernel[k].T
        return found

    def d_kernel(self, target: int) -> np.ndarray:
        return np.stack([self.signal[k : k + self.steps].T @ self.d_pre(target) for k in range(3)])

    def gradcam(self, target: int) -> np.ndarray:
        return np.asarray(np.maximum(self.maps @ self.d_maps(target).mean(axis=0), 0))

    def gradcam_plus_plus(self, target: int) -> np.ndarray:
        g = self.d_maps(target)
        weights = (g**2 / (2 * g**2 + self.maps.sum(axis=0) * g**3) * np.maximum(g, 0)).sum(axis=0)
        return np.asarray(np.maximum(self.maps @ weights, 0))

    def losses(self, target: int) -> np.ndarray:
        return np.asarray(HEAD[:, target] * self.maps.mean(axis=0))

    def smoothgrad(self, target: int) -> np.ndarray:
        random, spread = np.random.default_rng(0), 0.15 * float(self.signal.max() - self.signal.min())
        total = np.zeros_like(self.signal)
        for _ in range(25):
            noise = random.normal(0, spread, (1, 1, *self.signal.shape)).astype(np.float32)[0, 0]
            total += ByHand(self.kernel, self.signal + noise).d_signal(target)
        return np.asarray(np.abs(total / 25).max(axis=-1))


def enlarged(values: np.ndarray) -> np.ndarray:
    """Linear along the steps, by Keras."""
    resized = keras.ops.image.resize(values[None, None, :, None].astype(np.float32), (1, STEPS), "bilinear")
    return np.asarray(keras.ops.convert_to_numpy(resized))[0, 0, :, 0]


FORMULAS: dict[str, Callable[[ByHand, int], np.ndarray]] = {
    "gradcam": lambda one, target: enlarged(one.gradcam(target)),
    "gradcam++": lambda one, target: enlarged(one.gradcam_plus_plus(target)),
    "gradients": lambda one, target: np.abs(one.d_signal(target)).max(axis=-1),
    "smoothgrad": lambda one, target: one.smoothgrad(target),
    "ablation": lambda one, target: enlarged(np.maximum(one.maps @ one.losses(target), 0)),
}


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("method", list(FORMULAS))
def test_an_attribution_of_steps_equals_its_papers_formula_before_and_after_an_edit(
    method: str, data_format: str
) -> None:
    lens = ConvLens(SIGNAL, model=make_model(data_format), layer="conv")
    new = KERNEL.copy()
    new[..., 1] = -2 * new[..., 1]
    lens.set_kernel(1, new[..., 1])
    for edited in (False, True):
        found = lens.attribution(2, method, edited=edited)
        assert (found.shape, found.dtype) == ((STEPS,), np.dtype(np.float32))
        expected = FORMULAS[method](ByHand(new if edited else KERNEL), 2)
        assert expected.max() > 0
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5 * expected.max())


def test_a_model_that_takes_steps_without_channels_is_asked_as_well() -> None:
    lens = ConvLens(SIGNAL[:, 0], model=make_model(channels=1, flat=True), layer="conv")
    by_hand = ByHand(KERNEL[:, :1], SIGNAL[:, :1])
    for method in ("gradcam", "gradients"):
        expected = FORMULAS[method](by_hand, 1)
        np.testing.assert_allclose(lens.attribution(1, method), expected, rtol=2e-4, atol=2e-5 * expected.max())


@pytest.mark.parametrize("data_format", FORMATS)
def test_gradients_and_losses_of_a_layer_over_signals_have_the_shapes_of_its_kernels_and_maps(data_format: str) -> None:
    lens, one = ConvLens(SIGNAL, model=make_model(data_format), layer="conv"), ByHand()
    losses = one.losses(1)
    assert [i for i, _ in lens.ablation(1)] == list(np.argsort(-losses))
    np.testing.assert_allclose([loss for _, loss in lens.ablation(1)], np.sort(losses)[::-1], rtol=1e-4, atol=1e-6)
    found = lens.gradients
    np.testing.assert_allclose(np.stack(found.kernels, axis=-1), one.d_kernel(found.target), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.bias, one.d_pre(found.target).sum(axis=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.maps, one.d_maps(found.target).T, rtol=1e-5)
    lines = [ax.lines[0] for ax in lens.plot(stage="gradients", target=1).axes if len(ax.lines) == 1]
    drawn = np.array([line.get_ydata() for line in lines if len(np.asarray(line.get_ydata())) == STEPS - 2])
    np.testing.assert_allclose(drawn, one.d_maps(1).T, rtol=1e-4)


def maps_of(model: Any, signal: np.ndarray) -> np.ndarray:
    """What the convolution makes of one signal, by Keras, ``(steps, filters)``."""
    made = keras.Model(model.inputs[0], model.get_layer("conv").output)(signal[None])
    found: np.ndarray = np.asarray(keras.ops.convert_to_numpy(made))[0]
    return found


def test_the_signal_excites_its_filter_more_than_where_the_ascent_began() -> None:
    model = make_model()
    results = convlens.maximize(model, "conv", [0, 3], steps=40)
    assert isinstance(results, list)
    for one, result in zip([0, 3], results, strict=True):
        assert (result.image.shape, result.image.dtype) == ((STEPS, CHANNELS), np.dtype(np.float32))
        assert result.image.min() >= -1 and result.image.max() <= 1
        np.testing.assert_allclose(result.activation, maps_of(model, result.image)[:, one].mean(), rtol=1e-4)
        noise = np.random.default_rng(0).uniform(-1, 1, (50, STEPS, CHANNELS)).astype(np.float32)
        best = max(maps_of(model, signal)[:, one].mean() for signal in noise)
        assert result.activation > max(best, result.history[0])


@pytest.mark.parametrize("data_format", FORMATS)
def test_the_greatest_mean_of_a_linear_filter_is_nearly_reached_in_the_range_that_is_given(data_format: str) -> None:
    # Of taps 2 and -1 of two channels a signal at the ends of the range is best: its mean is 3 times the end.
    shape = (8, 2) if data_format == "channels_last" else (2, 8)
    tap = layers.Conv1D(1, 1, use_bias=False, data_format=data_format, name="tap")
    model = keras.Sequential([keras.Input(shape), tap])
    model.set_weights([np.array([[[2.0], [-1.0]]])])
    result = convlens.maximize(model, "tap", 0, steps=100, value_range=(-3, 3))
    assert 8.5 < result.activation <= 9
    assert np.all(result.image[:, 0] > 2.5) and np.all(result.image[:, 1] < -2.5)


def test_one_step_is_maximised_and_open_steps_are_as_many_as_are_asked_for() -> None:
    model = keras.Sequential([keras.Input((None, 1)), layers.Conv1D(2, 5, name="conv")])
    assert convlens.maximize(model, "conv", 0, steps=1).image.shape == (128,)
    result = convlens.maximize(model, "conv", 1, steps=30, size=50, pixel=7)
    assert result.image.shape == (50,)
    np.testing.assert_allclose(result.activation, maps_of(model, result.image[:, None])[7, 1], rtol=1e-4)
    assert result.activation > result.history[0]


def test_an_ascent_begins_with_a_signal_in_its_range_and_tells_its_steps() -> None:
    shapes: list[tuple[int, ...]] = []
    start = np.linspace(-3, 5, STEPS * CHANNELS, dtype=np.float32).reshape(STEPS, CHANNELS)
    result = convlens.maximize(
        make_model(), "conv", 0, steps=2, start=start, callback=lambda step: shapes.append(step.images().shape)
    )
    assert shapes == [(1, STEPS, CHANNELS)] * 2
    assert result.image.min() >= -3 and result.image.max() <= 5
    assert np.abs(result.image - start).max() < 1.5


def test_a_lens_maximises_through_its_edited_kernels_in_the_range_of_its_signal() -> None:
    lens, model = ConvLens(SIGNAL, model=make_model(), layer="conv"), make_model()
    kernel = -lens.kernels[1]
    lens.set_kernel(1, kernel)
    found = lens.maximize(1, steps=10)
    model.get_layer("conv").set_weights(
        [np.concatenate([KERNEL[..., :1], kernel[..., None], KERNEL[..., 2:]], -1), BIAS]
    )
    np.testing.assert_allclose(found.activation, maps_of(model, found.image)[:, 1].mean(), rtol=1e-4)
    assert SIGNAL.min() - 1e-4 <= found.image.min() and found.image.max() <= SIGNAL.max() + 1e-4
    alone = ConvLens(SIGNAL[:, 0], [[-1, 0, 1]])
    assert alone.maximize(0, steps=5, start="image").image.shape == (STEPS,)


def test_a_signal_is_moved_along_its_steps_and_its_channels_are_no_colours() -> None:
    ramp = np.arange(56, dtype=np.float32).reshape(1, 1, 56, 1)

    def read(sampling: Any) -> np.ndarray:
        found = moved(*map(keras.ops.convert_to_tensor, (ramp, *sampling)))
        return np.asarray(keras.ops.convert_to_numpy(found))[0, 0, :, 0]

    np.testing.assert_allclose(read(no_movement(1, 56)), ramp.ravel(), atol=1e-4)
    random = np.random.default_rng(0)
    for _ in range(20):
        where = read(random_movement(1, 56, random))
        assert 1 / 1.1 - 1e-3 <= (where[38] - where[18]) / 20 <= 1 / 0.9 + 1e-3
        assert abs(where[27:29].mean() - 27.5) <= 2 + 1e-3  # a twenty-eighth of 56
    ends = np.zeros(3, np.float32), np.ones(3, np.float32)
    one = np.zeros((1, 1, 4, 3), np.float32)
    one[..., 0] = 1
    unit = np.asarray(keras.ops.convert_to_numpy(Parameters((1, 4, 3), *ends, signal=True).unit_images(one)))
    np.testing.assert_allclose(unit[..., 1:], 0.5)


def test_differences_between_steps_are_penalised() -> None:
    rough = [
        np.abs(np.diff(convlens.maximize(make_model(), "conv", 1, steps=40, smoothness=weight).image, axis=0)).mean()
        for weight in (0.0, 30.0)
    ]
    assert rough[1] < rough[0] / 4


@pytest.mark.parametrize(
    ("options", "error", "expected"),
    [
        ({"pixel": 18}, IndexError, "have 18 steps"),
        ({"pixel": (1, 0)}, IndexError, "have 18 steps"),
        ({"size": (3, 4)}, ValueError, "number of steps"),
        ({"start": np.zeros(9)}, ValueError, "shape"),
        ({"start": "silence"}, ValueError, 'expected "noise"'),
    ],
    ids=str,
)
def test_what_cannot_be_maximised_is_refused(options: dict[str, Any], error: type[Exception], expected: str) -> None:
    with pytest.raises(error, match=expected):
        convlens.maximize(make_model(), "conv", 0, steps=1, **options)


def test_a_layer_along_other_axes_than_the_models_input_is_refused_with_what_works() -> None:
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Conv2D(2, 3), layers.Reshape((36, 2)), layers.Conv1D(2, 3, name="along")]
    )
    lens = ConvLens(np.zeros((8, 8), np.float32), model=model, layer="along")
    for ask in (lens.attribution, lambda: lens.maximize(0), lambda: lens.gradients):
        with pytest.raises(ValueError, match="reads signals that the model makes of the pictures"):
            ask()


def test_nothing_of_the_model_changes() -> None:
    model = make_model()
    lens = ConvLens(SIGNAL, model=model, layer="conv")
    weights = [np.array(w) for w in model.get_weights()]
    attributes = {layer.name: set(vars(layer)) for layer in model._flatten_layers()}
    for method in FORMULAS:
        lens.attribution(method=method)
    lens.maximize(0, steps=2)
    assert {layer.name: set(vars(layer)) for layer in model._flatten_layers()} == attributes
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
