"""Two real front ends and Python edit one lens at the same time: in the end all hold the same, and Keras's maps of it.

The front ends are the TypeScript that hosts load, in Node; between them and the lens is a connection on which
everything is late, each direction in its own order.
"""

from __future__ import annotations

import base64
import json
import os
import pathlib
import subprocess
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from convlens import ConvLens
from convlens.protocol import records
from convlens.widget.base import LensBase

ROOT = pathlib.Path(__file__).parents[2]
RUNNER = ROOT / "js" / "tests" / "run-lens.mjs"
#: Of the random interleavings; others can be tried with `CONVLENS_SEEDS="1 2 3"` in the environment.
SEEDS = [int(seed) for seed in os.environ.get("CONVLENS_SEEDS", "0 1 2 3 4 5 6 7").split()]
SYNCED = list(LensBase.class_own_traits(sync=True))
HELD_BACK = {"_esm", "_bundle", "_css", "_view_name", "_model_name"}

#: What a person does in the browser, by the names of `remote-lens.ts`; most of it are edits.
ACTIONS = [
    *["edit"] * 8,
    *["bias", "replace", "resize", "begin", "end", "add", "remove", "move", "rename", "undo", "undo", "redo", "reset"],
    *["strides", "padding", "activation", "stage", "cmap", "range", "select", "pin", "image"],
]


class FrontEnd:
    """One browser's side in a process of its own, and what is on the way to and from it."""

    def __init__(self, lens: ConvLens) -> None:
        self._lens = lens
        self._process = subprocess.Popen(
            ["node", str(RUNNER)], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.down: deque[dict[str, Any]] = deque()
        self.up: deque[dict[str, Any]] = deque()

    def open(self) -> None:
        self._tell(packed("open", self._lens.get_state()))

    def act(self, action: dict[str, Any]) -> None:
        self._tell({"command": "act", "action": action})

    def read(self) -> dict[str, Any]:
        found: dict[str, Any] = self._tell({"command": "read"})
        return found

    def hear(self) -> None:
        """Deliver the oldest message from Python."""
        if self.down:
            self._tell(self.down.popleft())

    def ask(self) -> None:
        """Deliver the oldest request to Python."""
        if self.up:
            sent = self.up.popleft()
            self._lens._handle_custom_msg(sent["content"], [base64.b64decode(b) for b in sent["buffers"]])

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _tell(self, command: dict[str, Any]) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            said = json.loads(line)
            if "done" in said:
                return said["done"]
            self.up.append(said["sent"])
        raise AssertionError("the front end ended")


def packed(command: str, content: dict[str, Any]) -> dict[str, Any]:
    """Write what is sent as the front end reads it."""
    plain = {name: value for name, value in content.items() if name not in HELD_BACK and name != "layout"}
    content, buffers = records.pack(plain)
    return {"command": command, "content": content, "buffers": [base64.b64encode(b).decode() for b in buffers]}


class Table:
    """A lens with two front ends."""

    def __init__(self, rng: np.random.Generator) -> None:
        image = rng.random((9, 8), dtype=np.float32)
        self.lens = ConvLens(image, [rng.normal(size=(3, 3)).astype(np.float32) for _ in range(3)])
        _ = self.lens.activations
        self.fronts = [FrontEnd(self.lens), FrontEnd(self.lens)]
        self.lens._outbox._send = lambda content, buffers: self._say(
            {"command": "message", "content": content, "buffers": [base64.b64encode(b).decode() for b in buffers]}
        )
        # Without a kernel, ipywidgets 7 sends no traits; observers are told of the same changes.
        self.lens.observe(lambda change: self._send_state([change.name]), names=SYNCED)
        self.lens.send_state = self._send_state
        for front in self.fronts:
            front.open()

    def _say(self, line: dict[str, Any]) -> None:
        for front in self.fronts:
            front.down.append(line)

    def _send_state(self, key: Any = None) -> None:
        """Send what a list names; what ipywidgets 8 sends by itself was observed."""
        if isinstance(key, list):
            self._say(packed("traits", self.lens.get_state(key)))

    def settle(self) -> None:
        """Let everything arrive."""
        while any(front.up or front.down for front in self.fronts):
            for front in self.fronts:
                front.ask()
                front.hear()


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    return np.random.default_rng(request.param)


@pytest.fixture
def table(rng: np.random.Generator) -> Iterator[Table]:
    table = Table(rng)
    yield table
    for front in table.fronts:
        front.close()


def do_in_python(lens: ConvLens, rng: np.random.Generator) -> None:
    """One thing that a cell may do; what the lens refuses is no change."""
    i, j = (int(n) for n in rng.integers(len(lens.kernels), size=2))
    kernel = rng.normal(size=lens.kernels[0].shape).astype(np.float32)
    choices: list[Callable[[], Any]] = [
        lambda: lens.set_kernel(i, kernel),
        lambda: setattr(lens, "kernels", [kernel * n for n in range(1, 1 + len(lens.kernels))]),
        lambda: setattr(lens, "bias", rng.normal(size=len(lens.kernels))),
        lambda: setattr(lens, "names", [f"{n} {rng.integers(99)}" for n in range(len(lens.kernels))]),
        lambda: lens.add_kernel(kernel, name="from Python"),
        lambda: lens.remove_kernel(i),
        lambda: lens.move_kernel(i, j),
        lens.undo,
        lens.redo,
        lens.reset,
        lambda: setattr(lens, "image", rng.random((8 + i, 9), dtype=np.float32)),
        lambda: setattr(lens, "stage", str(rng.choice(["activation", "pre_activation"]))),
        lambda: setattr(lens, "cmap", str(rng.choice(["gray", "viridis", "magma"]))),
        lambda: setattr(lens, "value_range", (-2, int(rng.integers(1, 5)))),
        lambda: setattr(lens, "selected", i),
        lambda: setattr(lens, "pixel", (1, 2)),
        lambda: lens.set_weights([w * 2 for w in lens.get_weights()]),
    ]
    try:
        choices[int(rng.integers(len(choices)))]()
    except ValueError as refusal:
        assert "filter" in str(refusal) or "kernel" in str(refusal), refusal


def step(table: Table, rng: np.random.Generator) -> None:
    front = table.fronts[int(rng.integers(2))]
    kind = rng.choice(["act", "python", "ask", "hear"], p=[0.35, 0.15, 0.2, 0.3])
    if kind == "act":
        value = float(np.float32(rng.normal()))
        action = {"kind": str(rng.choice(ACTIONS)), "value": value}
        front.act(action | {name: int(rng.integers(100)) for name in ("pick", "n")})
    elif kind == "python":
        do_in_python(table.lens, rng)
    elif kind == "ask":
        front.ask()
    else:
        front.hear()


@pytest.mark.parametrize("rng", SEEDS, indirect=True)
def test_any_interleaving_of_edits_from_both_sides_ends_in_one_state(table: Table, rng: np.random.Generator) -> None:
    lens = table.lens
    for _ in range(200):
        step(table, rng)
    table.settle()
    geometry = lens._session.geometry.to_wire()
    maps = lens.activations if lens.stage == "activation" else lens.pre_activations
    for front in table.fronts:
        seen = front.read()
        assert seen["link"] == "idle"
        assert seen["names"] == lens.names
        assert seen["history"] == lens._session.history.counts
        for name in ("cmap", "stage", "selected"):
            assert seen[name] == getattr(lens, name)
        assert seen["value_range"] == json.loads(json.dumps(lens.value_range))
        assert seen["pixel"] == json.loads(json.dumps(lens.pixel))
        for name in ("output_shape", "strides", "padding", "activation"):
            assert seen[name] == json.loads(json.dumps(geometry[name]))
        planes = np.moveaxis(lens.image, -1, 0)
        np.testing.assert_array_equal(np.array(seen["image"], np.float32).reshape(planes.shape), planes)
        assert len(seen["filters"]) == len(lens.kernels)
        for index, (found, kernel, map_) in enumerate(zip(seen["filters"], lens.kernels, maps, strict=True)):
            np.testing.assert_array_equal(np.float32(found["kernel"]).reshape(kernel.shape), kernel)
            assert np.float32(found["bias"]) == lens.bias[index]
            assert found["provenance"] == "keras"
            spanned = np.array([map_.min(), map_.max()])
            if isinstance(lens.value_range, tuple):
                spanned = spanned.clip(*lens.value_range)
            np.testing.assert_allclose(found["range"], spanned, rtol=1e-6)
