"""The same chapters for plain MyST-NB: the cells' code stands in the pages.

What only this book's own extensions know is taken away: values of ``{eval}`` are left
as code, figures of cells become cells, and the appendices that are made from other
pages are left out. What remains is the same text with the same cells and outputs.
"""

from __future__ import annotations

import re
from pathlib import Path

from figure_cells import BLOCK
from snippet_cells import Cell, SnippetLibrary

APPENDICES = ("error-messages", "misconceptions", "what-is-checked")
CELL = re.compile(
    r"^```\{code-cell\} python\n:snippet: (?P<reference>\S+)\n(?P<rest>(?:.*\n)*?)```$",
    re.M,
)
EVAL = re.compile(r"\{eval\}`([^`]*)`")
# What makes a page a notebook.
HEAD = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  name: python3
---
"""
CONF = """\
import sys

# What the book does without, its peer shall do without: see the book's own conf.py.
sys.modules["rfc3987_syntax"] = None
project = "Plain"
extensions = ["myst_nb", "sphinx_exercise", "sphinxcontrib.bibtex"]
source_suffix = {".md": "myst-nb"}
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
nb_execution_mode = "cache"
nb_execution_timeout = 60
suppress_warnings = ["myst.xref_ambiguous"]
numfig = True
math_numfig = True
html_theme = "sphinx_book_theme"
bibtex_bibfiles = ["references.bib"]
"""


def plain_text(text: str, library: SnippetLibrary) -> str:
    """A chapter whose cells hold their code."""

    def cell(match: re.Match[str]) -> str:
        return _code_cell(library.cell(match["reference"]))

    text = BLOCK.sub(cell, text)
    return EVAL.sub(r"`\1`", CELL.sub(cell, text))


def _code_cell(cell: Cell) -> str:
    options = ":tags: [raises-exception]\n" if cell.raises else ""
    return f"```{{code-cell}} python\n{options}{cell.source}\n```"


def write_plain_book(project: Path, target: Path) -> None:
    """Write the plain book of a project, with its settings, into a folder."""
    library = SnippetLibrary(project)
    target.mkdir(parents=True)
    (target / "conf.py").write_text(CONF, encoding="utf-8")
    for page in sorted((project / "book").glob("*.md")):
        if page.stem in APPENDICES:
            continue
        text = page.read_text(encoding="utf-8")
        for name in APPENDICES:
            text = re.sub(rf"^{name}\n", "", text, flags=re.M)
        text = plain_text(text, library)
        head = HEAD if "{code-cell}" in text else ""
        (target / page.name).write_text(head + text, encoding="utf-8")
    bibliography = (project / "book" / "references.bib").read_bytes()
    (target / "references.bib").write_bytes(bibliography)
