r"""Formulas as tokens, and the statements that a formula consists of.

``statements(tokens(r"a = b, \qquad c = d"))`` gives the tokens of ``a = b`` and of
``c = d``. Layout (rows, alignment, sizes of brackets) is gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

RELATIONS = {
    "=": "=",
    "<": "<",
    ">": ">",
    r"\lt": "<",
    r"\gt": ">",
    r"\le": "<=",
    r"\leq": "<=",
    r"\ge": ">=",
    r"\geq": ">=",
    r"\ne": "!=",
    r"\neq": "!=",
    r"\approx": "~",
    r"\in": "in",
}
NOT_CLAIMS = {
    r"\sim": "says how something is distributed",
    r"\leftarrow": "is an assignment",
    r"\to": "is a limit",
    r"\dots": "leaves something out (…)",
    r"\ldots": "leaves something out (…)",
    r"\vdots": "leaves something out (…)",
    r"\argmin": "compares sets of minimisers",
    r"\infty": "has an infinite quantity",
}
FUNCTIONS = {
    r"\log": "log",
    r"\exp": "exp",
    r"\cos": "cos",
    r"\sin": "sin",
    r"\tr": "trace",
    r"\diag": "diagonal",
    r"\lambdamax": "largest-eigenvalue",
    r"\sign": "sign",
    r"\softmax": "softmax",
    r"\logsumexp": "logsumexp",
    r"\operatorname{rank}": "rank",
}
# Only with an argument; alone it is a name, as other names are.
CALLED_ONLY = {r"\lambdamax"}
NAMES = {r"\mathbf1", r"\lambdamax", r"\KL"}
SEPARATORS = {",", ";", r"\quad", r"\qquad", r"\Rightarrow", r"\iff"}
ACCENTS = {r"\bar", r"\hat", r"\tilde"}
SIZES = r"\\(?:left|right|middle|[bB]igg?[lr]?)(?![A-Za-z])"
THIN = {r"\,", r"\;", r"\:", r"\!", "~", r"\ "}
OPENING = {"(": ")", "[": "]", r"\{": r"\}", r"\lVert": r"\rVert", r"\lvert": r"\rvert"}
OPENING |= {r"\lceil": r"\rceil", r"\lfloor": r"\rfloor"}
CLOSING = set(OPENING.values())
GREEK = set(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "eps",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "pi",
        "rho",
        "sigma",
        "tau",
        "upsilon",
        "phi",
        "varphi",
        "chi",
        "psi",
        "omega",
        "Gamma",
        "Delta",
        "Theta",
        "Lambda",
        "Xi",
        "Pi",
        "Sigma",
        "Phi",
        "Psi",
        "Omega",
        "ell",
    ]
)
TOKEN = re.compile(
    r"\\text\{[^{}]*\}|\\operatorname\{[^{}]*\}|\\(?:begin|end)\{[^{}]*\}"
    r"|\\mathbf\s*\{?1\}?|\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|\S",
    re.S,
)


def tokens(tex: str) -> list[str]:
    """The tokens of a formula, without its layout."""
    found: list[str] = []
    in_matrix = row_break = indent = False
    for token in TOKEN.findall(re.sub(SIZES, "", tex).replace("{}", "")):
        if token in (r"\begin{aligned}", r"\end{aligned}"):
            continue
        if token.startswith((r"\begin", r"\end")):
            in_matrix = token.startswith(r"\begin")
        if not in_matrix and token in ("&", "\\\\"):
            # A row that starts at the alignment mark goes on with its statement.
            indent = row_break or not found
            row_break = token != "&"
            continue
        if indent and token in (r"\quad", r"\qquad"):
            continue
        if row_break:
            found.append(r"\qquad")
            row_break = False
        indent = False
        is_ones = token.startswith(r"\mathbf") and token != r"\mathbf"
        found.append(r"\mathbf1" if is_ones else token)
    return found


def statements(found: list[str]) -> list[list[str]]:
    """The tokens cut at commas, wide spaces, arrows and words outside of brackets."""
    parts: list[list[str]] = [[]]
    depth = 0
    for token in found:
        depth += _depth(token)
        if depth == 0 and (token in SEPARATORS or _is_prose(token)):
            parts.append([])
        else:
            parts[-1].append(token)
    return [_trimmed(part) for part in parts if _trimmed(part)]


def signed(parts: list[list[str]]) -> list[list[str]]:
    """A statement with ± is two: one with the upper signs, one with the lower."""
    both = [{r"\pm": "+", r"\mp": "-"}, {r"\pm": "-", r"\mp": "+"}]
    return [
        [signs.get(token, token) for token in part]
        for part in parts
        for signs in (both if r"\pm" in part else both[:1])
    ]


def _depth(token: str) -> int:
    """How much deeper in brackets a token leads: 1, 0 or -1."""
    if token in OPENING or token == "{" or token.startswith(r"\begin"):
        return 1
    closes = token in CLOSING or token == "}" or token.startswith(r"\end")
    return -1 if closes else 0


def _is_prose(token: str) -> bool:
    if not token.startswith(r"\text"):
        return False
    words = token[len(r"\text{") : -1].split()
    prose = {"and", "with", "so", "that", "is", "for", "every", "where", "or", "if"}
    return not words or bool(prose & set(words))


def _trimmed(part: list[str]) -> list[str]:
    droppable = THIN | {".", ":"}
    start, end = 0, len(part)
    while start < end and part[start] in droppable:
        start += 1
    while end > start and part[end - 1] in droppable:
        end -= 1
    return part[start:end]


def is_bracketed(part: list[str]) -> bool:
    """Whether the tokens are one pair of round brackets and what is inside."""
    if not part or part[0] != "(":
        return False
    depth = 0
    for place, token in enumerate(part):
        depth += (token == "(") - (token == ")")
        if depth == 0:
            return place == len(part) - 1
    return False


def outside_brackets(part: Iterable[str]) -> list[str]:
    """The tokens that stand in no bracket."""
    depth, outside = 0, []
    for token in part:
        depth += _depth(token)
        if depth == 0:
            outside.append(token)
    return outside
