"""What must hold of the built pages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from check_links import broken_links
from check_outputs import Executed
from equations.pages import formulas
from prose import MARKS
from tests.book.test_structure import BOOK
from tests.cells import ROOT


def build(target: Path, cache: Path) -> None:
    """Build the book in a process of its own."""
    command = [sys.executable, str(ROOT / "_config" / "build_book.py")]
    done = subprocess.run(
        [*command, "--target", str(target), "--cache", str(cache)],
        env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def site(
    tmp_path_factory: pytest.TempPathFactory, executed: dict[str, Executed]
) -> Path:
    """The built book; its cells come from the cache, which `executed` has filled."""
    target = tmp_path_factory.mktemp("book") / "html"
    build(target, ROOT / "build" / "cells")
    return target


def files(site: Path) -> dict[str, bytes]:
    return {
        path.relative_to(site).as_posix(): path.read_bytes()
        for path in sorted(site.rglob("*"))
        if path.is_file()
    }


def test_every_link_and_fragment_leads_somewhere(site: Path) -> None:
    assert list(broken_links(site)) == []


def test_two_builds_give_the_same_bytes(site: Path, tmp_path: Path) -> None:
    """The second one runs every cell again, in another folder."""
    again = tmp_path / "elsewhere" / "html"
    build(again, tmp_path / "cells")
    first, second = files(site), files(again)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_no_page_names_this_machine(site: Path) -> None:
    for name, content in files(site).items():
        for place in (str(ROOT), str(Path.home()) + "/", sys.prefix, "site-packages"):
            assert place.encode() not in content, (name, place)


def test_nothing_is_loaded_from_another_host(site: Path) -> None:
    """A page can be read from a folder, without the network."""
    loading = re.compile(
        r"<(?:script|link|img|iframe|source|object)\b[^>]*"
        r"""(?:src|href|data)=["'](?:https?:)?//[^"']*["'][^>]*>"""
    )
    for page in site.glob("*.html"):
        found = loading.findall(page.read_text(encoding="utf-8"))
        assert [tag for tag in found if 'rel="canonical"' not in tag] == [], page.name
    for style in site.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert not re.search(r"""(?:url\(|@import\s+)["']?(?:https?:)?//""", text), (
            style
        )


def test_no_value_is_left_unfilled(site: Path) -> None:
    for page in site.glob("*.html"):
        assert "{eval}" not in page.read_text(encoding="utf-8"), page.name


def test_no_mark_of_the_source_is_on_a_page(site: Path) -> None:
    """`% test: …` and its like speak to authors."""
    mark = re.compile(rf"%\s*({'|'.join(MARKS)})\b")
    assert any(mark.search(page.read_text()) for page in BOOK.glob("*.md"))
    for page in [*site.glob("*.html"), *site.glob("*.js")]:
        assert not mark.search(page.read_text(encoding="utf-8")), page.name


def test_every_output_on_a_page_is_text_a_page_can_show(site: Path) -> None:
    for page in site.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "\x1b[" not in text
        assert not re.search(r"class=\"[^\"]*\bproblematic\b", text), page.name


def test_every_exercise_has_its_answer_folded_on_the_same_page(site: Path) -> None:
    for page in site.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        exercises = re.findall(r'class="exercise admonition" id="([\w-]+)"', text)
        answers = re.findall(r'class="answer-body" id="answer-to-([\w-]+)"', text)
        assert exercises == answers
        assert text.count('<details class="answer">') == len(answers)


@pytest.mark.parametrize("slug", [path.stem for path in (ROOT / "book").glob("*.md")])
def test_the_formulas_that_are_checked_are_those_on_the_page(
    slug: str, site: Path
) -> None:
    """Checks read the source; a formula that they overlook would go unchecked."""
    article = BeautifulSoup((site / f"{slug}.html").read_text(), "lxml").article
    assert article is not None
    for generated in article.select(".misconceptions, .what-is-checked"):
        generated.decompose()
    read = formulas(slug, (ROOT / "book" / f"{slug}.md").read_text(encoding="utf-8"))
    assert len(article.select("span.math")) == sum(not f.display for f in read)
    assert len(article.select("div.math")) == sum(f.display for f in read)


def test_every_misconception_is_in_the_appendix_with_two_values(site: Path) -> None:
    treated = []
    for page in site.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        boxes = BeautifulSoup(text, "lxml").select("div.admonition.misconception")
        treated += [f"{page.name}#{box['id']}" for box in boxes]
    text = (site / "misconceptions.html").read_text(encoding="utf-8")
    appendix = BeautifulSoup(text, "lxml")
    links = [link["href"] for link in appendix.select("dl.misconceptions > dt > a")]
    assert len(links) > 30
    assert sorted(links) == sorted(treated)
    for entry in appendix.select("dl.misconceptions > dd"):
        believed, found = (item.get_text().strip() for item in entry.select("li"))
        assert believed.removeprefix("Believed: ") != found.removeprefix("Found: ")
        assert entry.select_one("details.folded pre")


def test_the_appendix_shows_the_message_of_every_traceback(site: Path) -> None:
    text = (site / "error-messages.html").read_text(encoding="utf-8")
    blocks = BeautifulSoup(text, "lxml").select("div.error-message .message pre")
    explained = [" ".join(block.get_text().split()) for block in blocks]
    count = 0
    for page in site.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        for traceback in BeautifulSoup(text, "lxml").select(".traceback pre"):
            count += 1
            shown = " ".join(traceback.get_text().split())
            assert any(shown.endswith(message) for message in explained), shown
    assert count > 25
