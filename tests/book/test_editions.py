"""The book without its answers: nothing of them, and all else as it was."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from check_links import broken_links
from check_outputs import Executed
from editions import withhold
from tests.book.test_built_book import build, site
from tests.book.test_pdf import book, make
from tests.book.test_structure import BOOK, CHAPTERS, chapter
from tests.cells import LIBRARY, ROOT
from tests.leaks import leaks

__all__ = ["book", "site"]

# Words without mark-up between them stand on a page as in the source.
RUN = re.compile(r"[^`$*_{}\[\]()<>|#:\\\"'“”–…]{24,}")
TRIVIAL = 24


@pytest.fixture(scope="module")
def withheld(tmp_path_factory: pytest.TempPathFactory, site: Path) -> Path:
    """The built book without answers."""
    target = tmp_path_factory.mktemp("withheld") / "html"
    build(target, ROOT / "build" / "cells", "--without-answers")
    return target


def of_answers(executed: dict[str, Executed], *but: str) -> Iterator[str]:
    """What only answers say: runs of words, lines of code, and lines of outputs.

    The pages of the names in ``but`` do not count as saying it too.
    """
    texts = {path.stem: path.read_text(encoding="utf-8") for path in BOOK.glob("*.md")}
    left = [withhold(text).text for slug, text in texts.items() if slug not in but]
    shown: list[str] = []
    for slug, page in executed.items():
        edition = withhold(texts[slug])
        for cell, outputs in zip(
            page.chapter.code_cells(), page.outcome.outputs, strict=True
        ):
            lines = cell.source.splitlines()
            for output in outputs:
                data = output.get("data", {})
                text = output.get("text") or output.get("evalue") or data["text/plain"]
                lines += str(text).splitlines()
            inside = edition.in_answer(cell.metadata["line"])
            (shown if inside else left).extend(lines)
        for answer in edition.answers:
            prose = re.sub(r"^%.*$|^:.*$", "", answer.text, flags=re.M)
            shown += RUN.findall(prose)
    # A probe may show what an answer does; it stands in an appendix of every edition.
    folder = ROOT / "snippets" / "misconceptions"
    left += [path.read_text(encoding="utf-8") for path in folder.glob("*.py")]
    rest = " ".join(" ".join(left).split())
    for text in shown:
        words = " ".join(text.split())
        if len(words) >= TRIVIAL and words not in rest:
            yield words


def test_no_words_code_or_output_of_an_answer_are_left(
    withheld: Path, site: Path, executed: dict[str, Executed]
) -> None:
    words = sorted(set(of_answers(executed)))
    found = {line.partition(": ")[2] for line in leaks(site, words)}
    # The rest is broken up on the page: by marks, highlighting or the end of a line.
    assert len(found) > 0.8 * len(words) > 400
    assert leaks(withheld, words) == []


def test_no_words_code_or_output_of_an_answer_are_in_the_pdf(
    book: Path, executed: dict[str, Executed], tmp_path: Path
) -> None:
    words = sorted(set(of_answers(executed)))
    found = {line.partition(": ")[2] for line in leaks(book, words)}
    assert len(found) > 0.6 * len(words)
    pdf = make(tmp_path / "pdf", "--without-answers")
    assert pdf.name == "pytorch-from-the-gradient-up-without-answers.pdf"
    assert leaks(pdf, words) == []


def rest(site: Path, name: str) -> str:
    """A page without what belongs to answers, and to the place where they appear."""
    page = BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "lxml")
    for part in page.select("details.answer, .answer-later, .answer-link"):
        part.decompose()
    for link in page.select("link[rel=stylesheet]"):
        link.decompose()  # it has only the rules that some page needs
    for gap in page.select("details.check"):
        # The rounding of a check is not always the same from one run to the next.
        text = re.sub(r"\d · 10[⁻⁰-⁹¹²³]+", "…", str(gap))
        gap.replace_with(BeautifulSoup(text, "html.parser"))
    return re.sub(r"\s*\n\s*", "\n", str(page))


@pytest.mark.parametrize("name", [*CHAPTERS, "tutorial-map", "glossary", "notation"])
def test_all_else_is_as_in_the_whole_book(
    name: str, site: Path, withheld: Path
) -> None:
    """So no later cell shows anything else for the lack of an answer's."""
    assert rest(withheld, name).splitlines() == rest(site, name).splitlines()


@pytest.mark.parametrize("slug", CHAPTERS)
def test_a_place_is_kept_for_each_answer(slug: str, withheld: Path) -> None:
    text = (withheld / f"{slug}.html").read_text(encoding="utf-8")
    page = BeautifulSoup(text, "lxml")
    labels = re.findall(r"^:::\{solution-start\} (\S+)$", chapter(slug), re.M)
    places = page.select("p.answer-later")
    assert [place["id"] for place in places] == [f"answer-to-{one}" for one in labels]
    assert page.select("details.answer") == []


def test_its_links_lead_somewhere(withheld: Path) -> None:
    assert list(broken_links(withheld)) == []


def test_its_appendix_explains_the_errors_that_are_left(withheld: Path) -> None:
    text = (withheld / "error-messages.html").read_text(encoding="utf-8")
    entries = BeautifulSoup(text, "lxml").select("div.error-message")
    drawn = "\n".join(withhold(chapter(slug)).text for slug in CHAPTERS)
    broken = [
        name
        for slug in CHAPTERS
        for name, cell in LIBRARY.cells(slug.replace("-", "_")).items()
        if cell.raises and re.search(rf":snippet: \w+#{name}$", drawn, re.M)
    ]
    cells = sum(len(entry.select("details.folded")) for entry in entries)
    assert cells >= len(broken) > 20
    for entry in entries:
        assert entry.select(".message pre"), entry


def test_the_guide_for_instructors_says_nothing_of_an_answer(
    executed: dict[str, Executed],
) -> None:
    """It is a page of the book without answers, too."""
    guide = " ".join(chapter("instructors-guide").split())
    words = set(of_answers(executed, "instructors-guide"))
    assert len(words) > 400
    assert [text for text in words if text in guide] == []
