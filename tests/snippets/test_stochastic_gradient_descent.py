"""What the chapter on stochastic gradient descent shows, by independent routes.

Quadratic problems are checked with integers worked by hand and with matrix powers in
NumPy; the loops with fake data are replayed in NumPy, in float64.
"""

import ast
import io
import re
from contextlib import redirect_stdout
from functools import cache
from itertools import combinations, pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cells import LIBRARY, ROOT

X = np.array([[2, 1], [1, 2], [1, 0], [0, 1]], float)
Y = np.array([3, 6, 2, 1], float)
BEST = np.array([1, 2], float)
HESSIAN = np.array([[3, 2], [2, 3]], float)
RATES = (0.001, 0.1, 0.2, 0.39, 0.4, 0.41)
NUMBER = r"-?\d+\.?\d*(?:e[+-]\d+)?"


class Page(NamedTuple):
    """What one cell leaves: numbers per printed line, value shown, error, variables."""

    rows: list[list[float]]
    shown: Any
    error: Exception | None
    names: dict[str, Any]


@cache
def pages():
    names, found = {"__name__": "chapter"}, {}
    for name, cell in LIBRARY.cells("stochastic_gradient_descent").items():
        tree, shown, error = ast.parse(cell.source), None, None
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        with redirect_stdout(io.StringIO()) as printed:
            try:
                exec(compile(tree, name, "exec"), names)
                if last:
                    last = ast.Expression(last.value)
                    shown = eval(compile(last, name, "eval"), names)
            except RuntimeError as raised:
                error = raised
        expected = cell.raises.message if cell.raises else "None"
        assert expected in str(error), name
        lines = printed.getvalue().splitlines()
        rows = [list(map(float, re.findall(NUMBER, line))) for line in lines]
        found[name] = Page([row for row in rows if row], shown, error, dict(names))
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
    power = np.linalg.matrix_power(np.eye(2) - lr * HESSIAN, steps)
    return BEST + power @ (0 - BEST)


def accumulated(lr, steps):
    """Iterate without zero_grad, by a power of the two-step companion matrix."""
    eye = np.eye(2)
    companion = np.block([[2 * eye - lr * HESSIAN, -eye], [eye, 0 * eye]])
    first = (eye - lr * HESSIAN) @ -BEST
    state = np.linalg.matrix_power(companion, steps) @ np.r_[first, -BEST]
    return BEST + state[2:]


def fake_loop(steps, zero, seed=0):
    """The sheet's loop in NumPy: losses before, after; own and used gradients."""
    torch.manual_seed(seed)
    layer = torch.nn.Linear(3, 2)
    theta = np.c_[layer.weight.tolist(), layer.bias.tolist()]
    total, out = np.zeros_like(theta), []
    for t in range(steps):
        x, label = np.r_[torch.rand(3).tolist(), 1], t % 2

        def example_loss(theta, x=x, label=label):
            return np.logaddexp(*(theta @ x)) - theta[label] @ x

        before = example_loss(theta)
        p = np.exp(theta @ x) / np.exp(theta @ x).sum()
        own = np.outer(p - np.eye(2)[label], x)
        total = own if zero else total + own
        theta = theta - 0.1 * total
        out.append((before, example_loss(theta), own, total))
    flat = np.r_[theta[:, :3].ravel(), theta[:, 3]]
    return out, flat


def test_minimum_and_first_step_are_those_worked_by_hand():
    assert np.allclose(X.T @ (X @ BEST - Y), 0)
    assert page("data").shown[0].tolist() == [0, 0]
    assert page("data").shown[1] == 1
    assert page("one-step").shown[0].tolist() == [-7, -8]
    assert np.allclose(page("one-step").shown[1], [0.7, 0.8])
    hessian, predicted = page("hessian").shown
    assert np.allclose(hessian, HESSIAN)
    assert predicted == pytest.approx(12.5 - 11.3 + 2.815)
    assert predicted == pytest.approx(loss([0.7, 0.8]))


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=2))
@settings(max_examples=20, deadline=None)
def test_gradient_of_mse_equals_central_differences(at):
    w = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    for rows in ((0, 1, 2, 3), (1, 2), (3,)):
        (found,) = torch.autograd.grad(page("data").names["mse"](w, rows), w)
        steps = 1e-5 * np.eye(2)
        slopes = [(loss(at + d, rows) - loss(at - d, rows)) / 2e-5 for d in steps]
        assert np.allclose(found, slopes, atol=1e-6)


def test_descent_follows_powers_of_one_matrix():
    header, *table = page("step-sizes").rows
    for rate, row in zip(RATES, table, strict=True):
        expected = [loss(descended(rate, int(t))) for t in header]
        assert row[1:] == pytest.approx(expected, abs=6e-4)
    for rate, row in zip(RATES, page("closed-form").rows, strict=True):
        excess = loss(descended(rate, 10)) - 1
        assert row[1:] == pytest.approx(
            [1 - rate, 1 - 5 * rate, excess, excess], abs=6e-4
        )
    assert np.allclose(page("closed-form").names["eigenvalues"], [1, 5])


@given(st.floats(0.01, 0.6))
@settings(max_examples=15, deadline=None)
def test_loss_falls_at_each_step_exactly_below_the_bound(rate):
    descend, mse = page("descend").names["descend"], page("data").names["mse"]
    losses = [mse(w).item() for w in descend(rate, 12)]
    falls = all(b < a for a, b in pairwise(losses[4:]))
    assert falls == (rate < 0.4) or abs(rate - 0.4) < 0.01


def test_a_step_below_half_the_spacing_is_lost():
    at, slope = np.float32(3), page("too-small").shown[0].numpy()
    assert np.allclose(slope, gradient([3, 3]))
    assert 1e-9 * slope.max() < np.spacing(at) / 2
    assert page("too-small").shown[1]


def test_all_minibatches_average_to_the_full_gradient():
    for *batch, first, second in page("all-minibatches").rows:
        by_hand = np.mean([-2 * Y[int(i)] * X[int(i)] for i in batch], axis=0)
        assert [first, second] == by_hand.tolist()
    assert len(page("all-minibatches").rows) == 6
    average, full = page("all-minibatches").shown
    assert average.tolist() == full.tolist() == [-7, -8]


def test_single_examples_leave_the_minimum():
    slopes = []
    for i, first, second, after in page("at-the-minimum").rows:
        slopes.append([first, second])
        assert slopes[-1] == gradient(BEST, [int(i)]).tolist()
        assert after == pytest.approx(loss(BEST - 0.1 * np.array(slopes[-1])))
    assert np.sum(slopes, axis=0).tolist() == [0, 0]


def test_noise_floor_is_near_the_stationary_one():
    for rate, measured in zip(
        (0.1, 0.03, 0.01), page("noise-floor").names["floors"], strict=True
    ):
        moves = [np.eye(2) - 2 * rate * np.outer(x, x) for x in X]
        kicks = [rate * gradient(BEST, [i]) for i in range(4)]
        spread = np.mean([np.kron(m, m) for m in moves], axis=0)
        source = np.mean([np.kron(k, k) for k in kicks], axis=0)
        covariance = np.linalg.solve(np.eye(4) - spread, source).reshape(2, 2)
        assert measured == pytest.approx(np.trace(HESSIAN @ covariance) / 2, rel=0.4)


def test_the_sheets_loop_equals_its_replay_in_numpy():
    steps, theta = fake_loop(20, zero=True)
    printed = page("sheet-loop").names["printed"]
    assert printed == pytest.approx([before for before, *_ in steps], abs=1e-5)
    for label, row in enumerate(page("sheet-loop").rows):
        assert row == [label, *(pytest.approx(v, abs=6e-3) for v in printed[label::2])]
    for shown in page("answer-plain-sgd-compared").names["ends"]:
        assert shown == pytest.approx(theta, abs=1e-5)
    moved, length = page("answer-indentation").rows[0]
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 2)
    x = [torch.rand(3) for _ in range(20)][-1]
    p = torch.softmax(layer(x), 0)[0].item()  # the last label is 1
    expected = 0.1 * p * (2 * (x @ x + 1)).sqrt().item()
    assert moved == length == pytest.approx(expected, abs=6e-5)


def test_each_step_has_length_lr_times_gradient_and_lowers_its_own_loss():
    record = page("step-lengths").names["record"]
    assert len(record) == 20
    for slope, move, before, after in record:
        assert move.item() == pytest.approx(0.1 * slope.item(), rel=1e-4)
        assert after <= before - 0.09 * slope.item() ** 2
    assert page("sheet-loop").names["optimizer"].param_groups[0]["lr"] == 0.1


def test_only_one_circular_order_trains():
    header, *table = page("orders").rows
    steps_after = {"zbs": 0, "bsz": 0, "szb": 1}  # rounds behind; the others never move
    orders = ("zbs", "zsb", "bzs", "bsz", "szb", "sbz")
    for order, row in zip(orders, table, strict=True):
        behind = steps_after.get(order, 10)
        expected = [loss(descended(0.1, max(int(t) - behind, 0))) for t in header]
        assert row == pytest.approx(expected, abs=6e-6), order


def test_backward_after_a_step_gives_the_gradient_of_the_old_point():
    _, stale, fresh = page("stale").shown
    assert stale.tolist() == gradient([0, 0]).tolist()
    assert np.allclose(fresh, gradient(descended(0.1, 1)))
    assert "inplace" in str(page("step-before-backward").error)


def test_zero_grad_clears_the_gradient_and_leaves_the_graph():
    assert page("zero-grad-and-graph").shown == (None, 5, True)
    found, cleared = page("backward-after-zero-grad").shown
    assert (found.tolist(), cleared.tolist()) == ([-7, -8], [0, 0])
    names = {
        node.name().split(":")[-1]
        for node in page("zero-grad-and-graph").names["before"]
    }
    expected = ["AccumulateGrad", "Mean", "Mv", "Pow", "Sub"]
    assert sorted(re.sub(r"Backward\d", "", name) for name in names) == expected
    assert "second time" in str(page("zero-grad-restores-nothing").error)


def test_forgotten_step_uses_the_sum_of_all_gradients():
    steps, _ = fake_loop(20, zero=False)
    for measured, (before, after, own, total) in zip(
        page("forgotten").names["table"], steps, strict=True
    ):
        wrong = np.linalg.norm(total - own)
        assert list(map(float, measured)) == pytest.approx(
            [wrong, 0, before, after], abs=1e-5
        )
    for step, *shown in page("forgotten-table").rows[0:]:
        row = page("forgotten").names["table"][int(step) - 1]
        assert shown == pytest.approx(list(map(float, row)), abs=6e-5)


def test_long_run_equals_its_replay_in_numpy():
    for zero, name in ((True, "with_zero"), (False, "without_zero")):
        steps, _ = fake_loop(500, zero)
        expected = np.mean([before for before, *_ in steps[-100:]])
        assert page("long-run").names[name] == pytest.approx(expected, rel=1e-2)


def test_without_zero_grad_the_swing_never_dies():
    for rate, row in zip(
        (0.1, 0.01, 0.001), page("frictionless").rows[1:], strict=True
    ):
        for start, shown in zip((0, 200, 400), row[1:], strict=True):
            times = range(start, start + 200)
            excess = max(loss(accumulated(rate, t)) - 1 for t in times)
            assert shown == pytest.approx(excess, abs=6e-3)
    for shown in (*page("cosine").shown, page("momentum-one").shown):
        assert np.allclose(shown, accumulated(0.1, 50))


def test_weighted_parts_add_up_to_the_full_gradient():
    assert page("halves").shown[0].tolist() == [-7, -8]
    equal, shares = page("answer-unequal").rows
    mixed = (gradient([0, 0], (0, 1, 2)) + gradient([0, 0], (3,))) / 2
    assert equal[2:4] == pytest.approx(mixed, abs=1e-4)
    assert shares[2:4] == [-7, -8]


def test_a_running_total_keeps_every_graph():
    vertices = page("total").rows
    # each loss has 4 vertices and the shared leaf; each addition is one more
    assert vertices == [[t, 5, t * (4 + 1) + 1] for t in range(1, 6)]
    kept, score = page("total").shown
    expected = sum(loss(descended(0.1, t)) for t in range(5))
    assert kept.item() == pytest.approx(expected)
    assert score == pytest.approx(expected, abs=6e-5)
    count, slope = page("evaluation").shown
    assert count == 4 * (4 + 1) + 1
    assert np.allclose(slope, 4 * gradient(descended(0.1, 5)))
    free = page("evaluation-no-grad").shown
    assert free.grad_fn is None
    assert free.item() == pytest.approx(4 * loss(descended(0.1, 5)))


def test_an_epoch_uses_each_example_once():
    w, seen = np.zeros(2), {1: [], 2: [], 3: []}
    for count, (epoch, step, *rows, shown) in enumerate(page("epochs").rows, 1):
        batch = [int(i) for i in rows]
        seen[epoch] += batch
        w = w - 0.1 * gradient(w, batch)
        assert (step, shown) == (count, pytest.approx(loss(w), abs=6e-4))
    assert all(sorted(rows) == [0, 1, 2, 3] for rows in seen.values())
    torch.manual_seed(0)
    for size, steps, shown in page("five-epochs").rows:
        w = np.zeros(2)
        for _ in range(5):
            for batch in np.split(torch.randperm(4).numpy(), 4 // int(size)):
                w = w - 0.02 * gradient(w, batch)
        assert (steps, shown) == (20 // size, pytest.approx(loss(w), abs=6e-3))


def test_answers_about_counting_and_curvature():
    assert page("answer-counting").shown == (-(-1000 // 32), 1000 % 32, 160)
    assert np.allclose(page("answer-curvatures").names["shrink"], [0.985, 0.85, -0.5])
    best, ratios = page("answer-best-step").shown
    assert best == pytest.approx(1 / 3, abs=6e-4)
    assert np.allclose(ratios, (5 - 1) / (5 + 1))


def test_answer_variance_equals_the_covariance_of_all_batches():
    singles = -2 * Y[:, None] * X
    for size, spread, formula in page("answer-variance").rows:
        means = [singles[list(b)].mean(0) for b in combinations(range(4), int(size))]
        trace = np.var(means, axis=0).sum()
        assert spread == pytest.approx(trace, abs=6e-3)
        assert formula == pytest.approx(trace, abs=6e-3)


def test_answer_step_size_one_over_two_t_computes_running_means():
    means = np.cumsum(Y) / np.arange(1, 5)
    assert [v for _, v in page("answer-running-mean").rows] == pytest.approx(
        means, abs=6e-5
    )


def test_answer_bound_of_the_sheets_regression():
    a = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], float)
    target, start = np.array([2, 4, 8]), np.array([3, 2, 1])
    bound = 1 / np.linalg.norm(a, 2) ** 2  # the squared largest singular value
    assert np.allclose(page("answer-sheet-data").shown, [bound, 3 * bound])
    for share, shown in page("answer-sheet-data").rows[:1]:
        factor = np.eye(3) - share * bound * 2 * a @ a.T  # the residual's own recursion
        residual = np.linalg.matrix_power(factor, 300) @ (a @ start - target)
        assert shown == pytest.approx(residual @ residual, abs=6e-5)
    assert page("answer-sheet-data").rows[1][1] > 1e6
    mean_over_sum = (
        page("answer-reduction").rows[1][0] / page("answer-reduction").rows[0][0]
    )
    assert mean_over_sum == pytest.approx(0.1, rel=1e-3)


def test_figure_shows_the_iterates():
    name = "stochastic-gradient-descent-paths.svg"
    text = (ROOT / "book/figures" / name).read_text(encoding="utf-8")
    paths = re.findall(r'data-lr="([\d.]+)" points="([^"]+)"', text)
    assert [rate for rate, _ in paths] == ["0.1", "0.39", "0.41"]
    for rate, points in paths:
        for t, point in enumerate(points.split()):
            drawn = [float(number) for number in point.split(",")]
            assert drawn == pytest.approx(descended(float(rate), t), abs=6e-4)
