"""Runs of a user's model beside another thread that uses the model leave alone what that thread does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import pytest

from convlens import ConvLens
from convlens.layers.stateless_call import call_layer, uncompiled
from convlens.models.conv_model import ConvModel
from tests.deadlines import SECONDS

layers = keras.layers
IMAGE = np.random.default_rng(0).random((8, 8, 1), dtype=np.float32)


class Gate(keras.layers.Layer):  # type: ignore[misc,unused-ignore]
    """Returns what it is given; while it is shut, a call from another thread than the main one waits within."""

    def __init__(self) -> None:
        super().__init__(name="gate")
        self.entered, self.opened = threading.Event(), threading.Event()

    def call(self, x: Any) -> Any:
        if threading.current_thread() is not threading.main_thread():
            self.entered.set()
            assert self.opened.wait(SECONDS)
        return x


@contextmanager
def beside(gate: Gate, work: Callable[[], Any]) -> Iterator[None]:
    """Run `work` in another thread up to the gate, then the block, then the rest."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert gate.entered.wait(SECONDS), failures
        yield
    finally:
        gate.opened.set()
        thread.join(SECONDS)
    assert not failures and not thread.is_alive()


def gated() -> tuple[Any, Gate]:
    gate = Gate()
    model = keras.Sequential(
        [keras.Input(IMAGE.shape), layers.Conv2D(2, 3, name="conv"), gate, layers.Flatten(), layers.Dense(2)]
    )
    return model, gate


def edited(lens: ConvLens) -> None:
    lens.set_kernel(0, np.ones((3, 3)))
    _ = lens.predictions


RUNS: dict[str, Callable[[Any, ConvLens], Any]] = {
    "predicting": lambda model, lens: edited(lens),
    "recording": lambda model, lens: ConvModel(model, IMAGE[np.newaxis]),
}


@pytest.mark.parametrize("run", list(RUNS))
def test_a_loss_that_another_thread_adds_during_a_run_stays(run: str) -> None:
    model, gate = gated()
    conv, loss = model.get_layer("conv"), keras.ops.convert_to_tensor(3.0)
    lens = ConvLens(IMAGE, model=model)
    with beside(gate, lambda: RUNS[run](model, lens)):
        conv.add_loss(loss)
    assert [float(one) for one in conv.losses] == [3.0]


@pytest.mark.parametrize("run", list(RUNS))
def test_a_loss_from_before_a_run_is_there_while_it_lasts(run: str) -> None:
    model, gate = gated()
    lens = ConvLens(IMAGE, model=model)
    model.get_layer("conv").add_loss(keras.ops.convert_to_tensor(3.0))
    with beside(gate, lambda: RUNS[run](model, lens)):
        assert [float(one) for one in model.losses] == [3.0]
    assert [float(one) for one in model.losses] == [3.0]


def test_that_another_thread_called_a_layer_first_stays_noted() -> None:
    model, gate = gated()
    dense = model.layers[-1]
    assert dense._called  # building a functional model calls its layers
    vars(dense)["_called"] = False
    vars(conv := model.get_layer("conv"))["_called"] = False
    lens = ConvLens(IMAGE, model=model)
    assert not dense._called and not conv._called
    with beside(gate, lambda: edited(lens)):
        dense(np.zeros((1, 72), np.float32))
    assert dense._called and not conv._called


def test_one_run_of_a_users_layers_waits_for_another() -> None:
    model, gate = gated()
    lens = ConvLens(IMAGE, model=model)
    order: list[str] = []

    class Noting(keras.layers.Conv2D):  # type: ignore[misc,name-defined,unused-ignore]
        def call(self, x: Any) -> Any:
            order.append("second run")
            return super().call(x)

    noting = Noting(1, 3)
    noting.build((None, *IMAGE.shape))
    weights = [keras.ops.convert_to_numpy(v) for v in noting.weights]
    second = threading.Thread(target=lambda: call_layer(noting, weights, IMAGE[np.newaxis]))
    with beside(gate, lambda: edited(lens)):
        second.start()
        second.join(0.2)  # it cannot end: long enough for it to begin, if it could
        order.append("first run ends")
    second.join(SECONDS)
    assert order == ["first run ends", "second run"]


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="PyTorch's compiler has a stance")
def test_runs_that_meet_leave_the_compilers_stance_as_it_was() -> None:
    import torch._dynamo.eval_frame as compiler

    before = compiler._stance
    first_in, second_in, leave, first_out = (threading.Event() for _ in range(4))

    def first() -> None:
        with uncompiled():
            first_in.set()
            assert leave.wait(SECONDS)

    def second() -> None:
        with uncompiled():
            second_in.set()
            assert first_out.wait(SECONDS)

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert first_in.wait(SECONDS)
    threads[1].start()
    second_in.wait(0.2)  # which it cannot be yet: long enough, if it could
    leave.set()
    threads[0].join(SECONDS)
    first_out.set()
    threads[1].join(SECONDS)
    assert compiler._stance == before
