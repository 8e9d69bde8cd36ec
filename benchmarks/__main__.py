"""Runs the benchmark: `python3 dev.py bench`. Prints the table and writes docs/benchmarks.md."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import report
from benchmarks.measure import Bench
from tests.browser.hosts.jupyterlab import JupyterLab
from tests.browser.running import chromium, watched
from tests.browser.server import serve

TARGET = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"


def main() -> None:
    """Measure every row in one session and write the page."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder)) as server,
        chromium() as browser,
        watched(browser) as context,
        JupyterLab.of(server, context) as lab,
    ):
        rows = report.rows(Bench(lab, context), browser.version)
    TARGET.write_text(rows)
    print(rows)


if __name__ == "__main__":
    main()
