"""How numbers, vectors and matrices read in a drawing and in a sentence."""

from __future__ import annotations

import math

from torch import Tensor

LONGEST = 4  # entries of a vector, rows and columns of a matrix, that are all shown


def number(value: float, digits: int = 4) -> str:
    """A number with four significant digits at most: 45.65, −0.5, 3.35e−4.

    >>> number(2084.0), number(1e-8)
    ('2084', '1e−8')
    """
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == int(value) and abs(value) < 1e6:
        text = str(int(value))
    else:
        text = f"{value:.{digits}g}"
    mantissa, exponent, power = text.partition("e")
    if exponent:
        text = f"{mantissa}e{int(power)}"
    return text.replace("-", "−")


def _shortened(items: list[str]) -> list[str]:
    return items if len(items) <= LONGEST else [*items[:2], "…", items[-1]]


def rows(value: Tensor) -> list[list[str]]:
    """The lines in which a value is drawn, each a list of columns.

    A scalar and a vector are one line with one column. Long vectors and large matrices
    are shortened to their first and last entries, and end in a line with the shape.
    """
    if value.ndim == 2:
        table = [_shortened([number(x) for x in row]) for row in value.tolist()]
        if len(table) > LONGEST:
            dots = ["⋮"] * len(table[0])
            table = [*table[:2], dots, table[-1]]
        if max(value.shape) > LONGEST:
            table.append([f"shape ({', '.join(map(str, value.shape))})"])
        return table
    if value.ndim > 2:
        return [[f"shape ({', '.join(map(str, value.shape))})"]]
    lines = [[sentence(value)]]
    if value.ndim and len(value) > LONGEST:
        lines.append([f"shape ({len(value)})"])
    return lines


def sentence(value: Tensor) -> str:
    """A value on one line: 7, (1, 2, 3) or [1 2; 3 4].

    >>> import torch
    >>> sentence(torch.tensor([[1.0, 2.0], [3.0, 4.5]]))
    '[1 2; 3 4.5]'
    """
    if value.ndim == 0:
        return number(value.item())
    if value.ndim == 1:
        return f"({', '.join(_shortened([number(x) for x in value.tolist()]))})"
    if value.ndim == 2 and max(value.shape) <= LONGEST:
        lines = [" ".join(number(x) for x in row) for row in value.tolist()]
        return f"[{'; '.join(lines)}]"
    return f"a tensor of shape ({', '.join(map(str, value.shape))})"
