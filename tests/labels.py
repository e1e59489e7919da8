"""The labels of the book, and whether something needs each.

A label is an address. It is needed by a link or reference, by an answer, by a check, or
by a setting that gives the formulas of its place a meaning. The label of a figure is
made from the name of its drawing instead, so that links from elsewhere stay true.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from equations.checking import load

LABEL = re.compile(
    r"^\((?P<heading>[\w-]+)\)=$|^\s*:(?:label|name): (?P<option>[\w-]+)$", re.M
)
USES = re.compile(
    r"\]\(#(?P<link>[\w-]+)\)|\{(?:eq|numref|ref)\}`(?:[^`<]*<)?(?P<role>[\w-]+)>?`"
    r"|\{solution-start\} (?P<answer>[\w-]+)"
)
FIGURE = re.compile(
    r"^:::\{figure\} (?P<module>\w+)#figure-(?P<cell>[\w-]+)\n:name: (?P<name>\S+)$",
    re.M,
)


def labels(text: str) -> dict[str, int]:
    """The labels of a page with their lines.

    >>> labels("(a)=\\n# A\\n\\n:label: b")
    {'a': 1, 'b': 4}
    """
    return {
        match["heading"] or match["option"]: text.count("\n", 0, match.start()) + 1
        for match in LABEL.finditer(text)
    }


def places_of(slug: str) -> set[str]:
    """The labels that the settings and checks of a page name."""
    chapter = load(slug)
    return {*chapter.checks, *(p for s in chapter.settings for p in s.places)}


def idle_labels(
    pages: Mapping[str, str], places: Mapping[str, Collection[str]]
) -> Iterator[str]:
    """What is wrong with the labels of the pages, by slug; a line for each.

    ``places`` are the labels that the settings and checks of each page name.
    """
    used = {
        match[match.lastgroup or 0]
        for text in pages.values()
        for match in USES.finditer(text)
    }
    for slug, text in pages.items():
        here = labels(text)
        named = {match["name"] for match in FIGURE.finditer(text)}
        for label, line in here.items():
            if label not in used | named | {slug, *places[slug]}:
                yield (
                    f"book/{slug}.md:{line}: nothing refers to {label!r}; link to it, "
                    "or remove it"
                )
        for match in FIGURE.finditer(text):
            wanted = f"fig-{match['module'].replace('_', '-')}-{match['cell']}"
            if match["name"] != wanted:
                line = text.count("\n", 0, match.start("name")) + 1
                yield f"book/{slug}.md:{line}: {match['name']} should be {wanted!r}"
        for place in places[slug]:
            if place != slug and place not in here:
                module = slug.replace("-", "_")
                yield (
                    f"snippets/checks/{module}.py: something is said of {place!r}, but "
                    f"book/{slug}.md has no such label"
                )
