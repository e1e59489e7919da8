"""The chapters as notebooks that run where they are unpacked: a builder of Sphinx.

    python _config/build_book.py --builder notebooks → build/notebooks, build/….zip

The steps, each with a module of its own:

- ``builder``: the pages with the numbers and references that they have on the web
- ``translator``: one page as cells; its visitors are in ``blocks``, ``inline``,
  ``lists`` and ``cells``
- ``markdown`` and ``tex``: what every viewer of notebooks can show
- ``stubs``: the cells that a reader fills in
- ``pictures``: figures for viewers that show no SVG
- ``package``: the code beside the notebooks, ``requirements.txt``, the README

Settings: ``notebook_constraints`` (the file with the pinned versions),
``notebook_facts`` (lines of the README).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from book_builder import add_book_builder
from notebook_builder.builder import NotebookBuilder, keep_sources

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the builder ``notebooks`` and its settings."""
    app.add_config_value("notebook_constraints", "constraints.txt", "", types=(str,))
    app.add_config_value("notebook_facts", [], "", types=(list,))
    # Before executed_chapters forgets them.
    app.connect("env-updated", keep_sources, priority=400)
    return add_book_builder(app, NotebookBuilder)
