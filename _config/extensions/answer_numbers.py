"""Nothing outside an answer may owe its number to one.

A figure, equation or section in an answer counts. If another follows outside, that one
has another number in the book without answers, and a student who reads "Figure 3.4"
looks for it in vain. So this is a located warning, in the edition with answers already.
What follows nothing of its kind may have a number.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata
from sphinx_exercise.nodes import solution_node

logger = logging.getLogger(__name__)


def check_numbers(app: Sphinx, document: nodes.document) -> None:
    """Report what an answer counts before something outside."""
    counted: dict[str, nodes.Element] = {}
    for node in document.findall(nodes.Element):
        if not (kind := numbered(app.env, node)):
            continue
        if in_answer(node):
            counted.setdefault(kind, node)
        elif kind in counted:
            inner = counted.pop(kind)
            logger.warning(
                "this %s in an answer changes the number of %s below it in the book "
                "without answers; take away its label or caption, or put it outside",
                kind,
                _name(node),
                location=inner,
                type="editions",
                subtype="number",
            )


def numbered(env: BuildEnvironment, node: nodes.Element) -> str:
    """As what a node is counted: ``equation``, ``figure``, …, or nothing."""
    if isinstance(node, nodes.math_block):
        return "equation" if node.get("label") else ""
    if isinstance(node, nodes.footnote_reference):
        return "footnote"
    if isinstance(node, nodes.section) and not node.next_node(nodes.title):
        return ""  # sphinx-exercise's box around an answer
    kind = env.domains.standard_domain.get_enumerable_node_type(node)
    return kind if kind and node["ids"] else ""


def in_answer(node: nodes.Node) -> bool:
    """Whether a node is part of an answer."""
    while node.parent is not None:
        node = node.parent
        if isinstance(node, solution_node):
            return True
    return False


def _name(node: nodes.Element) -> str:
    names = [node.get("label"), *node.get("names", []), *node["ids"]]
    return repr(next(filter(None, names), "another"))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Look at each page when it has been read."""
    app.connect("doctree-read", check_numbers)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
