"""The doctree of one page as Typst: all visitors together."""

from __future__ import annotations

from typst_builder.blocks import BlockVisitor
from typst_builder.code import CodeVisitor
from typst_builder.exercises import ExerciseVisitor
from typst_builder.figures import FigureVisitor
from typst_builder.formulas import FormulaVisitor
from typst_builder.inline import InlineVisitor
from typst_builder.lists import ListVisitor
from typst_builder.tables import TableVisitor


class TypstTranslator(
    BlockVisitor,
    InlineVisitor,
    ListVisitor,
    TableVisitor,
    CodeVisitor,
    FormulaVisitor,
    FigureVisitor,
    ExerciseVisitor,
):
    """Writes one page; ``text()`` and ``answers`` are the result."""
