"""Text within a line: emphasis, code, links."""

from __future__ import annotations

import re

from docutils import nodes
from sphinx import addnodes

from typst_builder.base import Translator
from typst_builder.escape import content, string

# The longest code within a line that is kept on one line.
WHOLE = 20
MARKS = {
    "emphasis": "emph",
    "strong": "strong",
    "subscript": "sub",
    "superscript": "super",
}
BLANK = re.compile(r"[ \t\r\n]+")


class InlineVisitor(Translator):
    """Visitors of what stands within a line."""

    def visit_Text(self, node: nodes.Text) -> None:
        """Write a text that means nothing but itself."""
        self.write(content(BLANK.sub(" ", node.astext())))
        raise nodes.SkipNode

    def marked(self, mark: str, node: nodes.Element) -> str:
        """Text as the argument of what Typst has for a mark."""
        return f"{self.anchor(*node['ids'])}#{MARKS[mark]}[{self.within(node)}];"

    def visit_literal(self, node: nodes.Element) -> None:
        """Write code within a line, as it is."""
        text = BLANK.sub(" ", node.astext())
        code = f"raw({string(text)})"
        # Not broken, and its blanks not stretched.
        self.write(
            f"#box({code});" if " " in text and len(text) <= WHOLE else f"#{code};"
        )
        raise nodes.SkipNode

    visit_literal_strong = visit_literal
    visit_literal_emphasis = visit_literal

    def visit_inline(self, node: nodes.Element) -> None:
        """Write what has no appearance of its own."""
        self.write(self.anchor(*node["ids"]) + self.within(node))
        raise nodes.SkipNode

    visit_abbreviation = visit_inline
    visit_acronym = visit_inline
    visit_generated = visit_inline
    visit_download_reference = visit_inline

    def visit_reference(self, node: nodes.Element) -> None:
        """Write a link: within the book to a label, else to an address."""
        text = self.within(node)
        if place := self.inner_target(node):
            docname, fragment = place
            target = f"label({self.label(fragment, docname)})"
            # The glossary's links to itself are no mentions.
            if "refuri" in node and _names_term(node):
                self.write(f"#mention({self.label(fragment, docname)});")
        elif node.get("refuri"):
            target = string(node["refuri"])
        else:
            self.write(text)
            raise nodes.SkipNode
        self.write(f"{self.anchor(*node['ids'])}#link({target})[{text}];")
        raise nodes.SkipNode

    visit_number_reference = visit_reference

    def visit_target(self, node: nodes.Element) -> None:
        """Write a place to link to."""
        self.write(self.anchor(*node.get("ids", ())) + self.within(node))
        raise nodes.SkipNode

    def visit_index(self, node: addnodes.index) -> None:
        """Mark what the index at the end of the book refers to."""
        targets = [entry[2] for entry in node["entries"]]
        self.write(self.anchor(*dict.fromkeys(targets)))
        raise nodes.SkipNode

    def visit_footnote_reference(self, node: nodes.Element) -> None:
        """Write the mark of a note at the end of a section, as a link to it."""
        target = f"label({self.label(node['refid'])})"
        text = content(node.astext())
        self.write(f"{self.anchor(*node['ids'])}#super[#link({target})[{text}]];")
        raise nodes.SkipNode

    def visit_raw(self, node: nodes.Element) -> None:
        """Pass on what is written for Typst; leave out what is for other formats."""
        if "typst" in node.get("format", "").split():
            self.write(node.astext())
        raise nodes.SkipNode

    def visit_problematic(self, node: nodes.Element) -> None:
        """Write it as it stands; docutils has warned of it."""
        self.visit_inline(node)


def _names_term(node: nodes.Element) -> bool:
    """Whether a reference leads to a term of the glossary."""
    elements = (child for child in node.children if isinstance(child, nodes.Element))
    return any("std-term" in child.get("classes", ()) for child in elements)
