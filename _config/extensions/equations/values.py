r"""The value of an expression, from what a setting says of its symbols.

Values are float64 tensors: scalars, and matrices of which a vector is one column, so
that a lost transpose is a wrong shape. Derivatives are taken by autograd through the
setting's own graph: ``\partial r_i / \partial w_j`` needs no formula for it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from equations import tree as tex
from equations.operations import OPERATIONS, Mismatch, scalar, shape_of
from equations.tree import Chain, Expr, NotUnderstood
from snippets.checks import Both, Family, Index, Quantity

# Names that mean the same everywhere, unless a setting gives them another meaning.
CONSTANTS: dict[str, Any] = {
    r"\pi": math.pi,
    "e": math.e,
    r"\sigma": Quantity(torch.sigmoid),
}
NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)


class Unknown(Exception):
    """The setting has no meaning for a symbol."""


def callables(symbols: Mapping[str, Any]) -> set[str]:
    """The names that are functions in a setting."""
    known = CONSTANTS | dict(symbols)
    return {
        name
        for name, value in known.items()
        if callable(value) or isinstance(value, Both | Quantity)
    }


def as_matrix(value: Any) -> Tensor:
    """A number or tensor as a scalar or a matrix; a vector becomes a column."""
    if isinstance(value, bool | int | float):
        return scalar(value)
    if not isinstance(value, Tensor):
        raise Unknown(f"{value!r} is no number")
    found: Tensor = value.to(torch.float64)
    if found.numel() == 1:
        return found.reshape(())
    return found[:, None] if found.dim() == 1 else found


def as_argument(value: Tensor) -> Tensor:
    """A column as a vector again, as functions of a setting expect it."""
    return value[:, 0] if value.dim() == 2 and value.shape[1] == 1 else value


def free_indices(node: Any, symbols: Mapping[str, Any]) -> set[str]:
    """The indices that an expression leaves open, over whose values it holds."""
    indices = frozenset(n for n, value in symbols.items() if isinstance(value, Index))
    return set(_free_indices(node, indices, frozenset(symbols)))


@cache  # the draws of a setting have the same names
def _free_indices(
    node: Any, indices: frozenset[str], names: frozenset[str]
) -> frozenset[str]:
    outer = _free(node, indices, names, None)
    return frozenset(_free(node, indices, names, outer))


def _free(  # noqa: PLR0911 (one return for each kind)
    node: Any,
    indices: frozenset[str],
    names: frozenset[str],
    outer: set[str] | None,
) -> set[str]:
    def free(part: Any) -> set[str]:
        return _free(part, indices, names, outer)

    if isinstance(node, tex.Symbol):
        return {node.name} & indices
    if isinstance(node, tex.Indexed) and node.name in names:
        return set()
    if isinstance(node, tex.Over):
        own = set(node.names)
        if node.condition is not None or node.words:
            if outer is None:
                return set()
            own = (own | free(node.condition)) - outer
        return free((node.lower, node.upper)) | (free(node.body) - own)
    if isinstance(node, tex.Expectation):
        return (free(node.body) - {node.variable}) | free(node.distribution)
    if isinstance(node, tuple):
        return set().union(*map(free, node))
    if is_dataclass(node):
        return set().union(*(free(getattr(node, part.name)) for part in fields(node)))
    return set()


class Evaluation:
    """Values of expressions for one draw of a setting."""

    def __init__(
        self, symbols: Mapping[str, Any], bound: Mapping[str, int] | None = None
    ) -> None:
        self.symbols = CONSTANTS | dict(symbols)
        self.bound = dict(bound or {})

    def with_indices(self, **bound: int) -> Evaluation:
        """The same draw with values for indices."""
        return Evaluation(self.symbols, self.bound | bound)

    def value(self, expr: Expr) -> Tensor:
        """A scalar or a matrix. Raises ``Unknown``, ``Mismatch``, ``NotUnderstood``."""
        method = getattr(self, f"_{type(expr).__name__.lower()}", None)
        if method is None:
            raise NotUnderstood(f"{type(expr).__name__} is no value")
        found: Tensor = method(expr)
        return found

    # Names

    def _number(self, expr: tex.Number) -> Tensor:
        return scalar(float(expr.text))

    def _symbol(self, expr: tex.Symbol) -> Tensor:
        if expr.name in self.bound:
            return scalar(self.bound[expr.name])
        return self._alone(expr.name)

    def _raw(self, name: str) -> Any:
        if name not in self.symbols:
            raise Unknown(f"no meaning is given for {name}")
        return self.symbols[name]

    def _alone(self, name: str) -> Tensor:
        raw = self._raw(name)
        if isinstance(raw, Both):
            raw = raw.value
        if isinstance(raw, Quantity):
            names = (raw.at,) if isinstance(raw.at, str) else raw.at
            if not names:
                raise Unknown(f"{name} is a function and stands without its argument")
            raw = raw.function(*(self._plain(at) for at in names))
        if isinstance(raw, Family):
            raw = raw.members if raw.alone is None else raw.alone
        if isinstance(raw, Index):
            raise Unknown(f"{name} is an index and has no value here")
        return as_matrix(raw)

    def _plain(self, name: str) -> Any:
        raw = self._raw(name)
        if isinstance(raw, Family):
            return raw.members if raw.alone is None else raw.alone
        return raw

    def _indexed(self, expr: tex.Indexed) -> Tensor:
        if expr.name in self.symbols:
            return self._alone(expr.name)
        if not expr.indices:
            raise Unknown(f"no meaning is given for {expr.name}")
        base: Any = None
        if isinstance(expr.base, tex.Symbol | tex.Indexed):
            base = self._base(expr.base)
        if base is None:
            base = as_argument(self.value(expr.base))
            if len(expr.indices) == 1 and 1 in base.shape:
                base = base.flatten()  # the entry of a row, as in (x^T A)_j
        return as_matrix(self._entry(base, expr))

    def _base(self, expr: tex.Symbol | tex.Indexed) -> Any:
        """What has the index: a family, a tensor; None for an expression."""
        if expr.name not in self.symbols:
            if isinstance(expr, tex.Indexed):
                return None
            raise Unknown(f"no meaning is given for {expr.name}")
        raw = self.symbols[expr.name]
        if isinstance(raw, Both):
            raw = raw.value
        if isinstance(raw, Quantity):
            return as_argument(self._alone(expr.name))
        return raw

    def _entry(self, base: Any, expr: tex.Indexed) -> Any:
        first = self.symbols.get("first", 1)
        starts = [first, first]
        if isinstance(base, Family):
            starts = [base.start, 1]
            base = base.members
            rows = True
        else:
            rows = not isinstance(base, Tensor) or base.dim() == 1
        places = []
        for index, default in zip(expr.indices, starts, strict=False):
            start = default if rows else self._start(index, default)
            place = self._integer(index) - start
            if place < 0:
                raise Unknown(f"{expr.name}: there is no member before the first")
            places.append(place)
        if len(places) == 1 and not rows:
            raise Unknown(f"{expr.name}: a matrix has one index only as a family")
        found = base
        for place in places:
            if isinstance(found, int | float) or (
                isinstance(found, Tensor) and found.dim() == 0
            ):
                if place:
                    raise Mismatch(f"{expr.name}: a number has no entries")
                continue
            if place >= len(found):
                raise Mismatch(f"{expr.name}: there is no member {place + 1}")
            found = found[place]
        return found

    def _start(self, index: Expr, default: int) -> int:
        known = isinstance(index, tex.Symbol) and self.symbols.get(index.name)
        return known.start if isinstance(known, Index) else default

    def _integer(self, expr: Expr) -> int:
        if isinstance(expr, tex.Symbol) and expr.name in self.bound:
            return self.bound[expr.name]
        value = self.value(expr)
        number = float(value.detach()) if not value.dim() else math.nan
        if not number.is_integer():
            raise Mismatch("an index is no integer")
        return int(number)

    # Arithmetic

    def _apply(self, expr: tex.Apply) -> Tensor:
        operation = OPERATIONS[expr.kind]
        return operation(*(self.value(part) for part in expr.parts))

    def _matrix(self, expr: tex.Matrix) -> Tensor:
        rows = [torch.stack([self.value(e) for e in row]) for row in expr.rows]
        if rows[0].dim() != 1:
            raise NotUnderstood("a list of things that are not numbers")
        return torch.stack(rows) if len(rows) > 1 or len(rows[0]) > 1 else rows[0][0]

    # Functions and derivatives

    def _call(self, expr: tex.Call) -> Tensor:
        arguments: list[Tensor] = []
        for part in expr.arguments:
            if isinstance(part, tex.Over) and part.kind == "list":
                values = [inner.value(part.body) for inner in self._each(part)]
            else:
                values = [self.value(part)]
            arguments += [as_argument(value) for value in values]
        function = self.function(expr.function)
        for _ in range(expr.primes):
            function = _derivative(function)
        try:
            return as_matrix(function(*arguments))
        except (IndexError, RuntimeError, TypeError, ValueError) as error:
            raise Mismatch(
                f"{expr.function.name} cannot be called so: {error}"
            ) from None

    def function(self, expr: tex.Symbol | tex.Indexed) -> Callable[..., Any]:
        """The function of a name; a family's member takes the index first."""
        raw = self.symbols.get(expr.name)
        if raw is None and isinstance(expr, tex.Indexed):
            assert isinstance(expr.base, tex.Symbol | tex.Indexed)
            whole = self.function(expr.base)
            indices = [self._integer(index) for index in expr.indices]
            return lambda *arguments: whole(*indices, *arguments)
        if isinstance(raw, Both | Quantity):
            return raw.function
        if callable(raw):
            return raw  # type: ignore[no-any-return]
        raise Unknown(f"{expr.name} is not a function")

    def variable(self, expr: Expr) -> tuple[Tensor, Callable[[Tensor], Any]]:
        """The tensor of the graph behind a name, and how to cut its part out."""
        if isinstance(expr, tex.Symbol) or (
            isinstance(expr, tex.Indexed) and expr.name in self.symbols
        ):
            raw = self._plain(expr.name)
            raw = raw.value if isinstance(raw, Both) else raw
            if not isinstance(raw, Tensor) or not raw.requires_grad:
                raise Unknown(f"the setting does not let {expr.name} vary")
            return raw, as_matrix
        if isinstance(expr, tex.Indexed):
            assert isinstance(expr.base, tex.Symbol | tex.Indexed)
            raw = self._base(expr.base)
            if isinstance(raw, list) or (
                isinstance(raw, Family) and not isinstance(raw.members, Tensor)
            ):
                return self._entry(raw, expr), as_matrix
            whole, _ = self.variable(expr.base)

            def part(gradient: Tensor) -> Any:
                source: Any = gradient
                if isinstance(raw, Family):
                    source = Family(gradient, raw.start)
                return as_matrix(self._entry(source, expr))

            return whole, part
        raise NotUnderstood("a derivative by something that is not a name")

    def _derivative(self, expr: tex.Derivative) -> Tensor:
        found = self.value(expr.of)
        for by in expr.by:
            if found.dim():
                raise NotUnderstood("a partial derivative of a vector")
            whole, part = self.variable(by)
            found = part(_gradient(found, whole))
        return found

    def _gradient(self, expr: tex.Gradient) -> Tensor:
        if expr.by is None and isinstance(expr.of, tex.Call):
            function = self.function(expr.of.function)
            at, *others = (as_argument(self.value(a)) for a in expr.of.arguments)
            if not at.requires_grad:
                at = at.clone().requires_grad_()
            return as_matrix(_gradient(as_matrix(function(at, *others)), at))
        by = expr.by or tex.Symbol(self._raw(r"\grad"))
        found = self.value(expr.of)
        if found.dim():
            raise Mismatch("the gradient of something that is not a number")
        whole, part = self.variable(by)
        return as_matrix(part(_gradient(found, whole)))

    def _differential(self, expr: tex.Differential) -> Tensor:
        of = expr.of
        if isinstance(of, tex.Symbol | tex.Indexed):
            if rf"\dd {of.name}" in self.symbols:
                return self._alone(rf"\dd {of.name}")
            if isinstance(of, tex.Indexed) and isinstance(of.base, tex.Symbol):
                given = self.symbols.get(rf"\dd {of.base.name}")
                if given is not None:
                    base = self.symbols.get(of.base.name)
                    if isinstance(base, Family):
                        given = Family(given, base.start)
                    return as_matrix(self._entry(given, of))
        value = self.value(of)
        change = torch.zeros_like(value)
        moves = [name for name in self.symbols if name.startswith(r"\dd ")]
        if not moves:
            raise Unknown(r"no \dd of a variable is given")
        for name in moves:
            whole, _ = self.variable(tex.Symbol(name.removeprefix(r"\dd ")))
            change = change + _directional(value, whole, self._plain(name))
        return change

    # Over indices

    def _over(self, expr: tex.Over) -> Tensor:
        values = [inner.value(expr.body) for inner in self._each(expr)]
        if expr.kind == "list":
            return as_matrix(torch.stack(values))
        if expr.kind in ("max", "min"):
            found = torch.stack(values)
            return found.max() if expr.kind == "max" else found.min()
        total = scalar(1 if expr.kind == "prod" else 0)
        for place, value in enumerate(values):
            if expr.kind == "prod":
                total = total * value
            else:
                total = value if place == 0 else OPERATIONS["sum"](total, value)
        return total

    def _each(self, expr: tex.Over) -> Iterator[Evaluation]:
        if expr.words:
            known = [self.bound[name] for name in expr.names if name in self.bound]
            for meanings in self._raw(expr.words)(*known):
                yield Evaluation(self.symbols | meanings, self.bound)
            return
        if expr.lower is not None and expr.upper is not None:
            low, high = self._integer(expr.lower), self._integer(expr.upper)
            for value in range(low, high + 1):
                yield self.with_indices(**{expr.names[0]: value})
            return
        names = list(expr.names)
        if expr.condition is not None:
            found = free_indices(expr.condition, self.symbols) - set(self.bound)
            names = sorted(found)
        ranges = [self.range(name) for name in names]
        for values in itertools.product(*ranges):
            inner = self.with_indices(**dict(zip(names, values, strict=True)))
            if expr.condition is None or inner.holds(expr.condition):
                yield inner

    def range(self, name: str) -> range:
        """The values of an index."""
        index = self.symbols.get(name)
        if not isinstance(index, Index):
            raise Unknown(f"no range is given for the index {name}")
        return index.values

    def _indicator(self, expr: tex.Indicator) -> Tensor:
        return scalar(self.holds(expr.condition))

    def _expectation(self, expr: tex.Expectation) -> Tensor:
        terms = []
        if expr.distribution is not None:
            for value in self.range(expr.variable):
                inner = self.with_indices(**{expr.variable: value})
                weight = inner.probability(expr.distribution, expr.variable)
                terms.append(weight * inner.value(expr.body))
        else:
            for weight, changes in self._raw(r"\E"):
                inner = Evaluation(self.symbols | changes, self.bound)
                terms.append(weight * inner.value(expr.body))
        return OPERATIONS["sum"](*terms)

    def probability(self, distribution: Expr, variable: str) -> Tensor:
        """The probability of the value of an index under a distribution."""
        assert isinstance(distribution, tex.Symbol | tex.Indexed)
        argument = tex.Symbol(variable)
        try:
            return self.value(tex.Call(distribution, (argument,)))
        except Unknown:
            return self.value(tex.Indexed(distribution, (argument,), "·"))

    def _integral(self, expr: tex.Integral) -> Tensor:
        low, high = self.value(expr.lower), self.value(expr.upper)
        total = scalar(0)
        for node, weight in zip(NODES, WEIGHTS, strict=True):
            at = (low + high) / 2 + (high - low) / 2 * node
            inner = Evaluation(self.symbols | {expr.variable: at}, self.bound)
            total = total + weight * (high - low) / 2 * inner.value(expr.body)
        return total

    # Truth

    def holds(self, chain: Chain, tolerance: float = 1e-9) -> bool:
        """Whether a chain of relations is true."""
        gaps = self.gaps(chain, self.sides(chain), tolerance)
        return all(gap <= tolerance for gap in gaps)

    def sides(self, chain: Chain) -> list[Any]:
        """The values of a chain's sides: tensors and sets; nothing for a space."""
        return [
            None if isinstance(side, tex.Space) else self._side(side)
            for side in chain.sides
        ]

    def gaps(
        self, chain: Chain, values: Sequence[Any], tolerance: float
    ) -> list[float]:
        """For each relation by how much, relative to the sides, it fails to hold."""
        return [
            self._gap(relation, chain.sides[i : i + 2], values[i : i + 2], tolerance)
            for i, relation in enumerate(chain.relations)
        ]

    def _side(self, side: Expr) -> Any:
        if isinstance(side, tex.Symbol):
            raw = self.symbols.get(side.name)
            if isinstance(raw, set | frozenset):
                return raw
        return self.value(side)

    def _gap(
        self, relation: str, sides: Any, values: Sequence[Any], tolerance: float
    ) -> float:
        left, right = values
        if relation == "in":
            return 0.0 if self._contains(sides[1], right, left) else math.inf
        if relation in ("=", "!=", "~"):
            gap = difference(left, right, zero=tex.Number("0") in sides)
            rounded = torch.maximum(*(rounding(side) for side in sides))
            if rounded.any() and left.shape == right.shape:
                allowed = torch.clamp(rounded, min=tolerance)
                gap = 0.0 if bool(((left - right).abs() <= allowed).all()) else gap
            if relation == "~":
                if r"\approx" not in self.symbols:
                    raise NotUnderstood("it is approximate, and nobody says how nearly")
                return 0.0 if gap <= self.symbols[r"\approx"] else gap
            if relation == "!=":
                return 0.0 if gap > tolerance else math.inf
            return gap
        if left.dim() or right.dim():
            raise Mismatch("an inequality between things that are not numbers")
        low, high = left.detach(), right.detach()
        if relation in (">", ">="):
            low, high = high, low
        if relation in ("<", ">"):
            return 0.0 if float(low) < float(high) else math.inf
        scale = max(1.0, abs(float(low)), abs(float(high)))
        return max(0.0, float(low) - float(high)) / scale

    def _contains(self, side: Expr, right: Any, left: Tensor) -> bool:
        if isinstance(side, tex.Space):
            sizes = [self._integer(size) for size in side.sizes]
            shape = list(left.shape)
            if math.prod(sizes) == 1:
                return shape == []
            return shape == (sizes if len(sizes) == 2 else [*sizes, 1])
        if left.dim():
            raise Mismatch("a vector or a matrix in a set of numbers")
        if isinstance(right, set | frozenset):
            return round(float(left)) in right
        return bool((right == left).any())


def difference(left: Tensor, right: Tensor, *, zero: bool = False) -> float:
    """The largest difference of two values, relative to the larger one above 1.

    Only a written ``0`` stands for a vector or matrix of zeros.
    """
    if left.shape != right.shape and not zero:
        raise Mismatch(f"one side is {shape_of(left)}, the other is {shape_of(right)}")
    left, right = left.detach(), right.detach()
    scale = max(1.0, float(left.abs().max()), float(right.abs().max()))
    gap = float((left - right).abs().max()) / scale
    return math.inf if math.isnan(gap) else gap


def rounding(side: Expr) -> Tensor:
    """Half a unit of the last decimal of each number as written; 0 if exact."""
    if isinstance(side, tex.Number) and "." in side.text:
        # A little more, since the decimal itself is not exact in binary.
        return scalar(0.5000001 * 10.0 ** -len(side.text.partition(".")[2]))
    if isinstance(side, tex.Apply) and side.kind == "negative":
        return rounding(side.parts[0])
    if isinstance(side, tex.Matrix):
        rows = [torch.stack([rounding(entry) for entry in row]) for row in side.rows]
        return torch.stack(rows)
    return scalar(0)


def _gradient(of: Tensor, by: Tensor) -> Tensor:
    if not of.requires_grad:
        return torch.zeros_like(by)
    (found,) = torch.autograd.grad(of, by, create_graph=True, allow_unused=True)
    return torch.zeros_like(by) if found is None else found


def _directional(of: Tensor, by: Tensor, move: Tensor) -> Tensor:
    """The change of ``of`` to first order when ``by`` changes by ``move``."""
    if not of.requires_grad:
        return torch.zeros_like(of)
    # The vector–Jacobian product is linear in its vector; its derivative by it is the
    # Jacobian–vector product that is wanted.
    vector = torch.zeros_like(of, requires_grad=True)
    (back,) = torch.autograd.grad(of, by, vector, create_graph=True, allow_unused=True)
    if back is None:
        return torch.zeros_like(of)
    (found,) = torch.autograd.grad(back, vector, move, create_graph=True)
    return found


def _derivative(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def slope(at: Tensor) -> Tensor:
        leaf = at if at.requires_grad else at.clone().requires_grad_()
        return _gradient(as_matrix(function(leaf)), leaf)

    return slope
