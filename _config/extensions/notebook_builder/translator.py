"""The doctree of one page as the cells of a notebook: the frame of the visitors.

Each kind of node has a visitor in one of the mixins. A node that has none is a located
warning, so that nothing that an author writes can get lost in silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from sphinx.util import logging
from sphinx.util.docutils import SphinxTranslator

from notebook_builder.blocks import BlockVisitor
from notebook_builder.cells import CellVisitor
from notebook_builder.inline import InlineVisitor
from notebook_builder.lists import ListVisitor

if TYPE_CHECKING:
    from notebook_builder.builder import NotebookBuilder

logger = logging.getLogger(__name__)


class NotebookTranslator(
    CellVisitor, BlockVisitor, InlineVisitor, ListVisitor, SphinxTranslator
):
    """Writes one page; ``cells`` is the result.

    Args:
        document: the page, with all references resolved.
        builder: the builder that knows the other pages.
        docname: the name of the page.
        source: the notebook that the page was read from, with its outputs.
    """

    builder: NotebookBuilder

    def __init__(
        self,
        document: nodes.document,
        builder: NotebookBuilder,
        docname: str,
        source: NotebookNode,
    ) -> None:
        super().__init__(document, builder)
        self.docname = docname
        self.source = source
        self.cells: list[NotebookNode] = []
        self.depth = 0
        self.line: list[list[str]] = []
        self.blocks: list[list[str]] = [[]]

    def write(self, text: str) -> None:
        """Append to the line that is open; outside of one, that is a block."""
        if self.line:
            self.line[-1].append(text)
        elif text.strip():
            self.block(text)

    def block(self, text: str) -> None:
        """Append a block of Markdown; an empty one is left out."""
        if text.strip():
            self.blocks[-1].append(text.strip("\n"))

    def within(self, node: nodes.Element) -> str:
        """The children of a node, as text within a line."""
        self.line.append([])
        for child in node.children:
            child.walkabout(self)
        return "".join(self.line.pop()).strip()

    def blocks_within(self, node: nodes.Element) -> str:
        """The children of a node, as blocks."""
        self.blocks.append([])
        outer, self.line = self.line, []
        for child in node.children:
            child.walkabout(self)
        self.line = outer
        return "\n\n".join(self.blocks.pop())

    def new_cell(self) -> None:
        """End the cell of Markdown that is open."""
        if self.at_top and self.blocks[0]:
            text = "\n\n".join(self.blocks[0])
            self.cells.append(new_markdown_cell(text))
            self.blocks[0].clear()

    @property
    def at_top(self) -> bool:
        """Whether a cell may begin here: not within a quotation, list or answer."""
        return len(self.blocks) == 1

    def unknown_visit(self, node: nodes.Node) -> None:
        """Warn of a node that the notebook would lose."""
        logger.warning(
            "a notebook cannot show a %s; write it in another way, or add a visitor to "
            "notebook_builder",
            type(node).__name__,
            location=node,
            type="notebooks",
            subtype="node",
        )
        raise nodes.SkipNode

    def visit_desc(self, node: nodes.Node) -> None:
        """Warn: to docutils, the description of a function is an admonition."""
        self.unknown_visit(node)

    def unknown_departure(self, node: nodes.Node) -> None:
        """Nothing: ``unknown_visit`` has warned."""
