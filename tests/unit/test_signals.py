"""A lens on a signal: what goes in and out is as Keras's layers over one axis have it, and equals what they compute."""

from __future__ import annotations

import json
import pathlib
import subprocess
from typing import Any

import keras
import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convlens import ConvLens
from convlens.maths.one_row import kernel_shown
from tests.unit.keras_sweep import Array, close, numpy, short, snapshot
from tests.unit.test_signal_layers import signal_layers

EDGE, MEAN = [-1.0, 0.0, 1.0], [1 / 3, 1 / 3, 1 / 3]
RNG = np.random.default_rng(18)
SIGNAL = RNG.standard_normal(30).astype(np.float32)
STEREO = RNG.standard_normal((30, 2)).astype(np.float32)


def correlated(signal: Array, kernel: Any) -> Array:
    """What a filter of one channel makes of a signal without padding, by NumPy."""
    return np.correlate(signal.astype(np.float64), np.asarray(kernel, np.float64), "valid")


def user_model() -> Any:
    """A model of every kind of layer over signals, with a pooling between them."""
    keras.utils.set_random_seed(18)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((30, 2)),
            layers.Conv1D(3, 5, padding="causal", activation="relu", name="plain"),
            layers.MaxPooling1D(2),
            layers.SeparableConv1D(4, 3, padding="same", name="separable"),
            layers.Conv1DTranspose(3, 3, strides=2, activation="tanh", name="transposed"),
            layers.DepthwiseConv1D(3, depth_multiplier=2, name="depthwise"),
            layers.GlobalAveragePooling1D(),
            layers.Dense(3, activation="softmax"),
        ]
    )


def test_a_signal_and_kernels_of_one_axis_need_no_other_word() -> None:
    lens = ConvLens(SIGNAL, [EDGE, MEAN], activation="linear")
    assert lens.image.shape == (30,) and lens.activations.shape == (2, 28)
    np.testing.assert_array_equal(lens.image, SIGNAL)
    assert [kernel.tolist() for kernel in lens.kernels] == [EDGE, np.array(MEAN, np.float32).tolist()]
    close(lens.activations, np.stack([correlated(SIGNAL, EDGE), correlated(SIGNAL, MEAN)]))
    assert isinstance(lens.layer, keras.layers.Conv1D)
    assert [w.shape for w in lens.get_weights()] == [(3, 1, 2), (2,)]
    assert "Conv1D, 2 filters of 3 on 30 × 1 → maps of 28" in repr(lens)


@pytest.mark.parametrize(
    ("image", "kernels", "channels"),
    [
        (SIGNAL[:, None], [EDGE], 1),
        (SIGNAL[None], None, 1),
        (SIGNAL.tolist(), [EDGE, MEAN], 1),
        (SIGNAL, np.array([EDGE, MEAN]), 1),
        (SIGNAL, np.array([EDGE, MEAN]).T[:, None, :], 1),
        (STEREO, [np.ones((3, 2))], 2),
        (STEREO[None], [np.ones((3, 2))], 2),
        (STEREO, np.ones((5, 3, 2)), 2),
        (STEREO, None, 2),
    ],
)
def test_what_is_taken_for_a_signal(image: Any, kernels: Any, channels: int) -> None:
    lens = ConvLens(image, kernels, ndim=1)
    assert lens.image.shape == ((30,) if channels == 1 else (30, channels))
    assert lens.kernels[0].shape[1:] == (() if channels == 1 else (channels,))
    assert lens.activations.shape == (len(lens.kernels), 30 - len(lens.kernels[0]) + 1)


@pytest.mark.parametrize(
    ("image", "options", "text"),
    [
        (SIGNAL, {}, "ndim=1"),
        (SIGNAL, {"kernels": [np.ones((3, 3))]}, "ndim=1"),
        (STEREO, {"kernels": [EDGE]}, r"kernels \(k, channels\) and ndim=1"),
        (STEREO, {"kernels": [EDGE], "ndim": 1}, r"signal\[:, 0\]"),
        (STEREO.T, {"kernels": [np.ones((3, 2))], "ndim": 1}, r"signal\.T"),
        (SIGNAL, {"kernels": [np.ones((3, 2))], "ndim": 1}, r"np\.stack\(\[signal\] \* 2"),
        (np.ones((4, 30, 2)), {"ndim": 1}, r"batch of 4 signals.*signal\[0\]"),
        ("song.wav", {"ndim": 1}, r"scipy\.io\.wavfile\.read"),
        (np.zeros((0,)), {"ndim": 1}, "empty"),
        (SIGNAL, {"kernels": EDGE}, r"\[kernel\]"),
        (SIGNAL, {"kernels": [EDGE, [1.0, 2.0]]}, "kernels\\[1\\] has 2 taps, but kernels\\[0\\] has 3"),
        (SIGNAL, {"kernels": [np.ones(40)]}, "40 taps: more than the signal of 30 steps"),
        (SIGNAL, {"kernels": [EDGE], "padding": "full"}, "'causal'"),
        (SIGNAL, {"kernels": [EDGE], "strides": (1, 2, 3)}, "strides"),
        (SIGNAL, {"kernels": [EDGE], "strides": 2, "dilation_rate": 2}, "strides=2 and dilation_rate=2"),
        (SIGNAL, {"kernels": [EDGE], "ndim": 3}, "ndim=3"),
        (
            np.ones((8, 8)),
            {"layer": keras.layers.Conv2D(1, 3), "kernels": [np.ones((3, 3))], "ndim": 1},
            "the layer takes a picture",
        ),
    ],
)
def test_what_is_refused_and_how_it_is_mended(image: Any, options: dict[str, Any], text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=text):
        ConvLens(image, **options)


def test_causal_padding_of_the_lenss_own_layer() -> None:
    lens = ConvLens(SIGNAL, [EDGE], padding="causal", dilation_rate=2, activation="linear")
    late = np.concatenate([np.zeros(4, np.float32), SIGNAL])
    close(lens.activations[0], late[4:] - late[:-4])
    assert lens.explain(0, 1).inside.tolist() == [False, False, True]


@settings(deadline=None, max_examples=short(25))
@given(
    steps=st.integers(6, 24),
    taps=st.integers(1, 4),
    channels=st.integers(1, 3),
    padding=st.sampled_from(["valid", "same", "causal"]),
    stretched=st.sampled_from(["strides", "dilation_rate"]),
    by=st.integers(1, 2),
)
def test_the_lenss_own_layer_computes_what_keras_does(
    steps: int, taps: int, channels: int, padding: str, stretched: str, by: int
) -> None:
    rng = np.random.default_rng(steps)
    signal = rng.standard_normal((steps, channels)).astype(np.float32)
    kernels = rng.standard_normal((2, taps, channels)).astype(np.float32)
    options: dict[str, Any] = {"padding": padding, stretched: by}
    lens = ConvLens(signal, list(kernels[..., 0] if channels == 1 else kernels), ndim=1, **options)
    layer = keras.layers.Conv1D(2, taps, activation="relu", **options)
    layer.build((None, steps, channels))
    layer.set_weights([np.moveaxis(kernels, 0, -1), np.zeros(2)])
    close(lens.activations, numpy(layer(signal[np.newaxis]))[0].T)
    for step in (0, lens.activations.shape[1] - 1):
        found = lens.explain(1, step)
        assert found.agrees
        read = np.where(found.inside[:, None], signal[np.clip(np.array(found.window), 0, steps - 1)], 0)
        np.testing.assert_array_equal(found.patch, read)


@pytest.mark.parametrize("kind", ["conv1d", "depthwise1d", "separable1d", "transpose1d"])
def test_a_layer_shows_what_it_computes_and_stays_as_it_is(kind: str) -> None:
    for layer, signal in signal_layers(kind, 3, seed=18):
        own, new = layer.get_weights(), [RNG.standard_normal(w.shape).astype(np.float32) for w in layer.get_weights()]
        expected = numpy(layer(signal[np.newaxis]))[0].T
        layer.set_weights(new)
        edited = numpy(layer(signal[np.newaxis]))[0].T
        layer.set_weights(own)
        before = snapshot(layer)
        lens = ConvLens(signal, layer=layer)
        close(lens.activations, expected)
        kernel = lens.kernels[0]
        assert kernel.ndim == (1 if lens._session.geometry.kernel_channels == 1 else 2)
        for ours, own in zip(lens.get_weights(), layer.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, own)
        lens.set_weights(new)
        assert snapshot(layer) == before
        close(lens.activations, edited)
        lens.undo()
        close(lens.activations, expected)
        lens.redo()
        lens.apply()
        close(layer.get_weights()[0], new[0])
        lens.restore()
        assert snapshot(layer) == before


@pytest.mark.parametrize("path", ["plain", "separable", "transposed", "depthwise"])
def test_a_layer_inside_a_model(path: str) -> None:
    model = user_model()
    before = snapshot(model)
    lens = ConvLens(STEREO, model=model, layer=path)
    assert lens.layers == ["plain", "separable", "transposed", "depthwise"]
    inside = keras.Model(model.inputs[0], model.get_layer(path).output)
    close(lens.activations, numpy(inside(STEREO[np.newaxis]))[0].T)
    new = [w + 0.5 for w in lens.get_weights()]
    lens.set_weights(new)
    assert snapshot(model) == before
    found = lens.predictions
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    close(found.before, numpy(clone(STEREO[np.newaxis]))[0])
    clone.get_layer(path).set_weights(new)
    close(found.after, numpy(clone(STEREO[np.newaxis]))[0])
    assert found.before is not None and found.after is not None and not np.allclose(found.before, found.after)


@pytest.mark.parametrize("path", ["plain", "separable", "transposed", "depthwise"])
def test_an_explanation_adds_up_to_kerass_number_and_names_the_steps_it_rests_on(path: str) -> None:
    model = user_model()
    lens = ConvLens(STEREO, model=model, layer=path)
    inside = keras.Model(model.inputs[0], model.get_layer(path).output)
    for step in (0, 7):
        found = lens.explain(1, step)
        assert found.pixel == step and found.agrees
        size = len(lens.kernels[0])
        assert found.patch.shape == found.kernel.shape == found.products.shape == (size, found.patch.shape[1])
        assert np.shape(found.window) == found.inside.shape == (size,)
        field = found.receptive_field
        assert field.steps is not None and field.inside is not None
        # A change of any step outside the field leaves Keras's number as it is; a change of all inside it does not.
        other = STEREO.copy()
        other[[at for at in range(30) if at not in field.inside[0]]] = 9
        close(numpy(inside(other[np.newaxis]))[0, step, 1], found.activation)


def test_a_signal_of_one_channel_without_an_axis_for_it() -> None:
    layers = keras.layers
    steps = keras.Input((16,))
    model = keras.Model(steps, layers.Flatten()(layers.Conv1D(2, 3, name="c")(layers.Reshape((16, 1))(steps))))
    signal = SIGNAL[:16]
    lens = ConvLens(signal, model=model)
    assert lens.image.shape == (16,)
    close(lens.predictions.before, numpy(model(signal[np.newaxis]))[0])


def test_a_layer_over_signals_behind_layers_over_pictures() -> None:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6, 8, 1)),
            layers.Conv2D(2, 3, name="two"),
            layers.Reshape((24, 2)),
            layers.Conv1D(3, 4, name="one"),
        ]
    )
    picture = RNG.standard_normal((6, 8)).astype(np.float32)
    lens = ConvLens(picture, model=model)
    seen: list[Any] = []
    lens.observe(seen.append, "kernels")
    lens.pixel = (1, 2)
    lens.layer_path = "one"
    assert lens.pixel is None and lens.image.shape == (6, 8, 1)
    assert seen[-1]["old"][0].shape == (3, 3) and seen[-1]["new"][0].shape == (4, 2)
    close(lens.activations, numpy(model(picture[None, ..., None]))[0].T)
    lens.pixel = 3
    lens.layer_path = "two"
    assert lens.pixel is None and lens.kernels[0].shape == (3, 3)


def test_a_signal_of_another_length_is_not_stretched() -> None:
    with pytest.raises(ValueError, match=r"29 steps, but the model takes 30.*np\.pad"):
        ConvLens(STEREO[:29], model=user_model())
    with pytest.raises(ValueError, match=r"31 steps.*signal\[:30\]"):
        ConvLens(np.ones((31, 2)), model=user_model())


def test_preprocess_gets_the_signal_as_the_lens_shows_it() -> None:
    given: list[tuple[int, ...]] = []

    def louder(signal: Array) -> Array:
        given.append(signal.shape)
        return signal[:30] * 2

    model = user_model()
    lens = ConvLens(np.concatenate([STEREO, STEREO]), model=model, preprocess=louder)
    assert given[0] == (60, 2)
    close(lens.predictions.before, numpy(model(2 * STEREO[np.newaxis]))[0])


def test_a_pinned_pixel_is_a_step() -> None:
    lens = ConvLens(SIGNAL, [EDGE])
    for at in (5, (5,), (0, 5), np.int64(5)):
        lens.pixel = at
        assert lens.pixel == 5
    assert lens.get_state("pixel")["pixel"] == (0, 5)
    for wrong in (28, -1, (1, 5), "5", 2.5, True):
        with pytest.raises(ValueError, match=r"[sS]tep"):
            lens.pixel = wrong
    with pytest.raises(TypeError, match=r"explain\(i, step\)"):
        lens.explain(0, 0, 5)
    with pytest.raises(IndexError, match="28 steps"):
        lens.explain(0, 28)


def test_editing_the_list_of_kernels() -> None:
    lens = ConvLens(SIGNAL, [EDGE])
    lens.set_kernel(0, [1, 2, 3])
    lens.add_kernel(MEAN, "mean")
    assert [kernel.shape for kernel in lens.kernels] == [(3,), (3,)]
    lens.kernels[1] = [0, 0, 1]
    with pytest.raises(ValueError, match="has 2 taps"):
        lens.set_kernel(0, [1, 2])
    lens.kernels = [[1.0, 1.0]]
    assert lens.activations.shape == (1, 29)
    lens.image = STEREO[:, 0]
    close(lens.pre_activations[0], correlated(STEREO[:, 0], [1, 1]))


@pytest.mark.parametrize("framework", ["keras", "numpy"])
@pytest.mark.parametrize("kind", ["conv1d", "depthwise1d", "separable1d", "transpose1d"])
def test_the_program_makes_the_same_maps(kind: str, framework: str) -> None:
    mpl.use("agg")
    for layer, signal in signal_layers(kind, 2, seed=4):
        lens = ConvLens(signal, layer=layer)
        if not lens._session.geometry.exact:
            continue
        made: dict[str, Any] = {}
        exec(lens.to_code(framework), made)
        np.testing.assert_allclose(made["activations"], lens.activations, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["conv1d", "depthwise1d"])
def test_the_browsers_linear_update_of_a_signal_is_what_keras_computes(kind: str, tmp_path: pathlib.Path) -> None:
    cases, expected = [], []
    for layer, signal in signal_layers(kind, 12, seed=9):
        lens = ConvLens(signal, layer=layer)
        geometry, before = lens._session.geometry, lens._session.filters
        if not geometry.previewable:
            continue
        kernel = before.kernel_at(0)
        first = {"kernel": kernel.reshape(-1).tolist(), "bias": float(before[0].bias)}
        edited = kernel.copy()
        edited.reshape(-1)[0] += 0.5
        steps = [{**first, "kernel": edited.reshape(-1).tolist()}]
        lens.set_kernel(0, kernel_shown(edited, 1))
        shape = {"geometry": geometry.to_wire(), "firstChannel": 0, "image": signal.reshape(-1).tolist()}
        cases.append({**shape, **first, "steps": steps})
        expected.append((lens.pre_activations[0], lens.activations[0]))
    file = tmp_path / "cases.json"
    file.write_text(json.dumps(cases))
    root = pathlib.Path(__file__).parents[2]
    command = ["node", str(root / "js" / "tests" / "run-preview.mjs"), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found) == len(expected) > 2
    for (_, after), (pre, act) in zip(found, expected, strict=True):
        np.testing.assert_allclose(after["pre"], pre, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(after["activation"], act, rtol=1e-4, atol=1e-5)


def test_figures_draw_curves(tmp_path: pathlib.Path) -> None:
    lens = ConvLens(STEREO, [np.ones((3, 2)), -np.ones((3, 2))], ndim=1)
    figure = lens.plot()
    drawn = [line.get_ydata() for part in figure.subfigs for ax in part.axes for line in ax.lines]
    for map_ in lens.activations:
        assert any(np.array_equal(line, map_) for line in drawn)
    lens.plot(form="compact").savefig(tmp_path / "pairs.png")
    lens.save_html(tmp_path / "signal.html")
