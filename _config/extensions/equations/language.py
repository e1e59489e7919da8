r"""The language of the book's formulas: from TeX to a tree that can be computed.

``parse(r"\\grad L(w) = 2 X^\\T r", {"L"})`` gives one statement, a chain of two
expressions joined by ``=``. Which names are functions must be told, since ``L(w)`` is a
call and ``w(a + b)`` a product; a product of a function's *value* with a bracket is
written with ``\,`` between them, as a reader of the page needs it too.

A statement that is not part of the language is left out, and the reason is kept.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import fields, is_dataclass
from functools import cache

from equations.parser import Parser, chain_of
from equations.tokens import (
    NOT_CLAIMS,
    RELATIONS,
    is_bracketed,
    outside_brackets,
    signed,
    statements,
    tokens,
)
from equations.tree import Call, Expr, Formula, Indexed, NotUnderstood, Symbol


def parse(tex: str, functions: Set[str] = frozenset()) -> Formula:
    """The statements of a formula."""
    return _parse(tex, frozenset(functions))


@cache  # a formula is read for each of its draws
def _parse(tex: str, functions: frozenset[str]) -> Formula:
    chains, conditions, unread = [], [], []
    for part in signed(statements(tokens(tex))):
        inner = part[1:-1] if is_bracketed(part) else []
        try:
            if any(token in RELATIONS for token in inner):
                conditions.append(chain_of(inner, functions))
            elif any(t in RELATIONS or t in NOT_CLAIMS for t in outside_brackets(part)):
                chains.append(chain_of(part, functions))
        except NotUnderstood as error:
            unread.append(str(error))
    return Formula(tuple(chains), tuple(conditions), tuple(unread), r"\iff" in tex)


def is_claim(tex: str) -> bool:
    """Whether the formula has a relation at all."""
    return any(token in RELATIONS for token in tokens(tex))


def is_concrete(tex: str) -> bool:
    """Whether a side of a relation has no name in it, as a number has none."""
    chains = parse(tex, {r"\sigma"}).chains
    return any(not _has_names(side) for chain in chains for side in chain.sides)


def _has_names(node: object) -> bool:
    if isinstance(node, Symbol | Indexed):
        return node.name not in ("e", r"\pi")
    if isinstance(node, Call):
        return _has_names(node.arguments)
    if isinstance(node, tuple):
        return any(_has_names(part) for part in node)
    return is_dataclass(node) and any(
        _has_names(getattr(node, field.name)) for field in fields(node)
    )


def expression(tex: str, functions: Set[str] = frozenset()) -> Expr:
    """The tree of one expression."""
    parser = Parser(tokens(tex), functions)
    found = parser.sum()
    parser.finish()
    return found
