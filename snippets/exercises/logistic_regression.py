"""Checks of the exercises in the chapter on logistic regression."""

import numpy as np
import torch
from torch import Tensor

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
    running,
)


@exercise(
    '''
    def fit(X, y):
        """The weights of the least-squares fit of the labels y."""
        ...
    '''
)
def far(answer):
    """The residuals of a best fit are orthogonal to every feature."""
    for n, d in ((8, 3), (9, 3), (5, 2)):
        X = torch.column_stack([torch.ones(n), 3 * normal(n, d - 1)]).double()
        y = torch.where(torch.arange(n) % 3 > 0, 1.0, -1.0).double()
        given = f"For X of shape {(n, d)} the fit"
        w = numbers(call(answer, X, y), given)
        hint = ""
        if w.shape == (n,) and close(w.abs(), torch.ones(n)):
            hint = "These are decisions; the weights are wanted."
        elif w.shape == (n,):
            hint = "There is one number for each student; the weights are wanted."
        if w.shape != (d,):
            shape = tuple(w.shape)
            raise Wrong(f"{given} has shape {shape}, not {(d,)}. {hint}".rstrip())
        left_over = X.T @ (X @ w - y)
        if left_over.abs().max() > 1e-3:
            squares = ((X @ w - y) ** 2).sum().item()
            raise Wrong(
                f"{given} leaves a squared error of {squares:.3g}, and other weights "
                "leave less. Is it fitted to the labels ±1, by all columns of X?"
            )
    return "no weights have a smaller squared error, for three data sets"


@exercise(
    '''
    def stable_loss(m):
        """log(1 + exp(-m)) for each margin, by clamp, abs and log1p."""
        ...
    '''
)
def kink(answer):
    """Values everywhere, slopes away from the kink."""
    margins = [-1000.0, -30.0, -1.0, -1e-3, 0.0, 1e-3, 1.0, 30.0, 1000.0]
    for dtype in (torch.float32, torch.float64):
        m = torch.tensor(margins, dtype=dtype, requires_grad=True)
        result = call(answer, m)
        given = f"For margins of {str(dtype).removeprefix('torch.')} the loss"
        found = numbers(result, given, (9,))
        require(
            not found.isinf().any(),
            f"{given} is infinite at {_where(margins, found.isinf())}: which "
            "exponential overflows?",
        )
        wanted = np.logaddexp(0, -np.array(margins))
        for place, value, right in zip(margins, found.tolist(), wanted, strict=True):
            hint = "Has the margin the right sign?" if place > 0 else ""
            if not abs(value - right) <= 1e-5 * max(1.0, right):
                raise Wrong(
                    f"{given} is wrong at the margin {place:g}. {hint}".rstrip()
                )
        require(
            found[7] > 0,
            f"{given} is 0 at the margin 30: lost in 1 + …; log1p keeps it.",
        )
        slopes = _slopes(result, m)
        right = -torch.special.expit(-m.detach().double())
        wrong = (slopes - right).abs() > 1e-5
        wrong[4] = False  # what happens at 0 is the question
        require(
            not wrong.any(),
            f"The values agree, but the slope is wrong at {_where(margins, wrong)}.",
        )
    return "values and slopes agree; look at the slope at 0 yourself"


def _slopes(result, m):
    """The derivatives by autograd of what the reader's function gave."""
    if not isinstance(result, Tensor) or not result.requires_grad:
        raise Wrong(
            "The values agree, but nothing leads back to m: no `item`, `detach`, "
            "`numpy` or new tensor on the way."
        )
    with running("The backward pass through your result"):
        (slopes,) = torch.autograd.grad(result.sum(), m)
    return slopes.double()


def _where(margins, wrong):
    places = [f"{m:g}" for m, bad in zip(margins, wrong.tolist(), strict=True) if bad]
    return f"m = {', '.join(places)}"


@exercise(
    '''
    def both_losses(s, y):
        """Summed loss of the scores s: with labels ±1, and with 0 and 1."""
        ...
    '''
)
def wrong_labels(answer):
    """Against the sum of log(1 + exp(s)) − t s, in NumPy."""
    for n in (4, 7):
        s, y = 3 * normal(n).double(), torch.ones(n, dtype=torch.float64)
        y[: n // 2] = -1
        result = call(answer, s, y)
        try:
            with_y, with_t = result
        except (TypeError, ValueError):
            raise Wrong(
                f"Two numbers are asked for, as `return a, b`; here is "
                f"{describe(result)}."
            ) from None
        cost = {
            name: torch.tensor((np.logaddexp(0, s.numpy()) - (t * s).numpy()).sum())
            for name, t in (("y", y), ("t", (1 + y) / 2))
        }
        first = numbers(with_y, "The first loss", ())
        second = numbers(with_t, "The second loss", ())
        hint = ""
        if close(first, cost["t"]) and close(second, cost["y"]):
            hint = "They have changed places."
        elif close(first * n, cost["y"]) or close(second * n, cost["t"]):
            hint = "It is a mean; the sum is asked for."
        elif close(first, second):
            hint = "Both losses are the same: where do the labels 0 and 1 come from?"
        agree(with_y, cost["y"], "The first loss, with the labels ±1,", hint)
        agree(with_t, cost["t"], "The second loss, with the labels 0 and 1,", hint)
    return "both losses agree, for two data sets; which of them can be negative?"
