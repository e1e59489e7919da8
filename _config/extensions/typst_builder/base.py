"""What the mixins of visitors rely on; ``TypstTranslator`` provides it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

if TYPE_CHECKING:
    from typst_builder.builder import TypstBuilder


class Translator:
    """The frame that a visitor writes into, see ``translator``."""

    builder: TypstBuilder
    config: Config
    env: BuildEnvironment
    docname: str
    depth: int
    answers: list[str]

    def write(self, text: str) -> None:
        """Append Typst's code."""

    def within(self, node: nodes.Element) -> str:
        """The children of a node, as markup."""
        raise NotImplementedError

    def block(self, node: nodes.Element, code: str) -> None:
        """Write a block, and where it comes from."""

    def place(self, node: nodes.Element) -> str:
        """A comment that names the line of a chapter."""
        raise NotImplementedError

    def label(self, fragment: str, docname: str = "") -> str:
        """The label of a fragment, as a string of code."""
        raise NotImplementedError

    def anchor(self, *fragments: str) -> str:
        """Markup to which links lead."""
        raise NotImplementedError

    def paged_link(self, function: str, node: nodes.Element) -> str:
        """The link of an exercise to its answer, or back, with its page."""
        raise NotImplementedError
