r"""Formulas for a notebook: plain TeX between dollar signs, without the book's macros.

JupyterLab, Colab and code hosts draw formulas with MathJax and know none of the book's
macros. A cell of definitions would have to be run, and code hosts run none; so each
macro is written out:

>>> plain(r"X^\T X \in \R^{d}", {r"\T": r"\top", r"\R": r"\mathbb{R}"})
'X^\\top X \\in \\mathbb{R}^{d}'

A notebook's Markdown is read before its formulas, so these contain nothing that
Markdown or HTML would take for its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|\s+|[^\\\s]", re.DOTALL)
SCRIPTS = ("^", "_")
# What Markdown or HTML would read as a tag, a column or a mark; with TeX's own word.
WORDS = {"<": r"\lt ", ">": r"\gt ", "|": r"\vert ", r"\|": r"\Vert "}
WORDS |= {"*": r"\ast ", "~": r"\ "}


def plain(latex: str, macros: Mapping[str, str]) -> str:
    """A formula with its macros written out, on one line, safe within Markdown."""
    tokens = TOKEN.findall(expand(" ".join(latex.split()), macros))
    previous = ""
    words = []
    for token in tokens:
        after_size = previous in (r"\left", r"\right", r"\middle")
        words.append(token if after_size and token != "|" else WORDS.get(token, token))
        previous = token if not token.isspace() else previous
    return "".join(words).strip()


def expand(latex: str, macros: Mapping[str, str]) -> str:
    r"""A formula with each macro replaced by its definition.

    >>> expand(r"\norm{r}_2", {r"\norm": r"\lVert #1 \rVert"})
    '\\lVert r \\rVert_2'
    """
    tokens = TOKEN.findall(latex)
    parts: list[str] = []
    while tokens:
        token = tokens.pop(0)
        if token not in macros:
            parts.append(token)
            continue
        body = macros[token]
        for number in range(1, body.count("#") and _arguments(body) + 1):
            body = body.replace(f"#{number}", _argument(tokens))
        body = expand(body, macros)
        before = next((part for part in reversed(parts) if part.strip()), "")
        if before in SCRIPTS and len(TOKEN.findall(body)) > 1:
            body = f"{{{body}}}"
        elif re.search(r"\\[A-Za-z]+$", body) and tokens and tokens[0].isalpha():
            body += " "  # or the next letter would belong to the command
        parts.append(body)
    return "".join(parts)


def _arguments(body: str) -> int:
    return max(int(number) for number in re.findall(r"#(\d)", body))


def _argument(tokens: list[str]) -> str:
    """Take the next argument off the tokens: a group without its braces, or one token.

    >>> tokens = TOKEN.findall("{a {b}} c")
    >>> _argument(tokens), "".join(tokens)
    ('a {b}', ' c')
    """
    while tokens and tokens[0].isspace():
        tokens.pop(0)
    if not tokens or tokens[0] != "{":
        return tokens.pop(0) if tokens else ""
    depth, taken = 0, []
    while tokens:
        token = tokens.pop(0)
        depth += (token == "{") - (token == "}")
        if depth == 0:
            break
        taken.append(token)
    return "".join(taken[1:])
