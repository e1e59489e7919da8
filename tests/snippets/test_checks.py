"""The tools with which equations are checked: draws, routes, declarations."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snippets import checks
from snippets.checks import (
    Both,
    Check,
    Family,
    Quantity,
    RandomDraw,
    Redraw,
    Setting,
    autograd,
    differences,
    hessian,
    python_name,
)


def draws(seed: int) -> list[object]:
    draw = RandomDraw(seed)
    return [draw.size(), *draw.normal(3).tolist(), *draw.positive(2).tolist()]


def test_a_seed_fixes_the_draws_and_another_changes_them() -> None:
    assert draws(1) == draws(1)
    assert draws(1) != draws(2)


@given(st.integers(0, 10_000))
def test_draws_keep_their_ranges(seed: int) -> None:
    draw = RandomDraw(seed)
    assert 2 <= draw.size() <= 4
    assert draw.integer(5, 5) == 5
    assert draw.normal(2, 3).shape == (2, 3)
    positive = draw.positive(50)
    assert bool(((positive >= 0.1) & (positive < 3)).all())
    assert set(draw.signs(50).tolist()) == {-1.0, 1.0}
    shares = draw.distribution(4)
    assert bool((shares > 0).all())
    assert shares.sum().item() == pytest.approx(1)


def test_leaves_are_float64_and_vary() -> None:
    leaf = RandomDraw(0).normal(2)
    assert leaf.dtype == torch.float64
    assert leaf.is_leaf
    assert leaf.requires_grad


def test_a_requirement_asks_for_another_draw() -> None:
    RandomDraw(0).require(True)
    with pytest.raises(Redraw):
        RandomDraw(0).require(False)


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=4))
def test_both_routes_give_the_derivative_of_a_cubic(numbers: list[float]) -> None:
    at = torch.tensor(numbers, dtype=torch.float64)
    expected = 3 * at**2 + 1

    def cubic(x: torch.Tensor) -> torch.Tensor:
        return (x**3 + x).sum()

    np.testing.assert_allclose(autograd(cubic, at), expected, atol=1e-12)
    np.testing.assert_allclose(differences(cubic, at), expected, atol=1e-6)


def test_second_derivatives_are_those_of_a_quadratic_and_a_cubic_function() -> None:
    A = torch.tensor([[1.0, 2.0], [5.0, 3.0]]).double()
    at = torch.tensor([0.5, -1.0]).double()
    found = hessian(lambda x: x @ A @ x + x[0] ** 3, at)
    expected = A + A.T + torch.diag(torch.tensor([6 * 0.5, 0.0]))
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert not found.requires_grad


def test_several_variables_have_a_gradient_each() -> None:
    a, b = torch.tensor(2.0).double(), torch.tensor([3.0, 5.0]).double()

    def scaled(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (a * b).sum()

    for route in (autograd, differences):
        by_a, by_b = route(scaled, a, b)
        assert float(by_a) == pytest.approx(8)
        assert by_b.tolist() == pytest.approx([2, 2])


@pytest.mark.parametrize(
    ("tex", "name"),
    [
        ("X", "X"),
        (r"\eta", "eta"),
        ("w^*", "w_star"),
        (r"\lambda", "lambda_"),
        (r"\bar y", "bar_y"),
        (r"w_\lambda", "w_lambda"),
    ],
)
def test_names_in_python(tex: str, name: str) -> None:
    assert python_name(tex) == name


def test_a_check_gets_plain_values_of_the_symbols_that_it_names() -> None:
    leaf = torch.ones(2, requires_grad=True)
    setting = Setting(lambda draw: {}, ("here",))
    symbols = {
        **{"a": leaf, "b": Both(leaf, torch.sum), "c": Family(leaf), "n": 2},
        "f": Quantity(torch.sum),
    }
    seen = Check("eq-x", setting, lambda a, b, c, n, f: locals()).run(symbols)
    assert not any(seen[name].requires_grad for name in "abc")
    assert seen["n"] == 2
    assert seen["f"] is torch.sum
    assert Check("eq-x", setting).run(symbols) == {}


def test_two_checks_of_one_label_are_a_mistake() -> None:
    setting = Setting(lambda draw: {}, ("here",))
    try:
        checks.check("eq-twice", setting)(lambda: {})
        with pytest.raises(ValueError, match="eq-twice is checked twice"):
            checks.check("eq-twice", setting)(lambda: {})
    finally:
        checks.forget("test_checks")
