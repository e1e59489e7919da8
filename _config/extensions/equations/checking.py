"""Compare the printed formulas of a chapter with themselves and with their checks.

Every formula is computed on random inputs from the setting of its place: all sides of a
chain must be equal, an inequality must hold. A labelled equation is compared with the
routes of its check as well.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import itertools
import traceback
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from equations.language import is_claim, is_concrete, parse
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
from equations.tree import Chain, Formula, NotUnderstood, Number
from equations.values import (
    Evaluation,
    Unknown,
    as_matrix,
    callables,
    difference,
    free_indices,
)
from snippets import checks
from snippets.checks import Check, Draw, RandomDraw, Setting, Sides

CASES = 25
# Two printed sides are one computation in float64, written in two ways.
TOLERANCE = 1e-9

ZERO = Number("0")


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


def spelled(tex: str) -> str:
    """A formula without its line breaks."""
    return " ".join(tex.split())


class Checker:
    """Checks the formulas of one chapter; draws each setting once for all of them."""

    def __init__(
        self,
        chapter: checks.Chapter,
        cases: int = CASES,
        draw: Callable[[Setting, int], Draw] = seeded,
    ) -> None:
        self.chapter = chapter
        self.cases = cases
        self.draw = draw
        self.drawn: dict[str, list[checks.Symbols]] = {}
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

    def symbols(self, setting: Setting) -> list[checks.Symbols]:
        """The draws of a setting."""
        if setting.name not in self.drawn:
            count = 1 if setting.example else self.cases
            drawn: list[checks.Symbols] = []
            for case in itertools.count():
                with contextlib.suppress(checks.Redraw):
                    drawn.append(setting.function(self.draw(setting, case)))
                if len(drawn) == count:
                    break
                if case > 100 * count:
                    raise ValueError(
                        f"the setting {setting.name} rejects what it draws"
                    )
            self.drawn[setting.name] = drawn
        return self.drawn[setting.name]

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
            if setting.example and any(found.status == HOLDS for found in findings):
                break  # examples stand last, and nothing comes of those that are left
            findings.append(
                self._with_routes(formula, setting, routes)
                if routes
                else self._in_setting(formula, setting)
            )
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
            finding.draw = inspect.getsource(setting.function)
            if routes.routes is not None:
                finding.code = inspect.getsource(routes.routes)
        draws = self.symbols(setting)
        for case, symbols in enumerate(draws, start=1):
            try:
                read = parse(formula.tex, callables(symbols))
                if read.unread:
                    raise NotUnderstood("; ".join(read.unread))
                if not read.chains:
                    return Finding(formula, NO_CLAIM)
                _check_case(read, symbols, finding, routes)
            except (NotUnderstood, Unknown) as error:
                finding.status, finding.reason = UNKNOWN, str(error)
                return finding
            except (Failure, Mismatch) as error:
                finding.status = FAILS
                finding.reason = f"{error} (case {case} of the setting {setting.name})"
                return finding
            finding.cases = case
        return finding


@contextlib.contextmanager
def _understood() -> Iterator[None]:
    """Whatever Python objects to while a formula is computed, the formula is wrong."""
    try:
        yield
    except (TypeError, ValueError, IndexError, ArithmeticError, RuntimeError) as error:
        raise Mismatch(f"it cannot be computed ({error})") from None


class Failure(Exception):
    """Two things that should be equal are not; the text says which."""


def _check_case(
    read: Formula, symbols: checks.Symbols, finding: Finding, routes: Check | None
) -> None:
    if read.equivalent:
        _check_equivalence(read, symbols, finding, routes)
        return
    # Conditions on indices narrow every statement of the formula.
    with _understood():
        sides = [_chain_sides(chain, read, symbols, finding) for chain in read.chains]
    if routes is not None and routes.routes is not None:
        _compare_routes(routes, symbols, [s for s in sides if s], finding)


def _check_equivalence(
    read: Formula, symbols: checks.Symbols, finding: Finding, routes: Check | None
) -> None:
    """Statements are true together, for each value of the indices that all have."""
    free = [free_indices(chain, symbols) for chain in read.chains]
    truths: list[bool] = []
    for bound in _bindings(set.intersection(*free), symbols):
        here = {_true(chain, symbols, bound) for chain in read.chains}
        if len(here) > 1:
            raise Failure("one statement is true and the other is not")
        truths += here
    for name, result in routes.run(symbols).items() if routes else ():
        if bool(result) != all(truths):
            raise Failure(f"the route '{name}' finds that it is {bool(result)}")
        finding.routes[name] = 0.0


def _true(chain: Chain, symbols: checks.Symbols, bound: dict[str, int]) -> bool:
    """Whether a chain holds for all values of the indices that are not bound."""
    others = free_indices(chain, symbols) - set(bound)
    return all(
        Evaluation(symbols, bound | inner).holds(chain)
        for inner in _bindings(others, symbols)
    )


def _bindings(names: set[str], symbols: checks.Symbols) -> list[dict[str, int]]:
    """All values of the indices, in the order in which the setting lists them."""
    ordered = [name for name in symbols if name in names]
    ranges = [symbols[name].values for name in ordered]
    return [dict(zip(ordered, v, strict=True)) for v in itertools.product(*ranges)]


def _chain_sides(
    chain: Chain, read: Formula, symbols: checks.Symbols, finding: Finding
) -> list[tuple[Tensor, bool]]:
    """Check a chain for every value of its indices; return what each side is.

    With each goes whether it is a written ``0``, which stands for zeros of any shape.
    The result of a chain about shapes or membership is empty: no route computes it.
    """
    bindings = [
        bound
        for bound in _bindings(free_indices((chain, read.conditions), symbols), symbols)
        if all(Evaluation(symbols, bound).holds(c) for c in read.conditions)
    ]
    if not bindings:
        raise Unknown("the condition on the indices is never met")
    sides: list[list[Any]] = []
    for bound in bindings:
        evaluation = Evaluation(symbols, bound)
        values = evaluation.sides(chain)
        sides.append(values)
        gaps = evaluation.gaps(chain, values, TOLERANCE)
        for place, gap in enumerate(gaps, start=1):
            if gap > TOLERANCE:
                raise Failure(_told(chain, place, evaluation, gap, bound))
            finding.gap = max(finding.gap, gap)
    if "in" in chain.relations:
        return []
    return [
        (torch.stack(values) if bindings[0] else values[0], side == ZERO)
        for side, values in zip(chain.sides, zip(*sides, strict=True), strict=True)
    ]


def _told(
    chain: Chain, place: int, evaluation: Evaluation, gap: float, bound: dict[str, int]
) -> str:
    where = "".join(f", {name} = {value}" for name, value in bound.items())
    if chain.relations[place - 1] == "in":
        return f"side {place} is not in what is printed on its right{where}"
    left, right = (
        _short(evaluation.value(s)) for s in chain.sides[place - 1 : place + 1]
    )
    relation = chain.relations[place - 1]
    return (
        f"side {place} is {left} and side {place + 1} is {right}, not {relation}{where}"
    )


def _short(value: Tensor) -> str:
    if not value.dim():
        return f"{float(value.detach()):.6g}"
    numbers = ", ".join(f"{number:.4g}" for number in value.detach().flatten()[:4])
    return f"({numbers}{', …' if value.numel() > 4 else ''})"


def _compare_routes(
    routes: Check,
    symbols: checks.Symbols,
    printed: Sequence[list[tuple[Tensor, bool]]],
    finding: Finding,
) -> None:
    results = routes.run(symbols)
    for name, result in results.items():
        parts = result if isinstance(result, list | tuple) else [result]
        if len(parts) != len(printed):
            raise Failure(
                f"the route '{name}' has {len(parts)} results for the "
                f"{len(printed)} statements of the equation"
            )
        for sides, part in zip(printed, parts, strict=True):
            values = part.values if isinstance(part, Sides) else (part,) * len(sides)
            if len(values) != len(sides):
                raise Failure(f"the route '{name}' has {len(values)} sides")
            for place, ((side, zero), value) in enumerate(
                zip(sides, values, strict=True), start=1
            ):
                gap = _route_gap(side, value, zero=zero)
                if not gap <= routes.tolerance:
                    raise Failure(
                        f"side {place} is {_short(side)}, and the route '{name}' gives "
                        f"{_short(_tensor(value))}"
                    )
                finding.routes[name] = max(finding.routes.get(name, 0.0), gap)


def _tensor(value: Any) -> Tensor:
    return torch.as_tensor(value, dtype=torch.float64).detach()


def _route_gap(side: Tensor, value: Any, *, zero: bool) -> float:
    """The difference of a printed side and a route's result, relative to their size."""
    found = _tensor(value)
    if zero:
        return difference(side, as_matrix(found), zero=True)
    if side.dim() <= 2 and as_matrix(found).shape == side.shape:
        return difference(side, as_matrix(found))
    # For a formula with free indices the route gives all its cases in one tensor.
    if side.numel() != found.numel():
        raise Mismatch(f"the route's result has the shape {tuple(found.shape)}")
    return difference(side.reshape(-1, 1), found.reshape(-1, 1))
