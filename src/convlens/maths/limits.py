"""What a lens takes at most, and how much memory is free: asked before anything is allocated.

| limit | value | what it keeps from happening |
|---|---|---|
| `PIXELS` | 64,000,000 | a picture of 13,000 × 13,000 unpacked from a file of 194 kB; 8000 × 6000 is let through |
| `IMAGE_COPIES` | 3 | a picture that has room once, but not as what it is decoded to and computed with |
| `FILE_BYTES` | 1 GB | reading a stream that never ends |
| `FILTERS` | 8,192 | lists of filters that no layer has |
| `TAPS` | 65,536 | kernels of more than 256 × 256 numbers a channel |
| `WEIGHTS` | 134,217,728 | kernels that together take more than 512 MB |
| `NAME` | 1,000 | a name of a filter that is not a title |
| `ECHO` | 60 | error messages that repeat all that was given |
| `ERROR` | 4,000 | error messages of others that are longer than anybody reads |
| `LABELS` | 100,000 | names of classes that no model has |
| `SENT_PIXELS` | 16,777,216 | a picture from the browser that takes longer to send back than a person waits |
| `SENT_BYTES` | 128 MB | a message from the browser whose buffers take more than any picture or list of kernels |
| `SENT_TEXT` | 100,000 | a message from the browser with a text that no person typed |
| `SENT_VALUES` | 4,000,000 | a message from the browser with more values than the largest edit has |
| `MAP_COPIES` | 3 | maps that have room once, but not while they are computed |
"""

from __future__ import annotations

import math
import pathlib

PIXELS = 64_000_000
#: Float32 copies of a picture that must fit into the free memory.
IMAGE_COPIES = 3
FILE_BYTES = 1_000_000_000
FILTERS = 8_192
TAPS = 65_536
WEIGHTS = 2**27
#: Characters.
NAME = 1_000
ECHO = 60
ERROR = 4_000
SENT_TEXT = 100_000
LABELS = 100_000
SENT_PIXELS = 2**24
SENT_BYTES = 128_000_000
SENT_VALUES = 4_000_000
#: Float32 copies of a map: before and after the activation, and what it is drawn from.
MAP_COPIES = 3

#: Below this, asking for the free memory costs more than it can save.
_SMALL = 4_000_000
_CGROUP = pathlib.Path("/sys/fs/cgroup")


def check_pixels(rows: int, cols: int, channels: int, what: str, mend: str = "") -> None:
    """Raise `ValueError` for a picture that is larger than `PIXELS`, or than the memory that is free.

    Parameters
    ----------
    rows, cols, channels
        Its size.
    what
        How the error calls it, e.g. ``"The image"``.
    mend
        An expression of a smaller picture with ``{step}`` in place of the step that is needed.
    """
    pixels = rows * cols
    if pixels <= _SMALL:
        return
    size = f"{what} is {rows} × {cols} (rows × cols), {pixels / 1e6:,.1f} million pixels"
    if pixels > PIXELS:
        raise ValueError(
            f"{size}; a lens takes {PIXELS / 1e6:.0f} million at most. {_smaller(rows, cols, pixels / PIXELS, mend)}"
        )
    needed, free = 4 * pixels * channels * IMAGE_COPIES, free_memory()
    if free is not None and needed > free:
        raise ValueError(
            f"{size}, for which a lens needs {needed / 1e6:,.0f} MB; {free / 1e6:,.0f} MB are free. "
            f"{_smaller(rows, cols, needed / max(free, 1), mend)}"
        )


def check_filters(count: int) -> None:
    """Raise `ValueError` for more filters than `FILTERS`."""
    if count > FILTERS:
        raise ValueError(f"A list of {count:,} filters was requested; a lens takes {FILTERS:,} at most: remove some.")


def check_maps(filters: int, rows: int, cols: int) -> None:
    """Raise `ValueError` for maps that do not fit into the memory that is free.

    Parameters
    ----------
    filters
        How many are computed at once.
    rows, cols
        Size of each.
    """
    values = filters * rows * cols
    if values <= _SMALL:
        return
    needed, free = 4 * values * MAP_COPIES, free_memory()
    if free is not None and needed > free:
        step = math.ceil(math.sqrt(needed / max(free, 1)))
        raise ValueError(
            f"{filters:,} maps of {rows} × {cols} (rows × cols) need {needed / 1e6:,.0f} MB; {free / 1e6:,.0f} MB are "
            f"free. Give a smaller image: image[::{step}, ::{step}]."
        )


def free_memory() -> int | None:
    """Return the bytes that this process may still take, or None where the machine does not say."""
    known = [free for free in (_of_machine(), _of_container()) if free is not None]
    return min(known, default=None)


def _smaller(rows: int, cols: int, times: float, mend: str) -> str:
    step = math.ceil(math.sqrt(times))
    if mend:
        return f"Give a smaller one: {mend.format(step=step)}."
    return f"Make it smaller first, e.g. {math.ceil(rows / step)} × {math.ceil(cols / step)}."


def _of_machine() -> int | None:
    try:
        import psutil  # type: ignore[import-untyped]  # comes with ipykernel
    except ImportError:
        return None
    return int(psutil.virtual_memory().available)


def _of_container() -> int | None:
    try:
        limit = (_CGROUP / "memory.max").read_text("ascii")
        return int(limit) - int((_CGROUP / "memory.current").read_text("ascii"))
    except (OSError, ValueError):  # no such file, or no limit: the word "max"
        return None
