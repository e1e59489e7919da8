"""Exercises to do: for each a stub to fill, and a check of what was filled in.

A reader fills in the stub and calls the check, which needs no network::

    >>> check("tensors/one-hot", one_hot)
    ✗ tensors/one-hot: not filled in yet: put your code in the place of `...`

The check of an exercise is a function in this package, in the module of the chapter.
Module and function make up the label of the exercise, ex-tensors-one-hot::

    @exercise('''
    def one_hot(labels, k):
        \"""One row for each label.\"""
        ...
    ''')
    def one_hot(answer):
        labels, k = ...
        rows = call(answer, labels, k)
        agree(rows, F.one_hot(labels, k), "the rows")
        return "checked with 3 lists of labels"

It is handed what the names of the stub stand for, and raises ``Wrong`` with a hint. The
checks try properties, or compute the answer on another route: they show what must hold,
not how to get there. ``snippets.exercises.trying`` has the words they are written in.
"""

import ast
import contextlib
import difflib
import importlib
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from snippets.exercises.trying import Wrong, is_unfilled

NAME = re.compile(r"[a-z][a-z-]*/[a-z][a-z-]*")


@dataclass(frozen=True)
class Exercise:
    """What a reader gets of an exercise, and what judges it.

    ``name`` is "tensors/one-hot", ``stub`` the code to be filled in, and ``examine``
    takes what the reader's names stand for: it returns a remark or raises ``Wrong``.
    """

    name: str
    stub: str
    examine: Callable[..., str]

    @property
    def label(self) -> str:
        """The label of the exercise in the book."""
        return "ex-" + self.name.replace("/", "-")

    @property
    def asked(self) -> list[str]:
        """The names that the reader gives a meaning: what the check is called with."""
        names = []
        for statement in ast.parse(self.stub).body:
            match statement:
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                    names.append(name)
                case ast.Assign(targets=[ast.Name(id=name)]):
                    names.append(name)
        return names

    @property
    def cell(self) -> str:
        """A cell for the reader: the stub and the call of its check."""
        call = f'check("{self.name}", {", ".join(self.asked)})'
        gap = "\n\n\n" if self.stub.startswith(("def", "class")) else "\n\n"
        return f"from snippets.exercises import check{gap}{self.stub}{gap}{call}"


@dataclass(frozen=True)
class Verdict:
    """Whether an answer passed, and what to say about it."""

    name: str
    passed: bool
    message: str

    def __str__(self) -> str:
        sign = "✓" if self.passed else "✗"
        return f"{sign} {self.name}: {self.message}"


# All exercises by name, in the order of import.
EXERCISES: dict[str, Exercise] = {}


def exercise(stub: str) -> Callable[[Callable[..., str]], Callable[..., str]]:
    """Make a function the check of the exercise named like its module and it."""

    def enter(examine: Callable[..., str]) -> Callable[..., str]:
        module = examine.__module__.rpartition(".")[2]
        name = f"{module}/{examine.__name__}".replace("_", "-")
        assert name not in EXERCISES, f"two checks for {name!r}"
        EXERCISES[name] = Exercise(name, textwrap.dedent(stub).strip(), examine)
        return examine

    return enter


def exercises(chapter: str) -> list[Exercise]:
    """The exercises of a chapter, "linear-regression", in the order of the book."""
    with contextlib.suppress(ModuleNotFoundError):
        importlib.import_module(f"{__name__}.{chapter.replace('-', '_')}")
    return [it for it in EXERCISES.values() if it.name.startswith(f"{chapter}/")]


def check(name: str, *answer: Any) -> None:
    """Say whether an answer to an exercise is right, and if not, what to look at.

    Args:
        name: The exercise, "tensors/one-hot".
        answer: What the stub asks for: mostly the function itself, not its result.
    """
    print(judge(name, *answer))


def judge(name: str, *answer: Any) -> Verdict:
    """As ``check``, for a program: the verdict itself. Only an interrupt ends it early.

    The reader's random numbers go on afterwards as if nothing had been called.
    """
    if obstacle := _obstacle(name, answer):
        return Verdict(str(name), False, obstacle)
    try:
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.default_generator.manual_seed(0)
            return Verdict(name, True, EXERCISES[name].examine(*answer))
    except Wrong as wrong:
        return Verdict(name, False, str(wrong))
    except Exception as error:  # a reader must never see a traceback of the check
        odd = f"{type(error).__name__}: {error}"
        advice = "the check cannot make sense of it; see the docstring of the stub"
        return Verdict(name, False, f"{advice} ({odd})")


def _obstacle(name: Any, answer: tuple[Any, ...]) -> str | None:
    """What keeps an answer from being tried at all."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        return 'the name of an exercise comes first, as in check("tensors/one-hot", …)'
    chapter, _, short = name.partition("/")
    known = [it.name.removeprefix(f"{chapter}/") for it in exercises(chapter)]
    if short not in known:
        near = difflib.get_close_matches(short, known, n=1)
        advice = f"did you mean '{chapter}/{near[0]}'?" if near else f"known: {known}"
        return f"there is no check of this name; {advice}"
    asked = EXERCISES[name].asked
    if len(answer) != len(asked):
        return f'call check("{name}", {", ".join(asked)})'
    if any(map(is_unfilled, answer)):
        return "not filled in yet: put your code in the place of `...`"
    return None
