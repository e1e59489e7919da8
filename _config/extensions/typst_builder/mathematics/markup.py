r"""MathML as code of Typst.

>>> markup(fromstring("<math><msup><mi>x</mi><mn>2</mn></msup></math>"))
'math.attach(s("x"),t:"2")'

The result is an expression for the body of a ``math.equation``, where ``s`` makes a
symbol of a character. It is code rather than Typst's shorthand for formulas: there a
space beside a string is printed, brackets grow by themselves, and names mean things.

Spaces are those of TeX, by the class of each symbol, as Typst knows them. Where MathML
gives an operator spaces of its own, those count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from xml.etree.ElementTree import Element, fromstring

from typst_builder.escape import string
from typst_builder.mathematics.symbols import (
    ACCENTS,
    BINARY,
    BRACES,
    CLOSING,
    INVISIBLE,
    LARGE,
    OPENING,
    PRIMES,
    RELATIONS,
    TEXT_STYLE,
)
from typst_builder.mathematics.tables import table

LENGTH = re.compile(r"(-?[\d.]+)(em|pt|px)?")
COLOUR = re.compile(r"(?<![-\w])color:\s*(#[0-9a-fA-F]{6})")
MARGIN = re.compile(r"margin-left:\s*(-?[\d.]+)em")


class UnknownMathError(ValueError):
    """An element of MathML that has no counterpart here."""


def markup(node: Element) -> str:
    """The Typst expression of a ``<math>`` element.

    Raises:
        UnknownMathError: an element that Temml is not known to write.
    """
    return _row(node)


def _row(row: Element) -> str:
    children = [child for child in row if not _is_nothing(child)]
    return _sequence(_spaced(children))


def _spaced(children: list[Element]) -> Iterable[str]:
    for index, child in enumerate(children):
        if child.tag == "mspace":
            # Next to a space that is written, Typst leaves out the operator's own.
            beside = children[max(index - 1, 0) : index + 2]
            extra = sum(_own_space(other) for other in beside if other is not child)
            width = _em(child.get("width", "0")) + extra
            yield f"h({width:.4g}em)"
        else:
            yield _node(child)


def _sequence(parts: Iterable[str]) -> str:
    parts = list(parts)
    if not parts:
        return "[]"
    return parts[0] if len(parts) == 1 else "{" + ";".join(parts) + "}"


def _is_nothing(node: Element) -> bool:
    if node.tag == "mspace":
        return not _em(node.get("width", "0"))
    text = (node.text or "").strip()
    empty = not len(node) and (not text or set(text) <= INVISIBLE)
    return empty and node.tag in {"mo", "mrow", "mtext", "mi"} and not node.text


def _em(length: str) -> float:
    match = LENGTH.fullmatch(length.strip())
    if not match:
        return 0.0
    return float(match[1]) / {"em": 1.0, "pt": 10.0, "px": 13.3, None: 1.0}[match[2]]


def _own_space(node: Element) -> float:
    if node.tag != "mo" or node.get("form") or node.get("lspace"):
        return 0.0
    text = _text(node)
    return 5 / 18 if text in RELATIONS else 4 / 18 if text in BINARY else 0.0


def _text(node: Element) -> str:
    return "".join(node.itertext()).replace(TEXT_STYLE, "")


def symbol(text: str) -> str:
    """A character as a symbol, several as text."""
    return f"s({string(text)})" if len(text) == 1 else string(text)


def _node(node: Element) -> str:
    try:
        write = NODES[node.tag]
    except KeyError:
        raise UnknownMathError(f"<{node.tag}> has no counterpart in the PDF") from None
    return _styled(node, write(node))


def _styled(node: Element, body: str) -> str:
    """The style of an element: size, colour, frame."""
    style = node.get("style", "")
    level, display = node.get("scriptlevel"), node.get("displaystyle")
    if node.tag != "mtable" and (level or display):
        if level in {None, "0"}:
            size = "display" if display == "true" else "inline"
        else:
            size = "script" if level == "1" else "sscript"
        body = f"math.{size}({body})"
    if colour := COLOUR.search(style):
        body = f"text(fill:rgb({string(colour[1])}),{body})"
    if margin := MARGIN.search(style):
        body = f"{{h({margin[1]}em);{body}}}"
    if node.tag == "mrow" and "border:" in style:
        body = f"framed({body})"
    return body


def _mrow(row: Element) -> str:
    children = [child for child in row if not _is_nothing(child)]
    if not children:
        return "[]"
    match children:
        case [opening, fraction, _] if (
            _is_bare_fraction(fraction) and _text(opening) == "("
        ):
            above, below = fraction
            return f"math.binom({_node(above)},{_node(below)})"
    if any(_is_growing(child) for child in children):
        return f"math.lr({_sequence(_spaced(children))})"
    return _sequence(_spaced(children))


def _is_bare_fraction(node: Element) -> bool:
    return node.tag == "mfrac" and node.get("linethickness", "").startswith("0")


def _is_growing(node: Element) -> bool:
    fence = node.tag == "mo" and node.get("stretchy") == "true"
    return fence and node.get("form") in {"prefix", "postfix"}


def _mi(node: Element) -> str:
    text = _text(node)
    drawn = symbol(text)
    return f"math.upright({drawn})" if node.get("mathvariant") == "normal" else drawn


def _written(node: Element) -> str:
    return string(_text(node))


def _mo(node: Element) -> str:  # noqa: PLR0911 (one return for each kind of operator)
    text = _text(node)
    form = node.get("form")
    if not text or set(text) <= INVISIBLE:
        return "[]"
    if text in PRIMES:
        return f"math.primes({PRIMES[text]})"
    drawn = symbol(text)
    size = node.get("minsize")
    if size:
        side = "opening" if text in OPENING else "closing" if text in CLOSING else ""
        drawn = f"math.lr(size:{_em(size) * 0.95:.4g}em,{drawn})"
        return f'math.class("{side or "normal"}",{drawn})'
    if node.get("stretchy") == "true" and (form or text == "|"):
        return f"math.mid({drawn})" if form == "infix" else drawn
    if node.get("fence") and form:
        side = "opening" if form == "prefix" else "closing"
        return f'math.class("{side}",{drawn})'
    if text in LARGE:
        return drawn
    left, right = node.get("lspace"), node.get("rspace")
    if left or right:
        own = _own_space(Element("mo")) if form else _class_space(text)
        before = _em(left) if left else own
        after = _em(right) if right else own
        if abs(before - after) < 0.01 and before > 0.2:
            return f'math.class("relation",{drawn})'
        spaced = [f"h({before:.4g}em)"] if before else []
        spaced.append(f'math.class("normal",{drawn})')
        spaced += [f"h({after:.4g}em)"] if after else []
        return _sequence(spaced)
    if form:
        return f'math.class("normal",{drawn})'
    if text in RELATIONS:
        return f'math.class("relation",{drawn})'
    return drawn


def _class_space(text: str) -> float:
    return 5 / 18 if text in RELATIONS else 4 / 18 if text in BINARY else 0.0


def _base(node: Element) -> Element:
    while node.tag == "mrow" and len(node) == 1:
        node = node[0]
    return node


def _scripts(node: Element) -> str:
    base, *scripts = node
    if node.tag == "msup" and _text(_base(scripts[0])) in PRIMES:
        # A prime at its own size is raised already.
        prime = symbol(_text(_base(scripts[0])))
        return f'{{{_node(base)};math.class("normal",{prime})}}'
    names = {"msub": "b", "msup": "t", "msubsup": "bt"}[node.tag]
    drawn = _node(base)
    if _text(_base(base)) in LARGE:
        drawn = f"math.scripts({drawn})"
    parts = [f"{n}:{_node(script)}" for n, script in zip(names, scripts, strict=True)]
    return f"math.attach({','.join([drawn, *parts])})"


def _limits(node: Element) -> str:
    base, *around = node
    mark = _text(around[0])
    if node.tag == "mover" and mark in ACCENTS and node.get("accent") != "false":
        size = "100%" if around[0].get("stretchy") == "true" else "0%"
        return f"math.accent({_node(base)},{string(ACCENTS[mark])},size:{size})"
    if mark in BRACES:
        return f"math.{BRACES[mark]}({_node(base)})"
    inner = _base(base)
    if inner.tag in {"munder", "mover"} and _text(inner[1]) in BRACES:
        name = BRACES[_text(inner[1])]
        return f"math.{name}({_node(inner[0])},{_node(around[0])})"
    names = {"munder": "b", "mover": "t", "munderover": "bt"}[node.tag]
    drawn = _node(base)
    if inner.tag == "mo" and inner.get("stretchy") == "true":
        drawn = f"math.stretch({symbol(_text(inner))})"
    parts = [f"{n}:{_node(script)}" for n, script in zip(names, around, strict=True)]
    drawn = f"math.attach(math.limits({drawn}),{','.join(parts)})"
    relation = inner.tag == "mo" and _text(inner) not in LARGE
    return f'math.class("relation",{drawn})' if relation else drawn


def _mfrac(node: Element) -> str:
    above, below = (_node(child) for child in node)
    if _is_bare_fraction(node):
        return f"math.vec(delim:none,gap:0.3em,{above},{below})"
    return f"math.frac({above},{below})"


def _menclose(node: Element) -> str:
    names = {"top": "overline", "bottom": "underline"}
    name = names.get(node.get("notation", ""), "cancel")
    return f"math.{name}({_row(node)})"


def _mroot(node: Element) -> str:
    radicand, index = node
    return f"math.root({_node(index)},{_node(radicand)})"


NODES: dict[str, Callable[[Element], str]] = {
    "mrow": _mrow,
    "mstyle": _mrow,
    "mpadded": _mrow,
    "mi": _mi,
    "mn": _written,
    "mtext": _written,
    "mo": _mo,
    "mspace": lambda node: f"h({_em(node.get('width', '0')):.4g}em)",
    "msub": _scripts,
    "msup": _scripts,
    "msubsup": _scripts,
    "munder": _limits,
    "mover": _limits,
    "munderover": _limits,
    "mfrac": _mfrac,
    "msqrt": lambda node: f"math.sqrt({_row(node)})",
    "mroot": _mroot,
    "menclose": _menclose,
    "mphantom": lambda node: f"hide({_row(node)})",
    "mtable": lambda node: table(node, _row),
}


def from_text(mathml: str) -> str:
    """The same for MathML as text."""
    return markup(fromstring(mathml))
