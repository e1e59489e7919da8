"""MathML as English, for screen readers.

>>> speech(fromstring("<math><msup><mi>x</mi><mn>2</mn></msup></math>"))
'x squared'

Brackets are named, because what they enclose decides the meaning; the ends of longer
fractions, roots and scripts are said, so that a listener knows what belongs to them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from xml.etree.ElementTree import Element, fromstring

from typst_builder.mathematics.words import (
    ACCENTS,
    LARGE,
    LETTERS,
    LIMITS,
    NAMES,
    OPERATORS,
    POWERS,
    STYLES,
)

GREEK = re.compile(r"(?:MATHEMATICAL .*?)?(?:GREEK )?(SMALL|CAPITAL) (?:LETTER )?(\w+)")
WORDS = LETTERS | NAMES
FENCES = {"‖": "norm", "|": "absolute value"}


def speech(node: Element) -> str:
    """What a ``<math>`` element says."""
    said = " ".join(" ".join(_words(node)).split())
    said = re.sub(r" (?=[,;.])", "", said)
    return re.sub(r",+(?=[,;.])", "", said).strip(" ,")


def from_text(mathml: str) -> str:
    """The same for MathML as text."""
    return speech(fromstring(mathml))


def _words(node: Element) -> Iterator[str]:
    match node.tag:
        case "mi":
            yield _name(_text(node))
        case "mn" | "mtext":
            yield _number(_text(node))
        case "mo":
            yield _operator(node)
        case "mfrac":
            yield from _fraction(node)
        case "msup" | "msub" | "msubsup":
            yield from _scripts(node)
        case "mover" | "munder" | "munderover":
            yield from _around(node)
        case "msqrt" | "mroot":
            yield from _root(node)
        case "mtable":
            yield from _table(node)
        case "menclose":
            yield from _row(list(node))
            yield {"top": "overlined", "bottom": "underlined"}.get(
                node.get("notation", ""), "cancelled"
            )
        case "mphantom" | "mspace":
            return
        case _:
            yield from _row(list(node))


def _text(node: Element) -> str:
    text = "".join(node.itertext()).replace("\N{VARIATION SELECTOR-15}", "")
    return " ".join(unicodedata.normalize("NFC", text).split())


def _row(children: list[Element]) -> Iterator[str]:
    children = [child for child in children if child.tag != "mspace"]
    if len(children) == 3 and _is_binomial(children):
        above, below = children[1]
        yield f"{_say(above)} choose {_say(below)}"
        return
    index = 0
    while index < len(children):
        child = children[index]
        end = _closing_bar(children, index)
        if end:
            yield f"the {FENCES[_text(child)]} of"
            yield from _row(children[index + 1 : end])
            yield f", end {FENCES[_text(child)]},"
            index = end + 1
            continue
        yield from _words(child)
        index += 1


def _closing_bar(children: list[Element], start: int) -> int:
    """Where the bar that opens at ``start`` closes; 0 if it is no such bar."""
    first = children[start]
    if first.tag != "mo" or first.get("form") != "prefix":
        return 0
    bar = _text(first)
    if bar not in FENCES:
        return 0
    for index in range(start + 1, len(children)):
        other = children[index]
        if _text(other) == bar and other.get("form") == "postfix":
            return index
    return 0


def _is_binomial(children: list[Element]) -> bool:
    middle = children[1]
    bare = middle.tag == "mfrac" and middle.get("linethickness", "").startswith("0")
    return bare and _text(children[0]) == "("


def _say(node: Element) -> str:
    return " ".join(_words(node))


def _is_simple(node: Element) -> bool:
    """Whether a listener hears where it ends: one name, or a number with its sign."""
    leaves = [leaf for leaf in node.iter() if not len(leaf) and _text(leaf)]
    short = len(leaves) == 1 or (len(leaves) == 2 and _text(leaves[0]) in {"−", "∂"})
    return short or (len(leaves) == 2 and _text(leaves[0]) == "d")


def _name(text: str) -> str:
    """A letter by its name, with its style; other words as they are."""
    if text in WORDS:
        return WORDS[text]
    if len(text) != 1 or (text.isascii() and not text.isupper()):
        return text
    if text.isascii():
        return f"capital {text}"
    title = unicodedata.name(text, "")
    style = next((said for mark, said in STYLES.items() if mark in title), "")
    plain = unicodedata.normalize("NFKC", text)
    if plain.isascii():
        capital = "capital " if plain.isupper() and style != "double-struck" else ""
        return f"{style} {capital}{plain}".strip()
    greek = GREEK.match(unicodedata.name(plain, ""))
    if greek:
        capital = "capital " if greek[1] == "CAPITAL" else ""
        letter = greek[2].lower().replace("lamda", "lambda")  # as Unicode spells it
        return f"{style} {capital}{letter}".strip()
    return title.lower()


def _number(text: str) -> str:
    return LETTERS.get(text, text).replace("−", "minus ").replace("×", "times")


def _operator(node: Element) -> str:
    text = _text(node)
    if text in {"−", "+"} and node.get("form") == "prefix":
        return {"−": "minus", "+": "plus"}[text]
    if text in OPERATORS:
        return OPERATORS[text]
    if text in LARGE:
        return f"the {LARGE[text]} of"
    if len(text) == 1 and not text.isascii():
        return unicodedata.name(text, "").lower()
    return text


def _fraction(node: Element) -> Iterator[str]:
    above, below = node
    if _is_simple(above) and _is_simple(below):
        yield f"{_say(above)} over {_say(below)}"
    else:
        yield f"the fraction {_say(above)} over {_say(below)}, end fraction,"


def _scripts(node: Element) -> Iterator[str]:
    base, *scripts = node
    if _text(base) in LARGE:
        yield from _large(base, *_bounds(node))
        return
    if _text(base) == "∇":
        yield "nabla" if node.tag == "msup" else "the gradient with respect to"
        yield _say(scripts[0]) if node.tag != "msup" else _say_power(scripts[0])
        yield "of"
        return
    yield from _words(base)
    if node.tag != "msup":
        subscript = scripts.pop(0)
        yield f"sub {_say(subscript)}"
        if not _is_simple(subscript):
            yield ", end sub,"
    if scripts:
        yield from _power(scripts[0])


def _say_power(script: Element) -> str:
    return " ".join(_power(script))


def _power(script: Element) -> Iterator[str]:
    text = _text(script)
    if text in POWERS:
        yield POWERS[text]
    elif text.startswith("(") or text.startswith("["):
        yield f"superscript {_say(script)}"  # an index, not a power
    elif _is_simple(script):
        yield f"to the power {_say(script)}"
    else:
        yield f"to the power {_say(script)}, end power,"


def _bounds(node: Element) -> tuple[Element | None, Element | None]:
    _, *scripts = node
    below = scripts[0] if node.tag not in {"msup", "mover"} else None
    above = scripts[-1] if node.tag not in {"msub", "munder"} else None
    return below, above


def _large(
    base: Element, below: Element | None, above: Element | None
) -> Iterator[str]:
    yield f"the {LARGE[_text(base)]}"
    if below is not None and above is not None:
        yield f"from {_say(below)} to {_say(above)}"
    elif below is not None:
        yield f"over {_say(below)}"
    yield "of"


def _around(node: Element) -> Iterator[str]:
    base, *around = node
    mark = _text(around[0])
    if _text(base) in LARGE:
        yield from _large(base, *_bounds(node))
    elif mark in ACCENTS and node.tag != "munderover":
        yield from _words(base)
        yield ACCENTS[mark]
    elif mark in {"⏟", "⏞"}:
        yield from _words(base)
    elif node.tag == "munder" and base.tag in {"mi", "mrow"} and _text(base) in LIMITS:
        yield f"the {LIMITS[_text(base)]} {_limit(around[0])} of"
    elif base.tag in {"munder", "mover"}:
        yield f"{_say(base)}, named {_say(around[0])},"  # a brace with its caption
    else:
        yield from _words(base)
        below, above = _bounds(node)
        if below is not None:
            yield f"with {_say(below)} below"
        if above is not None:
            yield f"with {_say(above)} above"


def _limit(below: Element) -> str:
    said = _say(below)
    return f"as {said}" if "→" in _text(below) else f"over {said}"


def _root(node: Element) -> Iterator[str]:
    parts = list(node)
    index = _text(parts[1]) if node.tag == "mroot" else "2"
    kind = {"2": "square", "3": "cube"}.get(index, f"{index}-th")
    inside = parts[:1] if node.tag == "mroot" else parts
    yield f"the {kind} root of"
    yield from _row(inside)
    if sum(len(list(part.iter())) for part in inside) > 2:
        yield ", end root,"


def _table(node: Element) -> Iterator[str]:
    lines = "tml-jot" in node.get("class", "") or len(node[0]) == 1
    if not lines:
        yield f"a table of {len(node)} rows and {len(node[0])} columns:"
    for number, row in enumerate(node, 1):
        cells = [said for cell in row if (said := " ".join(_row(list(cell))).strip())]
        if lines and len(node) == 1:
            yield " ".join(cells)
        elif lines:
            yield f"line {number}: {' '.join(cells)};"
        else:
            yield f"row {number}: {', '.join(cells)};"
