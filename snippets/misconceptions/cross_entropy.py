"""Probes of the misconceptions in the chapter on cross-entropy."""

import torch
from torch.nn import functional as F

from snippets.misconceptions import Probe, misconception


@misconception
def dim() -> Probe:
    """The sums of the rows of `softmax(S, dim=0)`: rows are examples."""
    S = torch.tensor([[2.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    return Probe(
        believed=torch.ones(2),
        found=torch.softmax(S, dim=0).sum(dim=1),
    )


@misconception
def one_hot() -> Probe:
    """`cross_entropy` of the scores (2, 0, 1) with the label 2 as a number."""
    scores = torch.tensor([2.0, 0.0, 1.0])
    return Probe(
        believed="an error",
        found=F.cross_entropy(scores, torch.tensor(2)),
    )


@misconception
def zero() -> Probe:
    """The probability of the other class where the loss prints 0."""
    scores = torch.tensor([32.0, 50.0])
    assert F.cross_entropy(scores, torch.tensor(1)) == 0
    return Probe(believed=0.0, found=torch.softmax(scores, dim=0)[0])


@misconception
def softmax() -> Probe:
    """The loss of the scores (50, 0) with the label 0, after a softmax."""
    scores, label = torch.tensor([50.0, 0.0]), torch.tensor(0)
    probabilities = torch.softmax(scores, dim=0)
    return Probe(
        believed=F.cross_entropy(scores, label),
        found=F.cross_entropy(probabilities, label),
    )


@misconception
def two_vectors() -> Probe:
    """The number of directions in which a change of `W`, 2 × 3, changes `p`."""
    torch.manual_seed(0)
    X = torch.randn(10, 3, dtype=torch.float64)
    W = torch.randn(2, 3, dtype=torch.float64)

    def probabilities(W: torch.Tensor) -> torch.Tensor:
        return torch.softmax(X @ W.T, dim=1)

    J = torch.autograd.functional.jacobian(probabilities, W)
    rank = torch.linalg.matrix_rank(J.reshape(-1, W.numel()))
    return Probe(believed=W.numel(), found=rank)
