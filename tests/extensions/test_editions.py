"""A chapter without its answers: what goes, what stays, and on which line."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editions import Answer, withhold, without_entries
from tests.book.test_structure import BOOK, CHAPTERS

SECRET = "Geheimnis"


def dedent(text: str) -> str:
    return textwrap.dedent(text).strip("\n")


CHAPTER = dedent(
    """
    # Shapes

    :::{exercise} Recall: shape
    :label: ex-shape
    Which shape?
    :::

    :::{solution-start} ex-shape
    :class: dropdown
    :::
    It is (2, 3).

    (in-the-answer)=
    ```{code-cell} python
    :snippet: tensors#shape
    ```

    :::{figure} tensors#figure-shape
    :name: fig-shape

    A box.
    :::

    $$a = b$$ (eq-shape)
    :::{solution-end}
    :::

    More.
    """
)


def test_an_answer_leaves_the_lines_of_its_directives() -> None:
    edition = withhold(CHAPTER)
    before, _, rest = CHAPTER.partition(":class: dropdown\n")
    inside, _, after = rest.partition(":::{solution-end}")
    empty = "\n" * inside.count("\n")
    assert edition.text == f"{before}\n:::{empty}:::{{solution-end}}{after}"
    assert edition.problems == []
    [answer] = edition.answers
    assert answer == Answer("ex-shape", 8, f":class: dropdown\n{inside}".rstrip("\n"))
    assert answer.cells() == ["tensors#shape", "tensors#figure-shape"]
    assert answer.labels() == ["in-the-answer", "fig-shape", "eq-shape"]


@pytest.mark.parametrize(
    "answer",
    [
        f":::{{solution-start}} ex\n:::\n{SECRET}\n:::{{solution-end}}\n:::",
        # Another fence, other letters, more marks, no space, no empty lines.
        f"```{{solution-start}} ex\n```\n{SECRET}\n```{{solution-end}}\n```",
        f"~~~{{solution-start}} ex\n~~~\n{SECRET}\n~~~{{solution-end}}\n~~~",
        f":::{{Solution-Start}} ex\n:::\n{SECRET}\n:::{{SOLUTION-END}}\n:::",
        f":::::{{solution-start}} ex\n:::::\n{SECRET}\n:::{{solution-end}}\n:::",
        f"::: {{solution-start}}   ex\n:::\n{SECRET}\n:::{{solution-end}}\n:::",
        f":::{{solution-start}} ex\n:label: {SECRET}\n:::\n\n:::{{solution-end}}\n:::",
        f":::{{solution-start}} ex\n---\nclass: {SECRET}\n---\n:::\n"
        ":::{solution-end}\n:::",
        # Sphinx-exercise's answer in one block.
        f":::{{solution}} ex\n{SECRET}\n:::",
        f"::::{{solution}} ex\n:::{{note}}\n{SECRET}\n:::\n{SECRET}\n::::",
        f"````{{solution}} ex\n```\n{SECRET}\n```\n````",
        # Within a list and a quotation.
        f"1. text\n\n   :::{{solution-start}} ex\n   :::\n   {SECRET}\n"
        "   :::{solution-end}\n   :::",
        f"> :::{{solution-start}} ex\n> :::\n> {SECRET}\n> :::{{solution-end}}\n> :::",
        # With other ends of lines.
        f":::{{solution-start}} ex\r\n:::\r\n{SECRET}\r\n:::{{solution-end}}\r\n:::",
        f":::{{solution-start}} ex\r:::\r{SECRET}\r:::{{solution-end}}\r:::",
        # Fences, comments and the look of an end inside.
        f":::{{solution-start}} ex\n:::\n```\n:::{{solution-end}}\n:::\n```\n{SECRET}\n"
        ":::{solution-end}\n:::",
        f":::{{solution-start}} ex\n:::\n<!--\n:::{{solution-end}}\n-->\n{SECRET}\n"
        ":::{solution-end}\n:::",
        f":::{{solution-start}} ex\n:::\n% {SECRET}\n:::{{solution-end}}\n:::",
        f":::{{solution-start}} ex\n:::\n:::{{note}}\n{SECRET}\n:::\n"
        ":::{solution-end}\n:::",
    ],
)
def test_however_an_answer_is_written_it_goes(answer: str) -> None:
    edition = withhold(f"before\n\n{answer}\n\nafter")
    assert SECRET not in edition.text
    assert edition.problems == []
    assert [answer.question for answer in edition.answers] == ["ex"]
    assert SECRET in edition.answers[0].text
    assert edition.text.startswith("before\n\n")
    assert edition.text.endswith("\n\nafter")


@pytest.mark.parametrize(
    "shown",
    [
        "````md\n:::{solution-start} ex\n:::\ntext\n:::{solution-end}\n:::\n````",
        "    :::{solution-start} ex\n    :::\n    text",
        "<!-- \n:::{solution-start} ex\n:::\n-->",
        "`:::{solution-start} ex` text",
        "text\n% :::{solution-start} ex",
        ":::{solution-starter} ex\ntext\n:::",
        "::{solution-start} ex\n::\ntext",
    ],
)
def test_what_only_looks_like_an_answer_stays(shown: str) -> None:
    edition = withhold(f"{shown}\n\nmore\n")
    assert edition.text == f"{shown}\n\nmore\n"
    assert (edition.answers, edition.problems) == ([], [])


def test_an_answer_without_an_end_goes_up_to_the_next_and_is_reported() -> None:
    start = ":::{solution-start}"
    text = f"{start} a\n:::\n{SECRET}\n{start} b\n:::\n{SECRET}\n"
    edition = withhold(f"{text}# Title {SECRET}")
    assert edition.text == f"{start} a\n:::\n\n{start} b\n:::\n\n"
    assert [(p.line, p.message) for p in edition.problems] == [
        (line, f"the answer to '{name}' has no end; write ':::{{solution-end}}' and "
               "':::' below it")
        for line, name in ((1, "a"), (4, "b"))
    ]  # fmt: skip


def test_an_end_without_an_answer_is_reported() -> None:
    edition = withhold("text\n\n:::{solution-end}\n:::\n")
    [problem] = edition.problems
    assert problem.line == 3
    assert problem.message == "'{solution-end}' ends no answer; remove it"


def test_a_fence_that_swallows_the_end_loses_no_secret() -> None:
    text = f":::{{solution-start}} a\n:::\n```\n{SECRET}\n:::{{solution-end}}\n:::\nx"
    edition = withhold(text)
    assert SECRET not in edition.text
    assert [problem.line for problem in edition.problems] == [1]


@pytest.mark.parametrize("slug", CHAPTERS)
def test_of_a_chapter_of_the_book_exactly_the_answers_go(slug: str) -> None:
    """Read here in another way: the book's own answers begin and end plainly."""
    text = (BOOK / f"{slug}.md").read_text(encoding="utf-8")
    expected: list[str] = []
    inside, started, count = False, "", 0
    for line in text.split("\n"):
        inside = inside and not line.startswith(":::{solution-end}")
        # The line below {solution-start} closes its directive.
        expected.append("" if inside and expected[-1] != started else line)
        if line.startswith(":::{solution-start}"):
            inside, started, count = True, line, count + 1
    edition = withhold(text)
    assert edition.text.split("\n") == expected
    assert len(edition.answers) == count
    assert count >= 5


# Blocks of a page. Each part of an answer holds the secret, and nothing else does.
WORDS = st.sampled_from(
    ["plain", "*two* words", "$x_1$", "`code`", "", "- item", "% c"]
)
MARKS = st.sampled_from([":::", "::::", "```", "~~~"])


@st.composite
def block(draw: st.DrawFn, word: str) -> list[str]:
    """Lines of a block; those with a body say ``word``."""
    mark = draw(MARKS)
    words = draw(WORDS)
    body = draw(
        st.sampled_from(
            [
                [f"{words} {word}"],
                [f"## {word}"],
                [f"{mark}{{note}} {word}", f"{words} {word}", mark],
                [f"{mark}{{figure}} a#figure-b", f":name: {word}", "", word, mark],
                ["```python", f":::{{solution-end}} {word}", ":::", "```"],
                ["~~~", f":::{{solution-start}} {word}", ":::", "~~~"],
                ["````", "```", word, "````"],
                ["$$", f"{word} = 1", f"$$ ({word})"],
                [f"| {word} |", "| --- |", f"| {words} |"],
                [f"({word})=", f"text {word}"],
                [f"<!-- {word} -->"],
                ["```{code-cell} python", f":snippet: a#{word.lower()}", "```"],
            ]
        )
    )
    return [*body, ""]


@st.composite
def page(draw: st.DrawFn) -> tuple[str, str]:
    """A page, and the same without what its answers say."""
    whole: list[str] = []
    left: list[str] = []
    for number in range(draw(st.integers(1, 6))):
        if draw(st.booleans()):
            lines = draw(block("open"))
            whole += lines
            left += lines
            continue
        mark = draw(MARKS)
        start = [f"{mark}{{solution-start}} ex-{number}"]
        options = draw(st.sampled_from([[], [f":label: {SECRET}"]]))
        inside = [line for part in draw(st.lists(block(SECRET))) for line in part]
        end = [f"{mark}{{solution-end}}", mark, ""]
        whole += [*start, *options, mark, *inside, *end]
        left += [*start, *("" for _ in options), mark, *("" for _ in inside), *end]
    return "\n".join(whole), "\n".join(left)


@given(page())
def test_all_that_an_answer_says_goes_and_all_else_stays(
    texts: tuple[str, str],
) -> None:
    whole, left = texts
    edition = withhold(whole)
    assert edition.text == left
    assert edition.problems == []
    assert SECRET.lower() not in edition.text.lower()
    again = withhold(edition.text)
    assert again.text == left
    questions = [answer.question for answer in edition.answers]
    assert [answer.question for answer in again.answers] == questions


PIECES = st.sampled_from(
    [":::", "::::", "```", "{solution-start} a", "{solution-end}", "{solution} b", "\n",
     "\r", "\r\n", "    ", "> ", "- ", "text", "$$", "<!--", "-->", "\t", "\0", "\x0c"]
)  # fmt: skip


@given(st.lists(PIECES).map("".join) | st.text())
def test_any_text_keeps_its_lines(text: str) -> None:
    edition = withhold(text)
    before = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    after = edition.text.split("\n")
    assert len(after) == len(before)
    for old, new in zip(before, after, strict=True):
        assert new in (old, "")
    assert withhold(edition.text).text == edition.text


APPENDIX = dedent(
    """
    # Messages

    ```{error-message} a#one
    Only that.
    ```

    ```{error-message} a#two b#three  c#four
    Several.
    ```

    ````{error-message} b#three
    :printed: text

    ```
    code
    ```
    ````
    """
)


def test_an_appendix_loses_entries_and_names() -> None:
    text = without_entries(APPENDIX, {"b#three", "a#one"})
    expected = APPENDIX.replace(" a#two b#three  c#four", " a#two c#four").split("\n")
    for number in (*range(2, 5), *range(10, 17)):
        expected[number] = ""
    assert text.split("\n") == expected


def test_an_appendix_without_such_cells_is_as_it_was() -> None:
    assert without_entries(APPENDIX, {"d#five"}) == APPENDIX
