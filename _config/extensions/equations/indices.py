r"""Which indices an expression leaves open: all but those that a sum runs over.

In ``r_i = \sum_j X_{ij} w_j`` it is i: the formula holds for each of its values.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import fields
from functools import cache
from typing import Any, get_args

from equations import tree
from equations.meanings import Meanings
from equations.tree import Formula


def free_indices(node: Any, meanings: Meanings) -> frozenset[str]:
    """The indices that an expression leaves open, over whose values it holds."""
    return _free_indices(node, meanings.indices, meanings.names)


def bindings(names: Iterable[str], meanings: Meanings) -> list[dict[str, int]]:
    """All values of the indices, in the order in which the setting lists them."""
    wanted = set(names)
    if not wanted:
        return [{}]
    ordered = [name for name in meanings.symbols if name in wanted]
    ranges = [meanings.range(name) for name in ordered]
    return [dict(zip(ordered, v, strict=True)) for v in itertools.product(*ranges)]


def open_indices(read: Formula, meanings: Meanings) -> list[frozenset[str]]:
    """The indices that each statement, or a condition on it, leaves open."""
    return _open_indices(read, meanings.indices, meanings.names)


@cache  # asked for each draw of a setting, which all have the same names
def _open_indices(
    read: Formula, indices: frozenset[str], names: frozenset[str]
) -> list[frozenset[str]]:
    return [
        _free_indices((chain, read.conditions), indices, names) for chain in read.chains
    ]


@cache
def _free_indices(
    node: Any, indices: frozenset[str], names: frozenset[str]
) -> frozenset[str]:
    if not indices:
        return frozenset()
    outer = _free(node, indices, names, None)
    return frozenset(_free(node, indices, names, outer))


@cache
def names_in(node: Any) -> frozenset[str]:
    """All names in an expression, on whose values its own may depend."""
    if isinstance(node, str):
        return frozenset([node])
    if isinstance(node, tuple):
        return frozenset().union(*map(names_in, node))
    if isinstance(node, tree.Symbol):
        return frozenset([node.name])
    parts = [getattr(node, name) for name in PARTS.get(type(node), ())]
    if isinstance(node, tree.Over):
        parts += node.names
    return frozenset().union(*map(names_in, parts))


# The fields of each kind of expression that hold expressions.
PARTS = {
    kind: tuple(
        part.name
        for part in fields(kind)
        if part.type not in ("str", "int", "tuple[str, ...]")
    )
    for kind in (*get_args(tree.Expr), tree.Chain)
}


def _free(  # noqa: PLR0911 (one return for each kind)
    node: Any,
    indices: frozenset[str],
    names: frozenset[str],
    outer: set[str] | None,
) -> set[str]:
    def free(part: Any) -> set[str]:
        return _free(part, indices, names, outer)

    if node is None:
        return set()
    if isinstance(node, tuple):
        return set().union(*map(free, node))
    if isinstance(node, tree.Symbol):
        return {node.name} & indices
    if isinstance(node, tree.Indexed) and node.name in names:
        return set()
    if isinstance(node, tree.Over):
        own = set(node.names)
        if node.condition is not None or node.words:
            if outer is None:
                return set()
            own = (own | free(node.condition)) - outer
        return free((node.lower, node.upper)) | (free(node.body) - own)
    if isinstance(node, tree.Expectation):
        return (free(node.body) - {node.variable}) | free(node.distribution)
    return set().union(*(free(getattr(node, name)) for name in PARTS[type(node)]))
