"""Whether Keras variables still have the values that were read from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from convlens.layers.keras_internals import value_is_away
from convlens.layers.stateless_call import to_numpy

#: One quick check in this many reads one of the variables that are not checked first: that takes TensorFlow 20 µs, and
#: 80 or more between edits by hand, which leave pauses.
SAMPLED_EVERY = 4
#: Values of a variable that are compared where its back end has no version that every write changes.
VALUES = 256
#: How often something is computed again because a running training has changed the weights.
ATTEMPTS = 3

T = TypeVar("T")


class BeingTrained(RuntimeError):
    """A running training holds the model's weights, and its variables do not."""

    def __init__(self) -> None:
        super().__init__(
            "The model is being trained, and on JAX it does not hold its weights during training. Wait until fit "
            "returns, or show the training with callbacks=[lens.callback()]."
        )


class WeightSnapshot:
    """What a number of variables held at one moment, recognised without comparing every value.

    On TensorFlow and JAX a value that is referenced is not overwritten: whoever writes to the variable gives it other
    memory (`tf.Variable` copies on write, arrays of JAX are immutable). To hold the value and to compare where it lies
    is therefore exact, and takes no memory until the variable is written to. PyTorch writes in place and counts the
    writes, but not those through ``.data``; there some of the values are compared as well.

    Parameters
    ----------
    variables
        All that are checked.
    first
        Those among them that every check reads.

    Raises
    ------
    BeingTrained
        Where the variables hold nothing.
    """

    def __init__(self, variables: Sequence[Any], first: Sequence[Any] = ()) -> None:
        if any(value_is_away(variable) for variable in variables):
            raise BeingTrained()
        chosen = {id(variable) for variable in first}
        self._first = [variable for variable in variables if id(variable) in chosen]
        self._rest = [variable for variable in variables if id(variable) not in chosen]
        self._marks = {id(variable): _mark_of(variable) for variable in variables}
        self._looks = 0

    def holds(self, variables: Sequence[Any] | None = None) -> bool:
        """Whether all variables have the values that they had.

        Parameters
        ----------
        variables
            What the model's variables are now, where they may be others.
        """
        ours = [*self._first, *self._rest]
        if variables is not None and {id(variable) for variable in variables} != set(self._marks):
            return False
        return all(self._marks[id(variable)].holds() for variable in ours)

    def seems_to_hold(self) -> bool:
        """Whether the variables that are checked first, and sometimes one of the others, have the values they had."""
        turn, left = divmod(self._looks, SAMPLED_EVERY)
        self._looks += 1
        sample = [self._rest[turn % len(self._rest)]] if self._rest and left == 0 else []
        return all(self._marks[id(variable)].seems_to_hold() for variable in [*self._first, *sample])

    def accept(self, variables: Sequence[Any]) -> None:
        """Replace what is compared with by what these variables hold now."""
        self._marks |= {id(variable): _mark_of(variable) for variable in variables if id(variable) in self._marks}


def consistent(look: Callable[[], WeightSnapshot], compute: Callable[[], T]) -> tuple[WeightSnapshot, T]:
    """Compute something from weights until they do not change during it, at most `ATTEMPTS` times.

    Returns
    -------
    snapshot
        From before the last attempt. Where it does not hold, what was computed may mix two states of the weights, and
        the next check of the snapshot shows that it is out of date.
    result
        What `compute` returned then.
    """
    for _ in range(ATTEMPTS):
        snapshot = look()
        result = compute()
        if snapshot.holds():
            break
    return snapshot, result


@dataclass(frozen=True, eq=False)
class _Mark:
    """What tells later on whether a variable still holds the value that it had.

    Parameters
    ----------
    holds
        Whether it does.
    seems_to_hold
        The same, sooner: on TensorFlow it reads the `tf.Variable` that Keras's variable had at first, without asking
        Keras's whether it still has that one.
    """

    holds: Callable[[], bool]
    seems_to_hold: Callable[[], bool]


def _mark_of(variable: Any) -> _Mark:
    """Return the mark of the value that a variable holds now."""
    import keras

    backend, held = keras.backend.backend(), variable.value
    if backend == "tensorflow" and hasattr(held, "handle"):
        return _mark_of_resource(variable, held)
    same = _same_as(backend, held)

    def holds() -> bool:
        return value_is_away(variable) or same(variable.value)

    return _Mark(holds, holds)


def _same_as(backend: str, held: Any) -> Callable[[Any], bool]:
    """Return a function that tells whether a value is the one that is held now."""
    if backend == "torch":
        address, version, some = held.data_ptr(), held._version, _some(held)
        return lambda now: (now.data_ptr(), now._version) == (address, version) and _some(now) == some
    if backend == "jax":
        return lambda now: now is held or (not held.is_deleted() and _equal(held, now))
    copied = np.array(held, copy=True)
    return lambda now: _equal(copied, now)


def _mark_of_resource(variable: Any, resource: Any) -> _Mark:
    """Return the mark of a `tf.Variable`, which is read by the plain operation: a third of what `value()` takes."""
    import tensorflow as tf

    read, handle, dtype = tf.raw_ops.ReadVariableOp, resource.handle, resource.dtype
    held = np.asarray(read(resource=handle, dtype=dtype))

    def same(found: Any) -> bool:
        # Both are referenced, so they overlap only where they are the same.
        return np.may_share_memory(found, held) or _equal(held, found)

    def seems_to_hold() -> bool:
        return same(np.asarray(read(resource=handle, dtype=dtype)))

    def holds() -> bool:
        now = variable.value
        return seems_to_hold() if now is resource else same(np.asarray(read(resource=now.handle, dtype=now.dtype)))

    return _Mark(holds, seems_to_hold)


def _some(tensor: Any) -> bytes:
    """Values spread evenly over a tensor of PyTorch."""
    flat = tensor.detach().reshape(-1)
    return to_numpy(flat[:: max(1, -(-len(flat) // VALUES))]).tobytes()


def _equal(one: Any, other: Any) -> bool:
    a, b = np.asarray(one), np.asarray(other)
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
