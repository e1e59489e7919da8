r"""How the book's equations are checked: random inputs, and results by other routes.

A chapter's equations are checked in the module of its name here. It says two things.

A *setting* says what the symbols of some sections mean, with random numbers for the
data. The printed formulas are computed from it, so it binds TeX to tensors::

    @setting("linear-regression")
    def least_squares(draw):
        n, d = draw.size(), draw.size()
        X, y, w = draw.normal(n, d), draw.normal(n), draw.normal(d)
        r = X @ w - y
        return {"n": n, "d": d, "i": Index(n), "X": X, "y": y, "w": w, "r": r,
                "L": Quantity(lambda w: ((X @ w - y) ** 2).sum(), "w")}

A *check* computes what a labelled equation says by routes that can fail in different
ways; all of them must agree with every side of the printed formula::

    @check("eq-linear-regression-gradient", least_squares)
    def gradient(X, w, y):
        def loss(w):
            return ((X @ w - y) ** 2).sum()

        return {
            "by hand": 2 * X.T @ (X @ w - y),
            "autograd": autograd(loss, w),
            "central differences": differences(loss, w),
        }

Where an equation has several statements, a route gives a list, one result for each; for
an inequality a result is ``Sides(smaller, larger)``. A definition has nothing to be
compared with but its own meaning, and says so: ``definition("eq-…", setting)``.

Nothing here knows of Sphinx, and nothing of TeX beyond the names of symbols.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

Symbols = Mapping[str, Any]


class Draw(Protocol):
    """Where random inputs come from: a generator in the build, Hypothesis in tests."""

    def integer(self, low: int, high: int) -> int:
        """An integer from ``low`` to ``high``, both included."""

    def size(self, low: int = 2, high: int = 4) -> int:
        """A number of examples, features or classes."""

    def normal(self, *shape: int) -> Tensor:
        """Numbers on either side of zero, float64; a leaf of the graph."""

    def positive(self, *shape: int) -> Tensor:
        """Numbers between 0.1 and 3, float64, of the shape; a leaf of the graph."""

    def signs(self, n: int) -> Tensor:
        """Labels +1 and −1, float64, of shape (n)."""

    def distribution(self, k: int) -> Tensor:
        """Positive probabilities that add up to one, float64, of shape (k)."""

    def require(self, condition: object) -> None:
        """Draw again unless the condition is true, such as: no division by zero."""


class Redraw(Exception):
    """The inputs drawn so far are not among those that the setting is about."""


class RandomDraw:
    """Draws from NumPy's generator; the same seed gives the same inputs."""

    def __init__(self, seed: int) -> None:
        self.generator = np.random.default_rng(seed)

    def integer(self, low: int, high: int) -> int:
        """An integer from ``low`` to ``high``, both included."""
        return int(self.generator.integers(low, high + 1))

    def size(self, low: int = 2, high: int = 4) -> int:
        """A number of examples, features or classes."""
        return self.integer(low, high)

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers."""
        numbers = np.asarray(self.generator.normal(size=shape))
        return torch.from_numpy(numbers).requires_grad_()

    def positive(self, *shape: int) -> Tensor:
        """Numbers between 0.1 and 3."""
        numbers = self.generator.uniform(0.1, 3.0, size=shape)
        return torch.tensor(numbers, requires_grad=True)

    def signs(self, n: int) -> Tensor:
        """Labels +1 and −1."""
        return torch.tensor(self.generator.choice([-1.0, 1.0], size=n))

    def distribution(self, k: int) -> Tensor:
        """Probabilities that add up to one."""
        weights = self.generator.uniform(0.1, 1.0, size=k)
        return torch.tensor(weights / weights.sum())

    def require(self, condition: object) -> None:
        """Raise ``Redraw`` unless the condition is true."""
        if not condition:
            raise Redraw


# What a symbol can mean beside a number or a tensor.


@dataclass(frozen=True)
class Index:
    """An index: it runs over ``n`` values from ``start`` on, ``step`` apart."""

    n: int
    start: int = 1
    step: int = 1

    @property
    def values(self) -> range:
        """All its values."""
        return range(self.start, self.start + self.n * self.step, self.step)


@dataclass(frozen=True)
class Family:
    """Members with an index, of which the first has the number ``start``.

    A matrix as a family: ``x_i`` is its row as a vector, ``x_{ij}`` an entry of it.
    ``alone`` is what the name means without an index, if that is not the members.
    """

    members: Any
    start: int = 1
    alone: Any = None


@dataclass(frozen=True)
class Quantity:
    """A function; where it stands without arguments, its value at the named symbols."""

    function: Callable[..., Any]
    at: str | tuple[str, ...] = ()


@dataclass(frozen=True)
class Both:
    """A name with two uses: ``value`` where it stands alone, ``function`` if called."""

    value: Any
    function: Callable[..., Any]


@dataclass(frozen=True)
class Sides:
    """What the sides of an inequality are, from left to right."""

    values: tuple[Any, ...]

    def __init__(self, *values: Any) -> None:
        object.__setattr__(self, "values", values)


# Routes


def autograd(function: Callable[..., Tensor], *at: Tensor) -> Tensor | list[Tensor]:
    """The gradient of a scalar function at the given tensors, by ``torch.autograd``."""
    leaves = [tensor.detach().clone().requires_grad_() for tensor in at]
    found = list(torch.autograd.grad(function(*leaves), leaves))
    return found[0] if len(found) == 1 else found


def hessian(function: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    """The matrix of second derivatives of a function of a vector, by autograd twice."""
    leaf = at.detach().clone().requires_grad_()
    (slope,) = torch.autograd.grad(function(leaf), leaf, create_graph=True)
    rows = [torch.autograd.grad(s, leaf, retain_graph=True)[0] for s in slope]
    return torch.stack(rows)


def differences(function: Callable[..., Any], *at: Tensor, h: float = 1e-5) -> Any:
    """The same by central differences, which know no calculus. Errors are about h²."""
    found = []
    here = [tensor.detach() for tensor in at]
    for place, start in enumerate(here):
        slopes = torch.zeros_like(start)
        for index in np.ndindex(*start.shape):
            values = []
            for step in (h, -h):
                moved = start.clone()
                moved[index] += step
                values.append(float(function(*here[:place], moved, *here[place + 1 :])))
            slopes[index] = (values[0] - values[1]) / (2 * h)
        found.append(slopes)
    return found[0] if len(found) == 1 else found


# Settings, checks and definitions of a chapter

Routes = Mapping[str, Any]


@dataclass(frozen=True)
class Setting:
    """What symbols mean in the places of a chapter with these labels."""

    function: Callable[[Draw], Symbols]
    places: tuple[str, ...]
    example: bool = False

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.function.__name__


@dataclass(frozen=True)
class Check:
    """The routes to the sides of a labelled equation."""

    label: str
    setting: Setting
    routes: Callable[..., Routes] | None = None
    tolerance: float = 1e-6

    def run(self, symbols: Symbols) -> Routes:
        """The results of the routes for one draw of the setting."""
        if self.routes is None:
            return {}
        known = {python_name(name): value for name, value in symbols.items()}
        wanted = _parameters(self.routes)
        missing = [name for name in wanted if name not in known]
        if missing:
            raise LookupError(
                f"the check of {self.label} asks for {', '.join(missing)}, which the "
                f"setting {self.setting.name} does not have"
            )
        return self.routes(**{name: _plain(known[name]) for name in wanted})


@cache
def _parameters(routes: Callable[..., Routes]) -> tuple[str, ...]:
    return tuple(inspect.signature(routes).parameters)


@dataclass
class Chapter:
    """What a module of checks has declared."""

    settings: list[Setting] = field(default_factory=list)
    checks: dict[str, Check] = field(default_factory=dict)
    unchecked: dict[str, str] = field(default_factory=dict)
    given: tuple[str, ...] = ()


_declared: dict[str, Chapter] = {}


def _chapter(function: Callable[..., Any] | None = None) -> Chapter:
    """The declarations of the module that is being imported."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals["__name__"] == __name__:
        frame = frame.f_back
    name = function.__module__ if function else frame.f_globals["__name__"]  # type: ignore[union-attr]
    return _declared.setdefault(name.rpartition(".")[2], Chapter())


def declared(module: str) -> Chapter:
    """What ``snippets.checks.<module>`` declares, once it is imported."""
    return _declared.get(module, Chapter())


def forget(module: str) -> None:
    """Drop what a module declares, before it is imported anew."""
    _declared.pop(module, None)


def setting(
    *places: str, example: bool = False
) -> Callable[[Callable[[Draw], Symbols]], Setting]:
    """Declare what symbols mean in the places with these labels.

    A place is the label of a chapter, section, exercise or equation; the innermost one
    that has a setting counts. An ``example`` is a setting of concrete numbers, such as
    the data of the chapter, for statements that hold for them alone.
    """

    def declare(function: Callable[[Draw], Symbols]) -> Setting:
        made = Setting(function, places, example)
        _chapter(function).settings.append(made)
        return made

    return declare


def check(
    label: str, where: Setting, tolerance: float = 1e-6
) -> Callable[[Callable[..., Routes]], Check]:
    """Declare the routes to a labelled equation; ``tolerance`` is relative."""

    def declare(function: Callable[..., Routes]) -> Check:
        chapter = _chapter(function)
        if label in chapter.checks:
            raise ValueError(f"{label} is checked twice")
        made = Check(label, where, function, tolerance)
        chapter.checks[label] = made
        return made

    return declare


def definition(label: str, where: Setting) -> None:
    """Declare a labelled equation a definition: its sides need only mean the same."""
    _chapter().checks[label] = Check(label, where)


def unchecked(formulas: Mapping[str, str]) -> None:
    """Name formulas that are not computed, each with the reason."""
    _chapter().unchecked.update(formulas)


def given(*formulas: str) -> None:
    """Name formulas of the text that set a value or a condition, and claim nothing.

    "With η = 0.005" and "if n ≠ d" are such; no setting makes them true or false.
    """
    chapter = _chapter()
    chapter.given = (*chapter.given, *formulas)


@cache
def python_name(tex: str) -> str:
    r"""The name of a symbol in Python: ``\eta`` is ``eta``, ``w^*`` is ``w_star``."""
    words = tex.replace("^*", "_star").replace("\\", " ")
    name = re.sub(r"[\W_]+", "_", words).strip("_")
    return f"{name}_" if name in ("lambda", "in", "is") else name


def _plain(value: Any) -> Any:
    """Without the graph of the setting, so that a route makes its own."""
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, Both):
        return _plain(value.value)
    if isinstance(value, Family):
        return _plain(value.members)
    if isinstance(value, Quantity):
        return value.function
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def numbers(items: Iterable[Any]) -> Tensor:
    """A float64 vector of numbers."""
    return torch.stack([torch.as_tensor(item, dtype=torch.float64) for item in items])
