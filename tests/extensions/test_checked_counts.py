"""What the appendix "What is checked" counts."""

from __future__ import annotations

import doctest
from datetime import date

import checked_counts
from checked_counts import Audit, Expected, audit, expected, share

OUTPUTS = """\
[data]
kind = "text"
by = ["test_data"]
output = '''
2.5 31
'''

["below data"]
kind = "text"
output = '''
2.5
−31
'''

[version]
kind = "form"
why = "another version has another number"
output = '''
2.13.0
'''

["below version"]
kind = "text"
{by}
output = '''
31
2
'''
"""
RECORD = """\
day = 2026-11-05

[faults.tensors]
formula = [30, 29]
link = [6, 6]

[faults.glossary]
label = [4, 3]
link = [2, 2]
"""


def test_outputs_count_if_tested_and_values_if_tested_or_shown() -> None:
    # −31 is not 31, and so the values below the first cell are not all shown.
    assert expected(OUTPUTS.format(by="")) == Expected(outputs=2, tested=1, tied=0)
    shown = OUTPUTS.replace("−31", "31")
    assert expected(shown.format(by="")) == Expected(outputs=2, tested=1, tied=2)
    tested = shown.format(by='by = ["test_version"]')
    assert expected(tested) == Expected(outputs=2, tested=1, tied=4)


def test_faults_are_counted_by_chapter_and_by_kind() -> None:
    found = audit(RECORD)
    assert found.day == date(2026, 11, 5)
    assert found.kinds == ["formula", "link", "label"]
    assert found.of_chapter("tensors") == (35, 36)
    assert found.of_chapter("index") == (0, 0)
    assert found.of_kind("link") == (8, 8)
    assert found.of_kind("label") == (3, 4)
    assert found.told() == (
        "Last planted on 5 November 2026: 42 faults, 40 of which were noticed."
    )


def test_without_a_record_no_faults_have_been_planted() -> None:
    assert Audit().told() == "No faults have been planted yet."
    assert Audit().of_chapter("tensors") == Audit().of_kind("link") == (0, 0)
    assert share(*Audit().of_kind("link")) == "–"


def test_the_examples_in_the_text_are_right() -> None:
    found = doctest.testmod(checked_counts)
    assert found.failed == 0 < found.attempted
