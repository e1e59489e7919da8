"""Formulas: typeset from the MathML of the web page, and spoken from it."""

from __future__ import annotations

from dataclasses import dataclass
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

# So many characters fit on a line of any paper; of a longer display Typst finds out.
SHORT = 24


@dataclass(frozen=True)
class Formula:
    """A formula as Typst and as English, and how many characters it has."""

    body: str
    said: str
    length: int = 0


class FormulaVisitor(Translator):
    """Visitors of formulas."""

    def visit_math(self, node: nodes.math) -> None:
        """Write a formula within a line."""
        formula = self._formula(node, display=False)
        self.write(f"#formula({string(formula.said)},{formula.body});")
        raise nodes.SkipNode

    def visit_math_block(self, node: nodes.math_block) -> None:
        """Write a display, with the number that it has on the web."""
        number = name = ""
        if node.get("number"):
            number = str(get_node_equation_number(self, node))  # type: ignore[arg-type]
            name = f"Equation {number}: "
            number = f"({number})"
        formula = self._formula(node, display=True, name=name)
        function = "display" if formula.length <= SHORT else "wide-display"
        code = f"{string(number)},{string(formula.said)},{formula.body}"
        self.block(node, f"{self.anchor(*node['ids'])}#{function}({code})")
        raise nodes.SkipNode

    def _formula(self, node: nodes.Element, display: bool, name: str = "") -> Formula:
        latex = node.astext()
        try:
            mathml = convert(latex, display, self.config.mathml_macros)
            tree = fromstring(mathml)
            body, said = markup(tree), name + speech(tree)
        except MathError:
            return Formula(string(latex), latex)  # mathml has warned of it
        except UnknownMathError as error:
            logger.warning(
                "%s: %s", latex, error, location=node, type="typst", subtype="math"
            )
            return Formula(string(latex), latex)
        said = self.builder.formulas.alternative(said, mathml)
        return Formula(body, said, len("".join(tree.itertext())))
