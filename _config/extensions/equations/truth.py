"""Whether the sides of a relation agree, and by how much they do not.

``gap("=", …)`` of 2 and 2.5 is 0.2: the difference relative to the larger one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from equations import tree
from equations.operations import Mismatch, Value, shape_of
from equations.tree import Expr, NotUnderstood

ZERO = tree.Number("0")


def gap(
    relation: str,
    sides: Sequence[Expr],
    values: Sequence[Value],
    tolerance: float,
    nearly: float | None = None,
) -> float:
    """By how much two values, relative to them, fail to be in a relation; 0 if not.

    A number written as a decimal stands for all that round to it. ``nearly`` is the
    difference, relative as well, that is allowed to an approximation.

    Raises:
        Mismatch: where their shapes do not fit.
        NotUnderstood: for an approximation without an allowed difference.
    """
    left, right = values
    if relation in ("=", "!=", "~"):
        found = difference(left, right, zero=ZERO in sides)
        if found and left.shape == right.shape and _rounds(sides, values, tolerance):
            found = 0.0
        if relation == "~":
            if nearly is None:
                raise NotUnderstood("it is approximate, and nobody says how nearly")
            return 0.0 if found <= nearly else found
        if relation == "!=":
            return 0.0 if found > tolerance else math.inf
        return found
    if left.ndim or right.ndim:
        raise Mismatch("an inequality between things that are not numbers")
    low, high = float(left), float(right)
    if relation in (">", ">="):
        low, high = high, low
    if math.isnan(low) or math.isnan(high):
        return math.inf
    if relation in ("<", ">"):
        return 0.0 if low < high else math.inf
    return max(0.0, low - high) / max(1.0, abs(low), abs(high))


def difference(left: Value, right: Value, *, zero: bool = False) -> float:
    """The largest difference of two values, relative to the larger one above 1.

    Only a written ``0`` stands for a vector or matrix of zeros.
    """
    if not left.ndim and not right.ndim:
        largest, sizes = abs(float(left) - float(right)), (left, right)
    else:
        if left.shape != right.shape and not zero:
            raise Mismatch(
                f"one side is {shape_of(left)}, the other is {shape_of(right)}"
            )
        largest, sizes = float(_size(left - right)), (_size(left), _size(right))
    found = largest / max(1.0, *(abs(float(size)) for size in sizes))
    return math.inf if math.isnan(found) else found


def _size(value: Value) -> Value:
    return abs(value).max()


def _rounds(sides: Sequence[Expr], values: Sequence[Value], tolerance: float) -> bool:
    """Whether two values differ by no more than the decimals that are written."""
    if not any(map(_is_written, sides)):
        return False
    written = np.maximum(*map(rounding, sides))
    left, right = values
    allowed = np.maximum(written, tolerance)
    return bool(np.any(written) and np.all(abs(left - right) <= allowed))


def _is_written(side: Expr) -> bool:
    return isinstance(side, tree.Number | tree.Matrix) or (
        isinstance(side, tree.Apply) and side.kind == "negative"
    )


def rounding(side: Expr) -> Value:
    """Half a unit of the last decimal of each number as written; 0 if exact."""
    if isinstance(side, tree.Number) and "." in side.text:
        # A little more, since the decimal itself is not exact in binary.
        return np.float64(0.5000001 * 10.0 ** -len(side.text.partition(".")[2]))
    if isinstance(side, tree.Apply) and side.kind == "negative":
        return rounding(side.parts[0])
    if isinstance(side, tree.Matrix):
        return np.array([[rounding(entry) for entry in row] for row in side.rows])
    return np.float64(0)
