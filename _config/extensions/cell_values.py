"""How a value of a cell reads in running prose.

``{eval}`loss:.2f` `` in a chapter asks for the value of ``loss`` after the cell before
it, formatted as in an f-string. This module runs inside the chapter's kernel:

>>> in_prose(-0.5)
'−0.5'
>>> in_prose(1.52e-08, ".3g")
'1.52 × 10⁻⁸'
>>> in_prose([740.0, 880.0, 1020.0])
'(740, 880, 1020)'
"""

from __future__ import annotations

import re
from typing import Any

RAISED = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
SUPERSCRIPTS = str.maketrans("-0123456789", RAISED)
DIGITS = str.maketrans(RAISED, "-0123456789")
NUMBER = re.compile(
    r"(?P<sign>[-+]?)(?P<digits>[\d.,]+)(?:e(?P<exponent>[-+]?\d+))?(?P<percent>%?)"
)


def in_prose(value: Any, spec: str = "") -> str:
    """The text of a value: number, text, or (nested) sequence of them.

    Tensors and arrays count as what their ``tolist`` gives. Floats without ``spec``
    are shown to 6 significant digits.
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return "(" + ", ".join(in_prose(entry, spec) for entry in value) + ")"
    if isinstance(value, float):
        return typeset(format(value, spec or ".6g"))
    if isinstance(value, int) and not isinstance(value, bool):
        return typeset(format(value, spec))
    return format(value, spec)


def typeset(number: str) -> str:
    """A number with a true minus sign and a power of ten instead of an ``e``."""
    match = NUMBER.fullmatch(number)
    if not match:
        return number.replace("-inf", "−∞").replace("inf", "∞")
    sign = match["sign"].replace("-", "−")
    if match["exponent"] is None:
        return f"{sign}{match['digits']}{match['percent']}"
    power = str(int(match["exponent"])).translate(SUPERSCRIPTS)
    return f"{sign}{match['digits']} × 10{power}"


def plain(text: str) -> str:
    """Numbers in a text as Python reads them; undoes ``typeset``.

    >>> plain("−0.5 and 1.52 × 10⁻⁸")
    '-0.5 and 1.52e-8'
    """
    text = re.sub(rf" × 10([{RAISED}]+)", lambda m: f"e{m[1].translate(DIGITS)}", text)
    return text.replace("−", "-").replace("∞", "inf")
