"""The doctree of one page as Typst: the frame that the visitors share.

Each kind of node has a visitor in one of the mixins. A node that has none is a located
warning, so that nothing that an author writes can get lost in silence.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxTranslator

from typst_builder.blocks import BlockVisitor
from typst_builder.code import CodeVisitor
from typst_builder.escape import string
from typst_builder.exercises import ExerciseVisitor
from typst_builder.figures import FigureVisitor
from typst_builder.formulas import FormulaVisitor
from typst_builder.inline import InlineVisitor
from typst_builder.lists import ListVisitor
from typst_builder.tables import TableVisitor

if TYPE_CHECKING:
    from typst_builder.builder import TypstBuilder

logger = logging.getLogger(__name__)


class TypstTranslator(
    BlockVisitor,
    InlineVisitor,
    ListVisitor,
    TableVisitor,
    CodeVisitor,
    FormulaVisitor,
    FigureVisitor,
    ExerciseVisitor,
    SphinxTranslator,
):
    """Writes one page; ``text()`` and ``answers`` are the result.

    Args:
        document: the page, with all references resolved.
        builder: the builder that assembles the pages.
        docname: the name of the page, the first part of all its labels.
    """

    builder: TypstBuilder

    def __init__(
        self, document: nodes.document, builder: TypstBuilder, docname: str
    ) -> None:
        super().__init__(document, builder)
        self.docname = docname
        self.stack: list[list[str]] = [[]]
        self.answers: list[str] = []
        self.depth = 0
        self.anchors: set[str] = set()
        self.written: dict[str, int] = defaultdict(int)

    def write(self, text: str) -> None:
        """Append Typst's code to what is open."""
        self.stack[-1].append(text)

    def open(self) -> None:
        """Collect what follows apart, until ``close`` returns it."""
        self.stack.append([])

    def close(self) -> str:
        """What was written since ``open``."""
        return "".join(self.stack.pop())

    def text(self) -> str:
        """All of the page."""
        assert len(self.stack) == 1
        return "".join(self.stack[0])

    def within(self, node: nodes.Element) -> str:
        """The children of a node, as markup."""
        self.open()
        for child in node.children:
            child.walkabout(self)
        return self.close()

    def block(self, node: nodes.Element, code: str) -> None:
        """Write a block, and where it comes from in the sources."""
        if code:
            self.write(f"\n\n{self.place(node)}{code}\n\n")

    def place(self, node: nodes.Element) -> str:
        """A comment that leads from Typst's messages back to the chapter."""
        here: nodes.Node | None = node
        while here is not None and not here.line:
            here = here.parent
        return f"/*@ {self.docname}:{here.line} */\n" if here is not None else ""

    def label(self, fragment: str, docname: str = "") -> str:
        """The label of a fragment of a page, as a string of code."""
        return string(f"{docname or self.docname}:{fragment}")

    def anchor(self, *fragments: str) -> str:
        """Markup to which links with these fragments lead."""
        new = [f for f in dict.fromkeys(fragments) if f not in self.anchors]
        self.anchors.update(new)
        return "".join(f"#anchor({self.label(name)});" for name in new)

    def unknown_visit(self, node: nodes.Node) -> None:
        """Warn of a node that the PDF would lose."""
        logger.warning(
            "the PDF cannot show a %s; write it in another way, or add a visitor to "
            "typst_builder",
            type(node).__name__,
            location=node,
            type="typst",
            subtype="node",
        )
        raise nodes.SkipNode

    def visit_desc(self, node: nodes.Node) -> None:
        """Warn: to docutils, the description of a function is an admonition."""
        self.unknown_visit(node)

    def unknown_departure(self, node: nodes.Node) -> None:
        """Nothing: ``unknown_visit`` has warned."""
