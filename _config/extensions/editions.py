"""The Markdown of a chapter without its answers, line for line.

An answer stands between two directives ::

    :::{solution-start} ex-tensors-shape
    :::
    The shape is (2, 3).
    :::{solution-end}
    :::

``withhold`` keeps the four lines of the directives, which say whose answer stands
there, and leaves an empty line in the place of each other one. What a code block merely
shows is no answer: the directives are found by MyST's own parser.

Nothing here knows of Sphinx or runs anything.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from markdown_it.token import Token
from myst_parser.config.main import MdParserConfig
from myst_parser.mdit_to_docutils.base import DocutilsRenderer
from myst_parser.parsers.mdit import create_md_parser

from chapter_notebook import Problem

LINE_END = re.compile(r"\r\n?|\n")
EXTENSIONS = ("colon_fence", "deflist", "dollarmath")
DIRECTIVE = re.compile(r"\{(?P<name>[\w-]+)\}\s*(?P<rest>.*)")
SNIPPET = re.compile(
    r"^\s*(?::snippet:|[:`]{3,}\{figure\})\s+(?P<cell>[\w.]+#\S+)", re.M
)
LABEL = re.compile(
    r"^\s*\((?P<target>[^()\s]+)\)=|^\s*:(?:label|name):\s*(?P<option>\S+)"
    r"|\$\$\s*\((?P<display>[^()\s]+)\)",
    re.M,
)


@dataclass(frozen=True)
class Answer:
    """An answer: the label of its question, its first line (from 1), and what it says.

    ``text`` is all that lies between the first line and ``{solution-end}``.
    """

    question: str
    line: int
    text: str

    def holds(self, line: int) -> bool:
        """Whether a line (from 1) of the chapter stands in it."""
        return self.line <= line <= self.line + self.text.count("\n") + 1

    def cells(self) -> list[str]:
        """The cells that it draws, as ``module#cell``."""
        return [match["cell"] for match in SNIPPET.finditer(self.text)]

    def labels(self) -> list[str]:
        """What one could link to in it."""
        return [str(match[match.lastgroup or 0]) for match in LABEL.finditer(self.text)]


@dataclass
class Edition:
    """A chapter's Markdown without answers, what was taken out, and mistakes."""

    text: str
    answers: list[Answer] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def in_answer(self, line: int) -> bool:
        """Whether a line (from 1) stands in an answer."""
        return any(answer.holds(line) for answer in self.answers)


def withhold(text: str) -> Edition:
    r"""A chapter without its answers; they are returned beside it.

    >>> withhold(":::{solution-start} ex\n:::\n42\n:::{solution-end}\n:::").text
    ':::{solution-start} ex\n:::\n\n:::{solution-end}\n:::'
    """
    lines = LINE_END.split(text)
    kept = lines.copy()
    edition = Edition("")
    opened: _Block | None = None  # the beginning of an answer without its end yet
    for block in _blocks(text, lines):
        if block.name == "solution-end":
            if opened:
                _take_out(lines, kept, opened, block.first, edition)
                opened = None
            else:
                message = "'{solution-end}' ends no answer; remove it"
                problem = Problem(block.first + 1, message, "editions.answer")
                edition.problems.append(problem)
        elif block.name == "solution-start":
            if opened:
                edition.problems.append(_not_closed(opened))
                _take_out(lines, kept, opened, block.first, edition)
            opened = block
        elif opened is None:  # an answer in one block
            _take_out(lines, kept, block, block.after, edition)
    if opened:
        edition.problems.append(_not_closed(opened))
        _take_out(lines, kept, opened, len(lines), edition)
    edition.text = "\n".join(kept)
    return edition


@dataclass(frozen=True)
class _Block:
    """A directive of answers: its lines (from 0), and which of them closes it."""

    name: str
    argument: str
    first: int
    after: int
    closing: int


def _blocks(text: str, lines: list[str]) -> Iterator[_Block]:
    """The directives of answers, in their order."""
    for token in _parse(text):
        found = DIRECTIVE.match(token.info.strip())
        if token.type in ("fence", "colon_fence") and found and token.map:
            name = found["name"].lower()
            if name in ("solution-start", "solution-end", "solution"):
                first, after = token.map
                mark = lines[after - 1].lstrip(" \t>").rstrip()
                # The last fence of a page may lack its end.
                closed = after - 1 > first and mark.startswith(token.markup)
                closed = closed and not mark.strip(token.markup[0])
                yield _Block(
                    name,
                    found["rest"].strip(),
                    first,
                    after,
                    after - 1 if closed else first,
                )


def _parse(text: str) -> list[Token]:
    config = MdParserConfig(enable_extensions=set(EXTENSIONS))
    return create_md_parser(config, DocutilsRenderer).parse(text)


def _take_out(
    lines: list[str], kept: list[str], block: _Block, end: int, edition: Edition
) -> None:
    """Empty the lines after the first of an answer, up to that of its end."""
    inside = range(block.first + 1, end)
    for number in inside:
        if number != block.closing:
            kept[number] = ""
    text = "\n".join(lines[number] for number in inside)
    edition.answers.append(Answer(block.argument, block.first + 1, text))


def _not_closed(block: _Block) -> Problem:
    message = (
        f"the answer to {block.argument!r} has no end; write ':::{{solution-end}}' and "
        "':::' below it"
    )
    return Problem(block.first + 1, message, "editions.answer")


def without_entries(text: str, cells: Collection[str]) -> str:
    """An appendix of error messages without these cells, line for line.

    An entry that names other cells too keeps those.
    """
    lines = LINE_END.split(text)
    for token in _parse(text):
        found = DIRECTIVE.match(token.info.strip())
        if not found or found["name"] != "error-message" or not token.map:
            continue
        named = found["rest"].split()
        left = [cell for cell in named if cell not in cells]
        first, after = token.map
        if not left:
            lines[first:after] = [""] * (after - first)
        elif left != named:
            opening, _, _ = lines[first].partition("}")
            lines[first] = f"{opening}}} {' '.join(left)}"
    return "\n".join(lines)
