"""However a training ends, the lens holds what the model has, and the lens never ends the training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from tests.unit.keras_sweep import close, maps, numpy
from tests.unit.test_training import IMAGES, fit
from tests.unit.test_training import model as model

pytestmark = pytest.mark.slow


class At(keras.callbacks.Callback):  # type: ignore[misc,unused-ignore]
    """Does something after a batch."""

    def __init__(self, batch: int, act: Callable[[], None]) -> None:
        super().__init__()
        self.batch, self.act = batch, act

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch == self.batch:
            self.act()


def holds_what_the_model_has(lens: ConvLens, model: Any) -> None:
    for ours, own in zip(lens.get_weights(), model.get_layer(lens.layer_path).get_weights(), strict=True):
        np.testing.assert_array_equal(ours, own)
    before, after = lens.predictions
    close(before, numpy(model(IMAGES[:1]))[0], 1e-5)
    close(after, before, 1e-5)
    x = IMAGES[:1]
    for layer in model.layers[: 1 + [one.name for one in model.layers].index(lens.layer_path)]:
        x = layer(x)
    close(lens.activations, maps(x), 1e-5)
    assert lens._training is None or lens._training["running"] is False


def stopping(model: Any) -> list[Any]:
    """The first epoch's weights are taken for the best, since the loss falls after it and the highest is asked for."""
    model.compile(keras.optimizers.SGD(0.05), "sparse_categorical_crossentropy")
    return [keras.callbacks.EarlyStopping("loss", mode="max", patience=1, restore_best_weights=True)]


def averaging(model: Any) -> list[Any]:
    model.compile(keras.optimizers.Adam(0.1, use_ema=True, ema_momentum=0.5), "sparse_categorical_crossentropy")
    return []


def swapping(model: Any) -> list[Any]:
    averaging(model)
    return [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)]


@pytest.mark.parametrize("prepare", [stopping, averaging, swapping])
@pytest.mark.parametrize("path", ["first", "second"])
@pytest.mark.parametrize("last", [True, False])
def test_after_fit_the_lens_holds_the_weights_that_keras_put_in_at_the_end(
    model: Any, prepare: Callable[[Any], list[Any]], path: str, last: bool
) -> None:
    others = prepare(model)
    lens = ConvLens(IMAGES[0], model=model, layer=path)
    fit(model, *((*others, lens.callback()) if last else (lens.callback(), *others)))
    holds_what_the_model_has(lens, model)
    trained = [w.copy() for w in model.get_weights()]
    lens.apply()
    for ours, own in zip(model.get_weights(), trained, strict=True):
        np.testing.assert_array_equal(ours, own)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_fit_that_is_interrupted_or_fails_is_over(model: Any, error: type[BaseException]) -> None:
    def fail() -> None:
        assert lens._training is None or lens._training["running"]
        raise error

    lens = ConvLens(IMAGES[0], model=model)
    with pytest.raises(error):
        fit(model, lens.callback(every=1), At(2, fail))
    assert len(lens.snapshots) >= 3
    holds_what_the_model_has(lens, model)
    assert lens._training["running"] is False
    fit(model, lens.callback(), epochs=1)
    holds_what_the_model_has(lens, model)


def test_the_training_is_still_running_where_the_lens_is_read_within_it(model: Any) -> None:
    lens = ConvLens(IMAGES[0], model=model)
    lens._outbox.displayed = True
    seen: list[Any] = []

    def read() -> None:
        _ = lens.kernels, lens.activations
        seen.append(lens._training["running"])

    fit(model, lens.callback(), At(1, read), epochs=2)
    assert seen == [True, True] and lens._training["running"] is False and not lens._problem


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="Keras on PyTorch runs one step an execution")
def test_several_steps_an_execution_are_counted_one_by_one(model: Any) -> None:
    model.compile("sgd", "sparse_categorical_crossentropy", steps_per_execution=3)
    lens = ConvLens(IMAGES[0], model=model)
    fit(model, lens.callback(every=2), epochs=2)  # four batches an epoch: three at once, and the last
    counted = [(s.epoch, s.step) for s in lens.snapshots]
    # Keras 3.9 gives a callback the number of an execution's first batch, later versions that of its last.
    assert counted == [(0, 0), (0, 3), (0, 4), (1, 7), (1, 8)]


def test_closing_the_lens_does_not_end_the_training(model: Any) -> None:
    lens = ConvLens(IMAGES[0], model=model)
    callback = lens.callback(every=1)
    assert len(fit(model, callback, At(1, lens.close), epochs=2).epoch) == 2
    assert len(fit(model, callback, epochs=1).epoch) == 1


def test_a_notebooks_cell_that_returns_shows_what_fit_left(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from IPython.core.events import EventManager
    from IPython.core.interactiveshell import InteractiveShell

    class Shell:
        events = EventManager(InteractiveShell.__new__(InteractiveShell), ["post_run_cell"])

    monkeypatch.setattr(InteractiveShell, "initialized", classmethod(lambda cls: True))
    monkeypatch.setattr(InteractiveShell, "instance", classmethod(lambda cls: Shell()))
    others = stopping(model)
    lens = ConvLens(IMAGES[0], model=model)
    fit(model, lens.callback(), *others)
    seen: list[Any] = []
    lens.observe(lambda change: seen.append(change["new"]), "kernels")
    Shell.events.trigger("post_run_cell", None)
    expected = model.get_layer("first").get_weights()[0][..., 0, :]
    np.testing.assert_array_equal(np.stack(seen[-1], -1), expected)
    assert not lens._problem, "the end of a training that was followed is no surprise"
    count = len(seen)
    Shell.events.trigger("post_run_cell", None)
    assert len(seen) == count
