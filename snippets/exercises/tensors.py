"""Checks of the exercises in the chapter on tensors."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from snippets.exercises import exercise
from snippets.exercises.trying import (
    Wrong,
    agree,
    call,
    close,
    describe,
    normal,
    numbers,
    require,
)

PRODUCTS = {"matmul", "__matmul__", "__rmatmul__", "mm", "bmm", "einsum", "tensordot"}
PRODUCTS |= {"inner", "mv", "dot", "outer", "addmm", "linear"}


class _Called(TorchFunctionMode):
    """Notes the names of PyTorch's functions that are called."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_function__(self, function, types, args=(), kwargs=None):
        """Note the name and go on."""
        self.names.add(function.__name__)
        return function(*args, **(kwargs or {}))


@exercise(
    '''
    def gram(X):
        """The sum of the outer products of the rows of X, without @ and loops."""
        ...
    '''
)
def gram(answer):
    """Against a sum of outer products in plain Python."""
    for n, d in ((4, 3), (2, 5), (1, 2), (3, 3)):
        X = normal(n, d)
        with _Called() as called:
            result = call(answer, X)
        used = sorted(called.names & PRODUCTS)
        require(not used, f"It uses a product of matrices or vectors: {used}.")
        rows = X.tolist()
        sums = [[sum(x[j] * x[k] for x in rows) for k in range(d)] for j in range(d)]
        found = numbers(result, "The result")
        require(
            found.shape != (n, d, d) or n == d,
            f"For X of shape {(n, d)} the result has shape {(n, d, d)}: all the outer "
            "products. They are still to be added.",
        )
        require(
            found.shape != (n, n) or n == d,
            f"For X of shape {(n, d)} the result has shape {(n, n)}: that is one "
            "number for each pair of examples, not of features.",
        )
        agree(found, torch.tensor(sums), f"For X of shape {(n, d)} the result")
    return "plain sums give the same matrix, for four shapes"


@exercise(
    '''
    def squared_distances(X, Z):
        """Entry (i, j): squared distance of row i of X and row j of Z."""
        ...
    '''
)
def distances(answer):
    """Against plain sums over all pairs."""
    for n, k, d in ((4, 2, 3), (1, 3, 2), (3, 3, 3), (5, 1, 4)):
        X, Z = normal(n, d), normal(k, d)
        pairs = [
            [sum((a - b) ** 2 for a, b in zip(x, z, strict=True)) for z in Z.tolist()]
            for x in X.tolist()
        ]
        wanted = torch.tensor(pairs)
        found = numbers(call(answer, X, Z), "The result")
        given = f"For shapes {(n, d)} and {(k, d)} the result"
        hint = ""
        if found.shape == (n, k) and close(found**2, wanted):
            hint = "These are the distances, not their squares."
        elif found.shape == (n, k) and (found < -1e-3).any():
            hint = "Some entries are negative: look at each term once more."
        elif found.shape == (k, n) and n != k:
            hint = "Rows belong to X, columns to Z."
        agree(found, wanted, given, hint)
    return "all pairs agree, for four choices of shapes"


@exercise(
    '''
    def standardise(X):
        """X with each column shifted and scaled to mean 0, deviation 1."""
        ...
    '''
)
def standardise(answer):
    """By what must hold of the result: means, deviations, an affine map of columns."""
    for n, d in ((5, 3), (3, 4), (4, 4)):
        X = 3 * normal(n, d) + torch.arange(1.0, d + 1)
        Z = numbers(call(answer, X), f"For X of shape {(n, d)} the result", (n, d))
        require(not Z.isnan().any(), "Some entries are nan.")
        rows_shifted = close(Z.mean(dim=1), torch.zeros(n))
        require(
            close(Z.mean(dim=0), torch.zeros(d)),
            "The rows have mean 0, but it is the columns that should."
            if rows_shifted
            else "The means of the columns are not 0.",
        )
        mean_squares = (Z**2).mean(dim=0)
        hint = "The mean of a column's squared deviations is not 1."
        if close(mean_squares * n, torch.full((d,), n - 1.0)):
            hint += " It is (n − 1)/n: by what does the deviation that you use divide?"
        elif close(mean_squares, ((X - X.mean(dim=0)) ** 2).mean(dim=0)):
            hint += " The columns are shifted, but not scaled."
        elif close(mean_squares, 1 / ((X - X.mean(dim=0)) ** 2).mean(dim=0)):
            hint += " Is it divided by the variance, or by its root?"
        require(close(mean_squares, torch.ones(d)), hint)
        line_up = (Z * (X - X.mean(dim=0))).mean(dim=0) ** 2
        require(
            close(line_up, ((X - X.mean(dim=0)) ** 2).mean(dim=0)),
            "Means and deviations are right, but the columns are no longer those of X.",
        )
        require(
            (Z * (X - X.mean(dim=0))).sum() > 0, "The columns have changed their sign."
        )
    return "means 0, deviations 1, for three shapes"


@exercise(
    '''
    def residual(p, y):
        """p - y for equal shapes; otherwise a ValueError with both shapes."""
        ...
    '''
)
def residual(answer):
    """Equal shapes are subtracted, all others refused."""
    for shape in ((4,), (3, 2), ()):
        p, y = normal(*shape), normal(*shape)
        agree(call(answer, p, y), p - y, f"For two tensors of shape {shape} the result")
    for left, right in (((3, 1), (3,)), ((2, 3), (3,)), ((), (2,)), ((2, 3), (3, 2))):
        given = f"For shapes {left} and {right} "
        try:
            result = answer(normal(*left), normal(*right))
        except ValueError as error:
            text = str(error)
            for shape in (left, right):
                sizes = ", ".join(map(str, shape))
                require(
                    sizes in text,
                    f"{given}the message of the ValueError does not state the shape "
                    f"{shape}: {text!r}.",
                )
        except Exception as error:
            kind = type(error).__name__
            raise Wrong(f"{given}it raises {kind}, not ValueError.") from None
        else:
            raise Wrong(
                f"{given}there is no ValueError but {describe(result)}: they can be "
                "broadcast, and still are not equal."
                if isinstance(result, Tensor)
                else f"{given}the error is to be raised; here is {describe(result)}."
            )
    return "equal shapes pass, four unequal pairs are refused"


@exercise(
    '''
    def one_hot(labels, k):
        """One row for each label: 1.0 in the label's column, else 0.0."""
        ...
    '''
)
def one_hot(answer):
    """Against PyTorch's own, for several lists of labels."""
    for labels, k in (([2, 0, 1, 2], 3), ([1, 1], 4), ([0], 1), ([3, 0, 4], 5)):
        result = call(answer, torch.tensor(labels), k)
        given = f"For the labels {labels} and k = {k} the result"
        rows = numbers(result, given)
        wanted = F.one_hot(torch.tensor(labels), k).double()
        hint = ""
        if rows.shape == wanted.T.shape != wanted.shape:
            hint = "One row belongs to each label, one column to each class."
        elif rows.shape == wanted.shape and (rows.sum(dim=1) == 0).any():
            hint = "Some rows have no 1: do the columns count from 0?"
        agree(rows, wanted, given, hint)
        require(
            not isinstance(result, Tensor) or result.is_floating_point(),
            f"The numbers are right, their type is {getattr(result, 'dtype', '')}: "
            "float was asked for.",
        )
    return "the ones are in their places, for four lists of labels"
