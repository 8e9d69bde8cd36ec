"""Messages that no real browser sends, made from those that one does; and what a lens does with each.

Without end, from the command line: ``CONVLENS_FUZZ_ROUNDS=200000 python -m pytest tests/fuzz``.
"""

from __future__ import annotations

import gc
import random
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from convlens import ConvLens
from convlens.protocol import records

IMAGE = np.random.default_rng(0).random((6, 5)).astype(np.float32)
#: What one message may cost.
MOST_SECONDS = 0.1
MOST_BYTES = 50_000_000
#: Traits that are not part of the lens's state, or never change.
LEFT_OUT = ("_problem", "_cmaps", "_esm", "_bundle", "_css", "_presets")

TRUE: list[dict[str, Any]] = [
    {"type": "hello", "generation": 1, "revs": [[1, 1]], "image": 1, "again": True, "picture": "none"},
    {"type": "edit", "edits": [{"uid": 1, "taps": {"index": [0, 3], "value": [2.0, "NaN"]}}], "gesture": "a"},
    {"type": "edit", "edits": [{"uid": 1, "bias": 0.5}], "gesture": "b"},
    {"type": "replace", "uids": [1], "shape": [2, 2, 1], "kernels": bytes(16), "gesture": "c"},
    {"type": "add", "kernel": bytes(16), "name": "new", "at": 0, "bias": 1},
    {"type": "remove", "uid": 1},
    {"type": "move", "uid": 1, "to": 0},
    {"type": "rename", "uid": 1, "name": "other"},
    {"type": "undo"},
    {"type": "redo"},
    {"type": "reset"},
    {"type": "set", "name": "selected", "value": 1},
    {"type": "set", "name": "pixel", "value": [1, 1]},
    {"type": "set", "name": "value_range", "value": [0, 1]},
    {"type": "set", "name": "cmap", "value": "viridis"},
    {"type": "configure", "settings": {"strides": 2, "padding": "same", "use_bias": False}},
    {"type": "configure", "settings": {"activation": "relu", "dilation_rate": [1, 2]}},
    {"type": "need", "uids": [1, 2]},
    {"type": "probe", "row": 0, "col": 0, "uids": [1]},
    {"type": "image", "shape": [3, 4, 1], "data": bytes(12)},
    {"type": "use_map", "uid": 1},
    {"type": "leave_map", "steps": 1},
    {"type": "diagnose", "uid": 1, "channel": 0},
    {"type": "code", "framework": "numpy"},
    {"type": "stats"},
    {"type": "stats", "pixel": [1, 1]},
    {"type": "ranges", "stage": "activation"},
    {"type": "losses", "start": 0, "count": 2},
    {"type": "deep", "uid": 1, "channels": [0]},
    {"type": "patch", "uid": 1, "row": 0, "col": 0},
    {"type": "plane", "channel": 0},
    {"type": "factors", "uid": 1, "edit": {"part": "depthwise", "index": [0], "value": [1]}},
    {"type": "scrub", "index": 0},
    {"type": "excited", "uid": 1},
    {"type": "show_excited", "filter": 0, "rank": 0},
    {"type": "run", "what": "rank", "act": "start", "uid": 1},
    {"type": "run", "what": "attribution", "act": "start", "target": 0, "method": "gradcam"},
    {"type": "run", "what": "maximize", "act": "look", "uid": 1},
]


@dataclass
class Findings:
    """What a run found; `faults` is empty if every promise was kept."""

    messages: int = 0
    refused: int = 0
    #: Of the thread that handles the message, so that other programs on the machine do not count; without the time in
    #: which Python collects garbage, which is that of all objects of the process, Keras's and TensorFlow's among them.
    slowest: float = 0.0
    longest_collection: float = 0.0
    largest: int = 0
    faults: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        """Give the figures in a line."""
        return (
            f"{self.messages:,} messages, {self.refused:,} refused, slowest {1000 * self.slowest:.0f} ms "
            f"and {1000 * self.longest_collection:.0f} ms of collecting garbage beside it, largest "
            f"{self.largest / 1e6:.1f} MB, {len(self.faults)} faults"
        )


class Collecting:
    """Adds up the time in which Python collects garbage; `seconds` may be set back."""

    def __init__(self) -> None:
        self.seconds = self._begun = 0.0

    def __call__(self, phase: str, _: dict[str, int]) -> None:
        """Note the beginning or the end of a collection, as `gc.callbacks` calls it."""
        if phase == "start":
            self._begun = time.thread_time()
        else:
            self.seconds += time.thread_time() - self._begun


def junk(rng: random.Random) -> Any:
    """Make a value that may appear where another was meant."""
    makers: list[Callable[[], Any]] = [
        lambda: None,
        lambda: rng.choice([True, False]),
        lambda: rng.choice([-1, 0, 1, 2, 7, 2**31, -(2**63), 10**30]),
        lambda: rng.choice([0.5, -0.0, 1e300, float("nan"), float("inf")]),
        lambda: rng.choice(["", "a", "NaN", "\ud800", "\x00", "__class__", "x" * 2000, "y" * 100_001]),
        lambda: rng.choice([b"", bytes(3), bytes(16), bytes(64)]),
        list,
        dict,
        lambda: [junk(rng) for _ in range(rng.randrange(4))],
        lambda: {rng.choice(["uid", "taps", "$buffer", "x"]): junk(rng) for _ in range(rng.randrange(1, 3))},
        lambda: [0] * 500,
        lambda: {"$buffer": rng.randrange(-1, 3)},
    ]
    return rng.choice(makers)()


def mutated(value: Any, rng: random.Random, rate: float) -> Any:
    """Replace, leave out or double some parts of a value."""
    if rng.random() < rate:
        return junk(rng)
    if isinstance(value, dict):
        kept = {key: mutated(item, rng, rate) for key, item in value.items() if rng.random() > rate / 2}
        return kept if rng.random() > rate / 2 else kept | {rng.choice(["uid", "extra", "edits"]): junk(rng)}
    if isinstance(value, list):
        items = [mutated(item, rng, rate) for item in value]
        return items * 2 if rng.random() < rate / 2 else items
    if isinstance(value, bytes):
        return value[: rng.randrange(len(value) + 1)] if rng.random() < rate else rng.randbytes(len(value))
    return value


def saved(lens: ConvLens) -> dict[str, Any]:
    """Return all that a notebook would keep, and the history."""
    state = {name: value for name, value in lens.get_state().items() if name not in LEFT_OUT}
    return state | {"history": lens._session.history.counts, "image": lens.image.tobytes()}


def with_uids(message: dict[str, Any], uids: list[int], rng: random.Random) -> dict[str, Any]:
    """Name filters that exist where the message names any."""

    def walk(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: walk(item, name) for name, item in value.items()}
        if key == "uids":
            return [rng.choice(uids) for _ in value]
        if isinstance(value, list):
            return [walk(item) for item in value]
        return rng.choice(uids) if key == "uid" else value

    result: dict[str, Any] = walk(message)
    return result


def fuzz(seed: int, rounds: int) -> Findings:
    """Send this many messages to a lens, and compare everything that it holds before and after each refusal.

    Parameters
    ----------
    seed
        Another seed makes other messages; the same seed, the same messages.
    rounds
        How many messages.
    """
    rng, found = random.Random(seed), Findings()
    lens = ConvLens(IMAGE, [np.eye(2), np.ones((2, 2))], bias=[1, 2])
    lens._outbox.connected = True
    answers: list[dict[str, Any]] = []
    lens._outgoing._send = lambda message, _: answers.append(message.get("content") or {})
    before = saved(lens)
    gc.callbacks.append(collecting := Collecting())
    try:
        number = -1
        while found.messages < rounds:
            number += 1
            true = with_uids(rng.choice(TRUE), lens._session.filters.uids, rng)
            message = mutated(true, rng, rng.choice([0, 0.05, 0.1, 0.3]))
            if not isinstance(message, dict):
                continue
            content, buffers = records.pack(message)
            answers.clear()
            if traced := number % 8 == 0:  # which takes longer: their time is not checked
                tracemalloc.start()
            collecting.seconds = 0.0
            start = time.thread_time()
            try:
                lens._handle_custom_msg(content, buffers)
            except Exception as error:
                found.faults.append(f"seed {seed}, message {number}: {type(error).__name__} escaped")
            took, peak = time.thread_time() - start - collecting.seconds, 0
            if traced:
                took, peak = 0.0, tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
            found.messages += 1
            found.slowest, found.largest = max(found.slowest, took), max(found.largest, peak)
            if not traced:
                found.longest_collection = max(found.longest_collection, collecting.seconds)
            told = [one for one in answers if one.get("type") == "answer"]
            kind = str(message.get("type"))[:20]
            found.kinds[kind] += 1
            if len(told) != 1:
                found.faults.append(f"seed {seed}, message {number} ({kind}): {len(told)} answers")
            elif not told[0]["ok"]:
                found.refused += 1
                if saved(lens) != before:
                    found.faults.append(f"seed {seed}, message {number} ({kind}): refused, and changed the lens")
                    before = saved(lens)
                if len(told[0]["error"]["text"]) > 5000:
                    found.faults.append(f"seed {seed}, message {number} ({kind}): an error of thousands of characters")
            else:
                if len(lens._session.filters) > 4:
                    lens.reset()
                before = saved(lens)
            if took > MOST_SECONDS:
                found.faults.append(f"seed {seed}, message {number} ({kind}): {1000 * took:.0f} ms")
            if peak > MOST_BYTES:
                found.faults.append(f"seed {seed}, message {number} ({kind}): {peak / 1e6:.0f} MB")
    finally:
        gc.callbacks.remove(collecting)
        lens.close()
    return found
