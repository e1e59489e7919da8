"""Probes of the misconceptions in the chapter on linear layers."""

import torch
from torch import nn
from torch.nn import functional as F

from snippets.misconceptions import Probe, misconception


@misconception
def weight_shape() -> Probe:
    """The shape of the weight of `nn.Linear(3, 2)`."""
    layer = nn.Linear(3, 2)
    return Probe(believed=(3, 2), found=layer.weight.shape)


@misconception
def tensor_attribute() -> Probe:
    """The parameters of a layer that was given a tensor `gain`."""
    layer = nn.Linear(3, 2)
    layer.gain = torch.ones(2, requires_grad=True)
    listed = [name for name, _ in layer.named_parameters()]
    return Probe(believed=["weight", "bias", "gain"], found=listed)


@misconception
def linear() -> Probe:
    """`layer(2 * x)`, which a linear `layer` would make `2 * layer(x)`."""
    layer = nn.Linear(3, 2)
    nn.init.ones_(layer.weight)
    with torch.no_grad():
        layer.bias.copy_(torch.tensor([1.0, -1.0]))
    x = torch.tensor([1.0, 2.0, 4.0])
    return Probe(believed=2 * layer(x), found=layer(2 * x))


@misconception
def initial_values() -> Probe:
    """The loss of two layers after 30 steps, from a random start and from zeros."""
    X = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
    labels = torch.tensor([1, 0, 1, 0])
    torch.manual_seed(0)
    drawn = nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 2))
    zeros = nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 2))
    for parameter in zeros.parameters():
        nn.init.zeros_(parameter)
    losses = []
    for net in (drawn, zeros):
        optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
        for _ in range(30):
            optimizer.zero_grad()
            F.cross_entropy(net(X), labels).backward()
            optimizer.step()
        losses.append(F.cross_entropy(net(X), labels))
    return Probe(believed=losses[0], found=losses[1])
