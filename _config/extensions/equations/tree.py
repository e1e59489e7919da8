"""The tree of a formula: what its parts are, whatever TeX they were written in."""

from __future__ import annotations

from dataclasses import dataclass


class NotUnderstood(Exception):
    """The formula has a part that is not in the language; the text says which."""


@dataclass(frozen=True)
class Number:
    """A number as it is written: ``2``, ``0.5``."""

    text: str


@dataclass(frozen=True)
class Symbol:
    r"""A name with what is set around it: ``w``, ``\bar y``, ``w^*``, ``L_{y=0}``."""

    name: str


@dataclass(frozen=True)
class Indexed:
    """An entry or a row: ``w_j``, ``X_{ij}``. ``name`` is the whole as one name."""

    base: Expr
    indices: tuple[Expr, ...]
    name: str


@dataclass(frozen=True)
class Apply:
    """An operation on expressions; ``kind`` says which: ``sum``, ``norm``…"""

    kind: str
    parts: tuple[Expr, ...]


@dataclass(frozen=True)
class Call:
    """A function applied: ``L(w + h)``, with ``primes`` derivatives taken first."""

    function: Symbol | Indexed
    arguments: tuple[Expr, ...]
    primes: int = 0


@dataclass(frozen=True)
class Over:
    r"""An operation over indices: ``\sum_{i=1}^n body``; also max, min and prod.

    ``words`` is what stands below, told in words: the setting lists the cases.
    """

    kind: str
    names: tuple[str, ...]
    lower: Expr | None
    upper: Expr | None
    condition: Chain | None
    body: Expr
    words: str = ""


@dataclass(frozen=True)
class Derivative:
    r"""``\frac{\partial^2 of}{\partial w_1 \partial w_2}``; with ``\dd`` as well."""

    of: Expr
    by: tuple[Expr, ...]


@dataclass(frozen=True)
class Gradient:
    r"""``\grad_v L``; without a subscript, by the variable that the setting names."""

    of: Expr
    by: Expr | None


@dataclass(frozen=True)
class Differential:
    r"""``\dd L``."""

    of: Expr


@dataclass(frozen=True)
class Matrix:
    """Rows of entries; a bracketed list ``(1, 2, 3)`` is one column."""

    rows: tuple[tuple[Expr, ...], ...]


@dataclass(frozen=True)
class Indicator:
    r"""``\ind{condition}``."""

    condition: Chain


@dataclass(frozen=True)
class Expectation:
    r"""``\E[body]``, ``\Prob(condition)``, or ``\E_{z \sim q}[body]``."""

    body: Expr
    variable: str = ""
    distribution: Expr | None = None


@dataclass(frozen=True)
class Integral:
    r"""``\int_lower^upper body \dd variable``."""

    lower: Expr
    upper: Expr
    body: Expr
    variable: str


@dataclass(frozen=True)
class Space:
    r"""What stands after ``\in``: ``\R^{n \times d}`` has two sizes, ``\R`` none."""

    sizes: tuple[Expr, ...]


Expr = (
    Number
    | Symbol
    | Indexed
    | Apply
    | Call
    | Over
    | Derivative
    | Gradient
    | Differential
    | Matrix
    | Indicator
    | Expectation
    | Integral
    | Space
)


@dataclass(frozen=True)
class Chain:
    """Expressions joined by relations: ``a = b <= c``."""

    sides: tuple[Expr, ...]
    relations: tuple[str, ...]


@dataclass(frozen=True, eq=False)  # read once, and known by its identity
class Formula:
    """The statements of a formula, and the conditions on indices set after them."""

    chains: tuple[Chain, ...]
    conditions: tuple[Chain, ...]
    unread: tuple[str, ...] = ()  # why a statement is not in the language
    equivalent: bool = False  # the statements are joined by \iff


def name_of(expr: Expr) -> str:
    """The name of a symbol with its indices; of another expression, brackets."""
    if isinstance(expr, Symbol | Indexed):
        return expr.name
    return "()"
