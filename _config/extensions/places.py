"""Where something stands in a chapter's source, for nodes without a line."""

from __future__ import annotations

from pathlib import Path

from sphinx.environment import BuildEnvironment


def line_of(env: BuildEnvironment, docname: str, mark: str) -> int:
    """The last line (from 1) of a page's source that holds ``mark``, otherwise 1."""
    lines = Path(env.doc2path(docname)).read_text(encoding="utf-8").splitlines()
    return max(
        (number for number, line in enumerate(lines, 1) if mark in line), default=1
    )
