"""The numbers of the logistic-regression chapter, by other routes."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from snippets import logistic_regression as chapter
from tests.cells import run_cells

SHEETS, MOCKS = [1, 0, 1, 4, 2, 2, 3, 4], [0, 1, 3, 3, 2, 4, 3, 1]
X = np.column_stack([np.ones(8), SHEETS, MOCKS])
LABELS = np.repeat([-1.0, 1.0], 4)
W = np.array([-2.75, 1.0, 0.5])
FIGURE = Path(__file__).parents[2] / "book/figures/logistic-regression-boundary.svg"
logits = st.floats(-30, 30)
weights = st.tuples(*[st.floats(-1, 1)] * 3).map(np.array)
unhurried = settings(deadline=None, max_examples=40)


def printed(capsys, cell, lines):
    """The numbers in the last lines that the module prints up to a cell."""
    run_cells("logistic_regression", until=cell)
    shown = capsys.readouterr().out.replace("dtype=torch.float64", "").splitlines()
    number = r"-?\d+\.?\d*(?:e[+-]\d+)?|inf|nan"
    return [[float(v) for v in re.findall(number, row)] for row in shown[-lines:]]


def loss_by_product(w):
    """Minus the log of the product of the labels' probabilities."""
    odds = np.exp(X @ w)
    passed = odds / (1 + odds)
    return -math.log(np.prod(np.where(LABELS > 0, passed, 1 - passed)))


def central(f, w, h=1e-5):
    """Central differences of f, one row of the result for each entry of w."""
    return np.array([(f(w + u) - f(w - u)) / (2 * h) for u in h * np.eye(len(w))])


def gradient_by_students(w):
    """The sum of one student's gradient after the other, with plain floats."""
    total = np.zeros(3)
    for row, label in zip(X, LABELS, strict=True):
        total -= label * row / (1 + math.exp(label * float(row @ w)))
    return total


def test_no_weights_get_all_eight_right():
    assert (2 * chapter.X[4] == chapter.X[1] + chapter.X[3]).all()
    assert chapter.y[[1, 3, 4]].tolist() == [-1, -1, 1]
    assert np.array_equal(chapter.X, X)
    assert np.array_equal(chapter.y, LABELS)


@unhurried
@given(logits)
def test_sigmoid_undoes_the_logit_and_has_slope_p_times_one_minus_p(s):
    p = torch.sigmoid(torch.tensor(s, dtype=torch.float64)).item()
    complement = torch.sigmoid(torch.tensor(-s, dtype=torch.float64)).item()
    assert math.log(p / complement) == pytest.approx(s, abs=1e-9)
    slope = central(lambda v: 1 / (1 + math.exp(-v[0])), np.array([s]), h=1e-4)[0]
    assert p * complement == pytest.approx(slope, abs=1e-8)


def test_odds_table_shows_odds_and_probabilities(capsys):
    for logit, odds, p in printed(capsys, "odds-table", 6):
        assert odds == pytest.approx(math.e**logit, abs=5e-4)
        assert p == pytest.approx(odds / (1 + odds), abs=1e-3)


def test_probability_half_is_logit_zero_and_student_5_shows_it(capsys):
    assert chapter.s.tolist() == [-1.75, -2.25, -0.25, 2.75, 0.25, 1.25, 1.75, 1.75]
    half, wrong, zero = (row[:8] for row in printed(capsys, "thresholds", 3))
    assert half == zero == [0, 0, 0, 1, 1, 1, 1, 1]
    assert wrong == [0, 0, 0, 1, 0, 1, 1, 1]


def test_label_probabilities_follow_the_model_and_sum_to_one():
    for margin, score, label, p in zip(
        chapter.m, chapter.s, LABELS, chapter.p, strict=True
    ):
        assert margin == label * score
        seen, other = (1 / (1 + math.exp(-z * score)) for z in (label, -label))
        assert seen + other == pytest.approx(1, rel=1e-15)
        assert p.item() == pytest.approx(seen if label > 0 else other, rel=1e-14)
    assert chapter.t.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


@unhurried
@given(weights)
def test_log_loss_is_minus_the_log_likelihood(w):
    shown = chapter.log_loss(torch.tensor(w)).item()
    assert shown == pytest.approx(loss_by_product(w), rel=1e-7)


def test_loss_at_zero_is_that_of_eight_coins():
    assert chapter.loss_zero.item() == pytest.approx(math.log(256), rel=1e-15)
    assert chapter.w_zero.grad.tolist() == [0, -2.5, -1.5]


def test_pytorchs_three_losses_are_the_log_loss(capsys):
    for (value,) in printed(capsys, "three-names", 3):
        assert value == pytest.approx(loss_by_product(W), abs=5e-5)


def test_both_sides_of_the_indicator_identity():
    expected = np.log1p(np.exp(-LABELS * (X @ W)))
    assert np.allclose(chapter.left, expected, rtol=1e-13)
    assert np.allclose(chapter.right, expected, rtol=1e-13)
    q = np.stack([LABELS == 1, LABELS == -1]).astype(float)
    assert (q.sum(axis=0) == 1).all()
    assert chapter.q_both.tolist() == q.tolist()
    surprise = -np.log([1 / (1 + np.exp(-X @ W)), 1 / (1 + np.exp(X @ W))])
    assert np.allclose(chapter.left, (q * surprise).sum(axis=0), rtol=1e-13)


def test_exchanged_cross_entropy_is_infinite(capsys):
    (right,), (exchanged,) = printed(capsys, "answer-direction", 2)
    assert right == pytest.approx(loss_by_product(W), abs=5e-5)
    assert exchanged == math.inf


def test_one_students_gradients_equal_symbolic_derivatives():
    w = sympy.symbols("w:3")
    score = w[0] + w[1] + 3 * w[2]
    at = dict(zip(w, map(sympy.Rational, ("-11/4", "1", "1/2")), strict=True))
    loss = sympy.log(1 + sympy.exp(score))
    exact = [float(sympy.diff(loss, v).subs(at)) for v in w]
    assert chapter.loss_3.item() == pytest.approx(float(loss.subs(at)), rel=1e-14)
    assert chapter.w_3.grad.tolist() == pytest.approx(exact, rel=1e-14)
    assert chapter.s_3.grad.item() == pytest.approx(exact[0], rel=1e-14)
    assert chapter.m_3.grad.item() == pytest.approx(-exact[0], rel=1e-14)
    assert chapter.a_3.grad.item() == pytest.approx(1 - exact[0], rel=1e-14)
    assert chapter.e_3.grad == chapter.a_3.grad


@unhurried
@given(weights)
def test_gradient_formula_equals_sum_over_students_and_autograd(w):
    leaf = torch.tensor(w, requires_grad=True)
    chapter.log_loss(leaf).backward()
    p = 1 / (1 + np.exp(-X @ w))
    assert np.allclose(leaf.grad, gradient_by_students(w), atol=1e-12)
    assert np.allclose(X.T @ (p - (LABELS > 0)), gradient_by_students(w), atol=1e-12)


def test_gradient_equals_central_differences():
    assert np.allclose(chapter.w_leaf.grad, central(loss_by_product, W), atol=1e-8)
    assert np.allclose(torch.stack(chapter.slopes), gradient_by_students(W), atol=1e-8)
    assert torch.autograd.gradcheck(chapter.log_loss, chapter.w_leaf)
    assert torch.autograd.gradcheck(chapter.stable_log_loss, chapter.w_leaf)


def test_distances_equal_those_by_areas():
    (ax, ay), (bx, by) = (2.75, 0.0), (0.0, 5.5)  # two points of the boundary
    for distance, (_, x, y) in zip(chapter.distances, X, strict=True):
        area = abs((bx - ax) * (ay - y) - (ax - x) * (by - ay))
        assert abs(distance) == pytest.approx(area / math.dist((ax, ay), (bx, by)))


@unhurried
@given(st.floats(0.01, 50))
def test_scaling_keeps_every_decision(c):
    assert chapter.accuracy(c * chapter.w) == 7 / 8


@unhurried
@given(weights)
def test_hessian_equals_differences_of_the_gradient_and_is_bounded(w):
    matrix = chapter.hessian(chapter.log_loss, torch.tensor(w)).numpy()
    assert np.allclose(matrix, central(gradient_by_students, w), atol=1e-7)
    eigenvalues = np.linalg.eigvalsh(matrix)
    assert eigenvalues[0] > 1e-4
    assert eigenvalues[-1] <= np.linalg.svd(X)[1][0] ** 2 / 4 + 1e-9


def test_curvature_bound_is_reached_at_zero(capsys):
    values = [row[0] for row in printed(capsys, "answer-bound", 5)]
    assert values[:2] == pytest.approx([np.linalg.svd(X)[1][0] ** 2 / 4] * 2, abs=5e-5)
    assert values == sorted(values, reverse=True)


@unhurried
@given(weights)
def test_newton_finds_the_global_minimum(step):
    best = chapter.best.numpy()
    assert np.abs(gradient_by_students(best)).max() < 1e-12
    assert loss_by_product(best) <= loss_by_product(best + step) + 1e-12
    assert (1 / (1 + np.exp(-X @ best))).sum() == pytest.approx(4, abs=1e-12)


def test_lower_loss_has_lower_accuracy():
    right = [int((LABELS * (X @ v) > 0).sum()) for v in (W, chapter.best.numpy())]
    assert right == [7, 6]
    assert [chapter.accuracy(v) for v in (chapter.w, chapter.best)] == [7 / 8, 6 / 8]
    assert loss_by_product(chapter.best.numpy()) < loss_by_product(W)


def test_squared_error_loses_its_slope(capsys):
    scores = [-1.0, -2, -4, -8]
    logs, squares = printed(capsys, "squared-slopes", 2)
    assert logs == pytest.approx([-1 / (1 + math.exp(z)) for z in scores], abs=6e-5)
    square = np.vectorize(lambda z: (1 - 1 / (1 + math.exp(-z))) ** 2)
    exact = [central(square, np.array([z]))[0, 0] for z in scores]
    assert squares == pytest.approx(exact, abs=6e-5)


def test_squared_error_is_not_convex():
    def loss(w):
        return ((1 / (1 + np.exp(-X @ w)) - (LABELS > 0)) ** 2).sum()

    def slope(w):
        return central(loss, w)

    matrix = central(slope, -chapter.best.numpy(), h=1e-4)
    shown = chapter.hessian(chapter.squared_error, -chapter.best)
    assert np.allclose(shown, matrix, atol=1e-4)
    assert (np.linalg.eigvalsh(matrix) < -0.05).sum() == 2


def test_squared_error_is_concave_below_one_third(capsys):
    s = sympy.symbols("s")
    second = sympy.diff((1 - 1 / (1 + sympy.exp(-s))) ** 2, s, 2)
    exact = [float(second.subs(s, math.log(p / (1 - p)))) for p in (0.1, 0.3, 0.5, 0.8)]
    for row in printed(capsys, "answer-concave", 2):
        assert row == pytest.approx(exact, abs=6e-5)
    assert sympy.simplify(second.subs(s, -sympy.log(2))) == 0


def test_direct_formula_overflows_and_the_stable_one_does_not(capsys):
    assert printed(capsys, "overflow", 1)[0] == pytest.approx(
        [math.inf] + 3 * [math.nan], nan_ok=True
    )
    assert chapter.loss_large.item() == pytest.approx(2750, rel=1e-12)
    assert chapter.w_large.grad.tolist() == [1, 4, 3]
    assert printed(capsys, "vanish", 2) == [
        [0],
        [pytest.approx(math.exp(-20), rel=1e-4)],
    ]


@unhurried
@given(st.integers(-5000, 5000).map(lambda k: k / 10))
def test_stable_forms_equal_the_exact_log_loss(m):
    exact = float(sympy.log(1 + sympy.exp(-sympy.Rational(str(m)))).evalf(30))
    margin = torch.tensor([m], dtype=torch.float64, requires_grad=True)
    for value in (-nn.functional.logsigmoid(margin), chapter.by_hand(margin),
                  chapter.by_logaddexp(margin)):  # fmt: skip
        assert value.item() == pytest.approx(exact, rel=1e-13)
    slope = torch.autograd.grad(chapter.by_logaddexp(margin), margin)[0].item()
    assert slope == pytest.approx(math.expm1(-exact), rel=1e-9, abs=1e-15)


def test_written_out_form_has_the_wrong_slope_at_zero_only():
    margins = torch.tensor([-1000.0, -1, 0, 1], dtype=torch.float64, requires_grad=True)
    slopes = [torch.autograd.grad(f(margins).sum(), margins)[0]
              for f in (chapter.by_hand, chapter.by_logaddexp)]  # fmt: skip
    assert slopes[1][2] == -0.5
    assert ((slopes[0] - slopes[1]).abs() > 1e-12).tolist() == [
        False,
        False,
        True,
        False,
    ]
    assert slopes[0][2] == -1


def test_overflow_and_clamp_of_pytorchs_losses():
    assert chapter.soft_margin.isinf()
    assert chapter.with_logits == 1000
    assert torch.sigmoid(chapter.score) == 1
    assert chapter.in_two == 100
    assert chapter.in_one.item() == pytest.approx(math.log(1 + math.exp(20)), rel=1e-6)


def test_second_sigmoid_prefers_the_bad_answer(capsys):
    def loss(s, t):
        return math.log(1 + math.exp(s)) - t * s

    def double(s, t):
        return loss(1 / (1 + math.exp(-s)), t)

    rows = printed(capsys, "sigmoid-twice", 4)
    pairs = [(4.0, 1), (-4.0, 0), (-4.0, 1)]
    for f, values, slopes in ((loss, *rows[:2]), (double, *rows[2:])):
        exact = [(f(s + 1e-5, t) - f(s - 1e-5, t)) / 2e-5 for s, t in pairs]
        assert values == pytest.approx([f(s, t) for s, t in pairs], abs=6e-5)
        assert slopes == pytest.approx(exact, abs=6e-5)
    assert chapter.twice[2] < chapter.twice[1]


def test_answers_on_odds_and_on_the_ninth_student(capsys):
    odds, logit, (factor,) = printed(capsys, "answer-odds", 3)
    assert odds == [1, 4, 9]
    assert logit == pytest.approx([0, math.log(4), 2 * math.log(3)], abs=5e-5)
    assert factor == pytest.approx(math.exp(chapter.best[1]), abs=5e-5)
    wrong = math.exp(1.25) / (1 + math.exp(1.25))
    assert chapter.loss_ninth.item() == pytest.approx(-math.log(1 - wrong))
    assert chapter.w_ninth.grad.tolist() == pytest.approx([wrong, 3 * wrong, 2 * wrong])


def test_soft_label_is_predicted_by_its_own_logit(capsys):
    below, least, above, (torchs,) = printed(capsys, "answer-soft-label", 4)
    entropy = -0.8 * math.log(0.8) - 0.2 * math.log(0.2)
    assert least == pytest.approx([math.log(4), entropy], abs=5e-4)
    assert torchs == pytest.approx(entropy, abs=5e-5)
    assert least[1] < min(below[1], above[1])


def test_separable_loss_falls_towards_zero(capsys):
    kept = np.array([0.25, 0.25, 1.25, 1.75, 1.75, 1.75, 2.25])
    for c, value in printed(capsys, "answer-separable", 3):
        assert value == pytest.approx(np.log1p(np.exp(-c * kept)).sum(), rel=1e-3)


def test_far_student_misleads_least_squares_only():
    rows, labels = np.vstack([X, [1, 10, 10]]), np.append(LABELS, 1)

    def wrong(w):
        return (np.flatnonzero(labels * (rows @ w.numpy()) < 0) + 1).tolist()

    for line, A, b in ((chapter.line, X, LABELS), (chapter.line_far, rows, labels)):
        assert np.allclose(line, np.linalg.inv(A.T @ A) @ A.T @ b, atol=1e-10)
    assert wrong(chapter.line) == [4, 5]
    assert wrong(chapter.line_far) == [4, 5, 6]
    assert wrong(chapter.best_far) == [4, 5]
    p = 1 / (1 + np.exp(-rows @ chapter.best_far.numpy()))
    assert np.abs(rows.T @ (p - (labels > 0))).max() < 1e-12


def test_labels_of_minus_one_are_not_checked_and_have_no_lower_bound(capsys):
    s = X @ chapter.best.numpy()
    for c, wrong, right in printed(capsys, "answer-wrong-labels", 3):
        for value, labels in ((wrong, LABELS), (right, LABELS > 0)):
            exact = (np.logaddexp(0, c * s) - labels * c * s).sum()
            assert value == pytest.approx(exact, abs=6e-4)
    with pytest.raises(RuntimeError, match="target should be between 0 and 1"):
        nn.BCELoss()(chapter.p, chapter.y)


def test_figure_shows_the_students_and_the_two_boundaries():
    svg = FIGURE.read_text(encoding="utf-8")
    marks = re.findall(r'class="(failed|passed)" cx="(\d+)" cy="(\d+)"', svg)
    at = np.array([[1, float(x), float(y)] for _, x, y in marks])
    to_plane = np.linalg.lstsq(at, X[:, 1:])[0]
    assert [name == "passed" for name, *_ in marks] == (LABELS > 0).tolist()
    assert np.allclose(at @ to_plane, X[:, 1:], atol=1e-9)
    line = r'class="(\w+)" x1="(.+?)" y1="(.+?)" x2="(.+?)" y2="(.+?)"'
    boundaries = {name: map(float, ends) for name, *ends in re.findall(line, svg)}
    for name, w in (("w", W), ("best", chapter.best.numpy())):
        x1, y1, x2, y2 = boundaries[name]
        ends = np.array([[1, x1, y1], [1, x2, y2]]) @ to_plane
        assert np.abs(w[0] + ends @ w[1:]).max() < 1e-3
