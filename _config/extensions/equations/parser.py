"""From the tokens of one statement to its tree, by recursive descent."""

from __future__ import annotations

import re
from collections.abc import Set

from equations.dots import filled
from equations.tokens import (
    ACCENTS,
    CALLED_ONLY,
    FUNCTIONS,
    GREEK,
    NAMES,
    NOT_CLAIMS,
    OPENING,
    RELATIONS,
    THIN,
)
from equations.tree import (
    Apply,
    Call,
    Chain,
    Derivative,
    Differential,
    Expectation,
    Expr,
    Gradient,
    Indexed,
    Indicator,
    Integral,
    Matrix,
    NotUnderstood,
    Number,
    Over,
    Space,
    Symbol,
    name_of,
)

# What ends a product, beside relations.
BETWEEN = {*OPENING.values(), "}", "|", r"\mid", r"\|", *"+-/,;:&.!"}
BETWEEN |= {r"\cdot", r"\times", r"\odot", "\\\\", r"\Rightarrow", r"\iff"}


class Parser:
    """Recursive descent over the tokens of one statement."""

    def __init__(self, found: list[str], functions: Set[str]) -> None:
        self.tokens = list(found)
        self.functions = functions
        self.at = 0

    # Reading tokens

    def peek(self, *, over_space: bool = True) -> str:
        """The next token, or nothing; spaces count if asked for."""
        at = self.at
        while over_space and at < len(self.tokens) and self.tokens[at] in THIN:
            at += 1
        return self.tokens[at] if at < len(self.tokens) else ""

    def take(self, wanted: str | None = None) -> str:
        """Consume the next token, which must be the wanted one."""
        while self.at < len(self.tokens) and self.tokens[self.at] in THIN:
            self.at += 1
        found = self.tokens[self.at] if self.at < len(self.tokens) else ""
        if not found or (wanted is not None and found != wanted):
            place = f"'{found}'" if found else "the end"
            raise NotUnderstood(f"expected {wanted or 'an expression'} at {place}")
        self.at += 1
        return found

    def finish(self) -> None:
        """Nothing may be left."""
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

    def within(self, found: list[str]) -> Parser:
        """A parser for a part."""
        return Parser(found, self.functions)

    def whole(self, found: list[str]) -> Expr:
        """The tree of a part, all of it."""
        parser = self.within(found)
        value = parser.sum()
        parser.finish()
        return value

    # Statements

    def chain(self) -> Chain:
        """Expressions joined by relations."""
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
        r"""What stands after ``\in``."""
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
        """Terms with their signs."""
        sign = self.peek()
        if sign in ("+", "-"):
            self.take()
        terms = [self.negative(self.term()) if sign == "-" else self.term()]
        while self.peek() in ("+", "-"):
            sign = self.take()
            if sign == "+" and self.peek() == r"\dots" and self.tokens_after() == "+":
                self.take()
                self.take()
                terms = [filled("sum", terms, self.term())]
                continue
            term = self.term()
            terms.append(self.negative(term) if sign == "-" else term)
        return terms[0] if len(terms) == 1 else Apply("sum", tuple(terms))

    @staticmethod
    def negative(term: Expr) -> Expr:
        """The negative of a term."""
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
        """A run of factors that may have a minus."""
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
        """Whether the next token begins a further factor."""
        token = self.peek()
        if self.tokens[self.at : self.at + 2] == [r"\;", r"\;"]:
            return False  # the next column of [A \;\; B]
        if not token or token in RELATIONS or token in NOT_CLAIMS:
            return False
        return token not in BETWEEN and not token.startswith(r"\end")

    def factor(self) -> Expr:  # noqa: PLR0911 (one return for each kind)
        """An operator with what it takes, or an atom with its indices and powers."""
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
        """The token after the next one."""
        at = self.at
        while self.tokens[at] in THIN:
            at += 1
        return self.tokens[at + 1] if at + 1 < len(self.tokens) else ""

    # Operators

    def over(self) -> Expr:
        """A sum, product, maximum or minimum."""
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
        return (), None, chain_of(found, self.functions)

    def integral(self) -> Expr:
        """An integral with limits."""
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
        """A named function with its argument, in brackets or not."""
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
        """An expectation or a probability."""
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
        """A gradient, without its argument's transposes."""
        self.take(r"\grad")
        by = None
        if self.peek() == "_":
            self.take()
            by = self.whole(self.group())
        return Gradient(self.name_or_call(), by)

    def differential(self) -> Expr:
        """A differential, or a slanted derivative."""
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
        r"""``\partial L / \partial w_j``."""
        of = self.name_or_call()
        self.take("/")
        self.take(mark)
        return Derivative(of, (self.name_or_call(),))

    def fraction(self) -> Expr:
        """A quotient, or a derivative written as one."""
        self.take()
        above, below = self.group(), self.group()
        mark = below[0] if below else ""
        if mark in (r"\partial", r"\dd") and above and above[0] == mark:
            return self.derivative(mark, above[1:], below)
        return self.postfix(Apply("quotient", (self.whole(above), self.whole(below))))

    def derivative(self, mark: str, above: list[str], below: list[str]) -> Expr:
        """A derivative from what stands above and below."""
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
        """A name with its indices."""
        found: Symbol | Indexed = self.symbol()
        while self.peek() == "_" or (self.peek() == "^" and self.tokens_after() == "*"):
            found = self.star(found) if self.peek() == "^" else self.indexed(found)
        return found

    def star(self, base: Expr) -> Symbol:
        """The starred name."""
        self.take("^")
        self.take("*")
        return Symbol(f"{name_of(base)}^*")

    def symbol(self) -> Symbol:
        """A name."""
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

    def atom(self) -> Expr:  # noqa: PLR0911 (one return for each kind)
        """A number, a name, or something in brackets."""
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
                return Indicator(chain_of(self.group(), self.functions))
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
        """What stands in brackets: one expression, or a list."""
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
        """The arguments of a call."""
        closing = OPENING[self.take()]
        items = [self.sum()]
        while self.peek() in (",", r"\mid", r"\|", "|"):
            self.take()
            if self.peek() in (r"\dots", r"\ldots") and self.tokens_after() == ",":
                self.take()
                self.take()
                items.append(filled("list", [items.pop()], self.sum()))
            else:
                items.append(self.sum())
        self.take(closing)
        return items

    def matrix(self) -> Expr:
        """A matrix written out."""
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
        """Whether a name is a function."""
        if isinstance(base, Indexed):
            return base.name in self.functions or name_of(base.base) in self.functions
        return isinstance(base, Symbol) and base.name in self.functions

    def indexed(self, base: Expr) -> Indexed:
        """A name with an index."""
        self.take("_")
        found = [token for token in self.group() if token not in THIN]
        name = f"{name_of(base)}_{_braced(found)}"
        try:
            indices = self.indices(found)
        except NotUnderstood:
            indices = ()
        return Indexed(base, indices, name)

    def indices(self, found: list[str]) -> tuple[Expr, ...]:
        """The indices in ``ij``, ``t+1`` or ``j,t``; side by side, no product."""
        items: list[Expr] = []
        parser = self.within(found)
        while parser.peek():
            item = parser.sum()
            if isinstance(item, Apply) and item.kind == "product":
                items += item.parts
            else:
                items.append(item)
            if parser.peek():
                parser.take(",")
        return tuple(items)

    def power(self, base: Expr) -> Expr:
        """A power, a transpose or a starred name."""
        self.take("^")
        found = [token for token in self.group() if token not in THIN]
        if found == [r"\T"]:
            return Apply("transpose", (base,))
        if found == ["*"]:
            return Symbol(f"{name_of(base)}^*")
        exponent = self.whole(found)
        if base == Symbol("e"):
            return Apply("exp", (exponent,))
        return Apply("power", (base, exponent))


def chain_of(part: list[str], functions: Set[str]) -> Chain:
    """The chain that the tokens of one statement make."""
    parser = Parser(part, functions)
    chain = parser.chain()
    parser.finish()
    return chain


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
