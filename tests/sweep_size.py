"""How large a sweep is: full size, or a tenth where a quick answer is wanted (`python3 dev.py check`)."""

from __future__ import annotations

import os

from tools.groups import SWEEPS

#: "full" unless the variable says "tenth".
SIZE = os.environ.get(SWEEPS, "full")
if SIZE not in ("full", "tenth"):
    raise ValueError(f"{SWEEPS} is {SIZE!r}; it may be 'full' or 'tenth'.")

FULL = SIZE == "full"


def sweep(number: int, least: int = 1) -> int:
    """Return how many cases a sweep has that has `number` at full size.

    Parameters
    ----------
    number
        Cases at full size.
    least
        The least number that covers what the sweep claims.
    """
    return number if FULL else max(min(number, least), number // 10)
