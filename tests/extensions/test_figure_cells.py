"""Figures that a cell makes: in the text, on the page, and with their mistakes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chapter_notebook import read_chapter
from figure_cells import find_figures
from snippet_cells import SnippetLibrary
from tests.tiny_book import TinyBook

CHAPTER = """\
# A chapter

```{code-cell} python
:snippet: chapter#data
```

Below is {numref}`fig-chapter-line`.

:::{figure} chapter#figure-line
:name: fig-chapter-line

A line of *length* {eval}`x`,
drawn.
:::

The last line: {eval}`x + 1`.
"""
SNIPPET = '''\
"""Cells of the chapter."""

# %% data
x = 23

# %% figure-line
class Drawn:
    def _repr_mimebundle_(self, **_):
        svg = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9"/></svg>'
        html = f'<div class="drawn">{svg}</div>'
        alt = "A line from left to right."
        return {"text/html": html, "image/svg+xml": svg, "text/plain": alt}

Drawn()
'''


@pytest.fixture
def book(tiny_book: TinyBook) -> TinyBook:
    tiny_book.write("book/chapter.md", CHAPTER)
    tiny_book.write("snippets/chapter.py", SNIPPET)
    return tiny_book


def test_a_block_becomes_a_cell_line_for_line() -> None:
    text, figures = find_figures(CHAPTER)
    before, after = CHAPTER.splitlines(), text.splitlines()
    assert len(before) == len(after)
    changed = [n for n, line in enumerate(before, 1) if line != after[n - 1]]
    assert set(changed) <= set(range(9, 15))
    assert after[8:11] == [
        "```{code-cell} python",
        ":snippet: chapter#figure-line",
        ":figure: 9",
    ]
    [(line, figure)] = figures.items()
    assert (line, figure.line, figure.name) == (9, 9, "fig-chapter-line")
    # The caption's lines count from the first of the block.
    assert figure.caption.split("\n")[3] == "A line of *length* {eval}`x`,"
    assert before[9 - 1 + 3] == "A line of *length* {eval}`x`,"
    assert figure.wrong == ""


def test_a_figure_from_a_file_is_left_alone() -> None:
    text = ":::{figure} figures/line.svg\n:alt: A line.\n\nA caption.\n:::\n"
    assert find_figures(text) == (text, {})


def test_the_values_of_a_caption_are_asked_for_after_its_cell() -> None:
    chapter = read_chapter(CHAPTER, SnippetLibrary(Path("nowhere")))
    asked = {(item.text, item.after, item.line) for item in chapter.evaluations}
    assert asked == {("x", 2, 12), ("x + 1", 2, 16)}


def test_a_page_shows_the_figure_with_its_number_and_no_code(book: TinyBook) -> None:
    assert book.build() == []
    page = book.page("chapter")
    figure = re.search(r'<figure[^>]*id="fig-chapter-line".*?</figure>', page, re.S)
    assert figure
    assert '<div class="drawn"><svg' in figure[0]
    assert "Fig. 1.1" in figure[0]
    assert "<em>length</em> 23," in figure[0]
    assert "class Drawn" not in page
    assert re.search(r'href="#fig-chapter-line"[^>]*>.*?Fig. 1.1', page)
    assert "The last line: 24." in page


def test_a_changed_value_changes_the_caption(book: TinyBook) -> None:
    assert book.build_incrementally() == []
    book.write("snippets/chapter.py", SNIPPET.replace("x = 23", "x = 42"))
    assert book.build_incrementally() == []
    assert "<em>length</em> 42," in book.page("chapter", "incremental")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            ":name: fig-chapter-line\n",
            "",
            "a figure has a ':name: fig-…' and, after a blank line, a caption",
        ),
        (
            "A line of *length* {eval}`x`,\ndrawn.\n",
            "",
            "a figure has a ':name: fig-…' and, after a blank line, a caption",
        ),
        (
            ":name: fig",
            ":alt: A line.\n:name: fig",
            "the alternative text of this figure comes from its run; remove ':alt:'",
        ),
        (
            ":name: fig",
            ":width: 3\n:name: fig",
            "this figure knows no option ':width:'; remove it",
        ),
    ],
)
def test_a_mistake_in_the_block_is_reported_at_its_line(
    book: TinyBook, old: str, new: str, message: str
) -> None:
    book.write("book/chapter.md", CHAPTER.replace(old, new))
    assert f"book/chapter.md:9: {message} [snippets.figure]" in book.build()


def test_an_unknown_cell_is_reported(book: TinyBook) -> None:
    book.write("book/chapter.md", CHAPTER.replace("#figure-line", "#figure-lime"))
    assert any(
        line.startswith("book/chapter.md:")
        and "no cell 'figure-lime'" in line
        and "did you mean 'figure-line'" in line
        for line in book.build()
    )


@pytest.mark.parametrize("last", ["x", "x = 2", "print(x); Drawn()", "Drawn().y"])
def test_a_cell_that_gives_no_figure_is_reported(book: TinyBook, last: str) -> None:
    snippet = SNIPPET.removesuffix("Drawn()\n") + f"{last}\n"
    book.write("snippets/chapter.py", snippet)
    lines = book.build()
    if last == "Drawn().y":  # its own error, and no second one
        assert any("AttributeError" in line for line in lines)
        assert not any("gives no figure" in line for line in lines)
    else:
        assert any("book/chapter.md:9: the cell gives no figure" in x for x in lines)


def test_a_figure_without_a_text_is_reported(book: TinyBook) -> None:
    book.write(
        "snippets/chapter.py", SNIPPET.replace('"A line from left to right."', '""')
    )
    assert any("without a text that says what it shows" in x for x in book.build())


def test_a_mistake_in_the_caption_is_reported_in_its_block(book: TinyBook) -> None:
    book.write("book/chapter.md", CHAPTER.replace("drawn.", "drawn [x](#nowhere)."))
    lines = book.build()
    assert any(
        re.match(r"book/chapter\.md:(?:9|1[0-4]): .*nowhere", x) for x in lines
    ), lines
