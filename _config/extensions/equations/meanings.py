r"""What the symbols of one draw of a setting mean: in torch, and the same in NumPy.

``Meanings({"w": torch.tensor([1.0, 2.0])}).array("w")`` is the column of the numbers 1
and 2. Values are float64: scalars, and matrices of which a vector is one column, so
that a lost transpose is a wrong shape.

With numbers as small as these NumPy is several times faster; torch keeps the setting's
own graph, through which derivatives are taken. What has been found of a name is kept,
for the other formulas of the same draw.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from equations.operations import Value, scalar
from snippets.checks import Both, Family, Index, Quantity

# Names that mean the same everywhere, unless a setting gives them another meaning.
CONSTANTS: dict[str, Any] = {
    r"\pi": math.pi,
    "e": math.e,
    r"\sigma": Quantity(torch.sigmoid),
}


NUMBERS = (bool, int, float)

# The gradients of a number: by the ``id`` of a tensor, and whether there is a graph
# for a derivative of it, this tensor and the gradient.
Gradients = dict[tuple[int, bool], tuple[Tensor, Tensor]]


class Unknown(Exception):
    """The setting has no meaning for a symbol."""


class Meanings:
    """The symbols of one draw: a number, a tensor, or what ``snippets.checks`` has."""

    def __init__(self, drawn: Mapping[str, Any]) -> None:
        self.drawn = drawn
        self.symbols = CONSTANTS | dict(drawn)
        self._tensors: dict[str, Tensor] = {}
        self._arrays: dict[str, Value] = {}
        self._members: dict[str, Any] = {}
        self._cases: dict[tuple[Any, ...], list[Meanings]] = {}
        # Values of expressions that took torch to find.
        self.found: dict[Hashable, Value] = {}
        # Values of expressions in torch, each with its gradients that are known.
        self.in_graph: dict[Hashable, tuple[Tensor, Gradients]] = {}
        # The number of the first entry of a vector.
        self.first: int = self.symbols.get("first", 1)

    def changed(self, changes: Mapping[str, Any]) -> Meanings:
        """The same draw with other meanings for some names."""
        return Meanings(self.symbols | dict(changes))

    @cached_property
    def functions(self) -> frozenset[str]:
        """The names that are functions."""
        return frozenset(
            name
            for name, value in self.symbols.items()
            if callable(value) or isinstance(value, Both | Quantity)
        )

    @cached_property
    def names(self) -> frozenset[str]:
        """All names."""
        return frozenset(self.symbols)

    @cached_property
    def indices(self) -> frozenset[str]:
        """The names that are indices."""
        return frozenset(n for n, v in self.symbols.items() if isinstance(v, Index))

    def raw(self, name: str) -> Any:
        """What the setting says. Raises ``Unknown``."""
        if name not in self.symbols:
            raise Unknown(f"no meaning is given for {name}")
        return self.symbols[name]

    def plain(self, name: str) -> Any:
        """The same, and of a family what its name means without an index."""
        raw = self.raw(name)
        if isinstance(raw, Family):
            return raw.members if raw.alone is None else raw.alone
        return raw

    def range(self, name: str) -> range:
        """The values of an index."""
        index = self.symbols.get(name)
        if not isinstance(index, Index):
            raise Unknown(f"no range is given for the index {name}")
        return index.values

    def tensor(self, name: str) -> Tensor:
        """What a name means without an index. Raises ``Unknown``."""
        if name not in self._tensors:
            self._tensors[name] = self._tensor(name)
        return self._tensors[name]

    def _tensor(self, name: str) -> Tensor:
        raw = self.raw(name)
        if isinstance(raw, Both):
            raw = raw.value
        if isinstance(raw, Quantity):
            names = (raw.at,) if isinstance(raw.at, str) else raw.at
            if not names:
                raise Unknown(f"{name} is a function and stands without its argument")
            raw = raw.function(*(self.plain(at) for at in names))
        if isinstance(raw, Family):
            raw = raw.members if raw.alone is None else raw.alone
        if isinstance(raw, Index):
            raise Unknown(f"{name} is an index and has no value here")
        return as_matrix(raw)

    def array(self, name: str) -> Value:
        """What ``tensor`` is, in NumPy."""
        if name not in self._arrays:
            self._arrays[name] = in_numpy(self.tensor(name))
        return self._arrays[name]

    def members(self, name: str) -> Any:
        """What an index can choose from: a family, a tensor. Raises ``Unknown``."""
        raw = self.raw(name)
        if isinstance(raw, Both):
            raw = raw.value
        return as_argument(self.tensor(name)) if isinstance(raw, Quantity) else raw

    def member_arrays(self, name: str) -> Any:
        """What ``members`` are, in NumPy."""
        if name not in self._members:
            self._members[name] = in_numpy(self.members(name))
        return self._members[name]

    def outcomes(self) -> list[tuple[Any, Meanings]]:
        """The outcomes that an expectation is over, each with its probability."""
        listed = self.raw(r"\E")
        if (r"\E",) not in self._cases:
            self._cases[r"\E",] = [self.changed(changes) for _, changes in listed]
        return [
            (weight, outcome)
            for (weight, _), outcome in zip(listed, self._cases[r"\E",], strict=True)
        ]

    def cases(self, words: str, *known: int) -> list[Meanings]:
        """The cases that the setting lists for what is told in words."""
        key = (words, *known)
        if key not in self._cases:
            self._cases[key] = [*map(self.changed, self.raw(words)(*known))]
        return self._cases[key]


def as_matrix(value: Any) -> Tensor:
    """A number or tensor as a scalar or a matrix; a vector becomes a column."""
    if isinstance(value, NUMBERS):
        return scalar(value)
    if not isinstance(value, Tensor):
        raise Unknown(f"{value!r} is no number")
    found = value if value.dtype == torch.float64 else value.to(torch.float64)
    if found.dim() and found.numel() == 1:
        return found.reshape(())
    return found[:, None] if found.dim() == 1 else found


def as_argument(value: Value) -> Value:
    """A column as a vector again, as functions of a setting expect it."""
    return value[:, 0] if value.ndim == 2 and value.shape[1] == 1 else value


def in_numpy(value: Any) -> Any:
    """Tensors and numbers as float64 of NumPy, in lists and families as well."""
    if isinstance(value, Tensor):
        plain = value.detach()
        if plain.dtype != torch.float64:
            plain = plain.to(torch.float64)
        return plain.numpy()[()]
    if isinstance(value, NUMBERS):
        return np.float64(value)
    if isinstance(value, list | tuple):
        return [in_numpy(item) for item in value]
    if isinstance(value, Family):
        return Family(in_numpy(value.members), value.start)
    return value


def in_torch(value: Value) -> Tensor:
    """A value of NumPy as a tensor."""
    return value if isinstance(value, Tensor) else torch.as_tensor(value)
