"""Sources as a list that assistive technology can read.

docutils writes each source with the role ``doc-biblioentry``, which WAI-ARIA has
withdrawn, into an element of the role ``list``, which may hold list items only. Here
they are list items.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator


def visit_citation(self: HTML5Translator, node: nodes.citation) -> None:
    """Open a source, and before the first one the list."""
    if not isinstance(node.previous_sibling(), nodes.citation):
        self.body.append('<div role="list" class="citation-list">\n')
    self.body.append(self.starttag(node, "div", CLASS="citation", role="listitem"))


def depart_citation(self: HTML5Translator, node: nodes.citation) -> None:
    """Close a source, and after the last one the list."""
    self.body.append("</div>\n")
    following = node.next_node(descend=False, siblings=True)
    if not isinstance(following, nodes.citation):
        self.body.append("</div>\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Take the place of docutils' own rendering."""
    render = (visit_citation, depart_citation)
    app.add_node(nodes.citation, override=True, html=render)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
