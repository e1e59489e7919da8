"""Styles of single elements, as a file of the site.

A page may hold no style of its own, or its policy (``page_head``) would have to allow
what an attacker might put there. But Temml sets the space between the columns of a
matrix in ``style`` attributes, and so do tables that a cell shows. On a page ::

    <mtd style="padding-left:0em;">     becomes     <mtd data-style="padding-left:0em;">

and ``_static/inline-styles.css`` says what each means::

    [data-style="padding-left:0em;"] { padding-left:0em; }

It is made from the finished pages, so it does not matter which build wrote a page.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from finished_pages import gathered

SHEET = "inline-styles.css"
# A tag up to its style; a text holds no bare "<".
STYLED = re.compile(r'(<[a-zA-Z][^<>]*?\s)style="')
KEPT = re.compile(r'<[a-zA-Z][^<>]*?\sdata-style="([^"]*)"')


def without_inline_styles(markup: str) -> str:
    """The same elements with their style set aside.

    >>> without_inline_styles('<p class="a" style="color: red">style="b"</p>')
    '<p class="a" data-style="color: red">style="b"</p>'
    """
    return STYLED.sub(r'\1data-style="', markup)


def set_aside(page: str) -> list[str]:
    """The styles that were set aside on a page, as they stand there."""
    return KEPT.findall(page)


def sheet(styles: Iterable[str]) -> str:
    """The rules for styles that were set aside, in order."""
    return "".join(
        f'[data-style="{_quoted(style)}"] {{ {_declarations(style)} }}\n'
        for style in sorted(set(map(html.unescape, styles)))
    )


def _quoted(style: str) -> str:
    return style.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\a ")


def _declarations(style: str) -> str:
    # A brace would end the rule and begin another.
    return re.sub(r"[{}<>]", "", style)


def _set_aside(
    app: Sphinx, page: str, template: str, context: dict[str, Any], document: object
) -> None:
    if "body" in context:
        context["body"] = without_inline_styles(context["body"])


def _write_sheet(app: Sphinx, exception: Exception | None) -> None:
    if app.builder.format != "html" or exception is not None:
        return
    site = Path(app.outdir)
    styles = gathered(site, set_aside)
    (site / "_static" / SHEET).write_text(sheet(styles), encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Set styles aside as pages are written, and write their sheet at the end."""
    app.connect("html-page-context", _set_aside)
    app.connect("build-finished", _write_sheet)
    app.add_css_file(SHEET)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
