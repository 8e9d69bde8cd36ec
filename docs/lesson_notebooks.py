"""Writes a notebook for each lesson's page, to teach with: `python -m docs.lesson_notebooks`.

A page stays the only source. Its lenses become cells, named as on the page, and its exercises a question, a cell that
checks, and an answer to fold out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docs.extensions.checks import answer_html

ROOT = Path(__file__).resolve().parent.parent
LESSONS = sorted(path for path in (ROOT / "docs" / "lessons").glob("*.md") if path.stem != "index")
FOLDER = ROOT / "examples" / "lessons"
BLOCK = re.compile(r"^:::\{(lens|exercise)\} ?([^\n]*)\n((?::[\w-]+:[^\n]*\n)*)(.*?)^:::$", re.MULTILINE | re.DOTALL)
#: Entries of a lens's geometry, in Python.
NUMBERS = {
    "output_shape.0": "{lens}.activations.shape[1]",
    "output_shape.1": "{lens}.activations.shape[2]",
    "input_shape.2": "{lens}.image.shape[2]",
    "filters": "len({lens}.kernels)",
}
HAND_OUT = (
    "## Take it with you\n\nA saved lens is one file that is edited in any browser, a phone's too, with no network."
)
#: The last line of a cell that checks.
VERDICT = '"Right." if solved else "Not yet."'
Cell = tuple[str, str]


def condition(lens: str, check: dict[str, Any]) -> str:
    """Return what `docs.extensions.checks` describes as a Python expression."""
    if "kernel" in check:
        kernel, within = f"{lens}.kernels[{check['kernel']}]", check.get("within", 1e-6)
        parts = [f"not np.allclose({kernel}, {one}, atol={within})" for one in check.get("not", [])]
        if "sum" in check:
            return " and ".join([f"abs({kernel}.sum() - {check['sum']}) <= {within}", *parts])
        return " and ".join([f"np.allclose({kernel}, {check['equals']}, atol={within})", *parts])
    if "map" in check:
        map_ = f"{lens}.activations[{check['map']}]"
        values = {"zeros": f"({map_} == 0).mean()", "least": f"{map_}.min()", "greatest": f"{map_}.max()"}
        return " and ".join(f"{check[k][0]} <= {values[k]} <= {check[k][1]}" for k in values if k in check)
    if "setting" in check:
        return f"{lens}.layer.{check['setting']} == {tuple(check['equals'])}"
    return f"answer == {NUMBERS[check['number']].format(lens=lens)}"


def exercises_of(page: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Return each exercise of a page: the name of its lens, its check, its answer."""
    for kind, lens, options, _ in BLOCK.findall(page):
        if kind == "exercise":
            given = options_of(options)
            yield lens, json.loads(given["check"]), json.loads(given["answer"])


def options_of(text: str) -> dict[str, str]:
    """Return a directive's options."""
    return dict(re.findall(r"^:([\w-]+): ?(.*)$", text, re.MULTILINE))


def cells_of(page: str) -> Iterator[Cell]:
    """Return the kind and the source of each cell of a page's notebook."""
    end = number = 0
    names: list[str] = []
    for block in BLOCK.finditer(page):
        yield "markdown", page[end : block.start()]
        end = block.end()
        kind, lens, options, content = block.groups()
        given = options_of(options)
        if kind == "lens":
            names.append(given["name"])
            yield "code", re.sub(r"^lens = ", f"{given['name']} = ", content, flags=re.MULTILINE) + given["name"]
            continue
        number += 1
        check, answer = json.loads(given["check"]), json.loads(given["answer"])
        yield "markdown", f"**Exercise {number}.** {content}"
        typed = f"answer = None  # {check['asks']}: your number\n" if "number" in check else ""
        yield "code", f"{typed}solved = {condition(lens, check)}\n{VERDICT}"
        yield "markdown", f"<details><summary>An answer</summary>{answer_html(answer)}</details>"
    yield "markdown", page[end:]
    yield "markdown", HAND_OUT
    yield "code", "\n".join(f'{name}.save_html("{name}.html")' for name in names)


def notebook_of(lesson: Path) -> str:
    """Return the notebook of a lesson's page as its file has it."""
    # Links between pages lead from the notebook's folder.
    page = lesson.read_text("utf-8").replace("](../", "](../../docs/")
    cells = []
    written = [(kind, source.strip()) for kind, source in cells_of(page) if source.strip()]
    for number, (kind, source) in enumerate(written):
        cell: dict[str, Any] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}}
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        cells.append({**cell, "source": source.splitlines(keepends=True)})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook = {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write all of them."""
    FOLDER.mkdir(exist_ok=True)
    for lesson in LESSONS:
        (FOLDER / f"{lesson.stem}.ipynb").write_text(notebook_of(lesson), "utf-8")


if __name__ == "__main__":
    main()
