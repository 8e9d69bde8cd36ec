"""P11: memory of kernel and page after 10,000 edits, above that after 1,000."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.session import Bench, call
from benchmarks.table import Row
from tests.browser.hosts.jupyterlab import Notebook
from tests.browser.memory import RESIDENT, kernel_size, page_size

EARLY, LATE = 1_000, 10_000
BUDGET = 5
ROWS = (
    ("P11", "memory of the kernel after 10,000 edits, above that after 1,000"),
    ("P11", "memory of the page after 10,000 edits, above that after 1,000"),
)


def rows(bench: Bench) -> Iterator[Row]:
    """Edit by the keyboard, as fast as Keras's answers come, every edit a request and an undo step of its own."""
    with bench.lens() as (notebook, view):
        notebook.python.run(RESIDENT)
        edit(notebook, EARLY)
        view.settle()
        before = sizes(notebook)
        answers = edit(notebook, LATE - EARLY)
        view.settle()
        after = sizes(notebook)
    for row, early, late in zip(ROWS, before, after, strict=True):
        yield Row(
            *row,
            f"{late - early:+.1f} MB",
            f"{late:.0f} MB after {early:.0f} MB; {answers} answers to {LATE - EARLY} edits",
            f"≤ {BUDGET} MB",
            late - early <= BUDGET,
        )


def edit(notebook: Notebook, count: int) -> int:
    """Make this many edits; return how many answers came."""
    return int(call(notebook.page, "manyEdits", patience=900, count=count))


def sizes(notebook: Notebook) -> tuple[float, float]:
    """Return what the kernel's process holds, and the page's heap with its buffers, in MB."""
    return kernel_size(notebook.python), page_size(notebook.page)
