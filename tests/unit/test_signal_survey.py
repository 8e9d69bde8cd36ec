"""A survey of signals ranks them as sorting all answers would, keeps what a step reads, and is shown in a lens."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import keras
import numpy as np
import PIL.Image
import pytest

import convlens
from convlens import ConvLens
from convlens.surveys.patches import MOST_NUMBERS, Patch
from tests.unit.test_interpretation_requests import excited, run
from tests.unit.test_requests import Browser

pytestmark = pytest.mark.slow

layers = keras.layers
STEPS, CHANNELS = 12, 2
SIGNALS = np.random.default_rng(0).integers(-99, 100, (40, STEPS, CHANNELS)).astype(np.float32)
RISE = np.random.default_rng(5).integers(-2, 3, (2, CHANNELS, 2)).astype(np.float32)
NEXT = np.random.default_rng(6).integers(-2, 3, (3, 2, 3)).astype(np.float32)


def make_model(channels: int = CHANNELS) -> Any:
    """Two convolutions with whole numbers in their kernels, whose answers are exact on every back end."""
    model = keras.Sequential(
        [
            keras.Input((STEPS, channels)),
            layers.Conv1D(2, 2, activation="relu", use_bias=False, name="rise"),
            layers.Conv1D(3, 3, use_bias=False, name="next"),
            layers.GlobalAveragePooling1D(),
            layers.Dense(2, name="classes"),
        ]
    )
    model.get_layer("rise").set_weights([RISE[:, :channels]])
    model.get_layer("next").set_weights([NEXT])
    return model


def along(signals: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """A convolution without padding, by NumPy: ``(signals, steps, filters)``."""
    steps = signals.shape[1] - len(kernel) + 1
    return np.asarray(sum(signals[:, k : k + steps] @ taps for k, taps in enumerate(kernel)))


MODEL = make_model()
RISES = np.maximum(along(SIGNALS, RISE), 0)
MAPS = {"rise": RISES, "next": along(RISES, NEXT)}


def survey(signals: Any = SIGNALS, model: Any = MODEL, **options: Any) -> convlens.Survey:
    return convlens.survey(model, signals, **({"top": 5, "batch_size": 8, "progress": False} | options))


def ranked(values: np.ndarray) -> list[tuple[int, float]]:
    order = sorted(range(len(values)), key=lambda i: (-values[i], i))[:5]
    return [(i, float(values[i])) for i in order]


def test_signals_are_ranked_and_step_window_and_patch_are_those_of_the_greatest_response() -> None:
    found = survey()
    assert found.layers == ["rise", "next"] and found.images == 40
    for layer, reads in (("rise", 2), ("next", 4)):
        for one in range(MAPS[layer].shape[2]):
            best = found.top(layer, one)
            assert [(e.image, e.value) for e in best] == ranked(MAPS[layer][..., one].max(axis=1))
            for e in best:
                assert isinstance(e.image, int)
                step = int(MAPS[layer][e.image, :, one].argmax())
                assert (e.pixel, e.window) == (step, (step, step + reads - 1))
                np.testing.assert_array_equal(e.patch, SIGNALS[e.image, step : step + reads])
                assert e.patch.dtype == np.float32


class Batches(keras.utils.PyDataset):  # type: ignore[misc,unused-ignore]
    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return SIGNALS[8 * index : 8 * index + 8], np.zeros(8)


class Loader:
    """What a survey needs of a PyTorch DataLoader: channels come first."""

    dataset, batch_size, collate_fn = SIGNALS, 8, None

    def __iter__(self) -> Any:
        return ((np.moveaxis(SIGNALS[i : i + 8], -1, 1), np.zeros(8)) for i in range(0, len(SIGNALS), 8))


def tf_dataset(batched: bool) -> Any:
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices((SIGNALS, np.zeros(40)))
    return dataset.batch(8) if batched else dataset


@pytest.mark.parametrize(
    "make",
    [
        lambda: list(SIGNALS),
        lambda: dict(enumerate(SIGNALS)),
        lambda: ((i, signal) for i, signal in enumerate(SIGNALS)),
        Batches,
        Loader,
        lambda: tf_dataset(False),
        lambda: tf_dataset(True),
    ],
    ids=["arrays", "dict", "pairs", "PyDataset", "DataLoader", "tf.data", "tf.data batches"],
)
def test_signals_may_come_as(make: Any) -> None:
    found = survey(make(), layer="rise")
    for one in range(2):
        assert [(e.image, e.value) for e in found.top("rise", one)] == ranked(RISES[..., one].max(axis=1))


@pytest.mark.parametrize("shape", [(40, STEPS), (40, STEPS, 1)])
def test_signals_of_one_channel_come_as_one_array_with_or_without_its_axis(shape: tuple[int, ...]) -> None:
    values = np.maximum(along(SIGNALS[..., :1], RISE[:, :1]), 0)[..., 1].max(axis=1)
    best = survey(SIGNALS[..., 0].reshape(shape), make_model(1), layer="rise").top("rise", 1)
    assert [(e.image, e.value) for e in best] == ranked(values)
    assert best[0].patch.shape == (2,)


def test_a_folder_of_numpy_files_is_surveyed_and_what_is_broken_is_named(tmp_path: Path) -> None:
    for i, signal in enumerate(SIGNALS):
        np.save(tmp_path / f"{i:04d}.npy", signal)
    (tmp_path / "0003.npy").write_bytes(b"no array")
    (tmp_path / "notes.txt").write_text("")
    found = survey(tmp_path, layer="rise")
    assert list(found.skipped) == ["0003.npy"] and "np.save" in found.skipped["0003.npy"]
    values = RISES[..., 0].max(axis=1)
    values[3] = -1
    assert [e.image for e in found.top("rise", 0)] == [f"{i:04d}.npy" for i, _ in ranked(values)]


def test_preprocess_and_a_statistic_are_given_signals_as_a_lens_has_them() -> None:
    shapes: set[tuple[int, ...]] = set()

    def twice(signal: np.ndarray) -> np.ndarray:
        shapes.add(signal.shape)
        return 2 * signal

    def span(maps: np.ndarray) -> np.ndarray:
        shapes.add(maps.shape[1:])
        return np.asarray(maps.max(axis=1) - maps.min(axis=1))

    found = survey(layer="next", preprocess=twice, statistic=span)
    assert shapes == {(STEPS, CHANNELS), (STEPS - 3, 3)}
    expected = 2 * (MAPS["next"][..., 2].max(axis=1) - MAPS["next"][..., 2].min(axis=1))
    best = found.top("next", 2)
    assert [(e.image, e.value) for e in best] == ranked(expected)
    first, last = best[0].window
    np.testing.assert_array_equal(best[0].patch, SIGNALS[int(best[0].image), first : last + 1])


def test_a_stored_survey_is_opened_with_the_very_numbers(tmp_path: Path) -> None:
    found = survey(SIGNALS / 7, store=tmp_path)
    again = convlens.open_survey(tmp_path)
    for layer in found.layers:
        for one in range(found.filters(layer)):
            for a, b in zip(found.top(layer, one), again.top(layer, one), strict=True):
                assert (a.image, a.value, a.pixel, a.window) == (b.image, b.value, b.pixel, b.window)
                np.testing.assert_array_equal(a.patch, b.patch)


def test_what_is_kept_of_a_long_signal_is_its_mean_over_steps() -> None:
    signal = np.random.default_rng(1).normal(size=(1, 4 * MOST_NUMBERS, 2)).astype(np.float32)
    patch = Patch.of_signal(signal, ((0, 0), (0, signal.shape[1] - 1)))
    expected = signal.reshape(1, MOST_NUMBERS // 2, 8, 2).mean(axis=2)
    np.testing.assert_allclose(patch.values(), expected, atol=1e-6)
    assert len(patch.file) < 4 * MOST_NUMBERS + 200


def test_a_survey_of_signals_is_a_table_a_figure_and_curves() -> None:
    found = survey()
    table = found.to_pandas()
    assert list(table.columns) == ["layer", "filter", "rank", "image", "value", "step", "first", "last"]
    best = found.top("next", 1)[0]
    row = table[(table.layer == "next") & (table["filter"] == 1) & (table["rank"] == 1)].iloc[0]
    assert (row.image, row.step, (row["first"], row["last"])) == (best.image, best.pixel, best.window)
    lines = found.plot("next", 1).axes[0].lines
    drawn = np.stack([line.get_ydata() for line in lines], axis=-1)
    np.testing.assert_array_equal(drawn, best.patch)
    np.testing.assert_array_equal(lines[0].get_xdata(), np.arange(best.window[0], best.window[1] + 1))
    with PIL.Image.open(io.BytesIO(found.png("next", 1, 0))) as picture:
        opacity = np.asarray(picture)[..., 3]
    assert opacity.any(axis=0).all(), "a line from the first to the last column"


def test_what_is_no_data_set_of_signals_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected \(n, steps\) or \(n, steps, channels\)"):
        survey(np.zeros((2, 3, 4, 5)))
    with pytest.raises(ValueError, match="None of the images could be surveyed"):
        survey([np.zeros((5, CHANNELS))])


def test_layers_that_read_pictures_of_a_signal_are_left_out() -> None:
    model = keras.Sequential(
        [
            keras.Input((STEPS, 2)),
            layers.Conv1D(2, 2, padding="same", name="along"),
            layers.Reshape((STEPS, 2, 1)),
            layers.Conv2D(1, 2, name="over"),
        ]
    )
    assert survey(model=model).layers == ["along"]
    with pytest.raises(ValueError, match="'over' read images that it makes of them"):
        survey(model=model, layer="over")


# -- in a lens ---------------------------------------------------------------------------------------------------------


def opened(signals: Any = SIGNALS, layer: str = "next") -> Browser:
    lens = ConvLens(SIGNALS[0], model=MODEL, layer=layer, survey=survey(signals))
    return Browser(lens)


def test_a_stored_signal_is_shown_in_a_lens_with_its_step_pinned_and_the_one_before_comes_back() -> None:
    browser = opened()
    lens, one = browser.lens, excited(browser, 1)["best"][2]
    lens.pixel = 4
    assert browser.ask("show_excited", filter=1, rank=2)["replaced"]
    np.testing.assert_array_equal(lens.image, SIGNALS[int(one["image"])])
    assert [0, lens.pixel] == one["pixel"] and lens.activations[1, lens.pixel] == one["value"]
    patch = lens.survey.top("next", 1)[2].patch
    assert one["range"] == [patch.min(), patch.max()]
    assert not browser.ask("show_excited", filter=None, rank=None)["replaced"]
    np.testing.assert_array_equal(lens.image, SIGNALS[0])
    assert lens.pixel == 4


def test_a_signal_of_a_file_is_read_again(tmp_path: Path) -> None:
    for i, signal in enumerate(SIGNALS):
        np.save(tmp_path / f"{i:04d}.npy", signal)
    browser = opened(tmp_path)
    one = excited(browser, 0)["best"][0]
    assert browser.ask("show_excited", filter=0, rank=0)["ok"]
    np.testing.assert_array_equal(browser.lens.image, SIGNALS[int(one["image"].partition(".")[0])])


def test_of_a_stream_the_patch_is_shown_where_it_was_and_the_step_has_its_value() -> None:
    browser = opened(signal for signal in SIGNALS)
    one = excited(browser, 1)["best"][0]
    assert browser.ask("show_excited", filter=1, rank=0)["ok"]
    lens, (_, _, first, last) = browser.lens, one["window"]
    np.testing.assert_array_equal(lens.image[first : last + 1], SIGNALS[int(one["image"]), first : last + 1])
    assert lens.activations[1, lens.pixel] == one["value"]
    assert any("only this patch of signal" in note for note in lens._image["notes"])


def test_an_edited_filter_ranks_all_stored_patches_anew() -> None:
    browser = opened(layer="rise")
    kernel = np.array([[1, 0], [0, -3]], np.float32)
    browser.lens.set_kernel(0, kernel)
    stored = {(e.image, e.pixel) for one in range(2) for e in browser.lens.survey.top("rise", one)}
    values: dict[Any, float] = {}
    for signal, step in stored:
        value = max(0.0, float((SIGNALS[signal, step : step + 2] * kernel).sum()))
        values[signal] = max(values.get(signal, 0), value)
    best = run(browser, "rank", uid=browser.uid(0))["best"]
    assert [one["value"] for one in best] == sorted(values.values(), reverse=True)[:5]


def test_a_signal_grows_as_curves_over_the_range_of_the_lenss_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convlens.protocol.interpretations.STEPS", 6)
    browser = opened()
    found = run(browser, "maximize", uid=browser.uid(2))
    assert found["error"] is None and found["step"] == 6
    assert found["activation"] == pytest.approx(browser.lens.maximize(2, steps=6).activation, rel=1e-5)
    assert found["range"] == [SIGNALS[0].min(), SIGNALS[0].max()]
    with PIL.Image.open(io.BytesIO(found["picture"])) as picture:
        assert picture.size == (320, 160)


def test_attribution_crosses_as_one_row_over_the_signal() -> None:
    browser = opened()
    browser.lens.set_kernel(2, np.zeros_like(browser.lens.kernels[2]))
    found = run(browser, "attribution", target=1, method="gradients")
    for name, edited in (("before", False), ("after", True)):
        values = browser.lens.attribution(1, "gradients", edited=edited)
        with PIL.Image.open(io.BytesIO(found[name])) as picture:
            drawn = np.asarray(picture)
        assert drawn.shape == (1, STEPS, 4)
        np.testing.assert_allclose(drawn[0, :, 3], 200 * values / found["most"], atol=2)
