"""Whose answers are withheld on which day, and what is wrong with other wishes."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release import ReleaseError, chosen, day_of, read_releases, withheld

CHAPTERS = ["linear-regression", "tensors", "graphs"]
FILE = """\
# From which day the answers are shown.

tensors = 2026-12-01  # the second week
linear-regression = "withheld"
"""


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-11-30", {"tensors": "2026-12-01", "linear-regression": ""}),
        ("2026-12-01", {"linear-regression": ""}),
        ("2030-01-01", {"linear-regression": ""}),
    ],
)
def test_answers_are_shown_from_their_day_on(
    day: str, expected: dict[str, str]
) -> None:
    releases = read_releases(FILE, CHAPTERS)
    assert withheld(releases, date.fromisoformat(day)) == expected


def test_a_file_without_entries_withholds_nothing() -> None:
    assert read_releases("# tensors = 2026-12-01\n", CHAPTERS) == {}


@given(
    st.dictionaries(st.sampled_from(CHAPTERS), st.dates() | st.none()),
    st.dates(max_value=date(9999, 12, 30)),
)
def test_what_is_shown_stays_shown(releases: dict[str, date | None], day: date) -> None:
    today = withheld(releases, day)
    assert withheld(releases, day + timedelta(1)).keys() <= today.keys()
    for slug, first in releases.items():
        assert (slug in today) == (first is None or first > day)
        assert first is None or today.get(slug, str(first)) == str(first)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (
            "\ntensor = 2026-12-01\n",
            2,
            "no chapter 'tensor' with answers; did you mean 'tensors'? (chapters: "
            "graphs, linear-regression, tensors)",
        ),
        (
            '# a\n# b\n"notation" = "withheld"\n',
            3,
            "no chapter 'notation' with answers",
        ),
        (
            'graphs = "withheld"\ntensors = "next week"\n',
            2,
            "tensors: 'next week' is not a day; write 'tensors = 2026-12-01', or "
            "'tensors = \"withheld\"' while none is known",
        ),
        (
            "tensors = 2026-12-01T10:00:00\n",
            1,
            "tensors: datetime.datetime(2026, 12, 1, 10, 0) is not a day; write "
            "'tensors = 2026-12-01', or 'tensors = \"withheld\"' while none is known",
        ),
        ("tensors = 2026-13-01\n", 1, "Expected newline"),
        ("\n\ntensors = soon\n", 3, "Invalid value; write 'slug = 2026-12-01'"),
        ("tensors\n", 1, "Expected"),
        ('tensors = "', 1, "Unterminated string"),
    ],
)
def test_a_mistake_in_the_file_has_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(ReleaseError) as raised:
        read_releases(text, CHAPTERS)
    assert raised.value.line == line
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)


def test_chapters_are_chosen_with_the_days_that_are_known() -> None:
    known = {"tensors": "2026-12-01"}
    both = {"tensors": "2026-12-01", "graphs": ""}
    assert chosen("tensors,graphs", CHAPTERS, known) == both
    assert chosen(" graphs , tensors", CHAPTERS, known) == both
    assert chosen("", CHAPTERS, known) == {}
    assert chosen("*", CHAPTERS, known) == {**both, "linear-regression": ""}


@pytest.mark.parametrize("names", ["tensor", "graphs,tensor", "graphs,,tensors", ","])
def test_an_unknown_chapter_cannot_be_chosen(names: str) -> None:
    with pytest.raises(ReleaseError, match=r"^no chapter '(tensor)?' with answers"):
        chosen(names, CHAPTERS, {})


def test_the_day_is_the_given_one_or_that_of_the_epoch_or_today() -> None:
    epoch = {"SOURCE_DATE_EPOCH": "1796083199"}  # one second before midnight in UTC
    assert day_of("2026-12-24", epoch) == date(2026, 12, 24)
    assert day_of("", epoch) == date(2026, 11, 30)
    assert day_of("", {"SOURCE_DATE_EPOCH": "1796083200"}) == date(2026, 12, 1)
    before = date.today()
    assert before <= day_of("", {}) <= date.today()


@pytest.mark.parametrize(
    ("given", "epoch", "shown"),
    [
        ("24.12.2026", "0", "'24.12.2026'"),
        ("2026-02-30", "0", "'2026-02-30'"),
        ("", "now", "SOURCE_DATE_EPOCH='now'"),
    ],
)
def test_what_is_no_day_is_said(given: str, epoch: str, shown: str) -> None:
    with pytest.raises(ReleaseError) as raised:
        day_of(given, {"SOURCE_DATE_EPOCH": epoch})
    assert str(raised.value) == f"{shown} is not a day; write it as 2026-12-01"
