"""Code and what it prints, in the colours of the web page.

>>> from pygments.lexers import PythonLexer
>>> highlighted(PythonLexer(), "x = 1", {"o": "sign", "mi": "number"})
[[('', 'x '), ('sign', '= '), ('number', '1')]]

Typst shapes each coloured piece by itself, so pieces that look alike are one piece. And
most lines are written as what they come to: a function of Typst that runs for each line
takes longer than to set it. Only a line that may have to be broken needs one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from docutils import nodes
from pygments.lexer import Lexer
from pygments.styles import get_style_by_name
from pygments.token import STANDARD_TYPES, Token, _TokenType
from sphinx.highlighting import PygmentsBridge

from typst_builder.base import Translator
from typst_builder.escape import string

Line = list[tuple[str, str]]

# What is not code has a class: a message of the appendix, and what cells show.
KINDS = ("message", "traceback", "output")

# How many characters of code fit on a line wherever a listing may stand, as in a list
# within an answer; of a longer line Typst finds out whether it fits.
ROOM = {"a4": 64, "us-letter": 64, "reader": 48}


class CodeVisitor(Translator):
    """Visitors of blocks of code."""

    def visit_literal_block(self, node: nodes.FixedTextElement) -> None:
        """Write code, or an output of it."""
        source = node.astext().rstrip("\n").expandtabs(4)
        language = node.get("language", "default")
        lexer = PygmentsBridge("html").get_lexer(source, language, location=node)
        names = looks(self.config.typst_code_style)[0]
        room = ROOM[self.config.typst_paper]
        lines = ",".join(
            _broken(line) if _length(line) > room else _whole(line)
            for line in highlighted(lexer, source, names)
        )
        classes = [name for name in KINDS if name in node["classes"]]
        kind = classes[0] if classes else "input"
        shows = "true" if _shows(node) else "false"
        code = f"#listing({string(kind)},{string(source)},({lines},),shows:{shows})"
        self.block(node, self.anchor(*node["ids"]) + code)
        raise nodes.SkipNode

    def visit_doctest_block(self, node: nodes.doctest_block) -> None:
        """Write code with its prompts."""
        self.visit_literal_block(node)


def _shows(node: nodes.Element) -> bool:
    """Whether this is the code of a cell, and what it shows follows."""
    box = node.parent
    is_code = isinstance(box, nodes.container) and "cell_input" in box["classes"]
    return is_code and box.next_node(descend=False, siblings=True) is not None


def _length(line: Line) -> int:
    return sum(len(text) for _, text in line)


def _whole(line: Line) -> str:
    """A line as content."""
    return f"{{{';'.join(_piece(*piece) for piece in line)}}}" if line else '""'


def _piece(look: str, text: str) -> str:
    return f"look-{look}({string(text)})" if look else string(text)


def _broken(line: Line) -> str:
    """A line as an array of how each piece looks and reads."""
    pieces = (f"({f'look-{look}' if look else 'text'},{string(t)})" for look, t in line)
    return f"({','.join([*pieces, ''])})"


def highlighted(lexer: Lexer, source: str, names: Mapping[str, str]) -> list[Line]:
    """The pieces of each line, with the names of their looks.

    Args:
        lexer: of the language.
        source: the code, without a newline at its end.
        names: the look of each kind of token by Pygments' short name of it; kinds that
            are not in it look like any text.
    """
    lines: list[Line] = [[]]
    for kind, text in lexer.get_tokens(source):
        look = names.get(STANDARD_TYPES.get(kind, ""), "")
        for index, piece in enumerate(text.split("\n")):
            if index:
                lines.append([])
            line = lines[-1]
            # A blank looks like whatever it follows.
            if piece and line and (line[-1][0] == look or not piece.strip()):
                line[-1] = (line[-1][0], line[-1][1] + piece)
            elif piece:
                line.append((look, piece))
    count = source.count("\n") + 1
    return (lines + [[]] * count)[:count]


@cache
def looks(style: str) -> tuple[dict[str, str], dict[str, str]]:
    """The look of each kind of token in a style of Pygments, and what looks are.

    Returns:
        the name of the look by Pygments' short name of a kind, for all kinds that do
        not look like any text; and the options of Typst's ``text`` by the name.
    """
    plain = ("", _options(style, Token.Text))
    options: dict[str, str] = {}
    names: dict[str, str] = {}
    for kind, short in sorted(STANDARD_TYPES.items()):
        look = _options(style, kind)
        if look not in plain and short:
            name = next((known for known in options if options[known] == look), short)
            names[short] = name
            options[name] = look
    return names, options


def _options(style: str, kind: _TokenType) -> str:
    look = get_style_by_name(style).style_for_token(kind)
    options = [f'fill:rgb("#{look["color"]}")'] if look["color"] else []
    options += ['weight:"bold"'] if look["bold"] else []
    options += ['style:"italic"'] if look["italic"] else []
    return ",".join(options)


def palette(style: str) -> str:
    """The looks of a style of Pygments, as definitions of Typst."""
    return "\n".join(
        f"#let look-{name}=text.with({look})" for name, look in looks(style)[1].items()
    )
