"""Text within a line: emphasis, code, formulas, links."""

from __future__ import annotations

from docutils import nodes
from sphinx import addnodes

from notebook_builder.base import Translator
from notebook_builder.markdown import code, escape
from notebook_builder.tex import plain


class InlineVisitor(Translator):
    """Visitors of what stands within a line."""

    def visit_Text(self, node: nodes.Text) -> None:
        """Write a text that means nothing but itself."""
        self.write(escape(node.astext()))
        raise nodes.SkipNode

    def _wrap(self, mark: str, node: nodes.Element) -> None:
        text = self.within(node)
        self.write(f"{mark}{text}{mark}" if text else "")
        raise nodes.SkipNode

    def visit_emphasis(self, node: nodes.Element) -> None:
        """Write emphasis."""
        self._wrap("*", node)

    visit_title_reference = visit_emphasis

    def visit_strong(self, node: nodes.Element) -> None:
        """Write strong emphasis."""
        self._wrap("**", node)

    def visit_subscript(self, node: nodes.Element) -> None:
        """Write a subscript."""
        self.write(f"<sub>{self.within(node)}</sub>")
        raise nodes.SkipNode

    def visit_superscript(self, node: nodes.Element) -> None:
        """Write a superscript."""
        self.write(f"<sup>{self.within(node)}</sup>")
        raise nodes.SkipNode

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
        number = ".".join(map(str, node.get("secnumber") or ()))
        text = f"{number} {self.within(node)}".strip()
        if "refid" in node:
            target = self.builder.link(self.docname, self.docname, node["refid"])
        elif node.get("refuri", "").startswith("%"):
            docname, _, fragment = node["refuri"][1:].partition("#")
            target = self.builder.link(self.docname, docname, fragment)
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

    def _skip(self, node: nodes.Element) -> None:
        """Leave out what no reader sees on the web either."""
        raise nodes.SkipNode

    visit_index = _skip
    visit_raw = _skip
    visit_comment = _skip
    visit_substitution_definition = _skip
    visit_system_message = _skip
    visit_meta = _skip
    visit_tabular_col_spec = _skip
    visit_highlightlang = _skip
    visit_toctree = _skip
    visit_docinfo = _skip
    visit_label = _skip
