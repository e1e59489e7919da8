"""Code and what it prints, in the colours of the web page."""

from __future__ import annotations

from docutils import nodes
from pygments.lexer import Lexer
from pygments.styles import get_style_by_name
from pygments.token import STANDARD_TYPES, Token, _TokenType
from sphinx.highlighting import PygmentsBridge

from typst_builder.base import Translator
from typst_builder.escape import string

Line = list[tuple[str, str]]


class CodeVisitor(Translator):
    """Visitors of blocks of code."""

    def visit_literal_block(self, node: nodes.FixedTextElement) -> None:
        """Write code, or an output of it."""
        source = node.astext().rstrip("\n").expandtabs(4)
        language = node.get("language", "default")
        lexer = PygmentsBridge("html").get_lexer(source, language, location=node)
        lines = ",".join(_line(line) for line in highlighted(lexer, source))
        kind = "output" if "output" in node["classes"] else "input"
        if "traceback" in node["classes"]:
            kind = "traceback"
        code = f"#listing({string(kind)},{string(source)},({lines},))"
        self.block(node, self.anchor(*node["ids"]) + code)
        raise nodes.SkipNode

    def visit_doctest_block(self, node: nodes.doctest_block) -> None:
        """Write code with its prompts."""
        self.visit_literal_block(node)

    def visit_caption(self, node: nodes.caption) -> None:
        """Write the title of a block of code; figures write their own."""
        self.block(node, f"#minor-title[{self.within(node)}]")
        raise nodes.SkipNode


def _line(line: Line) -> str:
    parts = (
        f"({string(kind)},{string(text)})" if kind else f"({string(text)},)"
        for kind, text in line
    )
    return f"({','.join([*parts, ''])})" if line else "()"


def highlighted(lexer: Lexer, source: str) -> list[Line]:
    """The tokens of each line, with Pygments' short names of their kinds.

    >>> from pygments.lexers import PythonLexer
    >>> highlighted(PythonLexer(), "x = 1")
    [[('', 'x '), ('o', '='), ('', ' '), ('mi', '1')]]
    """
    lines: list[Line] = [[]]
    for kind, text in lexer.get_tokens(source):
        name = "" if not text.strip() else _short(kind)
        for index, piece in enumerate(text.split("\n")):
            if index:
                lines.append([])
            if piece and lines[-1] and lines[-1][-1][0] == name:
                lines[-1][-1] = (name, lines[-1][-1][1] + piece)
            elif piece:
                lines[-1].append((name, piece))
    count = source.count("\n") + 1
    return (lines + [[]] * count)[:count]


def _short(kind: _TokenType) -> str:
    """The short name; none for what has no colour of its own."""
    name = STANDARD_TYPES.get(kind, "")
    return "" if name in {"n", "p", "w", "go"} else name


def palette(style: str) -> str:
    """The colours of a style of Pygments, as a dictionary of Typst's code."""
    entries = []
    for kind, name in sorted(STANDARD_TYPES.items()):
        look = get_style_by_name(style).style_for_token(kind)
        options = [f'fill:rgb("#{look["color"]}")'] if look["color"] else []
        options += ['weight:"bold"'] if look["bold"] else []
        options += ['style:"italic"'] if look["italic"] else []
        if options and name and kind is not Token:
            entries.append(f"{string(name)}:({','.join(options)})")
    return f"({','.join(entries)},)"
