"""What the operations of a formula do with numbers and matrices.

All values are float64 tensors: scalars, and matrices of which a vector is one column.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import torch
from torch import Tensor


class Mismatch(Exception):
    """The shapes of an operation do not fit: the formula is wrong."""


def scalar(value: float) -> Tensor:
    """A float64 scalar."""
    return torch.tensor(float(value), dtype=torch.float64)


def shape_of(value: Tensor) -> str:
    """The shape of a value, in words."""
    if not value.dim():
        return "a number"
    rows, columns = value.shape
    return f"{rows} × {columns}"


def same_shape(a: Tensor, b: Tensor, what: str) -> None:
    """Raise ``Mismatch`` unless both have one shape, or one of them is a number."""
    if a.shape != b.shape and a.dim() and b.dim():
        raise Mismatch(f"{shape_of(a)} and {shape_of(b)} cannot be {what}")


def _times(a: Tensor, b: Tensor) -> Tensor:
    if not a.dim() or not b.dim():
        return a * b
    if a.shape[1] != b.shape[0]:
        raise Mismatch(f"{shape_of(a)} and {shape_of(b)} cannot be multiplied")
    found = a @ b
    return found.reshape(()) if found.numel() == 1 else found


def _add(*terms: Tensor) -> Tensor:
    total = terms[0]
    for term in terms[1:]:
        same_shape(total, term, "added")
        total = total + term
    return total


def _product(*factors: Tensor) -> Tensor:
    # From the right, as X^T (X w); that fails where (x^T w) is a number's factor.
    try:
        return functools.reduce(lambda b, a: _times(a, b), reversed(factors))
    except Mismatch:
        return functools.reduce(_times, factors)


def _entrywise(a: Tensor, b: Tensor) -> Tensor:
    same_shape(a, b, "multiplied entry by entry")
    return a * b


def _quotient(a: Tensor, b: Tensor) -> Tensor:
    if b.dim():
        raise Mismatch("a division by something that is not a number")
    return a / b


def _power(base: Tensor, exponent: Tensor) -> Tensor:
    if base.dim():
        if base.shape[0] != base.shape[1] or float(exponent.detach()) != -1:
            raise Mismatch("a power of a vector")
        inverse: Tensor = torch.linalg.inv(base)
        return inverse
    whole = float(exponent.detach())
    if not exponent.requires_grad and whole.is_integer():
        return base ** int(whole)
    return base**exponent


def _transpose(a: Tensor) -> Tensor:
    return a.T if a.dim() else a


def _norm(a: Tensor) -> Tensor:
    return torch.sqrt((a * a).sum())


def _trace(a: Tensor) -> Tensor:
    if a.dim() and a.shape[0] != a.shape[1]:
        raise Mismatch("the trace of a matrix that is not square")
    return torch.trace(a) if a.dim() else a


def _diagonal(a: Tensor) -> Tensor:
    return torch.diag(a[:, 0]) if a.dim() else a


def _rank(a: Tensor) -> Tensor:
    return scalar(int(torch.linalg.matrix_rank(a))) if a.dim() else scalar(1)


def _largest_eigenvalue(a: Tensor) -> Tensor:
    return torch.linalg.eigvalsh(a)[-1] if a.dim() else a


def _softmax(a: Tensor) -> Tensor:
    return torch.softmax(a, dim=0)


def _logsumexp(a: Tensor) -> Tensor:
    return torch.logsumexp(a.flatten(), dim=0)


def _binomial(a: Tensor, b: Tensor) -> Tensor:
    return scalar(math.comb(round(float(a)), round(float(b))))


def _largest(*items: Tensor) -> Tensor:
    return torch.stack(items).max()


def _smallest(*items: Tensor) -> Tensor:
    return torch.stack(items).min()


def _columns(*blocks: Tensor) -> Tensor:
    if len({len(block) for block in blocks}) != 1:
        raise Mismatch("blocks of different height side by side")
    return torch.cat(blocks, dim=1)


OPERATIONS: dict[str, Callable[..., Tensor]] = {
    "negative": torch.neg,
    "sum": _add,
    "product": _product,
    "entrywise": _entrywise,
    "quotient": _quotient,
    "power": _power,
    "transpose": _transpose,
    "exp": torch.exp,
    "log": torch.log,
    "cos": torch.cos,
    "sin": torch.sin,
    "sign": torch.sign,
    "sqrt": torch.sqrt,
    "abs": torch.abs,
    "norm": _norm,
    "ceiling": torch.ceil,
    "floor": torch.floor,
    "trace": _trace,
    "diagonal": _diagonal,
    "rank": _rank,
    "largest-eigenvalue": _largest_eigenvalue,
    "softmax": _softmax,
    "logsumexp": _logsumexp,
    "binomial": _binomial,
    "max": _largest,
    "min": _smallest,
    "columns": _columns,
}
