"""The symbols of formulas, by the role that they play in Typst."""

from __future__ import annotations

# A space on each side of an operator, in em, as TeX has them.
RELATIONS = set("=<>≤≥≈≠∼≃≡∈∉∋⊂⊆⊃⊇∝→↦⇒⟹⟸⟺⇔←⟵⟶↔≪≫≔∣⟂≜≺≻⊢⊨")
BINARY = set("+−±∓×⋅∘⊙⊗⊕∪∩∖∗÷∧∨⊖")
LARGE = set("∑∏∐∫∬∭∮⋃⋂⋁⋀⨁⨂")
OPENING, CLOSING = set("([{⟨⌊⌈"), set(")]}⟩⌋⌉")
PRIMES = {"′": 1, "″": 2, "‴": 3}
INVISIBLE = set("\N{FUNCTION APPLICATION}\N{INVISIBLE TIMES}\N{INVISIBLE SEPARATOR}")
TEXT_STYLE = "\N{VARIATION SELECTOR-15}"
ACCENTS = {
    "ˆ": "\u0302",
    "^": "\u0302",
    "~": "\u0303",
    "˜": "\u0303",
    "‾": "\u0304",
    "¯": "\u0304",
    "˙": "\u0307",
    "¨": "\u0308",
    "→": "\u20d7",
    "ˇ": "\u030c",
    "˘": "\u0306",
    "´": "\u0301",
    "`": "\u0300",
}
BRACES = {"⏟": "underbrace", "⏞": "overbrace", "⎵": "underbracket", "⎴": "overbracket"}
