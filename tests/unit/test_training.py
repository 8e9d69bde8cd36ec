"""A lens follows its layer while the model is trained, keeps snapshots, and costs little."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from convlens.layers.run_layer import Runner
from convlens.state.filters import FilterList
from convlens.state.running_fit import KEPT_BACK, TimeBudget
from convlens.state.snapshots import Snapshot, Snapshots
from tests.unit.keras_sweep import Array, close, maps, numpy
from tests.unit.model_kinds import predicted
from tests.unit.test_requests import Browser

layers = keras.layers
RNG = np.random.default_rng(0)
IMAGES = RNG.random((32, 8, 8, 1), dtype=np.float32)
CLASSES = (IMAGES.mean(axis=(1, 2, 3)) > 0.5).astype(np.int64)


@pytest.fixture
def model() -> Any:
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(3, 3, activation="relu", name="first"),
            layers.Conv2D(2, 3, name="second"),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def fit(model: Any, *callbacks: Any, epochs: int = 3, **arguments: Any) -> Any:
    return model.fit(
        IMAGES, CLASSES, batch_size=8, epochs=epochs, verbose=0, shuffle=False, callbacks=callbacks, **arguments
    )


class Noting(keras.callbacks.Callback):  # type: ignore[misc,unused-ignore]
    """Notes a layer's weights after every batch and every epoch, by Keras alone."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.batches: list[list[Array]] = []
        self.epochs: list[list[Array]] = []

    def weights(self) -> list[Array]:
        return [np.array(w) for w in self.model.get_layer(self.name).get_weights()]

    def on_train_begin(self, logs: Any = None) -> None:
        self.batches.append(self.weights())
        self.epochs.append(self.weights())

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.batches.append(self.weights())

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epochs.append(self.weights())


def same(snapshot: Snapshot, weights: list[Array]) -> None:
    kernel, bias = weights
    for i, ours in enumerate(snapshot.kernels):
        np.testing.assert_array_equal(ours, kernel[..., i].squeeze())
    np.testing.assert_array_equal(snapshot.bias, bias)


@pytest.mark.parametrize("path", ["first", "second"])
def test_every_epoch_is_kept_and_the_lens_ends_with_what_training_made(model: Any, path: str) -> None:
    lens = ConvLens(IMAGES[0], model=model, layer=path)
    noting = Noting(path)
    history = fit(model, lens.callback(), noting)
    assert [(s.epoch, s.step) for s in lens.snapshots] == [(0, 0), (1, 4), (2, 8), (3, 12)]
    for snapshot, weights in zip(lens.snapshots, noting.epochs, strict=True):
        same(snapshot, weights)
    assert lens.snapshots[0].loss is None
    np.testing.assert_allclose([s.loss or 0 for s in lens.snapshots[1:]], history.history["loss"])
    for ours, own in zip(lens.get_weights(), model.get_layer(path).get_weights(), strict=True):
        np.testing.assert_array_equal(ours, own)
    x = IMAGES[:1]
    for layer in model.layers[: 1 + [one.name for one in model.layers].index(path)]:
        x = layer(x)
    close(lens.activations, maps(x))  # of a deeper layer, on what the trained model feeds it
    close(lens.predictions.before, numpy(model(IMAGES[:1]))[0])
    close(lens.predictions.after, lens.predictions.before)
    assert "after epoch 3, batch 12" in repr(lens.snapshots[-1])


def test_every_n_batches_and_the_last_are_kept(model: Any) -> None:
    lens = ConvLens(IMAGES[0], model=model)
    noting = Noting("first")
    fit(model, lens.callback(every=5), noting)
    assert [s.step for s in lens.snapshots] == [0, 5, 10, 12]
    for snapshot in lens.snapshots:
        same(snapshot, noting.batches[snapshot.step])


@pytest.mark.parametrize("every", ["epoch", 3])
def test_a_snapshot_has_the_validation_loss_that_keras_reported_last(model: Any, every: Any) -> None:
    lens = ConvLens(IMAGES[0], model=model)
    fit(model, lens.callback(every=every), epochs=1)
    assert [s.val_loss for s in lens.snapshots] == [None] * len(lens.snapshots)
    before = len(lens.snapshots)
    history = fit(model, lens.callback(every=every), epochs=3, validation_data=(IMAGES[:6], CLASSES[:6])).history
    added = lens.snapshots[before:]
    # Before the end of its first epoch there is none, not that of another training.
    reported = [None, *history["val_loss"]]
    assert [s.val_loss for s in added] == [reported[s.epoch - 1] for s in added]
    assert added[-1].val_loss == history["val_loss"][-1]
    record = lens._training
    assert record is not None
    assert [one["val_loss"] for one in record["snapshots"]] == [s.val_loss for s in lens.snapshots]


def test_a_second_fit_goes_on_counting(model: Any) -> None:
    lens = ConvLens(IMAGES[0], model=model)
    callback = lens.callback()
    fit(model, callback, epochs=1)
    fit(model, callback, epochs=1)
    assert [(s.epoch, s.step) for s in lens.snapshots] == [(0, 0), (1, 4), (2, 8)]


def test_a_layer_on_its_own_is_followed_as_well(model: Any) -> None:
    lens = ConvLens(IMAGES[0], layer=model.layers[0])
    fit(model, lens.callback(), epochs=1)
    same(lens.snapshots[1], model.layers[0].get_weights())
    close(lens.activations, maps(model.layers[0](IMAGES[:1])))


def test_training_is_the_same_with_and_without_the_callback(model: Any) -> None:
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    other.compile("sgd", "sparse_categorical_crossentropy")
    Browser(lens := ConvLens(IMAGES[0], model=model, layer="second"))
    with_lens, without = fit(model, lens.callback(every=1, budget=None)), fit(other)
    assert with_lens.history == without.history
    for ours, own in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, own)


def test_no_map_is_computed_while_nobody_looks(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lens = ConvLens(IMAGES[0], model=model)
    _ = lens.activations

    def forbidden(*_: Any) -> None:
        raise AssertionError("a map was computed")

    monkeypatch.setattr(Runner, "run", forbidden)
    fit(model, lens.callback(budget=None))
    assert len(lens.snapshots) == 4


def test_who_looks_sees_kernels_and_maps_of_every_epoch(model: Any) -> None:
    browser = Browser(lens := ConvLens(IMAGES[0], model=model, layer="second"))
    noting = Noting("second")
    seen: list[Any] = []
    lens.observe(lambda change: seen.append(change["new"]), "_training")
    fit(model, noting, lens.callback(budget=None))
    kernels = [
        np.frombuffer(record["kernel"], "<f4").reshape(3, 3, 3)
        for message in browser.heard
        for record in message["filters"]
        if record["uid"] == lens._state["order"][1]
    ]
    expected = [weights[0][..., 1] for weights in noting.epochs]
    for weights in expected:
        assert any(np.array_equal(weights, kernel) for kernel in kernels)
    assert all(record["map"] is not None for message in browser.heard for record in message["filters"])
    counts = [(record["running"], len(record["snapshots"]), record["shown"]) for record in seen]
    assert counts == [(True, 1, 0), (True, 2, 1), (True, 3, 2), (True, 4, 3), (False, 4, 3)]
    assert seen[-1]["snapshots"][1]["epoch"] == 1 and seen[-1]["snapshots"][1]["step"] == 4


@pytest.mark.parametrize("multiplier", [1, 2])
def test_both_kernels_of_a_separable_layer_come_with_every_epoch(multiplier: int) -> None:
    keras.utils.set_random_seed(1)
    separable = layers.SeparableConv2D(3, 2, depth_multiplier=multiplier, name="open")
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Conv2D(2, 3), separable, layers.Flatten(), layers.Dense(2, "softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    browser = Browser(lens := ConvLens(IMAGES[0], model=model, layer="open"))
    noting = Noting("open")
    fit(model, noting, lens.callback(budget=None), epochs=2)
    found = [record["factors"] | {"of": record["rev"]} for message in browser.heard for record in message["filters"]]
    assert all(one["rev"] == one["of"] and one["multiplier"] == multiplier for one in found)
    for depthwise, pointwise, _ in noting.epochs:
        stack = depthwise.reshape(2, 2, 2 * multiplier).tobytes()
        columns = [one["pointwise"] for one in found if one["depthwise"] == stack]
        assert {pointwise[0, 0, :, i].tobytes() for i in range(3)} <= set(columns)
    newest = {one["uid"]: one for one in found}
    for index in range(3):
        uid = browser.uid(index)
        assert browser.ask("factors", uid=uid)["factors"] | {"of": newest[uid]["rev"]} == newest[uid]
    # Python is free again: nothing is sent that was not requested.
    browser.heard.clear()
    lens.bias = [2, 0, 0]
    assert browser.heard and not any("factors" in record for message in browser.heard for record in message["filters"])


@pytest.mark.parametrize(("epoch", "reading", "showing"), [(10.0, 0.01, 0.5), (0.1, 0.0002, 0.01), (1.0, 0.001, 3.0)])
def test_reading_and_showing_together_keep_within_the_budget(epoch: float, reading: float, showing: float) -> None:
    now = spent = 0.0
    budget = TimeBudget(0.01, showing, lambda: now)

    def pay(seconds: float, of_showing: bool = False) -> None:
        nonlocal now, spent
        with budget.spending(of_showing):
            now += seconds
            spent += seconds

    for _ in range(1000):
        now += epoch
        pay(reading)
        if budget.affords():
            pay(showing, of_showing=True)
            assert spent <= 0.01 * now + 1e-9
    assert spent <= 0.01 * now
    # Not by showing nothing: apart from the reserve, what is left would not pay for two more.
    assert spent + 2 * showing > (1 - KEPT_BACK) * 0.01 * now


def test_without_a_budget_everything_is_shown() -> None:
    budget = TimeBudget(None, 1.0, lambda: 0.0)
    with budget.spending(showing=True):
        pass
    assert budget.affords()


def test_what_comes_too_soon_for_the_budget_is_kept_but_not_shown(model: Any) -> None:
    Browser(lens := ConvLens(IMAGES[0], model=model))
    seen: list[Any] = []
    lens.observe(lambda change: seen.append(change["new"]["running"]), "_training")
    fit(model, lens.callback(every=1, budget=1e-9))
    assert len(lens.snapshots) == 13
    assert seen == [True, False], "the beginning and the end"


def test_scrubbing_shows_a_snapshot_and_is_one_step_of_undo(model: Any) -> None:
    browser = Browser(lens := ConvLens(IMAGES[0], model=model))
    fit(model, lens.callback())
    trained = lens.get_weights()
    untrained = lens.snapshots[0]
    for index in (2, 1, 0):
        answer = browser.ask("scrub", index=index)
        assert answer["ok"] and lens._training["shown"] == index
    np.testing.assert_array_equal(lens.kernels, untrained.kernels)
    expected = layers.Conv2D(3, 3, activation="relu")
    expected.build((None, 8, 8, 1))
    expected.set_weights([np.stack(untrained.kernels, -1)[:, :, np.newaxis], untrained.bias])
    close(lens.activations, maps(expected(IMAGES[:1])))
    assert not np.allclose(*predicted(lens))
    lens.undo()
    for ours, own in zip(lens.get_weights(), trained, strict=True):
        np.testing.assert_array_equal(ours, own)
    assert lens._training["shown"] == 3
    lens.set_kernel(0, np.ones((3, 3)))
    assert lens._training["shown"] is None
    with pytest.raises(IndexError, match="There is no snapshot 4: 4 were kept"):
        lens.scrub(4)


def test_restore_goes_back_to_what_training_ended_with_and_edits_of_before_are_gone(model: Any) -> None:
    lens = ConvLens(IMAGES[0], model=model)
    lens.set_kernel(0, np.full((3, 3), 9))
    fit(model, lens.callback())
    assert lens.kernels[0].max() < 9
    trained = [w.copy() for w in model.get_weights()]
    lens.undo()
    lens.set_kernel(0, np.zeros((3, 3)))
    lens.apply()
    lens.restore()
    for ours, own in zip(model.get_weights(), trained, strict=True):
        np.testing.assert_array_equal(ours, own)


def test_a_callback_that_cannot_work_is_refused(model: Any) -> None:
    lens = ConvLens(IMAGES[0], model=model)
    for every in ("batch", 0, -1, 1.5, True, None):
        with pytest.raises(ValueError, match='expected "epoch", or the number of batches between'):
            lens.callback(every)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="made its layer itself"):
        ConvLens(IMAGES[0]).callback()
    other = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(1, 3, name="other"), layers.Flatten()])
    with pytest.raises(ValueError, match="'other', but model"):
        fit(model, ConvLens(IMAGES[0], model=other).callback())


def filters(value: int) -> FilterList:
    return FilterList.make([np.full((2, 2, 1), value, np.float32)], [0], ["one"])


def test_snapshots_are_thinned_evenly_and_the_first_and_newest_stay() -> None:
    kept = Snapshots(most=8)
    for step in range(1000):
        kept.add(Snapshot(0, step, None, filters(step)))
        steps = [snapshot.step for snapshot in kept]
        assert len(steps) <= 8 and steps[0] == 0 and steps[-1] == step
        assert len(set(np.diff(steps[:-1]))) <= 1
    heavy = Snapshots(nbytes=5 * 20)  # four taps and a bias each
    for step in range(100):
        heavy.add(Snapshot(0, step, None, filters(step)))
        assert sum(snapshot.nbytes for snapshot in heavy) <= 100
