"""Attributions and gradients equal the papers' formulas, worked out in NumPy, through edited weights as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens

layers = keras.layers
IMAGE = np.random.default_rng(3).random((8, 9, 2), dtype=np.float32) - 0.3
KERNEL = np.random.default_rng(4).normal(size=(3, 3, 2, 4)).astype(np.float32)
BIAS = np.array([0.1, -0.2, 0.3, 0.0], np.float32)
HEAD = np.random.default_rng(5).normal(size=(4, 3)).astype(np.float32)


def make_model(activation: str | None = "softmax") -> Any:
    """A rectified convolution, the mean of each map, and classes: the score is linear in the maps."""
    model = keras.Sequential(
        [
            keras.Input(IMAGE.shape),
            layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation=activation, name="classes"),
        ]
    )
    model.set_weights([KERNEL, BIAS, HEAD, np.array([0.5, 0.0, -0.5], np.float32)])
    return model


MODEL = make_model()


class ByHand:
    """The same network in NumPy, forward and backward."""

    def __init__(self, kernel: np.ndarray = KERNEL, image: np.ndarray = IMAGE) -> None:
        self.image, self.kernel = image.astype(np.float64), kernel.astype(np.float64)
        self.pre = np.zeros((6, 7, 4)) + BIAS
        for r in range(3):
            for c in range(3):
                self.pre += self.image[r : r + 6, c : c + 7] @ self.kernel[r, c]
        self.maps = np.maximum(self.pre, 0)

    def d_maps(self, target: int) -> np.ndarray:
        return np.array(np.broadcast_to(HEAD[:, target].astype(np.float64) / 42, (6, 7, 4)))

    def d_pre(self, target: int) -> np.ndarray:
        return np.asarray(self.d_maps(target) * (self.pre > 0))

    def d_image(self, target: int) -> np.ndarray:
        found = np.zeros_like(self.image)
        for r in range(3):
            for c in range(3):
                found[r : r + 6, c : c + 7] += self.d_pre(target) @ self.kernel[r, c].T
        return found

    def d_kernel(self, target: int) -> np.ndarray:
        found = np.zeros_like(self.kernel)
        for r in range(3):
            for c in range(3):
                found[r, c] = np.einsum("rci,rcf->if", self.image[r : r + 6, c : c + 7], self.d_pre(target))
        return found

    def gradcam(self, target: int) -> np.ndarray:
        weights = self.d_maps(target).mean(axis=(0, 1))
        return np.asarray(np.maximum(self.maps @ weights, 0))

    def gradcam_plus_plus(self, target: int) -> np.ndarray:
        g = self.d_maps(target)
        below = 2 * g**2 + self.maps.sum(axis=(0, 1)) * g**3
        weights = (g**2 / below * np.maximum(g, 0)).sum(axis=(0, 1))
        return np.asarray(np.maximum(self.maps @ weights, 0))

    def losses(self, target: int) -> np.ndarray:
        return np.asarray(HEAD[:, target] * self.maps.mean(axis=(0, 1)))

    def smoothgrad(self, target: int) -> np.ndarray:
        random, spread = np.random.default_rng(0), 0.15 * float(self.image.max() - self.image.min())
        total = np.zeros_like(self.image)
        for _ in range(25):
            noise = random.normal(0, spread, (1, *self.image.shape)).astype(np.float32)[0]
            total += ByHand(self.kernel, self.image + noise).d_image(target)
        return np.asarray(np.abs(total / 25).max(axis=-1))


def enlarged(values: np.ndarray) -> np.ndarray:
    """Bilinear, by Keras."""
    resized = keras.ops.image.resize(values[None, :, :, None].astype(np.float32), IMAGE.shape[:2], "bilinear")
    return np.asarray(keras.ops.convert_to_numpy(resized))[0, :, :, 0]


def open_lens(model: Any = MODEL, **options: Any) -> ConvLens:
    return ConvLens(IMAGE, model=model, layer="conv", **options)


FORMULAS: dict[str, Callable[[ByHand, int], np.ndarray]] = {
    "gradcam": lambda one, target: enlarged(one.gradcam(target)),
    "gradcam++": lambda one, target: enlarged(one.gradcam_plus_plus(target)),
    "gradients": lambda one, target: np.abs(one.d_image(target)).max(axis=-1),
    "smoothgrad": lambda one, target: one.smoothgrad(target),
    "ablation": lambda one, target: enlarged(np.maximum(one.maps @ one.losses(target), 0)),
}


@pytest.mark.parametrize("method", list(FORMULAS))
@pytest.mark.parametrize("edited", [False, True], ids=["before the edit", "after it"])
def test_an_attribution_equals_its_papers_formula(method: str, edited: bool) -> None:
    lens = open_lens()
    new = KERNEL.copy()
    new[..., 1] = -2 * new[..., 1]
    lens.set_kernel(1, new[..., 1])
    found = lens.attribution(2, method, edited=edited)
    assert (found.shape, found.dtype) == (IMAGE.shape[:2], np.dtype(np.float32))
    assert found.max() > 0
    expected = FORMULAS[method](ByHand(new if edited else KERNEL), 2)
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5 * expected.max())


def test_ablation_ranks_filters_by_what_the_class_loses() -> None:
    losses = ByHand().losses(1)
    ranking = open_lens().ablation(1)
    assert [i for i, _ in ranking] == list(np.argsort(-losses))
    np.testing.assert_allclose([loss for _, loss in ranking], np.sort(losses)[::-1], rtol=1e-4, atol=1e-6)


def test_gradients_are_those_of_the_greatest_score_by_kernels_bias_and_maps() -> None:
    lens, one = open_lens(), ByHand()
    before = lens.predictions.before
    assert before is not None
    target = int(np.argmax(before))
    found = lens.gradients
    assert found.target == target
    np.testing.assert_allclose(np.stack(found.kernels, axis=-1), one.d_kernel(target), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.bias, one.d_pre(target).sum(axis=(0, 1)), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.maps, np.moveaxis(one.d_maps(target), -1, 0), rtol=1e-5)
    np.testing.assert_allclose(found.score, (one.maps.mean(axis=(0, 1)) @ HEAD + [0.5, 0, -0.5])[target], rtol=1e-5)


def test_gradients_are_drawn_as_a_stage_in_colours_whose_middle_is_0() -> None:
    lens, one = open_lens(), ByHand()
    figure = lens.plot(stage="gradients", target=1)
    images = [ax.images[0] for ax in figure.axes]
    drawn = {ax.get_title(): np.asarray(image.get_array()) for ax, image in zip(figure.axes, images, strict=True)}
    d_kernel = one.d_kernel(1)
    for i in range(4):
        for c in range(2):
            title = f"d score 1 / d Filter {i + 1}, channel {c}"
            np.testing.assert_allclose(drawn[title], d_kernel[:, :, c, i], rtol=1e-4, atol=1e-6)
    maps = [np.asarray(image.get_array()) for image in images if np.shape(np.asarray(image.get_array())) == (6, 7)]
    np.testing.assert_allclose(maps, np.moveaxis(one.d_maps(1), -1, 0), rtol=1e-4)
    for image in images:
        most = np.abs(np.asarray(image.get_array())).max()
        assert image.get_clim() == (-most, most)
    with pytest.raises(ValueError, match="needs a model"):
        ConvLens(IMAGE[..., :1]).plot(stage="gradients")


def test_the_score_is_what_a_last_softmax_or_sigmoid_is_given() -> None:
    image = keras.Input(IMAGE.shape)
    own = make_model(None)
    apart = keras.Model(image, layers.Softmax()(own(image)))
    path = next(path for path in ConvLens(IMAGE, model=apart).layers if path.endswith("conv"))
    expected = open_lens().attribution(0)
    for model, layer in ((make_model("sigmoid"), "conv"), (own, "conv"), (apart, path)):
        np.testing.assert_allclose(ConvLens(IMAGE, model=model, layer=layer).attribution(0), expected, rtol=1e-5)


def test_an_output_is_chosen_by_name_and_place_and_a_map_counts_as_the_sum_of_its_pixels() -> None:
    image = keras.Input(IMAGE.shape)
    maps = layers.Conv2D(4, 3, activation="relu", name="conv")(image)
    classes = layers.Dense(3, name="classes")(layers.GlobalAveragePooling2D()(maps))
    pixels = layers.Conv2D(2, 1, use_bias=False, name="pixels")(maps)
    model = keras.Model(image, [classes, pixels])
    model.get_layer("conv").set_weights([KERNEL, BIAS])
    kernel = np.random.default_rng(6).normal(size=(1, 1, 4, 2)).astype(np.float32)
    model.get_layer("pixels").set_weights([kernel])
    lens = open_lens(model)
    # The sum's derivative by every pixel of map k is kernel[0, 0, k, target].
    expected = enlarged(np.maximum(ByHand().maps @ kernel[0, 0, :, 1].astype(np.float64), 0))
    for output in ("pixels", 1):
        np.testing.assert_allclose(lens.attribution(1, output=output), expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match=r"no output 'pixel'.*'classes', 'pixels'"):
        lens.attribution(output="pixel")
    with pytest.raises(ValueError, match="has 2 outputs"):
        lens.attribution(output=2)


def test_what_cannot_be_asked_is_refused() -> None:
    lens = open_lens()
    with pytest.raises(ValueError, match=r"target=3 was given.*3 classes, 0 to 2"):
        lens.attribution(3)
    with pytest.raises(ValueError, match=r"method='lime'.*'gradcam'"):
        lens.attribution(method="lime")
    with pytest.raises(ValueError, match="needs a model"):
        ConvLens(IMAGE[:, :, :1]).attribution()


def test_nothing_of_the_model_changes() -> None:
    lens = open_lens()
    weights = [np.array(w) for w in MODEL.get_weights()]
    attributes = {layer.name: set(vars(layer)) for layer in MODEL._flatten_layers()}
    for method in FORMULAS:
        lens.attribution(method=method)
    assert lens.gradients.score
    assert {layer.name: set(vars(layer)) for layer in MODEL._flatten_layers()} == attributes
    for before, after in zip(weights, MODEL.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf-keras-vis knows TensorFlow alone")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_grad_cam_equals_that_of_tf_keras_vis() -> None:
    gradcam = pytest.importorskip("tf_keras_vis.gradcam").Gradcam
    score = pytest.importorskip("tf_keras_vis.utils.scores").CategoricalScore(2)
    # Its Grad-CAM++ divides each map's weights by their sum, which the paper's formula above does not.
    model = make_model(None)
    theirs = gradcam(model)(score, IMAGE[None], penultimate_layer="conv", normalize_cam=False, expand_cam=False)
    expected = enlarged(np.asarray(theirs)[0])
    np.testing.assert_allclose(open_lens(model).attribution(2), expected, rtol=1e-3, atol=1e-5 * expected.max())
