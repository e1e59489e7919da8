"""Each mistake an author can make ends as one line with file, line and remedy."""

import html
import re

import pytest

from tests.tiny_book import CHAPTER, SNIPPET, TinyBook

ANSWERED = """
:::{exercise} Recall: what?
:label: ex-what
Why?
:::

:::{solution-start} ex-what
:::
Because.
:::{solution-end}
:::
"""
PLACE = re.compile(r"^(?P<file>[\w./-]+):(?P<line>\d+): .+ \[[a-z_]+(\.[\w-]+)?\]$")


def the_line(lines: list[str]) -> str:
    assert len(lines) == 1, lines
    assert PLACE.match(lines[0]), lines[0]
    assert "Traceback" not in lines[0]
    return lines[0]


def test_a_book_without_mistakes_builds_silently(tiny_book: TinyBook) -> None:
    tiny_book.write("book/chapter.md", CHAPTER + ANSWERED)
    assert tiny_book.build() == []
    page = tiny_book.page("chapter")
    assert "The value is 23." in page
    assert "x is 23" in page


@pytest.mark.parametrize(
    ("reference", "line", "said"),
    [
        ("chaptr#data", 3, "no module snippets/chaptr.py; did you mean 'chapter'?"),
        (
            "chapter#dta",
            3,
            "no cell 'dta' in snippets/chapter.py; did you mean 'data'?",
        ),
        ("chapter", 3, "':snippet: chapter' is not 'module#cell'"),
    ],
)
def test_a_reference_that_does_not_resolve(
    tiny_book: TinyBook, reference: str, line: int, said: str
) -> None:
    chapter = CHAPTER.replace("chapter#data", reference).replace("{eval}`x`", "23")
    tiny_book.write("book/chapter.md", chapter)
    found = the_line(tiny_book.build())
    assert found.startswith(f"book/chapter.md:{line}: {said}")
    assert found.endswith("[snippets.cell]")


def test_a_duplicate_cell(tiny_book: TinyBook) -> None:
    tiny_book.write("snippets/chapter.py", SNIPPET + "\n# %% data\ny = 1\n")
    found = the_line(tiny_book.build())
    assert "snippets/chapter.py:9: duplicate cell 'data' (first in line 5)" in found


def test_a_body_beside_a_snippet(tiny_book: TinyBook) -> None:
    chapter = CHAPTER.replace("#data\n", "#data\n\nx = 5\n")
    tiny_book.write("book/chapter.md", chapter)
    assert "has a body beside ':snippet: chapter#data'" in the_line(tiny_book.build())


def test_a_cell_without_a_snippet(tiny_book: TinyBook) -> None:
    tiny_book.write("book/chapter.md", "# A\n\n```{code-cell} python\nx = 5\n```\n")
    found = the_line(tiny_book.build())
    assert found.startswith("book/chapter.md:3: a code cell draws its code from")


def test_a_failing_cell(tiny_book: TinyBook) -> None:
    tiny_book.write("snippets/chapter.py", SNIPPET + "x.backward()\n")
    found = the_line(tiny_book.build())
    assert found.startswith(
        "book/chapter.md:3: chapter#data failed with AttributeError: 'int' object has "
        "no attribute 'backward' [line 3 of the cell]"
    )


def test_a_broken_cell_that_fails_otherwise(tiny_book: TinyBook) -> None:
    broken = (
        '\n# %% broken\nwith raises(TypeError, "yes"):\n    raise TypeError("no")\n'
    )
    tiny_book.write("snippets/chapter.py", SNIPPET + broken)
    cell = "\n```{code-cell} python\n:snippet: chapter#broken\n```\n"
    tiny_book.write("book/chapter.md", CHAPTER + cell)
    found = the_line(tiny_book.build())
    assert "book/chapter.md:9: chapter#broken must raise TypeError" in found
    assert "but raised TypeError: no;" in found


def test_a_broken_cell_that_fails_as_promised(tiny_book: TinyBook) -> None:
    broken = '\n# %% broken\nwith raises(TypeError, "not iterable"):\n    list(1)\n'
    tiny_book.write("snippets/chapter.py", SNIPPET + broken)
    cell = "\n```{code-cell} python\n:snippet: chapter#broken\n```\n"
    tiny_book.write("book/chapter.md", CHAPTER + cell)
    assert tiny_book.build() == []
    page = re.sub(r"<[^>]+>", "", tiny_book.page("chapter"))
    assert "with raises" not in page
    assert "TypeError: 'int' object is not iterable" in html.unescape(page)


def test_a_hanging_cell(tiny_book: TinyBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINY_BOOK_TIMEOUT", "3")
    tiny_book.write("snippets/chapter.py", SNIPPET + "while True:\n    pass\n")
    found = the_line(tiny_book.build())
    assert "book/chapter.md:3: chapter#data ran longer than 3 s" in found


def test_a_dying_kernel_harms_no_other_chapter(tiny_book: TinyBook) -> None:
    tiny_book.write("snippets/other.py", SNIPPET + "x.nonsense\n")
    tiny_book.write("book/other.md", CHAPTER.replace("chapter#", "other#"))
    tiny_book.index("chapter", "other")
    tiny_book.write("snippets/chapter.py", SNIPPET + "import os\nos._exit(1)\n")
    dead, failed = tiny_book.build()
    assert dead.startswith("book/chapter.md:3: the kernel died while it ran")
    assert failed.startswith("book/other.md:3: other#data failed with AttributeError")


def test_output_on_stderr(tiny_book: TinyBook) -> None:
    warn = "import sys\nprint('careful', file=sys.stderr)\n"
    tiny_book.write("snippets/chapter.py", SNIPPET + warn)
    found = the_line(tiny_book.build())
    assert "chapter#data wrote to stderr: careful; remove what causes it" in found


def test_an_address_in_an_output(tiny_book: TinyBook) -> None:
    tiny_book.write("snippets/chapter.py", SNIPPET + "print(object())\n")
    assert "holds a memory address (0x" in the_line(tiny_book.build())


def test_a_value_that_cannot_be_computed(tiny_book: TinyBook) -> None:
    tiny_book.write("book/chapter.md", CHAPTER.replace("`x`", "`y`"))
    found = the_line(tiny_book.build())
    assert found.startswith(
        "book/chapter.md:7: {eval}`y` failed: NameError: name 'y' is not defined"
    )


def test_a_value_before_the_first_cell(tiny_book: TinyBook) -> None:
    chapter = CHAPTER.replace("# A chapter\n", "# A chapter\n\nIt is {eval}`x`.\n")
    tiny_book.write("book/chapter.md", chapter)
    found = the_line(tiny_book.build())
    assert found.startswith("book/chapter.md:3: no cell stands before {eval}`x`")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("See [there](#nowhere).", "'nowhere'"),
        ("See {eq}`eq-nowhere`.", "equation not found: eq-nowhere"),
        ("See {cite:t}`nobody1900`.", '"nobody1900"'),
        ("A {term}`gradeint`.", "gradeint"),
    ],
)
def test_a_label_or_citation_that_does_not_exist(
    tiny_book: TinyBook, text: str, said: str
) -> None:
    tiny_book.write("book/chapter.md", f"{CHAPTER}\n{text}\n")
    found = the_line(tiny_book.build())
    assert found.startswith("book/chapter.md:9: ")
    assert said in found


def test_a_question_without_answer(tiny_book: TinyBook) -> None:
    question = ANSWERED.partition(":::{solution")[0]
    tiny_book.write("book/chapter.md", CHAPTER + question)
    found = the_line(tiny_book.build())
    assert found.startswith("book/chapter.md:10: exercise 'ex-what' has no answer;")


def test_an_answer_without_question(tiny_book: TinyBook) -> None:
    answer = ":::{solution" + ANSWERED.partition(":::{solution")[2]
    tiny_book.write("book/chapter.md", CHAPTER + answer)
    assert the_line(tiny_book.build()) == (
        "book/chapter.md:8: answer to 'ex-what', but no exercise has this label; "
        "correct the label [answers.pair]"
    )


def test_a_misspelt_answer_is_one_mistake(tiny_book: TinyBook) -> None:
    misspelt = ANSWERED.replace("start} ex-what", "start} ex-whta")
    tiny_book.write("book/chapter.md", CHAPTER + misspelt)
    tiny_book.write("book/other.md", "# Other\n\nSee [](#ex-what).\n")
    tiny_book.index("chapter", "other")
    assert the_line(tiny_book.build()) == (
        "book/chapter.md:14: answer to 'ex-whta', but no exercise has this label; did "
        "you mean 'ex-what'?; correct the label [answers.pair]"
    )


def test_labels_that_are_not_alike_are_two_mistakes(tiny_book: TinyBook) -> None:
    other = ANSWERED.replace("start} ex-what", "start} ex-loss")
    tiny_book.write("book/chapter.md", CHAPTER + other)
    first, second = tiny_book.build()
    assert first.startswith("book/chapter.md:10: exercise 'ex-what' has no answer;")
    assert second.startswith("book/chapter.md:14: answer to 'ex-loss', but no exercise")


def test_an_answer_in_another_chapter(tiny_book: TinyBook) -> None:
    question, mark, answer = ANSWERED.partition(":::{solution")
    tiny_book.write("book/chapter.md", CHAPTER + question)
    tiny_book.write("book/other.md", f"# Other\n\n{mark}{answer}")
    tiny_book.index("chapter", "other")
    found = the_line(tiny_book.build())
    assert found.startswith(
        "book/other.md:3: the answer to 'ex-what' stands in another"
    )


def test_two_answers_to_one_question(tiny_book: TinyBook) -> None:
    answer = ":::{solution" + ANSWERED.partition(":::{solution")[2]
    tiny_book.write("book/chapter.md", CHAPTER + ANSWERED + "\n" + answer)
    found = the_line(tiny_book.build())
    assert "second answer to exercise 'ex-what'; keep one" in found


def test_an_image_without_alternative_text(tiny_book: TinyBook) -> None:
    tiny_book.write("book/dot.svg", '<svg xmlns="http://www.w3.org/2000/svg"/>')
    tiny_book.write("book/chapter.md", CHAPTER + "\n```{image} dot.svg\n```\n")
    found = the_line(tiny_book.build())
    assert found.startswith("book/chapter.md:9: the image 'dot.svg' has no alternative")


def test_an_image_that_does_not_exist(tiny_book: TinyBook) -> None:
    tiny_book.write("book/chapter.md", CHAPTER + "\n![A dot](dot.svg)\n")
    found = the_line(tiny_book.build())
    assert found.startswith("book/chapter.md:9: ")
    assert "dot.svg" in found


def test_a_chapter_missing_from_the_contents(tiny_book: TinyBook) -> None:
    tiny_book.write("book/forgotten.md", "# Forgotten\n")
    [found] = tiny_book.build()
    assert found.startswith("book/forgotten.md:1: document isn't included in any")
    assert "; add it to the contents in index.md" in found


def test_an_unclosed_fence(tiny_book: TinyBook) -> None:
    chapter = CHAPTER.replace("#data\n```\n", "#data\n") + ANSWERED
    tiny_book.write("book/chapter.md", chapter)
    first, *_ = tiny_book.build()
    assert first.startswith(
        "book/chapter.md:3: the fence '```{code-cell} python' is not"
    )
    assert PLACE.match(first)


def test_a_wrong_encoding(tiny_book: TinyBook) -> None:
    tiny_book.write("book/chapter.md", "# Übung\n\nZwei\n".encode("latin-1"))
    assert the_line(tiny_book.build()) == (
        "book/chapter.md:1: the file is not UTF-8; save it with that encoding "
        "[snippets.encoding]"
    )


def test_a_snippet_in_a_wrong_encoding(tiny_book: TinyBook) -> None:
    tiny_book.write("snippets/chapter.py", '"""Übung"""\n# %% data\n'.encode("latin-1"))
    assert "snippets/chapter.py: not UTF-8" in the_line(tiny_book.build())


def test_invalid_python_in_a_snippet(tiny_book: TinyBook) -> None:
    tiny_book.write("snippets/chapter.py", SNIPPET + "x = (\n")
    assert "snippets/chapter.py:8: '(' was never closed" in the_line(tiny_book.build())


@pytest.mark.parametrize(
    ("snippet", "said"),
    [
        (SNIPPET + "x = (\n", "snippets/chapter.py:8: '(' was never closed"),
        (SNIPPET + "\n# %% data\ny = 1\n", "snippets/chapter.py:9: duplicate cell"),
        (None, "no module snippets/chapter.py"),
    ],
)
def test_a_module_that_cannot_be_read_is_one_mistake(
    tiny_book: TinyBook, snippet: str | None, said: str
) -> None:
    more = CHAPTER[CHAPTER.index("```") :]
    tiny_book.write("book/chapter.md", CHAPTER + more + more.replace("#data", "#more"))
    if snippet is None:
        (tiny_book.root / "snippets" / "chapter.py").unlink()
    else:
        tiny_book.write("snippets/chapter.py", snippet)
    found = the_line(tiny_book.build())
    assert found.startswith(f"book/chapter.md:3: {said}")


def test_each_cell_that_is_misspelt_is_a_mistake(tiny_book: TinyBook) -> None:
    more = CHAPTER[CHAPTER.index("```") :]
    chapter = CHAPTER + more + more
    tiny_book.write("book/chapter.md", chapter.replace("#data", "#dta"))
    lines = tiny_book.build()
    places = [line.partition(" ")[0] for line in lines]
    assert places == [f"book/chapter.md:{number}:" for number in (3, 8, 13)]


def test_all_mistakes_are_reported_in_one_run(tiny_book: TinyBook) -> None:
    tiny_book.index("chapter", "other")
    tiny_book.write("book/other.md", "# Other\n\n[a](#nowhere)\n\n![](no.png)\n")
    tiny_book.write("book/chapter.md", CHAPTER.replace("#data", "#dta"))
    lines = tiny_book.build()
    assert {line.partition(": ")[0] for line in lines} >= {
        "book/chapter.md:3",
        "book/other.md:3",
        "book/other.md:5",
    }


def test_a_failed_build_leaves_the_last_good_one(tiny_book: TinyBook) -> None:
    tiny_book.build()
    good = tiny_book.page("chapter")
    tiny_book.write("book/chapter.md", CHAPTER.replace("#data", "#dta"))
    assert tiny_book.build()
    assert tiny_book.page("chapter") == good
    assert [path.name for path in tiny_book.html.parent.iterdir()] == ["html"]


def test_a_mistake_is_reported_again_by_the_next_build(tiny_book: TinyBook) -> None:
    tiny_book.write("snippets/chapter.py", SNIPPET + "x.backward()\n")
    assert tiny_book.build() == tiny_book.build() != []
