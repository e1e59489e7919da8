"""From the Markdown of a chapter to a notebook with its snippets filled in.

A chapter says ::

    ```{code-cell} python
    :snippet: linear_regression#data
    ```

    The loss is {eval}`loss:.2f`.

``read_chapter`` returns the notebook with the cell's code in place, and the list of
what is to be evaluated after which cell. ``fill_values`` puts the values into the text.
Both keep every line where the author wrote it, so that errors point to the right one.

Nothing here knows of Sphinx or runs anything.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from myst_nb.core.read import read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig
from nbformat import NotebookNode

from fences import check_fences
from figure_cells import FigureText, find_figures, finish
from snippet_cells import ModuleError, SnippetError, SnippetLibrary

EVAL = re.compile(r"\{eval\}`([^`]*)`")
LANGUAGE = {"name": "python", "pygments_lexer": "ipython3"}

# Keyed by the number of code cells before the place, and the text that asks.
Values = dict[tuple[int, str], str]


@dataclass(frozen=True)
class Problem:
    """A mistake of an author: line (from 1), what and remedy, category."""

    line: int
    message: str
    category: str


@dataclass(frozen=True)
class Evaluation:
    """An expression of the text, to be evaluated after ``after`` code cells."""

    text: str
    expression: str
    spec: str
    line: int
    after: int


@dataclass
class Chapter:
    """A chapter as a notebook: its cells' origins, values asked for, and mistakes."""

    notebook: NotebookNode
    evaluations: list[Evaluation] = field(default_factory=list)
    modules: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    figures: dict[int, FigureText] = field(default_factory=dict)

    def code_cells(self) -> list[NotebookNode]:
        """The code cells; each has its ``line`` and ``where`` as metadata."""
        return [cell for cell in self.notebook.cells if cell.cell_type == "code"]


def read_chapter(
    text: str, library: SnippetLibrary, config: MdParserConfig | None = None
) -> Chapter:
    """Read the Markdown of a chapter; mistakes are collected, never raised."""
    problems = [Problem(*wrong, "snippets.fence") for wrong in check_fences(text)]
    text, figures = find_figures(text)
    try:
        notebook = _read_notebook(text, config)
    except Exception as error:  # of many classes, private ones among them
        notebook = _read_notebook("", config)
        problems.append(_unreadable(text, config, error))
    notebook.metadata.setdefault("language_info", LANGUAGE)
    chapter = Chapter(notebook, problems=problems, figures=figures)
    lines = text.splitlines() or [""]
    starts = notebook.metadata["source_map"]
    after = 0
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            after += 1
            _fill_cell(cell, starts[index], library, chapter)
            _fill_figure(cell, after, chapter)
        else:
            start = starts[index]
            # MyST-NB drops the blank lines before a text but not from its map …
            while start < len(lines) - 1 and not lines[start].strip():
                start += 1
            _find_evaluations(cell.source, start, after, chapter)
            # … and counts one line too many when it reports a place in the text.
            starts[index] = start - 1
    return chapter


def _read_notebook(text: str, config: MdParserConfig | None) -> NotebookNode:
    # MyST-NB's reader fails on a text without any block.
    blocks = text if text.strip() else "<!-- empty -->"
    notebook: NotebookNode = read_myst_markdown_notebook(
        blocks, config, add_source_map=True
    )
    return notebook


def _unreadable(text: str, config: MdParserConfig | None, error: Exception) -> Problem:
    """The mistake in the first line with which MyST-NB cannot read the text."""
    lines = text.split("\n")

    def fails(count: int) -> bool:
        try:
            _read_notebook("\n".join(lines[:count]), config)
        except type(error):
            return True
        except Exception:
            return False  # a line further down mends this one
        return False

    line = next(filter(fails, range(1, len(lines) + 1)), 1)
    first, *_ = str(error).splitlines() or [type(error).__name__]
    remedy = "correct the options here"
    if lines[line - 1].startswith(":load:"):
        remedy = "write ':snippet: module#cell' instead"
    return Problem(line, f"{first}; {remedy}", "snippets.cell")


def _fill_cell(
    cell: NotebookNode, line: int, library: SnippetLibrary, chapter: Chapter
) -> None:
    """Put the snippet into a code cell, in place."""
    cell.metadata["line"] = line
    reference = str(cell.metadata.pop("snippet", "") or "")
    cell.metadata["where"] = reference or "a cell without ':snippet:'"

    def wrong(message: str) -> None:
        chapter.problems.append(Problem(line, message, "snippets.cell"))

    if not reference:
        return wrong(
            "a code cell draws its code from a snippet module; "
            "write ':snippet: module#cell' and put the code there"
        )
    if cell.source.strip():
        return wrong(
            f"the cell has a body beside ':snippet: {reference}'; "
            "move the body into the snippet module"
        )
    module = library.path(reference.partition("#")[0])
    if module not in chapter.modules:
        chapter.modules.append(module)
    try:
        snippet = library.cell(reference)
    except ModuleError as error:
        # Each cell of the module fails alike: one mistake, told at the first.
        told = {problem.message for problem in chapter.problems}
        return None if str(error) in told else wrong(str(error))
    except SnippetError as error:
        return wrong(str(error))
    cell.source = snippet.source
    if snippet.raises:
        cell.metadata["raises"] = [snippet.raises.kind, snippet.raises.message]
        tags = cell.metadata.setdefault("tags", [])
        if "raises-exception" not in tags:
            tags.append("raises-exception")
    return None


def _fill_figure(cell: NotebookNode, after: int, chapter: Chapter) -> None:
    """Note what the caption of a figure asks for, and what is wrong with the block."""
    if figure := chapter.figures.get(cell.metadata.get("figure")):
        if figure.wrong:
            problem = Problem(figure.line, figure.wrong, "snippets.figure")
            chapter.problems.append(problem)
        _find_evaluations(figure.caption, figure.line - 1, after, chapter)


def _find_evaluations(text: str, start: int, after: int, chapter: Chapter) -> None:
    for match in EVAL.finditer(text):
        line = start + text.count("\n", 0, match.start()) + 1
        try:
            if "\n" in match[1]:  # its value would move the lines below
                raise SyntaxError("spread over two lines")
            expression, spec = split_format(match[1])
        except SyntaxError as error:
            message = (
                f"{{eval}}`{match[1]}` is not 'expression' or 'expression:format' "
                f"({error.msg})"
            )
            chapter.problems.append(Problem(line, message, "snippets.eval"))
        else:
            chapter.evaluations.append(
                Evaluation(match[1], expression, spec, line, after)
            )


def split_format(text: str) -> tuple[str, str]:
    """Split ``loss:.2f`` as the braces of an f-string would.

    Raises:
        SyntaxError: if it would not do between the braces of an f-string.
    """
    match ast.parse(f"f'''{{{text}}}'''", mode="eval").body:
        case ast.JoinedStr(values=[ast.FormattedValue(value, -1, None)]):
            return ast.unparse(value), ""
        case ast.JoinedStr(
            values=[
                ast.FormattedValue(
                    value, -1, ast.JoinedStr(values=[ast.Constant(value=str(spec))])
                )
            ]
        ):
            return ast.unparse(value), spec
    raise SyntaxError("one expression, without '!r' or '='")


def fill_values(chapter: Chapter, values: Values) -> list[Problem]:
    """Replace each ``{eval}`` by its value, and caption the figures.

    Returns what is wrong with figures; cells without outputs were not run.
    """
    after = 0
    problems = []
    for cell in chapter.notebook.cells:
        after += cell.cell_type == "code"
        known = {
            text: value for (place, text), value in values.items() if place == after
        }
        if cell.cell_type != "code":
            cell.source = EVAL.sub(partial(_value, known), cell.source)
        elif figure := chapter.figures.get(cell.metadata.pop("figure", None)):
            caption = EVAL.sub(partial(_value, known), figure.caption)
            if wrong := finish(cell, figure, caption):
                problems.append(Problem(figure.line, wrong, "snippets.figure"))
    return problems


def filled_text(text: str, chapter: Chapter, values: Values) -> str:
    """The Markdown of a chapter with each ``{eval}`` replaced, line for line."""
    # Those with a mistake are no evaluations; they keep their text.
    asked = iter(chapter.evaluations)
    waiting = next(asked, None)

    def fill(match: re.Match[str]) -> str:
        nonlocal waiting
        if waiting is None or waiting.text != match[1]:
            return match[0]
        value = values.get((waiting.after, waiting.text), match[1])
        waiting = next(asked, None)
        return value

    return EVAL.sub(fill, text)


def _value(known: dict[str, str], match: re.Match[str]) -> str:
    return known.get(match[1], match[1])
