"""One formula on one draw of a setting: whether its sides agree with one another.

``check_case`` takes a formula that has been read, what its symbols mean, and the routes
of its check. It notes the largest differences in the finding, and raises ``Failure``
where two things differ.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from equations.operations import Mismatch
from equations.report import Finding
from equations.tree import Chain, Formula, Number
from equations.values import Evaluation, Unknown, as_matrix, difference, free_indices
from snippets import checks
from snippets.checks import Check, Sides

# Two printed sides are one computation in float64, written in two ways.
TOLERANCE = 1e-9

ZERO = Number("0")


class Failure(Exception):
    """Two things that should be equal are not; the text says which."""


def check_case(
    read: Formula, symbols: checks.Symbols, finding: Finding, routes: Check | None
) -> None:
    """Compare the sides of a formula with one another and with the routes of its check.

    Raises:
        Failure: where two of them differ.
        Mismatch: where something cannot be computed, as for shapes that do not fit.
        Unknown: for a symbol without a meaning.
    """
    if read.equivalent:
        _check_equivalence(read, symbols, finding, routes)
        return
    # Conditions on indices narrow every statement of the formula.
    with _understood():
        sides = [_chain_sides(chain, read, symbols, finding) for chain in read.chains]
    if routes is not None and routes.routes is not None:
        _compare_routes(routes, symbols, [s for s in sides if s], finding)


@contextlib.contextmanager
def _understood() -> Iterator[None]:
    """Whatever Python objects to while a formula is computed, the formula is wrong."""
    try:
        yield
    except (TypeError, ValueError, IndexError, ArithmeticError, RuntimeError) as error:
        raise Mismatch(f"it cannot be computed ({error})") from None


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
