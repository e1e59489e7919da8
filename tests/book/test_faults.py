"""A sample of the audit: of faults planted in the book, the guards notice nearly all.

The whole audit is ``nox -s mutants``. A fault may leave a true statement (another
exponent of a number that is 0 or 1), so a share is asked for, and not every one.
"""

from __future__ import annotations

import time
import tomllib

import pytest

from tests.faults.__main__ import EXPLAINED, all_faults, groups, key
from tests.faults.catching import (
    NOTICED,
    control,
    in_child,
    is_about,
    source,
    state,
)
from tests.faults.planting import (
    KINDS,
    Fault,
    in_formulas,
    in_outputs,
    in_snippets,
    sample,
)

TEX = "# T\n\n$$x = a + 2 X^\\T b_i$$\n\nwith $a$ and `$c = d$`.\n"


@pytest.mark.parametrize("kind", ["formula", "output"])
def test_nearly_all_planted_faults_are_noticed(kind: str) -> None:
    faults = sample(all_faults(kinds=[kind]), 60, 1)
    explained = tomllib.loads(EXPLAINED.read_text(encoding="utf-8")).get(kind, {})
    survivors = [
        fault.name
        for fault in faults
        if not NOTICED[kind](fault) and key(fault, source(fault)) not in explained
    ]
    assert len(faults) == 60
    assert len(survivors) <= 0.08 * len(faults), "\n".join(["", *survivors])


@pytest.mark.parametrize("kind", ["formula", "output"])
@pytest.mark.parametrize("slug", ["tensors"])
def test_a_guard_is_silent_where_there_is_no_fault(kind: str, slug: str) -> None:
    folder, ending = ("book", "md") if kind == "formula" else ("tests/outputs", "toml")
    assert control(kind, f"{folder}/{slug}.{ending}") == ""


def test_an_answer_is_kept_under_what_it_depends_on() -> None:
    states = {(kind, slug): state(kind, slug) for kind in KINDS for slug in ("a", "b")}
    # Nothing of a chapter counts for links and labels, which are the whole book's.
    assert states["link", "a"] == states["link", "b"]
    assert state("formula", "tensors") != state("formula", "cross-entropy")
    assert state("code", "tensors") == state("answer", "tensors")
    assert state("code", "tensors") != state("output", "tensors")


def test_faults_in_formulas_are_those_of_claims() -> None:
    planted = {fault.plant(TEX) for fault in in_formulas("book/t.md", "t", TEX)}
    for damaged in ("a - 2 X^\\T b_i", "a + 3 X", "2 X b_i", "X^\\T b_j", "a +  X^\\T"):
        assert any(damaged in text for text in planted), damaged
    assert all("`$c = d$`" in text and "with $a$" in text for text in planted)


def test_the_words_of_a_formula_are_left_alone() -> None:
    tex = r"a = b + c \text{ that is } d = 2 e_i \text{if i < 2} + 3"
    text = f"# T\n\n$${tex}$$\n"
    planted = [fault.plant(text) for fault in in_formulas("book/t.md", "t", text)]
    words = (r"\text{ that is }", r"\text{if i < 2}")
    assert all(word in damaged for damaged in planted for word in words)
    for damaged in ("b - c", "d = 3 e_i", "d = 2 e_j", "2} - 3", "2} + 4"):
        assert any(damaged in fault for fault in planted), damaged


def test_faults_in_outputs_change_a_number_or_a_word() -> None:
    toml = "[cell]\nkind = \"text\"\noutput = '''\ntensor([True, 1.50])\n'''\n"
    after = {(f.before, f.after) for f in in_outputs("tests/outputs/t.toml", toml)}
    assert after == {("True", "False"), ("1.50", "2.50")}


def test_faults_in_answers_are_told_apart() -> None:
    module = '"""Cells."""\n\n# %% data\nx = 1 + 2\n\n# %% answer-more\ny = x - 3\n'
    kinds = {
        (fault.kind, fault.line) for fault in in_snippets("s.py", module, 50, seed=0)
    }
    assert kinds == {("code", 4), ("answer", 7)}


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    faults = list(in_formulas("book/t.md", "t", TEX))
    assert sample(faults, 3, 1) == sample(reversed(faults), 3, 1)
    assert len(sample(faults, 3, 1)) == 3


def test_no_build_renames_both_ends_of_a_link() -> None:
    question = Fault("label", "book/t.md", 5, "ex-t", "ex-tx", line=1)
    answer = Fault("label", "book/t.md", 50, "ex-t", "ex-tx", line=9)
    other = Fault("label", "book/t.md", 90, "t", "tx", line=12)
    assert groups([question, answer, other]) == [[question, other], [answer]]


@pytest.mark.parametrize(
    ("line", "about"),
    [
        ("book/t.md:3: 'ex-t' not found [ref]", True),
        ("book/t.md:3: nothing refers to 'ex-tx'; remove it", True),
        ("book/u.md:9: the answer ex-t has no question", True),
        ("book/t.md:7: anything", True),
        ("book/t.md:3: 'ex-t-more' not found [ref]", False),
        ("book/ex-t.md:3: 'other' not found [ref]", False),
    ],
)
def test_a_line_of_the_build_speaks_of_the_label_that_it_names(line, about):
    assert is_about(line, Fault("label", "book/t.md", 50, "ex-t", "ex-tx", 7)) == about


def test_a_fault_without_an_end_is_noticed_by_the_time_of_the_processor():
    def endless():
        while True:
            pass

    def slow():
        time.sleep(1.5)
        return ""

    assert in_child(endless, seconds=1) == "no end after 1 s"
    assert in_child(slow, seconds=1) == ""


def test_a_survivor_has_a_name_without_a_line() -> None:
    text = "the  sum\na + b is known"
    fault = Fault("formula", "book/t.md", 11, "+", "-", line=2)
    assert key(fault, text) == "book/t.md: the sum a [+ → -] b is known"
