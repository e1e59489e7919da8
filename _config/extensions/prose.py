"""The prose of a chapter, passage by passage, and the marks that speak for it.

A mark is a comment line of MyST above a block of text; it is on no page ::

    % typed: 0.005 is the learning rate that was chosen
    % test: test_descent_follows_the_closed_form

    With $\\eta = 0.005$ …

It speaks for the block below it: a paragraph, a whole list, a table. ``passages``
yields each paragraph, list item and table entry with the marks that speak for it.
Code, formulas and ``{eval}`` are no prose.

Nothing here knows of Sphinx or runs anything.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode
from myst_parser.config.main import MdParserConfig
from myst_parser.mdit_to_docutils.base import DocutilsRenderer
from myst_parser.parsers.mdit import create_md_parser

from chapter_notebook import Problem

MARKS = ("typed", "test", "derived", "definition", "documentation", "opinion")
MARK = re.compile(r"^\s*(?P<kind>[A-Za-z-]+)\s*(?::\s*(?P<text>.*\S))?\s*$")
# A number of two digits or more that stands for itself, not in a name.
LITERAL = re.compile(r"(?<![\w.])\d+(?:\.\d+)+(?!\w)|(?<![\w.])\d{2,}(?!\w)")
EXTENSIONS = ("colon_fence", "deflist", "dollarmath")
# Names of the class of an admonition, or of a directive, that state nothing.
QUESTIONS = ("objectives", "predict", "exercise")
# Directives whose body is no prose.
NO_PROSE = ("code-cell", "math", "toctree", "bibliography", "index")
# Stands for code, a formula or a value in the words of a passage.
OTHER = "\N{OBJECT REPLACEMENT CHARACTER}"


@dataclass(frozen=True)
class Mark:
    """A comment line that speaks for the block below it."""

    kind: str
    text: str
    line: int


@dataclass
class Passage:
    """A paragraph, list item or table entry.

    ``words`` has ``OTHER`` for what is not prose, and its line breaks; ``line`` is the
    first. ``asks`` is true in questions and objectives.
    """

    words: str
    line: int
    marks: tuple[Mark, ...] = ()
    asks: bool = False

    def literals(self) -> Iterator[tuple[str, int]]:
        """The typed numbers of two digits or more, with their lines."""
        for match in LITERAL.finditer(self.words):
            yield match[0], self.line_at(match.start())

    def sentences(self) -> Iterator[tuple[str, int]]:
        """The sentences with their lines."""
        start = 0
        for end in re.finditer(r"[.!?:;]\S?(?=\s)|\Z", self.words):
            text = self.words[start : end.end()]
            first = start + len(text) - len(text.lstrip())
            if text.strip():
                yield " ".join(text.split()), self.line_at(first)
            start = end.end()

    def line_at(self, position: int) -> int:
        """The line of a place in ``words``."""
        return self.line + self.words.count("\n", 0, position)


@dataclass
class Prose:
    """The passages of a chapter, its formulas, and mistakes in its marks."""

    passages: list[Passage] = field(default_factory=list)
    formulas: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_prose(text: str) -> Prose:
    """The passages of a chapter's Markdown with their marks."""
    prose = Prose()
    _read(text, 0, (), False, prose)
    return prose


def _read(
    text: str, offset: int, marks: tuple[Mark, ...], asks: bool, prose: Prose
) -> None:
    parser = create_md_parser(
        MdParserConfig(enable_extensions=set(EXTENSIONS)), DocutilsRenderer
    )
    root = SyntaxTreeNode(parser.parse(text))
    _walk(root.children, offset, marks, asks, prose)


def _walk(
    nodes: Iterable[SyntaxTreeNode],
    offset: int,
    inherited: tuple[Mark, ...],
    asks: bool,
    prose: Prose,
) -> None:
    waiting: list[Mark] = []
    for node in nodes:
        first = offset + (node.map[0] if node.map else 0)
        if node.type == "myst_line_comment":
            waiting += _marks(node.content, first + 1, prose)
            continue
        if node.type == "myst_target":
            continue
        if node.type == "heading":
            prose.problems += map(_idle, waiting)
            waiting = []
            continue
        marks = (*inherited, *waiting)
        waiting = []
        if node.type == "inline":
            tokens = node.to_tokens()[0].children or []
            if not _is_link(tokens):  # the title of something else
                passage = Passage(_words(tokens), first + 1, marks, asks)
                prose.passages.append(passage)
            formulas = [token for token in tokens if token.type.startswith("math")]
            prose.formulas += [token.content for token in formulas]
        elif node.type.startswith("math") or node.info.startswith("{math}"):
            prose.formulas.append(node.content)
        elif node.type in ("fence", "colon_fence"):
            _directive(node, first, marks, asks, prose)
        else:
            _walk(node.children, offset, marks, asks, prose)
    prose.problems += map(_idle, waiting)


def _idle(mark: Mark) -> Problem:
    message = f"the mark '{mark.kind}' has no text below it; move it above its text"
    return Problem(mark.line, message, "prose.mark")


def _directive(
    node: SyntaxTreeNode,
    first: int,
    marks: tuple[Mark, ...],
    asks: bool,
    prose: Prose,
) -> None:
    """Read the body of a directive, below its options."""
    name = re.match(r"\{([\w-]+)\}", node.info)
    if not name or name[1] in NO_PROSE:
        return
    lines = node.content.split("\n")
    options = 0
    while options < len(lines) and re.match(r":[\w-]+:", lines[options]):
        options += 1
    classes = " ".join(lines[:options])
    asks = asks or name[1] in QUESTIONS
    asks = asks or any(f":class: {kind}" in classes for kind in QUESTIONS)
    body = "\n".join(lines[options:])
    _read(body, first + 1 + options, marks, asks, prose)


def _words(tokens: Iterable[Token]) -> str:
    parts: list[str] = []
    for token in tokens:
        if token.type == "text":
            parts.append(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            parts.append("\n")
        elif token.type == "myst_role" and token.meta["name"] in ("term", "index"):
            parts.append(token.content)
        elif token.content:
            parts.append(OTHER + "\n" * token.content.count("\n"))
    return "".join(parts)


def _is_link(tokens: list[Token]) -> bool:
    """Whether a passage is nothing but a link, as in a list of titles."""
    return (
        len(tokens) > 1
        and tokens[0].type == "link_open"
        and tokens[-1].type == "link_close"
    )


def _marks(comment: str, line: int, prose: Prose) -> Iterator[Mark]:
    """The marks of a comment; a comment that is none is the author's own business."""
    for number, text in enumerate(comment.split("\n"), line):
        match = MARK.match(text.partition(":")[0] if ":" not in text else text)
        if not match:
            continue
        kind, rest = match["kind"], match["text"] or ""
        if kind in MARKS:
            yield Mark(kind, rest, number)
        elif close := difflib.get_close_matches(kind, MARKS, n=1):
            message = (
                f"there is no mark {kind!r}; did you mean {close[0]!r}? "
                f"(marks: {', '.join(MARKS)})"
            )
            prose.problems.append(Problem(number, message, "prose.mark"))
