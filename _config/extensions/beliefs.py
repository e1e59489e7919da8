"""Misconceptions that pages treat, the lists of them, and what lacks its counterpart.

A belief has a probe of its name, a probe has a place in a chapter, and a chapter with
beliefs has one list in the appendix; whatever does not is a mistake of the author.

Nothing here knows of Sphinx.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from docutils import nodes

from probes import Mistake, ProbeSource, Result
from snippet_cells import did_you_mean

PREFIX = "misconception-"
TITLE = "Misconception: "

# Page and line.
Place = tuple[str, int]


@dataclass(frozen=True)
class Belief:
    """A wrong belief: where it is treated, and its title without the prefix."""

    name: str
    docname: str
    line: int
    title: list[nodes.Node]


class Beliefs:
    """What the pages hold, by page: beliefs, lists (chapter and line), and results."""

    def __init__(self) -> None:
        self.beliefs: dict[str, list[Belief]] = {}
        self.lists: dict[str, list[tuple[str, int]]] = {}
        self.probes: dict[str, ProbeSource] = {}
        self.results: dict[str, Result] = {}


def without_place(book: Beliefs) -> Iterator[Mistake]:
    """A probe whose belief no chapter treats."""
    places = {belief.name for page in book.beliefs.values() for belief in page}
    for name, probe in book.probes.items():
        if name not in places:
            message = (
                f"no chapter treats the misconception of the probe {name!r}"
                f"{did_you_mean(name, places)}; write an admonition with "
                f"':name: {PREFIX}{name}', or remove the probe"
            )
            yield Mistake(probe.path, probe.line, message)


def without_probe(book: Beliefs, slugs: Sequence[str]) -> Iterator[tuple[Place, str]]:
    """A belief without a probe; ``slugs`` are those of the modules of probes."""
    for belief in (belief for page in book.beliefs.values() for belief in page):
        if belief.name in book.probes:
            continue
        # The module is that of the chapter, unless another one fits.
        slug = next(
            (slug for slug in slugs if belief.name.startswith(f"{slug}-")),
            belief.docname,
        )
        module = slug.replace("-", "_")
        function = re.sub(r"\W", "_", belief.name.removeprefix(f"{slug}-"))
        message = (
            f"the misconception {belief.name!r} has no probe; write "
            f"'@misconception def {function}() -> Probe' in "
            f"snippets/misconceptions/{module}.py"
        )
        yield (belief.docname, belief.line), message


def wrong_lists(book: Beliefs, withheld: set[str]) -> Iterator[tuple[Place, str]]:
    """A list of no chapter, a second one, and a chapter without a list.

    Chapters in ``withheld`` may have their misconceptions in hidden answers.
    """
    chapters = [page for page, beliefs in book.beliefs.items() if beliefs]
    listed: dict[str, str] = {}
    for page, lists in book.lists.items():
        for chapter, line in lists:
            if chapter not in chapters and chapter not in withheld:
                message = (
                    f"no chapter {chapter!r} with misconceptions"
                    f"{did_you_mean(chapter, chapters)} "
                    f"(chapters: {', '.join(sorted(chapters))})"
                )
                yield (page, line), message
            elif chapter in listed:
                message = f"second list of {chapter!r}; keep one"
                yield (page, line), message
            listed[chapter] = page
    for page in sorted(set(chapters) - listed.keys()):
        place = (page, book.beliefs[page][0].line)
        appendix = next(name for name, lists in book.lists.items() if lists)
        message = (
            f"no list of misconceptions names this chapter; write '{{misconceptions}} "
            f"{page}' under a heading in {appendix}.md"
        )
        yield place, message
