"""Something for which code in another process waits until the test lets it continue."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.deadlines import SECONDS


class Gate:
    """A named pipe: code that runs `wait` says so, stops there until `open`, and gets what `open` passes."""

    def __init__(self, path: Path, bell_path: Path, pipe: int, bell: int) -> None:
        #: An expression that waits, and then evaluates to the text.
        self.wait = f"[open({str(bell_path)!r}, 'w').write('here'), open({str(path)!r}).readline().strip()][1]"
        self._pipe = pipe
        self._bell = bell

    def open(self, text: str = "") -> None:
        os.write(self._pipe, f"{text}\n".encode())

    def until_waited_at(self) -> None:
        """Return when code has arrived at the gate."""
        ready, _, _ = select.select([self._bell], [], [], SECONDS)
        assert ready, "nobody came to the gate"
        os.read(self._bell, 4)


@contextmanager
def closed_gate(folder: Path) -> Iterator[Gate]:
    """Make a gate; code that still waits when the block ends continues."""
    path, bell_path = folder / "gate", folder / "bell"
    for fifo in (path, bell_path):
        os.mkfifo(fifo)
    # Open for both directions: then neither side waits for the other to open, and late code finds the gate open.
    pipe, bell = os.open(path, os.O_RDWR), os.open(bell_path, os.O_RDWR)
    try:
        yield Gate(path, bell_path, pipe, bell)
    finally:
        os.write(pipe, b"\n")
        for fifo in (path, bell_path):  # code that comes later must not wait for a test that has ended
            fifo.unlink()
        os.close(pipe)
        os.close(bell)
