"""What Temml's MathML needs in order to look as in print, whatever reads it.

>>> tidy('<math><mo fence="true" stretchy="true">(</mo><mi>x</mi></math>')
'<math><mo fence="true" stretchy="false">(</mo><mi>x</mi></math>'

Spaces are those of TeX (TeXbook, chapter 18): MathML knows operators but neither named
functions nor dots. What only needs a style is in the style sheet instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, fromstring, tostring

ARITY = {
    **dict.fromkeys(("mfrac", "mroot", "msub", "msup", "munder", "mover"), 2),
    **dict.fromkeys(("msubsup", "munderover"), 3),
}
SCRIPTED = set(ARITY) - {"mfrac", "mroot"}
APPLY = "\N{FUNCTION APPLICATION}"
PRIMES = {"′′": "″", "′′′": "‴"}
SIGNS = set("+−±∓")
DOTS = set("…⋯")
LARGE = set("∑∏∫∬∭∮⋃⋂⋁⋀⨁⨂")
# A sign after one of these is that of a number; Temml overlooks some of them.
UNARY_AFTER = LARGE | set("([{⟨⌊⌈")
# What brackets grow around; around anything else TeX leaves them at their own size.
TALL = {"mfrac", "mtable", "munder", "munderover"}
THIN = "0.1667em"
# Of Temml's classes, those that static/mathml.css has a rule for.
STYLED = re.compile(r"tml-(?:right|left|jot|small|vec|prime)\b|wbk-\S*\bacc\b")


def tidy(mathml: str) -> str:
    """The same formula, mended."""
    math = fromstring(mathml)
    math.attrib.pop("style", None)  # the display attribute says the same
    _mend(math)
    _trim(math)
    return tostring(math, encoding="unicode", short_empty_elements=False)


def _trim(row: Element) -> None:
    """Take the space after a name off the end of the formula."""
    while len(row) and row[-1].tag == "mrow":
        row = row[-1]
    if [child.text for child in row[-2:-1]] == [APPLY] and row[-1].tag == "mspace":
        row.remove(row[-1])


def _mend(node: Element) -> None:
    for child in node:
        _mend(child)
    classes = STYLED.findall(node.attrib.pop("class", ""))
    if classes:
        node.set("class", " ".join(classes))
    _group_bases(node)
    _simplify(node)
    _lower_fences(node)
    if node.tag not in ARITY:
        _space(node)
    if node.get("stretchy") == "true" and node.text == "~":
        node.text = "\N{SMALL TILDE}"  # the one that browsers stretch


def _group_bases(parent: Element) -> None:
    r"""Make one base of the pieces that ``\underset{x}{\operatorname{f}}`` leaves."""
    for index, node in reversed(list(enumerate(parent))):
        scripts = ARITY.get(node.tag, len(node)) - 1
        if len(node) <= scripts + 1:
            continue
        base = node[:-scripts]
        # What follows the name of a function now follows the whole.
        after: list[Element] = []
        while base[-1].tag == "mspace" or base[-1].text == APPLY:
            after.insert(0, base.pop())
        row = Element("mrow")
        row.extend(base)
        node[:-scripts] = [row if len(base) > 1 else base[0]]
        parent[index + 1 : index + 1] = after


def _simplify(parent: Element) -> None:
    """Take out what stands between an operator and the spaces that are its own."""
    for index, child in enumerate(parent):
        parent[index] = _simplified(child)
    for child in list(parent):
        if child.tag == "mo" and child.get("fence") and not child.text:
            parent.remove(child)  # the invisible bracket of \left.


def _simplified(node: Element) -> Element:
    while node.tag == "mrow" and not node.attrib and len(node) == 1:
        node = node[0]
    if [part.tag for part in node] == ["mspace", "mo", "mspace"]:
        return node[1]  # from \text{a} = \text{b}
    joined = PRIMES.get("".join(node.itertext()))
    if joined and node.tag == "mrow":
        node = node[0]
        node.text = joined
    return node


def _lower_fences(row: Element) -> None:
    """Keep bars and brackets from growing with every descender between them."""
    tall = any(
        part.tag in TALL or (part.tag == "mo" and part.text in LARGE)
        for part in row.iter()
    )
    for child in row:
        if child.get("fence") and child.get("stretchy") and not tall:
            child.set("stretchy", "false")


def _space(row: Element) -> None:
    """Space what MathML does not, or spaces twice beside another operator."""
    for before, child, after in list(_neighbours(row)):
        name = _core(child)
        if name.tag == "mo" and name.text in DOTS:
            name.set("lspace", THIN if _is_ordinary(before) else "0em")
            name.set("rspace", THIN if _is_ordinary(after) else "0em")
        elif name.tag == "mo" and name.text in LARGE:
            name.set("lspace", THIN if _is_ordinary(before) else "0em")
        elif name.tag == "mo" and name.text in SIGNS:
            _make_unary(row, child)
        elif _is_function(child, after) and _is_ordinary(before):
            space = Element("mspace", width=THIN)
            row.insert(list(row).index(child), space)


def _neighbours(
    row: Element,
) -> Iterator[tuple[Element | None, Element, Element | None]]:
    children = list(row)
    return zip([None, *children], children, [*children[1:], None], strict=False)


def _core(node: Element) -> Element:
    """The operator or name that the scripts are put to."""
    while node.tag in SCRIPTED:
        node = node[0]
    return node


def _is_ordinary(node: Element | None) -> bool:
    """Whether a node is neither an operator nor ends in a space."""
    while node is not None and node.tag == "mrow" and len(node):
        node = node[-1]
    if node is None or node.tag == "mspace":
        return False
    return node.tag != "mo" or node.get("form") == "postfix"


def _is_function(node: Element, after: Element | None) -> bool:
    """Whether a node is a name such as log, alone or in a row of its own."""
    if node.tag == "mrow" and len(node) > 1:
        node, after = node[0], node[1]
    return _core(node).tag == "mi" and after is not None and after.text == APPLY


def _make_unary(row: Element, sign: Element) -> None:
    """Tell the sign of a number or function from that of a sum."""
    before = list(row)[: list(row).index(sign)]
    while before and before[-1].tag == "mspace":
        before.pop()
    if before:
        operator = _core(before[-1])
        if operator.get("separator") or operator.text in UNARY_AFTER:
            sign.set("form", "prefix")
