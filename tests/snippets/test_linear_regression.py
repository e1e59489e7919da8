"""What the chapter on linear regression shows, by other routes than its own."""

import re
from fractions import Fraction
from math import log, prod
from statistics import NormalDist

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets import linear_regression as lr
from tests.cells import (
    LIBRARY,
    assert_shown_below,
    expected_numbers,
    figure_of,
    run_cells,
)

ROWS, WEIGHTS, TARGETS = [(1, 2, 3), (4, 5, 6), (7, 8, 9)], (3, 2, 1), (2, 4, 8)
X = np.array(ROWS, dtype=float)
MIDDLE = np.array([1 / 2, 1 / 3, 1 / 6])
NULL = np.array([1.0, -2.0, 1.0])

small_integers = st.lists(st.integers(-9, 9), min_size=3, max_size=3)


def loss_at(weights, rows=ROWS, targets=TARGETS, bias=0):
    """The sum of squares by plain loops, exact for integers and fractions."""
    predictions = [
        sum(a * b for a, b in zip(row, weights, strict=True)) for row in rows
    ]
    pairs = zip(predictions, targets, strict=True)
    return sum((p + bias - target) ** 2 for p, target in pairs)


def symbolic_gradient(factor=1):
    symbols = sympy.symbols("w1:4")
    loss = factor * loss_at(symbols)
    at = dict(zip(symbols, WEIGHTS, strict=True))
    return [float(sympy.diff(loss, symbol).subs(at)) for symbol in symbols]


def slopes(f, start, h=1e-5):
    """Central differences in float64 for an array of any shape."""
    start = np.array(start, dtype=float)
    result = np.empty_like(start)
    for index in np.ndindex(start.shape):
        step = np.zeros_like(start)
        step[index] = h
        result[index] = (f(start + step) - f(start - step)) / (2 * h)
    return result


def printed(cell, capsys):
    """The numbers that a cell prints, line by line."""
    cells = LIBRARY.cells("linear_regression")
    names = list(cells)
    namespace = run_cells("linear_regression", until=names[names.index(cell) - 1])
    capsys.readouterr()
    exec(cells[cell].source, namespace)
    number = re.compile(r"nan|-?\d+\.?\d*(?:e-?\d+)?")
    lines = capsys.readouterr().out.splitlines()
    return [[float(text) for text in number.findall(line)] for line in lines]


def test_four_routes_give_the_symbolic_gradient():
    expected = symbolic_gradient()
    assert expected == [740, 880, 1020]
    for route in (lr.gradient, lr.by_hand, lr.by_norm, lr.by_mse, lr.by_differences):
        assert list(map(float, route)) == pytest.approx(expected, rel=1e-6)


def test_every_spelling_of_the_loss_is_the_sum_of_squares():
    for loss in (lr.loss_norm, lr.loss_mse, lr.squared_error(lr.w), lr.L):
        assert loss.item() == pytest.approx(loss_at(WEIGHTS), rel=1e-6)
    assert torch.norm(lr.X @ lr.w - lr.y).item() ** 2 == pytest.approx(2084)


@settings(deadline=None)
@given(small_integers, small_integers)
def test_expansion_is_exact_for_integers(start, step):
    start, step = torch.tensor(start).float(), torch.tensor(step).float()
    moved = loss_at((start + step).int().tolist()) - loss_at(start.int().tolist())
    change = lr.squared_error(start + step) - lr.squared_error(start)
    assert change.item() == moved


def test_shown_expansion_splits_the_change_into_slope_and_curvature():
    step = (1, -1, 2)
    assert lr.change.item() == loss_at((4, 1, 3)) - loss_at(WEIGHTS)
    assert lr.first_order.item() == np.dot(step, symbolic_gradient())
    assert lr.second_order.item() == loss_at(step, targets=(0, 0, 0))


def test_gradients_along_the_graph_equal_central_differences():
    residual = np.array([8.0, 24.0, 38.0])
    by_norm = slopes(lambda m: m**2, np.linalg.norm(residual))
    by_residual = slopes(lambda r: np.linalg.norm(r) ** 2, residual)
    assert lr.m.grad.item() == pytest.approx(float(by_norm), rel=1e-5)
    for vertex in (lr.r, lr.z):
        np.testing.assert_allclose(vertex.grad, by_residual, rtol=1e-5)


def test_figure_shows_the_values_and_gradients_of_the_graph():
    figure, _ = figure_of("linear_regression", "figure-squared-error")
    svg = re.sub(r"</?tspan[^>]*>", "", figure.svg)
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    root = 2084**0.5
    for name, value, slope in (
        ("z = X @ w", "(10, 28, 46)", "∇ (16, 48, 76)"),
        ("r = z − y", "(8, 24, 38)", "∇ (16, 48, 76)"),
        ("m = ‖r‖", f"{root:.2f}", f"∇ {2 * root:.1f}"),
        ("L = m²", str(loss_at(WEIGHTS)), "∇ 1"),
        ("w", str(WEIGHTS), f"∇ {tuple(map(int, symbolic_gradient()))}"),
    ):
        place = texts.index(name)
        assert texts[place + 1 : place + 3] == [value, slope]
    entries = texts[texts.index("X") + 1 :][:9]
    assert entries == [str(entry) for row in ROWS for entry in row]
    assert texts[texts.index("y") + 1] == str(TARGETS)


def test_two_graphs_of_one_loss_send_the_same_gradient_back():
    gradients = []
    for cell in ("figure-squared-error", "figure-sum-of-squares"):
        figure, _ = figure_of("linear_regression", cell)
        last = [step["answer"] for step in figure.data["steps"]][-1]
        gradients.append(last)
    assert list(map(list, gradients)) == [list(map(int, symbolic_gradient()))] * 2
    figure, _ = figure_of("linear_regression", "figure-zero-residual")
    assert figure.data["steps"][-1]["answer"] == ("nan",) * 3


def test_only_the_separate_square_root_gives_nan_at_a_perfect_fit(capsys):
    plain, norm, root = printed("zero-residual", capsys)
    assert plain == norm == [0, 0, 0]
    assert np.isnan(root).all()
    assert len(root) == 3


@settings(deadline=None)
@given(small_integers, st.sampled_from([0.25, 1.0, 3.0]))
def test_central_differences_of_a_quadratic_are_exact_for_every_step(start, h):
    start = torch.tensor(start, dtype=torch.float64)
    found = lr.central_differences(lambda w: (w**2).sum() + 5 * w[1], start, h)
    np.testing.assert_allclose(found, 2 * start + torch.tensor([0, 5, 0]), atol=1e-9)


def test_tiny_steps_leave_whole_multiples_of_the_float32_spacing():
    assert lr.grain == pytest.approx(2.0**-12 / 2e-6, rel=1e-6)
    multiples = (lr.tiny / lr.grain).numpy()
    np.testing.assert_allclose(multiples, multiples.round(), atol=1e-3)
    assert np.abs(lr.tiny.numpy() - symbolic_gradient()).max() > 5


def test_root_two_squared_misses_two_by_one_spacing():
    assert lr.detour.item() == np.nextafter(2, 3)
    assert lr.direct.item() == 2


def test_default_tolerance_is_blind_to_tiny_numbers(capsys):
    gap, size = 4e-9, 5e-9
    expected = [gap <= 1e-8 + 1e-5 * size, gap <= 1e-5 * size]
    run_cells("linear_regression", until="blind-tolerance")
    shown = capsys.readouterr().out.split()[-2:]
    assert shown == [str(answer) for answer in expected]


def test_answer_gradient_of_other_data_agrees_to_float32_precision():
    found = slopes(lambda v: float(((lr.A @ v - lr.b) ** 2).sum()), lr.v)
    np.testing.assert_allclose(lr.hand, found, rtol=1e-6)
    assert 0 < lr.gap < 1e-5


def test_mean_divides_loss_and_gradient_by_the_number_of_examples():
    assert lr.loss_mean.item() == pytest.approx(2084 / 3)
    assert lr.by_mean.tolist() == pytest.approx(symbolic_gradient(Fraction(1, 3)))


@pytest.mark.parametrize(
    ("run", "factor"),
    [("mean, 0.005", 1 / 3), ("sum,  0.005", 1), ("sum,  0.005 / 3", 1 / 3)],
)
def test_descent_follows_the_closed_form(run, factor):
    values, vectors = np.linalg.eigh(X @ X.T)
    shrink = (1 - 2 * 0.005 * factor * values) ** np.arange(5)[:, None]
    parts = shrink * (vectors.T @ [8.0, 24.0, 38.0])
    np.testing.assert_allclose(lr.runs[run], (parts**2).sum(axis=1), rtol=2e-3)


def test_the_sheets_matrix_has_rank_two_with_the_shown_null_direction():
    matrix = sympy.Matrix(ROWS)
    for sides in (matrix, matrix.T):
        [null] = sides.nullspace()
        assert list(map(float, null)) == lr.u.tolist() == NULL.tolist()
    assert matrix.rank() == lr.answer.rank.item() == 2
    assert (lr.u @ lr.y).item() == 2 - 2 * 4 + 8


def test_minimisers_are_the_exact_solutions_of_the_normal_equations(capsys):
    matrix, targets = sympy.Matrix(ROWS), sympy.Matrix(TARGETS)
    lines = printed("minimisers", capsys)
    for t, line in zip(
        (Fraction(0), Fraction(-1, 6), Fraction(10)), lines, strict=True
    ):
        exact = [Fraction(3, 6) + t, Fraction(2, 6) - 2 * t, Fraction(1, 6) + t]
        assert not any(matrix.T * (matrix * sympy.Matrix(exact) - targets))
        assert loss_at(exact) == Fraction(2, 3)
        assert line == pytest.approx([2 / 3, 0, *map(float, exact)], abs=1e-4)


def test_lstsq_returns_the_shortest_minimiser():
    np.testing.assert_allclose(lr.shortest, np.linalg.pinv(X) @ TARGETS)
    np.testing.assert_allclose(lr.answer.solution, np.linalg.pinv(X) @ TARGETS)


def test_nearly_parallel_columns_are_independent_until_multiplied():
    columns = [[Fraction(entry) for entry in row] for row in lr.slim.tolist()]
    exact = sum(row[0] ** 2 for row in columns)
    assert exact == 1 + Fraction(1, 2**54)
    assert float(exact) == 1
    assert torch.linalg.matrix_rank(lr.slim) == 2
    assert torch.equal(lr.slim.T @ lr.slim, torch.ones(2, 2).double())
    solution = torch.linalg.lstsq(lr.slim, lr.target).solution
    np.testing.assert_allclose(solution, [1, 2], rtol=1e-6)


def test_zero_slope_with_nothing_explained():
    points = [(x, x * x) for x in (-2, -1, 0, 1, 2)]
    assert lr.slope.grad.item() == -2 * sum(x * y for x, y in points) == 0
    assert lr.misfit.item() == sum(y * y for _, y in points) == 34


def gaussian_cost(weights, sigma=2.0):
    densities = [
        NormalDist(float(mean), sigma).pdf(target)
        for mean, target in zip(X @ weights, TARGETS, strict=True)
    ]
    return -log(prod(densities))


def test_negative_log_likelihood_and_its_gradient(capsys):
    assert lr.nll.item() == pytest.approx(gaussian_cost(WEIGHTS))
    found = slopes(gaussian_cost, WEIGHTS)
    np.testing.assert_allclose(lr.nll_gradient, found, rtol=1e-6)
    [value], gradient = printed("likelihood-formula", capsys)
    assert value == pytest.approx(gaussian_cost(WEIGHTS), abs=1e-4)
    assert gradient == pytest.approx(found, rel=1e-6)


def test_answer_wrong_transpose_is_another_vector(capsys):
    wrong, right = printed("answer-wrong-transpose", capsys)
    assert wrong == (2 * X @ [8, 24, 38]).tolist()
    assert right == symbolic_gradient()


def test_answer_rate_times_factor_is_constant(capsys):
    lines = printed("answer-factors", capsys)
    for (_, *gradient, rate), c in zip(lines, (1, 3, 2, 6), strict=True):
        assert gradient == pytest.approx(symbolic_gradient(Fraction(1, c)), rel=1e-5)
        assert rate == pytest.approx(0.001 * c)


def test_answer_bias_has_the_slope_of_the_loss_and_adds_no_rank():
    slope = Fraction(loss_at(WEIGHTS, bias=1) - loss_at(WEIGHTS, bias=-1), 2)
    assert lr.bias_gradient.item() == slope
    widened = [[*row, 1] for row in ROWS]
    assert lr.widened.tolist() == widened
    assert sympy.Matrix(widened).rank() == torch.linalg.matrix_rank(lr.widened) == 2


def test_answer_ridge_shrinks_along_singular_vectors_and_tends_to_the_shortest(capsys):
    left, values, right = np.linalg.svd(X)
    for strength, *weights in printed("answer-ridge", capsys):
        shrunk = values / (values**2 + strength) * (left.T @ TARGETS)
        assert weights[:3] == pytest.approx(right.T @ shrunk, abs=6e-5)
    assert weights[:3] == pytest.approx(MIDDLE, abs=1e-4)


def test_answer_variance_is_the_best_of_its_neighbours():
    best = (2 / 9) ** 0.5
    assert lr.spread.item() == pytest.approx(best)
    assert abs(lr.spread_gradient.item()) < 1e-9
    assert lr.cost.item() == pytest.approx(gaussian_cost(MIDDLE, best))
    for other in (best - 0.01, best + 0.01):
        assert gaussian_cost(MIDDLE, other) > gaussian_cost(MIDDLE, best)


def test_answer_many_outputs_divides_by_the_number_of_entries():
    inputs, targets = lr.inputs4.numpy(), lr.targets.numpy()
    found = slopes(lambda m: ((inputs @ m.T - targets) ** 2).sum(), lr.W.tolist())
    np.testing.assert_allclose(lr.formula, found, rtol=1e-6)
    np.testing.assert_allclose(lr.grad_W, found / (4 * 2), rtol=1e-6)


@settings(max_examples=3, deadline=None)
@given(small_integers)
def test_answer_two_starts_keep_their_part_along_the_null_direction(start):
    end = lr.settle([float(entry) for entry in start])
    expected = MIDDLE + NULL * (NULL @ start) / 6
    np.testing.assert_allclose(end, expected, atol=1e-6)
    np.testing.assert_allclose(lr.ends, [MIDDLE, [1, -2 / 3, 2 / 3]], atol=1e-6)


def test_silent_mistakes_of_a_gradient_have_the_stated_size(capsys):
    right = np.array(symbolic_gradient())
    worst = np.abs(lr.tiny.numpy() - right).max()
    # whole multiples of the grain cannot come nearer than the printed ones are
    assert worst == pytest.approx(
        max(abs(np.array([6, 8, 8]) * 2.0**-12 / 2e-6 - right))
    )
    wrong, _ = printed("answer-wrong-transpose", capsys)
    assert wrong == [2 * np.dot(row, (8, 24, 38)) for row in ROWS]
    assert (np.array(wrong) - right).tolist() == [-400, -120, 160]


def test_wrong_rate_multiplies_the_error_as_the_steepest_direction_does():
    steepest = np.linalg.eigvalsh(X.T @ X).max()
    ratio = lr.runs["sum,  0.005"][-1] / lr.runs["sum,  0.005"][-2]
    assert ratio == pytest.approx((1 - 0.005 * 2 * steepest) ** 2, rel=1e-3)


def test_mse_loss_of_a_column_and_a_vector_only_warns():
    predictions = (lr.X @ lr.w).detach()
    with pytest.warns(UserWarning, match="target size"):
        wrong = torch.nn.MSELoss(reduction="sum")(predictions[:, None], lr.y)
    values = [sum(a * b for a, b in zip(row, WEIGHTS, strict=True)) for row in ROWS]
    assert wrong.item() == sum((v - y) ** 2 for v in values for y in TARGETS)


def test_values_in_sentences_by_other_routes():
    right = np.array(symbolic_gradient())
    grain = 2.0**-12 / 2e-6
    worst = np.abs(np.array([6, 8, 8]) * grain - right).max()
    steepest = np.linalg.eigvalsh(X.T @ X).max()
    crossed = np.array([2 * np.dot(row, (8, 24, 38)) for row in ROWS])
    computed = {
        "tiny-difference": [2084, 2.0**-12, grain, round(worst), *right],
        "blind-tolerance": [5],
        "same-rate": [(1 - 0.005 * 2 * steepest) ** 2],
        "answer-wrong-transpose": crossed - right,
    }
    assert_shown_below("linear-regression", computed)
    assert computed["tiny-difference"][0] == loss_at(WEIGHTS)
    # a gap of pure rounding is below half a spacing of float32 near 10
    gap, spacing, *_ = expected_numbers("linear-regression", "below answer-same-result")
    assert spacing == pytest.approx(2.0 ** (3 - 23), rel=2e-2)
    assert 0 < gap < spacing / 2
