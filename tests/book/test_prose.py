"""Numbers and statements in the text of the chapters are tied to what computes them."""

from __future__ import annotations

import pytest

from check_outputs import expectations, one_line
from expected_outputs import NUMBER
from prose import read_prose
from prose_checks import numbers_in, typed_numbers, unfounded_statements
from tests.book.test_outputs import known_tests
from tests.book.test_structure import BOOK, CHAPTERS, chapter, module
from tests.cells import LIBRARY


@pytest.mark.parametrize("slug", CHAPTERS)
def test_every_typed_number_has_its_reason(slug: str) -> None:
    prose = read_prose(chapter(slug))
    code = [cell.source for cell in LIBRARY.cells(module(slug)).values()]
    outputs = {cell: entry.output for cell, entry in expectations(slug).items()}
    shown = {
        number: cell
        for cell, text in outputs.items()
        for number in NUMBER.findall(text)
    }
    known = numbers_in([*code, *prose.formulas, *outputs.values()])
    problems = [one_line(slug, item) for item in typed_numbers(prose, known, shown)]
    assert not problems, "\n".join(["", *problems])


@pytest.mark.parametrize("slug", CHAPTERS)
def test_every_statement_has_a_test_or_says_how_it_is_known(slug: str) -> None:
    problems = unfounded_statements(read_prose(chapter(slug)), known_tests(slug))
    lines = [one_line(slug, problem) for problem in problems]
    assert not lines, "\n".join(["", *lines])


@pytest.mark.parametrize("page", sorted(page.stem for page in BOOK.glob("*.md")))
def test_every_mark_is_known_and_stands_above_a_text(page: str) -> None:
    problems = read_prose(chapter(page)).problems
    lines = [one_line(page, problem) for problem in problems]
    assert not lines, "\n".join(["", *lines])
