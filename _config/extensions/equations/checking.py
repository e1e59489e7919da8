"""Compare the printed formulas of a chapter with themselves and with their checks.

Every formula is computed on random inputs from the setting of its place: all sides of a
chain must be equal, an inequality must hold. A labelled equation is compared with the
routes of its check as well.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import traceback
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from equations.cases import Failure, check_case
from equations.language import is_claim, is_concrete, parse
from equations.meanings import Meanings, Unknown
from equations.operations import Mismatch
from equations.pages import Printed, formulas
from equations.report import (
    FAILS,
    GIVEN,
    HOLDS,
    NO_CLAIM,
    UNCHECKED,
    UNKNOWN,
    Broken,
    Finding,
    Page,
)
from equations.tree import NotUnderstood
from snippets import checks
from snippets.checks import Check, Draw, RandomDraw, Setting

CASES = 25


def check_page(root: Path, slug: str, text: str) -> Page:
    """Check the formulas of a chapter's Markdown."""
    try:
        checker = Checker(load(slug))
        findings = checker.check_all(formulas(slug, text))
    except Exception as error:  # of an author's code: of any class
        return Page([], broken=_broken(root, slug, error))
    return Page(findings, checker.unused(findings))


def _broken(root: Path, slug: str, error: Exception) -> Broken:
    """Where in the checks an exception arose, and its message."""
    path, line = f"snippets/checks/{module_of(slug)}.py", 1
    if isinstance(error, SyntaxError) and error.filename:
        frames = [(error.filename, error.lineno or 1)]
    else:
        stack = traceback.extract_tb(error.__traceback__)
        frames = [(frame.filename, frame.lineno or 1) for frame in stack]
    for filename, number in frames:
        place = Path(filename)
        if place.is_relative_to(root / "snippets" / "checks"):
            path, line = place.relative_to(root).as_posix(), number
    return Broken(path, line, f"{type(error).__name__}: {error}")


def module_of(slug: str) -> str:
    """The module that belongs to a chapter."""
    return slug.replace("-", "_")


def load(slug: str) -> checks.Chapter:
    """What the chapter's module of checks declares; nothing, where there is none."""
    name = f"snippets.checks.{module_of(slug)}"
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
    return checks.declared(module_of(slug))


def seeded(setting: Setting, case: int) -> Draw:
    """The draw of a case: the same in every build, another for every setting."""
    return RandomDraw(zlib.crc32(setting.name.encode()) + case)


source = cache(inspect.getsource)  # settings serve several checks


def spelled(tex: str) -> str:
    """A formula without its line breaks."""
    return " ".join(tex.split())


class Checker:
    """Checks the formulas of one chapter; each draw of a setting serves all of them."""

    def __init__(
        self,
        chapter: checks.Chapter,
        cases: int = CASES,
        draw: Callable[[Setting, int], Draw] = seeded,
    ) -> None:
        self.chapter = chapter
        self.cases = cases
        self.draw = draw
        self.drawn: dict[str, list[tuple[int, Meanings]]] = {}
        self.found: dict[tuple[str, str], Finding] = {}

    def check_all(self, printed: Sequence[Printed]) -> list[Finding]:
        """What comes of the formulas of a page, those of a table's row together."""
        rows: dict[int, list[Printed]] = {}
        for formula in printed:
            rows.setdefault(formula.row, []).append(formula)
        return [
            self.check(formula, [f for f in rows[formula.row] if f is not formula])
            if formula.row
            else self.check(formula)
            for formula in printed
        ]

    def draws(self, setting: Setting) -> Iterator[Meanings]:
        """The draws of a setting, each made when the first formula asks for it."""
        drawn = self.drawn.setdefault(setting.name, [])
        for place in range(1 if setting.example else self.cases):
            if place == len(drawn):
                case = drawn[-1][0] + 1 if drawn else 0
                drawn.append(self._next_draw(setting, case))
            yield drawn[place][1]

    def _next_draw(self, setting: Setting, case: int) -> tuple[int, Meanings]:
        """The first draw from a case on that the setting accepts, and its case."""
        for tried in range(case, case + 1000):
            with contextlib.suppress(checks.Redraw):
                return tried, Meanings(setting.function(self.draw(setting, tried)))
        raise ValueError(f"the setting {setting.name} rejects what it draws")

    def settings(self, formula: Printed) -> list[Setting]:
        """The settings of a formula's innermost place that has one, general ones first.

        Examples of outer places follow, for a number in a sentence is often theirs.
        """
        found: list[Setting] = []
        for place in [formula.label, *formula.places]:
            here = [s for s in self.chapter.settings if place in s.places]
            general = any(not s.example for s in found)
            found += [s for s in here if s.example or not general]
        return sorted(found, key=lambda s: s.example)

    def check(self, formula: Printed, beside: Sequence[Printed] = ()) -> Finding:
        """What comes of one formula; the first setting that it holds in decides.

        A row of a table speaks of one thing: where settings make all the formulas
        ``beside`` it true, one of them must make it true as well.
        """
        routes = self.chapter.checks.get(formula.label) if formula.label else None
        if not is_claim(formula.tex):
            return Finding(formula, NO_CLAIM)
        settings = [routes.setting] if routes else self.settings(formula)
        of_row = [
            setting
            for setting in settings
            if all(
                self._in_setting(other, setting).status in (HOLDS, NO_CLAIM)
                for other in beside
            )
        ]
        settings = of_row or settings
        findings: list[Finding] = []
        for setting in settings:
            findings.append(
                self._with_routes(formula, setting, routes)
                if routes
                else self._in_setting(formula, setting)
            )
            if findings[-1].status == HOLDS:
                break  # examples stand last: nothing comes of the settings left
        if not findings:
            findings = [Finding(formula, UNKNOWN, "no setting is given for its place")]
        if not is_concrete(formula.tex) and any(
            finding.status == FAILS and not finding.example for finding in findings
        ):
            # Without a number it speaks of all draws; that it holds in an example,
            # where a term may be 0, does not save it.
            findings = [finding for finding in findings if not finding.example]
        order = [HOLDS, FAILS, UNKNOWN, NO_CLAIM]
        found = min(findings, key=lambda finding: order.index(finding.status))
        return self._declared(formula, found)

    def _declared(self, formula: Printed, finding: Finding) -> Finding:
        """The finding, unless the chapter declares that nothing is to be computed."""
        tex = spelled(formula.tex)
        if finding.status == HOLDS or formula.label:
            return finding
        if tex in map(spelled, self.chapter.given):
            return Finding(formula, GIVEN)
        for other, reason in self.chapter.unchecked.items():
            if tex == spelled(other):
                return Finding(formula, UNCHECKED, reason)
        return finding

    def unused(self, findings: Sequence[Finding]) -> list[str]:
        """What the chapter declares and no formula of its page needs."""
        needed = {
            spelled(finding.formula.tex)
            for finding in findings
            if finding.status in (GIVEN, UNCHECKED)
        }
        declared = [*self.chapter.given, *self.chapter.unchecked]
        labels = {finding.formula.label for finding in findings}
        return [tex for tex in declared if spelled(tex) not in needed] + [
            label for label in self.chapter.checks if label not in labels
        ]

    def _in_setting(self, formula: Printed, setting: Setting) -> Finding:
        """What comes of a formula in a setting, computed once however often printed."""
        key = (formula.tex, setting.name)
        if key not in self.found:
            self.found[key] = self._with_routes(formula, setting, None)
        return replace(self.found[key], formula=formula)

    def _with_routes(
        self, formula: Printed, setting: Setting, routes: Check | None
    ) -> Finding:
        finding = Finding(formula, HOLDS, "", setting.name, setting.example)
        if routes is not None:
            finding.checked = True
            finding.definition = routes.routes is None
            finding.draw = source(setting.function)
            if routes.routes is not None:
                finding.code = source(routes.routes)
        for case, meanings in enumerate(self.draws(setting), start=1):
            try:
                read = parse(formula.tex, meanings.functions)
                if read.unread:
                    raise NotUnderstood("; ".join(read.unread))
                if not read.chains:
                    return Finding(formula, NO_CLAIM)
                check_case(read, meanings, finding, routes)
            except (NotUnderstood, Unknown) as error:
                finding.status, finding.reason = UNKNOWN, str(error)
                return finding
            except (Failure, Mismatch) as error:
                finding.status = FAILS
                finding.reason = f"{error} (case {case} of the setting {setting.name})"
                return finding
            finding.cases = case
        return finding
