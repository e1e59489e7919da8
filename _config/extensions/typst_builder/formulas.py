"""Formulas: typeset from the MathML of the web page, and spoken from it."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

from docutils import nodes
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

from mathml.convert import MathError, convert
from typst_builder.base import Translator
from typst_builder.escape import string
from typst_builder.mathematics.markup import UnknownMathError, markup
from typst_builder.mathematics.speech import speech

logger = logging.getLogger(__name__)


class FormulaVisitor(Translator):
    """Visitors of formulas."""

    def visit_math(self, node: nodes.math) -> None:
        """Write a formula within a line."""
        body, said = self._formula(node, display=False)
        self.write(f"#formula({string(said)},{body});")
        raise nodes.SkipNode

    def visit_math_block(self, node: nodes.math_block) -> None:
        """Write a display, with the number that it has on the web."""
        body, said = self._formula(node, display=True)
        number = ""
        if node.get("number"):
            number = f"({get_node_equation_number(self, node)})"  # type: ignore[arg-type]
        code = f"#display({string(number)},{string(said)},{body})"
        self.block(node, self.anchor(*node["ids"]) + code)
        raise nodes.SkipNode

    def _formula(self, node: nodes.Element, display: bool) -> tuple[str, str]:
        latex = node.astext()
        try:
            mathml = convert(latex, display, self.config.mathml_macros)
            tree = fromstring(mathml)
            body, said = markup(tree), speech(tree)
        except MathError:
            return string(latex), latex  # mathml has warned of it
        except UnknownMathError as error:
            logger.warning(
                "%s: %s", latex, error, location=node, type="typst", subtype="math"
            )
            return string(latex), latex
        return body, self.builder.formulas.alternative(said, mathml)
