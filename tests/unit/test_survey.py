"""A survey ranks images as sorting all answers would, whatever the images come as, and survives what cannot be read."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import convlens
from convlens.surveys import forward
from tests.checkout import ROOT
from tests.unit.survey_models import (
    COLS,
    ROWS,
    corner_maps,
    edge_maps,
    edges_model,
    largest_span,
    random_images,
    save_images,
)

MODEL = edges_model()
IMAGES = random_images(40)


def run(images: Any, model: Any = MODEL, **options: Any) -> convlens.Survey:
    return convlens.survey(model, images, **({"top": 5, "batch_size": 8, "progress": False} | options))


def ranked(values: np.ndarray, top: int = 5) -> list[tuple[int, float]]:
    """Best first, and of the same value the lower place first."""
    order = sorted(range(len(values)), key=lambda i: (-values[i], i))[:top]
    return [(i, float(values[i])) for i in order]


def found(survey: convlens.Survey, layer: str, one: int) -> list[tuple[Any, float]]:
    return [(excitation.image, excitation.value) for excitation in survey.top(layer, one)]


def test_images_are_ranked_by_the_greatest_value_of_every_filter_of_every_layer() -> None:
    survey = run(IMAGES)
    assert survey.layers == ["edges", "corners"]
    assert survey.images == 40
    for layer, maps in (("edges", edge_maps(IMAGES)), ("corners", corner_maps(MODEL, IMAGES))):
        for one in range(maps.shape[3]):
            assert found(survey, layer, one) == ranked(maps[..., one].max(axis=(1, 2)))


@pytest.mark.parametrize("most", [None, 0], ids=["weights of the trace", "weights of the model"])
def test_a_batch_normalisation_changes_values_by_rounding_alone(
    most: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if most is not None:
        monkeypatch.setattr(forward, "_MOST_CONSTANTS", most)
    model = normalised_model()
    survey = run(IMAGES, model, layer="last", top=1)
    greatest = keras.ops.convert_to_numpy(model(IMAGES.astype(np.float32))).max(axis=(1, 2))
    for one in range(greatest.shape[1]):
        (best,) = survey.top("last", one)
        assert best.value == pytest.approx(greatest[best.image, one], rel=1e-5)
        assert best.value == pytest.approx(greatest[:, one].max(), rel=1e-5)


def test_weights_that_are_set_between_two_surveys_are_those_of_the_second() -> None:
    model = normalised_model()
    before = run(IMAGES, model, layer="last", top=1).top("last", 0)[0].value
    kernel = model.get_layer("last").kernel
    kernel.assign(2 * kernel)
    assert run(IMAGES, model, layer="last", top=1).top("last", 0)[0].value == pytest.approx(2 * before, rel=1e-5)


def normalised_model() -> keras.Model:
    """A convolution with a batch normalisation of arbitrary numbers, and another after it."""
    layers, random = keras.layers, np.random.default_rng(0)
    model = keras.Sequential(
        [
            keras.Input((ROWS, COLS, 1)),
            layers.Conv2D(4, 3),
            layers.BatchNormalization(),
            layers.Conv2D(3, 3, name="last"),
        ]
    )
    for weight in model.layers[1].weights:
        weight.assign(random.uniform(0.5, 2, weight.shape))
    return model


def test_the_pixel_is_the_greatest_one_and_the_window_and_patch_are_what_it_reads() -> None:
    maps = corner_maps(MODEL, IMAGES)
    for excitation in run(IMAGES, layer="corners").top("corners", 1):
        assert isinstance(excitation.image, int)
        row, col = divmod(int(maps[excitation.image, :, :, 1].argmax()), maps.shape[2])
        assert excitation.pixel == (row, col)
        # Two rows of 2 × 2, over 1 × 2: 2 rows and 3 columns of the image.
        assert excitation.window == ((row, row + 1), (col, col + 2))
        expected = IMAGES[excitation.image, row : row + 2, col : col + 3].astype(np.float32)
        np.testing.assert_array_equal(excitation.patch, expected)


def test_images_with_the_same_value_are_ranked_by_their_id() -> None:
    same = np.repeat(IMAGES[:1], 30, axis=0)
    survey = run([(f"image-{29 - i:02d}", image) for i, image in enumerate(same)], layer="edges")
    assert [one.image for one in survey.top("edges", 0)] == [f"image-{i:02d}" for i in range(5)]


@pytest.mark.parametrize(
    "statistic, of_maps",
    [
        ("mean", lambda maps: maps.mean(axis=(1, 2))),
        (largest_span, largest_span),
    ],
    ids=["mean", "own"],
)
def test_another_statistic_ranks_by_another_number(statistic: Any, of_maps: Any) -> None:
    survey = run(IMAGES, layer="edges", statistic=statistic)
    expected = of_maps(edge_maps(IMAGES))
    for one in range(2):
        images, values = zip(*ranked(expected[:, one]), strict=True)
        assert [image for image, _ in found(survey, "edges", one)] == list(images)
        np.testing.assert_allclose([value for _, value in found(survey, "edges", one)], values, rtol=1e-6)


def test_statistics_are_those_of_all_images() -> None:
    flat = IMAGES.copy()
    flat[::4] = 9  # without an edge
    values = edge_maps(flat).max(axis=(1, 2)).astype(np.float64)
    records = run(flat, layer="edges").statistics("edges")
    assert records.shape == (2,)
    np.testing.assert_array_equal(records["images"], 40)
    np.testing.assert_allclose(records["no_response"], 0.25)
    np.testing.assert_allclose(records["mean"], values.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(records["std"], values.std(axis=0), rtol=1e-12)
    for name, share in {"q05": 0.05, "median": 0.5, "q95": 0.95}.items():
        exact = np.quantile(values, share, axis=0, method="lower")
        np.testing.assert_allclose(records[name], exact, rtol=0.01)


class Batches(keras.utils.PyDataset):  # type: ignore[misc,unused-ignore]
    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return IMAGES[8 * index : 8 * index + 8], np.zeros(8)


class Loader:
    """What a survey needs of a PyTorch DataLoader: channels come first."""

    dataset, batch_size, collate_fn = IMAGES, 8, None

    def __iter__(self) -> Any:
        return (
            (np.moveaxis(np.repeat(IMAGES[i : i + 8], 3, axis=3), -1, 1), np.zeros(8)) for i in range(0, len(IMAGES), 8)
        )


def tf_dataset(batched: bool) -> Any:
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices((IMAGES, np.zeros(40)))
    return dataset.batch(8) if batched else dataset


@pytest.mark.parametrize(
    "make",
    [
        lambda: list(IMAGES),
        lambda: IMAGES[..., 0],
        lambda: ((i, image) for i, image in enumerate(IMAGES)),
        lambda: Batches(),
        Loader,
        lambda: tf_dataset(False),
        lambda: tf_dataset(True),
    ],
    ids=["arrays", "without channels", "pairs", "PyDataset", "DataLoader", "tf.data", "tf.data in batches"],
)
def test_images_may_come_as(make: Any) -> None:
    expected = ranked(edge_maps(IMAGES)[..., 0].max(axis=(1, 2)))
    assert found(run(make(), layer="edges"), "edges", 0) == expected


def test_a_folder_is_walked_in_sorted_order_and_named_by_paths_in_it(tmp_path: Path) -> None:
    save_images(tmp_path / "b", IMAGES[:20])
    save_images(tmp_path / "a" / "deep", IMAGES[20:])
    (tmp_path / "notes.txt").write_text("no image")
    values = edge_maps(IMAGES)[..., 0].max(axis=(1, 2))
    names = [f"b/{i:04d}.png" for i in range(20)] + [f"a/deep/{i:04d}.png" for i in range(20)]
    order = sorted(range(40), key=lambda i: (-values[i], names[i]))[:5]
    survey = run(tmp_path, layer="edges")
    assert found(survey, "edges", 0) == [(names[i], float(values[i])) for i in order]
    assert run([str(tmp_path / name) for name in names], layer="edges").images == 40


def test_a_dask_bag_is_surveyed_partition_by_partition() -> None:
    bag = pytest.importorskip("dask.bag").from_sequence([(i, image) for i, image in enumerate(IMAGES)], npartitions=3)
    assert found(run(bag, layer="edges"), "edges", 1) == ranked(edge_maps(IMAGES)[..., 1].max(axis=(1, 2)))


def test_a_broken_file_is_named_and_counted_and_the_others_are_ranked(tmp_path: Path) -> None:
    save_images(tmp_path, IMAGES)
    (tmp_path / "0003.png").write_bytes(b"no image")
    whole = (tmp_path / "0007.png").read_bytes()
    (tmp_path / "0007.png").write_bytes(whole[: len(whole) // 2])
    survey = run(tmp_path, layer="edges")
    assert sorted(survey.skipped) == ["0003.png", "0007.png"]
    assert "0003.png" in survey.skipped["0003.png"]
    assert survey.images == 38
    values = edge_maps(IMAGES)[..., 0].max(axis=(1, 2))
    values[[3, 7]] = -1
    assert [one.image for one in survey.top("edges", 0)] == [f"{i:04d}.png" for i, _ in ranked(values)]


def test_images_of_several_sizes_are_surveyed_by_a_model_that_takes_any() -> None:
    image = keras.Input((None, None, 1))
    model = keras.Model(image, keras.layers.Conv2D(1, 1, name="same", use_bias=False)(image))
    model.get_layer("same").set_weights([np.ones((1, 1, 1, 1), np.float32)])
    random = np.random.default_rng(1)
    images = [random.integers(0, 256, (4 + i % 3, 5 + i % 2), dtype=np.uint8) for i in range(30)]
    survey = run(images, model, batch_size=4)
    assert found(survey, "same", 0) == ranked(np.array([image.max() for image in images], np.float64))


def test_preprocess_makes_what_the_model_takes_and_patches_show_the_image() -> None:
    survey = run(IMAGES, layer="edges", preprocess=lambda image: image / 2)
    best = survey.top("edges", 0)[0]
    values = edge_maps(IMAGES)[..., 0].max(axis=(1, 2)) / 2
    assert isinstance(best.image, int)
    assert (best.image, best.value) == ranked(values)[0]
    (top, bottom), (left, right) = best.window
    np.testing.assert_array_equal(best.patch, IMAGES[best.image, top : bottom + 1, left : right + 1])


def test_nothing_of_the_model_changes() -> None:
    before = [np.array(w) for w in MODEL.get_weights()]
    attributes = {layer.name: set(vars(layer)) for layer in MODEL._flatten_layers()}
    run(IMAGES)
    assert {layer.name: set(vars(layer)) for layer in MODEL._flatten_layers()} == attributes
    for old, new in zip(before, MODEL.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_no_more_than_top_images_are_kept_for_a_filter_however_many_there_are() -> None:
    survey = run(np.concatenate([IMAGES] * 10), top=3)
    assert survey.images == 400
    assert all(len(survey.top(layer, one)) == 3 for layer in survey.layers for one in range(survey.filters(layer)))
    assert len(survey.to_pandas()) == 3 * (2 + 3)


def test_a_survey_is_a_table_and_a_figure() -> None:
    survey = run(IMAGES)
    table = survey.to_pandas()
    first = table[(table["layer"] == "corners") & (table["filter"] == 2)].iloc[0]
    best = survey.top("corners", 2)[0]
    assert (first["rank"], first["image"], first["value"]) == (1, best.image, best.value)
    assert ((first["top"], first["bottom"]), (first["left"], first["right"])) == best.window
    figure = survey.plot("corners", 2)
    drawn = [ax.images[0].get_array() for ax in figure.axes if ax.images]
    assert len(drawn) == 5
    np.testing.assert_allclose(np.asarray(drawn[0]) * 255, best.patch[:, :, 0], atol=1e-3)


@pytest.mark.parametrize(
    "options, expected",
    [
        ({"layer": "edge"}, "Did you mean 'edges'"),
        ({"layer": ()}, "layer is empty"),
        ({"top": 0}, "top=0"),
        ({"statistic": "median"}, 'expected "max", "mean"'),
        ({"statistic": lambda maps: maps.max()}, r"expected \(batch, filters\)"),
    ],
    ids=lambda one: str(one)[:20],
)
def test_settings_that_cannot_be_used_are_refused(options: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        run(IMAGES, **options)


def test_data_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no folder"):
        run(tmp_path / "missing")
    with pytest.raises(ValueError, match="Give its folder"):
        (tmp_path / "one.png").write_bytes(b"")
        run(tmp_path / "one.png")
    with pytest.raises(TypeError, match="expected a folder, paths"):
        run(5)
    with pytest.raises(ValueError, match=rf"None of the images .*3 skipped.* \({ROWS}, {COLS}, 2\)"):
        run(np.zeros((3, ROWS, COLS, 2), np.uint8))
    with pytest.raises(ValueError, match="data set is empty"):
        run([])


def test_a_package_that_is_missing_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match=r"package tqdm, .*progress=False") as caught:
        run(IMAGES, progress=True)
    command = re.search(r"pip install (.*?)\. ", str(caught.value))
    assert command is not None
    extra = re.search(r"^survey = (\[.*\])$", (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert extra is not None
    assert shlex.split(command[1]) == ast.literal_eval(extra[1])


def test_a_lens_takes_a_survey_of_its_model_and_no_other() -> None:
    survey = run(IMAGES)
    lens = convlens.ConvLens(IMAGES[0], model=MODEL, survey=survey)
    assert lens.survey is survey
    with pytest.raises(Exception, match=r"convlens\.survey"):
        lens.survey = "folder"
    assert lens.survey is survey
    lens.survey = None
    with pytest.raises(Exception, match="make the lens with"):
        convlens.ConvLens(IMAGES[0]).survey = survey
