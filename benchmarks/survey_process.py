"""What is measured of surveys and of maximising, each in a process of its own."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

SIDE, BATCH = 96, 32
#: Images after which the pace is measured: a survey traces the model first, and fills the places of its best images.
WARM = 512
#: Two that are compared take turns, since a machine's pace changes within minutes; together 100,000 crops.
ROUNDS, ROUND = 8, 12_500
ROUNDS_OF_ALL = 3


def network() -> Any:
    """MobileNetV2 with random weights: what a run takes does not depend on what was learnt."""
    import keras

    keras.utils.set_random_seed(1)
    inputs = keras.Input((SIDE, SIDE, 3))
    scaled = keras.layers.Rescaling(1 / 127.5, -1)(inputs)
    body = keras.applications.MobileNetV2(input_shape=(SIDE, SIDE, 3), include_top=False, weights=None)
    return keras.Model(inputs, body(scaled))


def pace(count: int = ROUNDS * ROUND, rounds: int = ROUNDS) -> dict[str, Any]:
    """Images a second of a survey of the deepest layer and of a bare loop to it, in turn, and of all layers, once.

    In each round of both on crops of its own, of those after the first `WARM`; of all layers on 2,048.
    """
    import tensorflow as tf

    import convlens
    from benchmarks.photographs import crops

    model = network()
    body = model.layers[-1]
    every = crops(count, SIDE)
    images = [crop for _, crop in islice(every, count // rounds)]
    deepest = convlens.survey(model, images[:BATCH], progress=False).layers[-1]
    inner = tf.keras.Model(body.inputs[0], body.get_layer(deepest.rpartition("/")[2]).output)
    forward = tf.function(lambda x: inner(x / 127.5 - 1, training=False))

    def bare(images: list[Any]) -> float:
        for start in range(0, len(images), BATCH):
            if start == WARM:
                begun = time.perf_counter()
            forward(tf.convert_to_tensor(np.stack(images[start : start + BATCH]).astype(np.float32))).numpy()
        return (len(images) - WARM) / (time.perf_counter() - begun)

    def survey(images: list[Any], layer: str | None) -> float:
        begun: list[float] = []

        def watched() -> Iterator[tuple[int, Any]]:
            for i, image in enumerate(images):
                if i == WARM:
                    begun.append(time.perf_counter())
                yield i, image

        convlens.survey(model, watched(), layer, batch_size=BATCH, progress=False)
        return (len(images) - WARM) / (time.perf_counter() - begun[0])

    of_all = survey(images[:2048], None)
    found: dict[str, list[float]] = {"bare": [], "one": []}
    while images:
        turns: list[tuple[str, Callable[[list[Any]], float]]] = [
            ("bare", bare),
            ("one", partial(survey, layer=deepest)),
        ]
        for name, run in turns[:: 1 if len(found["one"]) % 2 else -1]:
            found[name].append(run(images))
        images = [crop for _, crop in islice(every, count // rounds)]
    return {"images": count, **found, "all": of_all}


def plain(count: int = 4096, few: int = 1024) -> dict[str, float]:
    """Images a second of the deepest layer's survey in this process, of those after the first `few`."""
    import convlens
    from benchmarks.photographs import crops

    model = network()
    crops_ = list(crops(count, SIDE))
    deepest = convlens.survey(model, [crop for _, crop in crops_[:BATCH]], progress=False).layers[-1]
    found, _ = _after(few, crops_, lambda part: convlens.survey(model, part, deepest, batch_size=BATCH, progress=False))
    return {"pace": found}


def _after(few: int, images: list[Any], survey: Callable[[list[Any]], Any]) -> tuple[float, Any]:
    """Return images a second after the first few, and the survey of all."""
    times = []
    for part in (images[:few], images):
        start = time.perf_counter()
        found = survey(part)
        times.append(time.perf_counter() - start)
    return (len(images) - few) / (times[1] - times[0]), found


def cluster(count: int = ROUNDS * ROUND, rounds: int = ROUNDS, few: int = 4096) -> dict[str, Any]:
    """Images a second of one worker and of two, each of one thread, and whether both find the same.

    One worker and two take turns, in each round on crops of its own. Their pace is that of the images after the first
    `few`: the time for all less the time for those alone, since every survey brings the model to its workers, each
    traces it, and each fills the places of its best images. Of the deepest layer ``"one"``, and in the first
    `ROUNDS_OF_ALL` rounds of ``"all"`` on half the crops.
    """
    import convlens
    from benchmarks.photographs import crops

    model = network()
    every = crops(count, SIDE)
    deepest = ""
    found: dict[str, Any] = {"images": count}
    for number in range(rounds):
        images = list(islice(every, count // rounds))
        deepest = deepest or convlens.survey(model, [crop for _, crop in images[:BATCH]], progress=False).layers[-1]
        todo: dict[str, tuple[str | None, list[Any], int]] = {"one": (deepest, images, few)}
        if number < ROUNDS_OF_ALL:
            todo["all"] = (None, images[: len(images) // 2], few // 2)
        of = {workers: _on_workers(workers, model, todo) for workers in ((1, 2), (2, 1))[number % 2]}
        for name in todo:
            for workers in of:
                found.setdefault(f"{name} {workers}", []).append(of[workers][name][0])
            same = bool(of[1][name][1].equals(of[2][name][1]))
            found[f"{name} equal"] = found.get(f"{name} equal", True) and same
    return found


def _on_workers(
    workers: int, model: Any, todo: dict[str, tuple[str | None, list[Any], int]]
) -> dict[str, tuple[float, Any]]:
    """Return images a second after the first few, and the table of all, for each layer and its images."""
    from distributed import Client, LocalCluster

    import convlens

    found = {}
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0") as here,
        Client(here) as client,
    ):
        options = {"batch_size": BATCH, "client": client, "progress": False, "partition_size": 128}
        # The first survey starts Keras on the workers.
        convlens.survey(model, todo["one"][1][: BATCH * workers], **options | {"partition_size": BATCH})
        for name, (layer, images, few) in todo.items():
            pace, survey = _after(few, images, partial(convlens.survey, model, layer=layer, **options))
            found[name] = (pace, survey.to_pandas())
    return found


def memory(count: int = 100_000) -> dict[str, float]:
    """Resident memory at the thousandth image and at the last, in MB, and images a second between."""
    import keras

    import convlens
    from benchmarks.photographs import crops

    keras.utils.set_random_seed(1)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(32, 3, activation="relu"),
        ]
    )
    sizes: list[float] = []
    times: list[float] = []

    def watched() -> Iterator[tuple[int, Any]]:
        for i, crop in crops(count, 32):
            if i == 1000:
                sizes.append(resident())
                times.append(time.perf_counter())
            yield i, crop

    survey = convlens.survey(model, watched(), progress=False)
    assert survey.images == count
    seconds = time.perf_counter() - times[0]
    return {"count": count, "before": sizes[0], "after": resident(), "pace": (count - 1000) / seconds}


def resident() -> float:
    """Resident memory of this process in MB, after unused memory was returned."""
    import ctypes
    import gc
    from pathlib import Path

    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1000


def ascent(steps: int = 256, rounds: int = 3) -> dict[str, float]:
    """Seconds for `steps` steps for eight filters, by `maximize` and by a bare loop with the same transformations."""
    import keras
    import tensorflow as tf

    import convlens
    from convlens.interpretation.parameters import Parameters
    from convlens.interpretation.transformations import moved, random_movement

    keras.utils.set_random_seed(1)
    model = keras.applications.MobileNetV2(input_shape=(SIDE, SIDE, 3), include_top=False, weights=None)
    layer, filters = "block_6_expand", list(range(8))
    inner = keras.Model(model.inputs[0], model.get_layer(layer).output)
    parameters = Parameters((SIDE, SIDE, 3), np.zeros(3, np.float32), np.ones(3, np.float32))

    def bare() -> None:
        variable = tf.Variable(parameters.random(len(filters), 0))
        optimizer = keras.optimizers.Adam(0.05)
        optimizer.build([variable])
        chosen = tf.eye(inner.output.shape[-1])[: len(filters)]

        def step(indices: Any, shares: Any) -> Any:
            with tf.GradientTape() as tape:
                unit = parameters.unit_images(variable)
                maps = inner(moved(unit, indices, shares), training=False)
                activation = tf.reduce_sum(tf.reduce_mean(maps, axis=(1, 2)) * chosen, axis=1)
                loss = -tf.reduce_sum(activation) + 0.1 * tf.reduce_sum(tf.image.total_variation(unit)) / SIDE**2
            gradient = tf.convert_to_tensor(tape.gradient(loss, variable))
            optimizer.apply([gradient], [variable])
            return activation

        traced = tf.function(step)
        random = np.random.default_rng(0)
        for _ in range(steps):
            moves = random_movement(SIDE, SIDE, random)
            traced(tf.constant(moves.indices), tf.constant(moves.shares)).numpy()

    def ours() -> None:
        convlens.maximize(model, layer, filters, steps=steps)

    found: dict[str, list[float]] = {"bare": [], "ours": []}
    for number in range(rounds):
        for name, run in (("bare", bare), ("ours", ours))[:: 1 if number % 2 else -1]:
            start = time.perf_counter()
            run()
            found[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in found.items()}


def scheduler(tasks: int = 5000) -> dict[str, float]:
    """Tasks a second that a scheduler passes on, and bytes of one, of synthetic partitions that take no time."""
    import pickle

    from distributed import Client, LocalCluster

    from convlens.surveys.best import Floor
    from convlens.surveys.cluster import FAN_IN
    from convlens.surveys.packed import Packed
    from convlens.surveys.patches import Patch
    from convlens.surveys.sources import Item
    from convlens.surveys.tally import Tallies, Tally

    items = [Item(f"2026/11/28/photograph-{i:09d}.jpg", f"/data/2026/11/28/photograph-{i:09d}.jpg") for i in range(256)]
    tally = Tally(64, 9)
    values = np.random.default_rng(0).random((256, 64), dtype=np.float32)
    names = [item.image for item in items]
    random, place = np.random.default_rng(0), np.array([1, 2, 0, 30, 0, 30], np.int32)

    def cut(positions: Any, _: Any) -> Any:
        patches = np.empty(len(positions), object)
        for i in range(len(positions)):
            patches[i] = Patch.of(255 * random.random((31, 31, 3), dtype=np.float32), ((0, 30), (0, 30)))
        return np.tile(place, (len(positions), 1)), patches

    tally.add(names, values, cut)
    answer, later = Tallies({"layer": tally}, 256), Tally(64, 9)
    later.add(names, values, cut, Floor(np.full(64, 2, np.float32), None))
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as here, Client(here) as client:
        client.gather(client.map(_nothing, range(100), pure=False))
        start = time.perf_counter()
        level = [client.submit(_nothing, i, pure=False) for i in range(tasks)]
        while len(level) > 1:
            level = [client.submit(_nothing, level[i : i + FAN_IN], pure=False) for i in range(0, len(level), FAN_IN)]
        level[0].result()
        seconds = time.perf_counter() - start
    every = tasks + sum(-(-tasks // FAN_IN**height) for height in range(1, 6))
    merged = Tallies()
    start = time.perf_counter()
    for _ in range(FAN_IN):
        merged.merge(answer)
    return {
        "tasks_a_second": every / seconds,
        "task_bytes": len(pickle.dumps(("key", 0, Packed(items)))),
        "first_answer_bytes": len(pickle.dumps(answer)),
        "later_answer_bytes": len(pickle.dumps(Tallies({"layer": later}, 256))),
        "merge_seconds": time.perf_counter() - start,
    }


def _nothing(_: Any) -> int:
    return 0


MEASURES = {
    "pace": pace,
    "plain": plain,
    "cluster": cluster,
    "memory": memory,
    "ascent": ascent,
    "scheduler": scheduler,
}

if __name__ == "__main__":
    name, *numbers = sys.argv[1:]
    print(json.dumps(MEASURES[name](*map(int, numbers))))  # type: ignore[operator]
