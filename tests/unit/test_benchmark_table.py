"""The benchmark's own arithmetic and words: what it prints is what was measured."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.page import page, verdict
from benchmarks.table import Row, Spread, Theme, fraction, measured, multiple, status


def row(number: str = "P1", met: bool | None = True) -> Row:
    return Row(number, "an edit", "2 ms", "3 ms", "≤ 3 ms", met)


def test_a_spread_is_the_median_and_the_95th_percentile() -> None:
    spread = Spread.of([float(n) for n in range(1, 102)])
    assert (spread.median, spread.p95) == (51, 96)


def test_one_slow_measurement_moves_no_median() -> None:
    assert Spread.of([1.0] * 20 + [1000.0]).median == 1


@pytest.mark.parametrize(
    ("spread", "text"),
    [
        (Spread(0.654, 1.2), "0.65 (1.20) ms"),
        (Spread(9.994, 20.4), "9.99 (20.40) ms"),
        (Spread(827.4, 1095), "827 (1095) ms"),
    ],
)
def test_a_spread_is_written_in_milliseconds(spread: Spread, text: str) -> None:
    assert str(spread) == text


@pytest.mark.parametrize(
    ("ours", "theirs", "text"),
    [(1, 1000, "1/1000"), (2, 999, "1/499"), (3, 10, "1/3.3"), (4, 2, "1/0.5")],
)
def test_a_fraction_never_looks_better_than_it_is(ours: float, theirs: float, text: str) -> None:
    assert fraction(ours, theirs) == text


def test_a_multiple_says_how_many_times_the_other_it_is() -> None:
    assert multiple(3, 2) == "1.50 ×"


def test_a_row_is_a_line_of_a_markdown_table() -> None:
    assert str(row()) == "| P1 | an edit | 2 ms | 3 ms | ≤ 3 ms | yes |"


@pytest.mark.parametrize(("met", "word"), [(True, "yes"), (False, "**no**"), (None, "**not measured**")])
def test_a_row_says_whether_its_budget_was_met(met: bool | None, word: str) -> None:
    assert str(row(met=met)).split("|")[-2].strip() == word


def test_a_failure_takes_only_its_own_rows_along() -> None:
    def failing() -> Iterator[Row]:
        yield row("P1")
        raise TimeoutError("echo | was not answered\nsecond line")

    themes = [
        Theme((("P1", "an edit"), ("P2", "another")), failing),
        Theme((("P3", "a third"),), lambda: [row("P3", met=False)]),
    ]
    found = list(measured(themes))
    assert [(one.number, one.met) for one in found] == [("P1", True), ("P2", None), ("P3", False)]
    assert found[1].what == "another"
    assert found[1].compared == r"TimeoutError: echo \| was not answered"


def test_a_row_that_never_came_is_not_measured() -> None:
    (found,) = measured([Theme((("P9", "a ninth"),), list)])
    assert found.met is None


@pytest.mark.parametrize(("mets", "expected"), [([True, True], 0), ([True, False], 0), ([True, None], 1), ([], 0)])
def test_the_exit_status_tells_of_rows_that_were_not_measured(mets: list[bool | None], expected: int) -> None:
    assert status([row(met=met) for met in mets]) == expected


def test_the_page_says_how_many_budgets_were_met_and_which_were_not() -> None:
    rows = [row("P1"), row("P2", False), row("P2", False), row("P3", None)]
    assert verdict(rows) == "1 of 4 rows met their budget. Not met: P2. Not measured: P3."


def test_the_page_holds_every_row_and_the_notes() -> None:
    rows = [row("P1"), row("P2", False)]
    text = page(rows, "156.0", "\nWhat it means.\n")
    assert "\n".join(map(str, rows)) in text
    assert "Chromium 156.0" in text
    assert text.endswith("What it means.\n")
