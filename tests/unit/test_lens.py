"""What a user may rely on of `ConvLens` in Python: numbers, editing, history, and that nothing of theirs changes."""

from __future__ import annotations

from typing import Any

import keras
import matplotlib
import numpy as np
import pytest
import traitlets
from ipywidgets import HBox
from matplotlib import cbook

from convlens import ConvLens, apply_filter, presets
from tests.unit.keras_sweep import maps, numpy

BASE = np.array([[-1, -1, 1, 1]] * 4)
TUTORIAL = [BASE, -BASE, BASE.T, -BASE.T]


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    """Grey photograph in [0, 1], as the tutorial makes it."""
    from PIL import Image

    with Image.open(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)) as picture:
        return np.asarray(picture.convert("L")) / 255


@pytest.fixture
def small() -> np.ndarray:
    return np.random.default_rng(0).random((12, 10)).astype(np.float32)


def conv(filters: int, size: int, channels: int = 1, **settings: Any) -> keras.layers.Conv2D:
    layer = keras.layers.Conv2D(filters, size, **settings)
    layer.build((None, None, None, channels))
    return layer


#: How far two orders of adding the 16 taps of a tutorial's kernel may lie apart: each rounds by half of float32's step.
SUM_OF_16 = 2 * 16 * float(np.finfo(np.float32).eps)


def test_activations_equal_the_tutorials_own_four_lines(photograph: np.ndarray) -> None:
    rows, cols = photograph.shape
    model = keras.Sequential([keras.Input((rows, cols, 1)), keras.layers.Conv2D(1, (4, 4), activation="relu")])
    lens = ConvLens(photograph, TUTORIAL)
    for i, kernel in enumerate(TUTORIAL):
        model.layers[0].set_weights([np.reshape(kernel, (4, 4, 1, 1)), np.array([0])])
        expected = np.squeeze(numpy(model(np.reshape(photograph, (1, rows, cols, 1)))))
        np.testing.assert_allclose(lens.activations[i], expected, rtol=1e-5, atol=SUM_OF_16)


def test_a_5x5_image_and_a_2x2_kernel_give_what_pencil_and_paper_give() -> None:
    image = np.array(
        [[0, 1, 2, 3, 4], [1, 0, 0, 0, 1], [2, 0, 5, 0, 2], [1, 0, 0, 0, 1], [4, 3, 2, 1, 0]], dtype=np.float32
    )
    kernel = [[1, 2], [-1, 0]]
    # out[r][c] = 1·image[r][c] + 2·image[r][c+1] − 1·image[r+1][c] + bias, with bias −1
    expected = [
        [0 + 2 - 1 - 1, 1 + 4 - 0 - 1, 2 + 6 - 0 - 1, 3 + 8 - 0 - 1],
        [1 + 0 - 2 - 1, 0 + 0 - 0 - 1, 0 + 0 - 5 - 1, 0 + 2 - 0 - 1],
        [2 + 0 - 1 - 1, 0 + 10 - 0 - 1, 5 + 0 - 0 - 1, 0 + 4 - 0 - 1],
        [1 + 0 - 4 - 1, 0 + 0 - 3 - 1, 0 + 0 - 2 - 1, 0 + 2 - 1 - 1],
    ]
    lens = ConvLens(image, [kernel], bias=[-1])
    np.testing.assert_array_equal(lens.pre_activations[0], expected)
    np.testing.assert_array_equal(lens.activations[0], np.maximum(expected, 0))


def test_without_kernels_the_lens_shows_the_tutorials_four(photograph: np.ndarray) -> None:
    lens = ConvLens(photograph)
    for kernel, expected in zip(lens.kernels, TUTORIAL, strict=True):
        np.testing.assert_array_equal(kernel, expected)


def test_a_colour_photograph_becomes_luminance_for_flat_kernels_and_says_so() -> None:
    path = cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    lens = ConvLens(path)
    assert lens.image.shape == (600, 512, 1)
    assert any("luminance" in note for note in lens._image["notes"])


def test_colour_kernels_read_three_channels() -> None:
    image = np.random.default_rng(1).random((9, 8, 3)).astype(np.float32)
    kernels = list(np.random.default_rng(2).normal(size=(2, 3, 3, 3)).astype(np.float32))
    layer = conv(2, 3, 3, activation="relu")
    layer.set_weights([np.stack(kernels, axis=-1), np.zeros(2)])
    lens = ConvLens(image, kernels)
    expected = maps(layer(image[np.newaxis]))
    np.testing.assert_allclose(lens.activations, expected, rtol=1e-5, atol=1e-6)
    assert lens.kernels[0].shape == (3, 3, 3)


@pytest.mark.parametrize(
    "settings",
    [
        {"strides": 2},
        {"strides": (2, 1), "padding": "same"},
        {"dilation_rate": (2, 3)},
        {"padding": "SAME", "activation": "tanh"},
        {"activation": None},
        {"activation": keras.activations.gelu},
        {"activation": "softmax"},
    ],
)
def test_layer_arguments_mean_what_they_mean_in_keras(small: np.ndarray, settings: dict[str, Any]) -> None:
    kernels = list(np.random.default_rng(3).normal(size=(3, 3, 3)).astype(np.float32))
    layer = conv(3, 3, **({"activation": "relu"} | settings))
    layer.set_weights([np.stack(kernels, axis=-1)[:, :, np.newaxis], np.array([0.5, 0, -0.5])])
    lens = ConvLens(small, kernels, bias=[0.5, 0, -0.5], **settings)
    expected = maps(layer(small[np.newaxis, :, :, np.newaxis]))
    np.testing.assert_allclose(lens.activations, expected, rtol=1e-5, atol=1e-6)


def test_weights_go_into_a_layer_of_as_many_filters_and_come_back(small: np.ndarray) -> None:
    lens = ConvLens(small, TUTORIAL, bias=[1, 2, 3, 4])
    layer = conv(4, 4)
    layer.set_weights(lens.get_weights())
    other = ConvLens(small, [np.zeros((4, 4))] * 4)
    other.set_weights(layer.get_weights())
    np.testing.assert_array_equal(other.kernels, TUTORIAL)
    np.testing.assert_array_equal(other.bias, [1, 2, 3, 4])


def test_a_flat_kernel_in_set_weights_raises_keras_own_words_and_the_reshape_that_mends_it(small: np.ndarray) -> None:
    layer = conv(1, 4)
    lens = ConvLens(small, layer=layer)
    with pytest.raises(ValueError) as ours:
        lens.set_weights([BASE, np.array([0])])
    with pytest.raises(ValueError) as keras_own:
        layer.set_weights([BASE, np.array([0])])
    assert str(keras_own.value) in str(ours.value)
    assert "np.reshape(kernel, (4, 4, 1, 1))" in str(ours.value)


def test_four_kernels_go_through_a_layer_of_one_filter_which_is_not_touched(small: np.ndarray) -> None:
    layer = conv(1, 4, activation="relu")
    before = [w.copy() for w in layer.get_weights()]
    lens = ConvLens(small, TUTORIAL, layer=layer)
    lens.set_kernel(2, np.ones((4, 4)))
    assert lens.activations.shape == (4, 9, 7)
    assert lens.layer is layer
    for now, then in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    with pytest.raises(ValueError, match="has 1 kernel"):
        lens.apply()


def test_a_layer_shows_its_own_kernels_and_changes_only_on_apply(small: np.ndarray) -> None:
    layer = conv(2, 3, activation="relu")
    before = [w.copy() for w in layer.get_weights()]
    lens = ConvLens(small, layer=layer)
    np.testing.assert_array_equal(lens.kernels[1], before[0][:, :, 0, 1])
    lens.set_kernel(0, presets["sobel_x"])
    np.testing.assert_array_equal(layer.get_weights()[0], before[0])
    lens.apply()
    np.testing.assert_array_equal(layer.get_weights()[0][:, :, 0, 0], presets["sobel_x"])
    lens.restore()
    np.testing.assert_array_equal(layer.get_weights()[0], before[0])


def test_a_layer_that_is_not_built_serves_as_settings(small: np.ndarray) -> None:
    layer = keras.layers.Conv2D(1, 4, strides=2, activation="relu")
    lens = ConvLens(small, TUTORIAL, layer=layer)
    assert lens.activations.shape == (4, 5, 4)
    assert not layer.built


def test_what_the_user_passed_in_is_never_changed(small: np.ndarray) -> None:
    image, kernels, bias = small.copy(), [k.astype(float) for k in TUTORIAL], np.ones(4)
    lens = ConvLens(image, kernels, bias=bias)
    state = np.random.get_state(legacy=False)["state"]["key"].copy()
    lens.kernels = [k * 2 for k in kernels]
    lens.bias = [0, 0, 0, 0]
    _ = lens.activations
    np.testing.assert_array_equal(image, small)
    np.testing.assert_array_equal(kernels, TUTORIAL)
    np.testing.assert_array_equal(bias, np.ones(4))
    np.testing.assert_array_equal(np.random.get_state(legacy=False)["state"]["key"], state)


def test_changing_the_users_array_later_does_not_change_the_lens(small: np.ndarray) -> None:
    kernel = np.ones((3, 3))
    lens = ConvLens(small, [kernel])
    kernel[:] = 7
    assert lens.kernels[0].max() == 1


@pytest.mark.parametrize("attribute", ["image", "bias", "activations", "pre_activations"])
def test_writing_into_an_array_of_the_lens_raises_numpys_error(small: np.ndarray, attribute: str) -> None:
    lens = ConvLens(small, TUTORIAL)
    with pytest.raises(ValueError, match="read-only"):
        getattr(lens, attribute)[0] = 5
    with pytest.raises(ValueError, match="read-only"):
        lens.kernels[0][1, 2] = 5


def test_assigned_kernels_give_keras_maps_for_those_kernels(small: np.ndarray) -> None:
    lens = ConvLens(small, TUTORIAL)
    lens.kernels = [k.T for k in TUTORIAL]
    np.testing.assert_allclose(lens.activations, ConvLens(small, [k.T for k in TUTORIAL]).activations)


def test_another_number_and_size_of_kernels_may_be_assigned(small: np.ndarray) -> None:
    lens = ConvLens(small, TUTORIAL)
    lens.kernels = [np.ones((3, 5))] * 6
    assert lens.activations.shape == (6, 10, 6)
    assert len(lens.names) == len(set(lens.names)) == 6
    lens.undo()
    np.testing.assert_array_equal(lens.kernels, TUTORIAL)


def test_kernels_are_added_removed_and_moved_with_their_names_bias_and_maps(small: np.ndarray) -> None:
    lens = ConvLens(small, TUTORIAL, bias=[1, 2, 3, 4], names=list("abcd"))
    maps = lens.activations
    lens.move_kernel(0, 2)
    assert lens.names == list("bcad")
    np.testing.assert_array_equal(lens.bias, [2, 3, 1, 4])
    np.testing.assert_array_equal(lens.activations, maps[[1, 2, 0, 3]])
    lens.remove_kernel(1)
    assert lens.names == list("bad")
    lens.add_kernel(np.ones((4, 4)), "sum")
    assert lens.names == ["b", "a", "d", "sum"]
    assert lens.bias[3] == 0
    np.testing.assert_allclose(lens.pre_activations[3, 0, 0], small[:4, :4].sum(), rtol=1e-5)


def test_the_last_kernel_stays(small: np.ndarray) -> None:
    lens = ConvLens(small, [BASE])
    with pytest.raises(ValueError, match="last filter"):
        lens.remove_kernel(0)


def test_undo_redo_and_reset_cover_every_edit(small: np.ndarray) -> None:
    lens = ConvLens(small, TUTORIAL)
    lens.set_kernel(0, np.ones((4, 4)))
    lens.bias = [1, 1, 1, 1]
    lens.remove_kernel(3)
    lens.names = ["x", "y", "z"]
    after = lens.activations
    for _ in range(4):
        lens.undo()
    np.testing.assert_array_equal(lens.kernels, TUTORIAL)
    np.testing.assert_array_equal(lens.bias, 0)
    lens.undo()  # nothing left: nothing happens
    for _ in range(4):
        lens.redo()
    assert lens.names == ["x", "y", "z"]
    np.testing.assert_array_equal(lens.activations, after)
    lens.reset()
    np.testing.assert_array_equal(lens.kernels, TUTORIAL)
    lens.undo()
    assert lens.names == ["x", "y", "z"]


def test_observers_hear_of_changes_as_for_any_trait(small: np.ndarray) -> None:
    lens = ConvLens(small, TUTORIAL)
    heard: list[str] = []
    for name in ("kernels", "bias", "names", "image", "activations"):
        lens.observe(lambda change: heard.append(change["name"]), name)
    lens.set_kernel(0, np.ones((4, 4)))
    assert heard == ["kernels", "activations"]
    heard.clear()
    lens.bias = [1, 0, 0, 0]
    assert heard == ["bias", "activations"]
    heard.clear()
    lens.names = list("wxyz")
    assert heard == ["names"]
    heard.clear()
    lens.image = small[::-1]
    assert heard == ["image", "activations"]


def test_an_assignment_that_changes_nothing_is_no_step(small: np.ndarray) -> None:
    lens = ConvLens(small, TUTORIAL)
    lens.kernels = TUTORIAL
    lens.bias = np.zeros(4)
    lens.undo()
    np.testing.assert_array_equal(lens.kernels, TUTORIAL)
    assert lens._session.history.counts == {"undo": 0, "redo": 0}


def test_two_lenses_can_be_linked_and_nested(small: np.ndarray) -> None:
    one, two = ConvLens(small, TUTORIAL), ConvLens(small, TUTORIAL)
    traitlets.link((one, "kernels"), (two, "kernels"))
    one.set_kernel(1, np.zeros((4, 4)))
    np.testing.assert_array_equal(two.kernels[1], 0)
    HBox([one, two], layout={"width": "50%"})


def test_a_new_image_gives_new_maps_and_keeps_the_kernels(small: np.ndarray) -> None:
    lens = ConvLens(small, TUTORIAL)
    lens.pixel = (8, 6)
    lens.image = (np.arange(64).reshape(8, 8) * 4).astype(np.uint8)
    pixel: Any = lens.pixel
    assert pixel is None  # it lay outside
    assert lens.image.max() == np.float32(252 / 255)
    np.testing.assert_allclose(lens.activations, ConvLens(lens.image, TUTORIAL).activations)


def test_nan_and_infinity_are_accepted_and_reach_keras(small: np.ndarray) -> None:
    image = small.copy()
    image[0, 0] = np.nan
    lens = ConvLens(image, [[[np.inf, 0], [0, 0]]], activation="linear")
    assert np.isnan(lens.activations[0, 0, 0])
    assert np.isposinf(lens.activations[0, 5, 5])


def test_the_explained_pixel_sums_to_keras_value(small: np.ndarray) -> None:
    lens = ConvLens(small, TUTORIAL, padding="same", bias=[0.25, 0, 0, 0])
    taken = lens.explain(0, 0, 0)
    assert taken.products.sum() + 0.25 == pytest.approx(lens.pre_activations[0, 0, 0], rel=1e-5, abs=1e-6)
    assert not taken.inside.all()


@pytest.mark.parametrize(
    ("keyword", "text"),
    [("stride", "strides"), ("kernel", "kernels"), ("colormap", "cmap"), ("xyz", "Keywords are")],
)
def test_a_misspelt_keyword_is_an_error_that_names_the_right_one(small: np.ndarray, keyword: str, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        ConvLens(small, **dict[str, Any]({keyword: 1}))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"strides": 0}, "strides"),
        ({"strides": (1, 2, 3)}, "strides"),
        ({"padding": "full"}, "padding"),
        ({"dilation_rate": 1.5}, "dilation_rate"),
        ({"strides": 2, "dilation_rate": 2}, "only one of them"),
        ({"activation": "reluu"}, "reluu"),
        ({"kernels": [np.ones((13, 3))]}, "13"),
        ({"bias": [1]}, "bias"),
        ({"preprocess": abs}, "model"),
    ],
)
def test_arguments_that_cannot_work_are_refused_at_once(
    small: np.ndarray, arguments: dict[str, Any], text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        ConvLens(small, **({"kernels": TUTORIAL} | arguments))


def test_settings_beside_a_layer_are_refused(small: np.ndarray) -> None:
    with pytest.raises(ValueError, match="strides was given together with layer="):
        ConvLens(small, layer=conv(1, 3), strides=2)


@pytest.mark.parametrize(
    ("attribute", "value", "error"),
    [
        ("kernels", [BASE, np.ones((3, 3))], ValueError),
        ("kernels", [], ValueError),
        ("bias", [1, 2], ValueError),
        ("names", ["a"], ValueError),
        ("image", np.zeros((3, 3)), ValueError),
        ("cmap", "grey scale", traitlets.TraitError),
        ("value_range", "mine", traitlets.TraitError),
        ("stage", "relu", traitlets.TraitError),
        ("kernel_cmap", "grey scale", traitlets.TraitError),
        ("view", "list", traitlets.TraitError),
        ("overlay", 1.5, traitlets.TraitError),
        ("overlay", True, traitlets.TraitError),
        ("selected", 4, IndexError),
        ("pixel", (99, 0), ValueError),
        ("activations", 0, traitlets.TraitError),
        ("layer_path", "conv", ValueError),
    ],
)
def test_a_refused_assignment_leaves_the_lens_as_it_was(
    small: np.ndarray, attribute: str, value: object, error: type[Exception]
) -> None:
    lens = ConvLens(small, TUTORIAL)
    before, maps = getattr(lens, attribute), lens.activations
    with pytest.raises(error):
        setattr(lens, attribute, value)
    np.testing.assert_array_equal(getattr(lens, attribute), before)
    np.testing.assert_array_equal(lens.activations, maps)
    assert lens._session.history.counts == {"undo": 0, "redo": 0}


def test_setting_the_bias_of_a_layer_without_one_is_an_error(small: np.ndarray) -> None:
    lens = ConvLens(small, layer=conv(2, 3, use_bias=False))
    np.testing.assert_array_equal(lens.bias, 0)
    with pytest.raises(ValueError, match="use_bias=False"):
        lens.bias = [1, 1]


def test_its_text_says_what_is_looked_at(small: np.ndarray) -> None:
    text = repr(ConvLens(small, TUTORIAL))
    assert text == "ConvLens: Conv2D, 4 filters of 4 × 4 on 12 × 10 × 1 → maps of 9 × 7 (relu)"


def test_kernels_view_and_overlay_are_set_as_arguments_and_as_attributes(small: np.ndarray) -> None:
    lens = ConvLens(small, kernel_cmap="PiYG", view="focus", overlay=1)
    assert (lens.kernel_cmap, lens.view, lens.overlay) == ("PiYG", "focus", 1.0)
    lens.kernel_cmap, lens.view, lens.overlay = "cividis_r", "grid", 0.25
    assert (lens.kernel_cmap, lens.view, lens.overlay) == ("cividis_r", "grid", 0.25)
    lens.kernel_cmap = None
    assert lens.kernel_cmap is None
    state = lens.get_state(("kernel_cmap", "view", "overlay"))
    assert state == {"kernel_cmap": None, "view": "grid", "overlay": 0.25}
    # As Matplotlib indexes its tables.
    expected = (matplotlib.colormaps["PiYG"]((np.arange(256) + 0.5) / 256)[:, :3] * 255).astype(np.uint8)
    assert lens._cmaps["PiYG"] == expected.tobytes()


@pytest.mark.parametrize("name", ["strides", "dilation_rate"])
@pytest.mark.parametrize("value", [2**31, 10**30, 1e300])
def test_steps_that_would_abort_the_process_are_refused(small: np.ndarray, name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        ConvLens(small, **{name: value})  # type: ignore[arg-type]


def test_close_lets_go_of_the_layer(small: np.ndarray) -> None:
    import gc
    import weakref

    layer = conv(1, 3)
    lens = ConvLens(small, layer=layer)
    _ = lens.activations
    seen = weakref.ref(layer)
    lens.close()
    del layer, lens
    gc.collect()
    assert seen() is None


def test_apply_filter_draws_the_filter_it_is_asked_for(photograph: np.ndarray) -> None:
    from matplotlib.figure import Figure

    axes = Figure().subplots(1, 4)
    lens = ConvLens(photograph, TUTORIAL)
    for k in (3, 1, 0, 2):  # the tutorial's own version reads a global called i
        apply_filter(photograph, k, TUTORIAL, axes[k])
    for k in range(4):
        np.testing.assert_allclose(axes[k].images[0].get_array(), lens.activations[k], rtol=1e-5, atol=SUM_OF_16)
