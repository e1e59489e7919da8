"""Texts in Typst's syntax."""

from __future__ import annotations

import re

PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")


def string(text: str) -> str:
    r"""A string of Typst's code.

    >>> print(string('say "hi"\n'))
    "say \"hi\"\n"
    """
    for character, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n")):
        text = text.replace(character, escaped)
    return f'"{text}"'


def content(text: str) -> str:
    r"""Text within Typst's markup: it means nothing but itself.

    Every mark has a meaning somewhere, at the start of a line if not elsewhere; so all
    are escaped.

    >>> print(content("1. a_b"))
    1\. a\_b
    """
    return PUNCTUATION.sub(lambda mark: "\\" + mark[0], text)
