r"""The value of an expression, from what a setting says of its symbols.

Values are float64: scalars, and matrices of which a vector is one column, so that a
lost transpose is a wrong shape. They are NumPy's. What a derivative is taken of is
computed once more in torch, by autograd through the setting's own graph:
``\partial r_i / \partial w_j`` needs no formula for it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from equations import tree as tex
from equations import truth
from equations.derivatives import directional, gradient, slope
from equations.indices import free_indices, names_in
from equations.meanings import (
    NUMBERS,
    Gradients,
    Meanings,
    Unknown,
    as_argument,
    as_matrix,
    in_numpy,
    in_torch,
)
from equations.operations import OPERATIONS, Mismatch, Value, number, scalar, stack
from equations.tree import Chain, Expr, NotUnderstood
from snippets.checks import Both, Family, Index, Quantity

ARRAYS = (np.ndarray, Tensor)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)


class Evaluation:
    """Values of expressions for one draw of a setting and values of its indices.

    With ``graph`` they are tensors, of which derivatives can be taken.
    """

    def __init__(
        self,
        meanings: Meanings,
        bound: Mapping[str, int] | None = None,
        *,
        graph: bool = False,
    ) -> None:
        self.meanings = meanings
        self.bound = bound or {}
        self.graph = graph

    def with_indices(self, bound: Mapping[str, int]) -> Evaluation:
        """The same draw with values for further indices."""
        return Evaluation(self.meanings, {**self.bound, **bound}, graph=self.graph)

    def with_meanings(self, meanings: Meanings) -> Evaluation:
        """Another draw with the same values for indices."""
        return Evaluation(meanings, self.bound, graph=self.graph)

    def in_graph(self) -> Evaluation:
        """The same in torch."""
        return Evaluation(self.meanings, self.bound, graph=True)

    def value(self, expr: Expr) -> Value:
        """A scalar or a matrix. Raises ``Unknown``, ``Mismatch``, ``NotUnderstood``."""
        kind = type(expr)
        if kind not in METHODS:
            raise NotUnderstood(f"{kind.__name__} is no value")
        if kind not in KEPT or self.graph:
            return METHODS[kind](self, expr)
        key = self._key(expr)
        found = self.meanings.found.get(key)
        if found is None:
            found = self.meanings.found[key] = METHODS[kind](self, expr)
        return found

    def _key(self, expr: Expr) -> Hashable:
        """On what the value of an expression depends in this draw."""
        names = names_in(expr)
        return expr, *(item for item in self.bound.items() if item[0] in names)

    def _scalar(self, value: float) -> Value:
        return scalar(value) if self.graph else np.float64(value)

    def _told(self, found: Any) -> Value:
        """What torch, or a function of a setting, has found."""
        if isinstance(found, float) and not self.graph:
            return np.float64(found)
        matrix = as_matrix(found)
        return matrix if self.graph else in_numpy(matrix)

    # Names

    def _number(self, expr: tex.Number) -> Value:
        return self._scalar(float(expr.text))

    def _symbol(self, expr: tex.Symbol) -> Value:
        if expr.name in self.bound:
            return self._scalar(self.bound[expr.name])
        return self._alone(expr.name)

    def _alone(self, name: str) -> Value:
        find = self.meanings.tensor if self.graph else self.meanings.array
        return find(name)

    def _indexed(self, expr: tex.Indexed) -> Value:
        if expr.name in self.meanings.symbols:
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
        return self._matrix_of(self._entry(base, expr))

    def _matrix_of(self, found: Any) -> Value:
        """An entry or a row as a scalar or a column."""
        if isinstance(found, np.ndarray):
            if found.size == 1:
                return found.reshape(-1)[0]
            return found[:, None] if found.ndim == 1 else found
        return self._told(found)

    def _base(self, expr: tex.Symbol | tex.Indexed) -> Any:
        """What has the index: a family, a tensor; None for an expression."""
        if isinstance(expr, tex.Indexed) and expr.name not in self.meanings.symbols:
            return None
        find = self.meanings.members if self.graph else self.meanings.member_arrays
        return find(expr.name)

    def _entry(self, base: Any, expr: tex.Indexed) -> Any:
        starts = [self.meanings.first, self.meanings.first]
        rows = True
        if isinstance(base, Family):
            starts = [base.start, 1]
            base = base.members
        elif isinstance(base, ARRAYS):
            rows = base.ndim == 1
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
            if isinstance(found, NUMBERS) or (
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
        known = isinstance(index, tex.Symbol) and self.meanings.symbols.get(index.name)
        return known.start if isinstance(known, Index) else default

    def _integer(self, expr: Expr) -> int:
        if isinstance(expr, tex.Symbol) and expr.name in self.bound:
            return self.bound[expr.name]
        value = self.value(expr)
        found = math.nan if value.ndim else number(value)
        if not found.is_integer():
            raise Mismatch("an index is no integer")
        return int(found)

    # Arithmetic

    def _apply(self, expr: tex.Apply) -> Value:
        operation = OPERATIONS[expr.kind]
        return operation(*[self.value(part) for part in expr.parts])

    def _matrix(self, expr: tex.Matrix) -> Value:
        rows = [stack([self.value(e) for e in row]) for row in expr.rows]
        if rows[0].ndim != 1:
            raise NotUnderstood("a list of things that are not numbers")
        return stack(rows) if len(rows) > 1 or len(rows[0]) > 1 else rows[0][0]

    # Functions and derivatives

    def _call(self, expr: tex.Call) -> Value:
        arguments: list[Tensor] = []
        for part in expr.arguments:
            if isinstance(part, tex.Over) and part.kind == "list":
                values = [inner.value(part.body) for inner in self._each(part)]
            else:
                values = [self.value(part)]
            arguments += [in_torch(as_argument(value)) for value in values]
        function = self.function(expr.function)
        for _ in range(expr.primes):
            function = slope(function)
        try:
            return self._told(function(*arguments))
        except (IndexError, RuntimeError, TypeError, ValueError) as error:
            raise Mismatch(
                f"{expr.function.name} cannot be called so: {error}"
            ) from None

    def function(self, expr: tex.Symbol | tex.Indexed) -> Callable[..., Any]:
        """The function of a name; a family's member takes the index first."""
        raw = self.meanings.symbols.get(expr.name)
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
            isinstance(expr, tex.Indexed) and expr.name in self.meanings.symbols
        ):
            raw = self.meanings.plain(expr.name)
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

    def _derivative(self, expr: tex.Derivative) -> Value:
        inner = self.in_graph()
        first, *others = expr.by
        value, gradients = inner._differentiable(expr.of)
        if value.dim():
            raise NotUnderstood("a partial derivative of a vector")
        found = inner._by(value, gradients, first, again=self.graph or bool(others))
        for by in others:
            if found.dim():
                raise NotUnderstood("a partial derivative of a vector")
            found = inner._by(found, {}, by)
        return self._told(found)

    def _differentiable(self, expr: Expr) -> tuple[Tensor, Gradients]:
        """The tensor of an expression, and its gradients that are known in this draw.

        The entries of a gradient, which a formula takes one by one, are found at once.
        """
        key = self._key(expr)
        found = self.meanings.in_graph.get(key)
        if found is None:
            found = self.meanings.in_graph[key] = self.value(expr), {}
        return found

    def _by(
        self, of: Tensor, known: Gradients, variable: Expr, *, again: bool = True
    ) -> Tensor:
        """The derivative of a number by a variable or a part of it."""
        whole, part = self.variable(variable)
        key = (id(whole), again)
        if key not in known:
            # With the tensor itself, so that no other can get its number.
            known[key] = whole, gradient(of, whole, again=again)
        found: Tensor = part(known[key][1])
        return found

    def _gradient(self, expr: tex.Gradient) -> Value:
        inner = self.in_graph()
        if expr.by is None and isinstance(expr.of, tex.Call):
            function = inner.function(expr.of.function)
            at, *others = (as_argument(inner.value(a)) for a in expr.of.arguments)
            if not at.requires_grad:
                at = at.clone().requires_grad_()
            of = as_matrix(function(at, *others))
            return self._told(gradient(of, at, again=self.graph))
        by = expr.by or tex.Symbol(self.meanings.raw(r"\grad"))
        value, gradients = inner._differentiable(expr.of)
        if value.dim():
            raise Mismatch("the gradient of something that is not a number")
        return self._told(inner._by(value, gradients, by, again=self.graph))

    def _differential(self, expr: tex.Differential) -> Value:
        of, symbols = expr.of, self.meanings.symbols
        if isinstance(of, tex.Symbol | tex.Indexed):
            if rf"\dd {of.name}" in symbols:
                return self._alone(rf"\dd {of.name}")
            if isinstance(of, tex.Indexed) and isinstance(of.base, tex.Symbol):
                given = symbols.get(rf"\dd {of.base.name}")
                if given is not None:
                    base = symbols.get(of.base.name)
                    if isinstance(base, Family):
                        given = Family(given, base.start)
                    return self._told(self._entry(given, of))
        inner = self.in_graph()
        value = inner.value(of)
        moves = [name for name in symbols if name.startswith(r"\dd ")]
        if not moves:
            raise Unknown(r"no \dd of a variable is given")
        change = torch.zeros_like(value)
        for name in moves:
            whole, _ = inner.variable(tex.Symbol(name.removeprefix(r"\dd ")))
            change = change + directional(value, whole, self.meanings.plain(name))
        return self._told(change)

    # Over indices

    def _over(self, expr: tex.Over) -> Value:
        values = [inner.value(expr.body) for inner in self._each(expr)]
        if expr.kind == "list":
            return self._matrix_of(stack(values))
        if expr.kind in ("max", "min"):
            found = stack(values)
            return found.max() if expr.kind == "max" else found.min()
        total = self._scalar(1 if expr.kind == "prod" else 0)
        for place, value in enumerate(values):
            if expr.kind == "prod":
                total = total * value
            else:
                total = value if place == 0 else OPERATIONS["sum"](total, value)
        return total

    def _each(self, expr: tex.Over) -> Iterator[Evaluation]:
        if expr.words:
            known = [self.bound[name] for name in expr.names if name in self.bound]
            yield from map(self.with_meanings, self.meanings.cases(expr.words, *known))
            return
        if expr.lower is not None and expr.upper is not None:
            low, high = self._integer(expr.lower), self._integer(expr.upper)
            for value in range(low, high + 1):
                yield self.with_indices({expr.names[0]: value})
            return
        names = list(expr.names)
        if expr.condition is not None:
            found = free_indices(expr.condition, self.meanings) - set(self.bound)
            names = sorted(found)
        ranges = [self.meanings.range(name) for name in names]
        for values in itertools.product(*ranges):
            inner = self.with_indices(dict(zip(names, values, strict=True)))
            if expr.condition is None or inner.holds(expr.condition):
                yield inner

    def _indicator(self, expr: tex.Indicator) -> Value:
        return self._scalar(self.holds(expr.condition))

    def _expectation(self, expr: tex.Expectation) -> Value:
        terms = []
        if expr.distribution is not None:
            for value in self.meanings.range(expr.variable):
                inner = self.with_indices({expr.variable: value})
                weight = inner.probability(expr.distribution, expr.variable)
                terms.append(weight * inner.value(expr.body))
        else:
            for weight, outcome in self.meanings.outcomes():
                inner = self.with_meanings(outcome)
                terms.append(self._told(weight) * inner.value(expr.body))
        return OPERATIONS["sum"](*terms)

    def probability(self, distribution: Expr, variable: str) -> Value:
        """The probability of the value of an index under a distribution."""
        assert isinstance(distribution, tex.Symbol | tex.Indexed)
        argument = tex.Symbol(variable)
        try:
            return self.value(tex.Call(distribution, (argument,)))
        except Unknown:
            return self.value(tex.Indexed(distribution, (argument,), "·"))

    def _integral(self, expr: tex.Integral) -> Value:
        low, high = self.value(expr.lower), self.value(expr.upper)
        total = self._scalar(0)
        for node, weight in zip(NODES, WEIGHTS, strict=True):
            at = (low + high) / 2 + (high - low) / 2 * node
            inner = self.with_meanings(self.meanings.changed({expr.variable: at}))
            total = total + weight * (high - low) / 2 * inner.value(expr.body)
        return total

    # Truth

    def holds(self, chain: Chain, tolerance: float = 1e-9) -> bool:
        """Whether a chain of relations is true."""
        plain = Evaluation(self.meanings, self.bound) if self.graph else self
        gaps = plain.gaps(chain, plain.sides(chain), tolerance)
        return all(gap <= tolerance for gap in gaps)

    def sides(self, chain: Chain) -> list[Any]:
        """The values of a chain's sides: numbers and sets; nothing for a space."""
        return [
            None if isinstance(side, tex.Space) else self._side(side)
            for side in chain.sides
        ]

    def _side(self, side: Expr) -> Any:
        if isinstance(side, tex.Symbol):
            raw = self.meanings.symbols.get(side.name)
            if isinstance(raw, set | frozenset):
                return raw
        return self.value(side)

    def gaps(
        self, chain: Chain, values: Sequence[Any], tolerance: float
    ) -> list[float]:
        """For each relation by how much, relative to the sides, it fails to hold."""
        return [
            self._gap(relation, chain.sides[i : i + 2], values[i : i + 2], tolerance)
            for i, relation in enumerate(chain.relations)
        ]

    def _gap(
        self, relation: str, sides: Any, values: Sequence[Any], tolerance: float
    ) -> float:
        if relation == "in":
            left, right = values
            return 0.0 if self._contains(sides[1], right, left) else math.inf
        nearly = self.meanings.symbols.get(r"\approx")
        return truth.gap(relation, sides, values, tolerance, nearly)

    def _contains(self, side: Expr, right: Any, left: Value) -> bool:
        if isinstance(side, tex.Space):
            sizes = [self._integer(size) for size in side.sizes]
            shape = list(left.shape)
            if math.prod(sizes) == 1:
                return shape == []
            return shape == (sizes if len(sizes) == 2 else [*sizes, 1])
        if left.ndim:
            raise Mismatch("a vector or a matrix in a set of numbers")
        if isinstance(right, set | frozenset):
            return round(float(left)) in right
        return bool((right == left).any())


METHODS: dict[type[Any], Callable[[Evaluation, Any], Value]] = {
    tex.Number: Evaluation._number,
    tex.Symbol: Evaluation._symbol,
    tex.Indexed: Evaluation._indexed,
    tex.Apply: Evaluation._apply,
    tex.Call: Evaluation._call,
    tex.Over: Evaluation._over,
    tex.Derivative: Evaluation._derivative,
    tex.Gradient: Evaluation._gradient,
    tex.Differential: Evaluation._differential,
    tex.Matrix: Evaluation._matrix,
    tex.Indicator: Evaluation._indicator,
    tex.Expectation: Evaluation._expectation,
    tex.Integral: Evaluation._integral,
}
# What a setting's functions or derivatives are asked for, and other formulas ask again.
KEPT = {tex.Call, tex.Derivative, tex.Gradient, tex.Differential, tex.Expectation}
