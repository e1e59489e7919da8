"""Formulas as trees: what is read, in which order, and what is not."""

import pytest

from equations import tree as tex
from equations.language import is_concrete, parse
from equations.tree import Apply, Call, Chain, Indexed, Number, Over, Symbol


def chain(formula: str, functions: frozenset[str] = frozenset()) -> Chain:
    read = parse(formula, functions)
    assert read.unread == ()
    [only] = read.chains
    return only


def side(formula: str, functions: frozenset[str] = frozenset()) -> tex.Expr:
    """The right-hand side of ``0 = formula``."""
    return chain(f"0 = {formula}", functions).sides[1]


def names(*letters: str) -> tuple[Symbol, ...]:
    return tuple(Symbol(letter) for letter in letters)


def test_a_chain_has_all_its_sides() -> None:
    read = chain(r"a = b \le c < d")
    assert read == Chain(names("a", "b", "c", "d"), ("=", "<=", "<"))


def test_a_product_binds_closer_than_a_sum_and_a_power_closer_still() -> None:
    a, b, c = names("a", "b", "c")
    squared = Apply("power", (b, Number("2")))
    product = Apply("product", (a, squared))
    assert side("ab^2 - c") == Apply("sum", (product, Apply("negative", (c,))))


def test_a_sum_takes_the_product_behind_it_and_no_more() -> None:
    read = side(r"\sum_{i=1}^n a_i b - c")
    assert isinstance(read, Apply)
    [over, _] = read.parts
    assert isinstance(over, Over)
    assert isinstance(over.body, Apply)
    assert over.body.kind == "product"


def test_a_name_before_a_bracket_is_called_only_if_it_is_a_function() -> None:
    called = side("f(x)", frozenset({"f"}))
    assert called == Call(Symbol("f"), (Symbol("x"),))
    assert side("f(x)") == Apply("product", names("f", "x"))
    spaced = side(r"f\,(x)", frozenset({"f"}))
    assert spaced == Apply("product", names("f", "x"))


def test_indices_side_by_side_are_no_product() -> None:
    read = side("X_{ij}")
    assert isinstance(read, Indexed)
    assert read.indices == names("i", "j")
    shifted = side("w_{t+1}")
    assert isinstance(shifted, Indexed)
    assert len(shifted.indices) == 1


@pytest.mark.parametrize(
    "formula",
    [
        r"\frac12 = \frac{1}{2}",
        r"\tfrac1n \norm{r} = \tfrac{1}{n} \norm{r}",
        r"\sqrt2 = \sqrt{2}",
        r"x^2y = x^{2} y",
        r"\bar y_i = {\bar y}_i",
        r"\left( a \right) b = \bigl(a\bigr)\, b",
        r"\log(a) b = \log{}(a) \cdot b",
    ],
)
def test_two_spellings_have_one_tree(formula: str) -> None:
    left, right = chain(formula).sides
    assert left == right


def test_rows_go_on_from_the_alignment_mark() -> None:
    read = parse(r"\begin{aligned} a &= b \\ &\quad = c \\ d &= a \end{aligned}")
    assert [len(found.sides) for found in read.chains] == [3, 2]


def test_statements_are_cut_at_commas_words_and_arrows() -> None:
    read = parse(
        r"a = f(b, c), \qquad d = a \quad\text{and}\quad e = d \Rightarrow a = e"
    )
    assert len(read.chains) == 4


def test_a_bracket_with_a_relation_is_a_condition() -> None:
    read = parse(r"a_i = b_j \qquad (i \ne j)")
    assert len(read.chains) == len(read.conditions) == 1


def test_dots_between_terms_are_a_sum() -> None:
    read = side(r"g_1 + g_2 + \dots + g_t")
    assert isinstance(read, Over)
    assert (read.lower, read.upper) == (Number("1"), Symbol("t"))


def test_dots_between_arguments_are_a_list() -> None:
    read = side(r"f(a, g_1, \dots, g_{t-1})", frozenset({"f"}))
    assert isinstance(read, Call)
    first, rest = read.arguments
    assert first == Symbol("a")
    assert isinstance(rest, Over)
    assert (rest.kind, rest.lower) == ("list", Number("1"))


def test_two_signs_are_two_statements() -> None:
    assert parse(r"(a \pm b)^2 = c \pm d \mp e").chains == (
        *parse("(a + b)^2 = c + d - e").chains,
        *parse("(a - b)^2 = c - d + e").chains,
    )


def test_a_number_is_a_side_without_a_name() -> None:
    assert is_concrete("s = 64 + 576")
    assert is_concrete(r"x = (1, -2)")
    assert not is_concrete("s = 50 + t")


@pytest.mark.parametrize(
    "formula",
    [
        r"s = g_1 + g_3 + \dots + g_t",
        r"s = g_1 + h_2 + \dots + h_t",
        "s = a/bc",
        r"s = \sum_{\text{edges}} a",
        r"w \leftarrow w - g",
        r"f' = a",
        "a = (b",
    ],
)
def test_what_has_no_one_meaning_is_not_read(formula: str) -> None:
    read = parse(formula, frozenset({"f"}))
    assert read.unread
    assert all(reason for reason in read.unread)


def test_derivatives_and_differentials() -> None:
    second = side(r"\frac{\partial^2 L}{\partial u \partial v}")
    assert second == tex.Derivative(Symbol("L"), names("u", "v"))
    slanted = side(r"\partial L / \partial u")
    assert slanted == tex.Derivative(Symbol("L"), names("u"))
    operator = side(r"\frac{\partial}{\partial u} ab")
    assert operator == tex.Derivative(Apply("product", names("a", "b")), names("u"))
    assert side(r"\dd L") == tex.Differential(Symbol("L"))
    assert side(r"\grad_w L") == tex.Gradient(Symbol("L"), Symbol("w"))


def test_a_derivative_of_another_order_is_not_read() -> None:
    assert parse(r"\frac{\partial^2 L}{\partial u} = 0").unread
