"""Misconceptions, each with a probe: what it predicts, and what really happens.

The wrong belief itself stands in the chapter that treats it, as the title of an
admonition with ``:name: misconception-tensors-star``. Its probe is the function
``star`` of the module ``tensors`` of this package ::

    @misconception
    def star() -> Probe:
        '''`A * B`, where `B` is a matrix that swaps two columns.'''
        ...
        return Probe(believed=A @ B, found=A * B)

The first line of the docstring says what both values are values of.
"""

from collections.abc import Callable
from dataclasses import dataclass
from textwrap import shorten
from typing import Any


@dataclass(frozen=True)
class Probe:
    """What a belief predicts, and what was found.

    Both are numbers, texts, truth values, None, or (nested) sequences of them; a tensor
    or an array counts as what its ``tolist`` gives.

    Raises:
        AssertionError: if the two are equal, since the belief would then be right.
    """

    believed: Any
    found: Any

    def __post_init__(self) -> None:
        believed, found = plain(self.believed), plain(self.found)
        assert believed != found, f"the belief is right: both are {found!r}"


def plain(value: Any) -> Any:
    """A tensor or array as nested lists, a tuple as a list, anything else as it is."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return list(map(plain, value)) if isinstance(value, list | tuple) else value


# All probes by the name of their misconception, in the order of import.
PROBES: dict[str, Callable[[], Probe]] = {}


def misconception(probe: Callable[[], Probe]) -> Callable[[], Probe]:
    """Make a function the probe of the misconception named like its module and it.

    >>> from snippets.misconceptions import tensors
    >>> PROBES["tensors-star"] is tensors.star
    True
    """
    module = probe.__module__.rpartition(".")[2]
    name = f"{module}-{probe.__name__}".replace("_", "-")
    assert name not in PROBES, f"two probes for {name!r}"
    PROBES[name] = probe
    return probe


def outcome(action: Callable[[], Any]) -> str:
    """How an action ends: with the class and message of an error, or "no error"."""
    try:
        action()
    except Exception as error:
        return shorten(f"{type(error).__name__}: {error}", 90, placeholder=" …")
    return "no error"
