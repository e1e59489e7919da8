"""What must hold of the built pages."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag

from chapter_notebook import EVAL
from check_links import broken_links
from check_outputs import Executed
from checked_counts import Audit, audit, share
from equations.pages import formulas
from page_head import policy
from prose import MARKS
from tests.book.test_structure import BOOK
from tests.cells import ROOT


def build(target: Path, cache: Path, *arguments: str) -> None:
    """Build the book in a process of its own, with all answers if nothing else is said.

    Which of them ``book/answers.toml`` withholds today is not for a test to depend on.
    """
    arguments = arguments or ("--with-answers",)
    command = [sys.executable, str(ROOT / "_config" / "build_book.py")]
    done = subprocess.run(
        [*command, *arguments, "--target", str(target), "--cache", str(cache)],
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


LOADING = {
    **dict.fromkeys(("script", "img", "iframe", "source", "video", "audio"), "src"),
    **dict.fromkeys(("embed", "track", "input"), "src"),
    **{"link": "href", "object": "data", "use": "href", "image": "href"},
}
FOREIGN = re.compile(r"\s*(?:[a-z]+:)?//", re.IGNORECASE)
IN_STYLES = re.compile(
    r"""(?:url\(|@import\s)\s*["']?\s*(?:[a-z]+:)?//""", re.IGNORECASE
)
IN_SCRIPTS = re.compile(
    r"""(?:fetch|import|Worker|WebSocket|EventSource|sendBeacon|\.src\s*=)"""
    r"""[\s(]*["'`](?:[a-z]+:)?//""",
    re.IGNORECASE,
)


def foreign(name: str, text: str) -> list[str]:
    """What a file of the site would load from another host."""
    if name.endswith(".css"):
        return IN_STYLES.findall(text)
    if name.endswith(".js"):
        return IN_SCRIPTS.findall(text)
    found = IN_STYLES.findall(text) if name.endswith(".svg") else []
    for element in BeautifulSoup(text, "lxml").find_all(True):
        if element.name == "link" and element.get("rel") == ["canonical"]:
            continue  # names a page and loads nothing
        references = [element.get(LOADING.get(element.name, "src"))]
        references += [element.get("xlink:href")] if element.name != "a" else []
        for candidate in str(element.get("srcset") or "").split(","):
            references.append(candidate.strip())
        found += [
            str(element)[:120]
            for reference in references
            if reference and FOREIGN.match(str(reference))
        ]
    return found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.html", '<script src="https://a.org/a.js"></script>'),
        ("a.html", "<img src='//a.org/a.png'>"),
        ("a.html", '<img srcset="a.png 1x, https://a.org/a.png 2x">'),
        ("a.html", '<link rel="preconnect" href="https://a.org">'),
        ("a.html", '<link rel="stylesheet" href=" HTTPS://a.org/a.css">'),
        ("a.html", '<object data="http://a.org/a.svg"></object>'),
        ("a.css", '@import "https://a.org/a.css";'),
        ("a.css", "src: url( '//a.org/a.woff2')"),
        ("a.svg", '<svg><image xlink:href="https://a.org/a.png"/></svg>'),
        ("a.svg", "<svg><style>@import url(https://a.org/a.css)</style></svg>"),
        ("a.js", 'fetch("https://a.org/beacon")'),
        ("a.js", "s.src = `//a.org/a.js`"),
    ],
)
def test_a_foreign_host_is_seen(name: str, text: str) -> None:
    assert foreign(name, text)
    assert not foreign(name, re.sub(r"(?:https?:)?//a\.org/?", "", text, flags=re.I))


def test_nothing_is_loaded_from_another_host(site: Path) -> None:
    """A page can be read from a folder, without the network."""
    kinds = (".html", ".css", ".svg", ".js")
    texts = {name: text for name, text in files(site).items() if name.endswith(kinds)}
    assert {Path(name).suffix for name in texts} == set(kinds)
    for name, text in texts.items():
        assert foreign(name, text.decode()) == [], name


def test_pages_hold_neither_script_nor_style_of_their_own(site: Path) -> None:
    """Their policy forbids both; see page_head."""
    for path in site.glob("*.html"):
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "lxml")
        [declared] = page.select('meta[http-equiv="Content-Security-Policy"]')
        assert declared["content"] == policy()
        inside = [tag for tag in page.find_all("script") if not tag.get("src")]
        # Data, which are not run.
        assert [tag for tag in inside if tag.get("type") != "application/json"] == []
        assert page.find_all("style") == []
        for element in page.find_all(True):
            handlers = {name for name in element.attrs if name.startswith("on")}
            assert not handlers | (element.attrs.keys() & {"style"}), element


def test_pages_have_the_structure_that_is_read_aloud(site: Path) -> None:
    for path in site.glob("*.html"):
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "lxml")
        assert page.html is not None
        assert page.html["lang"] == "en-GB"
        assert page.title is not None
        assert page.title.get_text(strip=True)
        [text] = page.select("main")
        levels = [int(tag.name[1]) for tag in text.find_all(re.compile("^h[1-6]$"))]
        assert levels.count(1) == 1, path.name
        assert levels[0] == 1
        jumps = [b - a for a, b in itertools.pairwise(levels)]
        assert max(jumps, default=0) <= 1, (path.name, levels)
        for table in text.select("table"):
            assert table.select("th"), (path.name, str(table)[:200])
        for link in page.select("a[href]"):
            assert link.get_text(strip=True) or link.get("aria-label"), (
                path.name,
                link,
            )


def test_pages_are_described(site: Path) -> None:
    described = {}
    for path in site.glob("*.html"):
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "lxml")
        [description] = page.select('meta[name="description"]')
        described[path.name] = str(description["content"])
        assert 20 < len(described[path.name]) <= 161, (path.name, described[path.name])
        [title] = page.select('meta[property="og:title"]')
        assert title["content"]
    assert len(set(described.values())) == len(described)


def test_no_page_loads_a_font_or_script_of_the_theme(site: Path) -> None:
    names = set(files(site))
    assert {name for name in names if name.endswith((".woff2", ".woff", ".ttf"))} == {
        "_static/stix-two-math.woff2"
    }
    assert not [name for name in names if name.startswith("_static/scripts")]
    assert [name for name in names if name.endswith(".css")] == ["_static/styles.css"]


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


def test_the_appendix_counts_values_and_tells_of_the_last_audit(site: Path) -> None:
    text = (site / "what-is-checked.html").read_text(encoding="utf-8")
    page = BeautifulSoup(text, "lxml")
    record = ROOT / "tests" / "faults" / "record.toml"
    last = audit(record.read_text(encoding="utf-8")) if record.is_file() else Audit()
    chapters, *others = page.select("table.what-is-checked")
    assert last.told() in " ".join(page.get_text().split())
    rows = [[c.get_text().strip() for c in row("td")] for row in chapters("tr")[1:]]
    assert len(rows) == 8
    for row, (slug, link) in zip(rows, chapter_links(chapters), strict=True):
        assert row[0] == link
        assert row[5] == share(*last.of_chapter(slug))
        # every value in a sentence is computed twice
        assert row[3] == str(len(EVAL.findall((BOOK / f"{slug}.md").read_text())))
    counts = [share(*last.of_kind(kind)) for kind in last.kinds]
    if counts:
        rows = [row("td")[1].get_text().strip() for row in others[0]("tr")[1:]]
        assert rows == counts


def chapter_links(table: Tag) -> list[tuple[str, str]]:
    """The chapters of the first column, with their titles."""
    links = [row.select_one("a") for row in table("tr")[1:]]
    return [(a["href"].removesuffix(".html"), a.get_text()) for a in links]
