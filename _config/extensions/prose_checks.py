"""What must be said beside numbers and statements in the prose of a chapter.

``typed_numbers`` finds numbers that an author typed though a cell shows them, and
``unfounded_statements`` finds sentences such as "never larger than" without a mark that
says how they are known::

    % test: test_loss_falls_at_each_step_exactly_below_the_bound

    Below the bound the loss never rises.

Nothing here knows of Sphinx or runs anything.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from chapter_notebook import Problem
from expected_outputs import is_rounded
from prose import Mark, Passage, Prose

DIGITS = re.compile(r"\d+(?:\.\d+)*")
# The numbers that a mark speaks for, and then why they are typed.
TYPED = re.compile(
    r"(?P<numbers>[\d.]*\d(?:(?:,|,? and) [\d.]*\d)*),? (?P<reason>\D.*)"
)
# Words of a statement that can be true or false of something computable.
STATEMENT = re.compile(
    r"""\b(?:
      the\ same\ (?:as|numbers?|results?|values?|loss(?:es)?|gradients?|function)
    | (?:is|are)\ (?:not\ )?equal | equals | identical
    | (?!rather|other)(?:\w+er|more|less|worse|fewer)\ than
    | never | always | exactly | (?:is|are)\ exact
    | at\ (?:most|least)
    | (?<!shapes\ )(?<!sizes\ )(?:dis)?agrees?
    | (?:twice|half|times)\ as
    | no\ error | without\ an\ error | in\ silence | silent(?:ly)?
    | nothing\ (?:fails|failed|complained)
    )\b""",
    re.X | re.I,
)
# A belief that the text goes on to correct.
BELIEF = re.compile(r"One might |[“\"]")


def numbers_in(texts: Iterable[str]) -> set[str]:
    """All numbers in some texts, those that are parts of names among them.

    >>> sorted(numbers_in(["float32(0.5)", "x + 7.0"]))
    ['0.5', '32', '7']
    """
    found = {number for text in texts for number in DIGITS.findall(text)}
    return {re.sub(r"^(\d+)\.0+$", r"\1", number) for number in found}


def typed_numbers(
    prose: Prose, known: Collection[str], shown: Mapping[str, str]
) -> Iterator[Problem]:
    """Typed numbers without a mark, and marks for numbers that are not there.

    A number with a decimal point or of three digits needs a mark always. One of two
    digits is as good as marked if it is ``known``: it stands in the chapter's code, its
    formulas or its outputs. ``shown`` gives the name of a cell for numbers in outputs.
    """
    for passage in prose.passages:
        declared = {
            number for mark in passage.marks for number in _numbers_of(mark) or ()
        }
        for literal, line in passage.literals():
            short = len(literal) == 2
            if literal in declared or (short and literal in known):
                continue
            yield Problem(line, _typed(literal, shown), "prose.typed")
    for mark, passages in _by_mark(prose, "typed"):
        numbers = _numbers_of(mark)
        if numbers is None:
            message = "write '% typed: 0.5 is …', the numbers and why they are typed"
            yield Problem(mark.line, message, "prose.mark")
        there = numbers_in(passage.words for passage in passages)
        for number in numbers or ():
            if number not in there:
                message = (
                    f"the mark speaks for {number}, which the text below it does not "
                    "have; correct the number here or there"
                )
                yield Problem(mark.line, message, "prose.mark")


def _numbers_of(mark: Mark) -> list[str] | None:
    """The numbers of a ``typed`` mark; ``None`` if it has none or gives no reason."""
    if mark.kind != "typed":
        return []
    match = TYPED.fullmatch(mark.text)
    return DIGITS.findall(match["numbers"]) if match else None


def _typed(literal: str, shown: Mapping[str, str]) -> str:
    cells = [cell for number, cell in shown.items() if _is_rounded(number, literal)]
    remedy = f"write '% typed: {literal} is …' above the paragraph"
    if cells:
        return (
            f"the number {literal} is typed, but the cell {cells[0]!r} shows it; write "
            f"{{eval}}`…` in its place, or if that is not where it comes from, {remedy}"
        )
    return (
        f"the number {literal} is typed; compute it with {{eval}}`…`, or, if it was "
        f"chosen or is known, {remedy}"
    )


def _is_rounded(number: str, literal: str) -> bool:
    """Whether the literal is the number, or the number with fewer digits.

    >>> _is_rounded("2.4428", "2.44"), _is_rounded("0.5000", "0.5")
    (True, True)
    """
    if literal.count(".") > 1:
        return number == literal
    return is_rounded(number.lstrip("-+"), literal)


def unfounded_statements(prose: Prose, tests: Collection[str]) -> Iterator[Problem]:
    """Statements without a mark, and marks that name tests which do not exist."""
    for passage in prose.passages:
        if not any(mark.kind != "typed" for mark in passage.marks):
            yield from _without_mark(passage)
    for mark, _ in _by_mark(prose, "test"):
        names = [name.strip() for name in mark.text.split(",")]
        for name in names:
            if name not in tests:
                close = difflib.get_close_matches(name, list(tests), n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                message = f"there is no test {name!r} of this chapter{hint}"
                yield Problem(mark.line, message, "prose.mark")


def _without_mark(passage: Passage) -> Iterator[Problem]:
    if passage.asks:
        return
    for sentence, line in passage.sentences():
        match = STATEMENT.search(sentence)
        if not match or sentence.endswith("?") or BELIEF.match(sentence):
            continue
        message = (
            f"{match[0]!r} states something that can be checked; name the test above "
            "the paragraph with '% test: test_…', or write '% derived', "
            "'% definition', '% documentation' or '% opinion'"
        )
        yield Problem(line, message, "prose.statement")
        return


def _by_mark(prose: Prose, kind: str) -> Iterator[tuple[Mark, list[Passage]]]:
    """The marks of a kind, each with the passages that it speaks for."""
    groups: dict[Mark, list[Passage]] = {}
    for passage in prose.passages:
        for mark in passage.marks:
            if mark.kind == kind:
                groups.setdefault(mark, []).append(passage)
    yield from groups.items()
