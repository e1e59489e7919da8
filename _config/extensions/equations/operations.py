"""What the operations of a formula do with numbers and matrices.

All values are float64: scalars, and matrices of which a vector is one column. They are
NumPy's, or torch's where a derivative is asked; every operation takes either.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

# A scalar or a matrix, of NumPy or of torch.
Value = Any


class Mismatch(Exception):
    """The shapes of an operation do not fit: the formula is wrong."""


def scalar(value: float) -> Tensor:
    """A float64 scalar of torch."""
    return torch.tensor(float(value), dtype=torch.float64)


def number(value: Value) -> float:
    """A scalar as a number of Python."""
    return float(value.detach() if _is_tensor(value) else value)


def stack(values: Sequence[Value]) -> Value:
    """Values of one shape, along a new first axis."""
    return torch.stack([*values]) if _is_tensor(values[0]) else np.array(values)


def shape_of(value: Value) -> str:
    """The shape of a value, in words."""
    if not value.ndim:
        return "a number"
    rows, columns = value.shape
    return f"{rows} × {columns}"


def same_shape(a: Value, b: Value, what: str) -> None:
    """Raise ``Mismatch`` unless both have one shape, or one of them is a number."""
    if a.ndim and b.ndim and a.shape != b.shape:
        raise Mismatch(f"{shape_of(a)} and {shape_of(b)} cannot be {what}")


def _is_tensor(value: Value) -> bool:
    return isinstance(value, Tensor)


def _library(value: Value) -> Any:
    return torch if _is_tensor(value) else np


def _number_as(value: Value, found: float) -> Value:
    """A number of the library of a value."""
    return scalar(found) if _is_tensor(value) else np.float64(found)


def _named(name: str) -> Callable[[Value], Value]:
    """The operation that both libraries have under this name."""
    in_torch, in_numpy = getattr(torch, name), getattr(np, name)
    return lambda a: in_torch(a) if _is_tensor(a) else in_numpy(a)


def _through_torch(function: Callable[[Tensor], Tensor]) -> Callable[[Value], Value]:
    """An operation that torch alone has."""

    def applied(a: Value) -> Value:
        if _is_tensor(a):
            return function(a)
        return function(torch.as_tensor(a)).numpy()[()]

    return applied


def _times(a: Value, b: Value) -> Value:
    if not a.ndim or not b.ndim:
        return a * b
    if a.shape[1] != b.shape[0]:
        raise Mismatch(f"{shape_of(a)} and {shape_of(b)} cannot be multiplied")
    found = a @ b
    return found[0, 0] if found.shape == (1, 1) else found


def _add(*terms: Value) -> Value:
    total = terms[0]
    for term in terms[1:]:
        same_shape(total, term, "added")
        total = total + term
    return total


def _product(*factors: Value) -> Value:
    # From the right, as X^T (X w); that fails where (x^T w) is a number's factor.
    try:
        return functools.reduce(lambda b, a: _times(a, b), reversed(factors))
    except Mismatch:
        return functools.reduce(_times, factors)


def _entrywise(a: Value, b: Value) -> Value:
    same_shape(a, b, "multiplied entry by entry")
    return a * b


def _quotient(a: Value, b: Value) -> Value:
    if b.ndim:
        raise Mismatch("a division by something that is not a number")
    return a / b


def _power(base: Value, exponent: Value) -> Value:
    if base.ndim:
        if base.shape[0] != base.shape[1] or number(exponent) != -1:
            raise Mismatch("a power of a vector")
        return _library(base).linalg.inv(base)
    if _is_tensor(exponent) and not exponent.requires_grad:
        # Autograd has a derivative at 0 for a whole number that is no tensor.
        whole = number(exponent)
        return base ** (int(whole) if whole.is_integer() else exponent)
    return base**exponent


def _transpose(a: Value) -> Value:
    return a.T if a.ndim else a


def _norm(a: Value) -> Value:
    return _library(a).sqrt((a * a).sum())


def _trace(a: Value) -> Value:
    if a.ndim and a.shape[0] != a.shape[1]:
        raise Mismatch("the trace of a matrix that is not square")
    return a.trace() if a.ndim else a


def _diagonal(a: Value) -> Value:
    return _library(a).diag(a[:, 0]) if a.ndim else a


def _rank(a: Value) -> Value:
    return _number_as(a, int(_library(a).linalg.matrix_rank(a)) if a.ndim else 1)


def _largest_eigenvalue(a: Value) -> Value:
    return _library(a).linalg.eigvalsh(a)[-1] if a.ndim else a


def _binomial(a: Value, b: Value) -> Value:
    return _number_as(a, math.comb(round(number(a)), round(number(b))))


def _columns(*blocks: Value) -> Value:
    if len({len(block) for block in blocks}) != 1:
        raise Mismatch("blocks of different height side by side")
    return _library(blocks[0]).concatenate(blocks, 1)


OPERATIONS: dict[str, Callable[..., Value]] = {
    "negative": operator.neg,
    "sum": _add,
    "product": _product,
    "entrywise": _entrywise,
    "quotient": _quotient,
    "power": _power,
    "transpose": _transpose,
    "exp": _named("exp"),
    "log": _named("log"),
    "cos": _named("cos"),
    "sin": _named("sin"),
    "sign": _named("sign"),
    "sqrt": _named("sqrt"),
    "abs": abs,
    "norm": _norm,
    "ceiling": _named("ceil"),
    "floor": _named("floor"),
    "trace": _trace,
    "diagonal": _diagonal,
    "rank": _rank,
    "largest-eigenvalue": _largest_eigenvalue,
    "softmax": _through_torch(lambda a: torch.softmax(a, dim=0)),
    "logsumexp": _through_torch(lambda a: torch.logsumexp(a.flatten(), dim=0)),
    "binomial": _binomial,
    "max": lambda *items: stack(items).max(),
    "min": lambda *items: stack(items).min(),
    "columns": _columns,
}
