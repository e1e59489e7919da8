"""What a PDF holds, for the tests: its text, its tags, its links."""

from __future__ import annotations

import ctypes
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
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


def running_heads(path: Path, margin: float) -> list[str]:
    """What stands above the text of each page, whose upper margin is in points."""
    heads = []
    with pypdfium2.PdfDocument(path) as document:
        for page in document:
            width, height = page.get_size()
            found = page.get_textpage().get_text_bounded(0, height - margin, width)
            heads.append(" ".join(found.split()))
    return heads


def expected_heads(path: Path, margin: float) -> list[str]:
    """For each page the chapter and the section in which it begins, by the bookmarks.

    Nothing for a page on which a chapter begins, and for those before the first.
    """
    heads = []
    with pypdfium2.PdfDocument(path) as document:
        places: list[tuple[float, int, str]] = []
        for mark in document.get_toc():
            if mark.level > 1:
                continue
            target = mark.get_dest()
            _, (_, y, *_) = target.get_view()
            down = document[target.get_index()].get_height() - y
            # One at the head of its page begins with it; a chapter begins its page.
            at_head = mark.level == 0 or down < margin + 30
            place = target.get_index() + (0 if at_head else 0.5)
            places.append((place, mark.level, mark.get_title()))
        for number in range(len(document)):
            names = ["", ""]
            for place, level, title in places:
                if place <= number:
                    names[level:] = [title, ""][: 2 - level]
            opens = any(place == number and level == 0 for place, level, _ in places)
            heads.append("" if opens else " ".join(" ".join(names).split()))
    return heads


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


@dataclass(frozen=True)
class Piece:
    """Some text of a page in one font: where it stands, in points from the foot."""

    text: str
    font: str
    bottom: float
    right: float


BLOCKS = re.compile(r"/(H\d|P|Lbl|LBody|TH|TD|Caption|Code|Formula|Figure|Title)")
EMPHATIC = re.compile(r"Bold|Italic", re.IGNORECASE)


class Tagged:
    """A tagged PDF: the text of its structure elements, as a reader finds it.

    Args:
        path: the PDF.
    """

    def __init__(self, path: Path) -> None:
        self.document = pikepdf.open(path)
        self.numbers = {
            page.obj.objgen: number for number, page in enumerate(self.document.pages)
        }
        # The text of each piece of marked content, by page and number.
        self.pieces: dict[tuple[int, int], list[Piece]] = defaultdict(list)
        with pypdfium2.PdfDocument(path) as reader:
            for number, page in enumerate(reader):
                self._read(number, page)

    def _read(self, number: int, page: pypdfium2.PdfPage) -> None:
        content = page.get_textpage()
        for found in page.get_objects([raw.FPDF_PAGEOBJ_TEXT]):
            mark = raw.FPDFPageObj_GetMarkedContentID(found.raw)
            if mark < 0:
                continue  # a running head, a folio
            buffer = ctypes.create_string_buffer(4096)
            pointer = ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort))
            size = raw.FPDFTextObj_GetText(found.raw, content.raw, pointer, 2048)
            text = buffer.raw[: 2 * size].decode("utf-16-le").rstrip("\0")
            font = raw.FPDFTextObj_GetFont(found.raw)
            name = ctypes.create_string_buffer(256)
            raw.FPDFFont_GetBaseFontName(font, name, 256)
            _, bottom, right, _ = found.get_bounds()
            piece = Piece(text, name.value.decode(), bottom, right)
            self.pieces[number, mark].append(piece)

    def elements(self, tag: str) -> list[Any]:
        """The structure elements with a tag, in the order of reading."""
        return [e for e in elements(self.document) if f"/{tag}" == e.S]

    def text(self, element: Any, *, formula: str | None = None) -> str:
        """The text of an element without blanks and hyphens, with plain letters.

        Args:
            element: a structure element.
            formula: what to write for each formula, instead of its characters.
        """
        parts: list[str] = []
        for part in self._parts(element):
            if isinstance(part, tuple):
                parts += [piece.text for piece in self.pieces[part]]
            elif formula is not None and part.S == "/Formula":
                parts.append(formula)
            else:
                parts.append(self.text(part, formula=formula))
        return plain("".join(parts))

    def _parts(self, element: Any) -> Iterator[Any]:
        """The elements in an element, and the keys of its own pieces."""
        inside = element.get("/K", [])
        for part in list(inside) if isinstance(inside, pikepdf.Array) else [inside]:
            if isinstance(part, int):
                yield self.numbers[element.Pg.objgen], int(part)
            elif part.get("/Type") == "/MCR":
                page = part.get("/Pg", element.get("/Pg"))
                yield self.numbers[page.objgen], int(part.MCID)
            elif "/S" in part:
                yield part

    def stranded(self) -> list[str]:
        """The headings, labels and terms that stand last on a page, with its number."""
        owners: dict[tuple[int, int], Any] = {}
        whole: dict[Any, list[tuple[int, int]]] = defaultdict(list)

        def own(element: Any, block: Any) -> None:
            tag = str(element.get("/S", ""))
            if tag == "/TOC":
                return  # the contents may end with any entry
            if tag and (block is None or BLOCKS.fullmatch(tag)):
                block = element
            for part in self._parts(element):
                if isinstance(part, tuple):
                    owners[part] = block
                    whole[block.objgen].append(part)
                else:
                    own(part, block)

        own(self.document.Root.StructTreeRoot, None)
        lines: dict[int, list[tuple[int, int]]] = defaultdict(list)
        lowest: dict[int, float] = {}
        for (page, _), pieces in self.pieces.items():
            feet = [piece.bottom for piece in pieces if piece.text.strip()]
            lowest[page] = min([lowest.get(page, 1e9), *feet])
        for key, pieces in self.pieces.items():
            if any(piece.bottom < lowest[key[0]] + 9 for piece in pieces):
                lines[key[0]].append(key)
        found = []
        for page, keys in sorted(lines.items()):
            blocks = {owners[k].objgen: owners[k] for k in keys if k in owners}
            for block in blocks.values():
                parts = whole[block.objgen]
                fonts = [piece.font for part in parts for piece in self.pieces[part]]
                label = str(block.S) in {"/P", "/Lbl"} and all(
                    EMPHATIC.search(font) for font in fonts
                )
                if str(block.S).startswith("/H") or (label and set(parts) <= set(keys)):
                    found.append(f"{page + 1}: {self.text(block)}")
        return found


def plain(text: str) -> str:
    """A text without blanks and hyphens, its letters of mathematics as plain ones."""
    return re.sub(
        r"[\s\u2060\u00ad\ufffe\x02‐-]+", "", unicodedata.normalize("NFKC", text)
    )
