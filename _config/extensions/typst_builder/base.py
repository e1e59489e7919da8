"""The frame that the visitors write into: Typst's code, with labels and places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes

from book_builder.translator import BookTranslator
from typst_builder.escape import content, string

if TYPE_CHECKING:
    from typst_builder.builder import TypstBuilder


class Translator(BookTranslator):
    """What the mixins of visitors share; see ``BookTranslator``.

    The name of the page is the first part of all its labels.
    """

    builder: TypstBuilder

    def __init__(
        self, document: nodes.document, builder: TypstBuilder, docname: str
    ) -> None:
        super().__init__(document, builder, docname)
        self.stack: list[list[str]] = [[]]
        self.answers: list[str] = []
        self.anchors: set[str] = set()

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

    def minor_title(self, node: nodes.Element) -> None:
        """Write a heading outside the contents."""
        self.block(node, f"#minor-title[{self.within(node)}]")

    def paged_link(self, function: str, node: nodes.Element) -> str:
        """The link of an exercise to its answer, or back, with its page."""
        return "".join(
            f"#{function}({self.label(link['refid'])},[{content(link.astext())}])"
            for link in node.findall(nodes.reference)
        )
