"""What dots stand for: ``g_1 + g_2 + … + g_t`` as a sum over an index."""

from __future__ import annotations

from equations.tree import (
    Apply,
    Expr,
    Indexed,
    NotUnderstood,
    Number,
    Over,
    Symbol,
    name_of,
)


def filled(kind: str, shown: list[Expr], last: Expr) -> Expr:
    """What ``g_1 + g_2 + … + g_t`` means, from the terms before the dots.

    A ``list`` is one of arguments: ``f(g_1, …, g_t)``.
    """
    hole = Symbol("…")
    differences: list[tuple[Expr, Expr]] = []
    body = _merged(shown[0], last, hole, differences)
    if len(set(differences)) != 1:
        raise NotUnderstood(
            "the terms beside the dots do not tell what is between them"
        )
    lower, upper = differences[0]
    for place, term in enumerate(shown[1:], start=1):
        steps: list[tuple[Expr, Expr]] = []
        _merged(shown[0], term, hole, steps)
        expected = isinstance(lower, Number) and Number(str(int(lower.text) + place))
        if set(steps) != {(lower, expected)}:
            raise NotUnderstood("the terms before the dots do not count upwards")
    return Over(kind, (hole.name,), lower, upper, None, body)


def _merged(
    first: Expr, last: Expr, hole: Symbol, differences: list[tuple[Expr, Expr]]
) -> Expr:
    """The first term with a hole where the last one has another index."""
    if first == last:
        return first
    if isinstance(first, Indexed) and isinstance(last, Indexed):
        if len(first.indices) == len(last.indices) and first.base == last.base:
            pairs = list(zip(first.indices, last.indices, strict=True))
            differences += [(a, b) for a, b in pairs if a != b]
            indices = tuple(a if a == b else hole for a, b in pairs)
            return Indexed(first.base, indices, f"{name_of(first.base)}_…")
    elif (
        isinstance(first, Apply)
        and isinstance(last, Apply)
        and (first.kind, len(first.parts)) == (last.kind, len(last.parts))
    ):
        parts = zip(first.parts, last.parts, strict=True)
        merged = tuple(_merged(a, b, hole, differences) for a, b in parts)
        return Apply(first.kind, merged)
    raise NotUnderstood("the terms beside the dots are not alike")
