"""The equations of tensors: products, the loss of all pairs, positions in memory."""

import numpy as np
import torch

from snippets.checks import Family, Index, check, given, setting

# Settings


@setting("matrix-products", "reductions", "ex-tensors-gram")
def products(draw):
    """Matrices and vectors of matching sizes; rows of X are examples."""
    n, d, k = draw.size(), draw.size(), draw.size()
    X = draw.normal(n, d)
    return {
        **{"n": n, "d": d, "k": k, "X": X, "x": Family(X), "V": draw.normal(d, k)},
        **{"w": draw.normal(d), "u": draw.normal(n), "i": Index(n), "l": Index(d)},
        **{r"\mathbf1_n": torch.ones(n), r"\mathbf1_d": torch.ones(d)},
    }


@setting("matrix-products")
def into_classes(draw):
    """The same with j for the columns of V."""
    symbols = products.function(draw)
    return {name: symbols[name] for name in ("X", "V", "i", "l")} | {
        "j": Index(symbols["k"])
    }


@setting("matrix-products", "reductions", "ex-tensors-gram")
def columns(draw):
    """The same with j for the columns of X."""
    symbols = products.function(draw)
    return {**symbols, "j": Index(symbols["d"])}


@setting("matrix-products")
def square_matrices(draw):
    """Two square matrices."""
    n = draw.size()
    A, B = draw.normal(n, n), draw.normal(n, n)
    return {"A": A, "B": B, "i": Index(n), "j": Index(n), "l": Index(n)}


@setting("broadcasting")
def all_pairs(draw):
    """Predictions in a column minus targets, as PyTorch broadcasts them."""
    n = draw.size()
    p, y = draw.normal(n), draw.normal(n)
    D = p[:, None] - y
    return {
        **{"n": n, "i": Index(n), "j": Index(n), "p": p, "y": y, "D": D},
        **{"S": (D**2).sum(), r"\bar y": y.mean()},
    }


@setting("broadcasting")
def perfect_predictions(draw):
    """The same sum where each prediction equals its target."""
    n = draw.size()
    y = draw.normal(n)
    S = ((y[:, None] - y) ** 2).sum()
    return {"n": n, "j": Index(n), "y": y, r"\bar y": y.mean(), "S": S}


def numbered(m, n):
    """A grid whose entries are their positions in memory."""
    return torch.arange(m * n).reshape(m, n)


def position(grid):
    """Where PyTorch finds an entry: the offset of the view that indexing makes."""
    return lambda i, j: grid[int(i), int(j)].storage_offset()


@setting("views-and-copies")
def grid(draw):
    """A grid of m rows; indices from 0."""
    m, n = draw.size(), draw.size()
    return {
        **{"m": m, "n": n, "i": Index(m, 0), "j": Index(n, 0)},
        r"\text{position}": position(numbered(m, n)),
    }


@setting("views-and-copies", "ex-tensors-reshape")
def turned_grid(draw):
    """Its transpose and its reshaping, both of n rows."""
    m, n = draw.size(), draw.size()
    return {
        **{"m": m, "n": n, "i": Index(n, 0), "j": Index(m, 0)},
        r"\text{position}_\T": position(numbered(m, n).T),
        r"\text{position}_\text{reshape}": position(numbered(m, n).reshape(n, m)),
    }


@setting("ex-tensors-reshape")
def rows_and_columns(draw):
    """Several rows and several columns."""
    return {"m": draw.size(), "n": draw.size()}


@setting("ex-tensors-distances")
def two_sets(draw):
    """The rows of two matrices."""
    n, k, d = draw.size(), draw.size(), draw.size()
    X, Z = draw.normal(n, d), draw.normal(k, d)
    return {
        **{"X": X, "x": Family(X), "Z": Z, "z": Family(Z)},
        **{"i": Index(n), "j": Index(k)},
    }


@setting("ex-tensors-standardise")
def deviations(draw):
    """The standard deviation by the default of PyTorch, and by that of NumPy."""
    n = draw.size()
    column = draw.normal(n)
    return {"n": n, r"\hat s": column.std(), "s": np.std(column.detach().numpy())}


@setting("ex-tensors-discuss")
def new_basis(draw):
    """A map and a form in the basis of the columns of C, found from their meaning."""
    n = draw.size()
    F, C = draw.normal(n, n), draw.normal(n, n)
    basis = C.T
    images = torch.stack([torch.linalg.solve(C, F @ c) for c in basis], dim=1)
    values = torch.stack([torch.stack([c @ (F @ e) for e in basis]) for c in basis])
    return {"F": F, "C": C, r"\hat F": images, r"\tilde F": values}


# Checks


@check("eq-tensors-wrong-loss", all_pairs)
def wrong_loss(p, y):
    """The sum of the squares of all differences."""
    n = len(y)
    spread = np.var(p.numpy()) + np.var(y.numpy()) + float(p.mean() - y.mean()) ** 2
    return {
        "two loops": sum((a - b) ** 2 for a in p for b in y),
        "cdist": (torch.cdist(p[:, None], y[:, None]) ** 2).sum(),
        "means and variances in NumPy": n**2 * spread,
    }


given(
    *("a = (1, 2, 3)", "b = (4, 5, 6)", "n = 2", "d = 3", "p = y", "n = 3", "m = 2"),
    *("i = 1", "j = 0", "m = 1", "n = 1", "i = 0"),
)
