"""Files that are written next to their place and then moved there, so that a failure leaves what was there before."""

from __future__ import annotations

import os
import pathlib
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO


@contextmanager
def replaced(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of `path` once everything is written.

    Parameters
    ----------
    path
        Where the file is to be. A link is followed; permissions of an existing file are kept. What is not a regular
        file, such as a pipe, is written to as it is.

    Raises
    ------
    OSError
        When nothing can be written there, before anything is changed.
    """
    target = pathlib.Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        with target.open("wb") as file:
            yield file
        return
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:64]}.", dir=target.parent)
    beside = pathlib.Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        beside.chmod(_mode(target))
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _mode(target: pathlib.Path) -> int:
    """Return the permissions of the file that is there, or those that a new one would get."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
