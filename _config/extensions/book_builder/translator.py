"""The frame of a translator: what it leaves out, and what it must not lose.

Each kind of node has a visitor. One that has none is a located warning, so that nothing
that an author writes can get lost in silence:

    book/tensors.md:3: the PDF cannot show a desc; write it in another way, or add a
    visitor to typst_builder [typst.node]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxTranslator

if TYPE_CHECKING:
    from book_builder.builder import BookBuilder

logger = logging.getLogger(__name__)


class BookTranslator(SphinxTranslator):
    """Writes one page.

    Args:
        document: the page, with all references resolved.
        builder: the builder that knows the other pages.
        docname: the name of the page.
    """

    builder: BookBuilder

    def __init__(
        self, document: nodes.document, builder: BookBuilder, docname: str
    ) -> None:
        super().__init__(document, builder)
        self.docname = docname
        self.depth = 0

    def write(self, text: str) -> None:
        """Append text to the line that is open."""
        raise NotImplementedError

    def within(self, node: nodes.Element) -> str:
        """The children of a node, as text within a line."""
        raise NotImplementedError

    def marked(self, mark: str, node: nodes.Element) -> str:
        """Text that is set apart: ``mark`` is the name of a node in docutils."""
        raise NotImplementedError

    def minor_title(self, node: nodes.Element) -> None:
        """Write a heading outside the contents."""
        raise NotImplementedError

    def visit_emphasis(self, node: nodes.Element) -> None:
        """Write emphasis."""
        self._mark("emphasis", node)

    visit_title_reference = visit_emphasis

    def visit_strong(self, node: nodes.Element) -> None:
        """Write strong emphasis."""
        self._mark("strong", node)

    def visit_subscript(self, node: nodes.Element) -> None:
        """Write a subscript."""
        self._mark("subscript", node)

    def visit_superscript(self, node: nodes.Element) -> None:
        """Write a superscript."""
        self._mark("superscript", node)

    def _mark(self, mark: str, node: nodes.Element) -> None:
        self.write(self.marked(mark, node))
        raise nodes.SkipNode

    def visit_title(self, node: nodes.title) -> None:
        """Write the title of what is no section; sections have written theirs."""
        if not isinstance(node.parent, nodes.section):
            self.minor_title(node)
        raise nodes.SkipNode

    def visit_rubric(self, node: nodes.Element) -> None:
        """Write a heading outside the contents."""
        self.minor_title(node)
        raise nodes.SkipNode

    def visit_caption(self, node: nodes.Element) -> None:
        """Write the title of a block of code; figures write their own."""
        self.minor_title(node)
        raise nodes.SkipNode

    def inner_target(self, node: nodes.Element) -> tuple[str, str] | None:
        """The page and the fragment that a reference leads to, if within the book."""
        if "refid" in node:
            return self.docname, node["refid"]
        return inside(node.get("refuri", ""))

    def skip(self, node: nodes.Node) -> None:
        """Leave out what no reader sees on the web either."""
        raise nodes.SkipNode

    visit_comment = skip
    visit_substitution_definition = skip
    visit_system_message = skip
    visit_meta = skip
    visit_tabular_col_spec = skip
    visit_highlightlang = skip
    visit_toctree = skip
    visit_docinfo = skip

    def unknown_visit(self, node: nodes.Node) -> None:
        """Warn of a node that the result would lose."""
        logger.warning(
            "%s cannot show a %s; write it in another way, or add a visitor to %s",
            self.builder.medium,
            type(node).__name__,
            self.builder.package,
            location=node,
            type=self.builder.name,
            subtype="node",
        )
        raise nodes.SkipNode

    def visit_desc(self, node: nodes.Node) -> None:
        """Warn: to docutils, the description of a function is an admonition."""
        self.unknown_visit(node)

    def unknown_departure(self, node: nodes.Node) -> None:
        """Nothing: ``unknown_visit`` has warned."""


def inside(uri: str) -> tuple[str, str] | None:
    """Page and fragment of an address within the book; else nothing.

    >>> inside("%tensors#shape")
    ('tensors', 'shape')
    >>> inside("https://example.org/#shape") is None
    True
    """
    if not uri.startswith("%"):
        return None
    docname, _, fragment = uri[1:].partition("#")
    return docname, fragment


def own_title(node: nodes.Element) -> nodes.title | None:
    """The title of a section, an admonition or an exercise, not of what is inside."""
    return next(
        (child for child in node.children if isinstance(child, nodes.title)), None
    )


def take_title(node: nodes.Element) -> nodes.title | None:
    """The title of a node, which the node then has no more."""
    title = own_title(node)
    if title is not None:
        node.remove(title)
    return title
