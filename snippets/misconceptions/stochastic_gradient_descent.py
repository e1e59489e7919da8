"""Probes of the misconceptions in the chapter on stochastic gradient descent."""

import torch
from torch import nn, optim
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from snippets.misconceptions import Probe, misconception


@misconception
def smaller() -> Probe:
    """The change of `w = 3` in 1000 steps on w² with η = 10⁻⁹, in float32."""
    w = torch.tensor(3.0, requires_grad=True)
    optimizer = optim.SGD([w], lr=1e-9)
    for _ in range(1000):
        optimizer.zero_grad()
        (w * w).backward()
        optimizer.step()
    return Probe(
        believed=3 * (1 - 2e-9) ** 1000 - 3,
        found=w.item() - 3,
    )


@misconception
def falls() -> Probe:
    """How often the printed loss rises in the 20 correct steps of the sheet's loop."""
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    printed = []
    for t in range(20):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(torch.rand(3)), torch.tensor(t % 2))
        loss.backward()
        optimizer.step()
        printed.append(loss.item())
    rises = sum(printed[t] > printed[t - 1] for t in range(1, 20))
    return Probe(believed=0, found=rises)


@misconception
def order() -> Probe:
    """`w` after 10 rounds on (w − 1)² from 0, in the right order and another one."""
    reached = {}
    for calls in ("zero backward step", "zero step backward"):
        w = torch.tensor(0.0, requires_grad=True)
        optimizer = optim.SGD([w], lr=0.1)
        for _ in range(10):
            for call in calls.split():
                if call == "zero":
                    optimizer.zero_grad()
                elif call == "backward":
                    ((w - 1) ** 2).backward()
                else:
                    optimizer.step()
        reached[calls] = w.item()
    return Probe(
        believed=reached["zero backward step"],
        found=reached["zero step backward"],
    )


@misconception
def accumulation() -> Probe:
    """Whether two halves of a batch, accumulated, give the whole batch's gradient."""
    y = torch.tensor([2.0, 4.0, 9.0, 1.0])
    w = torch.tensor(0.0, requires_grad=True)
    (whole,) = torch.autograd.grad(((w - y) ** 2).mean(), w)
    for half in (y[:2], y[2:]):
        (((w - half) ** 2).mean() / 2).backward()
    return Probe(believed=False, found=torch.isclose(w.grad, whole))


@misconception
def total() -> Probe:
    """The vertices of the graph behind `total` after three times `total += loss`."""
    w = torch.tensor(3.0, requires_grad=True)
    total = 0
    for _ in range(3):
        total += w * w
    vertices, waiting = set(), [total.grad_fn]
    while waiting:
        vertex = waiting.pop()
        if vertex is not None and vertex not in vertices:
            vertices.add(vertex)
            waiting += [earlier for earlier, _ in vertex.next_functions]
    return Probe(believed=0, found=len(vertices))


@misconception
def epoch() -> Probe:
    """The number of steps in one epoch over 100 examples in batches of 10."""
    batches = DataLoader(TensorDataset(torch.arange(100.0)), batch_size=10)
    return Probe(believed=1, found=sum(1 for _ in batches))
