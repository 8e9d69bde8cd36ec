"""The directives ``lens``, a live lens on a page, and ``exercise``, a question that such a lens checks.

A lens is made by Python while the site is built, saved as a page saves it, and shown by the package's front end, of
which the site has one copy. Nothing in a page needs Python afterwards.
"""

from __future__ import annotations

import contextlib
import html
import io
import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import convlens
from docs.extensions.checks import read_check

PACKAGE = Path(convlens.__file__).parent
#: What every page with a lens loads, beside the site's other static files.
SHARED = (PACKAGE / "static" / "widget.js", PACKAGE / "static" / "widget.css", PACKAGE / "output" / "saved_page.js")
STATE = re.compile(r'<script type="application/octet-stream" id="state">([^<]*)</script>')


class PageCode(SphinxDirective):
    """Code of a page; its blocks run one after another with one set of names, like the cells of a notebook."""

    def names(self) -> dict[str, Any]:
        """Return the names that the page's earlier blocks have made."""
        temporary: Any = self.env.temp_data
        names: dict[str, Any] = temporary.setdefault(f"convlens names of {self.env.docname}", {})
        return names

    def literal(self, code: str) -> nodes.literal_block:
        """Return code as the page shows it."""
        block = nodes.literal_block(code, code, language="python")
        self.set_source_info(block)
        return block


class LensDirective(PageCode):
    """Show the lens that this page's code has made: ``lens`` after the block."""

    has_content = True
    option_spec: ClassVar = {
        "name": directives.unchanged,
        "hide-code": directives.flag,
        # How tall the lens is before it is drawn, so that nothing below it moves; pixels.
        "height": directives.nonnegative_int,
    }

    def run(self) -> list[nodes.Node]:
        """Run the code and return it with the lens."""
        code = "\n".join(self.content)
        names = self.names()
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(code, f"{self.env.docname}:{self.lineno}", "exec"), names)
        name = self.options.get("name", str(self.env.new_serialno("lens")))
        marked = lens_html(names["lens"], name, self.options.get("height", 560))
        self.env.metadata[self.env.docname]["live-lens"] = "yes"
        shown = [] if "hide-code" in self.options or not code.strip() else [self.literal(code)]
        return [*shown, nodes.raw("", marked, format="html")]


class ExerciseDirective(SphinxDirective):
    """A question about the lens named by the argument, with the check of its answer and an answer that passes it.

    The content is the question. ``:check:`` and ``:answer:`` are JSON; `extensions.checks` says what they may hold.
    """

    has_content = True
    required_arguments = 1
    option_spec: ClassVar = {"check": directives.unchanged_required, "answer": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Return the question, a place for the verdict, and the answer behind a button."""
        check = read_check(json.loads(self.options["check"]), json.loads(self.options["answer"]))
        number = self.env.new_serialno("exercise") + 1
        box = nodes.container(classes=["exercise"])
        title = nodes.paragraph("", "", nodes.strong("", f"Exercise {number}"), classes=["exercise-title"])
        box += title
        self.state.nested_parse(self.content, self.content_offset, box)
        data = html.escape(json.dumps(check.record), quote=True)
        field = ""
        if check.asks:
            field = (
                f'<label class="exercise-field">{html.escape(check.asks)} '
                '<input type="text" inputmode="decimal" autocomplete="off"></label>'
            )
        box += nodes.raw(
            "",
            f'<div class="exercise-check" data-lens="lens-{html.escape(self.arguments[0])}" data-check="{data}">{field}'
            f'<p role="status" aria-live="polite" data-state="open">{html.escape(check.open_text)}</p>'
            f"<details><summary>An answer</summary><p>{check.answer_html}</p></details></div>",
            format="html",
        )
        return [box]


def lens_html(lens: Any, name: str, height: int) -> str:
    """Return the element of a page that becomes a lens."""
    # The page holds Keras's maps where it cannot compute them, and the model's output.
    _ = lens.activations, lens.predictions
    return (
        f'<div class="live-lens" id="lens-{html.escape(name)}" style="min-height: {height}px">'
        f"<noscript>{html.escape(repr(lens))}. It is drawn by JavaScript.</noscript>"
        f'<script type="application/octet-stream">{saved_state(lens)}</script></div>'
    )


def saved_state(lens: Any) -> str:
    """Return a lens's state as a saved page holds it."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "lens.html")
        lens.save_html(page)
        match = STATE.search(page.read_text("utf-8"))
    if match is None:
        raise RuntimeError("A page that save_html wrote holds no state.")
    return match[1]


def add_scripts(app: Sphinx, pagename: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    """Load the front end on pages that show a lens."""
    if "live-lens" in app.env.metadata.get(pagename, {}):
        app.add_css_file("convlens/widget.css")
        app.add_js_file("pages.js", type="module")


def copy_shared(app: Sphinx, error: Exception | None) -> None:
    """Put the front end beside the site's other files."""
    if error is None and app.builder.format == "html":
        target = Path(app.outdir, "_static", "convlens")
        target.mkdir(parents=True, exist_ok=True)
        for file in SHARED:
            shutil.copy(file, target)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("lens", LensDirective)
    app.add_directive("exercise", ExerciseDirective)
    app.connect("html-page-context", add_scripts)
    app.connect("build-finished", copy_shared)
    # Lenses are made by code that keeps its names from block to block, so that a page is read by one process.
    return {"version": convlens.__version__, "parallel_read_safe": False, "parallel_write_safe": True}
