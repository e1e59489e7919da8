"""Leave out of a built site what none of its pages uses.

The theme brings styles for every component of Bootstrap and 2000 icons: 380 kB, which a
browser must read before it draws anything. Of a style sheet only those rules are kept
that an element of some page can match::

    .card { … }             goes: no page has a class "card"
    .highlight .k { … }     stays

What a rule says is not changed. A name that occurs in a script of the site counts as
used, because a script may set it. The theme's icon fonts go too (240 kB): the signs of
our notes are letters. Then the files that nothing refers to are deleted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import tinycss2

# Where a page names classes, ids and files.
NAMED = re.compile(r'\s(?:class|id)="([^"]*)"')
LOADED = re.compile(r'\s(?:src|href)="([^"#?]*)')
IMPORT = re.compile(r"""@import\s+(?:url\()?\s*["']?([^"')?#:]+)[^;]*;""")
URL = re.compile(r"""url\(\s*["']?([^"')?#]+)""")
WORD = re.compile(r"[\w-]+")
SELECTED = re.compile(r"[.#]((?:[\w-]|\\.)+)")
FUNCTION = re.compile(r":[\w-]+\([^()]*\)")
VARIABLE = re.compile(r"var\(\s*(--[\w-]+)")
# Rules that hold rules.
NESTING = {"media", "supports", "layer", "container"}
# Loaded by a script or by a server, not by a page.
KEPT = re.compile(r"(?:stemmer\.js|licence\.txt)$")


def lighten(site: Path) -> None:
    """Cut the style sheets of a site and delete the static files nobody loads."""
    static = site / "_static"
    pages = [page.read_text(encoding="utf-8") for page in sorted(site.glob("*.html"))]
    loaded = {name for page in pages for name in LOADED.findall(page)}
    sheets = {name for name in loaded if name.endswith(".css")}
    scripts = [
        (site / name).read_text(encoding="utf-8")
        for name in sorted(loaded)
        if name.endswith(".js") and (site / name).is_file()
    ]
    names = used_names(pages, scripts)
    texts = {name: cut(with_imports(site / name), names) for name in sorted(sheets)}
    texts = without_unused_variables(texts, pages)
    for name, text in texts.items():
        (site / name).write_text(text, encoding="utf-8")
        folder = (site / name).parent
        loaded |= {
            (folder / url).resolve().relative_to(site.resolve()).as_posix()
            for url in URL.findall(text)
            if not url.startswith("data:")
        }
    for file in sorted(static.rglob("*"), reverse=True):
        name = file.relative_to(site).as_posix()
        if file.is_dir():
            if not any(file.iterdir()):
                file.rmdir()
        elif name not in loaded and not KEPT.search(name):
            file.unlink()


def with_imports(sheet: Path) -> str:
    """A style sheet with those that it imports in their place."""

    def imported(match: re.Match[str]) -> str:
        other = sheet.parent / match[1]
        return URL.sub(
            lambda url: url[0].replace(url[1], moved(other, url[1])),
            with_imports(other),
        )

    def moved(other: Path, url: str) -> str:
        if url.startswith("data:"):
            return url
        return Path(os.path.relpath(other.parent / url, sheet.parent)).as_posix()

    return IMPORT.sub(imported, sheet.read_text(encoding="utf-8"))


def used_names(pages: Iterable[str], scripts: Iterable[str]) -> set[str]:
    """Every class and id of the pages, and every word of the scripts."""
    names = {
        name
        for page in pages
        for value in NAMED.findall(page)
        for name in value.split()
    }
    return names.union(*map(WORD.findall, scripts))


def cut(sheet: str, names: set[str]) -> str:
    """The rules of a style sheet that an element with such names can match.

    >>> cut(".a .b, .c { color: red } @media print { .b { color: blue } }", {"c"})
    '.c{color: red }'
    """
    rules = tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True)
    return "".join(_cut_rules(rules, names))


def _cut_rules(rules: Iterable[Any], names: set[str]) -> Iterator[str]:
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = [
                selector
                for selector in _split(tinycss2.serialize(rule.prelude))
                if _can_match(selector, names)
            ]
            if selectors:
                body = tinycss2.serialize(rule.content).strip(" \n;")
                yield f"{','.join(selectors)}{{{body} }}"
        elif rule.type == "at-rule" and rule.at_keyword in NESTING and rule.content:
            inner = tinycss2.parse_rule_list(
                rule.content, skip_comments=True, skip_whitespace=True
            )
            if text := "".join(_cut_rules(inner, names)):
                prelude = tinycss2.serialize(rule.prelude)
                yield f"@{rule.at_keyword}{prelude}{{{text}}}"
        elif rule.type == "at-rule" and not _is_icon_font(rule):
            yield rule.serialize()


def _split(prelude: str) -> list[str]:
    """The selectors of a list; a comma within brackets does not part them."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(prelude):
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            parts.append(prelude[start:index].strip())
            start = index + 1
    return [*parts, prelude[start:].strip()]


def _can_match(selector: str, names: set[str]) -> bool:
    """Whether each class and id outside of :not() and the like is in use."""
    plain, before = selector, ""
    while plain != before:
        plain, before = FUNCTION.sub("", plain), plain
    wanted = SELECTED.findall(re.sub(r"\[[^\]]*\]", "", plain))
    return all(name.replace("\\", "") in names for name in wanted)


def _is_icon_font(rule: Any) -> bool:
    if rule.type != "at-rule" or rule.at_keyword != "font-face":
        return False
    return "Font Awesome" in tinycss2.serialize(rule.content).replace("\\", "")


def without_unused_variables(
    sheets: dict[str, str], pages: Iterable[str] = ()
) -> dict[str, str]:
    """The same without the custom properties that no value refers to."""
    while True:
        used = set(VARIABLE.findall(" ".join([*sheets.values(), *pages])))
        lighter = {name: _only(text, used) for name, text in sheets.items()}
        if lighter == sheets:
            return sheets
        sheets = lighter


def _only(sheet: str, used: set[str]) -> str:
    def keep(match: re.Match[str]) -> str:
        return match[0] if match[2] in used else match[1]

    return re.sub(r"([{;]\s*)(--[\w-]+)\s*:[^;{}]*(?:;|(?=\}))", keep, sheet)
