"""Numbers and rows of the table, and running what measures them so that one failure affects no other row."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

#: How long a display of 60 Hz shows a picture, in ms.
FRAME = 1000 / 60


@dataclass(frozen=True)
class Spread:
    """Median and 95th percentile, in milliseconds."""

    median: float
    p95: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), float(np.percentile(values, 95)))

    def __str__(self) -> str:
        digits = 2 if self.median < 10 else 0
        return f"{self.median:.{digits}f} ({self.p95:.{digits}f}) ms"


def fraction(ours: float, theirs: float) -> str:
    """Return how small a part of `theirs` ours is: "1/850", rounded so that it never looks better than it is."""
    return f"1/{theirs / ours:.1f}" if theirs < 10 * ours else f"1/{int(theirs / ours)}"


def multiple(ours: float, theirs: float) -> str:
    """Return how many times `theirs` ours is: "1.07 ×"."""
    return f"{ours / theirs:.2f} ×"


@dataclass(frozen=True)
class Row:
    """One line of the table; `met` is None where nothing could be measured."""

    number: str
    what: str
    measured: str
    compared: str
    budget: str
    met: bool | None

    def __str__(self) -> str:
        verdict = {True: "yes", False: "**no**", None: "**not measured**"}[self.met]
        cells = (self.number, self.what, self.measured, self.compared, self.budget, verdict)
        return f"| {' | '.join(cells)} |"


@dataclass(frozen=True)
class Theme:
    """Rows that are measured together.

    Parameters
    ----------
    rows
        Number of each row that `measure` yields, in its order, and what it is about.
    measure
        Yields the rows.
    """

    rows: tuple[tuple[str, str], ...]
    measure: Callable[[], Iterable[Row]]


def measured(themes: Iterable[Theme]) -> Iterator[Row]:
    """Yield the rows of all themes; what could not be measured says why in its row."""
    for theme in themes:
        missing = list(theme.rows)
        try:
            for row in theme.measure():
                missing.pop(0)
                yield row
        except Exception as error:  # whatever it is, the other themes are still to be measured
            why = f"{type(error).__name__}: {_one_line(str(error))}"
        else:
            why = "The benchmark yielded no such row."
        for number, what in missing:
            yield Row(number, what, "–", why, "", None)


def status(rows: Sequence[Row]) -> int:
    """Return the exit status: 0 where every row was measured, whether its budget was met or not."""
    return int(any(row.met is None for row in rows))


def _one_line(text: str) -> str:
    """Return the first line, without what would end a cell of the table."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines[0] if lines else "no reason given").replace("|", "\\|")[:300]
