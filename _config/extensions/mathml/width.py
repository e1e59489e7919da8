"""How wide a formula will be: near enough to know whether a phone can show it.

>>> round(width("<math><mi>x</mi><mo>=</mo><mn>1</mn></math>"), 1)
2.3

A display too wide for a phone gets a box that the keyboard can scroll, and a long
formula in the text may be broken. A script on the page could measure instead; the book
needs none, because the advance widths of its font are known when it is built.
"""

from __future__ import annotations

import re
from functools import cache
from xml.etree.ElementTree import Element, fromstring

from fontTools.ttLib import TTFont

from mathml.font import SOURCE, italic

# The space on each side of an operator, in em.
SPACES = {
    **dict.fromkeys("=<>≤≥≈≠∼≃≡∈∉⊂⊆∝→↦⇒⟹⟺←⟶≪≫:∣", 5 / 18),
    **dict.fromkeys("+−±×⋅∘⊙⊗⊕∪∩∖∗", 4 / 18),
    **dict.fromkeys("∑∏∫", 3 / 18),
}
GROWING = set("∑∏∫⋃⋂")
SCRIPT = 0.7
LENGTH = re.compile(r"(-?[\d.]+)(em|pt|px)")
EM = {"em": 1.0, "pt": 1 / 12, "px": 1 / 16}


def width(mathml: str) -> float:
    """The width of a ``<math>`` element in em of its own font size."""
    math = fromstring(mathml)
    return _width(math, math.get("display") == "block")


def _width(node: Element, display: bool) -> float:
    if node.tag == "mtable":
        return _table(node)
    if node.tag in {"mi", "mn", "mo", "mtext"}:
        return _token(node, display)
    widths = [_width(child, display) for child in node]
    match node.tag:
        case "mspace":
            result = _length(node.get("width", ""))
        case "mfrac":
            result = 0.24 + max(widths) * (1 if display else SCRIPT)
        case "msub" | "msup" | "msubsup":
            result = widths[0] + SCRIPT * max(widths[1:])
        case "munder" | "mover" | "munderover":
            result = max(widths[0], SCRIPT * max(widths[1:]))
        case "msqrt":
            result = 0.8 + sum(widths)
        case "mroot":
            result = 0.8 + widths[0]
        case _:
            result = sum(widths)
    return result


def _token(node: Element, display: bool) -> float:
    text = "".join(node.itertext())
    if node.tag == "mi" and len(text) == 1 and not node.get("mathvariant"):
        text = italic(text)
    drawn = sum(_advances().get(ord(character), 0.5) for character in text)
    if node.tag != "mo":
        return drawn
    if display and text in GROWING:
        drawn *= 1.4
    beside = 0.0 if node.get("form") else SPACES.get(text, 0.0)
    spaces = [node.get("lspace"), node.get("rspace")]
    return drawn + sum(beside if given is None else _length(given) for given in spaces)


def _table(table: Element) -> float:
    display = table.get("displaystyle") == "true"
    columns: dict[int, float] = {}
    for row in table:
        for index, cell in enumerate(row):
            paddings = LENGTH.finditer(cell.get("style", ""))
            content = sum(_width(child, display) for child in cell)
            full = content + sum(_length(padding[0]) for padding in paddings)
            columns[index] = max(columns.get(index, 0.0), full)
    return sum(columns.values())


def _length(text: str) -> float:
    match = LENGTH.fullmatch(text)
    return float(match[1]) * EM[match[2]] if match else 0.0


@cache
def _advances() -> dict[int, float]:
    """Advance widths in em by code point."""
    with TTFont(SOURCE) as font:
        em = font["head"].unitsPerEm
        advances = font["hmtx"].metrics
        return {
            code: advances[glyph][0] / em for code, glyph in font.getBestCmap().items()
        }
