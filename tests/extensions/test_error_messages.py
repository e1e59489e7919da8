"""The appendix of error messages: complete, from this build, and up to date."""

from __future__ import annotations

import nbformat
import pytest
from bs4 import BeautifulSoup

from build_book import build
from cell_messages import Entry, Messages, Run, mistakes, run_of
from tests.tiny_book import CONFIG, SNIPPET, TinyBook

CELLS = f"""{SNIPPET}
# %% divided
with raises(ZeroDivisionError, "division by zero"):
    # Nothing is left.
    x / 0

# %% divided-again
with raises(ZeroDivisionError, "division by zero"):
    1 / 0

# %% remainder
with raises(ZeroDivisionError, "modulo by zero"):
    1 % 0

# %% caught
for text in ("3", "three"):
    try:
        print(int(text))
    except ValueError as error:
        print("no:", error)
"""
CHAPTER = """\
# A chapter

```{code-cell} python
:snippet: chapter#data
```

## To *divide*

```{code-cell} python
:snippet: chapter#divided
```

```{code-cell} python
:snippet: chapter#divided-again
```

:::{exercise} Recall
:label: ex-one
Divide.
:::

:::{solution-start} ex-one
:::
```{code-cell} python
:snippet: chapter#remainder
```
:::{solution-end}
:::

```{code-cell} python
:snippet: chapter#caught
```
"""
APPENDIX = """\
# Error messages

```{error-message} chapter#divided chapter#divided-again chapter#remainder
There is *no* such number.

Ask before you divide.
```

```{error-message} chapter#caught
:printed: invalid literal

Not a number.
```
"""


@pytest.fixture
def book(tiny_book: TinyBook) -> TinyBook:
    """A chapter with four messages, and the appendix that explains them."""
    tiny_book.write("snippets/chapter.py", CELLS)
    tiny_book.write("book/chapter.md", CHAPTER)
    tiny_book.write("book/appendix.md", APPENDIX)
    tiny_book.index("chapter", "appendix")
    return tiny_book


def run(docname: str = "a", line: int = 1, error: str = "", *printed: str) -> Run:
    return Run(docname, line, "1 / 0", error, printed)


def test_what_a_cell_gave() -> None:
    cell = nbformat.v4.new_code_cell("1 / 0")
    cell.metadata["line"] = 7
    cell.outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="one\ntwo\n"),
        nbformat.v4.new_output("error", ename="E", evalue="m\nn", traceback=[]),
    ]
    assert run_of("a", cell, "S") == Run(
        "a", 7, "1 / 0", "E: m\nn", ("one", "two"), "S"
    )


def test_a_printed_message_is_the_first_line_that_holds_the_part() -> None:
    given = run("a", 1, "E: m", "one", "two", "too")
    assert given.message("") == "E: m"
    assert given.message("o") == "one"
    assert given.message("t") == "two"
    assert given.message("x") == ""


def test_every_mistake_has_its_place_and_remedy() -> None:
    runs = {
        "m#fails": run("a", 10, "E: m"),
        "m#also-fails": run("a", 20, "E: n"),
        "m#prints": run("a", 30, "", "word"),
    }
    entries = [
        Entry("z", 1, ("m#fails", "m#fail"), ""),
        Entry("z", 2, ("m#fails",), ""),
        Entry("z", 3, ("m#prints",), ""),
        Entry("z", 4, ("m#prints",), "worth"),
        Entry("z", 5, ("m#prints",), "word"),
    ]
    found = list(mistakes(Messages({"a": runs}, {"z": entries})))
    assert [(page, line) for page, line, _ in found] == [
        ("z", 1),
        ("z", 2),
        ("z", 3),
        ("z", 4),
        ("a", 20),
    ]
    texts = [text for *_, text in found]
    assert texts[0] == "no page draws the cell 'm#fail'; did you mean 'm#fails'?"
    assert texts[1] == "second entry for the error of 'm#fails'; keep one"
    assert texts[2].startswith("the cell 'm#prints' does not end in an error")
    assert "':printed:'" in texts[2]
    assert "prints no line with 'worth'" in texts[3]
    assert texts[4] == (
        "the error of the cell 'm#also-fails' is not explained; write "
        "'{error-message} m#also-fails' with an explanation in z.md"
    )


def test_an_entry_has_messages_explanation_places_and_code(book: TinyBook) -> None:
    assert book.build() == []
    page = BeautifulSoup(book.page("appendix"), "lxml")
    first, second = page.select("div.error-message")
    assert [block.get_text().strip() for block in first.select(".message pre")] == [
        "ZeroDivisionError: division by zero",
        "ZeroDivisionError: integer modulo by zero",
    ]
    paragraphs = [text.get_text() for text in first.find_all("p", recursive=False)]
    assert paragraphs == [
        "There is no such number.",
        "Ask before you divide.",
        "Met in A chapter: To divide; A chapter: To divide (2); "
        "A chapter: To divide (3).",
    ]
    links = [link["href"] for link in first.select(".met-in a")]
    chapter = BeautifulSoup(book.page("chapter"), "lxml")
    for link, name in zip(
        links, ["divided", "divided-again", "remainder"], strict=True
    ):
        assert link == f"chapter.html#cell-{name}"
        assert chapter.select_one(f"div.cell#cell-{name} .traceback")
    folded = first.select("details.folded")
    assert [box.summary.get_text() for box in folded] == [
        "The code in A chapter: To divide",
        "The code in A chapter: To divide (2)",
        "The code in A chapter: To divide (3)",
    ]
    assert folded[0].pre.get_text().strip() == "# Nothing is left.\nx / 0"
    assert second.select_one(".message pre").get_text().strip() == (
        "no: invalid literal for int() with base 10: 'three'"
    )
    assert second.summary.get_text() == "The code"


def test_another_builder_shows_the_same_unfolded(book: TinyBook) -> None:
    # sphinx-exercise knows no text builder; its boxes are not what is tested here.
    lines = [line for line in CHAPTER.splitlines() if not line.startswith(":::")]
    book.write("book/chapter.md", "\n".join(lines).replace(":label: ex-one", ""))
    target = book.root / "build" / "text"
    assert build(book.root / "book", target, CONFIG, builder="text", status=None) == 0
    text = (target / "appendix.txt").read_text()
    for part in (
        "ZeroDivisionError: division by zero",
        "There is *no* such number.",
        "Met in A chapter: To divide",
        "x / 0",
    ):
        assert part in text


def test_all_mistakes_are_found_in_one_build(book: TinyBook) -> None:
    appendix = APPENDIX.replace(" chapter#remainder", " chapter#data")
    appendix += "\n```{error-message} chapter#dividid\n```\n"
    book.write("book/appendix.md", appendix)
    found = book.build()
    above = CHAPTER[: CHAPTER.index(":snippet: chapter#remainder")]
    cell = above.count("\n")  # the line above the option
    assert len(found) == 4
    assert found[0].startswith(
        "book/appendix.md:15: no explanation of the message of chapter#dividid; write "
    )
    for start in (
        "book/appendix.md:3: the cell 'chapter#data' does not end in an error",
        "book/appendix.md:15: no page draws the cell 'chapter#dividid'; did you mean "
        "'chapter#divided'?",
        f"book/chapter.md:{cell}: the error of the cell 'chapter#remainder' is not "
        "explained; write '{error-message} chapter#remainder'",
    ):
        assert sum(text.startswith(start) for text in found) == 1, (start, found)
    assert all(text.endswith(" [error-messages.entry]") for text in found)


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        (
            "snippets/chapter.py",
            "x = 20 + 3",
            "x = y",
            "book/chapter.md:3: chapter#data",
        ),
        (
            "snippets/chapter.py",
            '"division by zero"):\n    # N',
            '"division by one"):\n    # N',
            "book/chapter.md:9: chapter#divided must raise",
        ),
        (
            "book/chapter.md",
            "chapter#divided-again",
            "chapter#divided-agan",
            "book/chapter.md:13: no cell 'divided-agan'",
        ),
    ],
)
def test_a_chapter_that_failed_is_one_mistake(
    book: TinyBook, path: str, old: str, new: str, expected: str
) -> None:
    text = (book.root / path).read_text()
    assert text.count(old) == 1
    book.write(path, text.replace(old, new))
    [line] = book.build()
    assert line.startswith(expected)


def test_what_a_failed_page_does_not_draw_is_still_a_mistake(book: TinyBook) -> None:
    book.write("snippets/chapter.py", CELLS.replace("x = 20 + 3", "x = y"))
    appendix = APPENDIX + "\n```{error-message} chaptr#divided\nA slip.\n```\n"
    book.write("book/appendix.md", appendix)
    _, line = book.build()
    assert line.startswith("book/appendix.md:15: no page draws the cell 'chaptr#div")


def test_a_failed_chapter_that_is_mended_is_judged_again(book: TinyBook) -> None:
    broken = CELLS.replace("x = 20 + 3", "x = y")
    book.write("snippets/chapter.py", broken)
    [_] = book.build_incrementally()
    unexplained = APPENDIX.replace(" chapter#remainder", "")
    book.write("book/appendix.md", unexplained)
    book.write("snippets/chapter.py", CELLS)
    [line] = book.build_incrementally()
    assert "the error of the cell 'chapter#remainder' is not explained" in line
    book.write("book/appendix.md", APPENDIX)
    assert book.build_incrementally() == []


def test_a_book_without_the_appendix_need_not_explain(book: TinyBook) -> None:
    (book.root / "book/appendix.md").unlink()
    book.index("chapter")
    assert book.build() == []


def test_the_appendix_follows_the_cells_and_the_titles(book: TinyBook) -> None:
    def text() -> str:
        page = BeautifulSoup(book.page("appendix", "incremental"), "lxml")
        return page.get_text()

    assert book.build_incrementally() == []
    assert "'three'" in text()
    book.write("snippets/chapter.py", CELLS.replace('"three"', '"thirteen"'))
    assert book.build_incrementally() == []
    assert "'thirteen'" in text()
    book.write("book/chapter.md", CHAPTER.replace("To *divide*", "Division"))
    assert book.build_incrementally() == []
    assert "A chapter: Division" in text()
    book.write("book/chapter.md", CHAPTER.replace("# A chapter", "# The first"))
    assert book.build_incrementally() == []
    assert "The first: To divide" in text()


def test_a_page_that_is_read_again_counts_once(book: TinyBook) -> None:
    assert book.build_incrementally() == []
    book.write("book/appendix.md", f"{APPENDIX}\nMore.\n")
    book.write("book/chapter.md", f"{CHAPTER}\nMore.\n")
    assert book.build_incrementally() == []
