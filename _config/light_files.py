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

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import tinycss2

# Where a page names classes, ids and files.
NAMED = re.compile(r'\s(?:class|id)="([^"]*)"')
SCRIPT = re.compile(r'<script\b[^>]*\ssrc="([^"#?]*)')
ICON = re.compile(r'<link\b[^>]*\srel="icon"[^>]*\shref="([^"#?]*)')
LINK = re.compile(r'<link\b(?=[^>]*\srel="stylesheet")[^>]*>')
STYLESHEET = re.compile(r'<link\b(?=[^>]*\srel="stylesheet")[^>]*\shref="([^"#?]*)')
IMPORT = re.compile(r"""@import\s+(?:url\()?\s*["']?([^"')?#:]+)[^;]*;""")
URL = re.compile(r"""url\(\s*["']?([^"')?#]+)""")
WORD = re.compile(r"[\w-]+")
SELECTED = re.compile(r"[.#]((?:[\w-]|\\.)+)")
FUNCTION = re.compile(r":[\w-]+\([^()]*\)")
DEFINED = re.compile(r"(?<=[{;])\s*(--[\w-]+)\s*:[^;{}]*(?:;|(?=\}))")
VARIABLE = re.compile(r"var\(\s*(--[\w-]+)")
# Rules that hold rules.
NESTING = {"media", "supports", "layer", "container"}
# Loaded by a script or by a server, not by a page.
TARGET = "_static/styles.css"
KEPT = re.compile(r"(?:stemmer\.js|licence\.txt)$")


def lighten(site: Path) -> None:
    """Make one light style sheet of all; delete the static files that nobody loads.

    ``404.html`` loads what the others load, from wherever it is shown.
    """
    pages = {
        file: file.read_text(encoding="utf-8") for file in sorted(site.glob("*.html"))
    }
    # In the order of the pages that load them; each says the same order.
    sheets = list(
        dict.fromkeys(
            name for page in pages.values() for name in STYLESHEET.findall(page)
        )
    )
    scripts = {name for page in pages.values() for name in SCRIPT.findall(page)}
    names = used_names(
        pages.values(),
        [(site / name).read_text(encoding="utf-8") for name in sorted(scripts)],
    )
    target = site / TARGET
    text = cut("".join(with_imports(site / name, target) for name in sheets), names)
    text = without_unused_variables(text)
    target.write_text(text, encoding="utf-8")
    version = hashlib.sha256(text.encode()).hexdigest()[:8]
    for file, page in pages.items():
        file.write_text(with_one_sheet(page, f"{TARGET}?v={version}"), encoding="utf-8")
    loaded = scripts | {TARGET, *ICON.findall("".join(pages.values()))}
    loaded |= {
        f"_static/{url}" for url in URL.findall(text) if not url.startswith("data:")
    }
    for path in sorted((site / "_static").rglob("*"), reverse=True):
        name = path.relative_to(site).as_posix()
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif name not in loaded and not KEPT.search(name):
            path.unlink()


def with_one_sheet(page: str, sheet: str) -> str:
    """A page with one style sheet, where its first was.

    >>> with_one_sheet('<link href="a.css" rel="stylesheet"/><link rel="icon"/>', "b")
    '<link rel="stylesheet" href="b"/><link rel="icon"/>'
    """
    link = f'<link rel="stylesheet" href="{sheet}"/>'
    links = iter([link])
    return LINK.sub(lambda found: next(links, ""), page)


def with_imports(sheet: Path, target: Path) -> str:
    """What a style sheet and those that it imports say, as part of ``target``."""

    def moved(url: re.Match[str]) -> str:
        if url[1].startswith("data:"):
            return url[0]
        path = os.path.relpath(sheet.parent / url[1], target.parent)
        return url[0].replace(url[1], Path(path).as_posix())

    text = sheet.read_text(encoding="utf-8")
    before = "".join(
        with_imports(sheet.parent / other, target) for other in IMPORT.findall(text)
    )
    return f"{before}{URL.sub(moved, IMPORT.sub('', text))}\n"


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


def without_unused_variables(sheet: str) -> str:
    """The same without the custom properties that no value refers to.

    >>> without_unused_variables(":root{--a:1;--b:var(--c);--c:2 }p{order:var(--a) }")
    ':root{--a:1;}p{order:var(--a) }'
    """
    while (lighter := _without_unused(sheet)) != sheet:
        sheet = lighter
    return sheet


def _without_unused(sheet: str) -> str:
    used = set(VARIABLE.findall(sheet))
    return DEFINED.sub(lambda found: found[0] if found[1] in used else "", sheet)
