r"""The language of the book's formulas: from TeX to a tree that can be computed.

``parse(r"\\grad L(w) = 2 X^\\T r", {"L"})`` gives one statement, a chain of two
expressions joined by ``=``. Which names are functions must be told, since ``L(w)`` is a
call and ``w(a + b)`` a product; a product of a function's *value* with a bracket is
written with ``\,`` between them, as a reader of the page needs it too.

A statement that is not part of the language is left out, and the reason is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from dataclasses import dataclass, fields, is_dataclass


class NotUnderstood(Exception):
    """The formula has a part that is not in the language; the text says which."""


@dataclass(frozen=True)
class Number:
    """A number as it is written: ``2``, ``0.5``."""

    text: str


@dataclass(frozen=True)
class Symbol:
    r"""A name with what is set around it: ``w``, ``\bar y``, ``w^*``, ``L_{y=0}``."""

    name: str


@dataclass(frozen=True)
class Indexed:
    """An entry or a row: ``w_j``, ``X_{ij}``. ``name`` is the whole as one name."""

    base: Expr
    indices: tuple[Expr, ...]
    name: str


@dataclass(frozen=True)
class Apply:
    """An operation on expressions; ``kind`` says which: ``sum``, ``product``, ``norm``…"""

    kind: str
    parts: tuple[Expr, ...]


@dataclass(frozen=True)
class Call:
    """A function applied: ``L(w + h)``, with ``primes`` derivatives taken first."""

    function: Symbol | Indexed
    arguments: tuple[Expr, ...]
    primes: int = 0


@dataclass(frozen=True)
class Over:
    r"""An operation over indices: ``\sum_{i=1}^n body``; also max, min and prod.

    ``words`` is what stands below, told in words: the setting lists the cases.
    """

    kind: str
    names: tuple[str, ...]
    lower: Expr | None
    upper: Expr | None
    condition: Chain | None
    body: Expr
    words: str = ""


@dataclass(frozen=True)
class Derivative:
    r"""``\frac{\partial^2 of}{\partial w_1 \partial w_2}``; the total ``\dd`` as well."""

    of: Expr
    by: tuple[Expr, ...]


@dataclass(frozen=True)
class Gradient:
    r"""``\grad_v L``; without a subscript, by the variable that the setting names."""

    of: Expr
    by: Expr | None


@dataclass(frozen=True)
class Differential:
    r"""``\dd L``."""

    of: Expr


@dataclass(frozen=True)
class Matrix:
    """Rows of entries; a bracketed list ``(1, 2, 3)`` is one column."""

    rows: tuple[tuple[Expr, ...], ...]


@dataclass(frozen=True)
class Indicator:
    r"""``\ind{condition}``."""

    condition: Chain


@dataclass(frozen=True)
class Expectation:
    r"""``\E[body]``, ``\Prob(condition)``, or ``\E_{z \sim q}[body]``."""

    body: Expr
    variable: str = ""
    distribution: Expr | None = None


@dataclass(frozen=True)
class Integral:
    r"""``\int_lower^upper body \dd variable``."""

    lower: Expr
    upper: Expr
    body: Expr
    variable: str


@dataclass(frozen=True)
class Space:
    r"""What stands after ``\in``: ``\R^{n \times d}`` has two sizes, ``\R`` none."""

    sizes: tuple[Expr, ...]


Expr = (
    Number
    | Symbol
    | Indexed
    | Apply
    | Call
    | Over
    | Derivative
    | Gradient
    | Differential
    | Matrix
    | Indicator
    | Expectation
    | Integral
    | Space
)


@dataclass(frozen=True)
class Chain:
    """Expressions joined by relations: ``a = b <= c``."""

    sides: tuple[Expr, ...]
    relations: tuple[str, ...]


@dataclass(frozen=True)
class Formula:
    """The statements of a formula, and the conditions on indices set after them."""

    chains: tuple[Chain, ...]
    conditions: tuple[Chain, ...]
    unread: tuple[str, ...] = ()  # why a statement is not in the language
    equivalent: bool = False  # the statements are joined by \iff


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
SIZES = r"\\(?:left|right|bigl|bigr|biggl|biggr|Bigl|Bigr|Biggl|Biggr|big|Big|bigg|Bigg|middle)(?![A-Za-z])"
THIN = {r"\,", r"\;", r"\:", r"\!", "~", r"\ "}
OPENING = {"(": ")", "[": "]", r"\{": r"\}", r"\lVert": r"\rVert", r"\lvert": r"\rvert"}
OPENING |= {r"\lceil": r"\rceil", r"\lfloor": r"\rfloor"}
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
    """The tokens of a formula; layout (rows, alignment, sizes of brackets) is gone."""
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


def parse(tex: str, functions: Set[str] = frozenset()) -> Formula:
    """The statements of a formula."""
    chains, conditions, unread = [], [], []
    for part in _signed(_statements(tokens(tex))):
        inner = part[1:-1] if _is_bracketed(part) else []
        try:
            if any(token in RELATIONS for token in inner):
                conditions.append(_chain(inner, functions))
            elif any(
                t in RELATIONS or t in NOT_CLAIMS for t in _outside_brackets(part)
            ):
                chains.append(_chain(part, functions))
        except NotUnderstood as error:
            unread.append(str(error))
    return Formula(tuple(chains), tuple(conditions), tuple(unread), r"\iff" in tex)


def is_claim(tex: str) -> bool:
    """Whether the formula has a relation at all."""
    return any(token in RELATIONS for token in tokens(tex))


def is_concrete(tex: str) -> bool:
    """Whether a side of a relation has no name in it, as a number has none."""
    chains = parse(tex, {r"\sigma"}).chains
    return any(not _has_names(side) for chain in chains for side in chain.sides)


def _has_names(node: object) -> bool:
    if isinstance(node, Symbol | Indexed):
        return node.name not in ("e", r"\pi")
    if isinstance(node, Call):
        return _has_names(node.arguments)
    if isinstance(node, tuple):
        return any(_has_names(part) for part in node)
    return is_dataclass(node) and any(
        _has_names(getattr(node, field.name)) for field in fields(node)
    )


def expression(tex: str, functions: Set[str] = frozenset()) -> Expr:
    """The tree of one expression."""
    parser = _Parser(tokens(tex), functions)
    found = parser.sum()
    parser.finish()
    return found


def _statements(found: list[str]) -> list[list[str]]:
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


def _signed(parts: list[list[str]]) -> list[list[str]]:
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
    closes = token in OPENING.values() or token == "}" or token.startswith(r"\end")
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


def _is_bracketed(part: list[str]) -> bool:
    if not part or part[0] != "(":
        return False
    depth = 0
    for place, token in enumerate(part):
        depth += (token == "(") - (token == ")")
        if depth == 0:
            return place == len(part) - 1
    return False


def _outside_brackets(part: Iterable[str]) -> list[str]:
    depth, outside = 0, []
    for token in part:
        depth += _depth(token)
        if depth == 0:
            outside.append(token)
    return outside


def _chain(part: list[str], functions: Set[str]) -> Chain:
    parser = _Parser(part, functions)
    chain = parser.chain()
    parser.finish()
    return chain


class _Parser:
    """Recursive descent over the tokens of one statement."""

    def __init__(self, found: list[str], functions: Set[str]) -> None:
        self.tokens = list(found)
        self.functions = functions
        self.at = 0

    # Reading tokens

    def peek(self, *, over_space: bool = True) -> str:
        at = self.at
        while over_space and at < len(self.tokens) and self.tokens[at] in THIN:
            at += 1
        return self.tokens[at] if at < len(self.tokens) else ""

    def take(self, wanted: str | None = None) -> str:
        while self.at < len(self.tokens) and self.tokens[self.at] in THIN:
            self.at += 1
        found = self.tokens[self.at] if self.at < len(self.tokens) else ""
        if not found or (wanted is not None and found != wanted):
            place = f"'{found}'" if found else "the end"
            raise NotUnderstood(f"expected {wanted or 'an expression'} at {place}")
        self.at += 1
        return found

    def finish(self) -> None:
        if self.peek():
            raise NotUnderstood(f"cannot read on at '{self.peek()}'")

    def group(self) -> list[str]:
        """The tokens of a TeX argument: a braced group, or one token or digit."""
        token = self.take()
        if token != "{":
            if token[0].isdigit() and len(token) > 1:
                self.at -= 1
                self.tokens[self.at : self.at + 1] = [token[0], token[1:]]
                self.at += 1
                return [token[0]]
            return [token]
        depth, start = 1, self.at
        while depth:
            if self.at == len(self.tokens):
                raise NotUnderstood("a brace is not closed")
            depth += (self.tokens[self.at] == "{") - (self.tokens[self.at] == "}")
            self.at += 1
        return self.tokens[start : self.at - 1]

    def within(self, found: list[str]) -> _Parser:
        return _Parser(found, self.functions)

    def whole(self, found: list[str]) -> Expr:
        parser = self.within(found)
        value = parser.sum()
        parser.finish()
        return value

    # Statements

    def chain(self) -> Chain:
        sides, relations = [self.sum()], []
        while self.peek() in RELATIONS:
            relation = RELATIONS[self.take()]
            if self.peek() == r"\dots" and self.tokens_after() == "=" == relation:
                self.take()  # steps that the reader can fill in
                continue
            relations.append(relation)
            sides.append(self.set_or_space() if relation == "in" else self.sum())
        if self.peek() in NOT_CLAIMS:
            raise NotUnderstood(NOT_CLAIMS[self.peek()])
        return Chain(tuple(sides), tuple(relations))

    def set_or_space(self) -> Expr:
        if self.peek() == r"\R":
            self.take()
            if self.peek() != "^":
                return Space(())
            self.take()
            sizes: list[list[str]] = [[]]
            for token in self.group():
                if token == r"\times":
                    sizes.append([])
                else:
                    sizes[-1].append(token)
            return Space(tuple(self.whole(size) for size in sizes))
        return self.sum()

    # Arithmetic

    def sum(self) -> Expr:
        sign = self.peek()
        if sign in ("+", "-"):
            self.take()
        terms = [self.negative(self.term()) if sign == "-" else self.term()]
        while self.peek() in ("+", "-"):
            sign = self.take()
            if sign == "+" and self.peek() == r"\dots" and self.tokens_after() == "+":
                self.take()
                self.take()
                terms = [_filled("sum", terms, self.term())]
                continue
            term = self.term()
            terms.append(self.negative(term) if sign == "-" else term)
        return terms[0] if len(terms) == 1 else Apply("sum", tuple(terms))

    @staticmethod
    def negative(term: Expr) -> Expr:
        return Apply("negative", (term,))

    def term(self) -> Expr:
        """A product: factors side by side, with dots, or with one division."""
        found = self.run()
        while self.peek() in (r"\cdot", "/", r"\times", r"\odot"):
            operator = self.take()
            if operator == "/":
                found = Apply("quotient", (found, self.factor()))
                if self.starts_factor():
                    raise NotUnderstood("a/bc has two readings; write a fraction")
            elif operator == r"\odot":
                found = Apply("entrywise", (found, self.run()))
            else:
                found = Apply("product", (found, self.signed_run()))
        return found

    def signed_run(self) -> Expr:
        if self.peek() == "-":
            self.take()
            return self.negative(self.run())
        return self.run()

    def run(self) -> Expr:
        """Factors side by side."""
        factors = [self.factor()]
        while self.starts_factor():
            factors.append(self.factor())
        return factors[0] if len(factors) == 1 else Apply("product", tuple(factors))

    def starts_factor(self) -> bool:
        token = self.peek()
        if self.tokens[self.at : self.at + 2] == [r"\;", r"\;"]:
            return False  # the next column of [A \;\; B]
        if not token or token in RELATIONS or token in NOT_CLAIMS:
            return False
        if token in (*OPENING.values(), "}", "|", r"\mid", r"\|"):
            return False
        return token not in set("+-/,;:&.!") | {
            r"\cdot",
            r"\times",
            r"\odot",
            "\\\\",
            r"\Rightarrow",
            r"\iff",
        } and not token.startswith(r"\end")

    def factor(self) -> Expr:
        token = self.peek()
        if token in NOT_CLAIMS:
            raise NotUnderstood(NOT_CLAIMS[token])
        if token in (r"\sum", r"\prod", r"\max", r"\min"):
            return self.over()
        if token == r"\int":
            return self.integral()
        if token in FUNCTIONS and (
            token not in CALLED_ONLY or self.tokens_after() == "("
        ):
            return self.function()
        if token in (r"\E", r"\Prob"):
            return self.expectation()
        if token == r"\grad":
            return self.postfix(self.gradient())
        if token in (r"\dd", r"\partial"):
            return self.differential()
        if token in (r"\frac", r"\tfrac", r"\dfrac"):
            return self.fraction()
        return self.postfix(self.atom())

    def tokens_after(self) -> str:
        at = self.at
        while self.tokens[at] in THIN:
            at += 1
        return self.tokens[at + 1] if at + 1 < len(self.tokens) else ""

    # Operators

    def over(self) -> Expr:
        kind = self.take()[1:]
        if kind in ("max", "min") and self.peek() in ("(", r"\{"):
            return Apply(kind, tuple(self.arguments()))
        names: tuple[str, ...] = ()
        lower = upper = condition = None
        words = ""
        while self.peek() in ("_", "^"):
            if self.take() == "^":
                upper = self.whole(self.group())
                continue
            found = [token for token in self.group() if token not in THIN]
            if any(token.startswith(r"\text") for token in found):
                words = _joined(found)
                names = tuple(token for token in found if token.isalpha())
            else:
                names, lower, condition = self.range(found)
        if not names and condition is None:
            raise NotUnderstood(f"\\{kind} without an index")
        if self.peek() == "-":
            self.take()
            body = self.negative(self.term())
        else:
            body = self.term()
        return Over(kind, names, lower, upper, condition, body, words)

    def range(
        self, found: list[str]
    ) -> tuple[tuple[str, ...], Expr | None, Chain | None]:
        """What stands under a sum: ``i``, ``i,j``, ``i=1`` or a condition."""
        relation = next((t for t in found if t in RELATIONS), None)
        if relation is None:
            return tuple(token for token in found if token != ","), None, None
        if relation == "=" and found[1] == "=":
            return (found[0],), self.whole(found[2:]), None
        return (), None, _chain(found, self.functions)

    def integral(self) -> Expr:
        self.take()
        lower = upper = None
        while self.peek() in ("_", "^"):
            if self.take() == "_":
                lower = self.whole(self.group())
            else:
                upper = self.whole(self.group())
        if lower is None or upper is None:
            raise NotUnderstood("an integral without limits")
        end = self.at
        while end < len(self.tokens) and self.tokens[end] != r"\dd":
            end += 1
        body = self.whole(self.tokens[self.at : end])
        self.at = end
        self.take(r"\dd")
        return Integral(lower, upper, body, self.take())

    def function(self) -> Expr:
        name = self.take()
        kind = FUNCTIONS[name]
        if self.peek() == "^":
            raise NotUnderstood(f"a power of {name} itself")
        if self.peek(over_space=False) in ("(", "["):
            return self.postfix(Apply(kind, tuple(self.arguments())))
        if self.peek() in FUNCTIONS or self.peek() in (r"\sum", r"\prod"):
            return Apply(kind, (self.factor(),))
        factors = [self.factor()]
        while self.starts_factor() and self.peek() not in FUNCTIONS:
            factors.append(self.factor())
        product = factors[0] if len(factors) == 1 else Apply("product", tuple(factors))
        return Apply(kind, (product,))

    def expectation(self) -> Expr:
        kind = self.take()
        variable, distribution = "", None
        if self.peek() == "_":
            self.take()
            found = [token for token in self.group() if token not in THIN]
            if len(found) < 3 or found[1] != r"\sim":
                raise NotUnderstood(f"cannot read what stands under {kind}")
            variable, distribution = found[0], self.whole(found[2:])
        if kind == r"\Prob":
            self.take("(")
            chain = self.chain()
            self.take(")")
            return Expectation(Indicator(chain))
        body = self.factor() if self.peek() in ("[", "(") else self.term()
        return Expectation(body, variable, distribution)

    def gradient(self) -> Expr:
        self.take(r"\grad")
        by = None
        if self.peek() == "_":
            self.take()
            by = self.whole(self.group())
        return Gradient(self.name_or_call(), by)

    def differential(self) -> Expr:
        token = self.take()
        if token == r"\partial" or self.peek() == "^":
            # A slanted derivative: \partial L / \partial w_j.
            return self.slanted(token)
        start = self.at
        of = self.gradient() if self.peek() == r"\grad" else self.name_or_call()
        if self.peek() == "/" and self.tokens_after() == r"\dd":
            self.at = start
            return self.slanted(token)
        return self.postfix(Differential(of))

    def slanted(self, mark: str) -> Expr:
        of = self.name_or_call()
        self.take("/")
        self.take(mark)
        return Derivative(of, (self.name_or_call(),))

    def fraction(self) -> Expr:
        self.take()
        above, below = self.group(), self.group()
        mark = below[0] if below else ""
        if mark in (r"\partial", r"\dd") and above and above[0] == mark:
            return self.derivative(mark, above[1:], below)
        return self.postfix(Apply("quotient", (self.whole(above), self.whole(below))))

    def derivative(self, mark: str, above: list[str], below: list[str]) -> Expr:
        order = 1
        if above and above[0] == "^":
            order = int(above[1])
            above = above[2:]
        by = []
        lower = self.within(below)
        while lower.peek() == mark:
            lower.take()
            variable = lower.postfix_name()
            times = 1
            if lower.peek() == "^":
                lower.take()
                times = int(lower.group()[0])
            by += [variable] * times
        lower.finish()
        if len(by) != order:
            raise NotUnderstood(f"a derivative of order {order} by {len(by)} variables")
        of = self.whole(above) if above else self.term()
        return Derivative(of, tuple(by))

    # Atoms

    def name_or_call(self) -> Expr:
        """A name with its indices, called or not; no power belongs to it."""
        if self.peek() == "(":
            return self.atom()
        if self.peek() in FUNCTIONS:
            return self.function()
        found = self.postfix_name()
        if self.peek(over_space=False) == "(" and self.callable(found):
            return Call(found, tuple(self.arguments()))
        return found

    def postfix_name(self) -> Symbol | Indexed:
        found: Symbol | Indexed = self.symbol()
        while self.peek() == "_" or (self.peek() == "^" and self.tokens_after() == "*"):
            found = self.star(found) if self.peek() == "^" else self.indexed(found)
        return found

    def star(self, base: Expr) -> Symbol:
        self.take("^")
        self.take("*")
        return Symbol(f"{_name(base)}^*")

    def symbol(self) -> Symbol:
        token = self.take()
        if token in ACCENTS:
            return Symbol(f"{token} {''.join(self.group())}")
        if token == r"\Delta":
            return Symbol(f"{token} {self.take()}")
        if (
            re.fullmatch(r"[A-Za-z]", token)
            or (token[0] == "\\" and token[1:] in GREEK)
            or token in NAMES
            or token.startswith((r"\text{", r"\operatorname{"))
        ):
            return Symbol(token)
        raise NotUnderstood(f"'{token}' is not a name")

    def atom(self) -> Expr:
        token = self.peek()
        if token[:1].isdigit():
            return Number(self.take())
        if token in ("(", "["):
            return self.bracketed(OPENING[token])
        if token == "{":
            return self.whole(self.group())
        if token in (r"\norm", r"\abs", r"\sqrt", r"\ind"):
            self.take()
            if token == r"\ind":
                return Indicator(_chain(self.group(), self.functions))
            return Apply(token[1:], (self.whole(self.group()),))
        if token == r"\binom":
            self.take()
            upper, lower = self.whole(self.group()), self.whole(self.group())
            return Apply("binomial", (upper, lower))
        if token in (r"\lVert", r"\lvert", r"\lceil", r"\lfloor"):
            self.take()
            inner = self.sum()
            self.take(OPENING[token])
            kinds = {r"\lVert": "norm", r"\lvert": "abs", r"\lceil": "ceiling"}
            return Apply(kinds.get(token, "floor"), (inner,))
        if token == r"\{":
            return self.bracketed(r"\}")
        if token.startswith((r"\begin{bmatrix", r"\begin{pmatrix")):
            return self.matrix()
        return self.symbol()

    def bracketed(self, closing: str) -> Expr:
        self.take()
        items = [self.sum()]
        columns = closing == "]" and self.peek() not in (",", closing)
        while self.peek() != closing:
            if not columns:
                self.take(",")
            items.append(self.sum())
        self.take(closing)
        if columns:
            return Apply("columns", tuple(items))
        if len(items) == 1 and closing != r"\}":
            return items[0]
        return Matrix(tuple((item,) for item in items))

    def arguments(self) -> list[Expr]:
        closing = OPENING[self.take()]
        items = [self.sum()]
        while self.peek() in (",", r"\mid", r"\|", "|"):
            self.take()
            if self.peek() in (r"\dots", r"\ldots") and self.tokens_after() == ",":
                self.take()
                self.take()
                items.append(_filled("list", [items.pop()], self.sum()))
            else:
                items.append(self.sum())
        self.take(closing)
        return items

    def matrix(self) -> Expr:
        self.take()
        rows: list[list[Expr]] = [[]]
        while not self.peek().startswith(r"\end"):
            rows[-1].append(self.sum())
            if self.peek() == "&":
                self.take()
            elif self.peek() == "\\\\":
                self.take()
                rows.append([])
        self.take()
        if len({len(row) for row in rows}) != 1:
            raise NotUnderstood("a matrix with rows of unequal length")
        return Matrix(tuple(map(tuple, rows)))

    def postfix(self, base: Expr) -> Expr:
        """Indices, powers, transposes, primes and calls after an atom."""
        primes = 0
        while True:
            token = self.peek(over_space=False)
            if token == "_":
                base = self.indexed(base)
            elif token == "^":
                base = self.power(base)
            elif token == "'":
                self.take()
                primes += 1
            elif token == "(" and self.callable(base):
                assert isinstance(base, Symbol | Indexed)
                base = Call(base, tuple(self.arguments()), primes)
                primes = 0
            elif primes:
                raise NotUnderstood("a derivative of a function without its argument")
            else:
                return base

    def callable(self, base: Expr) -> bool:
        if isinstance(base, Indexed):
            return base.name in self.functions or _name(base.base) in self.functions
        return isinstance(base, Symbol) and base.name in self.functions

    def indexed(self, base: Expr) -> Indexed:
        self.take("_")
        found = [token for token in self.group() if token not in THIN]
        name = f"{_name(base)}_{_braced(found)}"
        try:
            indices = self.indices(found)
        except NotUnderstood:
            indices = ()
        return Indexed(base, indices, name)

    def indices(self, found: list[str]) -> tuple[Expr, ...]:
        """The indices in ``ij``, ``t+1`` or ``j,t``: side by side they are no product."""
        items: list[Expr] = []
        parser = self.within(found)
        while parser.peek():
            item = parser.sum()
            product = isinstance(item, Apply) and item.kind == "product"
            items += item.parts if product else [item]
            if parser.peek():
                parser.take(",")
        return tuple(items)

    def power(self, base: Expr) -> Expr:
        self.take("^")
        found = [token for token in self.group() if token not in THIN]
        if found == [r"\T"]:
            return Apply("transpose", (base,))
        if found == ["*"]:
            return Symbol(f"{_name(base)}^*")
        exponent = self.whole(found)
        if base == Symbol("e"):
            return Apply("exp", (exponent,))
        return Apply("power", (base, exponent))


def _filled(kind: str, shown: list[Expr], last: Expr) -> Expr:
    """What ``g_1 + g_2 + … + g_t`` means, from the terms before the dots.

    A ``list`` is one of arguments: ``f(g_1, …, g_t)``.
    """
    hole = Symbol("…")
    differences: list[tuple[Expr, Expr]] = []
    body = _merged(shown[0], last, hole, differences)
    if len(set(differences)) != 1:
        raise NotUnderstood(
            "the terms beside the dots do not tell what is between them"
        )
    lower, upper = differences[0]
    for place, term in enumerate(shown[1:], start=1):
        steps: list[tuple[Expr, Expr]] = []
        _merged(shown[0], term, hole, steps)
        expected = isinstance(lower, Number) and Number(str(int(lower.text) + place))
        if set(steps) != {(lower, expected)}:
            raise NotUnderstood("the terms before the dots do not count upwards")
    return Over(kind, (hole.name,), lower, upper, None, body)


def _merged(
    first: Expr, last: Expr, hole: Symbol, differences: list[tuple[Expr, Expr]]
) -> Expr:
    """The first term with a hole where the last one has another index."""
    if first == last:
        return first
    if isinstance(first, Indexed) and isinstance(last, Indexed):
        if len(first.indices) == len(last.indices) and first.base == last.base:
            pairs = list(zip(first.indices, last.indices, strict=True))
            differences += [(a, b) for a, b in pairs if a != b]
            indices = tuple(a if a == b else hole for a, b in pairs)
            return Indexed(first.base, indices, f"{_name(first.base)}_…")
    elif (
        isinstance(first, Apply)
        and isinstance(last, Apply)
        and (first.kind, len(first.parts)) == (last.kind, len(last.parts))
    ):
        parts = zip(first.parts, last.parts, strict=True)
        merged = tuple(_merged(a, b, hole, differences) for a, b in parts)
        return Apply(first.kind, merged)
    raise NotUnderstood("the terms beside the dots are not alike")


def _braced(found: list[str]) -> str:
    text = _joined(found)
    return text if len(found) == 1 else "{" + text + "}"


def _joined(found: list[str]) -> str:
    text = ""
    for token in found:
        # A space only where TeX needs it, so that a name has one spelling.
        needs_space = bool(re.search(r"\\[A-Za-z]+$", text)) and token[0].isalpha()
        text += (" " if needs_space else "") + token
    return text


def _name(expr: Expr) -> str:
    if isinstance(expr, Symbol | Indexed):
        return expr.name
    return "()"
