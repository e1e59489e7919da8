"""A site that knows its address: links in cards, a sitemap, a 404 page at any depth."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, expect

from check_links import broken_links
from tests.browser.conftest import Visit
from tests.browser.pages import ROOT
from tests.browser.server import Server, served

ADDRESS = "https://books.example/gradient/"
COLAB = "https://colab.example/book/{page}.ipynb?a=1&b=2"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    target = tmp_path_factory.mktemp("published") / "html"
    build = [sys.executable, str(ROOT / "_config" / "build_book.py")]
    subprocess.run(
        [*build, "--target", str(target)],
        env=os.environ | {"BOOK_URL": ADDRESS, "BOOK_COLAB_URL": COLAB},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    with served(target, "/gradient") as server:
        yield server


@pytest.mark.parametrize("path", ["nothing", "a/b/c.html", "tensors.html/d/"])
def test_a_missing_page_looks_as_it_should_at_any_depth(
    browser: Browser, published: Server, path: str
) -> None:
    visit = Visit(browser, published.root, published)
    page = visit("index")
    answer = page.goto(published.address + path)
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("Page not found")
    assert page.locator(".frame").evaluate("f => getComputedStyle(f).display") == "grid"
    page.locator("#main-content").get_by_role("link", name="the index").click()
    expect(page).to_have_url(f"{published.address}genindex.html")
    visit.close()
    # The browser itself reports the status of the page, and nothing else is missing.
    assert len(visit.faults) == 1, visit.faults
    assert "404" in visit.faults[0]


def test_a_search_from_a_missing_page_arrives(
    browser: Browser, published: Server
) -> None:
    visit = Visit(browser, published.root, published)
    page = visit("index")
    page.goto(f"{published.address}a/b")
    page.locator("#search-here").fill("softmax")
    page.keyboard.press("Enter")
    expect(page.locator("#search-results li").first).to_be_visible()
    visit.close()


def test_pages_say_their_address(published: Server) -> None:
    text = (published.root / "tensors.html").read_text(encoding="utf-8")
    assert f'<link rel="canonical" href="{ADDRESS}tensors.html" />' in text
    assert f'<meta property="og:url" content="{ADDRESS}tensors.html"/>' in text


def test_each_page_of_the_book_links_to_its_notebook(published: Server) -> None:
    written = {page.stem for page in (ROOT / "book").glob("*.md")}
    for page in published.root.glob("*.html"):
        footer = BeautifulSoup(page.read_text(), "lxml").select_one("footer.about")
        found = {link.get_text(): link["href"] for link in footer.select("a")}
        if page.stem not in written:
            assert "This page as a notebook" not in found
            continue
        notebook = f"{ADDRESS}notebooks/{page.stem}.ipynb"
        assert found["This page as a notebook"] == notebook
        assert found["Open in Colab"] == COLAB.replace("{page}", page.stem)
        assert "Open in Binder" not in found


def test_the_sitemap_holds_every_page_that_a_search_engine_may_show(
    published: Server,
) -> None:
    root = ElementTree.parse(published.root / "sitemap.xml").getroot()
    found = {place.text for place in root.iter() if place.tag.endswith("}loc")}
    pages = {page.name for page in published.root.glob("*.html")}
    assert found == {ADDRESS + page for page in pages - {"404.html", "search.html"}}


def test_every_link_leads_somewhere(published: Server) -> None:
    assert list(broken_links(published.root)) == []


def test_without_an_address_none_is_invented(site: Path) -> None:
    assert not (site / "sitemap.xml").exists()
    for page in site.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "canonical" not in text
        assert ".ipynb" not in text
        assert "og:url" not in text
