"""What came of the formulas of a page, and how it is told to the author.

A display that is false, or labelled and not checked, is a mistake of the page. What
concerns formulas of the text is told by the tests: a sentence may set a value ("with
η = 0.1"), and an author who writes one must not be stopped for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from equations.pages import Printed

HOLDS, FAILS, UNKNOWN, NO_CLAIM = "holds", "fails", "unknown", "no claim"
GIVEN, UNCHECKED = "given", "unchecked"


@dataclass
class Finding:
    """What came of one formula.

    ``gap`` is the largest difference of its printed sides, ``routes`` that of each
    route of its check, all relative; ``code`` and ``draw`` are the Python of check and
    setting.
    """

    formula: Printed
    status: str
    reason: str = ""
    setting: str = ""
    example: bool = False
    cases: int = 0
    gap: float = 0.0
    definition: bool = False
    checked: bool = False
    routes: dict[str, float] = field(default_factory=dict)
    code: str = ""
    draw: str = ""

    @property
    def largest(self) -> float:
        """The largest difference found."""
        return max([self.gap, *self.routes.values()])


@dataclass
class Broken:
    """The code of a page's checks fails: path below the root, line, and the error."""

    path: str
    line: int
    message: str


@dataclass
class Page:
    """What came of a page: a finding for each formula, and declarations left over."""

    findings: list[Finding]
    unused: list[str] = field(default_factory=list)
    broken: Broken | None = None

    @cached_property
    def digest(self) -> str:
        """Of all that came of the page, but not of where it stands; asked for last."""
        told = [
            repr(replace(finding, formula=replace(finding.formula, line=0, row=0)))
            for finding in self.findings
        ]
        text = repr((told, self.unused, self.broken))
        return hashlib.sha256(text.encode()).hexdigest()


def problems(slug: str, page: Page) -> Iterator[tuple[int, str]]:
    """Everything wrong with a page, the formulas of the text included, by line."""
    module = f"snippets/checks/{slug.replace('-', '_')}.py"
    yield from mistakes(slug, page)
    for finding in page.findings:
        formula = finding.formula
        if formula.label or (formula.display and finding.status == FAILS):
            continue
        if finding.status == FAILS:
            yield (
                formula.line,
                f"the formula '{_short(formula)}' is false: {finding.reason}; correct "
                f"it, or, if it only sets a value, name it under given(…) in {module}",
            )
        elif finding.status == UNKNOWN:
            yield (
                formula.line,
                f"the formula '{_short(formula)}' is not computed: {finding.reason}; "
                f"give its meaning in {module}, or name it there under unchecked(…)",
            )
    for tex in page.unused:
        yield 1, f"{module} speaks of '{tex}', which is not on the page; remove it"


def mistakes(slug: str, page: Page) -> Iterator[tuple[int, str]]:
    """What must not be published: false displays, and labels without a check."""
    module = f"snippets/checks/{slug.replace('-', '_')}.py"
    for finding in page.findings:
        formula = finding.formula
        name = formula.label or (
            f"step {formula.step} of the derivation" if formula.step else "the formula"
        )
        if formula.label and not finding.checked:
            yield (
                formula.line,
                f"the equation {formula.label} has no check; write one with "
                f'@check("{formula.label}", …) in {module}, or declare it there: '
                f'definition("{formula.label}", …)',
            )
        elif finding.status == FAILS and formula.display:
            yield (
                formula.line,
                f"{name} is false: {finding.reason}; in '{_short(formula)}'",
            )
        elif formula.label and finding.status != HOLDS:
            yield (
                formula.line,
                f"{name} cannot be computed: {finding.reason}; give its meaning in "
                f"{module}",
            )


def _short(formula: Printed) -> str:
    tex = " ".join(formula.tex.split())
    return tex if len(tex) <= 60 else tex[:57] + "…"
