"""Figures that a cell makes, written like any other figure.

A chapter says ::

    :::{figure} computation_graphs#figure-sum
    :name: fig-computation-graphs-sum

    The graph of `a + b`: three vertices, two edges.
    :::

``find_figures`` puts a code cell in the place of each such block, line for line, so
that the cell is run with all others. ``finish`` gives its output the caption, the name
and, as the alternative text, what the figure says of itself.

Nothing here knows of Sphinx or runs anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile

from nbformat import NotebookNode

BLOCK = re.compile(
    r"^(?P<mark>:{3,}|`{3,})\{figure\}[ \t]+(?P<reference>[\w.]+#\S*)[ \t]*\n"
    r"(?P<inner>.*?)^(?P=mark)[ \t]*$",
    re.M | re.S,
)
OPTION = re.compile(r"^:(?P<key>[\w-]+):[ \t]*(?P<value>.*)$")
PICTURES = ("image/svg+xml", "image/png")


@dataclass(frozen=True)
class FigureText:
    """What the chapter says of a figure: its line (from 1), name and caption.

    The caption begins with as many line breaks as stand before it in the block, so that
    its lines can be counted from the block's first.
    """

    line: int
    name: str
    caption: str
    wrong: str = ""


def find_figures(text: str) -> tuple[str, dict[int, FigureText]]:
    """The text with code cells for its figure blocks, and the blocks by their line.

    A cell names the line in its option ``:figure:``.
    """
    figures: dict[int, FigureText] = {}

    def cell(match: re.Match[str]) -> str:
        line = text.count("\n", 0, match.start()) + 1
        figure = _read(line, match["inner"].split("\n")[:-1])
        figures[line] = figure
        lines = ["```{code-cell} python", f":snippet: {match['reference']}"]
        lines.append(f":figure: {line}")
        # A block too short for this lacks a name or a caption, which is reported.
        missing = max(0, match[0].count("\n") - len(lines))
        return "\n".join([*lines, *[""] * missing, "```"])

    return BLOCK.sub(cell, text), figures


def _read(line: int, inner: list[str]) -> FigureText:
    head = list(takewhile(bool, map(OPTION.match, inner)))
    options = {match["key"]: match["value"].strip() for match in head if match}
    caption = "\n".join(inner[len(head) :]).rstrip()
    name = options.pop("name", "")
    wrong = ""
    if not name or not caption.strip():
        wrong = "a figure has a ':name: fig-…' and, after a blank line, a caption"
    elif "alt" in options:
        wrong = "the alternative text of this figure comes from its run; remove ':alt:'"
    elif options:
        wrong = f"this figure knows no option ':{next(iter(options))}:'; remove it"
    return FigureText(line, name, "\n" * (len(head) + 1) + caption, wrong)


def finish(cell: NotebookNode, figure: FigureText, caption: str) -> str:
    """Caption the outputs of a cell that has been run; say what is wrong with them."""
    bundles = [output.data for output in cell.outputs if "data" in output]
    pictures = [data for data in bundles if any(kind in data for kind in PICTURES)]
    if len(bundles) != 1 or len(cell.outputs) != 1 or not pictures:
        return (
            "the cell gives no figure; its one output must be the value of its last "
            "line, such as draw(run, …)"
        )
    alt = str(pictures[0].get("text/plain", "")).strip()
    if not alt or alt.startswith("<"):
        return "the cell gives a figure without a text that says what it shows"
    cell.metadata.setdefault("tags", []).append("remove-input")
    cell.metadata["mystnb"] = {
        "figure": {"name": figure.name, "caption": caption.strip()},
        "image": {"alt": alt},
    }
    return ""
