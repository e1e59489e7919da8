"""The numbers of the logistic-regression chapter, by other routes."""

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn

from snippets import logistic_regression as chapter
from tests.cells import assert_shown_below, expected_numbers, figure_of, run_cells

SHEETS, MOCKS = [1, 0, 1, 4, 2, 2, 3, 4], [0, 1, 3, 3, 2, 4, 3, 1]
X = np.column_stack([np.ones(8), SHEETS, MOCKS])
LABELS = np.repeat([-1.0, 1.0], 4)
W = np.array([-2.75, 1.0, 0.5])
BEST = chapter.best.numpy()
weights = st.tuples(*[st.floats(-1, 1)] * 3).map(np.array)
unhurried = settings(deadline=None, max_examples=40)


def printed(capsys, cell, lines):
    """The numbers in the last lines that the module prints up to a cell."""
    run_cells("logistic_regression", until=cell)
    shown = capsys.readouterr().out.replace("dtype=torch.float64", "").splitlines()
    number = r"-?\d+\.?\d*(?:e[+-]\d+)?|inf|nan"
    return [[float(v) for v in re.findall(number, row)] for row in shown[-lines:]]


def likelihoods(w, X=X, labels=LABELS):
    """The probability of each label, from the odds of passing."""
    odds = np.exp(X @ w)
    return np.where(labels > 0, odds / (1 + odds), 1 / (1 + odds))


def loss_by_product(w):
    return -math.log(np.prod(likelihoods(w)))


def central(f, w, h=1e-5):
    """Central differences of f, one row of the result for each entry of w."""
    return np.array([(f(w + u) - f(w - u)) / (2 * h) for u in h * np.eye(len(w))])


def gradient_by_students(w, X=X, labels=LABELS):
    """The sum of one student's gradient after the other, with plain floats."""
    total = np.zeros(3)
    for row, label in zip(X, labels, strict=True):
        total -= label * row / (1 + math.exp(label * float(row @ w)))
    return total


def test_no_weights_get_all_eight_right():
    assert np.array_equal(chapter.X, X)
    assert np.array_equal(chapter.y, LABELS)
    assert chapter.t.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert (2 * X[4] == X[1] + X[3]).all()
    assert LABELS[[1, 3, 4]].tolist() == [-1, -1, 1]


def test_probability_half_is_logit_zero_and_student_5_shows_it(capsys):
    for logit, odds, p in printed(capsys, "odds-table", 6):
        assert odds == pytest.approx(math.e**logit, abs=5e-4)
        assert p == pytest.approx(odds / (1 + odds), abs=1e-3)
    assert chapter.s.tolist() == [-1.75, -2.25, -0.25, 2.75, 0.25, 1.25, 1.75, 1.75]
    half, wrong, zero = (row[:8] for row in printed(capsys, "thresholds", 3))
    assert half == zero == [0, 0, 0, 1, 1, 1, 1, 1]
    assert wrong == [0, 0, 0, 1, 0, 1, 1, 1]


def test_label_probabilities_follow_the_odds():
    assert np.allclose(torch.sigmoid(chapter.m), likelihoods(W), rtol=1e-14)
    assert np.allclose(chapter.p, likelihoods(W, labels=np.ones(8)), rtol=1e-14)


@unhurried
@given(weights)
def test_log_loss_is_minus_the_log_likelihood(w):
    for loss in (chapter.log_loss, chapter.stable_log_loss):
        assert loss(torch.tensor(w)).item() == pytest.approx(loss_by_product(w))


def test_loss_at_zero_is_that_of_eight_coins_and_has_three_names(capsys):
    assert chapter.loss_zero.item() == pytest.approx(math.log(256), rel=1e-15)
    assert chapter.w_zero.grad.tolist() == [0, -(11 - 6) / 2, -(10 - 7) / 2]
    for (value,) in printed(capsys, "three-names", 3):
        assert value == pytest.approx(loss_by_product(W), abs=5e-5)


def test_both_sides_are_the_cross_entropy_relative_to_the_label(capsys):
    q = np.stack([LABELS == 1, LABELS == -1]).astype(float)
    assert chapter.q_both.tolist() == q.tolist()
    surprise = -np.log([likelihoods(W, labels=np.full(8, z)) for z in (1, -1)])
    for side in (chapter.left, chapter.right):
        assert np.allclose(side, (q * surprise).sum(axis=0), rtol=1e-13)
    (right,), (exchanged,) = printed(capsys, "answer-direction", 2)
    assert right == pytest.approx(loss_by_product(W), abs=5e-5)
    assert exchanged == math.inf


def test_one_students_gradients_equal_differences():
    slope = central(lambda w: math.log1p(math.exp(w @ X[2])), W)
    assert chapter.w_3.grad.tolist() == pytest.approx(slope, abs=1e-9)
    inner = [chapter.s_3, chapter.m_3, chapter.o_3, chapter.a_3]
    exact = [slope[0], -slope[0], 1 - slope[0], 1 - slope[0]]
    assert [v.grad.item() for v in inner] == pytest.approx(exact, abs=1e-9)


@unhurried
@given(weights)
def test_autograds_gradient_equals_the_sum_over_students(w):
    leaf = torch.tensor(w, requires_grad=True)
    for loss in (chapter.log_loss, chapter.stable_log_loss):
        (gradient,) = torch.autograd.grad(loss(leaf), leaf)
        assert np.allclose(gradient, gradient_by_students(w), atol=1e-12)


def test_gradient_and_hessian_equal_central_differences(capsys):
    slope = central(loss_by_product, W)
    for gradient in (chapter.w_leaf.grad, chapter.differences):
        assert np.allclose(gradient, slope, atol=1e-8)
    assert np.allclose(printed(capsys, "gradient-formula", 2), slope, atol=6e-5)
    H = central(gradient_by_students, W)
    shown = printed(capsys, "hessian", 7)
    assert np.allclose(shown, [*H, *H, np.linalg.eigvalsh(H)], atol=6e-5)


@unhurried
@given(weights)
def test_newton_finds_the_global_minimum(step):
    assert np.abs(gradient_by_students(BEST)).max() < 1e-12
    assert loss_by_product(BEST) <= loss_by_product(BEST + step) + 1e-12


def test_scaling_keeps_accuracy_and_the_lowest_loss_lowers_it(capsys):
    for c, accuracy, loss in printed(capsys, "scale", 3):
        assert accuracy == 7 / 8
        assert loss == pytest.approx(-np.log(likelihoods(c * W)).sum(), abs=5e-4)
    for v, right in ((W, 7), (BEST, 6)):
        assert (LABELS * (X @ v) > 0).sum() == right
        assert 8 * chapter.accuracy(torch.tensor(v)) == right
    assert loss_by_product(BEST) < loss_by_product(W)


def test_squared_error_loses_its_slope_and_is_not_convex():
    def square(s):
        return (1 + np.exp(s)) ** -2.0

    s, h = np.array([-1.0, -2, -4, -8]), 1e-5
    slopes = (square(s + h) - square(s - h)) / (2 * h)
    assert chapter.slopes_squared.tolist() == pytest.approx(slopes, rel=1e-5)
    assert chapter.slopes_log.tolist() == pytest.approx(-1 / (1 + np.exp(s)), rel=1e-5)
    assert square(-2) > (square(-4) + square(0)) / 2


def test_direct_formula_overflows_and_the_stable_one_does_not(capsys):
    for cell, rows in (
        ("overflow", [[math.inf, *[math.nan] * 3]]),
        ("three-names-again", [[math.inf, math.nan], [1000, -1]]),
        ("clamped", [[100, 0], [20, 1]]),
        ("vanish", [[0], [math.exp(-20)]]),
    ):
        for shown, exact in zip(printed(capsys, cell, len(rows)), rows, strict=True):
            assert shown == pytest.approx(exact, rel=1e-4, abs=0, nan_ok=True)
    assert chapter.loss_large.item() == pytest.approx(2750, rel=1e-12)
    assert chapter.w_large.grad.tolist() == [1, 4, 3]


@unhurried
@example(0.0)
@given(st.integers(-5000, 5000).map(lambda k: k / 10))
def test_stable_forms_are_exact_but_one_slope_at_zero_is_wrong(m):
    exact = np.logaddexp(0, -m)
    margin = torch.tensor([m], dtype=torch.float64, requires_grad=True)
    for f, at_zero in ((chapter.by_hand, -1), (chapter.by_logaddexp, -0.5)):
        assert f(margin).item() == pytest.approx(exact, rel=1e-13)
        slope = math.expm1(-exact) if m else at_zero
        shown = torch.autograd.grad(f(margin), margin)[0].item()
        assert shown == pytest.approx(slope, rel=1e-9, abs=1e-15)


def test_second_sigmoid_prefers_the_bad_answer(capsys):
    s, t, h = np.array([4.0, -4, -4]), np.array([1, 0, 1]), 1e-5
    rows = printed(capsys, "sigmoid-twice", 4)
    for logit, values, slopes in (
        (lambda s: s, *rows[:2]),
        (lambda s: 1 / (1 + np.exp(-s)), *rows[2:]),
    ):
        exact = [np.log(1 + np.exp(z)) - t * z for z in map(logit, (s, s + h, s - h))]
        assert values == pytest.approx(exact[0], abs=6e-5)
        assert slopes == pytest.approx((exact[1] - exact[2]) / (2 * h), abs=6e-5)
    assert chapter.twice[2] < chapter.twice[1]


def test_answers_on_odds_and_on_the_ninth_student(capsys):
    odds, logit, (factor,) = printed(capsys, "answer-odds", 3)
    assert odds == [1, 4, 9]
    assert logit == pytest.approx([0, math.log(4), 2 * math.log(3)], abs=5e-5)
    assert factor == pytest.approx(math.exp(BEST[1]), abs=5e-5)
    wrong = math.exp(1.25) / (1 + math.exp(1.25))
    assert chapter.loss_ninth.item() == pytest.approx(-math.log(1 - wrong))
    assert chapter.w_ninth.grad.tolist() == pytest.approx([wrong, 3 * wrong, 2 * wrong])


def test_soft_label_is_predicted_by_its_own_logit(capsys):
    below, least, above, torchs = printed(capsys, "answer-soft-label", 4)
    entropy = -0.8 * math.log(0.8) - 0.2 * math.log(0.2)
    assert least + torchs == pytest.approx([math.log(4), entropy, entropy], abs=5e-4)
    assert least[1] < min(below[1], above[1])


def test_separable_loss_falls_towards_zero(capsys):
    for c, value in printed(capsys, "answer-separable", 3):
        terms = np.log1p(np.exp(-c * LABELS * (X @ W)))
        assert value == pytest.approx(np.delete(terms, 3).sum(), rel=1e-3)


def test_far_student_misleads_least_squares_only():
    rows, labels = np.vstack([X, [1, 10, 10]]), np.append(LABELS, 1)

    def wrong(w):
        return (np.flatnonzero(labels * (rows @ w.numpy()) < 0) + 1).tolist()

    for line, A, b in ((chapter.line, X, LABELS), (chapter.line_far, rows, labels)):
        assert np.allclose(line, np.linalg.inv(A.T @ A) @ A.T @ b, atol=1e-10)
    assert wrong(chapter.line) == [4, 5]
    assert wrong(chapter.line_far) == [4, 5, 6]
    assert wrong(chapter.best_far) == [4, 5]
    slope = gradient_by_students(chapter.best_far.numpy(), rows, labels)
    assert np.abs(slope).max() < 1e-12


def test_labels_of_minus_one_are_not_checked_and_have_no_lower_bound(capsys):
    for c, wrong, right in printed(capsys, "answer-wrong-labels", 3):
        s = c * X @ BEST
        for value, labels in ((wrong, LABELS), (right, LABELS > 0)):
            exact = (np.logaddexp(0, s) - labels * s).sum()
            assert value == pytest.approx(exact, abs=6e-4)
    with pytest.raises(RuntimeError, match="target should be between 0 and 1"):
        nn.BCELoss()(chapter.p, chapter.y)


def test_figure_shows_the_students_and_the_two_boundaries():
    figure, ns = figure_of("logistic_regression", "figure-boundary")
    passed, failed = (c.get_offsets() for c in ns["ax"].collections)
    assert np.array_equal(passed, X[LABELS > 0, 1:])
    assert np.array_equal(failed, X[LABELS < 0, 1:])
    # Room for a whole mark around the outermost students.
    for low, high in (ns["ax"].get_xlim(), ns["ax"].get_ylim()):
        assert low <= X[:, 1:].min() - 0.4
        assert high >= X[:, 1:].max() + 0.4
    for line, w in zip(ns["ax"].lines, (W, BEST), strict=True):
        ends = np.column_stack(line.get_data())
        assert np.abs(w[0] + ends @ w[1:]).max() < 1e-3
    wrong = {
        name: [i for i, m in enumerate(LABELS * (X @ w), 1) if m < 0]
        for name, w in (("solid", W), ("dashed", BEST))
    }
    assert f"of w: {wrong['solid']}; " in figure.alt
    assert figure.alt.endswith(f"right: {wrong['dashed']}.")


def test_newton_table_by_plain_loops_in_numpy(capsys):
    w = np.zeros(3)
    for step, (number, loss, norm) in enumerate(printed(capsys, "newton", 5)):
        slope = gradient_by_students(w)
        assert loss == pytest.approx(loss_by_product(w), abs=6e-7)
        assert norm == pytest.approx(np.linalg.norm(slope), rel=2e-2)
        w = w - np.linalg.solve(central(gradient_by_students, w), slope)
        assert number == step
    assert w == pytest.approx(BEST, abs=1e-6)


def test_accuracy_and_loss_of_both_weights_as_printed(capsys):
    rows = printed(capsys, "accuracy-against-loss", 2)
    for w, (accuracy, loss) in zip((W, BEST), rows, strict=True):
        assert accuracy == np.mean(LABELS * (X @ w) > 0)
        assert loss == pytest.approx(loss_by_product(w), abs=5e-4)


def test_pull_is_the_probability_of_the_wrong_label(capsys):
    run_cells("logistic_regression", until="margins")
    wrong = 1 - likelihoods(W)
    assert torch.sigmoid(-chapter.m).tolist() == pytest.approx(wrong, rel=1e-12)
    assert wrong.argmax() == 3


def test_silent_mistakes_cost_what_the_text_says(capsys):
    def sigma(s):
        return 1 / (1 + math.exp(-s))

    # a logit above one half asks for more than probability one half
    assert sigma(0.5) == pytest.approx(0.622, abs=5e-4)
    assert (W @ X[4] > 0) != (W @ X[4] > 0.5)
    # the second sigmoid: gradient of the bad answer, by the chain rule
    first = sigma(-4)
    pull = (sigma(first) - 1) * first * (1 - first)
    assert chapter.pull_twice[2].item() == pytest.approx(pull, rel=1e-4)
    assert chapter.pull_once[2].item() == pytest.approx(first - 1, rel=1e-5)
    # two stages: the cap of 100 takes the place of the loss, 0 that of the gradient
    in_two, in_one = printed(capsys, "clamped", 2)
    assert in_one == pytest.approx([math.log1p(math.exp(20)), sigma(20)])
    assert in_two == [100, 0]
    # labels -1: the scores of those who failed are added once more
    scores = X @ BEST
    for c, wrong, true in printed(capsys, "answer-wrong-labels", 3):
        added = c * scores[LABELS < 0].sum()
        assert wrong - true == pytest.approx(added, abs=2e-3)


def test_answer_kink_prints_the_true_values_and_one_wrong_slope(capsys):
    values, slopes, values2, slopes2 = printed(capsys, "answer-kink", 4)
    margins = [-1000.0, -1.0, 0.0, 1.0]
    exact = [np.logaddexp(0, -m) for m in margins]
    assert values == values2 == pytest.approx(exact, rel=1e-4)
    right = [math.expm1(-value) for value in exact]
    assert slopes2 == pytest.approx(right, abs=5e-5)
    assert np.subtract(slopes, right) == pytest.approx([0, 0, -0.5, 0], abs=5e-5)


@unhurried
@given(st.floats(-50, 50))
def test_second_sigmoid_keeps_every_loss_above_its_bound(score):
    loss = nn.BCEWithLogitsLoss()
    fed = torch.sigmoid(torch.tensor(score, dtype=torch.float64))
    for label, bound in ((1.0, math.log(1 + math.exp(-1))), (0.0, math.log(2))):
        target = torch.tensor(label, dtype=torch.float64)
        assert loss(fed, target).item() >= bound - 1e-12
        best = torch.tensor(label, dtype=torch.float64)  # the limit of the sigmoid
        assert loss(best, target).item() == pytest.approx(bound)


def test_figure_tells_the_gradients_of_one_student():
    x, w, y = X[2], W, LABELS[2]
    m = y * (w @ x)
    odds = math.exp(-m)
    a = 1 + odds
    slope = odds / a
    told = [
        *[*x, *w, y, w @ x, m, -m, odds, 1, 1, a, math.log(a)],
        *[1, 1 / a, 1 / a, slope, -slope, slope, *(slope * x)],
    ]
    found = expected_numbers("logistic-regression", "figure-one-student")
    assert found == pytest.approx(told, rel=4e-4)


def test_figure_of_losses_tells_their_ends():
    log_loss, hinge = math.log1p(math.exp(4)), 1 + 4
    squared = (1 - 1 / (1 + math.exp(4))) ** 2
    found = expected_numbers("logistic-regression", "figure-losses")
    assert found[:3] == [-4, 4, pytest.approx(log_loss, abs=5e-3)]
    assert found[4:6] == [hinge, 0]
    assert squared == pytest.approx(1, abs=0.05)
    _, ns = figure_of("logistic_regression", "figure-losses")
    low, high = ns["ax"].get_ylim()
    assert low < 0
    assert high > hinge
    assert len(ns["ax"].lines) == 4


def test_values_in_sentences_by_other_routes():
    def sigma(s):
        return 1 / (1 + math.exp(-s))

    def squared_slope(s):  # of (1 - σ(s))²
        return central(lambda at: (1 - sigma(at[0])) ** 2, np.array([float(s)]))[0]

    slope = sigma(-0.25)  # the margin of the third student is 0.25
    odds = math.exp(-0.25)
    passed, failed = sum(SHEETS[4:]), sum(SHEETS[:4])
    line, *_ = np.linalg.lstsq(X, LABELS, rcond=None)
    far = np.array([1, 10, 10])
    computed = {
        "thresholds": [sigma(0.5)],
        "one-student": [
            *(*W, *(slope * X[2]), W @ X[2], slope, 0.25, -slope),
            *(odds, 1 / (1 + odds), 1 + odds, 1 / (1 + odds), math.log1p(odds), 1),
        ],
        "gradient-differences": [passed, failed, -(passed - failed) / 2],
        "scale": [-(W @ X[3]), -10 * (W @ X[3])],
        "figure-losses": [
            *(squared_slope(-8), sigma(-8) - 1, squared_slope(-8), squared_slope(-1)),
        ],
        "overflow": [-1000 * (W @ X[3]), np.finfo(float).max],
        "answer-ninth": [1 - sigma(3 + 2 * 0.5 - 2.75)],
        "answer-far": [far @ line],
        "answer-far-logistic": [sigma(-(far @ BEST))],
        "answer-wrong-labels": [round(printed_wrong_loss())],
    }
    assert_shown_below("logistic-regression", computed)


def printed_wrong_loss():
    """The loss at a hundred times the best weights, labels −1 instead of 0."""
    scores = 100 * (X @ BEST)
    return np.sum(np.logaddexp(0, scores) - LABELS * scores)
