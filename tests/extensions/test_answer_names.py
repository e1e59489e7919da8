"""What outside an answer needs a name that the answer has set."""

from __future__ import annotations

from pathlib import Path

import pytest

from answer_names import explained, names, needed
from chapter_notebook import Problem, read_chapter
from snippet_cells import SnippetLibrary


@pytest.mark.parametrize(
    ("source", "reads", "sets"),
    [
        ("y = x + 1", "x", "y"),
        ("x = x + 1", "x", "x"),
        ("x += 1", "x", "x"),
        ("x = 1\ny = x", "", "x y"),
        ("x.grad = None\nx[0] = 1", "x", ""),
        ("for i in x:\n    y = i", "x", "i y"),
        ("with x as f:\n    f", "x", "f"),
        ("import torch\ntorch.ones(2)", "", "torch"),
        ("from torch import nn as m", "", "m"),
        ("[i * k for i in x]", "k x", ""),
        ("{i: [j for j in i] for i in x}", "x", ""),
        ("def f(a, b=d):\n    c = a + e\n    return c", "d e", "f"),
        ("def f():\n    return lambda a: a + e", "e", "f"),
        ("f = lambda a: a + e", "e", "f"),
        ("class C(B):\n    k = n\n    def f(self):\n        return e", "B e n", "C"),
        ("print(f'{x:.2f}')", "print x", ""),
        ("(y := x)", "x", "y"),
        ("y = = x", "", ""),
        ("del x", "", ""),
    ],
)
def test_the_names_of_a_cell(source: str, reads: str, sets: str) -> None:
    found, made = names(source)
    # From Python 3.13 on, a class reads and sets names of its own.
    assert {name for name in found if not name.startswith("__")} == set(reads.split())
    assert made == set(sets.split())


def chapter(tmp_path: Path, *cells: tuple[str, str] | str) -> list[str]:
    """What is wrong with a chapter of cells ``(inside or outside, code)`` and texts."""
    text, module, inside = [], ['"""Cells."""'], []
    for number, part in enumerate(cells):
        if isinstance(part, str):
            text += ["", part, ""]
            continue
        where, code = part
        if where == "inside":
            inside.append(len(text) + 1)
        text += ["```{code-cell} python", f":snippet: a#c{number}", "```"]
        module += [f"# %% c{number}", code]
    (tmp_path / "snippets").mkdir()
    (tmp_path / "snippets" / "a.py").write_text("\n".join(module) + "\n")
    read = read_chapter("\n".join(text), SnippetLibrary(tmp_path))
    assert read.problems == []
    found = needed(read, lambda line: line in inside)
    return [f"{problem.line}: {problem.message}" for problem in found]


def test_a_cell_that_needs_an_answer_is_named(tmp_path: Path) -> None:
    assert chapter(tmp_path, ("inside", "y = 1"), ("outside", "y + 1")) == [
        "4: the cell a#c1 needs 'y' as the cell a#c0 in an answer left it; a book "
        "without answers lacks that cell: set it outside, or give it another name there"
    ]


def test_a_name_that_an_answer_changes_is_needed_too(tmp_path: Path) -> None:
    cells = ("outside", "y = 0"), ("inside", "y = 1"), ("outside", "y")
    [problem] = chapter(tmp_path, *cells)
    assert problem.startswith("7: the cell a#c2 needs 'y' as the cell a#c1")


def test_a_value_in_the_text_needs_names(tmp_path: Path) -> None:
    [problem] = chapter(tmp_path, ("inside", "y = 1"), "It is {eval}`y:.2f`.")
    assert problem.startswith("5: {eval}`y:.2f` needs 'y' as the cell a#c0")


@pytest.mark.parametrize(
    "cells",
    [
        # Set again outside; in one step, and by the text's own cell.
        (("inside", "y = 1"), ("outside", "y = 2\ny"), ("outside", "y"), "{eval}`y`"),
        # Another answer may go on.
        (("inside", "y = 1"), ("inside", "z = y")),
        # What comes before does not need it, nor do other names.
        (("outside", "y = 0"), "{eval}`y`", ("inside", "y = 1"), ("outside", "z = 1")),
        # A name within a function or a comprehension is another one.
        (("inside", "i = 1"), ("outside", "[i for i in range(3)]")),
        (("inside", "i = 1"), ("outside", "def f(i):\n    return i")),
    ],
)
def test_what_does_not_need_an_answer_is_no_mistake(
    tmp_path: Path, cells: tuple[tuple[str, str] | str, ...]
) -> None:
    assert chapter(tmp_path, *cells) == []


def test_a_missing_name_is_explained(tmp_path: Path) -> None:
    (tmp_path / "snippets").mkdir()
    (tmp_path / "snippets" / "a.py").write_text('"""A."""\n# %% c\ny = 1\n')
    text = "```{code-cell} python\n:snippet: a#c\n```\n"
    read = read_chapter(text, SnippetLibrary(tmp_path))
    failed = Problem(
        9, "a#d failed with NameError: name 'y' is not defined [line 1]", "e"
    )
    found = explained(failed, read, lambda line: True)
    added = "; 'y' is set by a#c, in an answer that is withheld"
    assert found == Problem(9, failed.message + added, "e")
    assert explained(failed, read, lambda line: False) == failed
    other = Problem(9, "a#d failed with NameError: name 'z' is not defined", "e")
    assert explained(other, read, lambda line: True) == other
