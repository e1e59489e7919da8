"""Typst itself: one source to one PDF, and messages that name the chapter's line."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from pathlib import Path

import typst

PLACE = re.compile(r"main\.typ:(\d+):\d+")
IMAGE = re.compile(r"images/([^:\s]+)")
MARK = re.compile(r"/\*@ (\S+):(\d+) \*/$")


@dataclass(frozen=True)
class Mistake:
    """What Typst says, and of which line of which page; both may be unknown."""

    message: str
    docname: str = ""
    line: int = 0


def typeset(work: Path, date: str) -> bytes | Mistake:
    """The PDF of ``main.typ`` in a folder: tagged, and valid PDF/UA-1.

    Args:
        work: the folder, with the template, ``images`` and ``fonts``.
        date: the date of the document, as ``2026-11-23``; so the same text gives the
            same bytes.
    """
    moment = datetime.datetime.fromisoformat(date or "2026-01-01")
    compiler = typst.Compiler(
        str(work / "main.typ"),
        root=str(work),
        font_paths=typst.Fonts(
            include_system_fonts=False, font_paths=[str(work / "fonts")]
        ),
    )
    try:
        pdf, warnings = compiler.compile_with_warnings(
            format="pdf",
            pdf_standards="ua-1",
            timestamp=moment.replace(tzinfo=datetime.UTC),
        )
    except typst.TypstError as error:
        return mistake(error, work)
    if warnings:
        return mistake(warnings[0], work)
    assert isinstance(pdf, bytes)
    return pdf


def mistake(error: typst.TypstError | typst.TypstWarning, work: Path) -> Mistake:
    """Typst's own words, and where the chapter's text stands that they are about."""
    remedy = "; ".join(error.hints)
    message = f"Typst cannot set this: {error.message}"
    message += f"; {remedy}" if remedy else ""
    lines = (work / "main.typ").read_text(encoding="utf-8").splitlines()
    image = IMAGE.search(error.diagnostic)
    if found := PLACE.search(error.diagnostic):
        last = int(found[1])
    elif image:
        message += f" ({image[1]})"
        last = next(n for n, line in enumerate(lines, 1) if image[0] in line)
    else:
        return Mistake(message)
    for line in reversed(lines[:last]):
        if mark := MARK.search(line):
            return Mistake(message, mark[1], int(mark[2]))
    return Mistake(message)
