"""Passages of a chapter, the marks above them, and what needs a mark."""

from __future__ import annotations

import textwrap

import pytest

from prose import read_prose
from prose_checks import numbers_in, typed_numbers, unfounded_statements


def read(text):
    return read_prose(textwrap.dedent(text))


def typed(text, known=(), shown=None):
    found = typed_numbers(read(text), known, shown or {})
    return [(problem.line, problem.message) for problem in found]


def unfounded(text, tests=("test_loss_falls",)):
    found = unfounded_statements(read(text), tests)
    return [(problem.line, problem.message) for problem in found]


def test_passages_are_paragraphs_items_and_entries_with_their_lines():
    prose = read("""\
        (label)=
        # Heading 100

        First `code 100` line
        and $x = 100$ second.

        - one
        - two

        | a | b |
        | --- | --- |
        | c | d |

        ```{code-cell} python
        :snippet: a#b
        ```

        :::{admonition} Title 100
        :class: misconception
        :name: n

        Inside a [link 5](#x-100).
        :::
        """)
    assert [(item.line, item.words.replace("\N{OBJECT REPLACEMENT CHARACTER}", "_"))
            for item in prose.passages] == [
        (4, "First _ line\nand _ second."),
        (7, "one"),
        (8, "two"),
        (10, "a"), (10, "b"), (12, "c"), (12, "d"),
        (22, "Inside a link 5."),
    ]  # fmt: skip
    assert prose.formulas == ["x = 100"]


def test_a_mark_speaks_for_the_block_below_it():
    prose = read("""\
        % derived
        % typed: 0.5 is chosen

        A paragraph.

        Another.

        % opinion
        1. one

           $$x$$

        2. two

        :::{admonition} A
        % definition
        inside
        :::
        """)
    marks = [[mark.kind for mark in item.marks] for item in prose.passages]
    assert marks == [["derived", "typed"], [], ["opinion"], ["opinion"], ["definition"]]


def test_a_mark_that_is_almost_one_is_a_mistake_and_a_comment_is_not():
    [problem] = read("% tests: test_a\n\nText.\n").problems
    assert (problem.line, problem.category) == (1, "prose.mark")
    assert "there is no mark 'tests'; did you mean 'test'?" in problem.message
    assert read("% to be checked by Anna\n\nText.\n").problems == []


@pytest.mark.parametrize("text", ["Text.\n\n% derived\n", "% derived\n\n# Title\n"])
def test_a_mark_without_a_text_is_a_mistake(text):
    found = read(text).problems
    assert [problem.category for problem in found] == ["prose.mark"]


def test_a_typed_number_needs_a_mark():
    [(line, message)] = typed("One,\ntwo 0.25 three.\n")
    assert line == 2
    assert "the number 0.25 is typed" in message
    assert "% typed: 0.25 is …" in message
    assert typed("% typed: 0.25 is the start\n\nAt 0.25 it falls.\n") == []


def test_a_number_that_a_cell_shows_names_the_cell():
    [(_, message)] = typed("It is 2.44.\n", shown={"2.4428": "one-step"})
    assert "the cell 'one-step' shows it; write {eval}`…`" in message
    [(_, message)] = typed("It is −100.\n", shown={"-100.": "clamped"})
    assert "clamped" in message


@pytest.mark.parametrize(
    "text",
    [
        "In `x = 0.25`, $x = 0.25$, {eval}`0.25` and float64 there is none.\n",
        "# Above 0.5\n",
        "- [Above 0.5 means above 0.5](#misconception)\n",
        "The 3 examples of step 4.\n",
    ],
)
def test_code_formulas_values_titles_and_single_digits_need_no_mark(text):
    assert typed(text) == []


def test_two_digits_need_a_mark_unless_the_chapter_has_them():
    assert [line for line, _ in typed("After 50 steps.\n", known={"5", "500"})] == [1]
    assert typed("After 50 steps.\n", known=numbers_in(["steps=50.0"])) == []


def test_a_mark_for_a_number_that_is_not_there_is_a_mistake():
    found = typed("% typed: 0.5 and 0.6 are chosen\n\nAt 0.5.\n")
    assert [line for line, _ in found] == [1]
    assert "the mark speaks for 0.6" in found[0][1]


@pytest.mark.parametrize("mark", ["typed: 0.5", "typed", "typed: chosen freely"])
def test_a_typed_mark_names_numbers_and_gives_a_reason(mark):
    found = typed(f"% {mark}\n\nAt 0.5.\n")
    assert any("'% typed: 0.5 is …'" in message for _, message in found)


@pytest.mark.parametrize(
    "sentence",
    [
        "The loss never rises.",
        "It is the same as before.",
        "Both give the same\nnumber.",
        "The first is larger than the second.",
        "It falls at most twice.",
        "There is no error.",
        "They agree.",
        "It holds exactly for one.",
    ],
)
def test_a_statement_needs_a_mark(sentence):
    [(line, message)] = unfounded(f"Some words.\n\n{sentence}\n")
    assert line == 3
    assert "% test: test_…" in message
    for mark in ("test: test_loss_falls", "derived", "definition: above", "opinion"):
        assert unfounded(f"% {mark}\n\n{sentence}\n") == []


@pytest.mark.parametrize(
    "text",
    [
        "Is it larger than before?\n",
        "One might think it never ends. It ends.\n",
        "This one rather than that.\n",
        ":::{exercise} Recall: a\n:label: b\nShow that it never rises.\n:::\n",
        ":::{admonition} P\n:class: predict\n\nSay which is larger than one.\n:::\n",
        "# Never\n",
    ],
)
def test_questions_beliefs_and_titles_state_nothing(text):
    assert unfounded(text) == []


def test_a_mark_that_names_no_test_is_a_mistake():
    found = unfounded("% test: test_loss_fall, test_loss_falls\n\nIt never rises.\n")
    assert [line for line, _ in found] == [1]
    assert "no test 'test_loss_fall' of this chapter; did you mean" in found[0][1]


def test_a_typed_mark_is_no_reason_for_a_statement():
    assert unfounded("% typed: 0.5 is chosen\n\nAt 0.5 it never rises.\n")
