"""Probes of the misconceptions in the chapter on linear regression."""

import torch
from torch import nn

from snippets.misconceptions import Probe, misconception


@misconception
def equality() -> Probe:
    """Whether the squared norm of (1, 1), by way of the norm, `== 2`."""
    ones = torch.ones(2, dtype=torch.float64)
    squared_norm = torch.linalg.vector_norm(ones) ** 2
    return Probe(believed=True, found=squared_norm == 2)


@misconception
def reduction() -> Probe:
    """The squared error after 4 steps with η = 0.005, for a mean and then for a sum."""
    X = torch.arange(1.0, 10.0).reshape(3, 3)
    y = torch.tensor([1.0, 2.0, 3.0])
    errors = {}
    for kind in ("mean", "sum"):
        w = torch.tensor([3.0, 2.0, 1.0], requires_grad=True)
        for _ in range(4):
            loss = nn.MSELoss(reduction=kind)(X @ w, y)
            (gradient,) = torch.autograd.grad(loss, w)
            w = (w - 0.005 * gradient).detach().requires_grad_()
        errors[kind] = ((X @ w - y) ** 2).sum()
    return Probe(believed=errors["mean"], found=errors["sum"])


@misconception
def zero_gradient() -> Probe:
    """The squared error of the line `slope * x` for y = x², where its gradient is 0."""
    x = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0])
    slope = torch.tensor(0.0, requires_grad=True)
    loss = ((slope * x - x**2) ** 2).sum()
    loss.backward()
    assert slope.grad == 0
    return Probe(believed=0.0, found=loss)
