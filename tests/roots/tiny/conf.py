"""Settings of the tiny books in the tests: the book's own, with a plain theme."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "_config" / "extensions"))

project = "Tiny"
extensions = [
    "executed_chapters",
    "checked_equations",
    "answers",
    "alternative_texts",
    "misconceptions",
    "error_messages",
    "incremental",
    "inline_styles",
    "citation_lists",
    "sphinxcontrib.bibtex",
]
source_suffix = {".md": "myst-nb"}  # as in the book's own settings
nitpicky = True
show_warning_types = True
numfig = True
numfig_secnum_depth = 1
math_numfig = True
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
nb_ipywidgets_js = {}
myst_update_mathjax = False  # it would make each build another configuration
# Sphinx evaluates this file in the folder it lies in; the tiny book names its own.
snippet_root = os.environ["TINY_BOOK"]
snippet_cache = os.environ["TINY_BOOK"] + "/cells"
equation_cache = os.environ["TINY_BOOK"] + "/equations"
snippet_timeout = int(os.environ.get("TINY_BOOK_TIMEOUT", "60"))
bibtex_bibfiles = [os.environ["TINY_BOOK"] + "/book/references.bib"]
html_theme = "basic"
