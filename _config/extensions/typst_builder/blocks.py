"""Sections, paragraphs, admonitions and other blocks of text."""

from __future__ import annotations

from docutils import nodes
from sphinx import addnodes
from sphinx.locale import admonitionlabels

from book_builder.translator import own_title, take_title
from typst_builder.base import Translator
from typst_builder.escape import content, string
from typst_builder.exercises import is_answer_link

OWN_KINDS = ("objectives", "predict", "misconception")


class BlockVisitor(Translator):
    """Visitors of blocks of text."""

    def visit_document(self, node: nodes.document) -> None:
        """Begin a page: links to the page as a whole lead here."""
        self.write(self.anchor(""))

    def depart_document(self, node: nodes.document) -> None:
        """End a page."""

    def visit_section(self, node: nodes.section) -> None:
        """Begin a section with its heading."""
        self.depth += 1
        title = own_title(node)
        if title is None:
            self.write(self.anchor(*node["ids"]))
            return
        number = self.builder.section_number(self.docname, node)
        level = self.depth + self.builder.shift
        code = f"#section({level},{string(number)},[{self.within(title)}])"
        self.block(node, f"{code}{self.anchor(*node['ids'], *title['ids'])}")

    def depart_section(self, node: nodes.section) -> None:
        """End a section."""
        self.depth -= 1

    def visit_paragraph(self, node: nodes.paragraph) -> None:
        """Write a paragraph."""
        if is_answer_link(node):
            self.block(node, self.paged_link("answer-link", node))
            raise nodes.SkipNode
        text = self.anchor(*node["ids"]) + self.within(node)
        if is_answer_link(node.next_node(descend=False, siblings=True)):
            text = f"#keep[{text}]"
        if "answer-later" in node["classes"]:
            text = f"#answer-later[{text}]"
        self.block(node, text)
        raise nodes.SkipNode

    visit_compact_paragraph = visit_paragraph

    def visit_compound(self, node: nodes.compound) -> None:
        """Write what is inside, except for lists of chapters."""
        if "toctree-wrapper" in node["classes"]:
            raise nodes.SkipNode
        self.write(self.anchor(*node["ids"]) + self.within(node))
        raise nodes.SkipNode

    visit_only = visit_compound

    def visit_container(self, node: nodes.container) -> None:
        """Write what is inside."""
        self.write(self.anchor(*node["ids"]) + self.within(node))
        raise nodes.SkipNode

    def visit_error_entry(self, node: nodes.Element) -> None:
        """Write an entry of an appendix."""
        self.block(node, f"#entry[{self.anchor(*node['ids'])}{self.within(node)}]")
        raise nodes.SkipNode

    def visit_details(self, node: nodes.Element) -> None:
        """Write what is folded on the web: on paper nothing can be."""
        self.block(node, f"#aside[{self.anchor(*node['ids'])}{self.within(node)}]")
        raise nodes.SkipNode

    def visit_folded_summary(self, node: nodes.Element) -> None:
        """Write the line that opens a box on the web, above what is in the box."""
        self.block(node, f"#run-in[{self.within(node)}]")
        raise nodes.SkipNode

    def visit_summary(self, node: nodes.Element) -> None:
        """Write the line that stays when the rest is folded."""
        self.minor_title(node)
        raise nodes.SkipNode

    def visit_block_quote(self, node: nodes.block_quote) -> None:
        """Write a quotation."""
        source = [child for child in node if isinstance(child, nodes.attribution)]
        by = f"attribution:[{self.within(source[0])}]," if source else ""
        self.block(node, f"#quote(block:true,{by}[{self.within(node)}])")
        raise nodes.SkipNode

    def visit_attribution(self, node: nodes.attribution) -> None:
        """Nothing: the quotation has written it."""
        raise nodes.SkipNode

    def visit_line_block(self, node: nodes.line_block) -> None:
        """Write lines that keep their ends."""
        lines = [
            self.within(line) if isinstance(line, nodes.line) else ""
            for line in node.findall(nodes.line)
        ]
        self.block(node, "#linebreak();".join(lines))
        raise nodes.SkipNode

    def visit_transition(self, node: nodes.transition) -> None:
        """Write a break between paragraphs."""
        self.block(node, "#transition()")
        raise nodes.SkipNode

    def visit_centered(self, node: addnodes.centered) -> None:
        """Write a line in the middle."""
        self.block(node, f"#align(center)[{self.within(node)}]")
        raise nodes.SkipNode

    def visit_topic(self, node: nodes.Element) -> None:
        """Write a block with a title."""
        self._admonition(node, "topic", "")

    visit_sidebar = visit_topic

    def visit_Admonition(self, node: nodes.Element) -> None:
        """Write an admonition, with its own title or the one of its kind."""
        kind = node.tagname
        classes = [name for name in node["classes"] if name in OWN_KINDS]
        title = str(admonitionlabels.get(kind, kind.capitalize()))
        self._admonition(node, classes[0] if classes else kind, title)

    visit_seealso = visit_Admonition
    visit_versionmodified = visit_Admonition

    def _admonition(self, node: nodes.Element, kind: str, title: str) -> None:
        """Write a block with its own title, or else this one."""
        own = take_title(node)
        head = self.within(own) if own is not None else content(title)
        body = self.anchor(*node["ids"]) + self.within(node)
        self.block(node, f"#admonition({string(kind)},[{head}],[{body}])")
        raise nodes.SkipNode
