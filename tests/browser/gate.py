"""Something that code in a kernel waits for until the test lets it go on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Gate:
    """A named pipe: code that runs `wait` stops there until `open`, and gets what `open` says."""

    def __init__(self, path: Path, pipe: int) -> None:
        #: An expression that waits, and then is the text.
        self.wait = f"open({str(path)!r}).readline().strip()"
        self._pipe = pipe

    def open(self, text: str = "") -> None:
        os.write(self._pipe, f"{text}\n".encode())


@contextmanager
def closed_gate(folder: Path) -> Iterator[Gate]:
    """Make a gate; whoever still waits when the block ends goes on."""
    path = folder / "gate"
    os.mkfifo(path)
    pipe = os.open(path, os.O_RDWR)
    try:
        yield Gate(path, pipe)
    finally:
        os.close(pipe)
