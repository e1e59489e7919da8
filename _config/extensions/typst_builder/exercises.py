"""Exercises where they are asked; answers gathered for a chapter of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

from docutils import nodes
from sphinx_exercise.nodes import is_exercise_node, solution_node

from answers import answer_id
from book_builder.translator import take_title
from typst_builder.base import Translator
from typst_builder.escape import content, string

UNSEEN = (nodes.Invisible, nodes.target, solution_node)


class ExerciseVisitor(Translator):
    """Visitors of sphinx-exercise's nodes."""

    def visit_exercise_node(self, node: nodes.Element) -> None:
        """Write an exercise with the number that it has on the web."""
        siblings = node.parent.children
        place = siblings.index(node)
        after = _begins_with_exercise(siblings[:place][::-1])
        before = _begins_with_exercise(siblings[place + 1 :])
        number = self.builder.float_number(self.docname, node, "exercise")
        title = take_title(node)
        text = self.within(title).strip() if title is not None else ""
        body = self.anchor(*node["ids"], node["label"]) + self.within(node)
        options = f"after:{_boolean(after)},before:{_boolean(before)}"
        self.block(node, f"#exercise({string(number)},[{text}],[{body}],{options})")
        raise nodes.SkipNode

    visit_exercise_enumerable_node = visit_exercise_node

    def visit_solution_node(self, node: nodes.Element) -> None:
        """Keep an answer for later; the link back goes to the line of its title."""
        back = ""
        for child in list(node.children):
            if not is_answer_link(child):
                continue
            node.remove(child)
            back += self.paged_link("paged-link", child)
        label = answer_id(node["target_label"])
        body = self.anchor(label, *node["ids"]) + self.within(node)
        title = content(node["summary"])
        code = f"#answer([{title}],[{back}],[{body}])"
        self.answers.append(f"\n{self.place(node)}{code}\n")
        raise nodes.SkipNode

    visit_solution_enumerable_node = visit_solution_node


def is_answer_link(node: nodes.Node | None) -> TypeGuard[nodes.paragraph]:
    """Whether a paragraph leads from an exercise to its answer, or back."""
    return isinstance(node, nodes.paragraph) and "answer-link" in node["classes"]


def _begins_with_exercise(siblings: Sequence[nodes.Node]) -> bool:
    seen = (node for node in siblings if not isinstance(node, UNSEEN))
    return bool(is_exercise_node(next(seen, None)))


def _boolean(value: bool) -> str:
    return "true" if value else "false"
