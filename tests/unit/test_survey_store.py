"""A survey's store is always complete, continues where it was interrupted, and refuses what does not belong to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convlens
from convlens.surveys import job
from convlens.surveys import survey as surveying
from convlens.surveys.quantiles import Sketch
from convlens.surveys.store import FILE
from tests.unit.survey_models import edges_model, random_images

pytest.importorskip("pyarrow")

MODEL = edges_model()
IMAGES = random_images(40)


def run(images: Any, **options: Any) -> convlens.Survey:
    settings: dict[str, Any] = {"top": 5, "batch_size": 4, "partition_size": 8, "progress": False} | options
    return convlens.survey(MODEL, images, **settings)


def assert_equal(one: convlens.Survey, other: convlens.Survey) -> None:
    assert one.layers == other.layers
    assert one.images == other.images
    assert dict(one.skipped) == dict(other.skipped)
    for layer in one.layers:
        np.testing.assert_array_equal(one.statistics(layer), other.statistics(layer))
        for i in range(one.filters(layer)):
            for a, b in zip(one.top(layer, i), other.top(layer, i), strict=True):
                assert (a.image, a.value, a.pixel, a.window) == (b.image, b.value, b.pixel, b.window)
                np.testing.assert_array_equal(a.patch, b.patch)


def test_an_opened_survey_equals_the_one_that_was_stored(tmp_path: Path) -> None:
    images = [*((i, image) for i, image in enumerate(IMAGES)), ("broken", np.zeros((2, 2, 2, 2)))]
    survey = run(images, store=tmp_path)
    assert survey.skipped
    assert_equal(convlens.open_survey(tmp_path), survey)


def test_patches_in_the_store_are_png_files(tmp_path: Path) -> None:
    import io

    import PIL.Image
    import pyarrow.parquet as parquet

    survey = run(IMAGES, store=tmp_path)
    row = next(row for row in parquet.read_table(tmp_path / FILE).to_pylist() if row["layer"] == "corners")
    with PIL.Image.open(io.BytesIO(row["best"][0]["patch"])) as picture:
        np.testing.assert_array_equal(np.asarray(picture), survey.top("corners", 0)[0].patch[:, :, 0])


class Interrupted(Exception):
    pass


def interrupted(after: int) -> Iterator[Any]:
    for i, image in enumerate(IMAGES):
        if i == after:
            raise Interrupted
        yield i, image


def test_an_interrupted_survey_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Interrupted):
        run(interrupted(20), store=tmp_path)
    # Two partitions of eight were done, the third was not.
    assert convlens.open_survey(tmp_path).images == 16
    worked_on: list[int] = []
    original = job.Job.run

    def spy(self: Any, number: int, *args: Any, **kwargs: Any) -> Any:
        worked_on.append(number)
        return original(self, number, *args, **kwargs)

    monkeypatch.setattr(job.Job, "run", spy)
    survey = run(((i, image) for i, image in enumerate(IMAGES)), store=tmp_path)
    assert worked_on == [2, 3, 4]
    assert_equal(survey, run(((i, image) for i, image in enumerate(IMAGES))))


def test_the_store_can_be_opened_after_every_partition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surveying, "_BETWEEN", 0.0)
    monkeypatch.setattr(surveying, "_TIMES", 0.0)
    seen: list[int] = []

    def watched() -> Iterator[Any]:
        for i, image in enumerate(IMAGES):
            if i % 8 == 0 and i:
                seen.append(convlens.open_survey(tmp_path).images)
            yield i, image

    run(watched(), store=tmp_path)
    assert seen == [8, 16, 24, 32]
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_writing_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as parquet

    survey = run(IMAGES[:16], store=tmp_path)

    def fail(table: Any, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(parquet, "write_table", fail)
    with pytest.raises(OSError, match="No space"):
        run(IMAGES, store=tmp_path)
    assert_equal(convlens.open_survey(tmp_path), survey)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("options", [{"top": 4}, {"layer": "edges"}, {"statistic": "mean"}, {"batch_size": 8}], ids=str)
def test_a_store_of_other_settings_is_not_added_to(tmp_path: Path, options: dict[str, Any]) -> None:
    run(IMAGES[:8], store=tmp_path)
    with pytest.raises(ValueError, match=rf"has {next(iter(options))}=.*another store="):
        run(IMAGES, store=tmp_path, **options)


def test_a_store_of_another_model_or_of_other_images_is_not_added_to(tmp_path: Path) -> None:
    run([(f"a{i}", image) for i, image in enumerate(IMAGES[:8])], store=tmp_path)
    with pytest.raises(ValueError, match="other images"):
        run([(f"b{i}", image) for i, image in enumerate(IMAGES)], store=tmp_path)
    other = edges_model()
    other.get_layer("edges").set_weights([np.ones((1, 2, 1, 2)), np.zeros(2)])
    with pytest.raises(ValueError, match="another model"):
        convlens.survey(other, IMAGES, top=5, batch_size=4, partition_size=8, progress=False, store=tmp_path)


def test_what_is_no_survey_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no survey"):
        convlens.open_survey(tmp_path)
    (tmp_path / FILE).write_bytes(b"no Parquet")
    with pytest.raises(ValueError, match="is not a survey"):
        convlens.open_survey(tmp_path)


def test_quantiles_are_within_their_error_however_the_parts_are_merged() -> None:
    random = np.random.default_rng(2)
    values = (random.normal(size=(5000, 3)) * 10.0 ** random.integers(-8, 9, (5000, 3))).astype(np.float32)
    values[:, 2] = 0
    whole, parts = Sketch(3), Sketch(3)
    whole.add(values)
    for part in np.array_split(values, 7)[::-1]:
        one = Sketch(3)
        one.add(part)
        parts.merge(one)
    shares = [0.0, 0.05, 0.3, 0.5, 0.9, 1.0]
    np.testing.assert_array_equal(parts.quantiles(shares), whole.quantiles(shares))
    np.testing.assert_allclose(
        whole.quantiles(shares), np.quantile(values, shares, axis=0, method="lower").T, rtol=0.01, atol=1e-30
    )


def test_numbers_that_are_not_finite_are_no_part_of_a_quantile() -> None:
    sketch = Sketch(2)
    sketch.add(np.array([[np.nan, np.inf], [4.0, -np.inf]], np.float32))
    quantiles = sketch.quantiles([0.5])
    np.testing.assert_allclose(quantiles[0], 4, rtol=0.01)
    assert np.isnan(quantiles[1])
