"""Typst itself: sources to one PDF, and messages that name the chapter's line.

Typst remembers, within a process, what it has set before, and sets only what is new;
that the result is the same is its promise, and a test's. So the sources of the last PDF
are kept, and are set once more while Sphinx reads the chapters. After that, a change of
a sentence costs Typst a fifth of its time. What is kept has no other use.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import re
import shutil
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import typst

PLACE = re.compile(r"(pages/\S+\.typ):(\d+):\d+")
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
        work: the folder, with the template, ``pages``, ``images`` and ``fonts``.
        date: the date of the document, as ``2026-11-23``; so the same text gives the
            same bytes.
    """
    try:
        pdf, warnings = _compiled(work, date)
    except typst.TypstError as error:
        return mistake(error, work)
    if warnings:
        return mistake(warnings[0], work)
    assert isinstance(pdf, bytes)
    return pdf


Result = tuple[bytes | list[bytes] | None, list[typst.TypstWarning]]


def _compiled(work: Path, date: str) -> Result:
    moment = datetime.datetime.fromisoformat(date or "2026-01-01")
    compiler = typst.Compiler(
        str(work / "main.typ"),
        root=str(work),
        font_paths=typst.Fonts(
            include_system_fonts=False, font_paths=[str(work / "fonts")]
        ),
    )

    def compiled(floating: str) -> Result:
        return compiler.compile_with_warnings(
            format="pdf",
            pdf_standards="ua-1",
            timestamp=moment.replace(tzinfo=datetime.UTC),
            sys_inputs={"floating": floating},
        )

    try:
        return compiled("yes")
    except typst.TypstError as error:
        # Typst cannot tag a list that goes on below a figure which floats into it. Then
        # all figures stand where they are written.
        if "structure" not in error.message:
            raise
        return compiled("no")


def head_start(kept: Path, date: str) -> threading.Thread | None:
    """Have Typst set what was kept, beside whatever else is done.

    Returns:
        what to wait for before ``typeset``; nothing if there is nothing to set, or no
        second processor to do it.
    """
    if not (kept / "main.typ").is_file() or (os.cpu_count() or 1) < 2:
        return None

    def run() -> None:
        with contextlib.suppress(typst.TypstError):  # a copy cut short is no mistake
            _compiled(kept, date)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def keep(work: Path, kept: Path) -> None:
    """Keep the sources of a PDF for the next head start."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".") as aside:
        new = shutil.copytree(work, Path(aside, "new"))
        # Where another build does the same at this moment, its copy is as good.
        with contextlib.suppress(OSError):
            if kept.exists():
                kept.rename(Path(aside, "old"))
            new.rename(kept)


def mistake(error: typst.TypstError | typst.TypstWarning, work: Path) -> Mistake:
    """Typst's own words, and where the chapter's text stands that they are about."""
    remedy = "; ".join(error.hints)
    message = f"Typst cannot set this: {error.message}"
    message += f"; {remedy}" if remedy else ""
    pages = {
        f"pages/{path.relative_to(work / 'pages')}": path.read_text(
            "utf-8"
        ).splitlines()
        for path in sorted((work / "pages").rglob("*.typ"))
    }
    if found := PLACE.search(error.diagnostic):
        return _located(message, pages[found[1]][: int(found[2])])
    if image := IMAGE.search(error.diagnostic):
        message += f" ({image[1]})"
        for lines in pages.values():
            for number, line in enumerate(lines, 1):
                if image[0] in line:
                    return _located(message, lines[:number])
    return Mistake(message)


def _located(message: str, lines: list[str]) -> Mistake:
    """A message about the last of some lines, with the place that they tell last."""
    for line in reversed(lines):
        if mark := MARK.search(line):
            return Mistake(message, mark[1], int(mark[2]))
    return Mistake(message)
