"""What the chapter on tensors shows, by NumPy, plain Python and general laws."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snippets import tensors as chapter
from tests.cells import assert_shown_below, expected_numbers, run_cells

ROWS = [[1, 2, 3], [4, 5, 6]]
sizes = st.integers(1, 4)
entries = st.integers(-9, 9)


def matrices(rows=sizes, columns=sizes):
    """Small whole numbers, which float32 holds and multiplies exactly."""
    return st.tuples(rows, columns).flatmap(
        lambda shape: st.lists(
            st.lists(entries, min_size=shape[1], max_size=shape[1]),
            min_size=shape[0],
            max_size=shape[0],
        )
    )


def as_float(rows):
    return torch.tensor(rows, dtype=torch.float32)


def test_sum_of_the_vectors_is_entry_by_entry_in_torch_and_numpy():
    expected = [1 + 4, 2 + 5, 3 + 6]
    assert (chapter.a + chapter.b).tolist() == expected
    assert str(chapter.a + chapter.b) == f"tensor({expected})"
    assert (np.array(chapter.list_a) + np.array(chapter.list_b)).tolist() == expected


def test_sum_of_lists_is_their_concatenation():
    assert chapter.list_a + chapter.list_b == [1, 2, 3, 4, 5, 6]


def test_order_counts_nested_lists_and_shape_their_lengths():
    for tensor in (chapter.scalar, chapter.vector, chapter.X, chapter.stack):
        shape, level = [], tensor.tolist()
        while isinstance(level, list):
            shape.append(len(level))
            level = level[0]
        assert (tensor.ndim, list(tensor.shape)) == (len(shape), shape)
        assert tensor.numel() == math.prod(shape)
    assert [t.ndim for t in (chapter.scalar, chapter.vector, chapter.X)] == [0, 1, 2]


def test_an_integer_index_takes_an_axis_away():
    assert chapter.X.tolist() == ROWS
    assert chapter.X[1, 2].shape == ()
    assert chapter.X[1].tolist() == ROWS[1]
    assert chapter.X[:, 2].tolist() == [row[2] for row in ROWS]


def test_inferred_and_promoted_types(capsys):
    run_cells("tensors", until="promotion")
    lines = capsys.readouterr().out.splitlines()
    first = lines.index("torch.int64")
    assert lines[first : first + 4] == [
        f"torch.{name}" for name in ("int64", "float32", "float64", "bool")
    ]
    assert lines[-3:] == ["torch.float32", "torch.float64", "torch.float32"]


def test_class_called_with_a_number_takes_it_for_a_size():
    assert torch.Tensor(3).shape == torch.zeros(3).shape != torch.tensor(3).shape
    assert torch.Tensor([1, 2, 3]).dtype is torch.get_default_dtype()


def test_float32_loses_one_added_to_two_to_the_24():
    assert np.float32(2**24) + np.float32(1) == np.float32(2**24)
    assert np.float64(2**24) + np.float64(1) != np.float64(2**24)
    assert torch.finfo(torch.float32).eps == 2.0**-23


@given(st.floats(2.0**-60, 2.0**60, width=32))
def test_gap_of_float32_is_between_half_and_one_epsilon_times_the_number(x):
    gap = Fraction(float(np.spacing(np.float32(x)))) / Fraction(x)
    epsilon = Fraction(torch.finfo(torch.float32).eps)
    assert epsilon / 2 < gap <= epsilon


def test_star_multiplies_entries_and_at_multiplies_matrices():
    A = chapter.A.tolist()
    off_diagonal = [[A[i][j] * (i != j) for j in range(2)] for i in range(2)]
    assert (chapter.A * chapter.B).tolist() == off_diagonal
    assert (chapter.A @ chapter.B).tolist() == [row[::-1] for row in A]


def test_products_with_order_one_are_sums_over_the_shared_index():
    w, u = chapter.w.tolist(), chapter.u.tolist()
    of_rows = [sum(row[k] * w[k] for k in range(3)) for row in ROWS]
    of_columns = [sum(u[i] * ROWS[i][j] for i in range(2)) for j in range(3)]
    assert (chapter.X @ chapter.w).tolist() == of_rows
    assert (chapter.w @ chapter.X.T).tolist() == of_rows
    assert (chapter.u @ chapter.X).tolist() == of_columns
    assert (chapter.w @ chapter.w).item() == sum(k * k for k in w)
    assert (chapter.X @ chapter.column).tolist() == [[value] for value in of_rows]


@pytest.mark.parametrize(
    ("left", "right", "result"),
    [((2, 3), (3,), (2, 3)), ((2, 3), (2, 1), (2, 3)), ((3, 1), (3,), (3, 3))],
)
def test_broadcasting_table_agrees_with_numpy(left, right, result):
    assert np.broadcast_shapes(left, right) == result
    assert (torch.zeros(left) + torch.zeros(right)).shape == result


def test_broadcast_sums_add_to_each_row_and_each_column():
    ns = run_cells("tensors", until="broadcast-column")
    X = ns["X"]
    by_row = np.array(ROWS) + np.tile([10, 20, 30], (2, 1))
    assert (X + torch.tensor([10.0, 20.0, 30.0])).tolist() == by_row.tolist()
    by_column = np.array(ROWS) + np.repeat([[100], [200]], 3, axis=1)
    assert (X + torch.tensor([[100.0], [200.0]])).tolist() == by_column.tolist()


def test_wrong_loss_is_the_sum_over_all_pairs():
    y = [Fraction(v) for v in chapter.y.tolist()]
    mean = sum(y) / 3
    assert chapter.right.item() == 0
    assert chapter.wrong.item() == sum((p - t) ** 2 for p in y for t in y)
    assert (2 * 3 * chapter.spread).item() == pytest.approx(chapter.wrong.item())
    lower = float(3 * sum((mean - t) ** 2 for t in y))
    assert chapter.lower.item() == pytest.approx(lower)


@given(st.lists(st.tuples(entries, entries), min_size=1, max_size=5))
def test_wrong_loss_splits_as_derived_and_is_least_at_the_mean(pairs):
    p, y = ([Fraction(v) for v in side] for side in zip(*pairs, strict=True))
    n, mean = len(y), sum(y) / len(y)
    spread = sum((t - mean) ** 2 for t in y)
    derived = n * sum((q - mean) ** 2 for q in p) + n * spread
    column = torch.tensor([[float(q)] for q in p])
    target = torch.tensor([float(t) for t in y])
    assert ((column - target) ** 2).sum().item() == derived >= n * spread


def test_mse_loss_warns_of_the_sizes_and_goes_on():
    with pytest.warns(UserWarning, match="target size"):
        loss = torch.nn.MSELoss(reduction="sum")(chapter.p, chapter.y)
    assert loss.item() == chapter.wrong.item()


def test_sums_by_plain_python_and_by_products_with_ones():
    X = chapter.X
    columns, rows = [sum(c) for c in zip(*ROWS, strict=True)], [sum(r) for r in ROWS]
    assert X.sum().item() == sum(rows)
    assert X.sum(dim=0).tolist() == (torch.ones(2) @ X).tolist() == columns
    assert X.sum(dim=1).tolist() == (X @ torch.ones(3)).tolist() == rows


def test_keepdim_centres_rows_where_the_plain_mean_does_not():
    centred = chapter.Q - chapter.Q.mean(dim=1, keepdim=True)
    silent = chapter.Q - chapter.Q.mean(dim=1)
    assert centred.sum(dim=1).tolist() == [0, 0]
    means = [sum(row) / 2 for row in chapter.Q.tolist()]
    for i, j in itertools.product(range(2), range(2)):
        assert silent[i, j] == chapter.Q[i, j] - means[j]
    assert silent.sum(dim=1).tolist() != [0, 0]


def test_maximum_gives_values_and_places():
    values, places = chapter.X.max(dim=1)
    assert values.tolist() == [max(row) for row in ROWS]
    assert places.tolist() == [row.index(max(row)) for row in ROWS]


def test_reshape_shares_and_clone_does_not():
    assert chapter.flat.tolist() == [100, 1, 2, 3, 4, 5]
    assert chapter.copy.tolist() == [100, -1, 2, 3, 4, 5]
    assert chapter.grid.flatten().tolist() == list(range(6))
    assert chapter.straight.tolist() == [100, 3, 1, 4, 2, 5]


@given(sizes, sizes)
def test_positions_in_memory_follow_the_derived_strides(m, n):
    grid = torch.arange(m * n).reshape(m, n)
    for i, j in itertools.product(range(n), range(m)):
        assert grid.T[i, j] == n * j + i
        assert grid.reshape(n, m)[i, j] == m * i + j
    same = torch.equal(grid.T, grid.reshape(n, m))
    assert same == (1 in (m, n))


def test_printed_strides_are_those_of_the_derivation():
    m, n = chapter.grid.shape
    strides = (chapter.grid, chapter.grid.T, chapter.grid.reshape(n, m))
    assert [t.stride() for t in strides] == [(n, 1), (1, n), (m, 1)]


def test_numpy_memory_is_shared_by_from_numpy_alone():
    assert np.shares_memory(chapter.array, chapter.shared.numpy())
    assert not np.shares_memory(chapter.array, chapter.copied.numpy())
    assert chapter.back.tolist() == chapter.array.tolist() == [100, -5, 3]
    assert chapter.copied.tolist() == [1, 2, 3]


def test_answer_shapes_by_numpy():
    H, v, t, c = (np.zeros(getattr(chapter, name).shape) for name in "Hvtc")
    results = [H @ v, H * v, H.T @ t, H - c, c - t, H.sum(0), H[:, 1], H[:, [1]], v @ v]
    shapes = [(5,), (5, 3), (3,), (5, 3), (5, 5), (3,), (5,), (5, 1), ()]
    assert [np.shape(result) for result in results] == shapes
    H, v, t, c = chapter.H, chapter.v, chapter.t, chapter.c
    results = [H @ v, H * v, H.T @ t, H - c, c - t, H.sum(0), H[:, 1], H[:, [1]], v @ v]
    assert [tuple(result.shape) for result in results] == shapes


def test_answer_sharing_by_storage():
    start = chapter.source.untyped_storage().data_ptr()
    names = ("part", "listed", "plus_zero", "reshaped", "cloned")
    starts = [getattr(chapter, name).untyped_storage().data_ptr() for name in names]
    assert [start == other for other in starts] == [True, False, False, True, False]


def test_answer_gram_is_both_sums():
    expected = np.einsum("ij,il->jl", np.array(ROWS), np.array(ROWS))
    assert chapter.gram.tolist() == expected.tolist()
    assert chapter.outer_products.sum(dim=0).tolist() == expected.tolist()


@given(matrices(columns=st.just(3)), matrices(columns=st.just(3)))
def test_squared_distances_are_those_of_the_points(X, Z):
    expected = [
        [sum((a - b) ** 2 for a, b in zip(x, z, strict=True)) for z in Z] for x in X
    ]
    assert chapter.squared_distances(as_float(X), as_float(Z)).tolist() == expected


def test_cancellation_follows_the_rounding_of_float32():
    x, z = np.float32(4097.0), np.float32(4097.5)
    rounded = (x * x + z * z) - np.float32(2) * x * z
    assert chapter.negative.item() == rounded < 0 < (x - z) ** 2 < np.spacing(x * x)


def test_standardised_columns_by_numpy():
    D = chapter.D.double().numpy()
    expected = (D - D.mean(axis=0)) / D.std(axis=0)
    assert np.allclose(chapter.standard.numpy(), expected, atol=1e-6)
    default = chapter.standard.std(dim=0).tolist()
    assert default == pytest.approx([math.sqrt(3 / 2)] * 2)


def test_residual_subtracts_equal_shapes_and_refuses_others():
    assert chapter.residual(chapter.p[:, 0], chapter.y).tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="targets"):
        chapter.residual(chapter.p, chapter.y)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6))
def test_one_hot_agrees_with_torch_and_picks_its_column(labels):
    rows = chapter.one_hot(torch.tensor(labels), 5)
    assert rows.dtype is torch.float32
    expected = torch.nn.functional.one_hot(torch.tensor(labels), 5)
    assert rows.tolist() == expected.tolist()


def test_change_of_basis_of_map_and_form():
    F, C = chapter.F.double().numpy(), chapter.C.double().numpy()
    x, z = np.array([2.0, -1.0]), np.array([0.5, 3.0])
    as_map = (chapter.C.inverse() @ chapter.F @ chapter.C).double().numpy()
    as_form = (chapter.C.T @ chapter.F @ chapter.C).double().numpy()
    assert np.allclose(C @ (as_map @ x), F @ (C @ x))
    assert np.isclose(x @ as_form @ z, (C @ x) @ F @ (C @ z))


def test_square_matrix_less_its_plain_means_has_rows_off_by_thirteen():
    # row i, column j: entry less the mean of row j, summed over j
    (a, b), (c, d) = [[Fraction(v) for v in row] for row in chapter.Q.tolist()]
    means = ((a + b) / 2, (c + d) / 2)
    off = [float(row - sum(means)) for row in (a + b, c + d)]
    assert (chapter.Q - chapter.Q.mean(dim=1)).sum(dim=1).tolist() == off == [-13, 13]


def test_reshaping_puts_four_of_six_numbers_in_the_wrong_place():
    table = np.array([[0, 1, 2], [3, 4, 5]])
    by_loops = [[int(table[i, j]) for i in range(2)] for j in range(3)]
    assert chapter.grid.T.tolist() == by_loops
    misplaced = np.array(by_loops) != np.array(range(6)).reshape(3, 2)
    assert (chapter.grid.reshape(3, 2) != chapter.grid.T).sum() == misplaced.sum() == 4


def test_star_differs_from_the_matrix_product_in_every_entry():
    A, B = chapter.A.numpy(), chapter.B.numpy()
    product = [[sum(A[i] * B[:, j]) for j in range(2)] for i in range(2)]
    apart = np.array(product) - A * B
    assert (chapter.A @ chapter.B - chapter.A * chapter.B).tolist() == apart.tolist()
    assert (apart != 0).sum() == 4


def test_writes_reach_the_tensor_or_array_at_the_other_end():
    alone = np.array([1.0, 2.0, 3.0])
    assert (chapter.shared.numpy() - alone).tolist() == [99, -7, 0]
    assert (chapter.copied.numpy() - alone).tolist() == [0, 0, 0]
    assert chapter.flat[0].item() - range(6)[0] == 100


def test_every_tensor_lies_in_the_memory_of_the_cpu():
    values = [value for value in vars(chapter).values() if torch.is_tensor(value)]
    assert {str(value.device) for value in values} == {"cpu"}
    assert len(values) > 20


def test_training_on_the_wrong_loss_pulls_every_prediction_to_the_mean():
    p = chapter.p.clone().requires_grad_()
    for _ in range(100):
        (slope,) = torch.autograd.grad(((p - chapter.y) ** 2).sum(), p)
        p = (p - 0.05 * slope).detach().requires_grad_()
    assert p.tolist() == [[pytest.approx((2 + 4 + 9) / 3)]] * 3


A, SWAP = np.array([[1, 2], [3, 4]]), np.array([[0, 1], [1, 0]])
M, V = np.array(ROWS, dtype=float), np.array([3.0, 2, 1])
Y, SQUARE = np.array([2.0, 4, 9]), np.array([[1.0, 3], [10, 20]])
POINTS = np.array([[1.0, 2, 3], [0, 0, 0], [1, 0, 0]])
SIX = np.arange(6)
FAR, NEAR = np.float32(4097), np.float32(4097.5)
TRIPLES = np.array([[1.0, 10], [2, 30], [6, 50]])
MAP, BASIS = np.array([[1.0, 2], [3, 4]]), np.array([[1.0, 1], [0, 1]])
BY_NUMPY = {
    "list-sum": [1, 2, 3, 4, 5, 6],
    "tensor-sum": np.add([1, 2, 3], [4, 5, 6]),
    "numpy-sum": [1 + 4, 2 + 5, 3 + 6],
    "orders": [
        number
        for shape in ((), (2,), (2, 3), (4, 2, 3))
        for number in (len(shape), *shape, math.prod(shape))
    ],
    "indexing": [M[1, 2], *M[1], *M[:, 2]],
    "float32-limit": [np.float32(2**24) + np.float32(1), 2**24 + 1],
    "star-and-at": [*(A * SWAP).flat, *A[:, ::-1].flat],
    "product-shapes": [*M @ V, *(M[0] - M[1]), 9 + 4 + 1],
    "either-side": [*M @ V, *M @ V],
    "row-and-column": [*V[None].shape, *V[:, None].shape, *M @ V],
    "broadcast-row": M + np.tile([10, 20, 30], (2, 1)),
    "broadcast-column": M + np.repeat([[100], [200]], 3, axis=1),
    "all-pairs": np.subtract.outer(Y, Y),
    "wrong-loss": [(np.subtract.outer(Y, Y) ** 2).sum(), 0],
    "wrong-loss-formula": 2 * 3 * 3 * np.var(Y),
    "wrong-minimum": 3 * 3 * np.var(Y),
    "broadcast-shapes": np.subtract.outer(Y, Y).shape,
    "sums": [M.sum(), *M.sum(0), *M.sum(1)],
    "sums-as-products": [*M.sum(0), *M.sum(1)],
    "keepdim": [2, 1, *(M.T - M.mean(1)).T.flat],
    "square-is-silent": [
        *(SQUARE - SQUARE.mean(1)).flat,
        *(SQUARE.T - SQUARE.mean(1)).T.flat,
    ],
    "maximum": [*M.max(1), *M.argmax(1)],
    "shared-memory": [100, *SIX[1:]],
    "clone": [100, -1, *SIX[2:], 100, *SIX[1:]],
    "strides": [
        stride // SIX.itemsize
        for array in (SIX.reshape(2, 3), SIX.reshape(2, 3).T, SIX.reshape(3, 2))
        for stride in array.strides
    ],
    "reshape-or-transpose": [*SIX, *SIX.reshape(2, 3).T.flat],
    "reshape-copies": [100, *SIX.reshape(2, 3).T.ravel()[1:], *SIX],
    "numpy-shares": [100, 2, 3, 1, 2, 3],
    "numpy-back": [100, -5, 3] * 2,
    "answer-shapes": [5, 5, 3, 3, 5, 3, 5, 5, 3, 5, 5, 1],
    "answer-sharing": [7, *[0] * 7, 7, *[0] * 7],
    "answer-gram": [2, 3, 3, *(M.T @ M).flat, *(M.T @ M).flat],
    "answer-distances": [
        sum((a - b) ** 2 for a, b in zip(x, z, strict=True)) for x in M for z in POINTS
    ]
    * 2,
    "answer-cancellation": [
        (FAR * FAR + NEAR * NEAR) - np.float32(2) * FAR * NEAR,
        (4097.5 - 4097) ** 2,
    ],
    "answer-standardise": [
        *((TRIPLES - TRIPLES.mean(0)) / TRIPLES.std(0)).flat,
        *[1] * 2,
        *[math.sqrt(3 / 2)] * 2,
    ],
    "answer-residual": Y - Y,
    "answer-one-hot": np.eye(3)[[2, 0, 1, 2]],
    "answer-order": [
        *np.linalg.solve(BASIS, MAP @ BASIS).flat,
        *(BASIS.T @ MAP @ BASIS).flat,
    ],
}


@pytest.mark.parametrize("cell", BY_NUMPY)
def test_expected_numbers_by_numpy(cell):
    numbers = expected_numbers("tensors", cell)
    assert numbers == pytest.approx(np.ravel(BY_NUMPY[cell]), abs=5.1e-5)


def test_figure_of_memory_tells_shapes_and_strides():
    grid = np.arange(6).reshape(2, 3)
    told = [0, 5]
    for view in (grid, grid.T, grid.reshape(3, 2)):
        if view.shape == (3, 2) and view is not grid and view.flags.c_contiguous:
            told += [3, 2]  # the shape in the name reshape(3, 2)
        strides = [step // grid.itemsize for step in view.strides]
        told += [*view.shape, *strides, *view.ravel()]
    assert expected_numbers("tensors", "figure-memory") == told


def test_values_in_sentences_by_numpy():
    centred = SQUARE - SQUARE.mean(1)
    rounded = (FAR * FAR + NEAR * NEAR) - np.float32(2) * FAR * NEAR
    computed = {
        "float32-limit": [2.0**-23, 2.0**-52],
        "row-and-column": (M @ V[:, None]).shape,
        "square-is-silent": centred.sum(1),
        "answer-cancellation": [4097.0**2, 0.5**2, rounded - 0.5**2],
    }
    assert_shown_below("tensors", computed)
