r"""Text as Markdown that means nothing but itself, and blocks of it.

>>> escape("2 * 3 * 4 and w_1")
'2 \\* 3 \\* 4 and w\\_1'
"""

from __future__ import annotations

import re

BLANK = re.compile(r"[ \t\r\n]+")
MARKS = re.compile(r"([\\`*_\[\]<>$|~&#])")
# What would begin a list or a heading at the start of a line.
LINE_START = re.compile(r"^(\s*)([-+=]|\d+(?=[.)]))", re.M)


def escape(text: str) -> str:
    """Text with Markdown's marks escaped; runs of blanks are one blank."""
    return MARKS.sub(r"\\\1", BLANK.sub(" ", text))


def safe_start(line: str) -> str:
    r"""A paragraph that does not begin like a list.

    >>> safe_start("1. is a number"), safe_start("- 3")
    ('1\\. is a number', '\\- 3')
    """
    if match := re.match(r"(\d+)([.)])", line):
        return f"{match[1]}\\{line[match.end(1) :]}"
    return f"\\{line}" if re.match(r"[-+=]", line) else line


def code(text: str) -> str:
    """Code within a line, between as many backticks as it needs.

    >>> code("a ` b"), code("`x`")
    ('``a ` b``', '`` `x` ``')
    """
    text = BLANK.sub(" ", text)
    longest = max([0, *map(len, re.findall("`+", text))])
    fence = "`" * (longest + 1 if longest else 1)
    gap = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{gap}{text}{gap}{fence}"


def fence(text: str, language: str = "") -> str:
    """A block of code, between longer fences than any inside."""
    longest = max([2, *map(len, re.findall("`+", text))])
    mark = "`" * (longest + 1)
    body = text.rstrip("\n")
    return f"{mark}{language}\n{body}\n{mark}"


def indent(text: str, first: str, rest: str) -> str:
    """Lines of a list item or a quotation; blank lines keep no blanks.

    >>> indent("a\\n\\nb", "> ", "> ")
    '> a\\n>\\n> b'
    """
    lines = text.strip("\n").split("\n")
    prefixed = [(rest if number else first) + line for number, line in enumerate(lines)]
    return "\n".join(line.rstrip() for line in prefixed)


def heading_fragment(text: str) -> str:
    """What JupyterLab makes of a heading as the target of a link.

    >>> heading_fragment("4.1 The data")
    '4.1-The-data'
    """
    return text.replace(" ", "-")
