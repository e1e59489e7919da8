"""What the chapter on stochastic gradient descent shows, by independent routes.

Quadratic problems are checked with integers worked by hand and with matrix powers in
NumPy; the loops with fake data are replayed in NumPy, in float64.
"""

import ast
import re
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from itertools import combinations, pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cells import (
    LIBRARY,
    assert_shown_below,
    expected_numbers,
    figure_of,
    redrawn,
)
from tests.draws import Draws

approx = pytest.approx
X = np.array([[2, 1], [1, 2], [1, 0], [0, 1]], float)
Y = np.array([3, 6, 2, 1], float)
BEST = np.array([1, 2], float)
HESSIAN = np.array([[3, 2], [2, 3]], float)
EYE = np.eye(2)
NUMBER = r"-?\d+\.?\d*(?:e[+-]\d+)?"


@cache
def pages():
    """What each cell leaves: numbers printed, value shown, error and variables."""
    names, found = {"__name__": "chapter"}, {}
    for name, cell in LIBRARY.cells("stochastic_gradient_descent").items():
        tree, shown, error = ast.parse(cell.source), None, None
        last = tree.body.pop().value if isinstance(tree.body[-1], ast.Expr) else None
        with redirect_stdout(StringIO()) as printed:
            try:
                exec(compile(tree, name, "exec"), names)
                shown = last and eval(ast.unparse(last), names)
            except RuntimeError as raised:
                error = str(raised)
        assert (cell.raises.message in error) if cell.raises else not error, name
        lines = [re.findall(NUMBER, line) for line in printed.getvalue().splitlines()]
        rows = [[float(number) for number in line] for line in lines if line]
        found[name] = SimpleNamespace(**names | {"rows": rows, "shown": shown})
    return found


def page(name):
    return pages()[name]


def loss(w, rows=(0, 1, 2, 3)):
    return float(np.mean((X[list(rows)] @ w - Y[list(rows)]) ** 2))


def gradient(w, rows=(0, 1, 2, 3)):
    rows = list(rows)
    return 2 / len(rows) * X[rows].T @ (X[rows] @ w - Y[rows])


def descended(lr, steps):
    """Iterate of gradient descent from 0, by a power of the error's matrix."""
    return BEST - np.linalg.matrix_power(EYE - lr * HESSIAN, int(steps)) @ BEST


def accumulated(lr, steps):
    """Iterate without zero_grad, by a power of the two-step companion matrix."""
    companion = np.block([[2 * EYE - lr * HESSIAN, -EYE], [EYE, 0 * EYE]])
    state = np.r_[(EYE - lr * HESSIAN) @ -BEST, -BEST]
    return BEST + (np.linalg.matrix_power(companion, steps) @ state)[2:]


def fake_loop(steps, zero):
    """The sheet's loop in NumPy: losses before and after, own and used gradients."""
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 2)
    theta = np.c_[layer.weight.tolist(), layer.bias.tolist()]
    total, out = np.zeros_like(theta), []
    for t in range(steps):
        x, label = np.r_[torch.rand(3).tolist(), 1], t % 2
        p = np.exp(theta @ x) / np.exp(theta @ x).sum()
        own = np.outer(p - EYE[label], x)
        total = own if zero else total + own
        theta = theta - 0.1 * total
        after = np.logaddexp(*(theta @ x)) - theta[label] @ x
        out.append((-np.log(p[label]), after, own, total))
    return out, np.r_[theta[:, :3].ravel(), theta[:, 3]]


def test_minimum_and_first_step_are_those_worked_by_hand():
    assert page("data").shown.tolist() == [0, 0]
    assert np.allclose(page("data").w_star, np.linalg.lstsq(X, Y)[0])
    slope, moved = page("one-step").shown
    assert slope.tolist() == [-7, -8]
    assert np.allclose(moved, [0.7, 0.8])
    hessian, predicted = page("hessian").shown
    assert np.allclose(hessian, HESSIAN)
    assert predicted == approx(12.5 - 11.3 + 2.815) == approx(loss([0.7, 0.8]))


def test_descent_follows_powers_of_one_matrix():
    header, *table = page("step-sizes").rows
    for rate, *shown in table:
        assert shown == approx([loss(descended(rate, t)) for t in header], abs=6e-4)
    assert min(table, key=lambda row: row[4])[0] == 0.2  # best after 10 steps
    for rate, *shown in page("closed-form").rows:
        excess = loss(descended(rate, 10)) - 1
        assert shown == approx([1 - rate, 1 - 5 * rate, excess, excess], abs=6e-4)
    assert (len(table), len(page("closed-form").rows)) == (6, 4)
    best, ratios = page("answer-best-step").shown
    assert best == approx(1 / 3, abs=6e-4)
    assert np.allclose(ratios, (5 - 1) / (5 + 1))
    assert np.allclose(page("answer-curvatures").shrink, [0.985, 0.85, -0.5])


@given(st.floats(0.01, 0.6))
@settings(max_examples=15, deadline=None)
def test_loss_falls_at_each_step_exactly_below_the_bound(rate):
    losses = [page("data").mse(w) for w in page("descend").descend(rate, 12)]
    falls = all(b < a for a, b in pairwise(losses[4:]))
    assert falls == (rate < 0.4) or abs(rate - 0.4) < 0.01
    if rate > 0.41:
        assert all(b > a for a, b in pairwise(losses))


def test_a_step_below_half_the_spacing_is_lost():
    slope, same = page("too-small").shown
    assert np.allclose(slope, gradient([3, 3]))
    assert same
    assert 1e-9 * slope.max() < np.spacing(np.float32(3)) / 2


def test_minibatches_and_weighted_parts_average_to_the_full_gradient():
    for *batch, first, second in page("all-minibatches").rows:
        by_hand = np.mean([-2 * Y[int(i)] * X[int(i)] for i in batch], axis=0)
        assert [first, second] == by_hand.tolist()
    assert len(page("all-minibatches").rows) == 6
    for found in (*page("all-minibatches").shown, *page("halves").shown):
        assert found.tolist() == [-7, -8]


def test_single_examples_leave_the_minimum_for_the_stationary_cloud():
    for i, first, second, after in page("at-the-minimum").rows:
        slope = gradient(BEST, [int(i)])
        assert [first, second, after] == approx([*slope, loss(BEST - 0.1 * slope)])
    for rate, measured in page("noise-floor").rows:
        moves = [EYE - 2 * rate * np.outer(x, x) for x in X]
        kicks = [rate * gradient(BEST, [i]) for i in range(4)]
        spread = np.mean([np.kron(m, m) for m in moves], axis=0)
        source = np.mean([np.kron(k, k) for k in kicks], axis=0)
        covariance = np.linalg.solve(np.eye(4) - spread, source).reshape(2, 2)
        expected = np.trace(HESSIAN @ covariance) / 2
        assert measured == approx(expected, rel=0.15, abs=6e-3)


def test_the_sheets_loop_equals_its_replay_in_numpy():
    steps, theta = fake_loop(20, zero=True)
    printed = [before for before, *_ in steps]
    assert page("sheet-loop").printed == approx(printed, abs=1e-5)
    for label, row in enumerate(page("sheet-loop").rows):
        assert row == approx([label, *printed[label::2]], abs=6e-3)
    for shown in page("answer-plain-sgd-compared").ends:
        assert shown == approx(theta, abs=1e-5)


def test_answer_lost_indentation_moves_once_against_the_last_gradient():
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 2)
    x = [torch.rand(3) for _ in range(20)][-1]
    p = torch.softmax(layer(x), 0)[0].item()  # the last label is 1
    for shown in page("answer-indentation").shown:
        assert np.allclose(shown, 0.1 * p * np.outer([-1, 1], x), atol=1e-6)


def test_each_step_has_length_lr_times_gradient_and_lowers_its_own_loss():
    record = page("step-lengths").record
    for slope, move, before, after in record:
        assert move == approx(0.1 * slope, rel=1e-4)
        assert after <= before - 0.09 * slope**2
    for row, shown in zip(record, page("step-lengths-table").rows, strict=False):
        assert shown == approx(row, abs=6e-5)
    assert page("sheet-loop").optimizer.param_groups[0]["lr"] == 0.1


def test_only_one_circular_order_trains():
    header, *table = page("orders").rows
    behind = {0: 0, 3: 0, 4: 1}  # rounds; the other orders never move
    for order, row in enumerate(table):
        rounds = [max(t - behind.get(order, 10), 0) for t in header]
        assert row == approx([loss(descended(0.1, t)) for t in rounds], abs=6e-6)
    assert len(table) == 6


def test_backward_after_a_step_gives_the_gradient_of_the_old_point():
    _, stale, fresh = page("stale").shown
    assert stale.tolist() == gradient([0, 0]).tolist()
    assert np.allclose(fresh, gradient(descended(0.1, 1)))


def test_zero_grad_clears_the_gradient_and_leaves_the_graph():
    # matrix times vector, difference, square, mean, and the leaf
    assert page("zero-grad-and-graph").shown == (None, 5, True)
    found, cleared = page("backward-after-zero-grad").shown
    assert (found.tolist(), cleared.tolist()) == ([-7, -8], [0, 0])


def test_forgotten_step_uses_the_sum_of_all_gradients():
    steps, _ = fake_loop(20, zero=False)
    table = np.array(page("forgotten").table)
    for row, (before, after, own, total) in zip(table, steps, strict=True):
        wrong = np.linalg.norm(total - own)
        assert np.allclose(row, [wrong, 0, before, after], atol=1e-5)
    for step, *shown in page("forgotten-table").rows:
        assert shown == approx(table[int(step) - 1], abs=6e-5)
    for zero, shown in zip((True, False), page("long-run").rows[0], strict=True):
        late = [before for before, *_ in fake_loop(200, zero)[0][100:]]
        assert shown == approx(np.mean(late), abs=1e-2)


def test_without_zero_grad_the_swing_never_dies():
    for rate, *row in page("frictionless").rows[1:]:
        for start, shown in zip((0, 100, 200), row, strict=True):
            losses = [loss(accumulated(rate, start + t)) for t in range(100)]
            assert shown == approx(max(losses) - 1, abs=6e-3)
    for shown in (*page("cosine").shown, page("momentum-one").shown):
        assert np.allclose(shown, accumulated(0.1, 50))


def test_a_running_total_keeps_every_graph():
    # each loss has 4 vertices and the shared leaf; each addition is one more
    assert page("total").rows == [[t, 5, 5 * t + 1] for t in range(1, 6)]
    kept, score = page("total").shown
    expected = sum(loss(descended(0.1, t)) for t in range(5))
    assert kept.item() == approx(expected) == approx(score, abs=6e-5)
    count, slope = page("evaluation").shown
    assert count == 4 * (4 + 1) + 1
    assert np.allclose(slope, 4 * gradient(descended(0.1, 5)))
    free = page("evaluation-no-grad").shown
    assert (free.grad_fn, free.item()) == (None, approx(4 * loss(descended(0.1, 5))))


def test_an_epoch_uses_each_example_once():
    w, seen = np.zeros(2), []
    for count, (epoch, step, *rows, shown) in enumerate(page("epochs").rows, 1):
        seen += [(epoch, i) for i in rows]
        w = w - 0.1 * gradient(w, map(int, rows))
        assert (step, shown) == (count, approx(loss(w), abs=6e-4))
    assert sorted(seen) == [(epoch, i) for epoch in (1, 2, 3) for i in range(4)]
    torch.manual_seed(0)
    for size, steps, shown in page("five-epochs").rows:
        w = np.zeros(2)
        for _ in range(5):
            for batch in np.split(torch.randperm(4).numpy(), 4 // int(size)):
                w = w - 0.02 * gradient(w, batch)
        assert (steps, shown) == (20 // size, approx(loss(w), abs=6e-3))
    assert page("answer-counting").shown == (-(-1000 // 32), 1000 % 32, 160)


def test_answer_variance_equals_the_covariance_of_all_batches():
    singles = -2 * Y[:, None] * X
    for size, *shown in page("answer-variance").rows:
        means = [singles[list(b)].mean(0) for b in combinations(range(4), int(size))]
        trace = np.var(means, axis=0).sum()
        assert shown == approx([trace, trace], abs=6e-3)


def test_answer_step_size_one_over_two_t_computes_running_means():
    means = np.cumsum(Y) / np.arange(1, 5)
    assert [v for _, v in page("answer-running-mean").rows] == approx(means, 6e-5)


def test_answer_bound_of_the_sheets_regression():
    a = np.arange(1.0, 10).reshape(3, 3)
    start = a @ [3, 2, 1] - [2, 4, 8]
    bound = 1 / np.linalg.norm(a, 2) ** 2  # the squared largest singular value
    assert np.allclose(page("answer-sheet-data").shown, [bound, 3 * bound])
    for share, shown in page("answer-sheet-data").rows:
        factor = np.eye(3) - share * bound * 2 * a @ a.T  # the residual's own recursion
        residual = np.linalg.matrix_power(factor, 100) @ start
        assert shown == approx(residual @ residual, rel=6e-4)


def test_figure_shows_the_iterates():
    _, ns = figure_of("stochastic_gradient_descent", "figure-paths")
    for rate, ax in zip((0.1, 0.39, 0.41), ns["panels"].flat, strict=False):
        [path] = [line for line in ax.lines if len(line.get_xdata()) > 1]
        for t, point in enumerate(zip(*path.get_data(), strict=True)):
            assert list(point) == approx(descended(rate, t), abs=1e-9)


def test_figure_shows_one_step_at_three_moments():
    _, ns = figure_of("stochastic_gradient_descent", "figure-one-step")
    before, after, moved = ns["recording"].looks
    w = ns["recording"].vertex(ns["w_leaf"]).number
    assert [look.freed for look in (before, after, moved)] == [False, True, True]
    assert before.grads == {}
    assert after.grads[w].tolist() == approx([-7, -8])
    assert moved.values[w].tolist() == approx(list(descended(0.1, 1)))


def test_noise_floor_from_the_seed_alone():
    draws = Draws(0)
    for rate, shown in page("noise-floor").rows:
        w = np.tile(BEST, (1000, 1))
        for _ in range(200):
            chosen = draws.randint(1000, 0, 4).astype(int)
            miss = (X[chosen] * w).sum(axis=1) - Y[chosen]
            w = w - rate * 2 * miss[:, None] * X[chosen]
        excess = np.mean((w @ X.T - Y) ** 2) - 1
        assert shown == approx(excess, abs=5.1e-3)


def test_silent_mistakes_cost_what_the_text_says():
    # backward after the step: the gradient is off by the Hessian times the move
    _, stale, fresh = page("stale").shown
    off = HESSIAN @ (descended(0.1, 1) - [0, 0])
    assert np.allclose(fresh - stale, off)
    # without zero_grad for 200 steps, the later losses are more than twice as high
    kept, forgotten = page("long-run").rows[0]
    assert forgotten - kept == approx(
        np.mean([row[0] for row in fake_loop(200, False)[0][100:]])
        - np.mean([row[0] for row in fake_loop(200, True)[0][100:]]),
        abs=2e-2,
    )
    # a step too small for float32 leaves all of the gradient's work undone
    slope, same = page("too-small").shown
    assert same
    assert np.allclose(np.linalg.norm(slope), np.linalg.norm(gradient([3, 3])))


def test_answer_without_a_list_the_parameters_are_used_up():
    plain = page("answer-plain-sgd").PlainSGD

    class Hasty(plain):
        def __init__(self, parameters, lr):
            self.parameters, self.lr = parameters, lr

    for kind, moved in ((plain, True), (Hasty, False)):
        torch.manual_seed(0)
        layer = torch.nn.Linear(3, 2)
        before = layer.weight.detach().clone()
        stepper = kind(layer.parameters(), lr=0.1)
        stepper.zero_grad()
        layer(torch.ones(3)).sum().backward()
        stepper.step()
        assert torch.equal(before, layer.weight) != moved


def test_figure_of_a_step_size_tells_the_swings():
    curve = max(np.linalg.eigvalsh(HESSIAN))
    assert abs(1 - 0.3 * curve) == approx(1 / 2)
    assert expected_numbers("stochastic-gradient-descent", "figure-step-size") == [
        *BEST,
        0.3,
    ]


def walked(data, *, clearing=True):
    """The points that plain descent passes, from what a script is given."""
    A, b = np.array(data["X"]), np.array(data["y"])
    w, kept = np.array(data["start"], float), 0 * np.array(data["start"], float)
    points = [w]
    for _ in range(data["steps"]):
        gradient = 2 / len(b) * A.T @ (A @ w - b)
        kept = gradient if clearing else kept + gradient
        w = w - data["rate"] * kept
        points.append(w)
    return np.array(points)


def test_the_path_is_what_its_script_draws_from_the_data():
    figure, _ = figure_of("stochastic_gradient_descent", "figure-step-size")
    [line] = redrawn(figure)
    assert figure.data["start"] == [0, 0]
    assert figure.data["bound"] == approx(2 / np.linalg.eigvalsh(HESSIAN).max())
    np.testing.assert_allclose(line, walked(figure.data), atol=0.001)


def test_the_losses_are_what_their_script_draws_from_the_data():
    figure, _ = figure_of("stochastic_gradient_descent", "figure-clearing")
    assert figure.data["start"] == [0, 0]
    assert figure.data["minimum"] == approx(loss(BEST))
    for line, clearing in zip(redrawn(figure), (True, False), strict=True):
        losses = [loss(w) - 1 for w in walked(figure.data, clearing=clearing)]
        np.testing.assert_allclose(line, list(enumerate(losses)), atol=0.01)


def test_level_lines_are_where_the_loss_is_as_high():
    _, names = figure_of("stochastic_gradient_descent", "figure-step-size")
    angles = np.linspace(0, 6, 20)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    heights = []
    for ellipse in names["ax"].patches:
        around = ellipse.get_patch_transform().transform(circle)
        losses = [loss(w) - 1 for w in around]
        np.testing.assert_allclose(losses, losses[0])
        heights.append(round(losses[0], 6))
    # Squares of 1, 2, …: the lines are at equal distances from each other.
    assert heights == [n * n / 2 for n in range(1, 7)]


def test_figure_of_clearing_tells_where_the_loss_starts():
    start = np.mean(Y**2) - np.mean((X @ BEST - Y) ** 2)
    told = expected_numbers("stochastic-gradient-descent", "figure-clearing")
    assert told[1:4] == [0.1, start, 0]
    for clears in (True, False):
        w, stored = np.zeros(2), np.zeros(2)
        excess = []
        for _ in range(60):
            stored = gradient(w) if clears else stored + gradient(w)
            w = w - 0.1 * stored
            excess.append(np.mean((X @ w - Y) ** 2) - 1)
        assert (max(excess[20:]) < 0.02) == clears
        assert (max(excess[20:]) > 1) != clears


def test_values_in_sentences_by_other_routes():
    low, high = np.linalg.eigvalsh(HESSIAN)
    kept, forgotten = fake_loop(20, zero=True)[0], fake_loop(20, zero=False)[0]
    losses = [before for before, *_ in kept]
    late = [np.mean([row[0] for row in fake_loop(200, z)[0][100:]]) for z in (0, 1)]
    a = np.arange(1.0, 10).reshape(3, 3)
    bound = 1 / np.linalg.norm(a, 2) ** 2
    off = HESSIAN @ descended(0.1, 1)
    computed = {
        "data": [loss(BEST)],
        "hessian": [loss(BEST)],
        "closed-form": [low, high, 2 / high, round(100 * (0.41 * high - 2), 1)],
        "figure-step-size": [
            *(round(np.log(10) / 0.001), round(np.log(10) / 0.1)),
            round(loss(descended(0.001, 50))),
        ],
        "too-small": [2 * 2.0**-23, 1e-9 * gradient([3, 3])[0]],
        "sheet-loop": [sum(b > a for a, b in pairwise(losses)), np.log(2)],
        "answer-indentation": [0.1, 0.001],  # the second by torch's documentation
        "step-lengths-table": [0.1, 0.1, 20],
        "stale": off,
        "forgotten-table": [0, sum(after < before for before, after, *_ in forgotten)],
        "long-run": [late[0] / late[1], loss([0, 0]) - loss(BEST)],
        "answer-curvatures": [round(100 * (1 - 0.015 * 1) ** 100)],
        "answer-sheet-data": [bound, 3 * bound, loss_of_the_sheet(a)],
    }
    assert_shown_below("stochastic-gradient-descent", computed)


def loss_of_the_sheet(a):
    return np.sum((a @ [3, 2, 1] - [2, 4, 8]) ** 2)
