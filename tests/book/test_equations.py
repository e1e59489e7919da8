"""Every formula of the book is computed, and every labelled equation is checked."""

from __future__ import annotations

import re
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import check_equations
from equations.checking import Checker, load
from equations.pages import Printed, formulas
from equations.report import FAILS, HOLDS, Page, problems
from equations.running import check_pages
from tests.cells import ROOT
from tests.hypothesis_draw import HypothesisDraw

PAGES = sorted(path.stem for path in (ROOT / "book").glob("*.md"))
LABEL = re.compile(r"^\s*:label: (eq-\S+)$", re.M)


def source(slug: str) -> str:
    return (ROOT / "book" / f"{slug}.md").read_text(encoding="utf-8")


LABELS = [(slug, label) for slug in PAGES for label in LABEL.findall(source(slug))]


@cache
def texts() -> dict[str, str]:
    """The chapters with the values of ``{eval}`` in place."""
    return check_equations.filled(PAGES)


@cache
def pages() -> dict[str, Page]:
    return check_pages(ROOT, texts(), ROOT / "build" / "equations")


@pytest.mark.parametrize("slug", PAGES)
def test_every_formula_is_true_or_named_with_its_reason(slug: str) -> None:
    found = [f"book/{slug}.md:{n}: {text}" for n, text in problems(slug, pages()[slug])]
    assert pages()[slug].broken is None
    assert found == []


def test_no_labelled_equation_rests_on_an_example() -> None:
    labelled = [f for page in pages().values() for f in page.findings if f.checked]
    assert {f.formula.label for f in labelled} == {label for _, label in LABELS}
    assert [f.formula.label for f in labelled if f.example] == []
    assert all(f.cases == 25 and f.status == HOLDS for f in labelled)


def test_every_check_has_an_independent_route_or_is_a_definition() -> None:
    labelled = [f for page in pages().values() for f in page.findings if f.checked]
    assert [
        f.formula.label for f in labelled if not f.definition and not f.routes
    ] == []


@cache
def printed(slug: str) -> dict[str, Printed]:
    return {f.label: f for f in formulas(slug, texts()[slug]) if f.label}


@pytest.mark.parametrize(("slug", "label"), LABELS, ids=[label for _, label in LABELS])
@settings(
    deadline=None,
    max_examples=25,
    derandomize=True,  # a rare rounding must not decide over somebody else's change
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(data=st.data())
def test_a_labelled_equation_holds_for_inputs_of_every_kind(
    slug: str, label: str, data: st.DataObject
) -> None:
    checker = Checker(load(slug), 1, lambda setting, case: HypothesisDraw(data))
    found = checker.check(printed(slug)[label])
    assert found.status == HOLDS, found.reason


def test_a_fault_in_a_formula_is_found() -> None:
    slug = "linear-regression"
    text = texts()[slug].replace("&= 2 X^\\T r \\\\", "&= 2 X r \\\\")
    [found] = [f for f in formulas(slug, text) if f.label.endswith("-gradient")]
    assert Checker(load(slug), 3).check(found).status == FAILS
