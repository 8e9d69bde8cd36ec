"""The directive ``cell``, and pages that are notebooks of ``examples``, run while the site is built.

A page holds ``:::{example} survey.ipynb`` and ``:::`` where the notebook's cells go.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from IPython.lib.pretty import pretty
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from sphinx.application import Sphinx

from convlens import ConvLens
from docs.extensions.live_lens import PageCode, lens_html

EXAMPLES = Path(__file__).parents[2] / "examples"
PLACE = re.compile(r"^:::\{example\} (\S+)\n:::$", re.MULTILINE)


def cells_of(notebook: Path) -> str:
    """Return a notebook as MyST: its texts as they are, its code as cells."""
    parts = []
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"::::::{{cell}}\n{source}\n::::::")
    return "\n\n".join(parts)


def insert_examples(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the notebooks' cells into the text of a page."""

    def read(match: re.Match[str]) -> str:
        notebook = EXAMPLES / match[1]
        app.env.note_dependency(str(notebook), docname=docname)
        return cells_of(notebook)

    source[0] = PLACE.sub(read, source[0])


class CellDirective(PageCode):
    """A notebook's cell: its code, what that prints, its figures, and the value of its last expression."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Run the cell and return what it shows."""
        code = "\n".join(self.content)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            value = self._value(code)
        return [self.literal(code), *self._shown(printed.getvalue(), value)]

    def _value(self, code: str) -> Any:
        """Run the code, and return the value of its last line where that is an expression."""
        names, place = self.names(), f"{self.env.docname}:{self.lineno}"
        body = ast.parse(code).body
        last = body.pop() if isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), place, "exec"), names)
        return eval(compile(ast.Expression(last.value), place, "eval"), names) if isinstance(last, ast.Expr) else None

    def _shown(self, text: str, value: Any) -> Iterator[nodes.Node]:
        if isinstance(value, ConvLens):
            # Its state is that at the end of the page, as in a notebook, where every cell's edits show in it.
            place = nodes.raw("", "", format="html")
            self.lenses().append((place, self.env.new_serialno("lens"), value))
            self.env.metadata[self.env.docname]["live-lens"] = "yes"
            yield place
        elif value is not None and not isinstance(value, Figure):
            text += pretty(value)
        if text.strip():
            block = nodes.literal_block(text, text, language="text", classes=["output"])
            # A long one can be scrolled, also by the keyboard.
            yield block
        figures = [plt.figure(number) for number in plt.get_fignums()]
        for figure in [*figures, *([value] if isinstance(value, Figure) and value not in figures else [])]:
            yield picture(figure)
        plt.close("all")

    def lenses(self) -> list[tuple[nodes.raw, int, ConvLens]]:
        """Return the places of this page's lenses, which are filled at its end."""
        temporary: Any = self.env.temp_data
        places: list[tuple[nodes.raw, int, ConvLens]] = temporary.setdefault("convlens places", [])
        return places


def picture(figure: Figure) -> nodes.raw:
    """Return a figure as HTML that holds it."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    data = base64.b64encode(file.getvalue()).decode()
    image = f'<img class="dark-light" alt="The figure that the code above draws" src="data:image/png;base64,{data}">'
    return nodes.raw("", image, format="html")


def fill_places(app: Sphinx, _doctree: nodes.document) -> None:
    """Put each lens of a page into its place, as its last cell left it."""
    temporary: Any = app.env.temp_data
    for place, number, lens in temporary.get("convlens places", []):
        html = lens_html(lens, f"example-{number}", 640)
        place.rawsource = html
        place += nodes.Text(html)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive and the pages."""
    app.add_directive("cell", CellDirective)
    app.connect("source-read", insert_examples)
    app.connect("doctree-read", fill_places)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
