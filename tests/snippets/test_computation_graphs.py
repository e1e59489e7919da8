import io
import itertools
import re
import warnings
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets import computation_graphs as chapter
from tests.cells import assert_shown_below, expected_numbers, figure_of, run_cells

BOOK = Path(__file__).parents[2] / "book"
CELLS = re.findall(r"^# %% (.*)$", Path(chapter.__file__).read_text(), re.M)
# The running example, vertex by vertex: {argument: derivative on the edge}.
EDGES = {
    "p": {"u": "v", "v": "u"},
    "q": {"p": "1", "u": "1"},
    "L": {"p": "q", "q": "p"},
}
VALUES = {"u": 2, "v": 3, "p": 6, "q": 8, "L": 48}


@cache
def run(cell):
    with redirect_stdout(io.StringIO()) as out:
        namespace = run_cells("computation_graphs", until=cell)
    return namespace, out.getvalue()


def state(cell):
    return run(cell)[0]


def printed(cell):
    before = run(CELLS[CELLS.index(cell) - 1])[1]
    return run(cell)[1].removeprefix(before).splitlines()


@cache
def gradients():
    """Gradients of the running example by symbolic differentiation."""
    u, v, p, q = sympy.symbols("u v p q")
    found = {
        "u": (u * v * (u * v + u)).diff(u),
        "v": (u * v * (u * v + u)).diff(v),
        "p": (p * (p + u)).diff(p),
        "q": (p * q).diff(q),
        "L": sympy.Integer(1),
    }
    return {name: int(g.subs(VALUES)) for name, g in found.items()}


def test_a_graph_is_recorded_only_where_a_gradient_is_wanted():
    ns = state("sum-unrecorded")
    assert (ns["a"] + ns["b"]).tolist() == np.add([1, 2, 3], [4, 5, 6]).tolist()
    assert printed("sum-unrecorded") == ["False None"]
    ns = state("sum-recorded")
    assert "AddBackward" in repr(ns["a"] + ns["b"])
    assert not ns["b"].requires_grad


def test_leaf_means_no_grad_fn_and_requirement_is_inherited():
    rows = [re.split(r" {2,}", line) for line in printed("leaves")[1:]]
    table = {name: requires[0] + leaf[0] for name, requires, leaf in rows}
    assert table == {"x": "FT", "2 * x": "FT", "u": "TT", "p": "TF", "loss": "TF"}


def test_leaves_have_gradients_and_an_unasked_inner_vertex_warns():
    values, warning = printed("grad-of-non-leaf")
    assert values == f"tensor({gradients()['u']}.) tensor({gradients()['v']}.) None"
    assert "not a leaf" in warning
    assert state("retain-grad")["p"].grad.item() == gradients()["p"]


def test_recorded_graph_is_the_drawing_with_edges_reversed():
    vertices = ["L", "p", "q", "u", "v"]
    lines = printed("show-graph")
    assert len(lines) == len(vertices)
    for vertex, line in zip(vertices, lines, strict=True):
        kind, sources = re.fullmatch(r"\d (\w+) \[(.*)\]", line).groups()
        found = {vertices[int(n)] for n in re.findall(r"\d", sources)}
        assert found == set(EDGES.get(vertex, {}))
        assert (kind == "AccumulateGrad") == (vertex not in EDGES)


def test_arguments_that_want_no_gradient_are_not_in_the_graph(capsys):
    data, w = torch.ones(2), torch.ones(2, requires_grad=True)
    chapter.show_graph(data * w)
    assert capsys.readouterr().out == "0 MulBackward0 [1]\n1 AccumulateGrad []\n"


def test_branch_that_ran_is_the_one_recorded():
    kinds = [re.sub(r"\d (\w{3})\w*", r"\1", line) for line in printed("branches")]
    assert kinds == ["Mul [1, 1]", "Acc []", "Neg [1]", "Acc []"]


def test_doubling_gradient_counts_paths():
    ns = state("doubling")
    assert ns["a"].grad.item() == len(list(itertools.product("12", "12")))
    figure, _ = figure_of("computation_graphs", "figure-doubling")
    answers = [step["answer"] for step in figure.data["steps"] if step["ask"]]
    assert answers == [(1,), (2,), (4,)]


def test_gradient_is_the_sum_over_paths_of_edge_products():
    number = VALUES | {"1": 1}

    def along_paths(vertex):
        if vertex == "L":
            return 1
        return sum(
            number[edges[vertex]] * along_paths(head)
            for head, edges in EDGES.items()
            if vertex in edges
        )

    assert {k: along_paths(k) for k in VALUES} == gradients()


def test_gradients_arrive_complete_and_from_the_loss_down():
    expected = [f"{k} {float(gradients()[k])}" for k in "Lqpuv"]
    assert printed("arrivals")[:3] == expected[:3]
    assert sorted(printed("arrivals")[3:]) == expected[3:]
    ns = state("nudge")
    assert ns["by_u"] == pytest.approx(gradients()["u"], abs=1e-9)
    assert ns["by_v"] == pytest.approx(gradients()["v"], abs=1e-9)


def test_figure_and_hand_table_show_the_true_numbers():
    figure, ns = figure_of("computation_graphs", "figure-fan-out")
    drawn = {
        v.name: (v.value.item(), v.gradient.item()) for v in ns["recording"].vertices
    }
    assert drawn == {k: (VALUES[k], gradients()[k]) for k in VALUES}
    labels = re.findall(r'class="edge".*?>([^<]+)</text>', figure.svg)
    u, v, p, q = (VALUES[name] for name in "uvpq")
    assert sorted(map(int, labels)) == sorted([v, u, 1, 1, q, p])
    last_row = " | ".join(str(g) for g in gradients().values())
    assert f"to $v$ | {last_row} |" in (BOOK / "computation-graphs.md").read_text()


def test_what_detach_cuts_is_cut_in_the_figure():
    figure, ns = figure_of("computation_graphs", "figure-detach")
    assert ns["w_"].grad.item() == 3
    assert "The edge from w to d is cut" in figure.alt


def test_zero_gradient_differs_from_no_gradient():
    ns = state("none-or-zero")
    assert ns["w"].grad.item() == 0
    assert ns["idle"].grad is None


def test_seeded_backward_is_the_transposed_jacobian_times_the_seed():
    A = np.array([[1, 2, 3], [4, 5, 6]])
    assert state("matrix-vector")["x"].grad.tolist() == (A.T @ [1, 10]).tolist()
    rows = [re.findall(r"\d", line) for line in printed("rows-of-the-jacobian")]
    assert np.array(rows, dtype=int).tolist() == A.tolist()
    assert state("broadcast")["beta"].grad.item() == sum([1, 10, 100])


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_table_of_vector_jacobian_products(seed):
    rng = np.random.default_rng(seed)
    x, z, y_bar = (rng.normal(size=4) for _ in range(3))
    A, a_bar = rng.normal(size=(3, 4)), rng.normal(size=3)
    beta, s_bar = rng.normal(size=()), rng.normal(size=())
    table = [
        (torch.add, (x, z), y_bar, (y_bar, y_bar)),
        (torch.sub, (x, z), y_bar, (y_bar, -y_bar)),
        (torch.mul, (x, z), y_bar, (z * y_bar, x * y_bar)),
        (torch.sin, (x,), y_bar, (np.cos(x) * y_bar,)),
        (torch.mv, (A, x), a_bar, (np.outer(a_bar, x), A.T @ a_bar)),
        (torch.sum, (x,), s_bar, (np.full(4, s_bar),)),
        (torch.add, (x, beta), y_bar, (y_bar, y_bar.sum())),
    ]
    for operation, arguments, bar, expected in table:
        leaves = [torch.tensor(a, requires_grad=True) for a in arguments]
        operation(*leaves).backward(torch.tensor(bar))
        for leaf, gradient in zip(leaves, expected, strict=True):
            np.testing.assert_allclose(leaf.grad, gradient, atol=1e-12)


def test_gradients_add_up_until_cleared():
    slope = 2 * 3
    assert printed("accumulation") == [f"{float(slope)} {float(slope + slope)}"]
    assert state("cleared")["w"].grad.item() == slope


def test_a_retained_graph_runs_again_and_a_sum_needs_no_retaining():
    assert printed("saved")[0].startswith("tensor(3.")
    assert printed("retained") == ["pass", "pass"]
    assert state("retained")["w"].grad.item() == 2 * (2 * 3)
    assert state("nothing-saved")["w"].grad.item() == 2 * 2


def test_rebinding_moves_the_gradient_to_the_old_leaf():
    assert state("in-place-leaf")["w"].item() == 3
    ns = state("rebound-backward")
    moved = 3 - 0.1 * 6
    assert ns["w"].item() == pytest.approx(moved)
    assert not ns["w"].is_leaf
    assert ns["leaf"].grad.item() == pytest.approx(2 * 3 + 2 * moved)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert ns["w"].grad is None


def test_only_the_unrecorded_in_place_step_keeps_a_leaf_that_wants_a_gradient():
    lost, kept = state("rebound-no-grad")["w"], state("update")["w"]
    assert lost.item() == kept.item() == pytest.approx(2.4)
    assert (lost.requires_grad, kept.requires_grad) == (False, True)
    assert kept.is_leaf


def test_writing_through_data_gives_the_gradient_at_the_wrong_place():
    ns = state("data-is-silent")
    assert ns["cubes"].item() == 1**3 + 2**3
    assert ns["z"].grad.tolist() == [3 * 10**2, 3 * 20**2]


def test_detach_shares_memory_and_makes_a_constant():
    ns = state("detach-shares")
    assert ns["w"].tolist() == [100, 2, 3]
    assert ns["c"].tolist() == [1, 2, 3]
    w, constant = sympy.symbols("w c")
    exact = (w * constant).diff(w).subs(constant, 3)
    assert state("detached-factor")["w"].grad.item() == float(exact)
    assert printed("no-grad") == ["tensor(9.) True"]


def test_answers_leaves_and_scripts():
    flags = [line.split()[-2:] for line in printed("answer-leaves")]
    expected = ["TT", "FT", "TF", "FT", "TF", "TF"]
    assert [requires[0] + leaf[0] for requires, leaf in flags] == expected
    parts = ["floating point", "only for scalar", "runs", "needed", "not require grad"]
    for line, part in zip(printed("answer-five-scripts"), parts, strict=True):
        assert part in line


def test_answers_equal_symbolic_derivatives():
    x, y, w, t = sympy.symbols("x y w t")
    L, at = x * sympy.exp(x * y), {x: 2, y: 0}
    assert chapter.loss2.item() == float(L.subs(at))
    assert chapter.x2.grad.item() == float(L.diff(x).subs(at))
    assert chapter.y2.grad.item() == float(L.diff(y).subs(at))
    whole, fixed = (w - 2 * w) ** 2, (w - t) ** 2
    assert chapter.honest == float(whole.diff(w).subs(w, 3))
    assert chapter.w4.grad.item() == float(fixed.diff(w).subs({w: 3, t: 6}))


def test_answer_quadratic_form_equals_symmetrised_matrix_times_x():
    M, x = np.array([[1, 2], [3, 4]]), np.array([1, -1])
    assert chapter.form.item() == x @ M @ x
    assert chapter.x3.grad.tolist() == ((M + M.T) @ x).tolist()
    assert chapter.M.grad.tolist() == np.outer(x, x).tolist()


def test_answer_reached_lists_exactly_the_leaves_that_get_a_gradient():
    ns = state("answer-reached")
    ns["loss6"].backward()
    assert printed("answer-reached") == [
        f"{name} {ns[name + '6'].grad is not None}" for name in "uvw"
    ]
    assert ns["v6"].grad is None


def test_answer_descent_follows_the_geometric_formula():
    rows = [line.split() for line in printed("answer-descend")]
    assert [t for t, _, _ in rows] == list("12345")
    for t, run_value, formula in rows:
        exact = 3 * (1 - sympy.Rational(4, 5) ** int(t))
        assert float(run_value) == float(formula) == pytest.approx(float(exact))


def test_running_example_has_the_value_of_its_formula():
    u, v = sympy.symbols("u v")
    exact = (u * v * (u * v + u)).subs({u: 2, v: 3})
    assert state("fresh-graph")["loss"].item() == int(exact) == VALUES["L"]


def test_silent_mistakes_are_wrong_by_the_stated_factors():
    w, z = sympy.symbols("w z")
    cube, square, double = (
        (f.diff(x), x) for f, x in ((z**3, z), (w**2, w), (2 * w, w))
    )
    right = [float(cube[0].subs(cube[1], value)) for value in (1, 2)]
    assert (state("data-is-silent")["z"].grad / torch.tensor(right)).tolist() == [
        100
    ] * 2
    assert state("nothing-saved")["w"].grad.item() == 2 * float(double[0])
    right = float(square[0].subs(square[1], 3))
    assert state("accumulation")["w"].grad.item() == 2 * right
    assert state("detached-factor")["w"].grad.item() == right / 2
    # the gradient at 3 and the one at 2.4 end in the old leaf
    both = right + float(square[0].subs(square[1], sympy.Rational(12, 5)))
    assert state("rebound-backward")["leaf"].grad.item() == pytest.approx(both)


def test_figure_of_a_sum_names_the_three_vectors():
    a, b = [1, 2, 3], [4, 5, 6]
    total = [left + right for left, right in zip(a, b, strict=True)]
    assert expected_numbers("computation-graphs", "figure-sum") == [*a, *b, *total]


def test_values_in_sentences_by_the_rules_of_school():
    slope = 2 * 3  # of w² at w = 3
    moved = 3 - 0.1 * slope
    computed = {
        "retained": [slope + slope, slope],
        "nothing-saved": [2],  # the slope of 2 w
        "rebound-backward": [moved, 2 * moved, slope + 2 * moved],
        "detached-factor": [slope / 2, slope],
    }
    assert_shown_below("computation-graphs", computed)
