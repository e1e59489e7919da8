"""The builder that writes all pages in one go, with the numbers that the web shows.

Every page is resolved by itself, as for the web, so numbers and references are those of
the web. A link to another page becomes ``%page#fragment``, until the translator turns
it into whatever leads there in the result.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Set
from pathlib import Path
from typing import TypeVar

from docutils import nodes
from sphinx.builders import Builder

from book_builder.translator import BookTranslator

PageTranslator = TypeVar("PageTranslator", bound=BookTranslator)
IMAGES = ["image/svg+xml", "image/png", "image/jpeg", "image/gif"]


class BookBuilder(Builder):
    """Writes one result for the whole book, in ``write_documents``."""

    format = ""
    epilog = ""
    supported_image_types = IMAGES
    # What an author calls the result, and the package that has its visitors.
    medium = ""
    package = ""

    def init(self) -> None:
        """Begin without a page."""
        self.fignumbers: dict[str, dict[str, tuple[int, ...]]] = {}

    def get_outdated_docs(self) -> str:
        """The book is written as a whole."""
        return "all pages"

    def get_target_uri(self, docname: str, typ: str | None = None) -> str:
        """What stands in the doctree for a page, until the translator sees it."""
        return f"%{docname}"

    def get_relative_uri(self, from_: str, to: str, typ: str | None = None) -> str:
        """The same from everywhere."""
        return self.get_target_uri(to, typ)

    def prepare_writing(self, docnames: Set[str]) -> None:
        """Nothing: all is done in ``write_documents``."""

    def finish(self) -> None:
        """Nothing is left to do."""

    def resolved(self, docname: str) -> nodes.document:
        """A page with all its references; its images join ``images``."""
        document = self.env.get_and_resolve_doctree(docname, self)
        self.post_process_images(document)
        return document

    def translate(self, visitor: PageTranslator) -> PageTranslator:
        """Have a page written; the visitor then holds the result."""
        # Sphinx looks here for the number of an equation.
        self.fignumbers = self.env.toc_fignumbers.get(visitor.docname, {})
        visitor.document.walkabout(visitor)
        return visitor

    def copy_images(self, sources: Iterable[str], folder: Path) -> None:
        """Put images of the pages into a folder, under the names in ``images``."""
        for source in sources:
            folder.mkdir(exist_ok=True)
            shutil.copyfile(Path(self.srcdir, source), folder / self.images[source])

    def section_number(self, docname: str, section: nodes.section) -> str:
        """The number of a section as on the web, or nothing."""
        numbers = self.env.toc_secnumbers.get(docname, {})
        whole = not isinstance(section.parent, nodes.section)
        keys = [""] if whole else [f"#{fragment}" for fragment in section["ids"]]
        return next((dotted(numbers[key]) for key in keys if key in numbers), "")

    def float_number(self, docname: str, node: nodes.Element, kind: str) -> str:
        """What the web calls a figure, a table or an exercise, such as Exercise 4.2."""
        numbers = self.env.toc_fignumbers.get(docname, {}).get(kind, {})
        for fragment in node["ids"]:
            if fragment in numbers:
                return str(self.config.numfig_format[kind] % dotted(numbers[fragment]))
        return ""


def dotted(numbers: Iterable[int]) -> str:
    """A number of several parts.

    >>> dotted((4, 2))
    '4.2'
    """
    return ".".join(map(str, numbers))
