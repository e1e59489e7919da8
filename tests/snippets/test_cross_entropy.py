import ast
import math
import re
from fractions import Fraction

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets import cross_entropy as ce
from tests.cells import (
    LIBRARY,
    assert_shown_below,
    expected_numbers,
    figure_of,
    redrawn,
    run_cells,
)

approx = pytest.approx
LOG2 = math.log(2)
ONE = torch.tensor(1)
# log(1 + e^-18) by its power series in e^-18, whose value comes from Taylor's series
DELTA = sum(Fraction(-18) ** i / math.factorial(i) for i in range(120))
LOSS = float(DELTA - DELTA**2 / 2 + DELTA**3 / 3)


def shown(name):
    """The value that the page displays under a cell, tensors as lists."""
    last = ast.parse(LIBRARY.cells("cross_entropy")[name].source).body[-1]
    value = eval(ast.unparse(last), run_cells("cross_entropy", until=name))
    if isinstance(value, tuple | list):
        return [v.tolist() if hasattr(v, "tolist") else v for v in value]
    return value.tolist()


def softmax(s):
    """In NumPy, from ratios of pairs: 1 / sum_i exp(s_i - s_j)."""
    s = np.asarray(s, dtype=float)
    return 1 / np.exp(s[:, None] - s[None, :]).sum(axis=0)


def central_differences(f, a, h=1e-6):
    slopes = np.zeros_like(a)
    for index in np.ndindex(*a.shape):
        step = np.zeros_like(a)
        step[index] = h
        slopes[index] = (f(a + step) - f(a - step)) / (2 * h)
    return slopes


def test_forecasts_in_bits_are_mean_code_lengths():
    own, by_p = (1 + 1) / 2 + 2 * 3 / 8, 3 / 2 + 1 / 4 + 2 / 8 + 3 / 8
    assert np.array(shown("forecast")) / LOG2 == approx([own, by_p, 2])
    backward = (ce.p * (ce.p / ce.q).log()).sum().item() / LOG2  # KL(p || q)
    assert backward == approx((1 / 8 + 2 / 2 + 3 / 4 + 3 / 8) - own)


def test_zero_times_log_zero_is_nan_unless_xlogy_takes_the_limit():
    product, limit = shown("zero-times-infinity")
    assert product == approx([0, 0, -LOG2, math.nan], nan_ok=True)
    assert limit == approx([0, 0, -LOG2, 0])


def test_softmax_and_gradient_of_logsumexp_are_the_fractions_of_the_text():
    quarters = approx([1 / 4, 1 / 4, 1 / 2])
    assert shown("softmax") == quarters
    assert shown("softmax-shift-and-scale") == [quarters, approx([1 / 6, 1 / 6, 2 / 3])]
    assert shown("log-sum-exp-gradient") == quarters


def test_wrong_dim_normalises_across_examples():
    columns = np.array([softmax(column) for column in ce.S.T.tolist()])
    assert shown("wrong-dim") == [approx([1, 1]), approx(columns.sum(axis=0))]


def test_unshifted_exponentials_overflow_and_the_shifted_do_not():
    assert shown("overflow") == [approx([math.nan] * 3, nan_ok=True), math.inf]
    value = approx(1000 + math.log(1 + math.e + math.e**2), rel=1e-7)
    assert shown("log-sum-exp") == value
    assert shown("log-sum-exp-in-torch") == [value, approx(softmax([0, 1, 2]))]
    assert 88.7 < math.log(np.finfo(np.float32).max) < 88.8


@given(st.lists(st.floats(-30, 30), min_size=2, max_size=6))
def test_logsumexp_lies_between_the_maximum_and_log_k_above_it(values):
    result = ce.logsumexp(torch.tensor(values, dtype=torch.float64)).item()
    assert max(values) - 1e-12 <= result
    assert result <= max(values) + math.log(len(values)) + 1e-12
    assert result == approx(math.log(math.fsum(map(math.exp, values))), abs=1e-9)


def test_log_of_softmax_underflows_and_adding_back_the_maximum_loses_log_two():
    assert shown("underflow") == [[-math.inf, 0], [-200, 0]]
    assert shown("subtract-do-not-add") == [0, approx(-LOG2)]
    assert np.spacing(np.float32(1e8)) == 8


def test_scores_losses_and_labels_of_the_sheet():
    assert shown("scores") == [4 + 10 + 18, 7 + 16 + 27]
    assert shown("two-labels") == [0, 18]
    assert ce.scores.dtype == torch.float32
    assert shown("from-signs") == [1 if t > 0 else 0 for t in ce.signs]


def test_labels_and_distributions_give_the_cross_entropy_of_the_definition():
    rows = [softmax(row) for row in ce.S.tolist()]
    loss = approx(-math.log(rows[0][0]) - math.log(rows[1][2]))
    assert shown("index-or-distribution") == [loss, loss, approx(2.375 * LOG2)]


def test_exact_loss_and_its_two_neighbours():
    assert ce.exact == approx(LOSS, rel=1e-15)
    assert float(shown("exact")[1]) == LOSS
    other = float(DELTA / (1 + DELTA))
    assert ce.delta / (1 + ce.delta) == approx(other, rel=1e-15)
    assert f"{ce.delta:.9g}" != f"{ce.exact:.9g}" != f"{other:.9g}"


def test_float_spacings_are_powers_of_two():
    assert shown("spacing") == [2.0**-18, 2.0**-23]
    assert np.float32(1) + np.float32(float(DELTA)) == 1
    assert np.float32(50) + np.float32(LOSS) == 50


def test_torch_loses_the_loss_near_one_and_not_near_fifty():
    assert shown("not-the-fifty") == [0, approx(math.log1p(2.0**-23), rel=1e-6)]
    assert math.log1p(2.0**-23) < np.spacing(np.float32(48)) / 2
    assert np.float32(1) + np.float32(math.exp(-16)) == np.float32(1 + 2.0**-23)


def test_float64_loss_has_nine_right_digits_and_a_wrong_tenth():
    # 1 + e^-18 rounded to float64, then exact: the logarithm by its series
    rounded = Fraction(1 + float(DELTA)) - 1
    assert shown("float64") == approx([float(rounded - rounded**2 / 2)] * 2, rel=1e-14)
    digits, true = f"{ce.loss64:.12e}", f"{LOSS:.12e}"
    assert digits[:10] == true[:10]
    assert digits[10] != true[10]


def test_the_three_routes_of_the_table():
    wide = ce.scores.detach().double()
    assert torch.logsumexp(ce.scores, 0) - ce.scores[1] == 0
    added_back = (torch.logsumexp(wide, 0) - 50).item()
    assert added_back % np.spacing(50.0) == 0
    assert abs(added_back - LOSS) <= np.spacing(50.0)
    assert shown("difference-first") == approx(LOSS, rel=1e-7)
    assert F.softplus(wide[0] - wide[1]).item() == approx(LOSS, rel=1e-14)


def test_gradient_of_the_printed_zero_is_not_zero():
    cells = run_cells("cross_entropy", until="difference-first")
    (gradient,) = torch.autograd.grad(cells["loss"], cells["scores"])
    assert gradient.tolist() == [approx(float(DELTA / (1 + DELTA)), rel=1e-6), 0]


def test_score_and_weight_gradients_equal_central_differences():
    X, Z, W = ce.X.numpy(), ce.Z.detach().numpy(), ce.weight.detach().numpy()

    def loss(S):
        rows = [softmax(row) for row in S]
        return -sum(math.log(row[c]) for row, c in zip(rows, ce.y, strict=True))

    by_scores = approx(central_differences(loss, Z), abs=1e-8)
    by_weight = approx(central_differences(lambda V: loss(X @ V.T), W), abs=1e-8)
    assert ce.Z.grad.numpy() == by_scores
    assert np.array(shown("p-minus-onehot")) == by_scores
    for gradient in shown("weight-gradient"):
        assert np.array(gradient) == by_weight


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6).filter(lambda v: sum(v) > 0))
def test_second_softmax_keeps_the_loss_above_its_bound(values):
    k = len(values)
    p = torch.tensor(values, dtype=torch.float64)
    twice = F.cross_entropy(p / p.sum(), torch.tensor(0)).item()
    assert twice >= math.log(1 + (k - 1) / math.e) - 1e-12
    perfect = F.cross_entropy(torch.eye(k)[0].double(), torch.tensor(0))
    assert perfect.item() == approx(math.log(1 + (k - 1) / math.e))


def test_second_softmax_removes_the_gradient():
    ends = [math.log(1 + math.e), math.log(1 + 1 / math.e)]
    assert shown("softmax-twice") == approx(ends, abs=5.1e-5)
    p0, p1 = softmax([32, 50])
    push = 2 * p0 * p1 / (1 + math.exp(p0 - p1))
    right, wrong = ce.right_gradient.tolist(), ce.wrong_gradient.tolist()
    assert right == approx([-1, 1])
    assert wrong == approx([-push, push], rel=1e-5)


def test_one_vector_loses_what_two_lose():
    assert shown("difference-in-numpy") == [[32, 50], approx(18 + LOSS, rel=1e-15)]
    assert f"{ce.by_hand:.16g}" == "18.00000001522998"
    assert shown("one-vector") == [[3, 3, 3], 18]
    assert shown("shared-shift") == [[[0, 0, 0], [3, 3, 3]], 18]
    assert shown("mirrored-rows") == [[-1, -2, -3], [1, 2, 3]]


@given(st.lists(st.integers(-9, 9), min_size=3, max_size=3), st.sampled_from([0, 1]))
def test_a_vector_added_to_both_rows_changes_no_loss(c, label):
    moved = (ce.W.detach() + torch.tensor(c)).double() @ ce.x.double()
    before = math.log1p(math.exp(18 if label == 0 else -18))
    assert F.cross_entropy(moved, torch.tensor(label)).item() == approx(before, 1e-8)


def test_answers_recalled(capsys):
    assert shown("answer-undecided") == approx([math.log(10)] * 2)
    capsys.readouterr()
    run_cells("cross_entropy", until="answer-targets")
    printed = dict(re.findall(r"^([a-e]) (.+)$", capsys.readouterr().out, re.M))
    assert printed["a"] == printed["c"] == f"{ce.batch_loss.item() / 4:.4f}"
    assert printed["b"] == "Target 3 is out of bounds."
    assert "0D or 1D target tensor expected" in printed["d"]
    assert "Long" in printed["e"]


def test_answers_derived():
    assert shown("answer-entropy") == approx([math.log2(3), 3 / 2])
    J = np.array([[3, -1, -2], [-1, 3, -2], [-2, -2, 4]]) / 16
    jacobian, gradient = shown("answer-jacobian")
    assert np.array(jacobian) == approx(J)
    assert gradient == approx([1 / 4, 1 / 4 - 1, 1 / 2])
    assert shown("answer-hessian") == approx([11 / 4, 5 - (3 / 2) ** 2])


def test_answer_batch_survives_thousands_and_has_the_gradient_of_its_values():
    small = ce.batch_cross_entropy(ce.Z.detach(), ce.y).item()
    assert small == approx(ce.batch_loss.item() / 4)
    # scores so far apart that each loss is the maximum less the score of the label
    hot = ce.hot.numpy()
    gaps = hot.max(axis=1) - hot[range(4), ce.y.tolist()]
    assert shown("answer-batch") == approx([gaps.mean()] * 2, rel=1e-3)
    loose = ce.Z.detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda S: ce.batch_cross_entropy(S, ce.y), loose)


@pytest.mark.parametrize(("dtype", "bits"), [(torch.float32, 24), (torch.float64, 53)])
def test_answer_threshold_is_where_one_plus_e_rounds_to_one(dtype, bits):
    gap = bits * LOG2
    below, above = (torch.tensor([0.0, gap + e], dtype=dtype) for e in (-0.01, 0.01))
    assert ce.ce(below, ONE).item() == approx(2.0 ** (1 - bits), rel=1e-6)
    assert ce.ce(above, ONE) == 0


def test_answer_threshold_prints_torchs_loss_beside_the_true_one(capsys):
    run_cells("cross_entropy", until="answer-threshold")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[-4:]]
    for gap, printed, true in (map(float, line) for line in lines):
        series = math.exp(-gap) - math.exp(-2 * gap) / 2
        assert true == approx(series, rel=1e-4)
        assert printed == approx(2.0**-23 if gap < 24 * LOG2 else 0, rel=1e-4)


def test_answer_speed_by_a_plain_loop_in_numpy():
    X, w = ce.X.numpy(), np.zeros(2)
    for _ in range(5):
        probability = np.array([softmax([0, score])[1] for score in X @ w])
        w = w - 0.2 * X.T @ (probability - [1, 0, 1, 1])
    two, one = shown("answer-speed")
    assert one == approx(w)
    assert np.array(two) == approx(np.array([-w, w]) / 2)


def test_silent_mistakes_cost_what_the_text_says():
    columns = np.array([softmax(column) for column in ce.S.T.tolist()])
    assert ce.over_examples.sum(dim=1).tolist() == approx(columns.sum(axis=0))
    assert np.abs(columns.sum(axis=0) - 1).min() > 0.3
    # the route that adds the maximum back is wrong by all of log 2
    assert (ce.first_route - ce.second_route).item() == approx(LOG2)
    # torch's float64 loss has lost seven of sixteen digits
    assert 1e-9 < abs(ce.loss64 - LOSS) / LOSS < 1e-8
    # a second softmax shrinks the gradient by this factor
    p0, p1 = softmax([32, 50])
    factor = 2 * p0 * p1 / (1 + math.exp(p0 - p1))
    shrunk = ce.wrong_gradient[1].item() / ce.right_gradient[1].item()
    assert shrunk == approx(factor, rel=1e-5)


@settings(max_examples=30)
@given(st.lists(st.tuples(*[st.floats(-50, 50)] * 3), min_size=1, max_size=4))
def test_rows_of_the_weight_gradient_sum_to_zero_and_no_score_pulls_beyond_one(rows):
    scores = torch.tensor(rows, dtype=torch.float64, requires_grad=True)
    labels = torch.arange(len(rows)) % 3
    loss = F.cross_entropy(scores, labels, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, scores)
    assert gradient.sum(dim=1).tolist() == approx([0] * len(rows), abs=1e-12)
    assert gradient.abs().max() <= 1
    # the rows of the gradient for W are weighted sums of these
    assert ce.weight.grad.sum(dim=0).tolist() == approx([0, 0], abs=1e-12)


def test_detour_through_probabilities_is_nan_where_one_has_underflown():
    scores = torch.tensor([0.0, 200.0])
    p = torch.softmax(scores, dim=0)
    assert p[0] == 0
    upstream = torch.tensor([-1.0, 0.0]) / p
    jacobian = torch.diag(p) - torch.outer(p, p)
    assert (jacobian.T @ upstream).isnan().any()
    direct = scores.requires_grad_()
    F.cross_entropy(direct, torch.tensor(0)).backward()
    assert direct.grad.tolist() == approx([-1, 1])


def test_the_bars_are_what_their_script_draws_from_the_data():
    figure, names = figure_of("cross_entropy", "figure-softmax")
    for ax in (names["left"], names["right"]):
        [base] = ax.lines
        assert list(base.get_ydata()) == [0, 0]
    scores = np.array(figure.data["scores"])
    for panel, heights in enumerate((scores, softmax(scores))):
        bars = np.array(redrawn(figure, panel))
        np.testing.assert_allclose(bars[:, :2, 1], 0, atol=0.01)
        np.testing.assert_allclose(bars[:, 2, 1], heights, atol=0.01)
        np.testing.assert_allclose(bars[:, :2, 0].mean(axis=1), range(3), atol=0.01)


def test_figures_tell_the_numbers_of_two_ways_into_the_loss():
    scores = np.array([0, 0, math.log(2)])
    p = softmax(scores)
    bars = expected_numbers("cross-entropy", "figure-softmax")
    assert bars == pytest.approx([*scores, *p])
    lse, slope = math.log(4), p - [0, 0, 1]
    x = np.array([1, 2])
    told = [
        *[2, -1, 0, 0, scores[2], 0, *x, *scores, lse],
        *[2, 2, scores[2], lse - scores[2]],
        *[1, -1, 1, *slope, *np.outer(slope, x).ravel()],
    ]
    graph = expected_numbers("cross-entropy", "figure-fan-out")
    assert np.array([[2, -1], [0, 0], [math.log(2), 0]]) @ x == pytest.approx(scores)
    assert graph == pytest.approx(told, rel=3e-4)


def test_values_in_sentences_by_series_and_powers_of_two():
    own, uniform, by_p = 7 / 4, 2, 19 / 8  # in bits: mean lengths of the codes
    backward = (1 / 8 + 2 / 2 + 3 / 4 + 3 / 8) - own
    in_float64 = Fraction(1 + float(DELTA)) - 1  # what 1 + e^-18 keeps of e^-18
    loss64 = float(in_float64 - in_float64**2 / 2)
    p0, p1 = softmax([32, 50])
    push = 2 * p0 * p1 / (1 + math.exp(p0 - p1))
    computed = {
        "forecast": [
            *(own * LOG2, uniform * LOG2, by_p * LOG2, own, uniform, by_p),
            *((by_p - own) * LOG2, backward * LOG2),
        ],
        "subtract-do-not-add": [2.0 ** (26 - 23), LOG2],  # 2²⁶ < 10⁸ < 2²⁷
        "integer-one-hot": [4 + 10 + 18, 7 + 16 + 27, 0, LOSS],
        "exact": [LOSS, float(DELTA), LOSS, float(DELTA / (1 + DELTA))],
        "spacing": [2.0 ** (5 - 23), 2.0**-23, math.log(1 + math.exp(-16))],
        "not-the-fifty": [math.log(1 + 2.0**-23), 2.0 ** (5 - 23), 2.0**-52],
        "float64": [abs(loss64 / LOSS - 1)],
        "difference-first": [0, (50 + LOSS) - 50, 0, loss64, LOSS, LOSS],
        "gradient-of-printed-zero": [
            *(float(DELTA / (1 + DELTA)), 18 + LOSS, 18, 2.0 ** (4 - 23)),
        ],
        "softmax-twice-gradient": [1, push],
        "answer-batch": [24 * LOG2, 53 * LOG2],
    }
    assert_shown_below("cross-entropy", computed)
