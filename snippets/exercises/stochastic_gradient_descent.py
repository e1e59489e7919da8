"""Checks of the exercises in the chapter on stochastic gradient descent."""

import inspect

import torch
from torch import nn, optim

from snippets.exercises import exercise
from snippets.exercises.trying import (
    Wrong,
    close,
    describe,
    numbers,
    require,
    running,
)


@exercise(
    '''
    class PlainSGD:
        """Gradient steps without momentum, in the place of optim.SGD."""

        def __init__(self, parameters, lr):
            ...

        def zero_grad(self):
            """Forget the gradients."""
            ...

        def step(self):
            """Move each parameter against its gradient."""
            ...
    '''
)
def plain_sgd(answer):
    """Beside `optim.SGD` on the same layers and examples, call by call."""
    if not inspect.isclass(answer):
        raise Wrong(f"Hand in the class itself, not {describe(answer)}.")
    models = [nn.Linear(3, 2), nn.Linear(3, 2)]
    models[1].load_state_dict(models[0].state_dict())
    idle = torch.ones(2, requires_grad=True)  # no loss reaches it
    before = [p.detach().clone() for p in models[0].parameters()]
    own = models[0].parameters()
    with running("Making it from `model.parameters()` and lr=0.1"):
        mine = answer((p for p in (*own, idle)), lr=0.1)
    theirs = optim.SGD(models[1].parameters(), lr=0.1)
    _has_methods(mine)
    for step in range(4):
        with running("`zero_grad()`"):
            mine.zero_grad()
        theirs.zero_grad()
        for p in models[0].parameters():
            require(
                p.grad is None or not p.grad.any(),
                "After `zero_grad()` there are gradients left. Is `parameters` a "
                "generator, which one loop uses up?"
                if step
                else "After `zero_grad()` there are gradients left.",
            )
        example, label = torch.rand(3), torch.tensor(step % 2)
        for model in models:
            nn.functional.cross_entropy(model(example), label).backward()
        with running("`step()`"):
            mine.step()
        theirs.step()
        _compare(models, before, step)
    return "the parameters of optim.SGD, step by step"


def _has_methods(mine):
    for name in ("zero_grad", "step"):
        require(
            callable(getattr(mine, name, None)), f"The class has no method `{name}`."
        )


def _compare(models, before, step):
    """The parameters after a step, with those of PyTorch's optimiser."""
    have, want = ([p.detach() for p in model.parameters()] for model in models)
    for p in models[0].parameters():
        require(
            p.is_leaf and p.requires_grad,
            "After a step a parameter is no leaf: change its numbers, unrecorded.",
        )
    if all(close(a.double(), b, 1e-6) for a, b in zip(have, want, strict=True)):
        return
    pairs = list(zip(have, want, before, strict=True))
    hint = "."
    if all(torch.equal(a, start) for a, _, start in pairs):
        hint = (
            ": they have not moved. Does the name or the tensor change, and was the "
            "generator `parameters` used up before?"
        )
    elif all(close((a - start + b - start).double(), 0 * a) for a, b, start in pairs):
        hint = ": they move along the gradient, not against it."
    raise Wrong(f"After step {step + 1} the parameters are others than SGD's{hint}")


OTHER = {"sum": "mean", "mean": "sum"}


@exercise(
    """
    bound_sum = ...  # for the sum of squares on the sheet's data
    bound_mean = ...  # for their mean
    """
)
def sheet_data(bound_sum, bound_mean):
    """Descent must fall just below a bound, and grow just above it."""
    bounds = {"sum": bound_sum, "mean": bound_mean}
    found = {
        key: numbers(it, f"The bound for the {key}", ()) for key, it in bounds.items()
    }
    for key, bound in found.items():
        require(
            bound.isfinite() and bound > 0, f"The bound for the {key} must be positive."
        )
    grows = {key: _grows(0.99 * bound, key) for key, bound in found.items()}
    fits = {key: _fits(found[key], other) for key, other in OTHER.items()}
    require(not all(fits.values()), "The two bounds have changed places.")
    for key, bound in found.items():
        given = f"At 99 % of the bound for the {key}, {0.99 * bound:.3g},"
        require(
            not grows[key], f"{given} the loss grows. {_which(bound, key)}".rstrip()
        )
        given = f"At 101 % of the bound for the {key}, {1.01 * bound:.3g},"
        require(
            _grows(1.01 * bound, key),
            f"{given} the loss still falls. {_which(bound, key)}".rstrip(),
        )
    return "1 % below the bounds the loss falls, 1 % above it grows"


def _which(bound, key):
    """What is wrong by a simple factor."""
    for factor, hint in (
        (2.0, "Steps twice as long still work: see the bound in the chapter."),
        (0.5, "Half of it is right: is there a 2 in the Hessian of a square?"),
    ):
        if _fits(bound * factor, key):
            return hint
    return ""


def _fits(bound, key):
    """Whether the loss falls just below the bound and grows just above it."""
    return _grows(1.01 * bound, key) and not _grows(0.99 * bound, key)


def _grows(rate, key):
    """Whether the loss is larger after 100 steps than at the start."""
    X = torch.arange(1.0, 10.0, dtype=torch.float64).reshape(3, 3)
    y = torch.tensor([2.0, 4.0, 8.0], dtype=torch.float64)
    loss = nn.MSELoss(reduction=key)
    w = torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64, requires_grad=True)
    start = loss(X @ w, y)
    for _ in range(100):
        (slope,) = torch.autograd.grad(loss(X @ w, y), w)
        w = (w - rate * slope).detach().requires_grad_()
    return not loss(X @ w, y) < start
