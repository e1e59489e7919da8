"""What pages say of themselves, and styles and sources as the policy and axe want."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from docutils.core import publish_doctree

from inline_styles import set_aside, sheet, without_inline_styles
from page_head import LENGTH, POLICY, describe, policy, shorten, tags
from published_site import from_root, sitemap
from tests.tiny_book import TinyBook


def test_the_policy_allows_files_of_the_site_and_nothing_else() -> None:
    sources = {source for value in POLICY.values() for source in value.split()}
    assert sources == {"'self'", "'none'", "data:"}
    assert policy().startswith("default-src 'none'; script-src 'self'; style-src")
    assert [name for name in POLICY if "data:" in POLICY[name]] == ["img-src"]


def test_a_description_ends_with_a_word() -> None:
    text = shorten("word, " * 60)
    assert len(text) <= LENGTH
    assert text.endswith("word…")
    assert shorten("Two\nlines.") == "Two lines."


def test_a_page_is_described_by_its_first_paragraph_of_words() -> None:
    source = """\
Title
=====
.. note:: Not this, although it is the first paragraph.

With :math:`x`.

This one, which needs no formula at all.

More
----
Nor this, because it comes after the other one.
"""
    settings = {"doctitle_xform": False}
    assert describe(publish_doctree(source, settings_overrides=settings)) == (
        "This one, which needs no formula at all."
    )


def test_a_page_of_lists_is_described_by_the_first_entry() -> None:
    source = "Title\n=====\n\nterm\n   Its meaning, in a sentence of some length.\n"
    settings = {"doctitle_xform": False}
    document = publish_doctree(source, settings_overrides=settings)
    assert describe(document) == "Its meaning, in a sentence of some length."


def test_properties_are_escaped_and_empty_ones_left_out() -> None:
    assert tags({"og:title": 'a "b" <c>', "description": ""}) == (
        '<meta property="og:title" content="a &quot;b&quot; &lt;c&gt;"/>'
    )


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ('<p style="a: b">', '<p data-style="a: b">'),
        ('<p>style="a"</p>', '<p>style="a"</p>'),
        ('<td\nclass="c" style="a">', '<td\nclass="c" data-style="a">'),
        ('<p data-style="a">', '<p data-style="a">'),
        ('<mtable displaystyle="true">', '<mtable displaystyle="true">'),
    ],
)
def test_a_style_is_set_aside(markup: str, expected: str) -> None:
    assert without_inline_styles(markup) == expected


def test_the_sheet_says_each_style_once_and_nothing_more() -> None:
    page = '<p data-style="b:2"><p data-style="a:&quot;1&quot;"><i data-style="b:2">'
    assert sheet(set_aside(page)) == (
        '[data-style="a:\\"1\\""] { a:"1" }\n[data-style="b:2"] { b:2 }\n'
    )
    assert sheet(["} p { color: red"]).count("}") == 2


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('<a href="x.html#y">', '<a href="/book/x.html#y">'),
        ('<script src="_static/a.js">', '<script src="/book/_static/a.js">'),
        ('<a href="#main">', '<a href="#main">'),
        ('<a href="https://a.org/">', '<a href="https://a.org/">'),
        ('<a href="/book/x.html">', '<a href="/book/x.html">'),
    ],
)
def test_references_of_the_404_page_begin_at_the_root(before: str, after: str) -> None:
    for base in ("https://a.org/book", "https://a.org/book/"):
        assert from_root(before, base) == after


def test_a_sitemap_escapes_addresses() -> None:
    assert "<loc>https://a.org/b/x&amp;y.html</loc>" in sitemap(
        "https://a.org/b", ["x&y.html"]
    )


def test_sources_are_items_of_a_list(
    tiny_book: TinyBook,
) -> None:
    tiny_book.write(
        "book/references.bib",
        "@book{a, title={A}, author={A, A}, year=2001, publisher={P}}\n"
        "@book{b, title={B}, author={B, B}, year=2002, publisher={P}}\n",
    )
    tiny_book.write(
        "book/chapter.md",
        "# A chapter\n\n{cite:t}`a` and {cite:t}`b`.\n\n```{bibliography}\n```\n\n"
        "```{code-cell} python\n:snippet: chapter#data\n```\n",
    )
    assert tiny_book.build() == []
    page = BeautifulSoup(tiny_book.page("chapter"), "lxml")
    [sources] = page.select('[role="list"].citation-list')
    items = sources.find_all(recursive=False)
    assert [item["role"] for item in items] == ["listitem", "listitem"]
    assert not page.select('[role="doc-biblioentry"]')
