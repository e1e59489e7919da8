"""What the appendix "What is checked" counts: outputs and values, and planted faults.

The outputs and the values of sentences are counted in the files of expected outputs,
the faults in the record of the last audit ::

    day = 2026-11-05

    [faults.tensors]
    formula = [30, 29]

which says that 30 faults were planted in formulas of the chapter, and 29 noticed.

Nothing here knows of Sphinx.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache

from expected_outputs import BELOW, read_expectations, untied


@dataclass(frozen=True)
class Expected:
    """Expected outputs of a chapter, and how many of them, and values, are tested."""

    outputs: int = 0
    tested: int = 0
    tied: int = 0


@cache
def expected(text: str) -> Expected:
    """What a file of expected outputs counts.

    A value in a sentence is tested if the file names a test of it, or if an output that
    is tested shows it.
    """
    entries = read_expectations(text)
    outputs = [entry for cell, entry in entries.items() if not cell.startswith(BELOW)]
    tied = sum(
        len(entry.output.splitlines())
        for cell, entry in entries.items()
        if cell.startswith(BELOW) and (entry.by or not untied(cell, entries))
    )
    return Expected(len(outputs), sum(bool(entry.by) for entry in outputs), tied)


@dataclass(frozen=True)
class Audit:
    """The last audit by planted faults: its day, and counts by chapter and kind."""

    day: date | None = None
    counts: Mapping[str, Mapping[str, Sequence[int]]] = field(default_factory=dict)

    @property
    def kinds(self) -> list[str]:
        """The kinds of faults, in the order of the record."""
        return list(dict.fromkeys(k for kinds in self.counts.values() for k in kinds))

    def of_chapter(self, slug: str) -> tuple[int, int]:
        """The faults in a chapter: noticed, and planted."""
        return _sum(self.counts.get(slug, {}).values())

    def of_kind(self, kind: str) -> tuple[int, int]:
        """The faults of a kind: noticed, and planted."""
        return _sum(kinds[kind] for kinds in self.counts.values() if kind in kinds)

    def told(self) -> str:
        """The audit in a sentence.

        >>> Audit(date(2026, 11, 5), {"tensors": {"link": (5, 4)}}).told()
        'Last planted on 5 November 2026: 5 faults, 4 of which were noticed.'
        """
        if self.day is None:
            return "No faults have been planted yet."
        noticed, planted = _sum(
            c for kinds in self.counts.values() for c in kinds.values()
        )
        return (
            f"Last planted on {self.day.day} {self.day:%B %Y}: {planted} faults, "
            f"{noticed} of which were noticed."
        )


def _sum(counts: Iterable[Sequence[int]]) -> tuple[int, int]:
    pairs = list(counts)
    return sum(noticed for _, noticed in pairs), sum(planted for planted, _ in pairs)


def audit(text: str) -> Audit:
    """The record of an audit."""
    table = tomllib.loads(text)
    return Audit(table["day"], table["faults"])


def share(part: int, whole: int) -> str:
    """How many of how many.

    >>> share(109, 112), share(5, 5), share(0, 0)
    ('109 of 112', '5', '–')
    """
    if not whole:
        return "–"
    return str(whole) if part == whole else f"{part} of {whole}"


def without_claim(idle: int, given: int) -> str:
    """What is said of formulas that claim nothing, and of those that set a value.

    >>> without_claim(12, 1)
    'Compared with nothing: 12 names or terms without a relation, 1 that sets a value.'
    """
    values = "1 that sets a value" if given == 1 else f"{given} that set a value"
    return f"Compared with nothing: {idle} names or terms without a relation, {values}."
