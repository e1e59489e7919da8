"""No cell or value outside an answer may need a name that the answer sets.

Otherwise the chapter would show something else, or nothing, without its answers ::

    answer:   w = torch.zeros(2)
    below:    w + 1                     # needs 'w' as the answer left it

``needed`` reads the cells of a chapter in their order and reports each such place. It
sees names that are set, not objects that are changed. ``explained`` adds to a NameError
of a chapter without its answers where the name would have been set.

Nothing here knows of Sphinx or runs anything.
"""

from __future__ import annotations

import dis
import re
from collections.abc import Callable
from dataclasses import replace
from types import CodeType

from chapter_notebook import Chapter, Problem

NAME_ERROR = re.compile(r"NameError: name '(\w+)' is not defined")


def needed(chapter: Chapter, in_answer: Callable[[int], bool]) -> list[Problem]:
    """A mistake for each place outside that needs an answer.

    Args:
        chapter: with all its answers.
        in_answer: whether a line (from 1) stands in an answer.
    """
    problems: list[Problem] = []
    left_by: dict[str, str] = {}  # names as an answer left them, with its cell

    def check(what: str, line: int, reads: set[str]) -> None:
        for name in sorted(reads & left_by.keys()):
            message = (
                f"{what} needs {name!r} as the cell {left_by[name]} in an answer left "
                "it; a book without answers lacks that cell: set it outside, or give "
                "it another name there"
            )
            problems.append(Problem(line, message, "editions.name"))

    for after, cell in enumerate([None, *chapter.code_cells()]):
        if cell is not None:
            reads, sets = names(cell.source)
            if in_answer(cell.metadata["line"]):
                left_by |= dict.fromkeys(sets, cell.metadata["where"])
            else:
                check(
                    f"the cell {cell.metadata['where']}", cell.metadata["line"], reads
                )
                for name in sets:
                    left_by.pop(name, None)
        for item in chapter.evaluations:
            if item.after == after and not in_answer(item.line):
                reads, _ = names(item.expression)
                check(f"{{eval}}`{item.text}`", item.line, reads)
    return problems


def explained(
    problem: Problem, chapter: Chapter, in_answer: Callable[[int], bool]
) -> Problem:
    """A mistake of the run without answers; if a name is missing, who sets it there."""
    if not (missing := NAME_ERROR.search(problem.message)):
        return problem
    for cell in chapter.code_cells():
        where = cell.metadata["where"]
        if in_answer(cell.metadata["line"]) and missing[1] in names(cell.source)[1]:
            added = f"{missing[1]!r} is set by {where}, in an answer that is withheld"
            return replace(problem, message=f"{problem.message}; {added}")
    return problem


def names(source: str) -> tuple[set[str], set[str]]:
    """The names that code reads before it sets them itself, and those that it sets."""
    try:
        code = compile(source, "cell", "exec")
    except SyntaxError:
        return set(), set()  # reported where it is drawn from
    reads: set[str] = set()
    sets: set[str] = set()
    for step in dis.get_instructions(code):
        if step.opname == "STORE_NAME":
            sets.add(str(step.argval))
        elif step.opname == "LOAD_NAME":
            reads |= {str(step.argval)} - sets
        elif isinstance(step.argval, CodeType):
            reads |= _globals(step.argval) - sets
    return reads, sets


def _globals(code: CodeType) -> set[str]:
    """The names that a function, class or comprehension takes from outside."""
    found = {
        str(step.argval)
        for step in dis.get_instructions(code)
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    inner = [const for const in code.co_consts if isinstance(const, CodeType)]
    return found.union(*map(_globals, inner))
