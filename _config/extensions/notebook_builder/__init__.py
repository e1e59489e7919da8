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

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from notebook_builder.builder import NotebookBuilder, keep_sources

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.util.typing import ExtensionMetadata

# The notebook takes an output as it is; the page's nodes of it are not looked at.
MIME_TYPES = ("image/svg+xml", "image/png", "image/jpeg", "text/markdown", "text/plain")


def _rank_outputs(app: Sphinx, config: Config) -> None:
    """Tell MyST-NB which form of an output to resolve for this builder."""
    name = NotebookBuilder.name
    ranks = [(name, kind, 10 * (rank + 1)) for rank, kind in enumerate(MIME_TYPES)]
    hidden = ("text/html", "text/latex", "application/javascript")
    removed = [(name, kind, None) for kind in hidden]
    config.nb_mime_priority_overrides = [
        *config.nb_mime_priority_overrides,
        *ranks,
        *removed,
    ]


def _leave_notebooks_alone(app: Sphinx, exception: Exception | None) -> None:
    """Take away the style sheets that sphinx-exercise gives to every builder."""
    if app.builder.name == NotebookBuilder.name:
        shutil.rmtree(Path(app.outdir, "_static"), ignore_errors=True)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the builder ``notebooks`` and its settings."""
    app.add_builder(NotebookBuilder)
    app.add_config_value("notebook_constraints", "constraints.txt", "", types=(str,))
    app.add_config_value("notebook_facts", [], "", types=(list,))
    app.connect("config-inited", _rank_outputs)
    # Before executed_chapters forgets them.
    app.connect("env-updated", keep_sources, priority=400)
    app.connect("build-finished", _leave_notebooks_alone, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
