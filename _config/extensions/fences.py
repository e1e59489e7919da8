"""Fences that are not closed, or that close one another by accident.

Markdown goes on to the end of the page where a fence is not closed, and says nothing.

>>> check_fences("text\\n\\n:::{note}\\n::\\n")[0][0]
3

Nothing here knows of Sphinx.
"""

from __future__ import annotations

import re

FENCE = re.compile(r"^\s*(?P<mark>`{3,}|~{3,}|:{3,})\s*(?P<info>.*)$")


def check_fences(text: str) -> list[tuple[int, str]]:
    """Line (from 1) and text of each mistake, in the order in which they are found."""
    problems: list[tuple[int, str]] = []
    open_fences: list[tuple[str, str, int]] = []  # mark, info, line

    def unclosed(mark: str, info: str, line: int) -> None:
        message = (
            f"the fence '{mark}{info}' is not closed; end it with a line '{mark}', or "
            "give the outer of two nested fences more marks than the inner"
        )
        problems.append((line, message))

    for number, line in enumerate(text.splitlines(), 1):
        if not (match := FENCE.match(line)):
            continue
        mark, info = match["mark"], match["info"].strip()
        top = open_fences[-1] if open_fences else None
        ended = [
            place
            for place, (other, _, _) in enumerate(open_fences)
            if mark[0] == other[0] and len(mark) >= len(other)
        ]
        if ended and not info:
            # A fence ends at the first such line, whatever is open inside.
            for fence in open_fences[ended[0] + 1 :]:
                unclosed(*fence)
            del open_fences[ended[0] :]
        elif top and len(open_fences) - 1 in ended:
            unclosed(*top)
            open_fences[-1] = (mark, info, number)
        elif top and not top[1].startswith("{"):
            continue  # a code block holds any other text
        elif not info and mark[0] == ":":
            message = f"'{mark}' closes a fence that is not open; remove it"
            problems.append((number, message))
        else:
            open_fences.append((mark, info, number))
    for fence in open_fences:
        unclosed(*fence)
    return problems
