"""One formula on one draw of a setting: whether its sides agree with one another.

``check_case`` takes a formula that has been read, what its symbols mean, and the routes
of its check. It notes the largest differences in the finding, and raises ``Failure``
where two things differ.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from equations.indices import bindings, free_indices, open_indices
from equations.meanings import Meanings, Unknown, as_matrix, in_numpy
from equations.operations import Mismatch, Value
from equations.report import Finding
from equations.tree import Chain, Formula
from equations.truth import ZERO, difference
from equations.values import Evaluation
from snippets.checks import Check, Sides

# Two printed sides are one computation in float64, written in two ways.
TOLERANCE = 1e-9


class Failure(Exception):
    """Two things that should be equal are not; the text says which."""


def check_case(
    read: Formula, meanings: Meanings, finding: Finding, routes: Check | None
) -> None:
    """Compare the sides of a formula with one another and with the routes of its check.

    Raises:
        Failure: where two of them differ.
        Mismatch: where something cannot be computed, as for shapes that do not fit.
        Unknown: for a symbol without a meaning.
    """
    if read.equivalent:
        _check_equivalence(read, meanings, finding, routes)
        return
    # Conditions on indices narrow every statement of the formula.
    with _understood():
        sides = [
            _chain_sides(chain, names, read, meanings, finding)
            for chain, names in zip(
                read.chains, open_indices(read, meanings), strict=True
            )
        ]
    if routes is not None and routes.routes is not None:
        _compare_routes(routes, meanings, [_stacked(*s) for s in sides if s], finding)


@contextlib.contextmanager
def _understood() -> Iterator[None]:
    """Whatever Python objects to while a formula is computed, the formula is wrong."""
    try:
        # Dividing by zero is no mistake as such: infinities are compared, and NaN is
        # equal to nothing.
        with np.errstate(all="ignore"):
            yield
    except (TypeError, ValueError, IndexError, ArithmeticError, RuntimeError) as error:
        raise Mismatch(f"it cannot be computed ({error})") from None


def _check_equivalence(
    read: Formula, meanings: Meanings, finding: Finding, routes: Check | None
) -> None:
    """Statements are true together, for each value of the indices that all have."""
    free = [free_indices(chain, meanings) for chain in read.chains]
    truths: list[bool] = []
    for bound in bindings(frozenset.intersection(*free), meanings):
        here = {_true(chain, meanings, bound) for chain in read.chains}
        if len(here) > 1:
            raise Failure("one statement is true and the other is not")
        truths += here
    for name, result in routes.run(meanings.drawn).items() if routes else ():
        if bool(result) != all(truths):
            raise Failure(f"the route '{name}' finds that it is {bool(result)}")
        finding.routes[name] = 0.0


def _true(chain: Chain, meanings: Meanings, bound: dict[str, int]) -> bool:
    """Whether a chain holds for all values of the indices that are not bound."""
    others = free_indices(chain, meanings) - set(bound)
    return all(
        Evaluation(meanings, bound | inner).holds(chain)
        for inner in bindings(others, meanings)
    )


def _chain_sides(
    chain: Chain,
    names: frozenset[str],
    read: Formula,
    meanings: Meanings,
    finding: Finding,
) -> tuple[Chain, list[list[Value]]] | None:
    """Check a chain for every value of its indices; return what its sides are for each.

    Nothing is returned of a chain about shapes or membership: no route computes it.
    """
    cases = [
        Evaluation(meanings, bound)
        for bound in bindings(names, meanings)
        if not read.conditions
        or all(Evaluation(meanings, bound).holds(c) for c in read.conditions)
    ]
    if not cases:
        raise Unknown("the condition on the indices is never met")
    sides: list[list[Value]] = []
    for evaluation in cases:
        values = evaluation.sides(chain)
        sides.append(values)
        gaps = evaluation.gaps(chain, values, TOLERANCE)
        for place, gap in enumerate(gaps, start=1):
            if gap > TOLERANCE:
                raise Failure(_told(chain, place, values, evaluation))
            finding.gap = max(finding.gap, gap)
    return None if "in" in chain.relations else (chain, sides)


def _stacked(chain: Chain, cases: list[list[Value]]) -> list[tuple[Value, bool]]:
    """What each side is, for all values of the indices in one array.

    With each goes whether it is a written ``0``, which stands for zeros of any shape.
    """
    return [
        (np.stack(values) if len(values) > 1 else values[0], side == ZERO)
        for side, values in zip(chain.sides, zip(*cases, strict=True), strict=True)
    ]


def _told(chain: Chain, place: int, values: list[Value], evaluation: Evaluation) -> str:
    bound = evaluation.bound
    where = "".join(f", {name} = {value}" for name, value in bound.items())
    relation = chain.relations[place - 1]
    if relation == "in":
        return f"side {place} is not in what is printed on its right{where}"
    left, right = map(_short, values[place - 1 : place + 1])
    return (
        f"side {place} is {left} and side {place + 1} is {right}, not {relation}{where}"
    )


def _short(value: Value) -> str:
    if not value.ndim:
        return f"{float(value):.6g}"
    numbers = ", ".join(f"{number:.4g}" for number in value.flatten()[:4])
    return f"({numbers}{', …' if value.size > 4 else ''})"


def _compare_routes(
    routes: Check,
    meanings: Meanings,
    printed: Sequence[list[tuple[Value, bool]]],
    finding: Finding,
) -> None:
    results = routes.run(meanings.drawn)
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
                        f"{_short(_array(value))}"
                    )
                finding.routes[name] = max(finding.routes.get(name, 0.0), gap)


def _array(value: Any) -> Value:
    """The result of a route, of any library."""
    return in_numpy(torch.as_tensor(value, dtype=torch.float64))


def _route_gap(side: Value, value: Any, *, zero: bool) -> float:
    """The difference of a printed side and a route's result, relative to their size."""
    found = torch.as_tensor(value, dtype=torch.float64)
    matrix = in_numpy(as_matrix(found))
    if zero:
        return difference(side, matrix, zero=True)
    if side.ndim <= 2 and matrix.shape == side.shape:
        return difference(side, matrix)
    # For a formula with free indices the route gives all its cases in one tensor.
    if side.size != matrix.size:
        raise Mismatch(f"the route's result has the shape {tuple(found.shape)}")
    return difference(side.reshape(-1, 1), matrix.reshape(-1, 1))
