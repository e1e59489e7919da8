"""Exercises where they are asked; answers gathered for a chapter of their own."""

from __future__ import annotations

from docutils import nodes

from answers import answer_id
from typst_builder.base import Translator
from typst_builder.escape import content, string


class ExerciseVisitor(Translator):
    """Visitors of sphinx-exercise's nodes."""

    def visit_exercise_node(self, node: nodes.Element) -> None:
        """Write an exercise with the number that it has on the web."""
        title = node.next_node(nodes.title)
        number = self.builder.float_number(self.docname, node, "exercise")
        text = ""
        if title is not None and title.parent is node:
            node.remove(title)
            text = self.within(title).strip()
        body = self.anchor(*node["ids"], node["label"]) + self.within(node)
        self.block(node, f"#exercise({string(number)},[{text}],[{body}])")
        raise nodes.SkipNode

    visit_exercise_enumerable_node = visit_exercise_node

    def visit_solution_node(self, node: nodes.Element) -> None:
        """Keep an answer for later."""
        label = answer_id(node["target_label"])
        body = self.anchor(label, *node["ids"]) + self.within(node)
        title = content(node["summary"])
        self.answers.append(f"\n{self.place(node)}#answer([{title}],[{body}])\n")
        raise nodes.SkipNode

    visit_solution_enumerable_node = visit_solution_node
