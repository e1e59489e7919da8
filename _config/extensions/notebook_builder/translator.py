"""The doctree of one page as the cells of a notebook: all visitors together."""

from __future__ import annotations

from notebook_builder.blocks import BlockVisitor
from notebook_builder.cells import CellVisitor
from notebook_builder.inline import InlineVisitor
from notebook_builder.lists import ListVisitor


class NotebookTranslator(CellVisitor, BlockVisitor, InlineVisitor, ListVisitor):
    """Writes one page; ``cells`` is the result."""
