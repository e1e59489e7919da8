"""The appendix of misconceptions: complete, from this build, and up to date."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup, Tag

from beliefs import Belief, Beliefs, without_probe, wrong_lists
from build_book import build
from tests.cells import ROOT
from tests.tiny_book import CONFIG, SNIPPET, TinyBook

CHAPTER = """\
# A chapter

:::{admonition} A box of another kind
It is no misconception.
:::

```{code-cell} python
:snippet: chapter#data
```

:::{admonition} Misconception: `total` is *never* $x^2$
:class: misconception
:name: misconception-chapter-square

What really happens.
:::

:::{admonition} Misconception: sums are differences
:class: misconception
:name: misconception-chapter-sum

What really happens.
:::
"""
MARK = ":::{admonition} Misconception"
PROBES = '''\
"""Probes."""

from snippets.misconceptions import Probe, misconception


@misconception
def square() -> Probe:
    """The square of `-2`, a number."""
    return Probe(believed=-4.5, found=(-2) ** 2)


@misconception
def sum() -> Probe:
    """`3 + 4`."""
    return Probe(believed=3 - 4, found=3 + 4)
'''
APPENDIX = """\
# Misconceptions

## A chapter

```{misconceptions} chapter
```
"""
PACKAGE = "snippets/misconceptions"


@pytest.fixture
def book(tiny_book: TinyBook) -> TinyBook:
    """A chapter that treats two misconceptions, their probes, and the appendix."""
    rules = (ROOT / "snippets" / "misconceptions" / "__init__.py").read_text()
    tiny_book.write(f"{PACKAGE}/__init__.py", rules)
    tiny_book.write(f"{PACKAGE}/chapter.py", PROBES)
    tiny_book.write("book/chapter.md", CHAPTER)
    tiny_book.write("book/appendix.md", APPENDIX)
    tiny_book.index("chapter", "appendix")
    return tiny_book


def entries(book: TinyBook, folder: str = "html") -> list[tuple[Tag, Tag]]:
    """Term and definition of each entry of the built appendix."""
    page = BeautifulSoup(book.page("appendix", folder), "lxml")
    [found] = page.select("dl.misconceptions")
    terms, definitions = found.select("dt"), found.select("dd")
    return list(zip(terms, definitions, strict=True))


def test_an_entry_has_the_belief_its_place_the_values_and_the_probe(
    book: TinyBook,
) -> None:
    assert book.build() == []
    first, second = entries(book)
    term, definition = first
    assert term.get_text().startswith("“total is never ")
    assert term.select_one("code").get_text() == "total"
    assert term.select_one("em").get_text() == "never"
    assert term.select_one(".math")
    assert term.a["href"] == "chapter.html#misconception-chapter-square"
    assert 'id="misconception-chapter-square"' in book.page("chapter")
    about = definition.p
    assert about.get_text() == "The square of -2, a number."
    assert about.code.get_text() == "-2"
    values = [item.get_text().strip() for item in definition.select("li")]
    assert values == ["Believed: −4.5", "Found: 4"]
    details = definition.select_one("details.folded")
    assert "open" not in details.attrs
    assert details.summary.get_text() == "The probe"
    code = details.pre.get_text()
    assert code.startswith("def square() -> Probe:\n")
    assert code.rstrip().endswith("found=(-2) ** 2)")
    assert second[0].get_text() == "“sums are differences”"
    assert "Found: 7" in second[1].get_text()


def test_another_builder_shows_the_same_unfolded(book: TinyBook) -> None:
    target = book.root / "build" / "text"
    assert build(book.root / "book", target, CONFIG, builder="text", status=None) == 0
    text = (target / "appendix.txt").read_text()
    for part in (
        "“sums are differences”",
        "Believed:** −1",
        "Found:** 7",
        "The probe",
        "return Probe(believed=3 - 4, found=3 + 4)",
    ):
        assert part in text


def line(text: str, part: str) -> int:
    """The line in which ``part`` stands first."""
    return text[: text.index(part)].count("\n") + 1


def test_all_mistakes_are_found_in_one_build(book: TinyBook) -> None:
    probes = PROBES.replace("def square", "def sqare").replace("3 + 4)", "0 - 1)")
    book.write(f"{PACKAGE}/chapter.py", probes)
    book.write(f"{PACKAGE}/other.py", "def broken(:\n")
    again = "\n```{misconceptions} chapter\n```\n"
    appendix = APPENDIX + again + again.replace("chapter", "chaptre")
    book.write("book/appendix.md", appendix)
    unnamed = (
        ":::{admonition} Misconception: nameless\n:class: misconception\nText.\n:::"
    )
    other = CHAPTER.replace("chapter-", "second-").replace(":snippet: chapter", "")
    other = other[other.index(MARK) :]
    book.write("book/second.md", f"# Second\n\n{other}\n{unnamed}\n")
    book.index("chapter", "second", "appendix")
    found = book.build()
    second = (book.root / "book/second.md").read_text()
    expected = {
        "snippets/misconceptions/other.py:1: invalid syntax": "probe",
        f"snippets/misconceptions/chapter.py:{line(probes, 'def sqare')}: no chapter "
        "treats the misconception of the probe 'chapter-sqare'; did you mean "
        "'chapter-square'?": "probe",
        f"snippets/misconceptions/chapter.py:{line(probes, 'def sum')}: the probe "
        "'chapter-sum' failed with AssertionError: the belief is right": "probe",
        f"book/chapter.md:{line(CHAPTER, MARK)}: the misconception 'chapter-square' "
        "has no probe; write '@misconception def square() -> Probe' in "
        "snippets/misconceptions/chapter.py": "probe",
        f"book/second.md:{line(second, MARK)}: the misconception 'second-square' has "
        "no probe": "probe",
        f"book/second.md:{line(second, ':::{admonition} Misconception: s')}: the "
        "misconception 'second-sum' has no probe": "probe",
        f"book/second.md:{line(second, unnamed)}: a misconception has the title "
        "'Misconception: ' with the belief, and ':name: misconception-second-…'; "
        "write both": "admonition",
        f"book/second.md:{line(second, MARK)}: no list of misconceptions names this "
        "chapter; write '{misconceptions} second' under a heading in appendix.md": (
            "list"
        ),
        "book/appendix.md:8: second list of 'chapter'; keep one": "list",
        "book/appendix.md:11: no chapter 'chaptre' with misconceptions; did you mean "
        "'chapter'? (chapters: chapter, second)": "list",
    }
    for start, category in expected.items():
        matching = [text for text in found if text.startswith(start)]
        assert len(matching) == 1, (start, found)
        assert matching[0].endswith(f"[misconceptions.{category}]")
    assert len(found) == len(expected)


def test_a_withheld_chapter_may_be_listed_and_have_no_belief() -> None:
    book = Beliefs()
    book.beliefs = {"a": [Belief("a-x", "a", 3, [])], "hidden": []}
    book.lists = {"z": [("a", 1), ("hidden", 5)]}
    assert list(wrong_lists(book, {"hidden"})) == []
    [(place, message)] = wrong_lists(book, set())
    assert place == ("z", 5)
    assert message == "no chapter 'hidden' with misconceptions (chapters: a)"


def test_a_probe_is_asked_for_in_the_module_that_fits_its_name() -> None:
    book = Beliefs()
    book.beliefs = {"a": [Belief(name, "a", 3, []) for name in ("a-x", "b-c-y-z")]}
    messages = [message for _, message in without_probe(book, ["b-c"])]
    assert (
        "'@misconception def x() -> Probe' in snippets/misconceptions/a.py"
        in (messages[0])
    )
    assert "def y_z() -> Probe' in snippets/misconceptions/b_c.py" in messages[1]


def test_a_title_without_its_beginning_is_a_mistake(book: TinyBook) -> None:
    book.write("book/chapter.md", CHAPTER.replace("Misconception: sums", "Sums"))
    assert any(
        "a misconception has the title 'Misconception: '" in text
        for text in book.build()
    )


def test_a_book_without_the_appendix_runs_no_probe(book: TinyBook) -> None:
    book.write(f"{PACKAGE}/chapter.py", "def broken(:\n")
    (book.root / "book/appendix.md").unlink()
    book.index("chapter")
    assert book.build() == []
    assert not (book.root / "cells" / "misconception-probes.json").exists()


def test_the_appendix_follows_probes_and_chapters(book: TinyBook) -> None:
    def second() -> str:
        term, definition = entries(book, "incremental")[1]
        return term.get_text() + definition.get_text()

    probes = PROBES.replace("\n\n\n@", "\nfrom snippets.steps import STEP\n\n\n@", 1)
    probes = probes.replace("found=3 + 4", "found=STEP")
    book.write("snippets/steps.py", "STEP = 7\n")
    book.write(f"{PACKAGE}/chapter.py", probes)
    assert book.build_incrementally() == []
    assert "Found: 7" in second()
    # What was found, what is shown of the probe, and the belief, one at a time.
    book.write("snippets/steps.py", "STEP = 34\n")
    assert book.build_incrementally() == []
    assert "Found: 34" in second()
    book.write(f"{PACKAGE}/chapter.py", probes.replace("`3 + 4`", "Seven"))
    assert book.build_incrementally() == []
    assert "Seven" in second()
    book.write("book/chapter.md", CHAPTER.replace("sums are", "Sums were"))
    assert book.build_incrementally() == []
    assert "Sums were" in second()


def test_a_page_that_is_read_again_counts_once(book: TinyBook) -> None:
    assert book.build_incrementally() == []
    book.write("book/appendix.md", f"{APPENDIX}\nMore.\n")
    book.write("book/chapter.md", f"{CHAPTER}\nMore.\n")
    assert book.build_incrementally() == []
    book.write("book/chapter.md", CHAPTER[: CHAPTER.index(MARK)])
    assert any("no chapter treats" in text for text in book.build_incrementally())


def test_a_second_chapter_has_its_own_list(book: TinyBook) -> None:
    for path, text in {
        "book/second.md": CHAPTER.replace("chapter", "second"),
        f"{PACKAGE}/second.py": PROBES,
        "snippets/second.py": SNIPPET,
    }.items():
        book.write(path, text)
    second = APPENDIX[APPENDIX.index("##") :].replace("chapter", "second")
    book.write("book/appendix.md", f"{APPENDIX}\n{second}")
    book.index("chapter", "second", "appendix")
    assert book.build() == []
    page = BeautifulSoup(book.page("appendix"), "lxml")
    links = [link["href"].partition("#")[0] for link in page.select("dt a")]
    assert links == ["chapter.html"] * 2 + ["second.html"] * 2
