"""Probes of the misconceptions in the chapter on logistic regression."""

import torch
from torch import nn
from torch.nn import functional as F

from snippets.misconceptions import Probe, misconception


@misconception
def threshold() -> Probe:
    """The decisions `logit > 0.5` for the logits −1, 0.25 and 2."""
    logits = torch.tensor([-1.0, 0.25, 2.0])
    return Probe(
        believed=torch.sigmoid(logits) > 0.5,
        found=logits > 0.5,
    )


@misconception
def accuracy() -> Probe:
    """The accuracy of that one of two models that has the lower log loss."""
    margins = {
        "cautious": torch.tensor([0.1, 0.1, 0.1, 0.1]),
        "bold": torch.tensor([3.0, 3.0, 3.0, -0.1]),
    }
    losses = {name: F.softplus(-m).sum() for name, m in margins.items()}
    accuracies = {name: (m > 0).float().mean() for name, m in margins.items()}
    lower = min(losses, key=losses.get)
    return Probe(
        believed=max(accuracies.values()),
        found=accuracies[lower],
    )


@misconception
def squared() -> Probe:
    """The slope of `(sigmoid(s) - 1) ** 2` at s = −8, beside that of the log loss."""
    s = torch.tensor(-8.0, requires_grad=True)
    (slope_of_log_loss,) = torch.autograd.grad(F.softplus(-s), s)
    (slope,) = torch.autograd.grad((torch.sigmoid(s) - 1) ** 2, s)
    return Probe(believed=slope_of_log_loss, found=slope)


@misconception
def double_sigmoid() -> Probe:
    """`BCEWithLogitsLoss` of a sure and right score of 20, after a sigmoid."""
    score, label = torch.tensor(20.0), torch.tensor(1.0)
    loss = nn.BCEWithLogitsLoss()
    return Probe(
        believed=loss(score, label),
        found=loss(torch.sigmoid(score), label),
    )
