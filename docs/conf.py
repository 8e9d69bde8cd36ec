"""The documentation's settings; `python3 dev.py docs` builds it into build/docs without a network."""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS.parent / "src"), str(DOCS.parent)]

from convlens import __version__  # noqa: E402

project = "convlens"
author = "The convlens developers"
copyright = author
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "numpydoc",
    "docs.extensions.live_lens",
    "docs.extensions.example_page",
]
root_doc = "index"
templates_path = ["templates"]
exclude_patterns = ["extensions", "templates", "**.ipynb_checkpoints"]
nitpicky = False

myst_enable_extensions = ["colon_fence", "deflist"]
# A heading's own words are its address, as on GitHub, so that links work in both places.
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

html_theme = "pydata_sphinx_theme"
html_title = "convlens"
html_static_path = ["assets"]
html_css_files = ["pages.css"]
html_show_sourcelink = False
html_copy_source = False
html_favicon = "assets/favicon.svg"
# Without it the theme logs an error on every page.
html_context = {"default_mode": "auto"}
# These stand alone; a section's pages have its list beside them.
html_sidebars: dict[str, list[str]] = {page: [] for page in ("index", "start", "question", "tutorial-questions")}
html_theme_options = {
    "navbar_end": ["theme-switcher"],
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    # Nothing of a page is fetched from another machine: the theme's icons come with it.
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
