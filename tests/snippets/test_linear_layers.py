"""The linear-layers chapter against NumPy, finite differences and closed forms."""

import math
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
import sympy
import torch
from torch import nn

from snippets import linear_layers as chapter
from tests.cells import assert_shown_below, expected_numbers, run_cells
from tests.draws import Draws

W = np.array([[4.0, 5, 6], [7, 8, 9]])
B = np.array([18.0, 0])
X = np.array([[1.0, 2, 3], [0, 1, 0], [2, 0, 1], [0, 0, 0]])
G = np.array([[1.0, 0], [0, -1], [2, 1], [0, 3]])
LABELS = [1, 0, 1, 0]


def central_differences(function, at, step=1e-5):
    """The gradient of a scalar function of an array, entry by entry."""
    at = np.asarray(at, dtype=float)
    gradient = np.zeros_like(at)
    for index in np.ndindex(*at.shape):
        up, down = at.copy(), at.copy()
        up[index] += step
        down[index] -= step
        gradient[index] = (function(up) - function(down)) / (2 * step)
    return gradient


def numpy_cross_entropy(scores, labels):
    """Summed over rows, written as log Σ exp(s − s_y)."""
    rows = zip(np.atleast_2d(scores), np.atleast_1d(labels), strict=True)
    return sum(math.log(sum(math.exp(s - row[y]) for s in row)) for row, y in rows)


def numbers_of(module):
    return [p.detach().double().numpy() for p in module.parameters()]


def test_layer_maps_the_last_axis_and_gives_the_scores_worked_by_hand():
    assert chapter.layer.weight.shape == (2, 3)
    assert chapter.layer(torch.zeros(5, 4, 3)).shape == (5, 4, 2)
    for layer in (chapter.layer, chapter.own):
        assert layer(chapter.x).tolist() == [50, 50]
        assert layer(chapter.X).tolist() == [[50, 50], [23, 8], [32, 23], [18, 0]]
    np.testing.assert_array_equal(chapter.X, X)


def test_graph_of_the_batch_has_bias_input_and_transposed_weight():
    bias, data, weight = (f for f, _ in chapter.product.next_functions)
    assert bias.variable is chapter.layer.bias
    assert data is None
    assert weight.next_functions[0][0].variable is chapter.layer.weight


def test_calling_runs_the_hook_and_forward_does_not(capsys):
    run_cells("linear_layers", until="own-module")
    before = capsys.readouterr().out
    run_cells("linear_layers", until="hook")
    assert capsys.readouterr().out == before + "the hook ran\n"


def test_only_parameters_and_modules_are_listed_and_buffers_are_saved():
    mixed = chapter.mixed
    listed = {id(p) for p in mixed.parameters()}
    assert listed == {id(mixed.offset), id(mixed.inner.weight), id(mixed.inner.bias)}
    saved = set(mixed.state_dict())
    assert saved - {name for name, _ in mixed.named_parameters()} == {"centre"}


def test_an_assigned_buffer_is_saved_and_not_a_parameter():
    module = nn.Module()
    module.centre = nn.Buffer(torch.ones(3))
    assert list(module.state_dict()) == ["centre"]
    assert list(module.parameters()) == []


def test_writing_into_a_parameter_keeps_it_a_parameter():
    assert isinstance(chapter.layer.weight, nn.Parameter)
    assert chapter.layer.weight.is_leaf
    np.testing.assert_array_equal(chapter.layer.weight.detach(), W)


def test_unlisted_gain_gets_the_gradient_that_differences_give():
    mixed = chapter.mixed
    inner, other = numbers_of(mixed.inner), numbers_of(mixed.others[0])

    def total(gain):
        hidden = gain * (inner[0] @ (np.array([1.0, 2, 3]) - 1) + inner[1])
        return (other[0] @ hidden + other[1]).sum()

    expected = central_differences(total, np.ones(2))
    np.testing.assert_allclose(mixed.gain.grad, expected, atol=1e-6)


def test_forgetting_super_init_fails_at_the_next_assignment():
    class Hasty(nn.Module):
        def __init__(self):
            self.weight = nn.Parameter(torch.zeros(2))

    with pytest.raises(AttributeError, match=r"before Module.__init__\(\) call"):
        Hasty()


def test_list_of_parameters_is_the_weight_then_the_bias_themselves():
    weight, bias = chapter.answer_parameters
    assert weight is chapter.layer.weight
    assert bias is chapter.layer.bias
    assert weight.numel() + bias.numel() == 8
    assert all(p.is_leaf and p.requires_grad for p in (weight, bias))


def test_one_example_gradients_equal_central_differences():
    after = run_cells("linear_layers", until="one-example")
    x = np.array([1.0, 2, 3])
    routes = {
        "weight": (lambda w: numpy_cross_entropy(w @ x + B, 1), W),
        "bias": (lambda b: numpy_cross_entropy(W @ x + b, 1), B),
        "x": (lambda x: numpy_cross_entropy(W @ x + B, 1), x),
    }
    found = {
        "weight": after["layer"].weight.grad,
        "bias": after["layer"].bias.grad,
        "x": after["x_leaf"].grad,
    }
    for name, (loss, at) in routes.items():
        expected = central_differences(loss, at)
        np.testing.assert_allclose(found[name], expected, atol=1e-6)
    assert after["loss"].item() == pytest.approx(math.log(2), rel=1e-6)
    np.testing.assert_allclose(after["z"].grad, [0.5, -0.5], rtol=1e-6)


def test_batch_gradients_equal_the_loop_over_entries():
    after = run_cells("linear_layers", until="batch-gradient")
    weight, bias, data = np.zeros((2, 3)), np.zeros(2), np.zeros((4, 3))
    for i, j in np.ndindex(4, 2):
        bias[j] += G[i, j]
        for m in range(3):
            weight[j, m] += G[i, j] * X[i, m]
            data[i, m] += G[i, j] * W[j, m]
    np.testing.assert_array_equal(after["layer"].weight.grad, weight)
    np.testing.assert_array_equal(after["layer"].bias.grad, bias)
    np.testing.assert_array_equal(after["X_leaf"].grad, data)


def test_same_seed_repeats_and_seed_or_position_in_the_stream_changes_the_loss():
    losses = [chapter.first_loss(0), chapter.first_loss(0)]
    assert losses[0] == losses[1]
    others = [chapter.first_loss(1), chapter.first_loss(0, draws_before=1)]
    assert len({*losses, *others}) == 3


def test_fresh_processes_start_from_different_seeds():
    run = [sys.executable, "-c", "import torch; print(torch.initial_seed())"]
    both = [subprocess.Popen(run, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    first, second = (int(process.communicate()[0]) for process in both)
    assert first != second


def test_two_losses_of_one_layer_are_two_probabilities_and_differ_by_the_scores():
    losses = (chapter.loss_0.item(), chapter.loss_1.item())
    assert sum(math.exp(-loss) for loss in losses) == pytest.approx(1)
    scores = chapter.z.detach().double().numpy()
    expected = [numpy_cross_entropy(scores, label) for label in (0, 1)]
    assert losses == pytest.approx(expected, abs=1e-6)
    assert losses[0] - losses[1] == pytest.approx(scores[1] - scores[0], abs=1e-5)


def test_default_draw_fills_the_documented_uniform_distribution():
    bound = 1 / math.sqrt(3)
    for values in numbers_of(chapter.wide):
        ordered = np.sort(values.ravel())
        assert np.abs(ordered).max() <= bound * (1 + 1e-6)
        uniform = np.linspace(-bound, bound, ordered.size)
        assert np.abs(ordered - uniform).max() < 0.01  # Kolmogorov's distance


def test_output_variance_is_the_exact_integral_over_the_cube_of_draws():
    w = sympy.symbols("w")
    bound = 1 / sympy.sqrt(3)
    second = sympy.integrate(w**2 / (2 * bound), (w, -bound, bound))
    exact = (1 + 4 + 9) * second + second
    assert exact == sympy.Rational(5, 3)
    assert chapter.predicted.item() == pytest.approx(float(exact))
    assert chapter.z_wide.var().item() == pytest.approx(float(exact), rel=0.03)
    assert chapter.z_wide.mean().abs() < 0.02


def test_layer_misses_linearity_by_a_multiple_of_the_bias():
    assert chapter.layer(torch.zeros(3)).tolist() == [18, 0]
    assert chapter.layer(2 * chapter.x).tolist() == [82, 100]
    after = run_cells("linear_layers", until="no-bias")
    assert (after["left"] - after["right"]).tolist() == [0, 0]  # weights 3 and −2
    layer, u, v = after["layer"], after["u"], after["v"]
    assert (layer(u + v) - layer(u) - layer(v)).tolist() == [-18, 0]
    assert (layer(2 * u + 3 * v) - 2 * layer(u) - 3 * layer(v)).tolist() == [-72, 0]
    plain = after["plain"]
    assert plain.bias is None
    assert (plain(2 * u + 3 * v) - 2 * plain(u) - 3 * plain(v)).tolist() == [0, 0]


def test_stack_is_the_affine_map_that_its_values_at_four_points_determine():
    stack = chapter.stack
    points = torch.eye(3, dtype=torch.float64)
    c = stack(torch.zeros(3, dtype=torch.float64))
    columns = stack(points) - c  # row i is the image of the i-th unit vector
    np.testing.assert_allclose(chapter.M.detach(), columns.T.detach(), atol=1e-14)
    np.testing.assert_allclose(chapter.c.detach(), c.detach(), atol=1e-14)
    assert sum(p.numel() for p in stack.parameters()) == 26


def test_middle_of_one_number_leaves_no_nonzero_minor():
    a, b = chapter.M_narrow.double()
    np.testing.assert_allclose(np.cross(a, b), 0, atol=1e-8)
    assert a.abs().max() > 0


def test_gradients_through_the_stack_equal_central_differences():
    (W1, b1), (W2, b2) = numbers_of(chapter.first), numbers_of(chapter.second)

    def weighted(W1, b1, W2):
        return (G * ((X @ W1.T + b1) @ W2.T + b2)).sum()

    pairs = [
        (chapter.first.weight, lambda at: weighted(at, b1, W2), W1),
        (chapter.first.bias, lambda at: weighted(W1, at, W2), b1),
        (chapter.second.weight, lambda at: weighted(W1, b1, at), W2),
    ]
    for parameter, function, at in pairs:
        expected = central_differences(function, at)
        np.testing.assert_allclose(parameter.grad, expected, atol=1e-8)


def test_two_layers_stay_at_zero_and_the_others_learn():
    assert all(p.abs().max() == 0 for p in chapter.two.parameters())
    assert chapter.two_zero == pytest.approx(4 * math.log(2))
    assert max(chapter.one_zero, chapter.two_drawn) < 0.2


def test_one_layer_from_zero_descends_as_in_numpy():
    weight, bias = np.zeros((2, 3)), np.zeros(2)
    for _ in range(30):
        odds = np.exp(X @ weight.T + bias)
        error = odds / odds.sum(1, keepdims=True) - np.eye(2)[LABELS]
        weight -= 0.2 * np.einsum("nk,nd->kd", error, X)
        bias -= 0.2 * error.sum(0)
    expected = numpy_cross_entropy(X @ weight.T + bias, LABELS)
    assert chapter.one_zero == pytest.approx(expected, rel=1e-3)


def test_mean_square_falls_to_a_third_per_layer():
    slope = np.polyfit(range(7), np.log(chapter.mean_squares), 1)[0]
    assert chapter.expected == pytest.approx(chapter.mean_squares[0] / 729)
    assert math.exp(slope) == pytest.approx(1 / 3, rel=0.1)


def test_recalled_shapes_and_counts_and_the_root_of_five():
    assert chapter.answer_bound == pytest.approx(1 / math.sqrt(100))
    assert [tuple(p.shape) for p in chapter.answer_layer.parameters()] == [(3, 5), (3,)]
    with pytest.raises(RuntimeError, match="5x1 and 5x3"):
        chapter.answer_layer(torch.zeros(5, 1))
    assert sum(chapter.answer_sizes) == 4 * 4 + 2 * 5 + 1
    hidden, listed = (chapter.Chain(kind) for kind in (list, nn.ModuleList))
    assert [p.numel() for p in hidden.parameters()] == [1]
    assert sorted(p.numel() for p in listed.parameters()) == [1, 2, 4, 8, 12]
    hidden(torch.ones(3)).sum().backward()
    hidden.zero_grad()
    assert hidden.scale.grad is None
    assert all(p.grad is not None for p in hidden.layers[0].parameters())


def test_origin_is_a_saddle():
    u, v = sympy.symbols("u v")
    loss = (v * u - 2) ** 2
    at = {u: 0, v: 0}
    assert [loss.diff(s).subs(at) for s in (u, v)] == [0, 0]
    assert chapter.answer_origin.grad.tolist() == [0, 0]
    exact = sympy.hessian(loss, (u, v)).subs(at)
    np.testing.assert_allclose(chapter.answer_hessian, np.array(exact, dtype=float))
    assert set(exact.eigenvals()) == {-4, 4}


def test_regression_as_a_layer_has_the_sheets_loss_and_gradient():
    rows, w, y = np.arange(1.0, 10).reshape(3, 3), [3, 2, 1], [2, 4, 8]
    expected = central_differences(lambda w: ((rows @ w - y) ** 2).sum(), w, 1e-3)
    found = chapter.answer_regression.weight.grad
    np.testing.assert_allclose(found, expected[None], rtol=1e-6)
    assert chapter.answer_L.item() == ((rows @ w - y) ** 2).sum() == 2084


def test_bias_as_a_fourth_weight_gives_the_same_scores_and_both_gradients():
    np.testing.assert_array_equal(chapter.answer_Z.detach(), X @ W.T + B)
    expected = [[5, 2, 5, 3], [2, -1, 1, 3]]
    assert chapter.answer_folded.weight.grad.tolist() == expected


def numpy_descent(layers, steps=30, rate=0.2):
    """The loss after gradient steps through affine layers, in float64."""
    weights, biases = (
        [part.copy() for part in parts] for parts in zip(*layers, strict=True)
    )
    for _ in range(steps):
        values = [X]
        for weight, bias in zip(weights, biases, strict=True):
            values.append(values[-1] @ weight.T + bias)
        odds = np.exp(values[-1] - values[-1].max(1, keepdims=True))
        back = odds / odds.sum(1, keepdims=True) - np.eye(2)[LABELS]
        for place in reversed(range(len(weights))):
            earlier = back @ weights[place]
            weights[place] -= rate * back.T @ values[place]
            biases[place] -= rate * back.sum(0)
            back = earlier
    scores = X
    for weight, bias in zip(weights, biases, strict=True):
        scores = scores @ weight.T + bias
    return numpy_cross_entropy(scores, LABELS)


def test_losses_of_fresh_layers_from_their_seed_alone(capsys):
    def losses(draws):
        weight, bias = draws.linear(3, 2)
        scores = weight @ [1, 2, 3] + bias
        return [numpy_cross_entropy(scores, label) for label in (0, 1)]

    draws = Draws(0)
    three = [losses(draws) for _ in range(3)]
    shifted = Draws(0)
    shifted.rand(1)
    run_cells("linear_layers", until="what-is-listed")
    capsys.readouterr()
    run_cells("linear_layers", until="answer-difference")
    lines = capsys.readouterr().out.splitlines()[-7:]
    shown = [[float(text) for text in line.split()] for line in lines]
    for line, expected in zip(shown, three, strict=False):
        assert line == pytest.approx(expected, abs=6e-5)
    assert shown[3:6] == [
        pytest.approx([three[0][0]] * 2, abs=1e-6),
        pytest.approx([losses(Draws(1))[0]], abs=1e-6),
        pytest.approx([losses(shifted)[0]], abs=1e-6),
    ]
    assert shown[6] == pytest.approx([three[2][0] - three[2][1]] * 2, abs=1e-4)


def test_unlisted_gain_from_the_seed_alone():
    draws = Draws(0)
    (inner, shift), (other, _) = draws.linear(3, 2), draws.linear(2, 2)
    hidden = inner @ (np.array([1.0, 2, 3]) - 1) + shift
    assert chapter.mixed.gain.grad.tolist() == pytest.approx(other.sum(0) * hidden)


def test_wide_layer_from_the_seed_alone():
    weight, bias = Draws(0).linear(3, 100_000)
    for shown, drawn in zip(numbers_of(chapter.wide), (weight, bias), strict=True):
        np.testing.assert_allclose(shown, drawn, atol=1e-7)
    output = weight @ [1, 2, 3] + bias
    assert chapter.z_wide.mean().item() == pytest.approx(output.mean(), abs=1e-6)
    assert chapter.z_wide.var().item() == pytest.approx(output.var(ddof=1), rel=1e-5)


def test_stacks_from_the_seed_alone():
    draws = Draws(0)
    (W1, b1), (W2, b2) = draws.linear64(3, 4), draws.linear64(4, 2)
    outputs = (X @ W1.T + b1) @ W2.T + b2
    np.testing.assert_allclose(chapter.stack(torch.tensor(X)).detach(), outputs)
    draws = Draws(0)
    (left, _), (right, _) = draws.linear(3, 1), draws.linear(1, 2)
    np.testing.assert_allclose(chapter.M_narrow, right @ left, atol=1e-6)


def test_training_from_zero_and_from_the_seed_in_numpy():
    draws = Draws(0)
    draws.linear(3, 2)  # the single layer, before it was set to zero
    layers = [draws.linear(3, 4), draws.linear(4, 2)]
    assert chapter.two_drawn == pytest.approx(numpy_descent(layers), rel=1e-3)
    zeroed = [(0 * weight, 0 * bias) for weight, bias in layers]
    assert chapter.two_zero == pytest.approx(numpy_descent(zeroed), rel=1e-6)
    assert numpy_descent(zeroed) == pytest.approx(4 * math.log(2))


def test_mean_squares_through_depth_from_the_seed_alone():
    draws = Draws(0)
    values = draws.randn(500)
    expected = [np.mean(values**2)]
    for _ in range(6):
        values = draws.linear(500, 500, bias=False)[0] @ values
        expected.append(np.mean(values**2))
    assert chapter.mean_squares == pytest.approx(expected, rel=1e-4)


def test_unlisted_gain_stays_where_it_is_when_an_optimiser_steps():
    torch.manual_seed(0)
    mixed = chapter.Mixed()
    optimizer = torch.optim.SGD(mixed.parameters(), lr=1.0)
    before = [p.detach().clone() for p in mixed.parameters()]
    mixed(chapter.x).sum().backward()
    optimizer.step()
    assert mixed.gain.grad.abs().min() > 0.01
    assert mixed.gain.tolist() == [1, 1]
    for old, new in zip(before, mixed.parameters(), strict=True):
        assert not torch.equal(old, new)


@cache
def by_numpy():
    """The numbers of every output that NumPy can compute, by cell."""
    x, half = np.array([1.0, 2, 3]), np.array([0.5, -0.5])
    scores = X @ W.T + B
    summed = [*(G.T @ X).flat, *G.sum(0), *(G @ W).flat]
    draws = Draws(0)
    inner, shift = draws.linear(3, 2)
    gain = draws.linear(2, 2)[0].sum(0) * (inner @ (x - 1) + shift)
    wide = Draws(0).linear(3, 100_000)
    spans = [(v.min(), v.max(), v.var(ddof=1)) for v in wide]
    output = wide[0] @ x + wide[1]
    draws = Draws(0)
    (W1, b1), (W2, b2) = draws.linear64(3, 4), draws.linear64(4, 2)
    H = X @ W1.T + b1
    through = [*(G.T @ H).flat, *(W2.T @ G.T @ X).flat]
    draws = Draws(0)
    row, column = draws.linear(3, 1)[0], draws.linear(1, 2)[0]
    draws = Draws(0)
    draws.linear(3, 2)
    drawn = [draws.linear(3, 4), draws.linear(4, 2)]
    single = [(np.zeros((2, 3)), np.zeros(2))]
    zeroed = [(0 * weight, 0 * bias) for weight, bias in drawn]
    sheet = np.arange(1.0, 10).reshape(3, 3)
    residual = sheet @ [3, 2, 1] - [2, 4, 8]
    return {
        "layer": [2, 3, 2],
        "chosen-values": [*W @ x + B] * 2,
        "batch": [*scores.flat] * 2,
        "more-axes": [5, 4, 2],
        "own-module": W @ x + B,
        "gain-has-a-gradient": gain,
        "answer-parameters": [*W.flat, *B],
        "one-example": [*np.outer(half, x).flat, *half, *W.T @ half, *half],
        "batch-gradient": summed,
        "batch-gradient-by-hand": summed,
        "many-rows": np.ravel(spans),
        "output-variance": [output.mean(), output.var(ddof=1), (14 + 1) / 9],
        "at-zero": [*B, *2 * W @ x + B],
        "weighted-sums": [
            number for total in (2, 5, 1, 1) for number in (total, (1 - total) * 18, 0)
        ],
        "no-bias": [0, 0],
        "stack": H @ W2.T + b2,
        "collapsed": [2, 3, 2, *(X @ (W2 @ W1).T + W2 @ b1 + b2).flat],
        "narrow": [*(column @ row).flat, 1],
        "stack-gradient": through,
        "stack-gradient-by-hand": through,
        "start-matters": [numpy_descent(v) for v in (single, zeroed, drawn)],
        "answer-shapes": [
            *(3, 5, 3, 15 + 3),
            *(5, 3, 7, 5, 7, 3, 2, 7, 5, 2, 7, 3, 1, 5, 1, 3),
        ],
        "answer-lists": [1, 2, 3 * 4 + 4 + 4 * 2 + 2 + 1, 2],
        "answer-root-five": [3**-0.5] * 2 + [100**-0.5] * 2,
        "answer-saddle": [0, 0, 0, -4, -4, 0, -4, 4],
        "answer-regression": [3, 1, residual @ residual, *2 * sheet.T @ residual],
        "answer-fold": [0] * 8 + [5, 2, 5, 3, 2, -1, 1, 3],
    }


def test_expected_numbers_by_numpy():
    for cell, numbers in by_numpy().items():
        shown = expected_numbers("linear-layers", cell)
        assert shown == pytest.approx(np.ravel(numbers), abs=5.1e-5), cell


def test_figure_tells_the_gradients_of_one_layer():
    W, x, b = np.array([[4, 5, 6], [7, 8, 9]]), np.array([1, 2, 3]), np.array([18, 0])
    u = W @ x
    z = u + b
    lse = 50 + math.log(2)
    g = np.array([0.5, 0.5]) - [0, 1]
    told = [
        *[*W.ravel(), *x, *b, *u, *z, lse, 1, 1, z[1], lse - z[1]],
        *[1, -1, 1],
        *[*g, *g, *g, *np.outer(g, x).ravel(), *(W.T @ g)],
    ]
    found = expected_numbers("linear-layers", "figure-graph")
    assert found == pytest.approx(told, rel=3e-4)


def test_values_in_sentences_by_numpy():
    x = np.array([1, 2, 3])
    half = np.array([0.5, -0.5])
    outer = np.outer(half, x)
    graph = [*x, *W.T @ half, *W.flat, *outer.flat, *B, *half, *W @ x, *half]
    hidden = (3 * 4 + 4) + (4 * 2 + 2)
    computed = {
        "figure-graph": [*graph, *W @ x + B, *half, math.log(2)],
        "batch-gradient-by-hand": G[3],
        "many-rows": [1 / 9],
        "output-variance": [math.sqrt(2 * (14 + 1) / 9)],
        "stack": [hidden],
        "collapsed": [2 * 3 + 2],
        "answer-lists": [hidden],
    }
    assert_shown_below("linear-layers", computed)
