"""What must hold of the PDF of the whole book."""

from __future__ import annotations

import copy
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pikepdf
import pytest
from bs4 import BeautifulSoup, Tag

from tests import pdf
from tests.book.test_built_book import site
from tests.cells import ROOT

__all__ = ["site"]


def make(target: Path, *arguments: str) -> Path:
    """Make the PDF in a process of its own; cells come from the cache."""
    command = [sys.executable, str(ROOT / "_config" / "build_book.py")]
    options = ["--builder", "typst", "--cache", str(ROOT / "build" / "cells")]
    if "--without-answers" not in arguments:
        options.append("--with-answers")
    done = subprocess.run(
        [*command, *options, "--target", str(target), *arguments],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [made] = target.glob("*.pdf")
    return made


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The PDF on A4."""
    return make(tmp_path_factory.mktemp("pdf") / "a4")


@pytest.fixture(scope="session")
def words(book: Path) -> str:
    """Its text."""
    return pdf.text(book)


@pytest.fixture(scope="session")
def tagged(book: Path) -> pdf.Tagged:
    """Its structure elements."""
    return pdf.Tagged(book)


def pages(site: Path) -> list[BeautifulSoup]:
    found = [path for path in sorted(site.glob("*.html")) if path.stem != "search"]
    return [BeautifulSoup(path.read_text(encoding="utf-8"), "lxml") for path in found]


FORMULA = "∎"


def shown(element: Tag) -> str:
    """The text of a part of a page, to be compared with ``Tagged.text``."""
    part = copy.copy(element)
    for link in part.select(".headerlink"):
        link.decompose()
    for formula in part.select(".math"):
        formula.replace_with(FORMULA)
    return pdf.plain(part.get_text())


def test_sections_have_the_numbers_of_the_pages(site: Path, tagged: pdf.Tagged) -> None:
    web = Counter(
        re.sub(r"^([\d.]*\d)\.", r"\1", shown(heading))
        for page in pages(site)
        for heading in page.select("article :is(h1, h2, h3)")
        if heading.select_one(".section-number")
    )

    headings = [h for level in ("H1", "H2", "H3") for h in tagged.elements(level)]
    texts = Counter(tagged.text(heading, formula=FORMULA) for heading in headings)
    assert sum(web.values()) > 100
    assert web - texts == Counter()
    # No other heading has a number, but for those that the answers are grouped under.
    groups = (t for t in (texts - web).elements() if t[0].isdigit())
    assert all(re.match(r"\d[^\d.]", group) for group in groups)


def test_equations_have_the_numbers_of_the_pages(
    site: Path, tagged: pdf.Tagged
) -> None:
    web = Counter(shown(n) for page in pages(site) for n in page.select(".eqno"))

    formulas = tagged.elements("Formula")
    printed = (re.search(r"\(\d+\.\d+\)$", tagged.text(f)) for f in formulas)
    spoken = (re.match(r"Equation ([\d.]+): ", str(f.Alt)) for f in formulas)
    assert len(web) > 40
    assert Counter(number[0] for number in printed if number) == web
    assert Counter(f"({number[1]})" for number in spoken if number) == web


def test_figures_have_the_numbers_and_captions_of_the_pages(
    site: Path, tagged: pdf.Tagged
) -> None:
    web = Counter(shown(c) for page in pages(site) for c in page.select("figcaption"))

    captions = tagged.elements("Caption")
    assert sum(web.values()) > 15
    assert Counter(tagged.text(c, formula=FORMULA) for c in captions) == web


def test_exercises_have_the_numbers_and_titles_of_the_pages(
    site: Path, tagged: pdf.Tagged
) -> None:
    titles = ".exercise > .admonition-title"
    web = Counter(shown(title) for page in pages(site) for title in page.select(titles))

    paragraphs = (tagged.text(p, formula=FORMULA) for p in tagged.elements("P"))
    printed = Counter(p for p in paragraphs if re.match(r"Exercise\d+\.\d+\(", p))
    assert sum(web.values()) > 50
    assert printed == web


def test_tables_have_the_cells_of_the_pages(site: Path, tagged: pdf.Tagged) -> None:
    web = Counter(
        tuple(
            tuple(shown(cell) for cell in row.select("th, td"))
            for row in table.select("tr")
        )
        for page in pages(site)
        for table in page.select("article table")
    )

    printed = Counter(
        tuple(
            tuple(tagged.text(cell, formula=FORMULA) for cell in row.K)
            for row in pdf.elements_of(table)
            if row.S == "/TR"
        )
        for table in tagged.elements("Table")
    )
    assert sum(web.values()) > 15
    assert any("" in row for table in web for row in table), (
        "an empty cell is no rarity"
    )
    assert printed == web


def test_no_heading_label_or_term_is_last_on_its_page(tagged: pdf.Tagged) -> None:
    assert tagged.stranded() == []


def test_references_read_as_on_the_pages(site: Path, words: str) -> None:
    references = [
        reference.get_text()
        for page in pages(site)
        for reference in page.select("a.reference.internal")
        if re.fullmatch(r"(?:Exercise|Fig\.) [\d.]+|\([\d.]+\)", reference.get_text())
    ]

    assert len(references) > 40
    written = Counter(re.findall(r"(?:Exercise|Fig\.) [\d.]*\d|\([\d.]*\d\)", words))
    for reference, count in Counter(references).items():
        assert written[reference] >= count, reference


def test_every_answer_is_in_the_pdf_with_links_both_ways(
    site: Path, words: str
) -> None:
    answers = [
        summary.get_text() for page in pages(site) for summary in page.select("summary")
        if summary.get_text().startswith("Answer to")
    ]  # fmt: skip

    assert len(answers) > 50
    for answer in answers:
        assert re.search(rf"{re.escape(answer)}, page \d+", words), answer
        back = answer.replace("Answer to", "Back to")
        assert re.search(rf"{re.escape(back)}, page \d+", words), back


def test_it_is_tagged_titled_and_in_english(book: Path) -> None:
    with pikepdf.open(book) as document:
        assert bool(document.Root.MarkInfo.Marked)
        assert str(document.Root.Lang) == "en-GB"
        assert str(document.docinfo.Title) == "PyTorch from the Gradient Up"
        with document.open_metadata() as metadata:
            assert metadata["pdfuaid:part"] == "1"
    tags = Counter(pdf.tags(book))
    for name in ("H1", "H2", "H3", "P", "L", "Table", "TH", "Code", "Link", "Figure"):
        assert tags[name], name


def test_figures_and_formulas_have_alternative_texts(book: Path) -> None:
    figures, formulas = (pdf.alternatives(book, tag) for tag in ("Figure", "Formula"))

    assert len(figures) >= 10
    assert len(formulas) > 2000
    assert all(len(text.split()) > 3 for text in figures)
    assert all(text.strip() for text in formulas)


def test_formulas_carry_their_mathml(book: Path) -> None:
    with pikepdf.open(book) as document:
        formulas = [e for e in pdf.elements(document) if e.S == "/Formula"]
        assert all("/AF" in formula for formula in formulas)


def test_every_font_is_embedded(book: Path) -> None:
    with pikepdf.open(book) as document:
        descriptors = [
            thing
            for thing in document.objects
            if isinstance(thing, pikepdf.Dictionary)
            and thing.get("/Type") == "/FontDescriptor"
        ]
        assert len(descriptors) > 4
        for descriptor in descriptors:
            embedded = {"/FontFile", "/FontFile2", "/FontFile3"} & set(
                descriptor.keys()
            )
            assert embedded, descriptor.FontName


def test_every_link_leads_somewhere(book: Path) -> None:
    with pikepdf.open(book) as document:
        pages = {page.obj.objgen for page in document.pages}
        tree = document.Root.get("/Names", pikepdf.Dictionary()).get("/Dests")
        names = dict(pikepdf.NameTree(tree)) if tree is not None else {}
        inside = outside = 0
        for page in document.pages:
            for link in page.obj.get("/Annots", []):
                assert link.get("/Contents"), "a link says where it leads"
                if "/A" in link and "/URI" in link.A:
                    assert str(link.A.URI).startswith("https://")
                    outside += 1
                    continue
                target = link.Dest if "/Dest" in link else link.A.D
                if isinstance(target, pikepdf.String | pikepdf.Name):
                    target = names[str(target)]
                    target = (
                        target.D if isinstance(target, pikepdf.Dictionary) else target
                    )
                assert target[0].objgen in pages
                inside += 1
    assert inside > 500
    assert outside > 10


def test_bookmarks_are_the_contents(book: Path) -> None:
    with pikepdf.open(book) as document:
        titles = [str(item.title) for item in document.open_outline().root]
    assert titles[:3] == ["Contents", "About this book", "1 Getting started"]
    assert "Answers" in titles
    assert titles[-1] == "Index"


def test_running_heads_name_where_a_page_begins(book: Path) -> None:
    margin = 22 * 72 / 25.4  # less than the upper margin, more than the head
    heads = pdf.running_heads(book, margin)

    assert heads == pdf.expected_heads(book, margin)
    assert len(set(heads)) > 80
    assert heads.count("") > 15  # the first page of each chapter


def test_no_text_sticks_out(book: Path) -> None:
    mm = 72 / 25.4

    assert pdf.outside(book, (33 * mm, (210 - 33) * mm)) == []


def test_no_text_sticks_out_of_a_narrow_page(tmp_path: Path) -> None:
    mm = 72 / 25.4
    narrow = make(tmp_path / "reader", "--paper", "reader")

    assert pdf.outside(narrow, (8 * mm, (120 - 8) * mm)) == []


def test_two_builds_are_the_same_bytes(book: Path, tmp_path: Path) -> None:
    assert make(tmp_path / "again").read_bytes() == book.read_bytes()


def test_the_title_page_names_the_versions(book: Path) -> None:
    first = pdf.texts(book)[0]

    assert re.search(r"Version \d+\.\d+\.\d+, \d{4}-\d\d-\d\d", first)
    assert re.search(r"Python 3\.\d+, torch 2\.13\.0", first)
