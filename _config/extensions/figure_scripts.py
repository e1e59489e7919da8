"""The scripts of figures, on those pages alone that have a figure for them.

A figure to play with is a custom element, ``<computation-graph>`` or one whose name
ends in ``-explorer``; its script defines it.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

# What the markup of a page holds, and the script that it then needs.
SCRIPTS = {"<computation-graph": "figures.js", "-explorer class=": "explorers.js"}


def needed(body: str) -> list[str]:
    """The scripts for the figures of a page.

    >>> needed('<computation-graph class="drawn">…')
    ['figures.js']
    """
    return [script for mark, script in SCRIPTS.items() if mark in body]


def add_scripts(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Load them after the page; a deferred script also works from a folder."""
    for script in needed(context.get("body", "")):
        app.add_js_file(script, loading_method="defer")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Look at each page when it is written."""
    app.connect("html-page-context", add_scripts)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
