"""A survey on a Dask cluster is the one that this process makes, also where a worker is killed or it is cancelled."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import convlens
from tests.deadlines import SECONDS
from tests.unit.survey_models import (
    COLS,
    ROWS,
    KillsItsWorker,
    NotesItsLoading,
    edges_model,
    random_images,
    save_images,
)

distributed = pytest.importorskip("distributed")

pytestmark = [
    pytest.mark.slow,
    # Of distributed's event loop and of sockets to workers that were killed.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

MODEL = edges_model()
IMAGES = random_images(96)
# So many partitions that the last of them come with what the first have found.
OPTIONS: dict[str, Any] = {"top": 5, "batch_size": 4, "partition_size": 4, "progress": False}


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def until(true: Callable[[], Any]) -> None:
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end, "It did not come about."
        time.sleep(0.05)


def assert_equal(one: convlens.Survey, other: convlens.Survey) -> None:
    assert (one.layers, one.images, dict(one.skipped)) == (other.layers, other.images, dict(other.skipped))
    for layer in one.layers:
        a, b = one.statistics(layer), other.statistics(layer)
        for name in ("images", "no_response", "q05", "median", "q95"):
            np.testing.assert_array_equal(a[name], b[name])
        # Sums of float64 in another order.
        for name in ("mean", "std"):
            np.testing.assert_allclose(a[name], b[name], rtol=1e-12)
        for i in range(one.filters(layer)):
            for x, y in zip(one.top(layer, i), other.top(layer, i), strict=True):
                assert (x.image, x.value, x.pixel, x.window) == (y.image, y.value, y.pixel, y.window)
                np.testing.assert_array_equal(x.patch, y.patch)


def left_behind(client: Any) -> int:
    """How many of a survey's tasks the scheduler still knows."""

    def count(dask_scheduler: Any) -> int:
        return sum(str(key).startswith(("convlens-survey", "convlens-merge")) for key in dask_scheduler.tasks)

    return int(client.run_on_scheduler(count))


def test_a_cluster_finds_what_this_process_finds(client: Any, tmp_path: Path) -> None:
    save_images(tmp_path, IMAGES)
    (tmp_path / "0005.png").write_bytes(b"no image")
    here = convlens.survey(MODEL, tmp_path, **OPTIONS)
    there = convlens.survey(MODEL, tmp_path, client=client, **OPTIONS)
    assert list(there.skipped) == ["0005.png"]
    assert_equal(there, here)
    until(lambda: not left_behind(client))


def test_images_with_the_same_value_are_ranked_by_their_id_wherever_they_were_seen(client: Any) -> None:
    same = [(f"image-{95 - i:02d}", IMAGES[0]) for i in range(96)]
    survey = convlens.survey(MODEL, same, client=client, **OPTIONS)
    assert [one.image for one in survey.top("edges", 0)] == [f"image-{i:02d}" for i in range(5)]


def test_a_dask_bag_is_surveyed_where_its_partitions_are(client: Any) -> None:
    bag = pytest.importorskip("dask.bag").from_sequence([(i, image) for i, image in enumerate(IMAGES)], npartitions=6)
    assert_equal(convlens.survey(MODEL, bag, client=client, **OPTIONS), convlens.survey(MODEL, bag, **OPTIONS))


def test_a_worker_that_is_killed_in_the_middle_loses_nothing(client: Any, tmp_path: Path) -> None:
    survey = convlens.survey(MODEL, IMAGES, client=client, statistic=KillsItsWorker(tmp_path), **OPTIONS)
    assert (tmp_path / "killed").exists()
    assert_equal(survey, convlens.survey(MODEL, IMAGES, **OPTIONS))


def test_a_run_that_is_interrupted_is_cancelled_and_can_be_resumed(client: Any, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")

    def interrupted() -> Iterator[Any]:
        for i, image in enumerate(np.concatenate([IMAGES] * 3)):
            if i == 200:
                raise KeyboardInterrupt
            yield i, image

    with pytest.raises(KeyboardInterrupt):
        convlens.survey(MODEL, interrupted(), client=client, store=tmp_path, **OPTIONS)
    until(lambda: not left_behind(client))
    every = np.concatenate([IMAGES] * 3)
    done = convlens.open_survey(tmp_path).images
    assert 0 < done <= 200
    whole = ((i, image) for i, image in enumerate(every))
    assert_equal(
        convlens.survey(MODEL, whole, client=client, store=tmp_path, **OPTIONS),
        convlens.survey(MODEL, ((i, image) for i, image in enumerate(every)), **OPTIONS),
    )


def test_the_model_is_loaded_once_a_worker_with_layers_of_the_users_own(client: Any, tmp_path: Path) -> None:
    model = keras.Sequential(
        [keras.Input((ROWS, COLS, 1)), NotesItsLoading(2, 3, folder=str(tmp_path), name="own"), keras.layers.Flatten()]
    )
    survey = convlens.survey(model, IMAGES, client=client, **OPTIONS)
    assert_equal(survey, convlens.survey(model, IMAGES, **OPTIONS))
    loaded = [path.name.split("-")[0] for path in tmp_path.iterdir()]
    assert 1 <= len(loaded) <= 2
    assert len(set(loaded)) == len(loaded)


def test_what_a_statistic_does_wrong_is_said_here(client: Any) -> None:
    with pytest.raises(ValueError, match=r"expected \(batch, filters\)"):
        convlens.survey(MODEL, IMAGES, client=client, statistic=np.ravel, **OPTIONS)
    until(lambda: not left_behind(client))


def test_a_worker_sends_nothing_that_is_worse_than_what_the_client_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from convlens.surveys import cluster
    from convlens.surveys.aside import AtOnce
    from convlens.surveys.forward import Settings
    from convlens.surveys.job import Job
    from convlens.surveys.sources import Item

    job = Job(MODEL, Settings(("edges",), 5, "max", 4, None), AtOnce)
    for name, kept in (("_JOBS", {"key": job}), ("_SEEN", {}), ("_TOLD", {})):
        monkeypatch.setattr(cluster, name, kept)
    first, second, third = ([Item(i, IMAGES[i]) for i in range(start, start + 32)] for start in (0, 32, 64))
    total, expected = job.run(0, first), job.run(0, [*first, *second, *third]).layers["edges"].best
    told = total.floors()
    # What it was told holds for the partitions that follow as well.
    for found in (cluster.work("key", 1, second, told), cluster.work("key", 2, third)):
        best = found.layers["edges"].best
        assert all(e.value >= told["edges"].values[one] for one in range(best.filters) for e in best.entries(one))
        total.merge(found)
    for one in range(expected.filters):
        ranked = [(entry.image, entry.value) for entry in expected.entries(one)]
        assert [(entry.image, entry.value) for entry in total.layers["edges"].best.entries(one)] == ranked


def test_a_worker_keeps_memory_until_the_last_of_its_surveys_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    from convlens.surveys import cluster

    ended: list[str] = []
    monkeypatch.setattr(cluster, "keep_freed", lambda: lambda: ended.append("kept no longer"))
    plugins = [cluster.JobPlugin(key, b"", {}, "tensorflow", None) for key in ("one", "other")]  # type: ignore[arg-type]
    for plugin in plugins:
        plugin.setup(None)
    plugins[0].teardown(None)
    assert ended == []
    plugins[1].teardown(None)
    assert ended == ["kept no longer"]
