"""Pieces of SVG: text of a known width, and elements with attributes and no styles.

Colours are presentation attributes, one for each part that a colour plays. They suit a
white ground; the book's style sheet puts others in their place in the dark.
"""

from __future__ import annotations

import re
from html import escape

INK = "#1f2933"
MUTED = "#52606d"
LINE = "#7b8794"
GROUND = "#ffffff"
TINT = "#eef1f4"
BLUE = "#0067a5"
ORANGE = "#b34700"

# The widest fonts among those that a page may have, so that no text leaves its box.
FONT = "DejaVu Sans, Verdana, sans-serif"
NARROW = set(" .,:;|!'()[]il·")
WIDE = set("mwMW@%→⟶—") | {"…"}


def width(text: str, size: float) -> float:
    """At most how wide a text is, in the unit of its size."""
    units = sum(
        0.4 if c in NARROW else 1.0 if c in WIDE else 0.75 if c.isupper() else 0.65
        for c in text
    )
    return units * size


def element(tag: str, *content: str, **attributes: object) -> str:
    """An element; ``font_size=3`` is its attribute ``font-size="3"``.

    >>> element("g", "x", class_="edge")
    '<g class="edge">x</g>'
    """
    shown = "".join(
        f' {name.strip("_").replace("_", "-")}="{escape(_text(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    inner = "".join(content)
    return f"<{tag}{shown}>{inner}</{tag}>" if inner else f"<{tag}{shown}/>"


def _text(value: object) -> str:
    return f"{round(value, 1):g}" if isinstance(value, float) else str(value)


def text(content: str, x: float, y: float, **attributes: object) -> str:
    """A line of text, centred at x with its baseline at y."""
    given = {"text_anchor": "middle", "fill": INK, "font_size": 13} | attributes
    return element("text", escape(content, quote=False), x=x, y=y, **given)


def spans(content: str, **attributes: object) -> str:
    """A piece of a line in which ``s_y`` is s with a small y below."""
    parts, fallen = [], 0
    for piece in re.split(r"(?<=\w)(_\w)\b", content):
        low = piece.startswith("_") and len(piece) == 2
        shown = escape(piece.removeprefix("_") if low else piece, quote=False)
        if shown:
            # A shift stays until it is taken back.
            shift = {"dy": 3, "font_size": 10} if low else {"dy": -fallen or None}
            parts.append(element("tspan", shown, **attributes, **shift))
            fallen = 3 if low else 0
    return "".join(parts)


def document(
    content: str, size: tuple[float, float], alt: str, **attributes: object
) -> str:
    """An SVG of this size (pixels) that says what it shows."""
    across, down = (float(round(side)) for side in size)
    return element(
        "svg",
        content,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {across:g} {down:g}",
        width=across,
        height=down,
        font_family=FONT,
        role="img",
        aria_label=alt,
        **attributes,
    )
