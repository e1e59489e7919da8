"""Where a fault can be planted in a text, and what it then reads.

Every planter yields ``Fault``s of one file: a place, what stands there and what would
stand there instead. Nothing is written here.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import MutationVisitor
from cosmic_ray.plugins import get_operator

from chapter_notebook import EVAL
from equations.language import is_claim
from equations.pages import Printed, formulas
from snippet_cells import parse_cells

# Kinds of faults, as the report counts them.
KINDS = (
    *("formula", "number", "output", "link", "label"),
    *("code", "answer", "check"),
)


@dataclass(frozen=True)
class Fault:
    """In the file ``path``, ``after`` instead of ``before`` from ``start`` on."""

    kind: str
    path: str
    start: int
    before: str
    after: str
    line: int

    @property
    def name(self) -> str:
        """One line that tells the fault, the same in every run."""
        before, after = (" ".join(text.split()) for text in (self.before, self.after))
        return f"{self.kind} {self.path}:{self.line} @{self.start}: {before} → {after}"

    def plant(self, text: str) -> str:
        """The text with the fault."""
        assert text.startswith(self.before, self.start), self.name
        return text[: self.start] + self.after + text[self.start + len(self.before) :]


def _fault(  # noqa: PLR0917 (in the order in which they are read)
    kind: str, path: str, text: str, start: int, before: str, after: str
) -> Fault:
    return Fault(kind, path, start, before, after, text.count("\n", 0, start) + 1)


# Formulas

NUMBER_IN_TEX = re.compile(r"(?<![\w.{\\])\d+(?:\.\d+)?|(?<=\{)\d+(?=\})")
TEX_RULES = [
    # what it reads, what it reads instead
    (re.compile(r"(?<![_^{(\[=\\,|])\s\+\s|(?<=[\w})\]])\+(?=\w|\\)"), "+", "-"),
    (re.compile(r"(?<=[\w})\]\s])-(?=\s|\w|\\|\()"), "-", "+"),
    (re.compile(r"(?<=[=(\[{&])\s*-(?=\\|\w)"), "-", ""),
    (re.compile(r"\^\\T(?![A-Za-z])"), r"^\T", ""),
    (re.compile(r"\\le(?![a-z])"), r"\le", r"\ge"),
    (re.compile(r"\\ge(?![a-z])"), r"\ge", r"\le"),
    (re.compile(r"(?<![<\\])<"), "<", ">"),
    (re.compile(r"\\log(?![a-z])"), r"\log", r"\exp"),
    (re.compile(r"\\exp(?![a-z])"), r"\exp", r"\log"),
    (re.compile(r"\\cos(?![a-z])"), r"\cos", r"\sin"),
    (re.compile(r"\\sum(?![a-z])"), r"\sum", r"\prod"),
    (re.compile(r"\\prod(?![a-z])"), r"\prod", r"\sum"),
    (re.compile(r"\\max(?![a-z])"), r"\max", r"\min"),
    (re.compile(r"_i(?![A-Za-z])"), "_i", "_j"),
    (re.compile(r"_j(?![A-Za-z])"), "_j", "_i"),
    (re.compile(r"_\{ij\}"), "_{ij}", "_{ji}"),
    (re.compile(r"_\{il\}"), "_{il}", "_{li}"),
    (re.compile(r"_y(?![A-Za-z])"), "_y", "_j"),
    (re.compile(r"e\^\{-"), "e^{-", "e^{"),
    (re.compile(r"e\^\{(?=\w)"), "e^{", "e^{-"),
]
# A factor on its own: a letter or number followed by another factor.
FACTOR = re.compile(
    r"(?<![\\A-Za-z0-9_^{.])(?<!\\dd )(?<!\\bar )(?<!\\hat )(?<!\\tilde )"
    r"(?<!\\partial )(?<!\\frac)(?P<factor>[0-9]+|[A-Za-z])"
    r"(?=\s*(?:[A-Za-z(]|\\[a-zA-Z]))(?!\s*\\(?:le|ge|in|to|sim|cdot|text|end|times))"
)
# What a formula says in words: its letters are no factors.
WORDS = re.compile(r"(?<=\\text\{)[^{}]*")


def in_formulas(path: str, slug: str, text: str) -> Iterator[Fault]:
    """Faults in the TeX of every formula that claims something."""
    for formula, start in placed(slug, text):
        if not is_claim(formula.tex):
            continue
        tex = WORDS.sub(lambda words: "·" * len(words[0]), formula.tex)
        for pattern, before, after in TEX_RULES:
            for match in pattern.finditer(tex):
                offset = start + match.start() + match[0].index(before)
                yield _fault("formula", path, text, offset, before, after)
        for match in NUMBER_IN_TEX.finditer(tex):
            number = match[0]
            other = f"{float(number) + 1:g}"
            yield _fault("formula", path, text, start + match.start(), number, other)
        for match in FACTOR.finditer(tex):
            offset = start + match.start()
            yield _fault("formula", path, text, offset, match["factor"], "")


def placed(slug: str, text: str) -> Iterator[tuple[Printed, int]]:
    """The formulas of a page with their offsets; those with ``{eval}`` are left out."""
    at = 0
    lines = [0, *(match.end() for match in re.finditer("\n", text))]
    for formula in formulas(slug, text):
        if EVAL.search(formula.tex):
            continue
        start = text.find(formula.tex, max(at, lines[formula.line - 1]))
        if start < 0:  # two on a line, found in another order
            start = text.find(formula.tex, lines[formula.line - 1])
        if start >= 0:
            at = start
            yield formula, start


# Numbers, outputs, links

DIGITS = re.compile(r"\d+(?:\.\d+)?(?:e-?\d+)?")
NUMBER_IN_PROSE = re.compile(
    r"(?<![\w.#/\-−–⁻@=])(?<!\w\()\d+(?:[.,]\d+|\d\d)(?![\w%]|[.,]\d|-\w|\s*×)"
)
LINK = re.compile(r"\]\(#(?P<target>[\w-]+)\)")
ROLE = re.compile(r"\{(?:eq|term|cite:\w)\}`(?:[^`<]*<)?(?P<target>[^`<>]+)>?`")
LABEL = re.compile(
    r"^\((?P<heading>[\w-]+)\)=$|^\s*:(?:label|name): (?P<option>[\w-]+)$"
    r"|\{solution-start\} (?P<answer>[\w-]+)",
    re.M,
)


def in_values(path: str, text: str) -> Iterator[Fault]:
    """Another value in a sentence: another expression or format in ``{eval}``."""
    for match in EVAL.finditer(text):
        expression, colon, form = match[1].rpartition(":")
        if not colon or not re.fullmatch(r"[.\w,+]*", form):
            expression = match[1]
        start = match.start(1)
        yield _fault("number", path, text, start, expression, f"-({expression})")
        for digits in DIGITS.finditer(expression):
            if digits.start() and expression[digits.start() - 1].isalnum():
                continue
            if digits.start() and expression[digits.start() - 1] in "._":
                continue
            offset = start + digits.start()
            other = f"{float(digits[0]) + 1:g}"
            yield _fault("number", path, text, offset, digits[0], other)


def in_prose(path: str, text: str) -> Iterator[Fault]:
    """Another number where one is typed: decimals, and whole numbers from 100 on."""
    bare = re.sub(
        r"^(?P<f>```|:::)\{(?:code|math|figure|lit)[^\n]*\n.*?^(?P=f)|\$\$.+?\$\$|\$[^$]+\$"
        r"|`[^`]*`|\]\([^)]*\)|^%.*$|^\s*:\w+:.*$|<[^>]+>",
        lambda match: re.sub(r"[^\n]", " ", match[0]),
        text,
        flags=re.S | re.M,
    )
    for match in NUMBER_IN_PROSE.finditer(bare):
        digit = str((int(match[0][-1]) + 1) % 10)
        yield _fault(
            "number", path, text, match.start(), match[0], match[0][:-1] + digit
        )


def in_outputs(path: str, text: str) -> Iterator[Fault]:
    """Another number, sign or word in an expected output."""
    for block in re.finditer(r"output = '''\n(?P<body>.*?)\n'''", text, re.S):
        start = block.start("body")
        for match in DIGITS.finditer(block["body"]):
            first = str((int(match[0][0]) + 1) % 10)
            yield _fault(
                "output",
                path,
                text,
                start + match.start(),
                match[0],
                first + match[0][1:],
            )
        for match in re.finditer(r"True|False|float\d\d|nan|grad_fn", block["body"]):
            others = {"True": "False", "False": "True", "nan": "0.", "grad_fn": "grad"}
            other = others.get(match[0], "float16")
            yield _fault("output", path, text, start + match.start(), match[0], other)


def in_links(path: str, text: str) -> Iterator[Fault]:
    """A link, reference or term that leads to nothing."""
    for pattern in (LINK, ROLE):
        for match in pattern.finditer(text):
            start, target = match.start("target"), match["target"]
            yield _fault("link", path, text, start, target, f"{target}x")


def in_labels(path: str, text: str) -> Iterator[Fault]:
    """A label with another name than those who refer to it use."""
    for match in LABEL.finditer(text):
        [(group, label)] = [(g, v) for g, v in match.groupdict().items() if v]
        yield _fault("label", path, text, match.start(group), label, f"{label}x")


# Code

SWITCHES = ("core/ReplaceTrueWithFalse", "core/ReplaceFalseWithTrue")
OPERATORS = [
    *(
        f"core/ReplaceBinaryOperator_{pair}"
        for pair in ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "Pow_Mul")
    ),
    *(
        f"core/ReplaceComparisonOperator_{pair}"
        for pair in ("Lt_GtE", "Gt_LtE", "Eq_NotEq", "LtE_Gt", "GtE_Lt")
    ),
    *("core/NumberReplacer", *SWITCHES),
    *("core/ReplaceUnaryOperator_USub_UAdd", "core/ZeroIterationForLoop"),
    *("core/AddNot", "core/ReplaceAndWithOr", "core/ReplaceOrWithAnd"),
]


def in_snippets(path: str, text: str, limit: int, seed: int) -> Iterator[Fault]:
    """Faults in the code of cells; those of answers are a kind of their own."""
    first = {
        cell.line: "answer" if name.startswith("answer-") else "code"
        for name, cell in parse_cells(text).items()
    }
    for fault in in_code("code", path, text, limit, seed):
        starts = [line for line in first if line <= fault.line]
        if starts:
            yield replace(fault, kind=first[max(starts)])


def in_checks(path: str, text: str, limit: int, seed: int) -> Iterator[Fault]:
    """Faults in the checks of formulas.

    Not in a line that draws an input: a statement about any input holds for another.
    Nor in a switch, such as ``strict=True``: no formula is made of it.
    """
    lines = text.splitlines()
    operators = [name for name in OPERATORS if name not in SWITCHES]
    for fault in in_code("check", path, text, limit, seed, operators=operators):
        if "draw." not in lines[fault.line - 1]:
            yield fault


def in_code(
    kind: str,
    path: str,
    text: str,
    limit: int,
    seed: int,
    *,
    operators: Sequence[str] = OPERATORS,
) -> Iterator[Fault]:
    """At most ``limit`` faults by the operators of cosmic-ray, a mutation tester."""
    nodes = list(ast_nodes(get_ast(text)))
    sites = [
        (name, occurrence)
        for name in operators
        for occurrence, _ in enumerate(
            place
            for node in nodes
            for place in get_operator(name)().mutation_positions(node)
        )
    ]
    chosen = random.Random(seed).sample(sites, min(limit, len(sites)))
    for name, occurrence in chosen:
        changed = MutationVisitor.mutate_code(text, get_operator(name)(), occurrence)
        if changed is not None and changed != text:
            yield _difference(kind, path, text, changed)


def _difference(kind: str, path: str, text: str, changed: str) -> Fault:
    """The fault that makes one text of another, with some code around it."""
    start = 0
    while text[start] == changed[start]:
        start += 1
    end = 0
    shortest = min(len(text), len(changed)) - start
    while end < shortest and text[-1 - end] == changed[-1 - end]:
        end += 1
    before, after = text[start : len(text) - end], changed[start : len(changed) - end]
    return _fault(kind, path, text, start, before, after)


def sample(faults: Iterable[Fault], count: int, seed: int) -> list[Fault]:
    """``count`` of the faults (all, if they are fewer), the same for the same seed."""
    known = {fault.name: fault for fault in faults if fault.before != fault.after}
    names = sorted(known)
    if len(names) > count:
        names = random.Random(seed).sample(names, count)
    return [known[name] for name in sorted(names)]
