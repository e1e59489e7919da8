"""Sections, paragraphs, admonitions, formulas and exercises."""

from __future__ import annotations

from docutils import nodes
from sphinx.locale import admonitionlabels
from sphinx.util.math import get_node_equation_number

from book_builder.translator import own_title, take_title
from mathml.convert import as_one_display
from notebook_builder.base import Translator
from notebook_builder.markdown import escape, fence, indent, safe_start
from notebook_builder.tex import plain


class BlockVisitor(Translator):
    """Visitors of blocks of text."""

    def visit_document(self, node: nodes.document) -> None:
        """Begin a page."""

    def depart_document(self, node: nodes.document) -> None:
        """End a page."""
        self.new_cell()

    def visit_section(self, node: nodes.section) -> None:
        """Begin a section with its heading, and a cell with the section."""
        self.depth += 1
        title = own_title(node)
        if title is not None:
            self.new_cell()
            number = self.builder.section_number(self.docname, node)
            self._heading(f"{number} {self.within(title)}".strip(), self.depth)

    def depart_section(self, node: nodes.section) -> None:
        """End a section."""
        self.depth -= 1

    def _heading(self, text: str, level: int) -> None:
        self.block(f"{'#' * min(level, 6)} {text}")

    def visit_paragraph(self, node: nodes.paragraph) -> None:
        """Write a paragraph; an answer follows its question, and needs no link."""
        if "answer-link" not in node["classes"]:
            self.block(safe_start(self.within(node)))
        raise nodes.SkipNode

    visit_compact_paragraph = visit_paragraph
    visit_centered = visit_paragraph

    def visit_attribution(self, node: nodes.attribution) -> None:
        """Write who is quoted."""
        self.block(f"— {self.within(node)}")
        raise nodes.SkipNode

    def visit_compound(self, node: nodes.Element) -> None:
        """Write what is inside."""

    def depart_compound(self, node: nodes.Element) -> None:
        """End it."""

    visit_only = visit_compound
    depart_only = depart_compound
    visit_legend = visit_compound
    depart_legend = depart_compound

    def visit_details(self, node: nodes.Element) -> None:
        """Write what is folded: everything that shows Markdown knows this element."""
        summary, *rest = node.children
        assert isinstance(summary, nodes.Element)
        head = summary.astext()
        self._fold(head, self.blocks_within(nodes.container("", *rest)))
        raise nodes.SkipNode

    visit_folded = visit_details

    def _fold(self, summary: str, body: str) -> None:
        head = f"<details>\n<summary>{summary}</summary>"
        self.block(f"{head}\n\n{body}\n\n</details>")

    def visit_figure(self, node: nodes.figure) -> None:
        """Write an image from a file with its number and caption."""
        for image in node.findall(nodes.image):
            self.block(self.within(nodes.inline("", "", image.deepcopy())))
        number = self.builder.float_number(self.docname, node, "figure")
        for caption in node.findall(nodes.caption):
            self.block(f"**{number}.** {self.within(caption)}")
        raise nodes.SkipNode

    def visit_block_quote(self, node: nodes.block_quote) -> None:
        """Write a quotation."""
        self.block(indent(self.blocks_within(node), "> ", "> "))
        raise nodes.SkipNode

    def visit_line_block(self, node: nodes.line_block) -> None:
        """Write lines that keep their ends."""
        lines = [self.within(line) for line in node.findall(nodes.line)]
        self.block("\\\n".join(lines))
        raise nodes.SkipNode

    def visit_transition(self, node: nodes.transition) -> None:
        """Write a break between paragraphs."""
        self.block("---")
        raise nodes.SkipNode

    def visit_literal_block(self, node: nodes.FixedTextElement) -> None:
        """Write code that is only shown."""
        language = {"ipython3": "python", "default": ""}.get(
            node.get("language", ""), node.get("language", "")
        )
        self.block(fence(node.astext(), language))
        raise nodes.SkipNode

    visit_doctest_block = visit_literal_block

    def visit_math_block(self, node: nodes.math_block) -> None:
        """Write a display on one line, with the number that it has on the web."""
        latex = plain(as_one_display(node.astext()), self.config.mathml_macros)
        if node.get("number"):
            number = get_node_equation_number(self, node)  # type: ignore[arg-type]
            latex += rf" \tag{{{number}}}"
        self.block(f"$$ {latex} $$")
        raise nodes.SkipNode

    def visit_Admonition(self, node: nodes.Element) -> None:
        """Write an admonition as a quotation that begins with its title."""
        own = take_title(node)
        title = self.within(own) if own is not None else ""
        title = title or str(admonitionlabels.get(node.tagname, node.tagname))
        body = self.blocks_within(node)
        self.block(indent(f"**{title}**\n\n{body}", "> ", "> "))
        raise nodes.SkipNode

    visit_seealso = visit_Admonition
    visit_versionmodified = visit_Admonition
    visit_topic = visit_Admonition
    visit_sidebar = visit_Admonition

    def visit_exercise_node(self, node: nodes.Element) -> None:
        """Write an exercise with a heading, and below it the stub to be filled in."""
        self.new_cell()
        own = take_title(node)
        title = self.within(own) if own is not None else ""
        heading = self.builder.exercise_heading(self.docname, node, title)
        self._heading(heading, self.depth + 1)
        self.block(self.blocks_within(node))
        self.new_cell()
        self.add_stub(node["label"])
        raise nodes.SkipNode

    visit_exercise_enumerable_node = visit_exercise_node

    def add_stub(self, label: str) -> None:
        """Append the cell to be filled in, if the exercise has one."""

    def visit_solution_node(self, node: nodes.Element) -> None:
        """Fold an answer: text, code and what the code gives, in one piece."""
        self._fold(escape(node["summary"]), self.blocks_within(node))
        self.new_cell()
        raise nodes.SkipNode

    visit_solution_enumerable_node = visit_solution_node
