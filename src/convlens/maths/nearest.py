"""The known word that a misspelt one is nearest to."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from convlens.maths.limits import NAME


def nearest(word: object, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the word of `known` that is spelt most alike, or None.

    None also for what cannot be a name, `convlens.maths.limits.NAME` characters or more: comparing takes as long as the
    product of both lengths.
    """
    text = str(word) if not isinstance(word, str) else word
    found = difflib.get_close_matches(text, known, 1, cutoff) if len(text) < NAME else []
    return found[0] if found else None
