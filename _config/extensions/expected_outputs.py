"""What each cell of a chapter is expected to show, and how the two are compared.

The expectations of ``book/tensors.md`` are in ``tests/outputs/tensors.toml``, one table
for each cell that shows something, in the order of the page::

    [row-means-squared]
    kind = "numbers"
    abs = 1e-4
    by = ["test_row_means_by_numpy"]
    output = '''
    tensor([0.3333, 0.6667])
    '''

``kind`` is ``text`` (every character counts), ``numbers`` (each number may be off by
``abs`` plus ``rel`` times its size, the text around them may not) or ``form`` (numbers
may be any, ``…`` stands for any text). ``by`` names the tests that compute the values
by a route other than the cell's own; where there is nothing to compute, ``why`` says
so. A cell that shows something silently wrong has ``wrong``, the tests that assert by
how much, and ``quoted``, the ``{eval}`` with which the text states the amount.

The values of ``{eval}`` in the text below a cell are an entry of their own, a value on
each line, as a reader sees them::

    ["below row-means-squared"]
    kind = "text"
    output = '''
    (0.3333, 0.6667)
    1.5 × 10⁻⁸
    '''

It needs ``by`` only for values that no output of the chapter shows (see ``untied``).

What a broken cell raises is promised by its ``with raises(…)`` and is no part of this.

Nothing here knows of Sphinx or runs anything.
"""

from __future__ import annotations

import difflib
import json
import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from nbformat import NotebookNode

from cell_values import plain
from chapter_notebook import Chapter, Problem
from execution import Outcome

KINDS = ("text", "numbers", "form")
# Begins the name of an entry for values in sentences; then follows that of the cell.
BELOW = "below "
# A number that is no part of a name, as the 32 of float32 is.
NUMBER = re.compile(
    r"(?<![\w.])(?:(?<![\w)\]])[-+])?"
    r"(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+|inf|nan)(?!\w)"
)


@dataclass(frozen=True)
class Expectation:
    """What one cell must show, how closely, and which tests say so independently."""

    output: str
    kind: str = "text"
    rel: float = 0.0
    abs: float = 0.0
    by: tuple[str, ...] = ()
    why: str = ""
    wrong: tuple[str, ...] = ()
    quoted: str = ""


@dataclass(frozen=True)
class Shown:
    """What a cell, or the text ``below`` it, showed; its line in the chapter."""

    cell: str
    line: int
    text: str

    @property
    def told(self) -> str:
        """The name as it is told to an author."""
        if self.cell.startswith(BELOW):
            return f"the text below the cell {self.cell.removeprefix(BELOW)!r}"
        return f"the cell {self.cell!r}"


class BadExpectations(ValueError):
    """The text of an expectations file cannot be used; says why, and of which cell."""


def shown_by(chapter: Chapter, outcome: Outcome) -> list[Shown]:
    """What the cells of a chapter, and the sentences below each, showed, in order."""
    found = []
    cells = zip(chapter.code_cells(), outcome.outputs, strict=True)
    for after, (cell, outputs) in enumerate(cells, 1):
        name = cell.metadata["where"].partition("#")[2]
        found.append(Shown(name, cell.metadata["line"], displayed(outputs)))
        asked = [item for item in chapter.evaluations if item.after == after]
        values = [outcome.values.get((after, item.text), "") for item in asked]
        line = asked[0].line if asked else 0
        found.append(Shown(BELOW + name, line, "\n".join(values)))
    return [item for item in found if item.text]


def displayed(outputs: Iterable[NotebookNode]) -> str:
    """The text of a cell's outputs, without the exception of a broken cell."""
    texts = [
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in outputs
        if output.output_type != "error"
    ]
    return "\n".join(str(text).rstrip() for text in texts if str(text).strip())


def difference(expected: Expectation, found: str) -> str | None:
    """What differs from the expectation, in words, or ``None``.

    >>> difference(Expectation("a 1.00", "numbers", abs=0.01), "a 1.05")
    'number 1 is 1.05 instead of 1.00'
    """
    if expected.output == found:
        return None
    if expected.kind == "text":
        return "the text differs"
    if expected.kind == "form":
        pattern = ".*".join(map(re.escape, _skeleton(expected.output).split("…")))
        same = re.fullmatch(pattern, _skeleton(found), re.S)
        return None if same else "the form differs"
    if _skeleton(expected.output) != _skeleton(found):
        return "the text around the numbers differs"
    pairs = zip(numbers(expected.output), numbers(found), strict=True)
    for count, (wanted, got) in enumerate(pairs, 1):
        if not _close(float(wanted), float(got), expected):
            return f"number {count} is {got} instead of {wanted}"
    return None


def numbers(text: str) -> list[str]:
    """The numbers of an output or of sentences, as Python reads them.

    >>> numbers("tensor([ 1., -2.])"), numbers("−1.5 × 10⁻⁸")
    (['1.', '-2.'], ['-1.5e-8'])
    """
    return NUMBER.findall(plain(text))


def _skeleton(text: str) -> str:
    """The text with ``#`` for each number, and one space for any (padding varies)."""
    spaced = re.sub(r"(?<=[(\[]) +", "", NUMBER.sub("#", plain(text)))
    return " ".join(spaced.split())


def _close(wanted: float, got: float, expected: Expectation) -> bool:
    if math.isnan(wanted) or math.isinf(wanted):
        return repr(wanted) == repr(got)
    # The tolerances are decimal numbers and mean what they say in the last digit.
    allowed = allowance(wanted, expected)
    return abs(wanted - got) <= allowed * (1 + 1e-9) + 1e-15 * abs(wanted)


def allowance(number: float, expected: Expectation) -> float:
    """By how much a number of this size may be off."""
    return expected.abs + expected.rel * abs(number)


def read_expectations(text: str) -> dict[str, Expectation]:
    """The expectations of a chapter by cell.

    Raises:
        BadExpectations: for what is not TOML, and for a key that is unknown or of the
            wrong type.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadExpectations(f"not TOML: {error}") from None
    return {cell: _expectation(cell, table) for cell, table in tables.items()}


def _expectation(cell: str, table: object) -> Expectation:
    if not isinstance(table, dict):
        raise BadExpectations(f"{cell!r} is not a table; write [{cell}]")
    types = {
        "output": str,
        "kind": str,
        "rel": float,
        "abs": float,
        "by": list,
        "why": str,
        "wrong": list,
        "quoted": str,
    }
    values: dict[str, object] = {}
    for key, value in table.items():
        if not isinstance(value, types.get(key, ())):
            known = ", ".join(types)
            raise BadExpectations(
                f"[{cell}] has {key} = {value!r}; the keys are {known}"
            )
        values[key] = tuple(value) if isinstance(value, list) else value
    output = str(values.pop("output", "")).strip("\n")
    expected = Expectation(output, **values)  # type: ignore[arg-type]
    if expected.kind not in KINDS:
        raise BadExpectations(
            f"[{cell}] has kind {expected.kind!r}; write one of {', '.join(KINDS)}"
        )
    if (expected.kind == "numbers") != bool(expected.rel or expected.abs):
        raise BadExpectations(
            f"[{cell}] is of kind {expected.kind!r}; 'numbers', and no other, needs "
            "'abs' or 'rel'"
        )
    return expected


def write_expectations(expectations: Mapping[str, Expectation]) -> str:
    """The text that ``read_expectations`` reads."""
    return "\n".join(_table(cell, entry) for cell, entry in expectations.items())


def _table(cell: str, entry: Expectation) -> str:
    lines = [f"[{_key(cell)}]", f'kind = "{entry.kind}"']
    lines += [
        f"{key} = {getattr(entry, key)!r}"
        for key in ("rel", "abs")
        if getattr(entry, key)
    ]
    for key in ("by", "why", "wrong", "quoted"):
        if value := getattr(entry, key):
            lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}")
    # A literal string shows the output as it is, unless it holds what would end one.
    if "'''" in entry.output or re.search(r"[\x00-\x08\x0b-\x1f]", entry.output):
        lines.append(f"output = {json.dumps(entry.output)}")
    else:
        lines.append(f"output = '''\n{entry.output}\n'''")
    return "\n".join(lines) + "\n"


def _key(cell: str) -> str:
    """The name of an entry as TOML writes it."""
    return f'"{cell}"' if " " in cell else cell


def compare(
    file: str, shown: Sequence[Shown], expected: Mapping[str, Expectation]
) -> Iterator[Problem]:
    """Every difference between what a chapter shows and its expectations file."""
    for item in shown:
        entry = expected.get(item.cell)
        if entry is None:
            message = f"{file} does not say what {item.told} shows"
            yield Problem(item.line, f"{message}; {_accept(file)}", "outputs.missing")
        elif reason := difference(entry, item.text):
            message = (
                f"{item.told} shows something else than {file} expects: "
                f"{reason}; correct it, or {_accept(file)}"
            )
            yield Problem(item.line, message, "outputs.changed")
    names = [item.cell for item in shown]
    for cell in expected:
        if cell not in names:
            message = f"{file} has [{_key(cell)}], but nothing of that name is shown"
            yield Problem(1, f"{message}; {_accept(file)}", "outputs.superfluous")
    kept = [cell for cell in expected if cell in names]
    if kept != [name for name in names if name in kept]:
        message = f"{file} is not in the order of the page; {_accept(file)}"
        yield Problem(1, message, "outputs.order")


def untied(cell: str, expected: Mapping[str, Expectation]) -> list[str]:
    """The numbers of a ``below`` entry that no output with a test of its own shows.

    A number may be shown rounded. One of a single digit stands in many outputs by
    chance, and therefore must be shown by the cell above it.
    """
    tested = {name: entry for name, entry in expected.items() if entry.by}
    above = expected.get(cell.removeprefix(BELOW))
    near = numbers(above.output) if above and above.by else []
    far = [
        number
        for name, entry in tested.items()
        if not name.startswith(BELOW)
        for number in numbers(entry.output)
    ]
    return [
        number
        for number in numbers(expected[cell].output)
        if not any(
            is_rounded(other, number)
            for other in (far if _digits(number) > 1 else near)
        )
    ]


def _digits(number: str) -> int:
    """How many digits from the first to the last that is not 0.

    >>> _digits("120.0"), _digits("-0.05"), _digits("3e-10")
    (2, 1, 1)
    """
    return len(re.sub(r"e.*|\D", "", number.lower()).strip("0"))


def is_rounded(number: str, shown: str) -> bool:
    """Whether ``shown`` is the number, or the number with fewer digits (from three on).

    >>> is_rounded("2.4428", "2.44"), is_rounded("24428", "20000")
    (True, False)
    """
    exact, rounded = Decimal(number), Decimal(shown)
    if not exact.is_finite() or not rounded.is_finite():
        return str(exact) == str(rounded)
    if exact == rounded:
        return True
    unit = Decimal((0, (1,), int(rounded.as_tuple().exponent)))
    if len(rounded.as_tuple().digits) < 3 or exact.adjusted() > 20:
        return False
    return exact.quantize(unit) == rounded


def _accept(file: str) -> str:
    return f"take it over with 'nox -s outputs -- --accept {Path(file).stem}'"


def accepted(
    shown: Iterable[Shown], expected: Mapping[str, Expectation]
) -> dict[str, Expectation]:
    """The expectations with what is shown now; what still holds stays as it is."""
    result = {}
    for item in shown:
        entry = expected.get(item.cell, Expectation(item.text))
        if difference(entry, item.text):
            entry = replace(entry, output=item.text)
        result[item.cell] = entry
    return result


def readable_difference(
    shown: Iterable[Shown], expected: Mapping[str, Expectation]
) -> Iterator[str]:
    """Before and after for each cell that differs, line by line."""
    texts = {item.cell: item.text for item in shown}
    for cell in [*texts, *(cell for cell in expected if cell not in texts)]:
        entry, after = expected.get(cell), texts.get(cell)
        if entry and after is not None and not difference(entry, after):
            continue
        before = entry.output.splitlines() if entry else []
        lines = difflib.unified_diff(before, (after or "").splitlines(), n=1)
        yield f"[{_key(cell)}]"
        yield from list(lines)[3:]
