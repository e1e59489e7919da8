"""Values of expressions, against NumPy and the rules of calculus."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from equations.language import expression, parse
from equations.meanings import Meanings, Unknown
from equations.operations import Mismatch
from equations.truth import difference
from equations.values import Evaluation
from snippets.checks import Both, Family, Index, Quantity

X = torch.tensor([[1.0, 2.0], [3.0, 5.0], [7.0, 11.0]], dtype=torch.float64)
X.requires_grad_()
w = torch.tensor([2.0, -1.0], dtype=torch.float64, requires_grad=True)
r = X @ w
SYMBOLS = {
    **{"n": 3, "d": 2, "i": Index(3), "j": Index(2), "X": X, "x": Family(X)},
    **{"w": w, "r": r, "L": Both((r**2).sum(), lambda v: ((X @ v) ** 2).sum())},
    **{"p": Family(torch.tensor([0.25, 0.75]), start=0), "B": {1, 3}},
    "z": Index(2, start=-1, step=2),
    **{r"\grad": "w", r"\dd w": torch.tensor([1.0, 10.0]), "f": Quantity(torch.sin)},
    **{"v": torch.tensor([1.0, 2.0, 4.0]), "e": Family(torch.eye(2).double())},
}

MEANINGS = Meanings(SYMBOLS)


def value(formula: str, **bound: int) -> np.ndarray:
    tree = expression(formula, MEANINGS.functions)
    found = Evaluation(MEANINGS, bound).value(tree)
    # The same in torch, of which derivatives are taken.
    tensor = Evaluation(MEANINGS, bound, graph=True).value(tree)
    assert tensor.dtype == torch.float64
    np.testing.assert_allclose(tensor.detach().numpy(), found, rtol=1e-12, atol=1e-12)
    return np.asarray(found)


def holds(formula: str) -> bool:
    [chain] = parse(formula, MEANINGS.functions).chains
    return Evaluation(MEANINGS).holds(chain)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("X w", [[0], [1], [3]]),
        (r"X^\T X", [[59, 94], [94, 150]]),
        (r"w^\T w", 5),
        (r"w w^\T", [[4, -2], [-2, 1]]),
        (r"\norm{w}^2", 5),
        (r"x_2^\T w", 1),
        ("x_{2,1}", 3),
        (r"\sum_{i=1}^n v_i", 7),
        (r"\sum_i \sum_j x_{ij}", 29),
        (r"\sum_{i,j} x_{ij}", 29),
        (r"\sum_{i \ne j} i", 1 * 1 + 2 * 1 + 3 * 2),
        (r"\sum_{i \in B} v_i", 5),
        (r"\prod_{i=1}^n v_i", 8),
        (r"\max_i v_i", 4),
        (r"\max(0, -1)", 0),
        (r"\tr(X^\T X)", 209),
        (r"\diag(w)", [[2, 0], [0, -1]]),
        (r"\diag(w_1, \dots, w_d)", [[2, 0], [0, -1]]),
        (r"\sum_z z^2 - \sum_z z", 2),
        (r"\binom{4}{2}", 6),
        (r"\ind{v_1 < v_2} + \ind{v_1 > v_2}", 1),
        (r"p_0", 0.25),
        (r"\int_0^2 t^2 \dd t", 8 / 3),
        (r"e^{\log 3}", 3),
        (r"\sigma(0)", 0.5),
        (r"\softmax(w)_1", 1 / (1 + math.exp(-3))),
        (r"\logsumexp(w)", math.log(math.exp(2) + math.exp(-1))),
        (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", [[1, 2], [3, 4]]),
        (r"[X \;\; v]", [[1, 2, 1], [3, 5, 2], [7, 11, 4]]),
        ("(1, 2)", [[1], [2]]),
        (r"\cos\,(1 + 1)\,2", math.cos(4)),
        (r"\lambdamax(w w^\T)", 5),
        (r"\operatorname{rank} X", 2),
    ],
)
def test_values(formula: str, expected: object) -> None:
    np.testing.assert_allclose(value(formula), expected, rtol=1e-12, atol=1e-12)


def test_the_gradient_is_that_of_the_graph() -> None:
    by_hand = 2 * X.detach().numpy().T @ r.detach().numpy()
    np.testing.assert_allclose(value(r"\grad L")[:, 0], by_hand)


def test_derivatives_of_inner_vertices_and_entries() -> None:
    assert value(r"\frac{\partial L}{\partial r_i}", i=3) == 2 * 3
    assert value(r"\frac{\partial r_i}{\partial w_j}", i=3, j=2) == 11
    assert value(r"\frac{\partial r_i^2}{\partial w_j}", i=2, j=1) == 2 * 1 * 3
    assert value(r"\frac{\partial^2 L}{\partial w_1 \partial w_2}") == 2 * 94
    assert value(r"\frac{\partial L}{\partial x_{ij}}", i=2, j=1) == 2 * 1 * 2
    assert value(r"f'(0)") == 1
    assert value(r"f''(0)") == 0


def test_gradient_at_another_place() -> None:
    expected = 2 * X.detach().numpy().T @ X.detach().numpy() @ [4, -2]
    np.testing.assert_allclose(value(r"\grad L(2w)")[:, 0], expected)


def test_differentials_are_directional_derivatives() -> None:
    move = np.array([1.0, 10.0])
    matrix = X.detach().numpy()
    np.testing.assert_allclose(value(r"\dd r")[:, 0], matrix @ move)
    np.testing.assert_allclose(value(r"\dd L"), 2 * r.detach().numpy() @ matrix @ move)
    assert value(r"\dd w_j", j=2) == 10
    np.testing.assert_allclose(
        value(r"\dd\,\grad L")[:, 0], 2 * matrix.T @ matrix @ move
    )


def test_expectations_are_exact() -> None:
    weighted = [(0.25, {"a": 1.0}), (0.75, {"a": 3.0})]
    outcomes = {r"\E": weighted, "z": Index(2, 0)}
    evaluation = Evaluation(MEANINGS.changed(outcomes))
    mean = evaluation.value(expression(r"\E[a^2]"))
    assert float(mean) == 0.25 + 0.75 * 9
    share = evaluation.value(expression(r"\Prob(a > 2)"))
    assert float(share) == 0.75
    under = evaluation.value(expression(r"\E_{z \sim p}[z]"))
    assert float(under) == 0.75


@pytest.mark.parametrize(
    "formula",
    ["X X", "w + v", r"w^\T v", "v_4", r"X^2", "w / v", r"\tr(X)", "L(v)"],
)
def test_shapes_and_places_that_do_not_fit_are_wrong(formula: str) -> None:
    with pytest.raises(Mismatch):
        value(formula)


@pytest.mark.parametrize(
    "formula", ["q", "x_0", "X_1", "i", r"\frac{\partial L}{\partial v_1}"]
)
def test_what_the_setting_does_not_say_is_unknown(formula: str) -> None:
    with pytest.raises(Unknown):
        value(formula)


@pytest.mark.parametrize(
    ("formula", "truth"),
    [
        (r"X \in \R^{n \times d}", True),
        (r"X \in \R^{d \times n}", False),
        (r"w \in \R^d", True),
        (r"L \in \R", True),
        ("v_1 = 1", True),
        ("v_1 = 1.0001", False),
        ("v_3 / 3 = 1.33", True),
        ("v_3 / 3 = 1.34", False),
        (r"v_1 < v_1", False),
        (r"v_1 \le v_1", True),
        (r"v \ne 0", True),
        (r"v - v = 0", True),
        (r"v_1 \in \{1, -1\}", True),
        (r"v_2 \in \{1, -1\}", False),
        ("v / 8 = (0.14, 0.25, 0.5)", False),
        ("v / 8 = (0.13, 0.25, 0.5)", True),
        ("v / 3 = (0.33, 0.7, 1.3333)", True),
        ("v = (1.2, 2, 4)", False),
        ("v = (1.0, 2, 5)", False),
    ],
)
def test_truth(formula: str, truth: bool) -> None:
    assert holds(formula) is truth


def test_a_function_has_as_many_arguments_as_it_takes() -> None:
    with pytest.raises(Mismatch, match="cannot be called so"):
        value("L(w, w)")


def test_a_vector_is_in_no_set_of_numbers() -> None:
    with pytest.raises(Mismatch):
        holds(r"v \in \{1, 2, 4\}")


def test_a_family_can_have_a_name_for_something_else() -> None:
    symbols = {"u": Family([1.0, 2.0], start=0, alone=7.0)}
    for formula, expected in [("u", 7), ("u_0", 1), ("u_1", 2)]:
        assert Evaluation(Meanings(symbols)).value(expression(formula)) == expected


def test_a_column_is_not_a_row() -> None:
    with pytest.raises(Mismatch):
        holds(r"w^\T = w")


def test_nan_is_no_agreement() -> None:
    nan = np.float64(math.nan)
    assert difference(nan, nan) == math.inf
    assert difference(np.array([[1.0], [nan]]), np.ones((2, 1))) == math.inf
    for relation in ("=", "<", r"\ge", r"\approx"):
        [chain] = parse(f"a {relation} 1").chains
        meanings = Meanings({"a": math.nan, r"\approx": 0.1})
        assert not Evaluation(meanings).holds(chain)


@given(st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 9))
def test_arithmetic_is_that_of_python(a: int, b: int, c: int) -> None:
    symbols = {"a": a, "b": b, "c": c}
    tree = expression(r"a - b^2 c + \frac{a - b}{c} \cdot 2")
    found = Evaluation(Meanings(symbols)).value(tree)
    assert float(found) == pytest.approx(a - b**2 * c + (a - b) / c * 2)
