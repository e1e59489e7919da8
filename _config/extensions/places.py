"""Where something stands in a chapter's source, for nodes without a line."""

from __future__ import annotations

from pathlib import Path

from sphinx.environment import BuildEnvironment
from sphinx.errors import SphinxError


class PlacedError(SphinxError):
    """Ends the build with one line: ``place``, such as ``/b/a.md:3``, and why."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(message)
        self.category = f"{place}: ERROR"  # Sphinx writes it before the message


def line_of(env: BuildEnvironment, docname: str, mark: str) -> int:
    """The last line (from 1) of a page's source that holds ``mark``, otherwise 1."""
    lines = Path(env.doc2path(docname)).read_text(encoding="utf-8").splitlines()
    return max(
        (number for number, line in enumerate(lines, 1) if mark in line), default=1
    )
