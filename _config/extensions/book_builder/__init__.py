"""What builders share that write the whole book as something else than pages.

Such a builder is a ``builder.BookBuilder`` with a ``translator.BookTranslator``, which
has a visitor for each kind of node; ``typst_builder`` and ``notebook_builder`` are two.
An extension registers it, with what MyST-NB and sphinx-exercise have to know of it:

    def setup(app: Sphinx) -> ExtensionMetadata:
        return add_book_builder(app, TypstBuilder)

Nothing here knows of this book: it needs Sphinx and docutils alone.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from book_builder.builder import BookBuilder

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.util.typing import ExtensionMetadata

# Outside a browser nothing moves and nothing is styled by a script. The best first.
SHOWN = ("image/svg+xml", "image/png", "image/jpeg", "text/markdown", "text/plain")
HIDDEN = ("text/html", "text/latex", "application/javascript")


def add_book_builder(app: Sphinx, builder: type[BookBuilder]) -> ExtensionMetadata:
    """Register a builder, and keep away from it what is for browsers."""

    def rank_outputs(app: Sphinx, config: Config) -> None:
        """Tell MyST-NB which form of an output this builder can show."""
        ranks = {kind: 10 * rank for rank, kind in enumerate(SHOWN, 1)}
        config.nb_mime_priority_overrides = [
            *config.nb_mime_priority_overrides,
            *((builder.name, kind, rank) for kind, rank in ranks.items()),
            *((builder.name, kind, None) for kind in HIDDEN),
        ]

    def remove_style_sheets(app: Sphinx, exception: Exception | None) -> None:
        """Take away what sphinx-exercise gives to every builder."""
        if app.builder.name == builder.name:
            shutil.rmtree(Path(app.outdir, "_static"), ignore_errors=True)

    app.add_builder(builder)
    app.connect("config-inited", rank_outputs)
    app.connect("build-finished", remove_style_sheets, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
