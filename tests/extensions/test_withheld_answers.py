"""No byte of a book without answers comes from an answer; all else is as it was."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tests import pdf
from tests.cells import ROOT
from tests.leaks import leaks
from tests.tiny_book import PDF_EXTENSIONS, SNIPPET, TinyBook

# A word that stands in answers alone, with what it was planted as: zanahoria-text, …
STEM = "zanahoria"
# A number that only an answer computes.
NUMBER = "7654321"
KINDS = [
    *("text", "comment", "hidden", "term", "definition", "entry", "label", "option"),
    *("class", "link", "title", "target", "equation", "tex", "check", "code", "output"),
    *("error", "message", "explained", "probe", "belief", "about", "caption", "drawn"),
    *("alternative", "image", "file", "download", "footnote", "table", "admonition"),
]

BEFORE = """\
(chapter)=
# A chapter

```{code-cell} python
:snippet: chapter#data
```

Something of which {term}`known` says more. The first is [](#ex-one).

As {eq}`eq-before` says, and {numref}`fig-before` shows:

```{math}
:label: eq-before
s^2 = a^2 + 2ab + b^2
```

:::{figure} before.svg
:name: fig-before
:alt: A line.

It is {eval}`x + 1`.
:::

:::{exercise} Recall: one
:label: ex-one
Why {eval}`x`?
:::

"""
ANSWER = f"""\
:::{{solution-start}} ex-one
:label: {STEM}-option
:class: {STEM}-class
:::
{STEM}-text, <span hidden>{STEM}-hidden</span> and {{term}}`{STEM}-term`.

% {STEM}-comment

```{{index}} {STEM}-entry
```

({STEM}-label)=
It is {{eval}}`7654300 + 21`, [here](https://a.org/{STEM}-link "{STEM}-title").[^n]
See {{term}}`known` and [there](#{STEM}-target).

[^n]: {STEM}-footnote

:::{{glossary}}
{STEM}-term
: {STEM}-definition
:::

```{{code-cell}} python
:snippet: chapter#{STEM}-code
```

```{{code-cell}} python
:snippet: chapter#{STEM}-error
```

:::{{admonition}} Misconception: {STEM}-belief
:class: misconception
:name: misconception-chapter-{STEM}
{STEM}-admonition
:::

:::{{figure}} chapter#figure-{STEM}
:name: fig-{STEM}-target

{STEM}-caption
:::

```{{image}} {STEM}-file.svg
:alt: {STEM}-alternative
:name: {STEM}-target
```

{{download}}`{STEM}-download.txt`

| {STEM}-table |
| --- |
| 1 |

```{{math}}
:label: eq-{STEM}-equation
s = a + b \\quad \\text{{{STEM}-tex}}
```

:::{{solution-end}}
:::
"""
AFTER = """\

```{code-cell} python
:snippet: chapter#fails
```

:::{exercise} Build: two
:label: ex-two
Two?
:::

:::{solution-start} ex-two
:::
As [before](#ex-one).
:::{solution-end}
:::
"""
CELLS = f'''\
{SNIPPET}
# %% {STEM}-code
{STEM} = "zana" + "horia-output"
print({STEM}, 7654300 + 21)

# %% {STEM}-error
with raises(ValueError, "zanahoria-message"):
    raise ValueError("zana" "horia-message")

# %% figure-{STEM}
class Drawn:
    def _repr_mimebundle_(self, **_):
        svg = '<svg xmlns="http://www.w3.org/2000/svg"><text>{STEM}-drawn</text></svg>'
        html = f'<div class="{STEM}-drawn">{{svg}}</div>'
        alt = "A picture of {STEM}-alternative."
        return {{"text/html": html, "image/svg+xml": svg, "text/plain": alt}}

Drawn()

# %% fails
with raises(NameError, "is not defined"):
    print(nothing)
'''
CHECKS = f'''\
from snippets.checks import check, setting


@setting("chapter")
def numbers(draw):
    a, b = draw.normal(), draw.normal()
    return {{"a": a, "b": b, "s": a + b}}


@setting("ex-one")
def others(draw):
    """{STEM}-check"""
    a, b = draw.normal(), draw.normal()
    return {{"a": a, "b": b, "s": a + b}}


@check("eq-{STEM}-equation", others)
def {STEM}(a, b):
    return {{"{STEM}-check": a + b}}


@check("eq-before", numbers)
def before(a, b):
    return {{"a product": (a + b) * (a + b)}}
'''
PROBES = f'''\
from snippets.misconceptions import Probe, misconception


@misconception
def {STEM}() -> Probe:
    """{STEM}-about"""
    # {STEM}-probe
    return Probe(believed=1, found=2)


@misconception
def other() -> Probe:
    """`1`."""
    return Probe(believed=1, found=2)
'''
APPENDIX = f"""\
# Appendix

```{{misconceptions}} chapter
```

```{{error-message}} chapter#{STEM}-error
{STEM}-explained
```

```{{error-message}} chapter#fails
A name without a value.
```

:::{{admonition}} Misconception: another
:class: misconception
:name: misconception-chapter-other
See [](#ex-one).
:::

```{{misconceptions}} appendix
```

:::{{glossary}}
known
: A term.
:::
"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><title>{}</title></svg>'
WITHOUT = {"without_answers": "*", "edition_day": "2026-11-25"}
# What the searched files may say of an answer: its question, and when it will appear.
PLACE = "The answer to Exercise 1.{} will appear here {}."


def plant(book: TinyBook) -> TinyBook:
    """A book with a word of each kind in its answers."""
    book.write("book/chapter.md", BEFORE + ANSWER + AFTER)
    book.write("book/appendix.md", APPENDIX)
    book.write(f"book/{STEM}-file.svg", SVG.format(f"{STEM}-image"))
    book.write(f"book/{STEM}-download.txt", f"{STEM}-download")
    book.write("book/before.svg", SVG.format("before"))
    book.write("snippets/chapter.py", CELLS)
    package = ROOT / "snippets"
    for name in ("checks", "misconceptions"):
        init = package / name / "__init__.py"
        book.write(f"snippets/{name}/__init__.py", init.read_bytes())
    book.write("snippets/checks/chapter.py", CHECKS)
    book.write("snippets/misconceptions/chapter.py", PROBES)
    book.index("chapter", "appendix")
    return book


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyBook]:
    with pytest.MonkeyPatch.context() as patch:
        yield plant(TinyBook(tmp_path_factory.mktemp("book"), patch))


FULL, WITHHELD = "full", "withheld"


@pytest.fixture(scope="module")
def editions(planted: TinyBook) -> TinyBook:
    """The book as a folder ``full``, and without answers as ``withheld``."""
    for name, settings in ((FULL, {}), (WITHHELD, WITHOUT)):
        assert planted.build(**settings) == []
        planted.html.rename(planted.root / "build" / name)
    return planted


def words() -> list[str]:
    return [NUMBER, *(f"{STEM}-{kind}" for kind in KINDS)]


def test_what_is_planted_is_in_the_whole_book(editions: TinyBook) -> None:
    """Otherwise its absence would say nothing."""
    found = leaks(editions.root / "build" / FULL, words())
    # What speaks to authors, and the name of a setting's function, is on no page.
    sources = {f"chapter.md.txt: {STEM}-{kind}" for kind in KINDS}
    for word in words():
        assert any(line.endswith(f": {word}") for line in found), word
    assert len(sources & set(found)) > 20


def test_no_byte_of_the_book_without_answers_is_of_an_answer(
    editions: TinyBook,
) -> None:
    assert leaks(editions.root / "build" / WITHHELD, [STEM, NUMBER]) == []


def test_the_files_are_those_of_the_whole_book_without_the_answers_images(
    editions: TinyBook,
) -> None:
    def files(edition: str) -> set[str]:
        folder = editions.root / "build" / edition
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")}

    assert files(WITHHELD) < files(FULL)
    gone = files(FULL) - files(WITHHELD)
    assert all(name.startswith(("_images/", "_downloads/")) for name in gone), gone


def article(book: TinyBook, edition: str, page: str) -> BeautifulSoup:
    return BeautifulSoup(book.page(page, edition), "html.parser")


def test_a_reader_sees_where_an_answer_will_appear(editions: TinyBook) -> None:
    page = article(editions, WITHHELD, "chapter")
    places = page.select("p.answer-later")
    assert [place.get_text() for place in places] == [
        PLACE.format(1, "later"),
        PLACE.format(2, "later"),
    ]
    ids = [place["id"] for place in places]
    assert ids == ["answer-to-ex-one", "answer-to-ex-two"]
    assert page.select("details.answer, .answer-link") == []
    for exercise in page.select("div.exercise"):
        below = exercise.find_next_sibling()
        assert below in places


@pytest.mark.parametrize("name", ["chapter", "appendix", "index"])
def test_all_else_is_as_in_the_whole_book(editions: TinyBook, name: str) -> None:
    """Numbers, links, texts and outputs; a traceback names its cell by the number."""

    def rest(edition: str) -> str:
        page = article(editions, edition, name)
        answers = "details.answer, .answer-later, .answer-link"
        for part in page.select(f"{answers}, .footnotes, .footnote-list"):
            part.decompose()
        if name == "appendix":  # its entries for what is withheld
            for belief in page.select("dl.misconceptions"):
                if STEM in belief.get_text():
                    belief.decompose()
            for entry in page.select("div.error-message"):
                if STEM in entry.get_text():
                    entry.decompose()
        return re.sub(r"\s*\n\s*", "\n", page.body.decode() if page.body else "")

    assert rest(WITHHELD) == rest(FULL)
    if name == "chapter":
        assert "Cell In[5], line 1" in article(editions, WITHHELD, name).get_text()


def test_the_targets_of_links_are_those_of_the_whole_book(editions: TinyBook) -> None:
    def targets(edition: str) -> list[str]:
        data = (editions.root / "build" / edition / "objects.inv").read_bytes()
        lines = zlib.decompress(data.split(b"\n", 4)[4]).decode().splitlines()
        # The name that sphinx-exercise makes for an answer, which nothing links to.
        own = re.compile(rf"{STEM}|^chapter-solution-")
        return [line for line in lines if not own.search(line)]

    assert targets(WITHHELD) == targets(FULL)


def test_the_source_of_a_page_keeps_its_lines(editions: TinyBook) -> None:
    def source(edition: str) -> list[str]:
        path = editions.root / "build" / edition / "_sources" / "chapter.md.txt"
        return path.read_text().split("\n")

    for number, (left, whole) in enumerate(
        zip(source(WITHHELD), source(FULL), strict=True), 1
    ):
        assert left in (whole, ""), number


def test_each_edition_keeps_its_cells(
    editions: TinyBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Building both in turn runs no cell again, and computes no formula again."""

    def kept() -> dict[Path, int]:
        folders = [editions.root / folder for folder in ("cells", "equations")]
        files = [file for folder in folders for file in folder.rglob("chapter.json")]
        return {file: file.stat().st_mtime_ns for file in files}

    before = kept()
    assert len(before) == 4
    for settings in ({}, WITHOUT):
        assert editions.build(**settings) == []
    assert kept() == before


def test_one_folder_can_change_its_edition(editions: TinyBook) -> None:
    """As the preview does; nothing of an answer is left in pages and doctrees."""

    def pages() -> dict[str, str]:
        folder = editions.root / "build" / "incremental"
        return {path.name: path.read_text() for path in folder.glob("*.html")}

    def clean(edition: str) -> dict[str, str]:
        folder = editions.root / "build" / edition
        return {path.name: path.read_text() for path in folder.glob("*.html")}

    build = editions.root / "build"
    assert editions.build_incrementally() == []
    assert pages() == clean(FULL)
    assert leaks(build / "incremental-doctrees", [STEM])
    assert editions.build_incrementally(**WITHOUT) == []
    assert pages() == clean(WITHHELD)
    assert leaks(build / "incremental", [STEM, NUMBER]) == []
    assert leaks(build / "incremental-doctrees", [STEM, NUMBER]) == []
    assert editions.build_incrementally() == []
    assert pages() == clean(FULL)


def test_no_byte_of_the_pdf_without_answers_is_of_an_answer(
    editions: TinyBook,
) -> None:
    more = ["misconceptions", "error_messages", "checked_equations"]
    extensions = {"extensions": [*PDF_EXTENSIONS, *more]}
    assert editions.make_pdf(FULL + "-pdf", **extensions) == []
    found = leaks(editions.pdf, words())
    on_paper = "text term definition entry link output message caption alternative"
    for kind in [*on_paper.split(), "table", "tex", "footnote", "belief"]:
        assert f"tiny.pdf: {STEM}-{kind}" in found, kind
    assert f"tiny.pdf: {NUMBER}" in found
    assert editions.make_pdf(WITHHELD + "-pdf", **extensions, **WITHOUT) == []
    assert leaks(editions.pdf, [STEM, NUMBER]) == []
    text = pdf.text(editions.pdf)
    for number in (1, 2):
        assert PLACE.format(number, "later") in text
    assert "Answer to" not in text


# A book with two short chapters, for what goes wrong and what is chosen.
ONE = """\
(one)=
# One

{before}

:::{{exercise}} Recall
:label: ex-one
Why?
:::

:::{{solution-start}} ex-one
:::
{answer}
:::{{solution-end}}
:::

{after}
"""
TWO = """\
(two)=
# Two

:::{exercise} Recall
:label: ex-two
Why? See [](#ex-one).
:::

:::{solution-start} ex-two
:::
Because of two.
:::{solution-end}
:::
"""

LATER = "The answer to Exercise 2.1 will appear here later."


@pytest.fixture
def short(tiny_book: TinyBook) -> TinyBook:
    tiny_book.write("book/two.md", TWO)
    (tiny_book.root / "book/chapter.md").unlink()
    package = ROOT / "snippets" / "checks" / "__init__.py"
    tiny_book.write("snippets/checks/__init__.py", package.read_bytes())
    tiny_book.index("one", "two")
    write(tiny_book)
    return tiny_book


def write(
    book: TinyBook, answer: str = "Because of one.", before: str = "", after: str = ""
) -> None:
    text = ONE.format(answer=answer, before=before, after=after)
    (book.root / "book/one.md").write_text(text)


def shown(book: TinyBook) -> tuple[list[str], list[str]]:
    """The answers that a reader finds, and what stands in the place of the others."""
    pages = [article(book, "html", name) for name in ("one", "two")]
    answers = [
        tag.get_text() for page in pages for tag in page.select("details.answer")
    ]
    places = [tag.get_text() for page in pages for tag in page.select(".answer-later")]
    return [text.split()[6] for text in answers], places


def test_some_chapters_keep_their_answers(short: TinyBook) -> None:
    assert short.build(without_answers="two") == []
    assert shown(short) == (["one."], [LATER])


@pytest.mark.parametrize(
    ("day", "answers", "places"),
    [
        ("2026-11-30", [], [PLACE.format(1, "on 1 December 2026"), LATER]),
        ("2026-12-01", ["one."], [LATER]),
    ],
)
def test_a_chapter_shows_its_answers_from_its_day_on(
    short: TinyBook, day: str, answers: list[str], places: list[str]
) -> None:
    short.write("book/answers.toml", 'one = 2026-12-01\ntwo = "withheld"\n')
    settings = {"answers_file": str(short.root / "book/answers.toml")}
    assert short.build(**settings, edition_day=day) == []
    assert shown(short) == (answers, places)
    # Asked for by name, all are shown.
    assert short.build(**settings, edition_day=day, without_answers="") == []
    assert shown(short) == (["one.", "two."], [])


def test_a_wrong_name_stops_the_build_where_it_was_written(short: TinyBook) -> None:
    wrong = (
        "no chapter 'on' with answers; did you mean 'one'? (chapters: one, two) "
        "[editions.release]"
    )
    assert short.build(without_answers="two,on") == [f"--without-answers: {wrong}"]
    short.write("book/answers.toml", "\non = 2026-12-01\n")
    file = str(short.root / "book/answers.toml")
    assert short.build(answers_file=file) == [f"book/answers.toml:2: {wrong}"]
    assert short.build(edition_day="tomorrow", without_answers="*") == [
        "--day: 'tomorrow' is not a day; write it as 2026-12-01 [editions.release]"
    ]


def test_a_link_with_words_leads_to_the_place_of_the_answer(short: TinyBook) -> None:
    answer = "(inside)=\n**Because** of one.\n\n$$a = b$$ (eq-inside)"
    write(short, answer, after="See [why](#inside) and {ref}`this <inside>`.")
    short.write("book/two.md", TWO.replace("[](#ex-one)", "[*that*](#inside)"))
    assert short.build(without_answers="one") == []
    for name, target in (
        ("one", "#answer-to-ex-one"),
        ("two", "one.html#answer-to-ex-one"),
    ):
        links = [link["href"] for link in article(short, "html", name).select("p > a")]
        assert links.count(target) == (2 if name == "one" else 1)
    assert 'id="answer-to-ex-one"' in short.page("one")


@pytest.mark.parametrize("link", ["[](#inside)", "{ref}`inside`", "{eq}`eq-inside`"])
def test_a_link_that_would_show_what_is_withheld_is_a_mistake(
    short: TinyBook, link: str
) -> None:
    answer = "(inside)=\n:::{note} A title\nText.\n:::\n\n$$a = b$$ (eq-inside)"
    write(short, answer)
    short.write("book/two.md", TWO + f"\nSee\n{link}.\n")
    label = "eq-inside" if "eq" in link else "inside"
    [mistake] = short.build(without_answers="one")
    assert mistake == (
        f"book/two.md:15: {label!r} stands in an answer that this edition withholds, "
        f"so it has no number or title; write the link as '[words](#{label})', or move "
        "what it leads to [editions.link]"
    )


def test_an_answer_that_cannot_be_taken_out_stops_the_build(short: TinyBook) -> None:
    inner = TWO[TWO.index(":::{solution-start}") :]
    short.write("book/two.md", TWO.replace(inner, f"::::{{note}}\n{inner}::::\n"))
    assert short.build() == []
    mistakes = short.build(without_answers="*")
    assert mistakes == [
        "book/two.md:10: the answer to 'ex-two' is not withheld; let it stand in this "
        "file, outside of every other block [editions.answer]"
    ]


def test_an_answer_in_one_block_is_withheld_too(short: TinyBook) -> None:
    text = TWO.replace("solution-start} ex-two\n:::", "solution} ex-two")
    short.write("book/two.md", text.replace(":::{solution-end}\n", ""))
    assert short.build() == []
    assert shown(short)[0] == ["one.", "two."]
    assert short.build(without_answers="*") == []
    assert shown(short)[0] == []


@pytest.mark.parametrize(
    ("answer", "after", "kind", "line"),
    [
        ("$$a = b$$ (eq-in)", "$$a = b$$ (eq-out)", "equation", 13),
        (":::{table} T\n| a |\n| --- |\n| b |\n:::",
         ":::{table} U\n:name: out\n| a |\n| --- |\n| b |\n:::", "table", 14),
        ("In[^a].\n\n[^a]: A.", "Out[^b].\n\n[^b]: B.", "footnote", 13),
    ],
)  # fmt: skip
def test_an_answer_may_not_change_the_numbers_below_it(
    short: TinyBook, answer: str, after: str, kind: str, line: int
) -> None:
    write(short, answer)
    assert [m for m in short.build() if "editions" in m] == []
    write(short, "Text.", before=answer, after=after)
    assert [m for m in short.build() if "editions" in m] == []
    write(short, answer, after=after)
    [mistake] = [m for m in short.build() if "editions" in m]
    assert mistake.startswith(f"book/one.md:{line}: this {kind} in an answer changes")


def test_another_day_is_a_reason_to_read_again(short: TinyBook) -> None:
    """Also where no answer has a cell."""
    short.write("book/answers.toml", "one = 2026-12-01\n")
    file = str(short.root / "book/answers.toml")
    for day, place in (
        ("2026-11-30", True),
        ("2026-12-01", False),
        ("2026-11-30", True),
    ):
        mistakes = short.build_incrementally(answers_file=file, edition_day=day)
        assert mistakes == []
        page = short.page("one", "incremental")
        assert (PLACE.format(1, "on 1 December 2026") in page) is place
        assert ("Because of one." in page) is not place


CELL = "```{{code-cell}} python\n:snippet: one#{}\n```\n"


def test_what_needs_an_answer_is_named_in_every_edition(short: TinyBook) -> None:
    short.write("snippets/one.py", '"""A."""\n\n# %% a\ny = 1\n\n# %% b\nprint(y)\n')
    write(short, CELL.format("a"), after=CELL.format("b"))
    for settings in ({}, {"without_answers": "*"}):
        [mistake] = short.build(**settings)
        assert mistake.startswith(
            "book/one.md:20: the cell one#b needs 'y' as the cell"
        )


def test_a_name_that_is_missing_all_the_same_is_explained(short: TinyBook) -> None:
    """The function is called after the answer has set what it needs."""
    cells = "# %% f\ndef f():\n    return y\n\n# %% a\ny = 1\n\n# %% b\nf()\n"
    short.write("snippets/one.py", f'"""A."""\n\n{cells}')
    before, after = CELL.format("f"), CELL.format("b")
    write(short, CELL.format("a"), before, after)
    assert short.build() == []
    assert short.build(without_answers="one") == [
        "book/one.md:23: one#b failed with NameError: name 'y' is not defined [line 1 "
        "of the cell]; 'y' is set by one#a, in an answer that is withheld "
        "[execution.error]"
    ]
