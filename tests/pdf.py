"""What a PDF holds, for the tests: its text, its tags, its links."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
from pypdfium2 import raw

HANGING = set(".,;:-‐–—’”“‘'\"\ufffe\x02")


def texts(path: Path) -> list[str]:
    """The text of each page, its blanks as one space each."""
    with pypdfium2.PdfDocument(path) as document:
        pages = (page.get_textpage().get_text_bounded() for page in document)
        return [" ".join(page.replace("\ufffe", "-").split()) for page in pages]


def text(path: Path) -> str:
    """The text of all pages."""
    return " ".join(texts(path))


def elements(document: pikepdf.Pdf) -> Iterator[Any]:
    """The structure elements of a tagged PDF, in the order of reading."""
    return elements_of(document.Root.StructTreeRoot.K)


def elements_of(element: Any) -> Iterator[Any]:
    """An element and all that is inside."""
    if isinstance(element, pikepdf.Array):
        for child in list(element):
            yield from elements_of(child)
    elif isinstance(element, pikepdf.Dictionary):
        if "/S" in element:
            yield element
        if "/K" in element:
            yield from elements_of(element.K)


def tags(path: Path) -> list[str]:
    """The names of the structure elements, in the order of reading."""
    with pikepdf.open(path) as document:
        return [str(element.S)[1:] for element in elements(document)]


def alternatives(path: Path, tag: str) -> list[str]:
    """The alternative texts of the elements with a tag."""
    with pikepdf.open(path) as document:
        found = [element for element in elements(document) if f"/{tag}" == element.S]
        return [str(element.get("/Alt", "")) for element in found]


def outside(path: Path, margins: tuple[float, float]) -> list[str]:
    """The characters that stick out to the left or right, with their pages.

    Args:
        path: the PDF.
        margins: the least and the greatest x of text, in points.
    """
    found = []
    left, right = margins
    with pypdfium2.PdfDocument(path) as document:
        for number, page in enumerate(document, 1):
            content = page.get_textpage()
            for index in range(content.count_chars()):
                character = chr(raw.FPDFText_GetUnicode(content, index))
                if character.isspace() or character == "\0":
                    continue  # the blank at the end of a line hangs
                box = content.get_charbox(index)
                # Marks hang a little, so that the margin looks straight.
                room = 4 if character in HANGING else 2.5
                if box[0] < left - room or box[2] > right + room:
                    found.append(f"{number}: {character} at {box[0]:.0f}")
    return found
