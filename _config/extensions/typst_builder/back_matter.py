"""The chapters that the PDF adds: the answers, and the index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sphinx.environment.adapters.indexentries import IndexEntries

from book_builder.translator import inside
from typst_builder.escape import content, string

if TYPE_CHECKING:
    from typst_builder.builder import TypstBuilder


def answers_chapter(answers: list[tuple[str, str, list[str]]]) -> str:
    """The chapter of answers, with a section for each chapter that asks questions.

    Args:
        answers: number and title of each chapter, and its answers as Typst.
    """
    parts = ['#section(1,"",[Answers])\n']
    for number, title, texts in answers:
        parts.append(f'#section(2,"",[{content(f"{number} {title}".strip())}])\n')
        parts += texts
    return "\n".join(parts)


def index_chapter(builder: TypstBuilder) -> str:
    """The index: the entries of the web page, with page numbers."""
    entries = IndexEntries(builder.env).create_index(builder)
    if not entries:
        return ""
    groups = []
    for letter, names in entries:
        items = []
        for name, (links, subentries, _) in names:
            items.append(_entry(name, links, 0))
            items += [_entry(sub, sublinks, 1) for sub, sublinks in subentries]
        groups.append(f"({string(letter)},({','.join(items)},))")
    return f'#section(1,"",[Index])\n#book-index(({",".join(groups)},))\n'


def _entry(
    name: str, links: Sequence[tuple[str | None, str | bool]], depth: int
) -> str:
    targets = []
    for main, address in links:
        if place := inside(str(address)):
            target = string(":".join(place))
            targets.append(f"({target},{'true' if main else 'false'})")
    return f"({depth},[{content(name)}],({','.join([*targets, ''])}))"
