"""Surveys on a Dask cluster: the model is sent to every worker once, then partitions; tallies are returned merged."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distributed import Future, Worker, WorkerPlugin

from convlens.layers.keras_internals import layers_within
from convlens.surveys.aside import AtOnce
from convlens.surveys.best import Best, Floor
from convlens.surveys.forward import Settings
from convlens.surveys.job import Job
from convlens.surveys.packed import Packed
from convlens.surveys.sources import Partition, bag_items
from convlens.surveys.tally import Tallies
from convlens.surveys.worker_memory import keep_freed

if TYPE_CHECKING:
    import keras

#: Tallies that one task merges.
FAN_IN = 8
#: Partitions for each thread of the cluster in one tree; the next tree is under way while one is waited for.
_DEPTH = 4

_PLUGINS: dict[str, JobPlugin] = {}
_JOBS: dict[str, Job] = {}
#: The best of what this worker has seen in each survey, without their patches: what is worse than they are is not sent.
#: It is worse than images of the data set whichever worker's answers arrive, so a worker that is lost takes none away.
_SEEN: dict[str, dict[str, Best]] = {}
#: What an image must exceed to be among the best that all workers have found, as the client told this worker last.
_TOLD: dict[str, Mapping[str, Floor]] = {}
_LOADING = threading.Lock()
#: What ends the way in which this worker keeps memory during surveys.
_RETURN_MEMORY: list[Callable[[], None]] = []


class JobPlugin(WorkerPlugin):  # type: ignore[misc,unused-ignore]
    """What a worker needs for a survey; Dask brings it to every worker once, including those that join later.

    Parameters
    ----------
    key
        Of the survey.
    model
        Bytes of a ``.keras`` file.
    classes
        Of the model's layers that are not Keras's own.
    backend
        The Keras back end.
    settings
        What to count.
    """

    def __init__(self, key: str, model: bytes, classes: dict[str, type], backend: str, settings: Settings) -> None:
        self.name = f"convlens-{key}"
        self.key, self.model, self.classes, self.backend, self.settings = key, model, classes, backend, settings

    def setup(self, worker: Worker) -> None:
        """Keep it for the tasks; the model is loaded by the first of them."""
        if "keras" not in sys.modules:
            # As many threads as tasks run at once: more for TensorFlow would be fewer for the other tasks.
            os.environ["KERAS_BACKEND"] = self.backend
            os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
            os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
        if not _PLUGINS:
            _RETURN_MEMORY.append(keep_freed())
        _PLUGINS[self.key] = self

    def teardown(self, worker: Worker) -> None:
        """Release the model."""
        _PLUGINS.pop(self.key, None)
        _JOBS.pop(self.key, None)
        _SEEN.pop(self.key, None)
        _TOLD.pop(self.key, None)
        if not _PLUGINS and _RETURN_MEMORY:
            _RETURN_MEMORY.pop()()

    def load(self) -> Job:
        """Return the model and the settings, ready to run."""
        import keras

        if keras.backend.backend() != self.backend:
            raise RuntimeError(
                f"The survey's model runs on Keras's back end {self.backend!r}, but a worker has "
                f"{keras.backend.backend()!r}. Start the workers with KERAS_BACKEND={self.backend} set."
            )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.keras"
            path.write_bytes(self.model)
            model = keras.saving.load_model(path, custom_objects=self.classes, compile=False, safe_mode=False)
        # As many tasks run at once as there are processors for: none is left for a thread beside the model.
        return Job(model, self.settings, AtOnce)


def saved(model: keras.Model) -> bytes:
    """Return a model as the bytes of a ``.keras`` file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return path.read_bytes()


def run(
    client: Any,
    model: keras.Model,
    settings: Settings,
    partitions: Iterable[Partition],
    merged: Callable[[Tallies], Any],
    floors: Callable[[], Mapping[str, Floor]],
) -> None:
    """Run the partitions on a cluster.

    Parameters
    ----------
    client
        A ``distributed.Client``.
    model, settings
        As for `Job`.
    partitions
        Taken as the workers need them.
    merged
        Called in this thread with the tallies of many partitions, several times.
    floors
        Returns what an image must exceed to be among the best of all that were merged.
    """
    import keras

    key = uuid.uuid4().hex
    classes = {type(one).__name__: type(one) for one in layers_within(model) if not _is_kerass(type(one))}
    plugin = JobPlugin(key, saved(model), classes, keras.backend.backend(), settings)
    client.register_plugin(plugin)
    under_way: deque[tuple[Future[Any], list[Future[Any]]]] = deque()
    try:
        for tree in _trees(client, key, partitions, floors):
            under_way.append(tree)
            if len(under_way) == 2:
                merged(under_way[0][0].result())
                under_way.popleft()
        while under_way:
            merged(under_way[0][0].result())
            under_way.popleft()
    finally:
        # What is not finished by now was interrupted or failed.
        client.cancel([future for root, leaves in under_way for future in (root, *leaves)], force=True)
        client.unregister_worker_plugin(plugin.name)


def _trees(
    client: Any, key: str, partitions: Iterable[Partition], floors: Callable[[], Mapping[str, Floor]]
) -> Iterator[tuple[Future[Any], list[Future[Any]]]]:
    every = iter(partitions)
    while True:
        threads = sum(client.nthreads().values())
        part = list(islice(every, max(_DEPTH * threads, 1)))
        if not part:
            return
        told = floors()
        leaves = [
            client.submit(
                *(work, key, one.number, _items(client, one)),
                # Once for each thread: the floors of all layers may be larger than a partition of paths.
                told if i < threads else None,
                key=f"convlens-survey-{key}-{one.number}",
                pure=False,
            )
            for i, one in enumerate(part)
        ]
        yield _tree(client, f"convlens-merge-{key}-{part[0].number}", leaves), leaves


def _tree(client: Any, name: str, level: Sequence[Future[Any]]) -> Future[Any]:
    height = 0
    while len(level) > 1 or height == 0:
        level = [
            client.submit(merge, list(level[i : i + FAN_IN]), key=f"{name}-{height}-{i}", pure=False)
            for i in range(0, len(level), FAN_IN)
        ]
        height += 1
    return level[0]


def _items(client: Any, partition: Partition) -> Any:
    """Return a partition's images, or the future of those that workers compute."""
    return client.compute(partition.items) if hasattr(partition.items, "__dask_graph__") else Packed(partition.items)


def work(key: str, number: int, items: Any, told: Mapping[str, Floor] | None = None) -> Tallies:
    """Run one partition on a worker; `told` is the client's newest floors, where they come with it."""
    if isinstance(items, Packed):
        items = items.items()
    with _LOADING:
        if key not in _JOBS:
            _JOBS[key] = _PLUGINS[key].load()
        seen = _SEEN.setdefault(key, {})
        if told:
            _TOLD[key] = told
        floors = dict(_TOLD.get(key, {}))
        for path, best in seen.items():
            floors[path] = best.floor().and_above(floors[path]) if path in floors else best.floor()
    # A list of a Dask bag's partition comes as it is in the bag.
    if items and not hasattr(items[0], "image"):
        items = bag_items(items, number)
    found = _JOBS[key].run(number, items, floors)
    with _LOADING:
        for path, tally in found.layers.items():
            best = seen.setdefault(path, Best(tally.filters, tally.top))
            best.merge(tally.best)
            best.patches[:] = None
    return found


def merge(parts: Sequence[Tallies]) -> Tallies:
    """Merge tallies on a worker."""
    total = Tallies()
    for part in parts:
        total.merge(part)
    return total


def _is_kerass(one: type) -> bool:
    return one.__module__.partition(".")[0] == "keras"
