"""Each cell shows what it should, and a test says so by another route."""

from __future__ import annotations

import ast
from decimal import Decimal

import pytest

from check_outputs import Executed, differences, expectations, mistakes
from expected_outputs import BELOW, Expectation, allowance, numbers, untied
from tests.book.test_structure import CHAPTERS, chapter, module
from tests.cells import ROOT


def known_tests(slug: str) -> set[str]:
    """The tests of a chapter's snippets."""
    file = ROOT / "tests" / "snippets" / f"test_{module(slug)}.py"
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {node.name for node in functions if node.name.startswith("test_")}


def loose(entry: Expectation) -> list[str]:
    """The numbers that may be off by more than rounding explains.

    Rounding explains one unit of the last digit shown, and of long numbers a hundred
    thousandth.
    """
    found = []
    for text in numbers(entry.output):
        number = Decimal(text)
        if number.is_finite():
            unit = float(Decimal((0, (1,), int(number.as_tuple().exponent))))
            limit = max(1.001 * unit, 1e-5 * abs(float(number)))
            if allowance(float(number), entry) > limit:
                found.append(text)
    return found


def test_every_page_with_cells_is_a_chapter_with_expectations(
    executed: dict[str, Executed],
) -> None:
    files = {file.stem for file in (ROOT / "tests" / "outputs").iterdir()}
    assert files == set(executed)
    assert files >= set(CHAPTERS)


@pytest.mark.parametrize("slug", CHAPTERS)
def test_every_cell_shows_what_is_expected(
    slug: str, executed: dict[str, Executed]
) -> None:
    page = executed[slug]
    report = [*mistakes(page), *differences(page)]
    assert not report, "\n".join(["", *report])


@pytest.mark.parametrize("slug", CHAPTERS)
def test_every_output_is_computed_by_another_route_in_a_test(slug: str) -> None:
    known = known_tests(slug)
    entries = expectations(slug)
    for cell, entry in entries.items():
        place = f"tests/outputs/{slug}.toml [{cell}]"
        if cell.startswith(BELOW):
            left = untied(cell, entries)
            assert entry.by or entry.why or not left, (
                f"{place}: no output shows {', '.join(left)}; name a test with 'by'"
            )
        else:
            assert entry.by or entry.why, (
                f"{place}: name a test with 'by', or say 'why' not"
            )
        for name in (*entry.by, *entry.wrong):
            assert name in known, f"{place}: tests/snippets has no {name}"


@pytest.mark.parametrize("slug", CHAPTERS)
def test_tolerances_are_those_of_rounding(slug: str) -> None:
    for cell, entry in expectations(slug).items():
        place = f"tests/outputs/{slug}.toml [{cell}]"
        if entry.kind == "form":
            assert entry.why, f"{place}: say 'why' only the form can be compared"
        if not entry.why:
            assert not loose(entry), (
                f"{place}: {loose(entry)} may be off by more than one unit of the last "
                "digit; lower 'abs' or 'rel', or say 'why' it must be so"
            )


@pytest.mark.parametrize("slug", CHAPTERS)
def test_the_text_states_by_how_much_a_silent_cell_is_wrong(slug: str) -> None:
    text = chapter(slug)
    for cell, entry in expectations(slug).items():
        place = f"tests/outputs/{slug}.toml [{cell}]"
        assert bool(entry.wrong) == bool(entry.quoted), (
            f"{place}: 'wrong' names the tests of the amount, 'quoted' the {{eval}} "
            "that states it; a cell that is silently wrong needs both"
        )
        if entry.quoted:
            after = text.partition(f":snippet: {module(slug)}#{cell}\n")[2]
            assert f"{{eval}}`{entry.quoted}`" in after, (
                f"{place}: no {{eval}}`{entry.quoted}` below the cell in book/{slug}.md"
            )
