"""Comparing what cells show with what they should, and the file that says so."""

from __future__ import annotations

import pytest
from nbformat import v4

from expected_outputs import (
    BadExpectations,
    Expectation,
    Shown,
    accepted,
    compare,
    difference,
    displayed,
    read_expectations,
    readable_difference,
    untied,
    write_expectations,
)

NUMBERS = Expectation("tensor([0.3333, -2.0000])", "numbers", abs=1e-4)


@pytest.mark.parametrize(
    ("expected", "found", "same"),
    [
        (Expectation("a  1"), "a  1", True),
        (Expectation("a  1"), "a 1", False),
        (NUMBERS, "tensor([0.3334, -2.0001])", True),
        (NUMBERS, "tensor([ 0.3334, -2.0001])", True),
        (NUMBERS, "tensor([0.3335, -2.0000])", False),
        (NUMBERS, "tensor([0.3333, 2.0000])", False),
        (NUMBERS, "tensor([0.3333])", False),
        (NUMBERS, "array([0.3333, -2.0000])", False),
        (NUMBERS, "tensor([0.3333, nan])", False),
        (Expectation("nan -inf", "numbers", abs=1.0), "nan -inf", True),
        (Expectation("nan -inf", "numbers", abs=1.0), "nan inf", False),
        (Expectation("1.5e-08", "numbers", rel=1e-2), "1.51e-08", True),
        (Expectation("1.5E-8", "numbers", rel=1e-2), "1.6E-8", False),
        (Expectation("−1.5 × 10⁻⁸", "numbers", rel=1e-2), "−1.51 × 10⁻⁸", True),
        (Expectation("−1.5 × 10⁻⁸", "numbers", rel=1e-2), "1.5 × 10⁻⁸", False),
        (Expectation("−1.5 × 10⁻⁸", "numbers", rel=1e-2), "−1.5 × 10⁻⁹", False),
        # The digits of a name are no number.
        (Expectation("float32 1.0", "numbers", abs=0.5), "float64 1.0", False),
        (Expectation("steps 0-99", "numbers", abs=0.5), "steps 0-98", False),
        (Expectation("'2.13.0…'", "form"), "'2.13.0+cpu'", True),
        (Expectation("(2, 3) float32", "form"), "(4, 5) float32", True),
        (Expectation("(2, 3) float32", "form"), "(4, 5, 6) float32", False),
        (Expectation("(2, 3) float32", "form"), "(2, 3) float64", False),
    ],
)
def test_a_difference_is_what_the_kind_calls_one(expected, found, same):
    assert (difference(expected, found) is None) == same


def test_the_number_that_differs_is_named():
    assert difference(NUMBERS, "tensor([0.3333, -2.5000])") == (
        "number 2 is -2.5000 instead of -2.0000"
    )


def test_printed_text_and_values_are_shown_and_exceptions_are_not():
    outputs = [
        v4.new_output("stream", text="first\n"),
        v4.new_output("execute_result", {"text/plain": "  7"}),
        v4.new_output("error", ename="ValueError", evalue="no"),
    ]
    assert displayed(outputs) == "first\n  7"


def test_what_is_written_is_read_again():
    entries = {
        "plain": Expectation("  a\n\nb 'c'", by=("test_a",)),
        "numbers": Expectation("0.1", "numbers", 1e-15, 1e-7, wrong=("t",), quoted="x"),
        "quotes": Expectation("'''\\n", "form", why="it is “so”"),
        "bell": Expectation("a\x07b"),
        "below plain": Expectation("−1.5 × 10⁻⁸", by=("test_a",)),
    }
    assert read_expectations(write_expectations(entries)) == entries


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a\n", "not TOML"),
        ("a = 1\n", r"'a' is not a table; write \[a\]"),
        ("[a]\nBy = ['t']\n", r"\[a\] has By = \['t'\]; the keys are output, kind"),
        ("[a]\nby = 'test_a'\n", r"\[a\] has by = 'test_a'"),
        ("[a]\nkind = 'shape'\n", "write one of text, numbers, form"),
        ("[a]\nkind = 'numbers'\n", "needs 'abs' or 'rel'"),
        ("[a]\nabs = 1e-4\n", "needs 'abs' or 'rel'"),
    ],
)
def test_a_mistake_in_the_file_is_told(text, message):
    with pytest.raises(BadExpectations, match=message):
        read_expectations(text)


SHOWN = [Shown("one", 3, "1"), Shown("two", 9, "2")]


def problems(expected):
    return [
        (item.line, item.category, item.message)
        for item in compare("tests/outputs/tiny.toml", SHOWN, expected)
    ]


def test_equal_outputs_are_no_problem():
    assert problems({"one": Expectation("1"), "two": Expectation("2")}) == []


def test_a_changed_output_names_cell_line_and_command():
    [(line, category, message)] = problems(
        {"one": Expectation("1"), "two": Expectation("3")}
    )
    assert (line, category) == (9, "outputs.changed")
    assert "the cell 'two' shows something else than tests/outputs/tiny" in message
    assert "nox -s outputs -- --accept tiny" in message


def test_entries_and_cells_go_together_in_the_order_of_the_page():
    [(line, category, _)] = problems({"two": Expectation("2")})
    assert (line, category) == (3, "outputs.missing")
    three = {name: Expectation(text) for name, text in zip("ab", "12", strict=True)}
    found = problems({"one": Expectation("1"), "two": Expectation("2"), **three})
    assert [category for _, category, _ in found] == ["outputs.superfluous"] * 2
    [(_, category, _)] = problems({"two": Expectation("2"), "one": Expectation("1")})
    assert category == "outputs.order"


def test_accepting_keeps_what_holds_and_what_a_person_wrote():
    before = {
        "gone": Expectation("0"),
        "two": Expectation("2.0", "numbers", abs=0.1, by=("test_two",)),
        "one": Expectation("old", by=("test_one",), why="because"),
    }
    after = accepted(SHOWN, before)
    assert list(after.items()) == [
        ("one", Expectation("1", by=("test_one",), why="because")),
        ("two", before["two"]),
    ]


def test_accepting_takes_new_cells_without_a_test():
    assert accepted(SHOWN, {})["one"] == Expectation("1")


@pytest.mark.parametrize(
    ("shown", "left"),
    [
        ("2.4428", []),
        ("2.44", []),  # rounded
        ("2.45", ["2.45"]),
        ("−2.44", ["-2.44"]),
        ("2", ["2"]),  # would be a rounding of many a number
        ("(7, 31)", []),  # by the cell above, and by any cell
        ("(5, 32)", ["5", "32"]),  # one digit by another cell; by a cell without a test
        ("1.52 × 10⁻⁸", []),
    ],
)
def test_a_value_in_a_sentence_is_tied_to_an_output_that_shows_it(shown, left):
    entries = {
        "far": Expectation("5 31", by=("test_far",)),
        "above": Expectation("2.4428 7 1.5229e-08", by=("test_above",)),
        "untested": Expectation("32", why="because"),
        "below above": Expectation(shown),
    }
    assert untied("below above", entries) == left


def test_no_value_is_tied_to_itself():
    entries = {"a": Expectation("1", by=("t",)), "below a": Expectation("31")}
    entries["below b"] = Expectation("31", by=("test_b",))
    assert untied("below a", entries) == ["31"]


def test_the_difference_is_readable():
    expected = {"one": Expectation("1"), "two": Expectation("a\n3"), "old": NUMBERS}
    assert list(readable_difference(SHOWN, expected)) == [
        "[two]",
        "-a",
        "-3",
        "+2",
        "[old]",
        "-tensor([0.3333, -2.0000])",
    ]
