"""What the mixins of visitors rely on; ``NotebookTranslator`` provides it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from nbformat import NotebookNode
from sphinx.config import Config

if TYPE_CHECKING:
    from notebook_builder.builder import NotebookBuilder


class Translator:
    """The frame that a visitor writes into, see ``translator``."""

    builder: NotebookBuilder
    config: Config
    docname: str
    depth: int
    cells: list[NotebookNode]
    source: NotebookNode

    def write(self, text: str) -> None:
        """Append to the line that is open."""

    def block(self, text: str) -> None:
        """Append a block of Markdown."""

    def within(self, node: nodes.Element) -> str:
        """The children of a node, as text within a line."""
        raise NotImplementedError

    def blocks_within(self, node: nodes.Element) -> str:
        """The children of a node, as blocks."""
        raise NotImplementedError

    def new_cell(self) -> None:
        """End the cell of Markdown that is open."""

    @property
    def at_top(self) -> bool:
        """Whether a cell may begin here: not within a quotation, list or answer."""
        raise NotImplementedError
