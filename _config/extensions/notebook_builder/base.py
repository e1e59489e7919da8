"""The frame that the visitors write into: lines, blocks and cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from book_builder.translator import BookTranslator

if TYPE_CHECKING:
    from notebook_builder.builder import NotebookBuilder


class Translator(BookTranslator):
    """What the mixins of visitors share.

    Args:
        document, builder, docname: see ``BookTranslator``.
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
        super().__init__(document, builder, docname)
        self.source = source
        self.cells: list[NotebookNode] = []
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

    def minor_title(self, node: nodes.Element) -> None:
        """Write a heading outside the contents."""
        self.block(f"**{self.within(node)}**")

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
