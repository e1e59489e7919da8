"""The operations that a drawing can name: how each is written, said and differentiated.

``OPERATIONS["mul"]`` knows that the product of u and v is written ``u × v``, said "the
product of u and v", and sends the gradient times v to u. The rule is given twice: as
the reader sees it, and as a computation, with which the tests hold it against what
autograd really sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from snippets.figures.numbers import number

Names = list[str]  # of the arguments, constants among them, in order
Values = list[Any]  # the same as tensors and numbers


@dataclass(frozen=True)
class Operation:
    """``written`` and ``said`` take the arguments' names.

    ``rule(names, name, gradient, place)`` is what goes to the argument at ``place``
    when the result, called ``name``, has this gradient, as a text;
    ``backward(values, value, gradient, place)`` is the same as a tensor, before it is
    summed over broadcast axes.
    """

    written: Callable[[Names], str]
    said: Callable[[Names], str]
    rule: Callable[[Names, str, str, int], str]
    backward: Callable[[Values, Tensor, Tensor, int], Tensor]


def times(factor: str, gradient: str) -> str:
    """``2 r × 91.3``; a compound factor gets its brackets from the caller."""
    return f"{factor} × {gradient}"


def _one_argument(
    written: str,
    said: str,
    factor: str,
    slope: Callable[[Tensor, Tensor], Tensor],
) -> Operation:
    """An operation on each entry; ``{x}`` is the argument, ``{y}`` the result."""
    return Operation(
        lambda names: written.format(x=names[0]),
        lambda names: said.format(x=names[0]),
        lambda names, name, g, place: times(factor.format(x=names[0], y=name), g),
        lambda values, value, g, place: slope(values[0], value) * g,
    )


def _power(names: Names) -> str:
    digits = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
    base, exponent = names
    if exponent.isdigit():
        return f"{bracketed(base)}{exponent.translate(digits)}"
    return f"{bracketed(base)} ** {exponent}"


def _power_factor(names: Names) -> str:
    base, exponent = names
    if exponent == "2":
        return f"2 {bracketed(base)}"
    less = number(float(exponent.replace("−", "-")) - 1)
    return f"{exponent} {_power([base, less])}"


def bracketed(name: str) -> str:
    """A name as it stands in a product: ``r``, but ``(a + b)``."""
    return f"({name})" if " " in name and not name.startswith("(") else name


def _said_power(names: Names) -> str:
    words = {"2": "the square of {}", "3": "the cube of {}"}
    text = words.get(names[1], f"{{}} to the power {names[1]}")
    return text.format(names[0])


def _matrix_rule(names: Names, name: str, gradient: str, place: int) -> str:
    other = names[1 - place]
    kept = other if other.endswith("ᵀ") else f"{bracketed(other)}ᵀ"
    return f"{gradient} {kept}" if place == 0 else f"{kept} × {gradient}"


def _matrix_backward(values: Values, value: Tensor, g: Tensor, place: int) -> Tensor:
    left, right = values
    if value.ndim == 0:  # two vectors
        return values[1 - place] * g
    if right.ndim == 1:  # matrix and vector
        return torch.outer(g, right) if place == 0 else left.mT @ g
    return g @ right.mT if place == 0 else left.mT @ g


def _divide_rule(names: Names, name: str, gradient: str, place: int) -> str:
    above, below = map(bracketed, names)
    if place == 0:
        return times(f"(1 / {below})", gradient)
    return times(f"(−{above} / {_power([below, '2'])})", gradient)


def _one_hot(values: Values, value: Tensor, g: Tensor, place: int) -> Tensor:
    vector = torch.zeros_like(values[0])
    vector[values[1]] = g
    return vector


def _pair(
    sign: str, said: str, factors: tuple[str, str], slopes: tuple[int, int]
) -> Operation:
    """A sum or a difference."""
    return Operation(
        lambda names: f"{names[0]} {sign} {names[1]}",
        lambda names: f"{said} {names[0]} and {names[1]}",
        lambda names, name, g, place: times(factors[place], g),
        lambda values, value, g, place: slopes[place] * g,
    )


_product = Operation(
    lambda names: f"{bracketed(names[0])} × {bracketed(names[1])}",
    lambda names: f"the product of {names[0]} and {names[1]}",
    lambda names, name, g, place: times(bracketed(names[1 - place]), g),
    lambda values, value, g, place: values[1 - place] * g,
)
_matrix_product = Operation(
    lambda names: f"{bracketed(names[0])} @ {bracketed(names[1])}",
    lambda names: f"the matrix product of {names[0]} and {names[1]}",
    _matrix_rule,
    _matrix_backward,
)
_inner_product = Operation(
    _matrix_product.written,
    lambda names: f"the inner product of {names[0]} and {names[1]}",
    lambda names, name, g, place: times(bracketed(names[1 - place]), g),
    _matrix_backward,
)
_norm = Operation(
    lambda names: f"‖{names[0]}‖",
    lambda names: f"the norm of {names[0]}",
    lambda names, name, g, place: times(f"({names[0]} / {name})", g),
    lambda values, value, g, place: values[0] / value * g,
)

OPERATIONS: dict[str, Operation] = {
    "add": _pair("+", "the sum of", ("1", "1"), (1, 1)),
    "sub": _pair("−", "the difference of", ("1", "−1"), (1, -1)),
    "mul": _product,
    "div": Operation(
        lambda names: f"{bracketed(names[0])} / {bracketed(names[1])}",
        lambda names: f"the quotient of {names[0]} and {names[1]}",
        _divide_rule,
        lambda values, value, g, place: (
            g / values[1] if place == 0 else -values[0] / values[1] ** 2 * g
        ),
    ),
    "pow": Operation(
        _power,
        _said_power,
        lambda names, name, g, place: times(_power_factor(names), g),
        lambda values, value, g, place: values[1] * values[0] ** (values[1] - 1) * g,
    ),
    "matmul": _matrix_product,
    "inner": _inner_product,
    "linalg_vector_norm": _norm,
    "neg": _one_argument(
        "−{x}", "the negative of {x}", "−1", lambda x, y: -torch.ones_like(x)
    ),
    "exp": _one_argument("exp({x})", "the exponential of {x}", "{y}", lambda x, y: y),
    "log": _one_argument(
        "log({x})", "the logarithm of {x}", "(1 / {x})", lambda x, y: 1 / x
    ),
    "sqrt": _one_argument(
        "√{x}", "the square root of {x}", "1 / (2 {y})", lambda x, y: 1 / (2 * y)
    ),
    "sigmoid": _one_argument(
        "σ({x})", "the sigmoid of {x}", "{y} (1 − {y})", lambda x, y: y * (1 - y)
    ),
    "sum": Operation(
        lambda names: f"sum({names[0]})",
        lambda names: f"the sum of the entries of {names[0]}",
        lambda names, name, g, place: f"{g} for each entry",
        lambda values, value, g, place: torch.ones_like(values[0]) * g,
    ),
    "mean": Operation(
        lambda names: f"mean({names[0]})",
        lambda names: f"the mean of the entries of {names[0]}",
        lambda names, name, g, place: f"{g} / n for each of the n entries",
        lambda values, value, g, place: (
            torch.ones_like(values[0]) * g / values[0].numel()
        ),
    ),
    "logsumexp": Operation(
        lambda names: f"logsumexp({names[0]})",
        lambda names: f"the log-sum-exp of {names[0]}",
        lambda names, name, g, place: times(f"softmax({names[0]})", g),
        lambda values, value, g, place: torch.softmax(values[0], 0) * g,
    ),
    "__getitem__": Operation(
        lambda names: f"{names[0]}[{names[1]}]",
        lambda names: f"entry {names[1]} of {names[0]}",
        lambda names, name, g, place: f"{g} at entry {names[1]}, 0 elsewhere",
        _one_hot,
    ),
    "detach": Operation(
        lambda names: f"{bracketed(names[0])}.detach()",
        lambda names: f"{names[0]} detached, which sends nothing back",
        lambda names, name, g, place: "0",
        lambda values, value, g, place: 0 * g,
    ),
}
OPERATIONS["square"] = Operation(
    lambda names: _power([names[0], "2"]),
    lambda names: _said_power([names[0], "2"]),
    lambda names, name, g, place: times(_power_factor([names[0], "2"]), g),
    lambda values, value, g, place: 2 * values[0] * g,
)
ALIASES = {
    "mv": "matmul",
    "mm": "matmul",
    "dot": "inner",
    "norm": "linalg_vector_norm",
}


def operation(name: str, grad_fn: str = "") -> Operation:
    """The entry of an operation; one that is not in the table is written by name."""
    if grad_fn == "DotBackward0":
        name = "inner"
    known = OPERATIONS.get(ALIASES.get(name, name))
    return known or _unknown(name.strip("_"))


def is_known(name: str) -> bool:
    """Whether the table has a rule for the operation."""
    return ALIASES.get(name, name) in OPERATIONS


def _unknown(name: str) -> Operation:
    def no_rule(values: Values, value: Tensor, g: Tensor, place: int) -> Tensor:
        raise KeyError(name)

    return Operation(
        lambda names: f"{name}({', '.join(names)})",
        lambda names: f"{name} of {' and '.join(names)}",
        lambda names, name_, g, place: f"the rule of {name} applied to {g}",
        no_rule,
    )
