"""Tables within formulas: matrices, cases, and lines aligned at their relations."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree.ElementTree import Element

PADDING = re.compile(r"padding-(left|right):\s*([\d.]+)(em|pt)")
LEFT, RIGHT = "tml-left", "tml-right"


def table(node: Element, write: Callable[[Element], str]) -> str:
    """A ``<mtable>`` as Typst's ``mat`` without brackets.

    Columns that are aligned to the right and to the left in turn meet at a point of
    alignment, so each such pair is one column there.
    """
    rows = [list(row) for row in node]
    if all(not "".join(row[0].itertext()).strip() for row in rows if len(row) > 1):
        # Without anything on the left, Typst would centre the lines.
        rows = [row[1:] if len(row) == 2 else row for row in rows]
    count = max(map(len, rows))
    sides = [_side(rows, column) for column in range(count)]
    style = _size(node)
    options = ["delim:none", f"row-gap:{'0.55em' if _is_lines(node) else '0.35em'}"]
    if sides == [RIGHT, LEFT] * (count // 2):
        gaps = range(1, count - 1, 2)
        written = [_pairs(row, count, write, style) for row in rows]
    else:
        gaps = range(count - 1)
        written = [
            [style(write(cell)) for cell in row] + ["[]"] * (count - len(row))
            for row in rows
        ]
        if set(sides) == {LEFT}:
            options.append("align:left")
    options += [f"column-gap:{_gap(rows[0], gaps):.4g}em", *_lines(rows)]
    cells = (f"({','.join(row)},)" for row in written)
    return f"math.mat({','.join(options)},{','.join(cells)})"


def _is_lines(node: Element) -> bool:
    return "tml-jot" in node.get("class", "")


def _size(node: Element) -> Callable[[str], str]:
    """Cells as TeX sizes them; Typst would write those within the text smaller."""
    display = node.get("displaystyle") == "true"
    small = "tml-small" in node.get("class", "")
    name = "display" if display else "script" if small else "inline"
    return lambda body: f"math.{name}({body})"


def _side(rows: list[list[Element]], column: int) -> str:
    """How a column is aligned, by its first cell that says so."""
    for row in rows:
        if column < len(row):
            return row[column].get("class", "")
    return ""


def _pairs(
    row: list[Element],
    count: int,
    write: Callable[[Element], str],
    style: Callable[[str], str],
) -> list[str]:
    cells = [style(write(cell)) for cell in row] + ["[]"] * (count - len(row))
    return [
        f"{{{cells[index]};amp;{cells[index + 1]}}}" for index in range(0, count, 2)
    ]


def _gap(row: list[Element], gaps: range) -> float:
    """The space between columns in em: what pads the cells on both of its sides."""
    for column in gaps:
        if column + 1 < len(row):
            pads = (_padding(row[column], "right"), _padding(row[column + 1], "left"))
            return sum(pads)
    return 0.5


def _padding(cell: Element, side: str) -> float:
    for found in PADDING.finditer(cell.get("style", "")):
        if found[1] == side:
            return float(found[2]) / (10 if found[3] == "pt" else 1)
    return 0.0


def _lines(rows: list[list[Element]]) -> list[str]:
    """The rules between columns and rows."""
    vertical = [
        str(index + 1)
        for index, cell in enumerate(rows[0][:-1])
        if "border-right" in cell.get("style", "")
    ]
    horizontal = [
        str(index + 1)
        for index, row in enumerate(rows[:-1])
        if "border-bottom" in row[0].get("style", "")
    ]
    if not vertical and not horizontal:
        return []
    vline = f"vline:({','.join([*vertical, ''])})"
    hline = f"hline:({','.join([*horizontal, ''])})"
    found = [line for line in (vline, hline) if not line.endswith("()")]
    return [f"augment:({','.join(found)},stroke:0.5pt)"]
