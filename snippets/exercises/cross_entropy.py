"""Checks of the exercises in the chapter on cross-entropy."""

import torch
import torch.nn.functional as F

from snippets.exercises import exercise
from snippets.exercises.trying import (
    Wrong,
    agree,
    call,
    close,
    normal,
    numbers,
    require,
)


@exercise(
    '''
    def batch_cross_entropy(scores, labels):
        """Mean loss of scores (n, k) and labels (n)."""
        ...
    '''
)
def batch(answer):
    """Against PyTorch, for scores near 0 and in the thousands."""
    for n, k, scale in ((4, 3, 1.0), (1, 2, 1.0), (3, 3, 2.0), (5, 4, 2000.0)):
        scores = scale * normal(n, k)
        labels = torch.randint(k, (n,))
        found = numbers(call(answer, scores, labels), "The loss")
        given = f"For scores of shape {(n, k)} the loss"
        if scale > 100:
            given = f"For scores in the thousands, of shape {(n, k)}, the loss"
        wanted = F.cross_entropy(scores, labels)
        hint = ""
        if found.numel() == 1:
            hint = _slip(found.reshape(()), scores, labels)
        elif found.numel() == n:
            hint = "The mean over the examples is missing."
        elif found.shape == (n, n):
            hint = "There is a number for each pair of examples: one row was broadcast."
        agree(found, wanted, given, hint)
    return "PyTorch finds the same losses, in the thousands too"


def _slip(found, scores, labels):
    """What a wrong loss looks like."""
    n = len(labels)
    slips = {
        "It is the sum over the examples, not the mean.": n
        * F.cross_entropy(scores, labels),
        "The softmax runs over the examples, not over the classes.": F.nll_loss(
            F.log_softmax(scores, dim=0), labels
        ),
        "A softmax has been taken twice.": F.cross_entropy(
            torch.softmax(scores, dim=1), labels
        ),
        "The score of the label is not subtracted.": torch.logsumexp(
            scores, dim=1
        ).mean(),
    }
    if found.isfinite() and n > 1:
        for hint, value in slips.items():
            if close(found, value):
                return hint
    return "" if found.isfinite() else "Which exponential overflows?"


@exercise(
    """
    # The smallest gap g at which the loss of label 1 is printed as 0.
    gap_float32 = ...
    gap_float64 = ...
    """
)
def threshold(gap_float32, gap_float64):
    """PyTorch's loss must be 0 just above the gap, and not just below it."""
    for dtype, gap in ((torch.float32, gap_float32), (torch.float64, gap_float64)):
        name = str(dtype).removeprefix("torch.")
        g = numbers(gap, f"The gap in {name}", ())
        require(g.isfinite() and g > 0, f"The gap in {name} must be positive.")
        label = torch.tensor(1)
        above, below = (
            F.cross_entropy(torch.tensor([0.0, near], dtype=dtype), label).item()
            for near in (g.item() + 0.01, g.item() - 0.01)
        )
        require(above == 0, f"In {name} the loss is still above 0 at g = {g:.2f}.")
        hint = ""
        if dtype == torch.float32:
            hint = " Half of the step above 1 is rounded as well."
        require(below > 0, f"In {name} a smaller gap gives 0 too.{hint}")
    return "0 just above the gap, more than 0 just below, in both types"


@exercise(
    '''
    def train(X, labels, rate, steps):
        """After steps from zero: W (2, d), and w (d) at twice the rate."""
        ...
    '''
)
def speed(answer):
    """Against the same steps with gradients from autograd, and W against w."""
    for n, d, rate, steps in ((4, 2, 0.1, 5), (6, 3, 0.05, 3)):
        X = normal(n, d).double()
        labels = torch.arange(n) % 2
        result = call(answer, X, labels, rate, steps)
        try:
            W, w = result
        except (TypeError, ValueError):
            raise Wrong("Two tensors are asked for, as `return W, w`.") from None
        two = numbers(W, "W", (2, d))
        one = numbers(w, "w", (d,))
        wanted = _descend(X, labels, rate, steps)
        mean = _descend(X, labels, rate / n, steps)
        hint = ""
        if close(two, mean):
            hint = "It moves by the gradient of the mean; the loss is the sum."
        elif close(two, _descend(X, labels, rate, steps + 1)):
            hint = "That is one step too many."
        elif close(two, _descend(X, labels, rate, steps, clear=False)):
            hint = "The gradients of all steps add up: clear them."
        agree(two, wanted, "W", hint)
        half = _difference_at(X, labels, rate, steps)
        if close(one, half):
            hint = "It was trained at the rate of W, not at twice that rate."
        agree(one, two[1] - two[0], "w", hint or "It should equal w₁ − w₀ of W.")
    return "W moves as it should, and w is the difference of its rows"


def _descend(X, labels, rate, steps, clear=True):
    """W after some steps on the summed cross-entropy."""
    W = torch.zeros(2, X.shape[1], dtype=torch.float64, requires_grad=True)
    gradient = torch.zeros_like(W)
    for _ in range(steps):
        loss = F.cross_entropy(X @ W.T, labels, reduction="sum")
        (slope,) = torch.autograd.grad(loss, W)
        gradient = slope if clear else gradient + slope
        W = (W - rate * gradient).detach().requires_grad_()
    return W.detach()


def _difference_at(X, labels, rate, steps):
    """The difference of the rows of W at half the rate: w at the rate of W."""
    W = _descend(X, labels, rate / 2, steps)
    return W[1] - W[0]
