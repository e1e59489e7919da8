"""The book as a PDF, by Typst: a builder of Sphinx that needs pip alone.

    python _config/build_book.py --builder typst → build/pdf/….pdf

The steps, each with a module of its own:

- ``builder``: the pages in the order of the contents, with the numbers and references
  that they have on the web; the chapter of answers; the index
- ``translator``: one page as Typst; its visitors are in ``blocks``, ``inline``,
  ``lists``, ``tables``, ``code``, ``formulas``, ``figures`` and ``exercises``
- ``mathematics``: the pages' MathML as Typst's mathematics and as English
- ``typesetting``: Typst itself, and its messages with the chapter's file and line
- ``associated``: the MathML of each formula, put into the PDF

What the book looks like is in ``typst/book.typ`` beside ``conf.py``.

Settings: ``typst_file`` (name of the PDF), ``typst_template`` (path from ``conf.py``),
``typst_paper`` (``a4``, ``us-letter`` or ``reader``), ``typst_facts`` (lines of the
title page), ``typst_date`` (of the edition), ``typst_code_style`` (one of Pygments),
``typst_preface`` (heading of the first page's text), ``typst_kept`` (folder in which to
keep the last sources).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from book_builder import add_book_builder
from typst_builder.builder import PAPERS, TypstBuilder

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the builder ``typst`` and its settings."""
    app.add_config_value("typst_file", "book.pdf", "", types=(str,))
    app.add_config_value("typst_template", "typst/book.typ", "", types=(str,))
    app.add_config_value("typst_paper", "a4", "", types=PAPERS)
    app.add_config_value("typst_facts", [], "", types=(list,))
    app.add_config_value("typst_code_style", "default", "", types=(str,))
    app.add_config_value("typst_preface", "About this book", "", types=(str,))
    app.add_config_value("typst_kept", "", "", types=(str,))
    app.add_config_value("typst_date", "", "", types=(str,))
    return add_book_builder(app, TypstBuilder)
