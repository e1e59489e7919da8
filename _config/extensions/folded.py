"""Code below a line to open it: a native ``<details>``, or the code itself on paper.

``folded_code("The probe", source)`` gives a node. In HTML it is folded; any other
builder finds a container with a paragraph and a code block.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator


class folded(nodes.container):
    """A box of which only the first child, a ``folded_summary``, is seen at first."""


class folded_summary(nodes.paragraph):
    """The line that opens the box."""


def folded_code(summary: str, source: str, language: str = "ipython3") -> folded:
    """A folded block of code below the line ``summary``."""
    block = nodes.literal_block(source, source, language=language)
    return folded("", folded_summary("", summary), block)


def visit_folded(self: HTML5Translator, node: folded) -> None:
    """Open the folding element."""
    self.body.append(self.starttag(node, "details", CLASS="folded"))


def depart_folded(self: HTML5Translator, node: folded) -> None:
    """Close it."""
    self.body.append("</details>\n")


def visit_summary(self: HTML5Translator, node: folded_summary) -> None:
    """Open the line that is always seen."""
    self.body.append("<summary>")


def depart_summary(self: HTML5Translator, node: folded_summary) -> None:
    """Close it."""
    self.body.append("</summary>\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the two nodes."""
    app.add_node(folded, html=(visit_folded, depart_folded))
    app.add_node(folded_summary, html=(visit_summary, depart_summary))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
