"""Equations of a tiny book: checked before it is read, noted on its pages."""

from __future__ import annotations

import pytest

from build_book import build
from checked_equations import size
from tests.cells import ROOT
from tests.tiny_book import CONFIG, TinyBook

CHECKS = '''\
"""Checks of the chapter."""

from snippets.checks import check, setting


@setting("chapter")
def numbers(draw):
    """Two numbers."""
    a, b = draw.normal(), draw.normal()
    return {"a": a, "b": b, "s": a + b}


@check("eq-square", numbers)
def square(a, b):
    """The square of a sum."""
    return {"a product": (a + b) * (a + b)}
'''
CHAPTER = """\
(chapter)=
# A chapter

```{math}
:label: eq-square
s^2 = a^2 + 2ab + b^2
```
"""


@pytest.fixture
def book(tiny_book: TinyBook) -> TinyBook:
    package = ROOT / "snippets" / "checks" / "__init__.py"
    tiny_book.write("snippets/checks/__init__.py", package.read_bytes())
    tiny_book.write("snippets/checks/chapter.py", CHECKS)
    tiny_book.write("book/chapter.md", CHAPTER)
    return tiny_book


def test_the_page_tells_how_an_equation_is_checked(book: TinyBook) -> None:
    assert book.build() == []
    page = book.page("chapter")
    _, _, note = page.partition("How this is checked")
    assert "25 random cases" in note
    assert "a product" in note
    assert "def" in note
    assert "square" in note
    assert page.index("equation-eq-square") < page.index("How this is checked")


def test_paper_has_no_note(book: TinyBook) -> None:
    """There it could not fold."""
    folder = book.root / "build" / "text"
    assert build(book.root / "book", folder, CONFIG, builder="text", status=None) == 0
    text = (folder / "chapter.txt").read_text()
    assert "s^2" in text
    assert "How this is checked" not in text


def test_a_definition_says_so(book: TinyBook) -> None:
    checks = CHECKS.partition("@check")[0].replace(
        "check, setting", "definition, setting"
    )
    book.write(
        "snippets/checks/chapter.py", f'{checks}definition("eq-square", numbers)\n'
    )
    assert book.build() == []
    assert "This is a definition." in book.page("chapter")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("2ab", "ab", "eq-square is false: side 1 is "),
        ("+ b^2", "- b^2", "eq-square is false: side 1 is "),
        ("2ab", "2cb", "eq-square cannot be computed: no meaning is given for c"),
        ("eq-square", "eq-cube", "the equation eq-cube has no check; write one with "),
    ],
)
def test_a_fault_in_the_formula_stops_the_build(
    book: TinyBook, old: str, new: str, expected: str
) -> None:
    book.write("book/chapter.md", CHAPTER.replace(old, new))
    [line] = [line for line in book.build() if "[equations.check]" in line]
    assert line.startswith("book/chapter.md:4: ")
    assert expected in line


def test_a_false_step_is_named_by_its_number(book: TinyBook) -> None:
    step = "\n1. Expand.\n\n   $$s = a - b$$\n"
    book.write("book/chapter.md", CHAPTER + step)
    [line] = book.build()
    assert line.startswith("book/chapter.md:11: step 1 of the derivation is false")


def test_a_check_that_fails_in_python_is_one_line(book: TinyBook) -> None:
    book.write("snippets/checks/chapter.py", "import nonsense\n")
    [line] = book.build()
    assert line.startswith(
        "snippets/checks/chapter.py:1: ModuleNotFoundError: No module named 'nonsense'"
    )


def test_a_route_that_fails_is_named_by_its_line(book: TinyBook) -> None:
    changed = CHECKS.replace("(a + b) * (a + b)", "(a + b) * nothing")
    book.write("snippets/checks/chapter.py", changed)
    [line] = book.build()
    assert line.startswith("snippets/checks/chapter.py:16: NameError")


def test_a_changed_check_changes_the_page(book: TinyBook) -> None:
    assert book.build_incrementally() == []
    changed = CHECKS.replace('"a product"', '"another product"')
    book.write("snippets/checks/chapter.py", changed)
    assert book.build_incrementally() == []
    assert "another product" in book.page("chapter", "incremental")


def test_findings_are_kept_and_a_fault_is_found_again(book: TinyBook) -> None:
    book.write("book/chapter.md", CHAPTER.replace("2ab", "ab"))
    first, second = book.build(), book.build()
    assert first == second != []


def test_a_sentence_above_moves_findings_and_computes_nothing(book: TinyBook) -> None:
    false = CHAPTER.replace("2ab", "ab")
    book.write("book/chapter.md", false)
    [first] = book.build()
    kept = book.root / "equations" / "chapter.json"
    before = kept.stat().st_ino  # a file is written aside and moved
    book.write(
        "book/chapter.md", false.replace("```{math}", "A sentence.\n\n```{math}")
    )
    [second] = book.build()
    assert first.startswith("book/chapter.md:4: ")
    assert second == first.replace("chapter.md:4:", "chapter.md:6:")
    assert kept.stat().st_ino == before


@pytest.mark.parametrize(
    ("gap", "text"), [(0.0, "0"), (4.4e-16, "4 · 10⁻¹⁶"), (2.5e-07, "2 · 10⁻⁷")]
)
def test_differences_have_one_digit(gap: float, text: str) -> None:
    assert size(gap) == text
