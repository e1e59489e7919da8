"""Text within a line: emphasis, code, formulas, links."""

from __future__ import annotations

from docutils import nodes
from sphinx import addnodes

from book_builder.builder import dotted
from notebook_builder.base import Translator
from notebook_builder.markdown import code, escape
from notebook_builder.tex import plain

MARKS = {
    "emphasis": ("*", "*"),
    "strong": ("**", "**"),
    "subscript": ("<sub>", "</sub>"),
    "superscript": ("<sup>", "</sup>"),
}


class InlineVisitor(Translator):
    """Visitors of what stands within a line."""

    def visit_Text(self, node: nodes.Text) -> None:
        """Write a text that means nothing but itself."""
        self.write(escape(node.astext()))
        raise nodes.SkipNode

    def marked(self, mark: str, node: nodes.Element) -> str:
        """Text between what Markdown has for a mark."""
        before, after = MARKS[mark]
        text = self.within(node)
        return f"{before}{text}{after}" if text else ""

    def visit_literal(self, node: nodes.Element) -> None:
        """Write code within a line, as it is."""
        self.write(code(node.astext()))
        raise nodes.SkipNode

    visit_literal_strong = visit_literal
    visit_literal_emphasis = visit_literal

    def visit_math(self, node: nodes.math) -> None:
        """Write a formula within a line."""
        self.write(f"${plain(node.astext(), self.config.mathml_macros)}$")
        raise nodes.SkipNode

    def visit_inline(self, node: nodes.Element) -> None:
        """Write what has no appearance of its own."""

    def depart_inline(self, node: nodes.Element) -> None:
        """End it."""

    visit_abbreviation = visit_inline
    depart_abbreviation = depart_inline
    visit_generated = visit_inline
    depart_generated = depart_inline
    visit_target = visit_inline
    depart_target = depart_inline
    visit_problematic = visit_inline
    depart_problematic = depart_inline

    def visit_reference(self, node: nodes.Element) -> None:
        """Write a link: within the book to a notebook, else to an address."""
        number = dotted(node.get("secnumber") or ())
        text = f"{number} {self.within(node)}".strip()
        if place := self.inner_target(node):
            target = self.builder.link(self.docname, *place)
        else:
            target = node.get("refuri", "")
        if not target and isinstance(node.parent, addnodes.compact_paragraph):
            raise nodes.SkipNode  # contents name pages of the web alone: the index
        self.write(f"[{text}]({target})" if target else text)
        raise nodes.SkipNode

    visit_number_reference = visit_reference

    def visit_footnote_reference(self, node: nodes.Element) -> None:
        """Write the mark of a note at the end of a section."""
        self.write(f"<sup>{escape(node.astext())}</sup>")
        raise nodes.SkipNode

    def visit_image(self, node: nodes.image) -> None:
        """Write an image from a file, which then lies beside the notebook."""
        name = self.builder.images.get(node["uri"])
        if name:  # if not, Sphinx has warned that it is not there
            self.builder.used_images.add(node["uri"])
            self.write(f"![{escape(node.get('alt', ''))}](images/{name})")
        raise nodes.SkipNode

    visit_index = Translator.skip
    visit_raw = Translator.skip
    visit_label = Translator.skip
