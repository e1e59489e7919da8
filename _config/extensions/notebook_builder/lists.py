"""Lists of all kinds, tables, notes and sources."""

from __future__ import annotations

import re

from docutils import nodes

from notebook_builder.base import Translator
from notebook_builder.markdown import escape, indent

BARE_BAR = re.compile(r"(?<!\\)\|")
RULES = {"left": ":---", "right": "---:", "center": ":---:", "": "---"}


class ListVisitor(Translator):
    """Visitors of lists and tables."""

    def visit_bullet_list(self, node: nodes.bullet_list) -> None:
        """Write a list."""
        self._list(node, ["- "] * len(node))

    def visit_enumerated_list(self, node: nodes.enumerated_list) -> None:
        """Write a numbered list."""
        first = node.get("start", 1)
        self._list(node, [f"{first + place}. " for place in range(len(node))])

    def _list(self, node: nodes.Element, marks: list[str]) -> None:
        items = [
            indent(text, mark, " " * len(mark))
            for item, mark in zip(node, marks, strict=True)
            if (text := self.blocks_within(item))  # type: ignore[arg-type]
        ]
        gap = "\n\n" if any("\n\n" in item for item in items) else "\n"
        self.block(gap.join(items))
        raise nodes.SkipNode

    def visit_definition_list(self, node: nodes.definition_list) -> None:
        """Write terms and what they mean as a list."""
        items = []
        for item in node.findall(nodes.definition_list_item):
            names = (nodes.term, nodes.classifier)
            terms = [self.within(term) for term in item if isinstance(term, names)]
            body = [
                self.blocks_within(part)
                for part in item
                if isinstance(part, nodes.definition)
            ]
            text = f"**{', '.join(terms)}**: {' '.join(body)}"
            items.append(indent(text, "- ", "  "))
        self.block("\n".join(items))
        raise nodes.SkipNode

    def visit_glossary(self, node: nodes.Element) -> None:
        """Write the glossary's list."""

    def depart_glossary(self, node: nodes.Element) -> None:
        """End it."""

    def visit_field_list(self, node: nodes.field_list) -> None:
        """Write fields as a list."""
        items = []
        for field in node.findall(nodes.field):
            name, body = field.children
            assert isinstance(name, nodes.Element)
            assert isinstance(body, nodes.Element)
            text = f"**{self.within(name)}**: {self.blocks_within(body)}"
            items.append(indent(text, "- ", "  "))
        self.block("\n".join(items))
        raise nodes.SkipNode

    def visit_citation(self, node: nodes.Element) -> None:
        """Write a source or a note after its number."""
        label = node.next_node(nodes.label)
        number = f"{escape(f'[{label.astext()}]')} " if label is not None else ""
        self.block(f"{number}{self.blocks_within(node)}")
        raise nodes.SkipNode

    visit_footnote = visit_citation

    def visit_table(self, node: nodes.table) -> None:
        """Write a table, whose cells hold one line each."""
        rows = [
            [self._entry(entry) for entry in row.findall(nodes.entry)]
            for row in node.findall(nodes.row)
        ]
        if not list(node.findall(nodes.thead)):
            rows.insert(0, [""] * len(rows[0]))
        first = next(node.findall(nodes.row))
        sides = [_side(entry) for entry in first.findall(nodes.entry)]
        lines = [f"| {' | '.join(row)} |" for row in rows]
        lines.insert(1, f"| {' | '.join(RULES[side] for side in sides)} |")
        if isinstance(node[0], nodes.title):
            self.block(f"**{self.within(node[0])}**")
        self.block("\n".join(lines))
        raise nodes.SkipNode

    def _entry(self, entry: nodes.entry) -> str:
        text = self.blocks_within(entry)
        text = text.replace("\n\n", "<br>").replace("\n", " ").strip()
        # Also within code a bar would end the cell.
        return BARE_BAR.sub(r"\|", text)


def _side(entry: nodes.entry) -> str:
    sides = [name.removeprefix("text-") for name in entry["classes"]]
    return next((side for side in sides if side in RULES), "")
