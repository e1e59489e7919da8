"""Formulas against settings and routes: what holds, what does not, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from equations.checking import Checker
from equations.pages import Printed
from equations.report import (
    FAILS,
    GIVEN,
    HOLDS,
    NO_CLAIM,
    UNCHECKED,
    UNKNOWN,
    Finding,
    Page,
    mistakes,
    problems,
)
from snippets.checks import Chapter, Check, Family, Index, Setting, Sides


def square(draw: Any) -> dict[str, Any]:
    n = draw.size()
    v = draw.normal(n)
    return {"n": n, "i": Index(n), "v": v, "s": (v**2).sum(), r"\grad": "v"}


def three(draw: Any) -> dict[str, Any]:
    return {"n": 3, "v": torch.tensor([1.0, 2.0, 2.0]), "s": 9}


GENERAL = Setting(square, ("page",))
EXAMPLE = Setting(three, ("page",), example=True)


def finding(
    tex: str, *, label: str = "", places: tuple[str, ...] = ("page",), **chapter: Any
) -> Finding:
    declared = Chapter([GENERAL, EXAMPLE], **chapter)
    printed = Printed(tex, 1, places, label)
    return Checker(declared, cases=5).check(printed)


def routes(function: Callable[..., Any] | None) -> dict[str, Check]:
    return {"eq-s": Check("eq-s", GENERAL, function)}


def test_a_true_formula_holds_in_all_cases() -> None:
    found = finding(r"s = \sum_i v_i^2 = v^\T v")
    assert (found.status, found.cases, found.setting) == (HOLDS, 5, "square")
    assert found.gap < 1e-12


@pytest.mark.parametrize(
    "tex",
    [
        r"s = 2 v^\T v",
        r"s = -v^\T v",
        r"s = v^\T v + 1",
        r"s = v v^\T",
        r"\grad s = v",
        r"s < 0",
        r"v \in \R^{n \times n}",
    ],
)
def test_a_false_formula_fails_with_its_reason(tex: str) -> None:
    found = finding(tex)
    assert found.status == FAILS
    assert "(case 1 of the setting square)" in found.reason


def test_the_reason_names_sides_values_and_indices() -> None:
    found = finding("v_i = v_1")
    assert "side 1 is " in found.reason
    assert "i = 2" in found.reason


def test_an_example_is_tried_after_the_general_setting() -> None:
    found = finding("s = 9")
    assert (found.status, found.example, found.cases) == (HOLDS, True, 1)
    assert finding("s = 8").status == FAILS


def test_what_is_neither_computed_nor_named_is_unknown() -> None:
    assert finding("q = 1").status == UNKNOWN
    assert "no meaning is given for q" in finding("q = 1").reason
    assert finding("s = 9", places=("other",)).status == UNKNOWN


def test_named_formulas_are_given_or_unchecked() -> None:
    named: dict[str, Any] = {"given": ("q = 1",), "unchecked": {"a  \\to b = 0": "why"}}
    assert finding("q  = 1", **named).status == GIVEN
    left_out = finding("a \\to b = 0", **named)
    assert (left_out.status, left_out.reason) == (UNCHECKED, "why")


def test_a_name_without_a_relation_claims_nothing() -> None:
    assert finding(r"v^\T v").status == NO_CLAIM


def test_an_equivalence_compares_truths() -> None:
    assert finding(r"s > 2 \iff s - 2 > 0").status == HOLDS
    assert finding(r"s > 2 \iff s - 2 < 0").status == FAILS


def test_an_equivalence_holds_for_each_index() -> None:
    assert finding(r"v_i > 0 \iff 2 v_i > 0").status == HOLDS
    assert finding(r"v_i > 0 \iff v_i > 1").status == FAILS
    assert finding(r"s = 0 \iff v_i = 0").status == HOLDS


def test_routes_to_an_equivalence_give_its_truth() -> None:
    tex = r"2 s > 2 \iff s > 1"
    right = finding(tex, label="eq-s", checks=routes(lambda s: {"it": s > 1}))
    assert (right.status, right.routes) == (HOLDS, {"it": 0.0})
    wrong = finding(tex, label="eq-s", checks=routes(lambda s: {"it": s <= 1}))
    assert (wrong.status, wrong.routes) == (FAILS, {})
    assert "the route 'it'" in wrong.reason


def test_an_example_decides_only_on_what_names_a_number() -> None:
    assert finding(r"n = 3").status == HOLDS
    assert finding(r"s = n^2").status == FAILS
    assert finding(r"s = n^2 = 9").status == HOLDS


def test_a_row_of_a_table_holds_in_one_setting() -> None:
    def negative(draw: Any) -> dict[str, Any]:
        a = draw.normal()
        return {"a": a, "b": -a}

    def double(draw: Any) -> dict[str, Any]:
        a = draw.normal()
        return {"a": a, "b": 2 * a}

    checker = Checker(Chapter([Setting(f, ("page",)) for f in (negative, double)]))

    def statuses(*row: str) -> list[str]:
        printed = [Printed(tex, 1, ("page",), row=1) for tex in row]
        return [found.status for found in checker.check_all(printed)]

    assert statuses("b = -a", "a = -b") == [HOLDS, HOLDS]
    assert statuses("b = 2a", "a = b/2") == [HOLDS, HOLDS]
    assert FAILS in statuses("b = -a", "b + a = 0", "b = 2a")


def test_a_sum_told_in_words_runs_over_what_the_setting_lists() -> None:
    def graph(draw: Any) -> dict[str, Any]:
        listed = {1: [2, 3, 3], 2: [3]}

        def edges(j: int) -> list[dict[str, Any]]:
            return [{"i": i, r"\text{slope}": 10.0} for i in listed[j]]

        v = torch.tensor([1.0, 2.0, 4.0])
        numbers = {"v": v, "i": Index(3), "j": Index(2), "s": torch.tensor([100.0, 40])}
        return {**numbers, r"\text{edges }j\to i": edges}

    checker = Checker(Chapter([Setting(graph, ("page",))]))

    def status(tex: str) -> str:
        return checker.check(Printed(tex, 1, ("page",))).status

    words = r"\sum_{\text{edges } j \to i} v_i \cdot (\text{slope})"
    assert status(f"s_j = {words}") == HOLDS
    assert status(f"s_j = 2 {words}") == FAILS


def test_a_condition_narrows_the_indices() -> None:
    assert finding(r"v_i = v_1 \qquad (i < 2)").status == HOLDS
    assert finding(r"v_i = v_1 \qquad (i < 3)").status == FAILS


def test_routes_are_compared_with_every_side() -> None:
    right = finding(
        r"s = v^\T v", label="eq-s", checks=routes(lambda v: {"loop": sum(v * v)})
    )
    assert (right.status, list(right.routes)) == (HOLDS, ["loop"])
    wrong = finding(
        r"s = v^\T v", label="eq-s", checks=routes(lambda v: {"loop": sum(v)})
    )
    assert wrong.status == FAILS
    assert "the route 'loop' gives" in wrong.reason


def test_a_route_gives_a_result_for_each_statement_and_index() -> None:
    two = r"s = v^\T v, \qquad v_i^2 = v_i v_i"
    per_statement = routes(lambda v: {"torch": [v @ v, v**2]})
    assert finding(two, label="eq-s", checks=per_statement).status == HOLDS
    too_few = routes(lambda v: {"torch": [v @ v]})
    found = finding(two, label="eq-s", checks=too_few)
    assert "1 results for the 2 statements" in found.reason


def test_a_route_gives_the_sides_of_an_inequality() -> None:
    sides = routes(lambda v: {"torch": Sides(0, v @ v)})
    assert finding(r"0 \le s", label="eq-s", checks=sides).status == HOLDS
    wrong = routes(lambda v: {"torch": Sides(1, v @ v)})
    assert finding(r"0 \le s", label="eq-s", checks=wrong).status == FAILS


def test_a_check_asks_for_symbols_of_its_setting() -> None:
    with pytest.raises(LookupError, match="asks for u"):
        finding(r"s = v^\T v", label="eq-s", checks=routes(lambda u: {"torch": u}))


def test_declarations_that_no_formula_needs_are_told() -> None:
    chapter = Chapter([GENERAL], given=("q = 1",), unchecked={"x = y": "why"})
    chapter.checks.update(routes(None))
    checker = Checker(chapter, cases=2)
    found = [checker.check(Printed("s = v^\\T v", 1, ("page",)))]
    assert checker.unused(found) == ["q = 1", "x = y", "eq-s"]


def told(found: Finding) -> tuple[list[str], list[str]]:
    page = Page([found], [])
    return (
        [message for _, message in mistakes("a-page", page)],
        [message for _, message in problems("a-page", page)],
    )


def test_a_false_display_stops_the_build_and_a_false_sentence_the_tests() -> None:
    display = finding("s = 8")
    assert ["the formula is false" in text for text in told(display)[0]] == [True]
    printed = Printed("s = 8", 3, ("page",), display=False)
    inline = Checker(Chapter([GENERAL]), cases=2).check(printed)
    stops, tells = told(inline)
    assert stops == []
    assert "given(…) in snippets/checks/a_page.py" in tells[0]


def test_a_step_is_named_by_its_number() -> None:
    printed = Printed("s = 8", 3, ("page",), step=4)
    found = Checker(Chapter([GENERAL]), cases=2).check(printed)
    assert "step 4 of the derivation is false" in told(found)[0][0]


def test_a_label_without_a_check_is_a_mistake() -> None:
    [message] = told(finding(r"s = v^\T v", label="eq-s"))[0]
    assert "the equation eq-s has no check" in message
    assert '@check("eq-s", …)' in message


def test_a_family_and_its_matrix_are_one() -> None:
    def rows(draw: Any) -> dict[str, Any]:
        X = draw.normal(2, 3)
        return {"i": Index(2), "j": Index(3), "X": X, "x": Family(X)}

    chapter = Chapter([Setting(rows, ("page",))])
    printed = Printed("(x_i)_j = X_{ij}", 1, ("page",))
    assert Checker(chapter, cases=3).check(printed).status == HOLDS
