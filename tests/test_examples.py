"""Every example runs from top to bottom by itself, with no network, and shows a lens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

from docs.lesson_notebooks import LESSONS, VERDICT, exercises_of, notebook_of

FOLDER = Path(__file__).resolve().parent.parent / "examples"
EXAMPLES = sorted(FOLDER.rglob("*.ipynb"))
#: tests/test_wheel.py runs the other one, as Colab does: where only the wheel brings the package.
RUN = [path for path in EXAMPLES if path.stem != "colab" and path.parent == FOLDER]
WIDGET = "application/vnd.jupyter.widget-view+json"
#: Modules that were imported stay, which is what takes long.
FRESH = """
import os
import ipywidgets
ipywidgets.Widget.close_all()
os.chdir({folder!r})
get_ipython().run_line_magic("reset", "-f")
"""


@pytest.fixture(scope="module")
def kernel() -> Iterator[KernelManager]:
    """A kernel for all notebooks, each of which begins with no names."""
    with pytest.MonkeyPatch.context() as patch:
        # The kernel inherits these: figures as a notebook has them, and a proxy that is not there.
        patch.delenv("MPLBACKEND", raising=False)
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            patch.setenv(name, "http://127.0.0.1:9")
        manager = KernelManager(kernel_name="python3")
        manager.start_kernel()
    yield manager
    manager.shutdown_kernel(now=True)


def run(notebook: nbformat.NotebookNode, kernel: KernelManager) -> None:
    """Run a notebook in a kernel that goes on."""
    client = NotebookClient(notebook, km=kernel, timeout=300)
    try:
        client.execute()
    finally:
        if client.kc is not None:
            client.kc.stop_channels()


def fresh(folder: Path) -> Any:
    """Return a cell that gives the kernel back what it has of its own when it starts, and this folder."""
    return nbformat.v4.new_code_cell(FRESH.format(folder=str(folder)))


def solution(lens: str, answer: dict[str, Any]) -> str:
    """Return Python that does what an exercise's stated answer says."""
    if "kernel" in answer:
        return f"{lens}.set_kernel({answer['kernel']}, {answer['values']})"
    if "number" in answer:
        return f"answer = {answer['number']}"
    # What the tab "Layer" sends.
    request = f"{{{answer['setting']!r}: {answer['values']}}}"
    return f"from convlens.state.edits import configure; configure({lens}._session, {request})"


def name_of(path: Path) -> str:
    return str(path.relative_to(FOLDER).with_suffix(""))


@pytest.mark.slow
@pytest.mark.parametrize("path", RUN, ids=name_of)
def test_an_example_runs_without_an_error_and_shows_a_lens(path: Path, tmp_path: Path, kernel: KernelManager) -> None:
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, fresh(tmp_path))
    run(notebook, kernel)
    shown = [output.data for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    assert any(WIDGET in data and data["text/plain"].startswith("ConvLens") for data in shown)
    if path.stem == "survey":
        # The lens has the tab of what was surveyed: 1,797 digits, both layers.
        states = [
            one["state"]
            for one in notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
        ]
        (survey,) = (state["_survey"] for state in states if state.get("_survey"))
        assert survey["layers"] == ["strokes", "shapes"] and survey["images"] == 1797


@pytest.mark.slow
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lessons_exercises_are_solved_by_their_answers_alone(
    lesson: Path, tmp_path: Path, kernel: KernelManager
) -> None:
    notebook = nbformat.read(FOLDER / "lessons" / f"{lesson.stem}.ipynb", as_version=4)
    exercises = list(exercises_of(lesson.read_text("utf-8")))
    cells: list[Any] = [fresh(tmp_path)]
    verdicts: list[tuple[Any, Any]] = []
    for cell in notebook.cells:
        cells.append(cell)
        if cell.source.endswith(VERDICT):
            lens, _, answer = exercises[len(verdicts)]
            check = cell.source.partition("solved = ")
            again = nbformat.v4.new_code_cell("".join(check[1:]))
            verdicts.append((cell, again))
            cells += [nbformat.v4.new_code_cell(solution(lens, answer)), again]
    notebook.cells = cells
    run(notebook, kernel)
    said = [[one.outputs[0].data["text/plain"] for one in pair] for pair in verdicts]
    assert said == [["'Not yet.'", "'Right.'"]] * len(exercises) and exercises
    shown = [output.data for cell in cells for output in cell.get("outputs", []) if "data" in output]
    assert any(WIDGET in data for data in shown)
    assert all(page.stat().st_size < 500_000 for page in tmp_path.glob("*.html"))


@pytest.mark.parametrize("path", EXAMPLES, ids=name_of)
def test_an_example_is_a_valid_notebook_of_short_cells_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    for cell in notebook.cells:
        assert cell.id
        # A lesson's first cell is what its page does not show.
        assert len(cell.source.splitlines()) <= (20 if path.parent.name == "lessons" else 12)
        assert not cell.get("outputs") and cell.get("execution_count") is None


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lessons_notebook_is_its_page(lesson: Path) -> None:
    assert (FOLDER / "lessons" / f"{lesson.stem}.ipynb").read_text("utf-8") == notebook_of(lesson), (
        "python -m docs.lesson_notebooks writes them"
    )
